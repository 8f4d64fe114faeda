"""An op of your own, written as a function with its rules beside it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ..facts import Facts
from ..op import Elementwise, Op, register
from .elementary import _by_name

FACTS = {name for name in (*vars(Facts), "domain") if not name.startswith("_")} - {"name"}


def custom_op(
    derivative: Callable[[Any, Any], Any] | None = None, **rules_and_facts: Any
) -> Callable[[Callable[..., Any]], Any]:
    """Turn a function of arrays into a registered op of its name: a decorator, and short for a class.

    With `derivative(y, x)` it is an op of one array that acts on each element by itself, as all activations are. Else
    each input that can be differentiated has a rule of its own, `vjp_<input>(g, y, *inputs)`, its cotangent given that
    of the output. `formula`, `rule`, `kinks`, `domain`, `use` and the like are as in a class. The function is plain
    NumPy on arrays; the rules are given arrays or Tensors, so they are in operators, NumPy functions and other ops. An
    op with parameters is a class: see "Add an activation" in CONTRIBUTING.

    TypeError for a rule of no input or a fact that ops do not have; ValueError for the name of another op. The same
    function may be defined again, as in a notebook.

    >>> @custom_op(derivative=lambda y, x: 3 * x**2, formula="x^3", rule="3 x^2")
    ... def cube(x):
    ...     return x**3
    >>> cube(2.0), cube
    (np.float64(8.0), cube)

    >>> @custom_op(vjp_a=lambda g, y, a, b: g * b, vjp_b=lambda g, y, a, b: g * a, formula="a b")
    ... def times(a, b):
    ...     return a * b

    >>> from tinygrad_act import grad, op
    >>> [float(slope) for slope in grad(times, (0, 1))(2.0, 5.0)]
    [5.0, 2.0]
    >>> del op.OPS["cube"], op.OPS["times"]  # for the tests that follow
    """
    rules = {name: rule for name, rule in rules_and_facts.items() if name.startswith("vjp_")}
    facts = {name: fact for name, fact in rules_and_facts.items() if name not in rules}

    def made(f: Callable[..., Any]) -> Any:
        parameters = list(inspect.signature(f).parameters.values())
        _check(f.__name__, parameters, derivative, rules, facts)

        def forward(self: Op, *inputs: Any) -> Any:
            return f(*inputs)

        itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        vars(forward)["__signature__"] = inspect.Signature([itself, *parameters])
        methods: dict[str, Any] = {"forward": forward, **{name: _without_self(rule) for name, rule in rules.items()}}
        if derivative is not None:
            methods["derivative"] = _without_self(derivative)
        methods |= {"__repr__": _name, "__reduce__": _where}
        about = {"name": f.__name__, "__doc__": f.__doc__, "__module__": f.__module__, "__qualname__": f.__qualname__}
        return register(type(f.__name__, (Op if derivative is None else Elementwise,), about | methods | facts)())

    return made


def _name(op: Op) -> str:
    return op.name


def _where(op: Op) -> Any:  # there is one of each, which pickle and copy find by its name
    return _by_name, (op.name,)


def _without_self(rule: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, *args: rule(*args)


def _check(name: str, parameters: list[inspect.Parameter], derivative: Any, rules: Any, facts: Any) -> None:
    inputs = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty]
    if len(inputs) < max(len(parameters), 1):
        raise TypeError(
            f"custom_op: {name} takes arrays only, by position and without defaults; write a class for more"
        )
    if (derivative is None) == (not rules) or (derivative is not None and len(inputs) > 1):
        given = ", ".join(inputs)
        raise TypeError(
            f"custom_op: {name} needs either derivative(y, x), as a function of one array that acts on each element\n"
            f"  by itself, or rules, {', '.join(f'vjp_{i}' for i in inputs)}, each a function of (g, y, {given})"
        )
    wrong = [rule for rule in rules if rule.removeprefix("vjp_") not in inputs]
    if wrong:
        raise TypeError(f"custom_op: {name} has no input for {wrong[0]}; its inputs are {', '.join(inputs)}")
    unknown = sorted(facts.keys() - FACTS)
    if unknown:
        raise TypeError(f"custom_op: an op has no {unknown[0]!r}; its facts are {', '.join(sorted(FACTS))}")
