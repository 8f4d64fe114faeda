"""What each op takes: parameters, and shapes and sizes of its inputs, as they are picked by whoever wants some.

Random programs pick from the values they have, Hypothesis from all there is.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from samples import UNUSUAL

import tinygrad_act as ta
from tinygrad_act.activations.glu import GatedUnit
from tinygrad_act.op import Elementwise, Op
from tinygrad_act.ops.reduce import Reduction

Shape = tuple[int, ...]


class Input(NamedTuple):
    """An array of numbers from `low` to `high`, added to `base`; by default any will do.

    If they are not just any, an op may have a kink among them, which they are unlikely to hit.
    """

    shape: Shape
    low: float = -math.inf
    high: float = math.inf
    base: Any = 0.0
    kind: str = "f"  # of whole numbers "i", of truths "b": these are constants


class Pick:
    """Whoever picks: all by two methods."""

    def number(self, low: int, high: int) -> int:
        """A whole number, from the one to the other, both included."""
        raise NotImplementedError

    def shape(self, least: int = 0, most: int = 4) -> Shape:
        """A shape of so many axes, some of which may be empty."""
        raise NotImplementedError

    def one_of(self, choices: Sequence[Any]) -> Any:
        return choices[self.number(0, len(choices) - 1)]

    def some(self, things: Sequence[Any], least: int = 0) -> tuple[Any, ...]:
        """Some of these, in any order."""
        rest = list(things)
        return tuple(rest.pop(self.number(0, len(rest) - 1)) for _ in range(self.number(least, len(rest))))

    def narrow(self, shape: Shape) -> Shape:
        """A shape that broadcasts to this one."""
        start = max(0, self.number(-len(shape), len(shape)))
        return tuple(self.one_of((n, n, n, 1)) for n in shape[start:])

    def row(self, least: int = 0) -> tuple[list[int], int]:
        """A shape, and an axis of it that has at least so many elements."""
        shape = list(self.shape(1))
        axis = self.number(-len(shape), len(shape) - 1)
        shape[axis] = max(shape[axis], least)
        return shape, axis

    def fields(self, op: Any, **fields: Any) -> Any:
        """The op with these fields, and others that are picked."""
        few = {f.name: self.one_of(FIELDS[f.name]) for f in dataclasses.fields(op) if f.name in FIELDS}
        return replace(op, **few | fields)


FIELDS: dict[str, Any] = {"ddof": (0, 1), "p": (3.0, 2.5, 1.5), "temperature": (1.0, 0.4), "upper": (False, True)}
FIELDS |= {"uplo": "LU", "reduction": ("mean", "sum", "none"), "keepdims": (False, True)}
PLUS, MINUS, WIDE = (0.4, 3.0), (-3.0, -0.4), (-3.0, 3.0)

Given = tuple[Op, list[Input]]
Maker = Callable[[Any, Pick], Given]
MAKERS: dict[str, Maker] = {}


def picked(op: Op, pick: Pick) -> Given:
    """The op at some parameters, and its inputs: by its name, or by its kind."""
    if op.name in MAKERS:
        return MAKERS[op.name](op, pick)
    if isinstance(op, Elementwise):
        return of_each(op, pick)
    if isinstance(op, Reduction):
        return reduction(op, pick)
    if op.learned or type(op).__module__.endswith(("ops.arithmetic", "ops.binary")):
        return of_several(op, pick)
    if type(op).__module__.startswith("tinygrad_act.activations") and hasattr(op, "axis"):
        return of_rows(op, pick)
    raise NotImplementedError(f"tests/inputs.py has to be told what {op.name} takes")


def of(*names: str) -> Callable[[Maker], Maker]:
    def enter(maker: Maker) -> Maker:
        MAKERS.update(dict.fromkeys(names, maker))
        return maker

    return enter


def of_each(op: Elementwise, pick: Pick) -> Given:
    """The middle of its domain, and beyond all kinks."""
    op = pick.one_of([op, *(s.op for s in UNUSUAL if s.op.name == op.name)])
    low, high = op.domain
    if op.name in ("sinc", "celu"):  # whose formulas are in doubt at 0
        low, high = WIDE
    elif op.name == "tan":  # whose poles are for no float16
        low, high = -1.4, 1.4
    elif op.kinks or low > -10 or high < 10:
        at = [k.at for k in op.kinks]
        low = max(low + 0.1, min([-2.0, *at]) - 1)
        high = min(high - 0.1, max([low, 2.0, *at]) + 1)
    else:
        low, high = -math.inf, math.inf
    return op, [Input(pick.shape(), low, high)]


ENDS: dict[str, Any] = {
    **dict.fromkeys(("add", "subtract", "multiply", "logaddexp", "logaddexp2"), [(-math.inf, math.inf)] * 2),
    "power": [PLUS, (-2, 2)],
    "clip": [WIDE, (-2, 0), (0.2, 2)],
    "snake": [WIDE, PLUS],
    "pelu": [WIDE, PLUS, PLUS],
    "srelu": [WIDE, PLUS, WIDE, MINUS, WIDE],
}


def of_several(op: Op, pick: Pick) -> Given:
    """Arrays that broadcast."""
    ends = ENDS.get(op.name, [WIDE] * len(op.arguments))
    if op.name in ("divide", "remainder", "floor_divide", "fmod", "arctan2"):
        ends = [pick.one_of((PLUS, MINUS)) if op.name == "arctan2" else (-9, 9), pick.one_of((PLUS, MINUS))]
    shape = pick.shape()
    inputs = [Input(pick.narrow(shape), *e) for e in ends]
    if op.name == "where":
        inputs[0] = inputs[0]._replace(low=0, high=1, kind="b")
    return pick.one_of((op, ta.XIELU(beta=0.2))) if op.name == "xielu" else op, inputs


def reduction(op: Any, pick: Pick) -> Given:
    shape = pick.shape()
    some = pick.some(range(len(shape)), 1) if shape else ()
    axis = pick.one_of((None, some, some[0] - len(shape))) if shape else None
    axes = some if axis is some else range(len(shape)) if axis is None else some[:1]
    if op.name not in ("sum", "prod"):
        shape = tuple(max(n, 1) if i in axes else n for i, n in enumerate(shape))
    op = pick.fields(op, axis=axis)
    if hasattr(op, "ddof"):
        op = replace(op, ddof=min(op.ddof, op.count(np.empty(shape)) - 1))
    return op, [Input(shape) if op.name in ("sum", "mean", "var", "prod") else Input(shape, *WIDE)]


def of_rows(op: Any, pick: Pick) -> Given:
    """Along an axis; of an even length, if they have two halves."""
    shape, axis = pick.row(1 if hasattr(op, "keepdims") else 0)
    shape[axis] += shape[axis] % 2 if isinstance(op, GatedUnit) else 0
    return pick.fields(op, axis=axis), [Input(tuple(shape), *WIDE)] * len(op.arguments)


@of("cumsum", "cumprod")
def running(op: Any, pick: Pick) -> Given:
    shape = pick.shape()
    return replace(op, axis=pick.one_of((None, *range(-len(shape), len(shape))))), [Input(shape)]


@of("getitem", "scatter")
def of_index(op: Any, pick: Pick) -> Given:
    """By a mask, or by slices, with whole numbers or arrays of them for some axes."""
    shape = pick.shape()
    if pick.number(0, 3) == 0:
        index: Any = np.array([pick.number(0, 1) for _ in range(math.prod(shape))], bool).reshape(shape)
    else:
        index = [pick.one_of((slice(None), slice(None, None, -1), slice(1, None), slice(0, 9, 2))) for _ in shape]
        places = pick.one_of((None, pick.shape(0, 2)))
        for i in pick.some([i for i, n in enumerate(shape) if n])[:2]:
            numbers = [pick.number(-shape[i], shape[i] - 1) for _ in range(math.prod(places or ()))]
            index[i] = np.array(numbers, int).reshape(places) if places is not None else numbers[0]
        index = tuple(index)
    if op.name == "getitem":
        return replace(op, index=index), [Input(shape)]
    return replace(op, index=index, shape=shape), [Input(np.empty(shape)[index].shape)]


@of("reshape")
def reshaped(op: Any, pick: Pick) -> Given:
    shape = pick.shape()
    n = math.prod(shape)
    return replace(op, shape=pick.one_of((shape[::-1], (1, *shape), (n,), (-1, 1) if n else (n, 1)))), [Input(shape)]


@of("transpose")
def transposed(op: Any, pick: Pick) -> Given:
    shape = pick.shape()
    order = pick.some([i - pick.one_of((0, len(shape))) for i in range(len(shape))], len(shape))
    return replace(op, axes=pick.one_of((None, order))), [Input(shape)]


@of("broadcast_to")
def broadcast(op: Any, pick: Pick) -> Given:
    shape = pick.shape()
    return replace(op, shape=shape), [Input(pick.narrow(shape))]


@of("astype")
def as_it_is(op: Any, pick: Pick) -> Given:
    return op, [Input(pick.shape())]


@of("pad")
def padded(op: Any, pick: Pick) -> Given:
    shape = pick.shape()
    pairs = tuple((pick.number(0, 2), pick.number(0, 2)) for _ in shape)
    return replace(op, width=pick.one_of((1, (2, 1), pairs or 0))), [Input(shape)]


@of("concatenate")
def joined(op: Any, pick: Pick) -> Given:
    shape, axis = pick.row()
    at = axis % len(shape)
    shapes = [(*shape[:at], pick.number(0, 3), *shape[at + 1 :]) for _ in range(pick.number(1, 3))]
    return replace(op, axis=axis), [Input(s) for s in shapes]


@of("matmul")
def of_factors(op: Any, pick: Pick) -> Given:
    """Vectors, matrices, or stacks that broadcast."""
    stack, m, k, n = pick.shape(0, 2), *(pick.number(0, 3) for _ in range(3))
    shapes = ((k,), (*pick.narrow(stack), m, k)), ((k,), (*pick.narrow(stack), k, n))
    return op, [Input(pick.one_of(s)) for s in shapes]


@of("affine")
def of_a_layer(op: Any, pick: Pick) -> Given:
    k, n = pick.number(0, 3), pick.number(0, 3)
    return op, [Input((*pick.shape(0, 2), k)), Input((k, n)), Input((n,))]


@of("tensordot")
def of_pairs_of_axes(op: Any, pick: Pick) -> Given:
    a, b = pick.shape(0, 3), list(pick.shape(0, 2))
    first = pick.some(range(len(a)))
    second = pick.some(range(len(b) + len(first)), len(b) + len(first))[: len(first)]
    for j, i in sorted(zip(second, first, strict=True)):
        b.insert(j, a[i])
    first = tuple(i - pick.one_of((0, len(a))) for i in first)
    return replace(op, axes=(first, second)), [Input(a), Input(tuple(b))]


@of("einsum")
def of_terms(op: Any, pick: Pick) -> Given:
    """Up to three of up to three letters, which may come twice; an axis of length 1 may be stretched to others."""
    lengths = {c: pick.number(0, 3) for c in "ijk"}
    terms = tuple("".join(pick.one_of("ijk") for _ in range(pick.number(0, 3))) for _ in range(pick.number(1, 3)))
    thin = [{c: pick.one_of((n, n, n, 1)) for c, n in lengths.items()} for _ in terms]
    op = type(op)(terms, "".join(pick.some(sorted({*"".join(terms)}))))
    return op, [Input(tuple(t[c] for c in term)) for term, t in zip(terms, thin, strict=True)]


@of("convolve")
def of_vectors(op: Op, pick: Pick) -> Given:
    return op, [Input((pick.number(1, 4),)), Input((pick.number(1, 4),))]


@of("inv", "solve", "det", "cofactors", "logabsdet", "cholesky", "eigen", "qr", "svd", "pinv")
def of_matrices(op: Any, pick: Pick) -> Given:
    """Near a diagonal one, so that nothing about them is in doubt."""
    stack, m, n = pick.shape(0, 2), pick.number(0, 3), pick.number(0, 3)
    m = m if op.name in ("qr", "svd", "pinv") else n
    base = np.eye(m, n) * [2, 4, 6][:n] * (1 if op.name == "cholesky" else pick.one_of((1, -1)))
    op = pick.fields(op) if dataclasses.is_dataclass(op) else op
    right = [Input((*pick.narrow(stack), n, pick.number(0, 3)))] if op.name == "solve" else []
    return op, [Input((*pick.narrow(stack), m, n), -0.3, 0.3, base), *right]


@of("over_gap")
def of_gaps(op: Op, pick: Pick) -> Given:
    shape = pick.shape()
    return op, [Input(shape), Input(pick.narrow(shape), *PLUS), Input(pick.narrow(shape), 0, 0, kind="b")]


@of("bce_with_logits")
def of_odds(op: Any, pick: Pick) -> Given:
    op, shape = pick.fields(op), pick.shape()
    shape = tuple(max(n, 1) for n in shape) if op.reduction == "mean" else shape
    return op, [Input(shape, *WIDE), Input(shape, 0.1, 0.9)]


@of("cross_entropy", "softmax_residual")
def of_classes(op: Any, pick: Pick) -> Given:
    """Logits, and targets: whole numbers, or shares."""
    shape, axis = pick.row(1)
    op = pick.fields(op, axis=axis)
    shape = [max(n, 1) for n in shape] if getattr(op, "reduction", "") == "mean" else shape
    labels = Input((*shape[:axis], *shape[axis:][1:]), 0, shape[axis] - 1, kind="i")
    return op, [Input(tuple(shape), *WIDE), pick.one_of((labels, Input(tuple(shape), 0.1, 0.9)))]
