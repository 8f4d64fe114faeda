"""Random programs: straight-line code of all ops, that runs on Tensors, on complex numbers and on PyTorch's tensors.

A program is grown on real numbers. Every choice that depends on values (a scale that keeps them moderate) is made then
and written down, so that each run does the same.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from inputs import Input, Pick, Shape, picked

from tinygrad_act.op import OPS


class Call(NamedTuple):
    """What is made of ops: operators, and functions that NumPy and PyTorch have, of arrays of one shape."""

    name: str
    run: Callable[..., Any]  # of NumPy or PyTorch, and arrays
    axes: tuple[int, int]  # the fewest and the most that these have
    inputs: int = 1


def in_order(x: Any) -> Any:
    """As it lies row after row in memory, which PyTorch's kron asks for."""
    return x.reshape(-1).reshape(x.shape)


CALLS = [
    Call("cube", lambda n, x: x**3, (0, 4)),
    Call("with_numbers", lambda n, x: (2 - 3 * x) / 4 + 1 / (2 - x / 2), (0, 4)),
    Call("with_itself", lambda n, x: x * x + x, (0, 4)),
    Call("transposed", lambda n, x: x.T, (2, 2)),
    Call("expanded", lambda n, x: x[None, ..., None], (0, 2)),
    Call("flip", lambda n, x: n.flip(x, (0,)), (1, 4)),
    Call("diff", lambda n, x: n.diff(x, axis=-1), (1, 3)),
    Call("tile", lambda n, x: n.tile(x, (2,) * x.ndim), (1, 3)),
    Call("swapaxes", lambda n, x: n.swapaxes(x, 0, -1), (1, 4)),
    Call("stack", lambda n, a, b: n.stack([a, b, a], axis=-1), (0, 3), 2),
    Call("kron", lambda n, a, b: n.kron(in_order(a), in_order(b)), (2, 2), 2),
]


class Ours:
    """This package, in the way that `meanings` has NumPy and PyTorch."""

    n = np
    array = staticmethod(np.asarray)

    def __call__(self, op: Any, *inputs: Any) -> Any:
        return op(*inputs)


class Given(NamedTuple):
    """What an op is given: a value so far, or elements of it in another shape, moved to where the op takes numbers."""

    number: int
    places: np.ndarray | None
    scale: float
    shift: np.ndarray | None

    def __call__(self, room: Any, values: list[Any]) -> Any:
        x = values[self.number]
        x = x if self.places is None else x.reshape(-1)[self.places]
        return x if self.shift is None else x * self.scale + room.array(self.shift)


class Step(NamedTuple):
    """One line of a program: an op, what it is given, and what its result is multiplied by."""

    op: Any
    inputs: list[Given | np.ndarray]  # of which arrays are constants
    scale: float

    def __call__(self, room: Any, values: list[Any]) -> Any:
        inputs = [x(room, values) if isinstance(x, Given) else room.array(x) for x in self.inputs]
        return (self.op.run(room.n, *inputs) if isinstance(self.op, Call) else room(self.op, *inputs)) * self.scale


class Program(NamedTuple):
    """Arrays to start from, and steps, whose last results are summed up."""

    leaves: list[np.ndarray]
    steps: list[Step]

    def uses(self) -> list[int]:
        """The numbers of the values that its steps are given, as often as they are."""
        return [x.number for step in self.steps for x in step.inputs if isinstance(x, Given)]

    def __call__(self, room: Any, leaves: list[Any]) -> Any:
        values, used = list(leaves), {*self.uses()}
        for step in self.steps:
            values.append(step(room, values))
        ends = [v for i, v in enumerate(values) if i not in used]
        return sum(((v * 0.7).sum() for v in ends[1:]), start=ends[0].sum())


class Growing(Pick):
    """Picks for a program: the shapes that it has, or others of the same few lengths."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.lengths = [0] * (seed % 5 == 0) + [1, *self.rng.integers(1, 4, 2).tolist()] * 2
        self.shapes: list[Shape] = []

    def number(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def shape(self, least: int = 0, most: int = 4) -> Shape:
        known = [s for s in self.shapes if least <= len(s) <= most and max(s, default=0) < 5]
        if known and self.number(0, 2):
            return self.one_of(known)
        return tuple(self.one_of(self.lengths) for _ in range(self.number(least, most)))

    def given(self, x: Input, values: list[np.ndarray]) -> Given | np.ndarray:
        if x.kind != "f":
            return np.asarray(self.rng.integers(x.low, x.high + 1, x.shape), bool if x.kind == "b" else int)
        alike = [i for i, v in enumerate(values) if v.shape == x.shape]
        number = self.one_of(alike or [i for i, v in enumerate(values) if v.size or 0 in x.shape])
        places = None if alike else self.rng.integers(0, max(1, values[number].size), x.shape)
        if x.low == -math.inf:
            return Given(number, places, 1, None)
        middle, half = (x.low + x.high) / 2, (x.high - x.low) / 2
        shift = x.base + middle + half * self.rng.uniform(-0.4, 0.4, x.shape)
        return Given(number, places, half / 2, shift)  # as all values are from -1 to 1


@functools.cache
def random_program(seed: int) -> Program:
    """A program of 4 to 14 steps over two to four arrays, of which now and then some are empty."""
    pick = Growing(seed)
    pick.shapes = [(pick.number(1, 3),), *(pick.shape() for _ in range(pick.number(1, 3)))]
    leaves = [pick.rng.uniform(-1, 1, shape) for shape in pick.shapes]
    values, steps = list(leaves), []
    while len(steps) < 4 + seed % 11:
        op = pick.one_of([*OPS.values(), *CALLS])
        taken = [Input(pick.shape(*op.axes))] * op.inputs if isinstance(op, Call) else None
        if taken is None:
            op, taken = picked(op, pick)
        step = Step(op, [pick.given(x, values) for x in taken], 1.0)
        y = np.asarray(step(Ours(), values))
        if y.size > 300 or y.ndim > 4:
            continue
        scale = float(2.0 ** -np.ceil(np.log2(max(1.0, float(np.abs(y).max(initial=0))))))
        steps.append(step._replace(scale=scale))
        values.append(y * scale)
        pick.shapes.append(y.shape)
    return Program(leaves, steps)
