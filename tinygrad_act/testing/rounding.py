"""Rounding, made visible: each result is a little off, at random (Monte Carlo arithmetic; Parker, 1997)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..hooks import around
from ..op import Array, Op
from ..tensor import Tensor
from ..transforms.recompute import Recomputed


class Rounded(Op):
    """An op whose results, and those of its rules, are off by up to `eps` of each, and by up to `least`."""

    def __init__(self, op: Op, eps: float, least: float, rng: np.random.Generator) -> None:
        self.op, self.off = op, (eps, least, rng)
        self.name, self.formula, self.rule = op.name, op.formula, op.rule

    def forward(self, *inputs: Array) -> Array:
        y = self.op.forward(*inputs)
        return rounded(y, *self.off) if y.dtype.kind == "f" else y

    def vjp(self, i: int, g: Array, y: Array, *inputs: Any) -> Array:
        return rounded(self.op.vjp(i, g, y, *inputs), *self.off)


def rounded(x: Any, eps: float, least: float, rng: np.random.Generator) -> Any:
    """These numbers, each a little off; but what is exactly 0 stays there."""
    by = rng.uniform(-1.0, 1.0, x.shape)
    return x * (1 + eps * by) + np.where(np.equal(x, 0), 0.0, least * by)


@contextmanager
def by_rounding(eps: float, least: float, rng: np.random.Generator) -> Iterator[None]:
    """Run every op as Rounded, but for what a checkpoint runs, which has to be the same again."""
    within: list[Op] = []

    def recording(record: Callable[..., Tensor], op: Op, inputs: tuple[Any, ...]) -> Tensor:
        exact = within or isinstance(op, Recomputed)
        return record(op if exact else Rounded(op, eps, least, rng), inputs)

    def running(run: Callable[..., Any], op: Op, *args: Any) -> Any:
        within.append(op)
        try:
            return run(op, *args)
        finally:
            within.pop()

    with (
        around(Tensor, "_record", recording),
        around(Recomputed, "first_run", running),
        around(Recomputed, "pull", running),
    ):
        yield
