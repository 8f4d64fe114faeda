"""What `ta.debug` says of what it finds: the op, what it was given, whose line ran it, and the usual cure."""

from __future__ import annotations

import dataclasses
import linecache
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..drawing.diagnosis import CURES
from ..drawing.graph import number, shape_and_dtype
from ..drawing.steps import worst
from ..op import IMPLEMENTS, Array, Elementwise, Node, Op

CHOSEN = (
    "the gradient that arrives there is 0, and 0 times inf is nan. np.where computes both branches, and gives the one\n"
    "    not chosen a gradient of 0; so keep its input safe too: np.where(m, np.sqrt(np.where(m, x, 1.0)), 0.0)"
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
    """Where an op was called: the user's line, and the module whose forward ran."""

    file: str = ""
    line: int = 0
    module: str = ""

    def __str__(self) -> str:
        parts = [self.module and f"in {self.module}", self.file and f"at {self.file}, line {self.line}"]
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
    if values.dtype.kind != "f" or values.size < 2:
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
    bad = worst(y[index])
    holding = [i for i, x in enumerate(arrays) if worst(x) == "nan" or (bad == "nan" and worst(x))]
    cure = CURES.get(f"not finite {op.name}", CURES["not finite"])
    said = f"{with_parameters(op)} gives {bad}{at(index)}, forward"
    if any(worst(arrays[i]) == "nan" for i in holding):
        i = next(i for i in holding if worst(arrays[i]) == "nan")
        said = f"{names_of(op, inputs)[i]} of {with_parameters(op)} holds nan already, forward"
        cure = CURES["not finite data"]
    elif holding:
        cure = f"nan comes of inf - inf, 0 * inf and inf / inf: {CURES['not finite']}"
    return NotFiniteError(
        f"{said}, {place}{given(op, inputs, index, y.shape)}\n  result: {range_of(y)}\n  Cure: {cure}"
    )


def not_finite_backward(op: Op, i: int, node: Node, g: Array, gx: Array, place: Place) -> NotFiniteError:
    """Of a rule that makes of a finite gradient one that is not."""
    index, inputs = first(~np.isfinite(gx)), node.inputs
    raw_index = index if gx.shape == node._array.shape else None
    y: Any = node._array
    cure = CURES.get(f"not finite {op.name}", CURES["not finite"])
    if raw_index is not None and by_element(op) and not np.asarray(g)[raw_index]:
        cure = CHOSEN
    return NotFiniteError(
        f"the rule of {with_parameters(op)} for its input {names_of(op, inputs)[i]} gives {worst(gx[index])}"
        f"{at(index)}, backward; {op.name} was called {place}{given(op, inputs, raw_index, y.shape)}"
        f"\n  result: {range_of(y)}\n  gradient that arrives: {range_of(g)}"
        f"\n  gradient that it gives: {range_of(gx)}\n  Cure: {cure}"
    )


def not_finite_sum(node: Node, g: Array) -> NotFiniteError:
    """Of a gradient that no rule made so."""
    return NotFiniteError(
        f"the gradient of {origin(node)} is not finite, backward: {range_of(g)}\n"
        "  All rules gave finite ones: it comes of the seed, of a hook, or of the sum over its uses, too large."
    )


def changed_in_place(node: Node, i: int, array: Array, place: Place) -> ChangedInPlaceError:
    """Of an array that is no longer what the op used: its result, or the input before number i."""
    op: Any = node.op
    what = f"{names_of(op, node.inputs)[i - 1] if i else 'the result'} of {op.name}"
    if i and isinstance(node.inputs[i - 1], Node):
        what += f", {origin(node.inputs[i - 1])},"
    return ChangedInPlaceError(
        f"{what} was changed in place between forward and backward: {range_of(array)} now.\n"
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
