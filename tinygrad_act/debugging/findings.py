"""What `ta.debug` says of what it finds: the op, what it was given, whose line ran it, and the usual cure."""

from __future__ import annotations

import dataclasses
import linecache
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..compiler.code import in_words
from ..drawing.diagnosis import CURES
from ..drawing.graph import number, shape_and_dtype
from ..drawing.steps import worst
from ..op import IMPLEMENTS, Array, Elementwise, Node, Op

CHOSEN = (
    "the gradient that arrives there is 0, and 0 times inf is nan. np.where computes both branches, and gives the one\n"
    "    not chosen a gradient of 0; so keep its input safe too: np.where(m, np.sqrt(np.where(m, x, 1.0)), 0.0)"
)
POSITIVE = (
    "a logarithm is of positive numbers: take one of what cannot be negative (softplus, exp), or np.maximum(x, 1e-12)"
)
INVALID = {  # by op, of a nan that it makes of finite numbers
    "log": POSITIVE,
    "log2": POSITIVE,
    "log10": POSITIVE,
    "log1p": "np.log1p(x) is of numbers above -1: keep them there, as np.maximum(x, -1 + 1e-12) does",
    "sqrt": "a square root is of numbers from 0 on: np.sqrt(np.maximum(x, 0) + 1e-12)",
    "power": "a negative number has whole powers only: np.abs(x) ** p, or x ** 2 with a whole number",
    "arccosh": "np.arccosh(x) is of numbers above 1: np.maximum(x, 1 + 1e-12)",
}
WITHIN = "keep it within its domain: np.{0}(np.clip(x, -1 + 1e-7, 1 - 1e-7))"
INVALID |= {op: WITHIN.format(op) for op in ("arcsin", "arccos", "arctanh")}
POLES = {"log", "log2", "log10", "log1p", "divide", "reciprocal", "arctanh"}  # infinite at finite numbers
LOGS = (
    "log of 0 is -inf. Instead of log(softmax) or log(sigmoid), use cross_entropy on the logits, or bce_with_logits;\n"
    "    else np.log(x + 1e-12)"
)
INFINITE = (
    "nan comes of inf - inf, 0 * inf and inf / inf. Mask with -1e9 where a whole row may be masked, or let np.where\n"
    "    choose after the op"
)


class NotFiniteError(FloatingPointError):
    """Within `ta.debug()`, an op or its rule gave a nan or an inf, or was given a nan.

    >>> from tinygrad_act.debugging import debug
    >>> from tinygrad_act.tensor import Tensor
    >>> try:
    ...     with debug():
    ...         y = Tensor([1.0, np.nan]) * 2
    ... except NotFiniteError as error:
    ...     print(str(error).partition(", at")[0])
    a of multiply holds nan already, forward
    """


class ChangedInPlaceError(RuntimeError):
    """Within `ta.debug()`, an array was written to after an op had used it, and before `backward()` did.

    >>> from tinygrad_act.debugging import debug
    >>> from tinygrad_act.tensor import Tensor
    >>> x = np.ones(2)
    >>> try:
    ...     with debug():
    ...         y = (Tensor([1.0, 2.0]) * x).sum()
    ...         x[0] = 5.0
    ...         y.backward()
    ... except ChangedInPlaceError as error:
    ...     print(str(error).partition(":")[0])
    b of multiply was changed in place between forward and backward
    """


@dataclass(frozen=True)
class Place:
    """Where an op was called: the user's line, the module whose forward ran, and the rule that it was called in."""

    file: str = ""
    line: int = 0
    module: str = ""
    rule: str = ""

    @property
    def line_in_short(self) -> str:
        return in_words(self.file, self.line, short=True)

    def of_rule(self, op: str) -> Place:
        """The place of what the rule of an op calls that was called here."""
        return dataclasses.replace(self, rule=op)

    def __str__(self) -> str:
        parts = [self.rule and f"in the rule of {self.rule}", self.module and f"in {self.module}"]
        parts.append(self.file and f"at {in_words(self.file, self.line)}")
        source = linecache.getline(self.file, self.line).strip()
        return ", ".join(filter(None, parts)) + (f"\n    {source}" if source else "")


def with_parameters(op: Op) -> str:
    """An op in short: its name, or with its parameters if it has any."""
    return repr(op) if dataclasses.is_dataclass(op) and dataclasses.fields(op) else op.name


def arrays_of(inputs: tuple[Any, ...]) -> list[Any]:
    """What rules are given of the inputs: arrays and numbers."""
    return [x._array if isinstance(x, Node) else x for x in inputs]


def names_of(op: Op, inputs: tuple[Any, ...]) -> list[str]:
    """What the op calls each of its inputs."""
    return [f"{op.arguments[0]}[{i}]" for i in range(len(inputs))] if op.variadic else list(op.arguments[: len(inputs)])


def given(op: Op, inputs: tuple[Any, ...], index: tuple[int, ...] | None, shape: tuple[int, ...]) -> str:
    """A line about each input: what it is called, its dtype and range, and its number at an index of the result."""
    lines = []
    for name, x, array in zip(names_of(op, inputs), inputs, arrays_of(inputs), strict=True):
        said = f"\n  {name}{' = ' + origin(x) if isinstance(x, Node) else ''}: {range_of(array)}"
        if index is not None and by_element(op) and np.size(array) > 1:
            said += f"; there it is {number(np.broadcast_to(array, shape)[index], 6)}"
        lines.append(said)
    return "".join(lines)


def origin(x: Node) -> str:
    """What a Tensor is called in an error."""
    made = f"the result of {x.op.name}" if x.op else "a leaf" if x.requires_grad else "a constant"
    return f"{x.name} ({made})" if x.name else made


def range_of(x: Any) -> str:
    """`float64 3×4, 0 … 2.5, 1 of 12 nan`."""
    values = np.asarray(x)
    if values.dtype.kind not in "biuf" or values.size < 2:
        return number(values.item(), 6) if values.size == 1 and values.dtype.kind in "biuf" else shape_and_dtype(x)
    finite = values[np.isfinite(values)]
    parts = [shape_and_dtype(values)]
    if finite.size:
        parts.append(f"{number(finite.min())} … {number(finite.max())}")
    for bad, where in (
        ("nan", np.isnan(values)),
        ("inf", np.equal(values, np.inf)),
        ("-inf", np.equal(values, -np.inf)),
    ):
        if count := np.count_nonzero(where):
            parts.append(f"{count:,} of {values.size:,} {bad}")
    return ", ".join(parts)


def by_element(op: Op) -> bool:
    """Whether each element of the result is made of the elements at its own index in the inputs."""
    return isinstance(op, Elementwise) or any(
        kind is op or kind is type(op)
        for f, kind in IMPLEMENTS.items()
        if f is np.where or f is np.clip or (isinstance(f, np.ufunc) and f.signature is None)
    )


def first(where: Array) -> tuple[int, ...]:
    """The index of the first that is true."""
    return tuple(int(i) for i in np.argwhere(where)[0])


def at(index: tuple[int, ...]) -> str:
    """An index in words."""
    return f" at index {list(index)}" if index else ""


def not_finite_forward(op: Op, inputs: tuple[Any, ...], y: Array, where: Array, place: Place) -> NotFiniteError:
    """Of an op whose result is not finite where its inputs give no reason for it."""
    index, arrays = first(where), arrays_of(inputs)
    said, held = f"{with_parameters(op)} gives {worst(y[index])}{at(index)}, forward", [worst(x) for x in arrays]
    cure = cure_of(op, arrays, index, y)
    if "nan" in held:
        x = inputs[held.index("nan")]
        said = f"{names_of(op, inputs)[held.index('nan')]} of {with_parameters(op)} holds nan already, forward"
        updated = isinstance(x, Node) and x.op is None and x.requires_grad
        cure = CURES["not finite update" if updated else "not finite data"]
    elif any(held) and np.isnan(y[index]):
        given_so = any(bad and not isinstance(x, Node) and np.ndim(x) for bad, x in zip(held, inputs, strict=True))
        cure = INFINITE if not given_so else f"{INFINITE}; or, if that is data, clean them"
    return NotFiniteError(
        f"{said}, {place}{given(op, inputs, index, y.shape)}\n  result: {range_of(y)}\n  Cure: {cure}"
    )


def cure_of(op: Op, arrays: list[Any], index: tuple[int, ...], y: Array) -> str:
    """What usually helps, by the op and the numbers that it makes nan or inf of."""
    if not all(np.size(x) for x in arrays):
        return "there are no elements to compute it of: see why that array is empty"
    x = float(np.broadcast_to(arrays[0], y.shape)[index]) if by_element(op) else math.nan
    if np.isnan(y[index]) and op.name in INVALID and (x or op.name in ("arccosh",)):
        return INVALID[op.name]
    if np.isinf(y[index]) and op.name not in POLES and x:
        least, wider = float(np.finfo(y.dtype).max), "" if y.dtype == np.float64 else ", or compute in float64"
        known = CURES.get(f"not finite {op.name}", "") if op.name != "power" else ""
        return f"{y.dtype} ends at {number(least, 2)}: {known or 'scale down what it is given'}{wider}"
    return (
        LOGS
        if op.name in ("log", "log2", "log10", "log1p")
        else CURES.get(f"not finite {op.name}", CURES["not finite"])
    )


def not_finite_backward(op: Op, i: int, node: Node, g: Array, gx: Array, place: Place) -> NotFiniteError:
    """Of a rule that makes of a finite gradient one that is not."""
    index, inputs = first(~np.isfinite(gx)), node.inputs
    raw_index = index if gx.shape == node._array.shape else None
    y: Any = node._array
    cure = CURES.get(f"not finite {op.name}", INVALID.get(op.name, CURES["not finite"]))
    if raw_index is not None and by_element(op) and not np.asarray(g)[raw_index]:
        cure = CHOSEN
    return NotFiniteError(
        f"the rule of {with_parameters(op)} for its input {names_of(op, inputs)[i]} gives {worst(gx[index])}"
        f"{at(index)}, backward; {op.name} was called {place}{given(op, inputs, raw_index, y.shape)}"
        f"\n  result: {range_of(y)}\n  gradient that arrives: {range_of(g)}"
        f"\n  gradient that it gives: {range_of(gx)}\n  Cure: {cure}"
    )


def not_finite_sum(node: Node, g: Array, cause: str, place: Place) -> NotFiniteError:
    """Of a gradient that no rule made so."""
    cures = {
        "seed": "it is the seed, which backward() was given: give a finite one",
        "hook": "all rules gave finite ones: it comes of a hook that is registered on it, so see what that returns",
        "sum": f"all rules gave finite ones, but their sum is too large for {g.dtype}: scale down the loss",
    }
    made = f"; {node.op.name} was called {place}" if node.op and place.file else ""
    said = f"the gradient of {origin(node)} is not finite, backward{made}\n  gradient: {range_of(g)}"
    return NotFiniteError(f"{said}\n  Cure: {cures[cause]}")


def changed_in_place(node: Node, number: int, place: Place) -> ChangedInPlaceError:
    """Of an array that is no longer what the op used: its result, an input, or what the op itself holds."""
    op: Any = node.op
    what, i = f"the result of {op.name}", number - 1
    array: Any = node._array
    if 0 < number <= len(node.inputs):
        x = node.inputs[i]
        what = f"{names_of(op, node.inputs)[i]} of {op.name}" + (f", {origin(x)}," if isinstance(x, Node) else "")
        array = arrays_of(node.inputs)[i]
    now = f": {range_of(array)} now" if number <= len(node.inputs) else ""
    what = what if number <= len(node.inputs) else f"an array that {op.name} holds, such as an index,"
    return ChangedInPlaceError(
        f"{what} was changed in place between forward and backward{now}.\n"
        f"  {op.name} was called {place}\n"
        "  Its rule needs the numbers of then. Write to a copy (x = x.copy()), or compute the result again before "
        "backward()."
    )


def compiled_in_debug(name: str) -> RuntimeError:
    """Of a compiled step that is called while debugging."""
    return RuntimeError(
        f"{name} is compiled: it runs as a NumPy program, without the ops that ta.debug() looks at.\n"
        f"  Within ta.debug(), call the eager step: {name}.step(...), or leave ta.compile out."
    )
