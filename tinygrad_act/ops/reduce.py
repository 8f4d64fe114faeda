"""Reductions: many numbers to one along some axes, and running sums."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..op import Array, Op, register

Axis = int | tuple[int, ...] | None


@dataclass(frozen=True)
class Reduction(Op):
    """What reductions share: the axes to reduce (None: all), and whether these stay as axes of length 1."""

    axis: Axis = None
    keepdims: bool = False

    def spread(self, reduced: Array, x: Array) -> Array:
        """A reduced array, with its reduced axes back as axes of length 1."""
        return reduced if self.keepdims else reduced.reshape(self._kept_shape(x))

    def count(self, x: Array) -> int:
        """How many elements become one."""
        return math.prod(n for i, n in enumerate(x.shape) if i in self._axes(x))

    def _axes(self, x: Array) -> tuple[int, ...]:
        return tuple(range(x.ndim)) if self.axis is None else normalize_axis_tuple(self.axis, x.ndim)

    def _kept_shape(self, x: Array) -> tuple[int, ...]:
        return tuple(1 if i in self._axes(x) else n for i, n in enumerate(x.shape))


class Sum(Reduction):
    """The sum over the given axes.

    >>> sum(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    array([4., 6.])
    """

    formula = r"\sum_i x_i"
    rule = {"x": r"\bar y"}

    def forward(self, x: Array) -> Array:
        return x.sum(axis=self.axis, keepdims=self.keepdims)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        return np.broadcast_to(self.spread(g, x), x.shape)


class Mean(Reduction):
    """The mean over the given axes; that of no elements is nan.

    >>> mean(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    array([2., 3.])
    """

    formula = r"\frac{1}{n} \sum_i x_i"
    rule = {"x": r"\frac{\bar y}{n}"}

    def forward(self, x: Array) -> Array:
        return x.sum(axis=self.axis, keepdims=self.keepdims) / (self.count(x) or math.nan)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        return np.broadcast_to(self.spread(g, x) / (self.count(x) or math.nan), x.shape)


@dataclass(frozen=True)
class Var(Reduction):
    """The variance over the given axes: the mean squared distance from the mean, over n - ddof.

    >>> var(np.array([1.0, 2.0, 6.0])), var(np.array([1.0, 2.0, 6.0]), ddof=1)
    (np.float64(4.666666666666667), np.float64(7.0))
    """

    ddof: int = 0
    formula = r"\frac{1}{n - \mathrm{ddof}} \sum_i (x_i - \mu)^2"
    rule = {"x": r"\frac{2 \bar y}{n - \mathrm{ddof}} (x - \mu)"}

    def deviation(self, x: Array) -> Array:
        """The distance of each element from the mean."""
        return x - x.sum(axis=self.axis, keepdims=True) / (self.count(x) or math.nan)

    def freedom(self, x: Array) -> float:
        """What the sum of squares is divided by; nan when nothing is left to divide by."""
        n = self.count(x) - self.ddof
        return n if n > 0 else math.nan

    def forward(self, x: Array) -> Array:
        squares = np.square(self.deviation(x)).sum(axis=self.axis, keepdims=self.keepdims)
        return squares / self.freedom(x)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        return self.spread(g, x) * self.deviation(x) * (2 / self.freedom(x))


class Std(Var):
    """The standard deviation, the root of the variance. Where it is 0 it has a corner, and its gradient is 0.

    >>> std(np.array([1.0, 3.0]))
    np.float64(1.0)
    """

    formula = r"\sqrt{\frac{1}{n - \mathrm{ddof}} \sum_i (x_i - \mu)^2}"
    rule = {"x": r"\frac{\bar y}{(n - \mathrm{ddof})\, y} (x - \mu)"}

    def forward(self, x: Array) -> Array:
        return np.sqrt(super().forward(x))

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        slope = np.where(np.equal(y, 0), 0, g / (self.freedom(x) * np.where(np.equal(y, 0), 1, y)))
        return self.spread(slope, x) * self.deviation(x)


class Prod(Reduction):
    """The product over the given axes.

    >>> prod(np.array([2.0, 3.0, 4.0]))
    np.float64(24.0)
    """

    formula = r"\prod_i x_i"
    rule = {"x": r"\bar y \prod_{j \ne i} x_j"}

    def forward(self, x: Array) -> Array:
        return x.prod(axis=self.axis, keepdims=self.keepdims)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        axes = self._axes(x)
        order = (*(i for i in range(x.ndim) if i not in axes), *axes)
        moved = np.transpose(x, order)
        rows = moved.reshape((*moved.shape[: x.ndim - len(axes)], self.count(x)))
        others = _product_of_others(rows).reshape(moved.shape)
        return self.spread(g, x) * np.transpose(others, tuple(np.argsort(order)))


def _product_of_others(x: Array) -> Array:
    """For each element of a row, the product of all the others: by pairs, as y / x would fail at a zero."""
    n = x.shape[-1]
    if n < 2:
        return np.ones_like(x)
    if n % 2:
        last = _product_of_others(x[..., :-1])
        return np.concatenate([last * x[..., -1:], np.prod(x[..., :-1], axis=-1, keepdims=True)], axis=-1)
    left, right = x[..., 0::2], x[..., 1::2]
    rest = _product_of_others(left * right)
    return np.stack([rest * right, rest * left], axis=-1).reshape(x.shape)


class Max(Reduction):
    """The greatest over the given axes. Ties share the gradient evenly.

    >>> max(np.array([[1.0, 5.0], [3.0, 4.0]]), axis=1)
    array([5., 4.])
    """

    formula = r"\max_i x_i"
    rule = {"x": r"\bar y\, \frac{[x = y]}{\sum_i [x_i = y]}"}

    def forward(self, x: Array) -> Array:
        return x.max(axis=self.axis, keepdims=self.keepdims)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        winners = np.equal(x, self.spread(y, x)) | np.isnan(x)
        ties = winners.sum(axis=self.axis, keepdims=True, dtype=x.dtype)
        return np.where(winners, self.spread(g, x) / ties, 0)


class Min(Max):
    """The least over the given axes. Ties share the gradient evenly.

    >>> min(np.array([[1.0, 5.0], [3.0, 4.0]]), axis=1)
    array([1., 3.])
    """

    formula = r"\min_i x_i"

    def forward(self, x: Array) -> Array:
        return x.min(axis=self.axis, keepdims=self.keepdims)


@dataclass(frozen=True)
class Cumsum(Op):
    """The running sum along an axis; of the raveled array when there is none.

    >>> cumsum(np.array([1.0, 2.0, 3.0]))
    array([1., 3., 6.])
    """

    axis: int | None = None
    formula = r"y_i = \sum_{j \le i} x_j"
    rule = {"x": r"\bar x_j = \sum_{i \ge j} \bar y_i"}

    def forward(self, x: Array) -> Array:
        return np.cumsum(x, axis=self.axis)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        axis = self.axis or 0
        return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis).reshape(x.shape)


@dataclass(frozen=True)
class Cumprod(Op):
    """The running product along an axis; of the raveled array when there is none.

    >>> cumprod(np.array([1.0, 2.0, 3.0]))
    array([1., 2., 6.])
    """

    axis: int | None = None
    formula = r"y_i = \prod_{j \le i} x_j"
    rule = {"x": r"\bar x_j = \sum_{i \ge j} \bar y_i \prod_{k \le i, k \ne j} x_k"}

    def forward(self, x: Array) -> Array:
        return np.cumprod(x, axis=self.axis)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        g, y = (np.moveaxis(a, self.axis or 0, -1) for a in (g, y))
        rows = x.reshape(-1) if self.axis is None else np.moveaxis(x, self.axis, -1)
        before = np.concatenate([np.ones_like(y[..., :1]), y[..., :-1]], axis=-1)
        slopes = before * _sums_of_what_follows(g, rows)
        return np.moveaxis(slopes, -1, self.axis or 0).reshape(x.shape)


def _sums_of_what_follows(g: Array, x: Array) -> Array:
    """r_j = g_j + x_{j+1} r_{j+1} in each row, by doubling, as a quotient would fail at a zero."""
    factors = np.concatenate([x[..., 1:], np.zeros_like(x[..., :1])], axis=-1)  # from each to the next
    reach = 1
    while reach < x.shape[-1]:
        nothing = np.zeros_like(x[..., :reach])
        g = g + factors * np.concatenate([g[..., reach:], nothing], axis=-1)
        factors = factors * np.concatenate([factors[..., reach:], nothing], axis=-1)
        reach *= 2
    return g


sum = register(Sum(), np.sum)
mean = register(Mean(), np.mean)
var = register(Var(), np.var)
std = register(Std(), np.std)
prod = register(Prod(), np.prod)
max = register(Max(), np.max, np.amax)
min = register(Min(), np.min, np.amin)
cumsum = register(Cumsum(), np.cumsum)
cumprod = register(Cumprod(), np.cumprod)
