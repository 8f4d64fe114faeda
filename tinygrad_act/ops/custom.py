"""An op of your own, written as a function with its rules beside it."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

from ..facts import Facts, Kink
from ..op import OPS, Elementwise, Op, register

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

    TypeError for a rule of no input or of other arguments, or a fact that ops do not have; ValueError for the name of
    another op. The same function may be defined again, as in a notebook. `ta.testing.check_op` holds it to the laws.

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
    if derivative is not None:
        _check_function("derivative", derivative, ["y", "x"])

    def made(f: Callable[..., Any]) -> Any:
        inputs = _inputs(f)
        _check(f.__name__, inputs, derivative, rules, facts)

        def forward(self: Op, *arrays: Any) -> Any:
            y = f(*arrays)
            if derivative is not None and getattr(y, "shape", None) != arrays[0].shape:
                raise _shape(self, "function", y, arrays[0])
            return y

        itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        vars(forward)["__signature__"] = inspect.Signature([itself, *inspect.signature(f).parameters.values()])
        methods: dict[str, Any] = {"forward": forward, "__repr__": _name, "__reduce__": _where}
        methods |= {name: _without_self(rule) for name, rule in rules.items()}
        if derivative is not None:
            methods["derivative"] = _slope(derivative)
        about = {"name": f.__name__, "__doc__": f.__doc__, "__module__": f.__module__, "__qualname__": f.__qualname__}
        return register(type(f.__name__, (Op if derivative is None else Elementwise,), about | methods | facts)())

    return made


def _name(op: Op) -> str:
    return op.name


def _where(op: Op) -> Any:  # there is one of each, which pickle and copy find by its name
    return _found, (op.name, type(op).__module__)


def _found(name: str, module: str) -> Op:
    if name not in OPS:
        importlib.import_module(module)  # which defines it
    if name not in OPS:
        raise LookupError(f"there is no op {name!r} yet: define it, as {module} did, before it is read")
    return OPS[name]


def _without_self(rule: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, *args: rule(*args)


def _slope(derivative: Callable[..., Any]) -> Callable[..., Any]:
    def slope(self: Op, y: Any, x: Any) -> Any:
        found = derivative(y, x)
        if not isinstance(found, float | int) and getattr(found, "shape", None) not in ((), x.shape):
            raise _shape(self, "derivative", found, x)
        return found

    return slope


def _shape(op: Op, what: str, found: Any, x: Any) -> TypeError:
    """It would be summed over, or spread out, in silence."""
    given = f"an array of shape {found.shape}" if hasattr(found, "shape") else f"a {type(found).__name__}"
    return TypeError(
        f"the {what} of {op.name} gave {given} for an array of shape {x.shape}, and an op with a derivative acts\n"
        "  on each element by itself. For another op, write a rule, vjp_<input>, in place of the derivative."
    )


def _inputs(f: Any) -> list[str]:
    """The names of its inputs."""
    if not inspect.isfunction(f) or not f.__name__.isidentifier():
        raise TypeError(
            f"custom_op turns a function with a name into an op, and was given {f!r}.\n"
            "  Write @custom_op(derivative=..., formula=...) above def name(x): ..."
        )
    parameters = inspect.signature(f).parameters.values()
    inputs = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty]
    if len(inputs) < max(len(parameters), 1):
        raise TypeError(
            f"custom_op: {f.__name__} takes arrays only, by position and without defaults; write a class for more"
        )
    return inputs


def _check(name: str, inputs: list[str], derivative: Any, rules: dict[str, Any], facts: dict[str, Any]) -> None:
    unknown = sorted(facts.keys() - FACTS)
    if unknown:
        known = ", ".join(sorted(FACTS))
        raise TypeError(f"custom_op: an op has no {unknown[0]!r}; it has rules, vjp_<input>, and the facts {known}")
    if (derivative is None) == (not rules) or (derivative is not None and len(inputs) > 1):
        given = ", ".join(inputs)
        raise TypeError(
            f"custom_op: {name} needs either derivative(y, x), as a function of one array that acts on each element\n"
            f"  by itself, or rules, {', '.join(f'vjp_{i}' for i in inputs)}, each a function of (g, y, {given})"
        )
    for rule, function in rules.items():
        if rule.removeprefix("vjp_") not in inputs:
            raise TypeError(f"custom_op: {name} has no input for {rule}; its inputs are {', '.join(inputs)}")
        _check_function(f"{rule} of {name}", function, ["g", "y", *inputs])
    latex, kinks = str if derivative is not None else dict, facts.get("kinks", ())
    if not isinstance(facts.get("formula", ""), str) or not isinstance(facts.get("rule", latex()), latex):
        rule = "the rule too" if derivative is not None else "the rule a dict of such, by input"
        raise TypeError(f"custom_op: the formula of {name} is a string of LaTeX, and {rule}")
    if not isinstance(kinks, tuple) or not all(isinstance(kink, Kink) for kink in kinks):
        raise TypeError(f"custom_op: the kinks of {name} are a tuple, (Kink(at, left, right, chosen, why),)")


def _check_function(what: str, function: Any, names: list[str]) -> None:
    """TypeError unless it can be called with these, in this order."""
    if not callable(function):
        raise TypeError(f"custom_op: {what} is a function of ({', '.join(names)}), not a {type(function).__name__}")
    try:
        signature = inspect.signature(function)
    except ValueError:  # some of C have none
        return
    try:
        signature.bind(*names)
        fits = all(name not in names or name == at for name, at in zip(signature.parameters, names, strict=False))
    except TypeError:
        fits = False
    if not fits:
        raise TypeError(f"custom_op: {what} is called with ({', '.join(names)}), and the one given takes {signature}")
