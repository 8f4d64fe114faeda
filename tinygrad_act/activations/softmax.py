"""Softmax and its kin: functions of a whole row of logits, accurate however far apart these are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..op import Array, Op, register

HUGE = 2.0**1022  # what an infinite logit counts as: the difference of two such is still a float


def exp_of_gaps(rows: Array) -> tuple[Array, Array, Array]:
    """(m, e, top) of each row, in double: its maximum m, e = exp(row - m), and where m is in the raveled rows."""
    wide = np.maximum(np.minimum(rows.astype(np.float64), HUGE), -HUGE)
    top = np.arange(0, rows.size, rows.shape[1]) + rows.argmax(axis=1)
    m = wide.take(top)
    column = m[:, np.newaxis]
    gap = wide - column
    e = np.exp(gap)
    if rows.dtype == np.float64:  # what the rounding of the gap lost (Knuth's TwoSum); narrower floats lose nothing
        back = gap - wide
        e += e * ((wide - (gap - back)) - (column + back))
    return m, e, top


def split_off_top(rows: Array) -> tuple[Array, Array, Array, Array]:
    """(m, e, rest, top): as `exp_of_gaps`, but e = 0 at the top; rest is the sum of e.

    With them logsumexp is m + log1p(rest), and softmax e / (1 + rest), and 1 / (1 + rest) at the top: nothing cancels,
    though rest be 1e-300.
    """
    m, e, top = exp_of_gaps(rows)
    e.put(top, 0)
    return m, e, e.sum(axis=1), top


def float_type(x: Array) -> np.dtype[Any]:
    """The dtype of floats, and double for integers."""
    return x.dtype if x.dtype.kind == "f" else np.dtype(np.float64)


@dataclass(frozen=True)
class Softmax(Op):
    """Each row of numbers to one of positive numbers that sum to 1 (document, section Softmax).

    The rows run along `axis`. Where the document prints e^z_i it means e^{z_i}, and by the last ∂L/∂a_s ∂L/∂a_i.
    The rule takes the g of the largest a from every g, which changes nothing, but cancels what would drown the rest.

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
        _, e, rest, top = split_off_top(moved.reshape((-1, moved.shape[-1])))
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
        _, _, rest, top = split_off_top(rows)
        y = (rows.take(top) + np.log1p(rest)).astype(float_type(x)).reshape((*moved.shape[:-1], 1))
        y = y.swapaxes(self.axis, -1)
        return y if self.keepdims else y.squeeze(self.axis)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        g = g if self.keepdims else np.expand_dims(g, self.axis)
        return g * softmax(x, axis=self.axis)


softmax = register(Softmax())
logsumexp = register(Logsumexp())
