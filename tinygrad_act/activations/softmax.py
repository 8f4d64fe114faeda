"""Softmax and its kin: functions of a whole row of logits, accurate however far apart these are."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..op import Array, Elementwise, OfFloats, register
from .settings import require


def gap_below_top(x: Array, axis: int) -> tuple[Array, Array | None]:
    """(gap, lost): x less its maximum along an axis, in double, and what rounding took from it, if it did.

    Differences of narrower floats lose nothing in double; of doubles, Knuth's TwoSum says what. An infinite x counts as
    some float beyond all others, so that ties of them share; a gap beyond the largest double is infinite.
    """
    wide = x.astype(np.float64, order="C")
    if x.dtype.itemsize < 8:
        wide.clip(-1e300, 1e300, out=wide)
        wide -= wide.max(axis=axis, keepdims=True)
        return wide, None
    most = np.finfo(np.float64).max
    wide *= 0.125  # so that no difference overflows, not even of an infinite x, which counts as 4 times the largest
    wide.clip(-0.5 * most, 0.5 * most, out=wide)
    top = wide.max(axis=axis, keepdims=True)
    gap = wide - top
    back = gap - wide
    lost = gap - back
    np.subtract(wide, lost, out=lost)
    back += top
    lost -= back
    lost *= 8
    np.copyto(gap, -np.inf, where=gap < -0.125 * most)
    gap *= 8
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
    return exp_below_top(rows, *gap_below_top(rows, axis=1))


def exp_below_top(rows: Array, gap: Array, lost: Array | None) -> tuple[Array, Array, Array]:
    """What `split_off_top` gives, in place of these gaps."""
    top = np.arange(0, rows.size, rows.shape[1]) + rows.argmax(axis=1)
    e = exp_of_gap(gap, lost)
    nothing = e.take(top) - 1  # but nan in a row with nan, even in a row of one
    e.put(top, 0)
    return e, e.sum(axis=1) + nothing, top


def shares(e: Array, rest: Array, top: Array) -> Array:
    """Rows that sum to 1, of what `split_off_top` gives."""
    e.put(top, 1)
    e /= (1 + rest)[:, np.newaxis]
    return e


def on_rows(function: Callable[[Array], Array], x: Array, axis: int) -> Array:
    """A function from rows to rows of doubles, on those of x along an axis; in the float type of x."""
    dtype = float_type(x)
    if x.size == 0:
        return x.astype(dtype)
    moved = x.swapaxes(axis, -1)
    rows = function(moved.reshape((-1, moved.shape[-1])))
    return rows.astype(dtype).reshape(moved.shape).swapaxes(axis, -1)


def float_type(x: Array) -> np.dtype[Any]:
    """The dtype of floats, and double for integers."""
    return x.dtype if x.dtype.kind == "f" else np.dtype(np.float64)


@dataclass(frozen=True)
class Softmax(OfFloats):
    """Each row of numbers to one of positive numbers that sum to 1 (document, section Softmax).

    The rows run along `axis`: PyTorch's Softmax2d is Softmax(axis=-3). Where the document prints e^z_i it means
    e^{z_i}, and by the last ∂L/∂a_s ∂L/∂a_i. The rule first subtracts from g its value at the largest a. As a sums to 1
    this changes nothing, but it keeps the digits of the small gradient of an almost certain class. For a temperature
    other than 1 there is `tempered_softmax`.

    >>> softmax(np.array([0.0, 0.0, 1000.0]))
    array([0., 0., 1.])
    """

    axis: int = -1
    formula = r"a_i = \cfrac{e^{z_i}}{\sum_{j} e^{z_j}}"
    rule = {"z": r"\sum_{s \ne i} \bar a_s (-a_s a_i) + \bar a_i a_i (1 - a_i) = a_i (\bar a_i - \sum_s \bar a_s a_s)"}
    range = "(0, 1]; a row sums to 1"
    use = "The last layer of a classifier, and attention; in a loss, take cross_entropy of the logits instead."
    elsewhere = {"torch": "dim has to be given"}

    def forward(self, z: Array) -> Array:
        return on_rows(lambda rows: shares(*split_off_top(rows)), z, self.axis)

    def vjp_z(self, g: Array, a: Array, z: Array) -> Array:
        if a.size == 0:
            return g
        t = g - at_top(g, a, self.axis)
        return a * (t - (a * t).sum(axis=self.axis, keepdims=True))


def at_top(g: Array, y: Array, axis: int) -> Array:
    """The g of the largest y along an axis."""
    return np.take_along_axis(g, np.expand_dims(np.argmax(y, axis=axis), axis), axis=axis)


def check_temperature(op: Any) -> None:
    """Refuse a temperature that is 0 or infinite in half precision, and make one of NumPy's a number of Python's."""
    require(
        op,
        1e-6 <= op.temperature <= 1e4,
        "the temperature divides the logits, and is from 1e-6 to 10000.\n"
        "  Towards 0 the largest logit takes all, as in hardmax; the higher it is, the more alike are the shares.",
    )
    if isinstance(op.temperature, np.generic):
        object.__setattr__(op, "temperature", op.temperature.item())


@dataclass(frozen=True)
class TemperedSoftmax(Softmax):
    """Softmax at a temperature: sharper below 1 and flatter above it (Hinton et al., 2015, arXiv:1503.02531).

    The rows run along `axis`. The differences of logits are divided, not the logits, which would lose digits.

    Raises ValueError for a temperature that is not from 1e-6 to 10000.

    >>> tempered_softmax(np.array([0.0, np.log(2.0)]), temperature=0.5)
    array([0.2, 0.8])
    """

    temperature: float = 1.0
    formula = r"a_i = \cfrac{e^{z_i / T}}{\sum_j e^{z_j / T}}"
    rule = {"z": r"\frac{1}{T} a_i (\bar a_i - \sum_s \bar a_s a_s)"}
    shorthand = {"T": r"\mathrm{temperature}"}
    aliases = ("softmax_with_temperature",)
    use = "To soften what a network teaches another, or to sharpen what one samples from."
    elsewhere = {"torch": "softmax(z / T)", "jax": "softmax(z / T)"}

    def __post_init__(self) -> None:
        check_temperature(self)

    def forward(self, z: Array) -> Array:
        return on_rows(lambda rows: tempered_shares(rows, self.temperature), z, self.axis)

    def vjp_z(self, g: Array, a: Array, z: Array) -> Array:
        return super().vjp_z(g, a, z) / self.temperature


def tempered_shares(rows: Array, temperature: float) -> Array:
    """Softmax of rows over a temperature."""
    gap, lost = gap_below_top(rows, axis=1)
    return shares(*exp_below_top(rows, *over_temperature(gap, lost, temperature)))


def over_temperature(gap: Array, lost: Array | None, temperature: float) -> tuple[Array, Array | None]:
    """The gaps over a temperature, and what rounding took from doubles: the quotient times it, exactly, in halves."""
    lowest = -800.0 * temperature  # the exponential is 0 from there on
    gap = np.maximum(gap, lowest)
    quotient = gap / temperature
    if lost is None:
        return quotient, None
    coarse = 134217729.0 * temperature  # 2^27 + 1, after Veltkamp
    coarse = coarse - (coarse - temperature)
    high = (quotient + 2.0**36) - 2.0**36  # 26 digits, as coarse has
    rest = (gap - high * coarse) - high * (temperature - coarse) - (quotient - high) * temperature
    return quotient, (rest + np.clip(lost, lowest, -lowest)) / temperature


class Softmin(Softmax):
    """The softmax of -x: the least of a row gets the largest share. The rows run along `axis`.

    >>> softmin(np.array([0.0, 0.0, 1000.0]))
    array([0.5, 0.5, 0. ])
    """

    formula = r"y_i = \cfrac{e^{-x_i}}{\sum_j e^{-x_j}}"
    rule = {"x": r"-y_i (\bar y_i - \sum_s \bar y_s y_s)"}
    use = "To weigh by distances or costs, of which the least counts most."

    def forward(self, x: Array) -> Array:
        return super().forward(-x.astype(float_type(x)))

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        return -self.vjp_z(g, y, x)


@dataclass(frozen=True)
class LogSoftmax(OfFloats):
    """The logarithm of softmax, which keeps the digits of a probability near 1 and of one too small for a float.

    The rows run along `axis`. Where a share p is above 1/2, its gradient is taken as minus the sum of all the
    others: the same number, and nothing cancels.

    >>> log_softmax(np.array([0.0, 1000.0]))
    array([-1000.,     0.])
    """

    axis: int = -1
    formula = r"y_i = x_i - \ln \sum_j e^{x_j}"
    rule = {"x": r"\bar y_i - p_i \sum_s \bar y_s"}
    shorthand = {"p_i": r"\cfrac{e^{x_i}}{\sum_j e^{x_j}}"}
    aliases = ("logsoftmax",)
    range = "(−∞, 0]; the exponentials of a row sum to 1"
    use = "Log-probabilities: of what a network chose, or to compare two distributions."
    elsewhere = {"torch": "dim has to be given"}

    def forward(self, x: Array) -> Array:
        lowest = -float(np.finfo(float_type(x)).max)

        def log_shares(rows: Array) -> Array:
            gap, lost = gap_below_top(rows, axis=1)
            _, rest, _ = exp_below_top(rows, gap.copy(), lost)
            gap -= np.log1p(rest)[:, np.newaxis]
            np.copyto(gap, -np.inf, where=gap < lowest)  # beyond the floats of x
            return gap

        return on_rows(log_shares, x, self.axis)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        p = softmax(x, axis=self.axis)
        t = g - p * g.sum(axis=self.axis, keepdims=True)
        largest = np.greater(p, 0.5)
        return np.where(largest, -np.where(largest, 0, t).sum(axis=self.axis, keepdims=True), t)


@dataclass(frozen=True)
class Logsumexp(OfFloats):
    """The logarithm of the sum of the exponentials along one axis: a smooth maximum; -inf of none.

    >>> logsumexp(np.array([1000.0, 1000.0]))
    array(1000.69314718)
    """

    axis: int = -1
    keepdims: bool = False
    formula = r"\ln \sum_i e^{x_i}"
    rule = {"x": r"\bar y\, \mathrm{softmax}(x)"}
    range = "(−∞, ∞); from the greatest x to ln n above it"

    def forward(self, x: Array) -> Array:
        moved = x.swapaxes(self.axis, -1)
        y = self.of_rows(moved.reshape((math.prod(moved.shape[:-1]), moved.shape[-1])))
        y = y.astype(float_type(x)).reshape((*moved.shape[:-1], 1)).swapaxes(self.axis, -1)
        return y if self.keepdims else y.squeeze(self.axis)

    def of_rows(self, rows: Array) -> Array:
        """The value of each row, in double."""
        if rows.size == 0:
            return np.full(len(rows), -math.inf)
        _, rest, top = split_off_top(rows)
        return rows.take(top) + np.log1p(rest)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        g = g if self.keepdims else np.expand_dims(g, self.axis)
        return g * softmax(x, axis=self.axis)


class Logmeanexp(Logsumexp):
    """The logarithm of the mean of the exponentials along one axis: between the mean and the maximum; nan of none.

    >>> logmeanexp(np.array([1000.0, 1000.0]))
    array(1000.)
    """

    formula = r"\ln\left(\frac{1}{n} \sum_i e^{x_i}\right)"
    range = "(−∞, ∞); between the mean and the greatest of x"

    def of_rows(self, rows: Array) -> Array:
        if rows.size == 0:
            return np.full(len(rows), math.nan)
        gap, lost = gap_below_top(rows, axis=1)
        e = np.expm1(gap, out=gap)
        if lost is not None:
            e += lost * (e + 1)
        mean = e.sum(axis=1) / rows.shape[1]
        near = np.log1p(np.maximum(mean, -0.5))  # keeps the digits of a mean of small numbers, which are all near 0
        e += 1
        return rows.max(axis=1) + np.where(mean > -0.5, near, np.log(e.sum(axis=1) / rows.shape[1]))


class Log1mexp(Elementwise):
    """ln(1 - e^-x) for x > 0: of a probability with logarithm -x, the logarithm of the rest (Mächler, 2012).

    By expm1 below ln 2 and by log1p above, whose arguments keep their digits there. At 0 it is -inf, below 0 nan.
    M. Mächler, "Accurately computing log(1 - exp(-|a|))", a vignette of the R package Rmpfr.

    >>> log1mexp(np.array([1e-20, 1.0, 50.0]))
    array([-4.60517019e+01, -4.58675145e-01, -1.92874985e-22])
    """

    formula = r"\ln(1 - e^{-x})"
    rule = r"\frac{1}{e^x - 1}"
    domain = (1e-30, math.inf)
    use = "Probabilities of the opposite event, when only logarithms are at hand."

    def forward(self, x: Array) -> Array:
        inside = np.where(x > 0, x, 1)
        near = np.log(-np.expm1(-np.minimum(inside, 0.7)))
        far = np.log1p(-np.exp(-np.maximum(inside, 0.69)))
        y = np.where(inside < math.log(2), near, far)
        return np.where(x > 0, y, np.where(x == 0, -math.inf, math.nan)).astype(float_type(x))

    def derivative(self, y: Array, x: Array) -> Array:
        large = np.greater(x, 1 / float(np.finfo(x.dtype).max))  # the slope of a smaller one is beyond all floats
        inside = np.where(large, x, 1)
        slope = np.exp(-inside) / -np.expm1(-inside)
        return np.where(large, slope, np.where(np.greater_equal(x, 0), math.inf, math.nan).astype(x.dtype))


softmax = register(Softmax())
tempered_softmax = register(TemperedSoftmax())
softmin = register(Softmin())
log_softmax = register(LogSoftmax())
logsumexp = register(Logsumexp())
logmeanexp = register(Logmeanexp())
log1mexp = register(Log1mexp())
