"""Softmax and its kin: functions of a whole row of logits, accurate however far apart these are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..op import Array, Op, register


def gap_below_top(x: Array, axis: int) -> tuple[Array, Array | None]:
    """(gap, lost): x less its maximum along an axis, in double, and what rounding took from it, if it did.

    Differences of narrower floats lose nothing in double; of doubles, Knuth's TwoSum says what. An infinite x counts as
    some float beyond all others, so that ties of them share; a gap of -1.8e308 or more is infinite.
    """
    wide = x.astype(np.float64, order="C")
    if x.dtype.itemsize < 8:
        wide.clip(-1e300, 1e300, out=wide)
        wide -= wide.max(axis=axis, keepdims=True)
        return wide, None
    most = np.finfo(np.float64).max
    half = 0.5 * wide.clip(-most, most, out=wide)  # in halves, whose difference cannot overflow
    top = half.max(axis=axis, keepdims=True)
    gap = half - top
    back = gap - half
    lost = gap - back
    np.subtract(half, lost, out=lost)
    back += top
    lost -= back
    lost *= 2
    np.maximum(gap, -0.5 * most, out=gap)
    gap *= 2
    np.copyto(gap, -np.inf, where=gap == -most)
    return gap, lost


def exp_of_gap(gap: Array, lost: Array | None) -> Array:
    """The exponential, in place of the gap, with what was lost put back."""
    e = np.exp(gap, out=gap)
    if lost is not None:
        lost *= e
        e += lost
    return e


def split_off_top(rows: Array) -> tuple[Array, Array, Array]:
    """(e, rest, top): exp(row - max row) of each row, but 0 at the top; its sum; where the top is in the raveled rows.

    With them logsumexp is max row + log1p(rest), and softmax is e / (1 + rest), and 1 / (1 + rest) at the top. Nothing
    cancels, even if rest is 1e-300.
    """
    top = np.arange(0, rows.size, rows.shape[1]) + rows.argmax(axis=1)
    e = exp_of_gap(*gap_below_top(rows, axis=1))
    e.put(top, 0)
    return e, e.sum(axis=1), top


def float_type(x: Array) -> np.dtype[Any]:
    """The dtype of floats, and double for integers."""
    return x.dtype if x.dtype.kind == "f" else np.dtype(np.float64)


@dataclass(frozen=True)
class Softmax(Op):
    """Each row of numbers to one of positive numbers that sum to 1 (document, section Softmax).

    The rows run along `axis`. Where the document prints e^z_i it means e^{z_i}, and by the last ∂L/∂a_s ∂L/∂a_i.
    The rule first subtracts from g its value at the largest a. As a sums to 1 this changes nothing, but it keeps the
    digits of the small gradient of an almost certain class.

    >>> softmax(np.array([0.0, 0.0, 1000.0]))
    array([0., 0., 1.])
    """

    axis: int = -1
    formula = r"a_i = \cfrac{e^{z_i}}{\sum_{j} e^{z_j}}"
    rule = {"z": r"\sum_{s \ne i} \bar a_s (-a_s a_i) + \bar a_i a_i (1 - a_i) = a_i (\bar a_i - \sum_s \bar a_s a_s)"}

    def forward(self, z: Array) -> Array:
        if z.size == 0:
            return z.copy()
        moved = z.swapaxes(self.axis, -1)
        e, rest, top = split_off_top(moved.reshape((-1, moved.shape[-1])))
        e.put(top, 1)
        e /= (1 + rest)[:, np.newaxis]
        return e.astype(float_type(z)).reshape(moved.shape).swapaxes(self.axis, -1)

    def vjp_z(self, g: Array, a: Array, z: Array) -> Array:
        if a.size == 0:
            return g
        top = np.expand_dims(np.argmax(a, axis=self.axis), self.axis)
        t = g - np.take_along_axis(g, top, axis=self.axis)
        return a * (t - (a * t).sum(axis=self.axis, keepdims=True))


@dataclass(frozen=True)
class Logsumexp(Op):
    """The logarithm of the sum of the exponentials along one axis: a smooth maximum.

    >>> logsumexp(np.array([1000.0, 1000.0]))
    array(1000.69314718)
    """

    axis: int = -1
    keepdims: bool = False
    formula = r"\ln \sum_i e^{x_i}"
    rule = {"x": r"\bar y\, \mathrm{softmax}(x)"}

    def forward(self, x: Array) -> Array:
        moved = x.swapaxes(self.axis, -1)
        rows = moved.reshape((-1, moved.shape[-1]))
        _, rest, top = split_off_top(rows)
        y = (rows.take(top) + np.log1p(rest)).astype(float_type(x)).reshape((*moved.shape[:-1], 1))
        y = y.swapaxes(self.axis, -1)
        return y if self.keepdims else y.squeeze(self.axis)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        g = g if self.keepdims else np.expand_dims(g, self.axis)
        return g * softmax(x, axis=self.axis)


softmax = register(Softmax())
logsumexp = register(Logsumexp())
