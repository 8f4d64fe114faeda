"""From a row of numbers to shares that sum to 1: with some exactly 0, by lot, or all for the largest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..op import Array, OfFloats, register
from .softmax import (
    Softmax,
    TemperedSoftmax,
    at_top,
    check_temperature,
    float_type,
    gap_below_top,
    on_rows,
    tempered_shares,
)


def near_top(rows: Array) -> tuple[Array, Array]:
    """(gap, lost) of `gap_below_top`, in double; what is 3 or more below gets no share, however much."""
    gap, lost = gap_below_top(rows, axis=1)
    return np.maximum(gap, -3), np.zeros((1, 1)) if lost is None else np.minimum(lost, 1)


def above(gap: Array, lost: Array, tau: Array) -> tuple[Array, Array]:
    """gap + lost - tau, and what rounding took from it where it is positive."""
    share = gap - tau
    return share, (gap - (share + tau)) + lost


def split_for_sum(a: Array, grid: float) -> tuple[Array, Array]:
    """Each number rounded to a multiple of grid / 2^52, such that sums are exact, and what remains of it."""
    high = (a + grid) - grid
    return high, a - high


def row_sum(a: Array) -> Array:
    """The sum of each row, as a column."""
    return a.sum(axis=1, keepdims=True)


def sparsemax_of_rows(rows: Array) -> Array:
    """max(x - tau, 0), where tau is the largest of what it is if the k largest get a share, k = 1, 2, ...

    Rounding leaves in tau an error that is seen in small shares. What their sum exceeds 1 by is summed exactly and
    taken off evenly.
    """
    n = rows.shape[1]
    gap, lost = near_top(rows)
    descending = np.sort(gap, axis=1)[:, ::-1]
    tau = ((np.cumsum(descending, axis=1) - 1) / np.arange(1, n + 1)).max(axis=1, keepdims=True)
    share, small = above(gap, lost, tau)
    inside = share + small > 0
    high, low = split_for_sum(np.maximum(share, 0), 2.0 ** (n + 2).bit_length())
    excess = (row_sum(high) - 1) + (row_sum(low) + row_sum(small * inside))
    return np.maximum(share + (small - excess / row_sum(inside)), 0)


def entmax15_of_rows(rows: Array) -> Array:
    """max(x/2 - tau, 0)², where tau is the largest of what it is if the k largest get a share, k = 1, 2, ...

    Then a step of Newton's, for the same reason as in sparsemax, on the sum of the squares.
    """
    k = np.arange(1, rows.shape[1] + 1)
    gap, lost = near_top(rows)
    gap = 0.5 * gap
    descending = np.sort(gap, axis=1)[:, ::-1]
    mean = np.cumsum(descending, axis=1) / k
    spread = np.cumsum(descending * descending, axis=1) / k - mean * mean
    taus = mean - np.sqrt(np.maximum(1 / k - spread, 0))
    tau = np.where(taus <= descending, taus, -1).max(axis=1, keepdims=True)  # for k = 1 it is -1
    root, small = above(gap, 0.5 * lost, tau)
    r = np.maximum(root, 0)
    high, low = split_for_sum(r, 2.0**26)  # and the square of high, a multiple of 2^-52, is exact
    excess = (row_sum(high * high) - 1) + (row_sum(low * (r + high)) + 2 * row_sum(r * small))
    small = small - excess / (2 * row_sum(r))
    r = np.maximum(root + small, 0)
    return r * r + 2 * r * ((small - (r - root)) * (r > 0))  # with what rounding took from r


@dataclass(frozen=True)
class Sparsemax(OfFloats):
    """The point of the simplex nearest to x: shares that sum to 1, many of them 0 (Martins and Astudillo, 2016).

    The rows run along `axis` (arXiv:1602.02068). It has a kink wherever a share is just about to become positive. There
    it counts as one of those that are 0, so the gradient is that of the side on which it stays 0.

    >>> sparsemax(np.array([1.0, 0.5, -1.0]))
    array([0.75, 0.25, 0.  ])
    """

    axis: int = -1
    formula = r"y_i = \max(x_i - \tau, 0)"
    rule = {"x": r"[y_i > 0] \left(\bar y_i - \frac{\sum_j \bar y_j [y_j > 0]}{\sum_j [y_j > 0]}\right)"}
    shorthand = {r"\tau": r"\max_k \frac{\sum_j [x_j \ge x_k] x_j - 1}{\sum_j [x_j \ge x_k]}"}
    range = "[0, 1]; a row sums to 1"
    use = "Attention or a mixture that shall look at a few things and at nothing else."

    def forward(self, x: Array) -> Array:
        return on_rows(sparsemax_of_rows, x, self.axis)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        if y.size == 0:
            return g
        inside = np.not_equal(y, 0)
        count = np.sign(y).sum(axis=self.axis, keepdims=True)  # nan in a row with nan
        t = np.where(inside, g - at_top(g, y, self.axis), 0)  # so that little is lost if all of these g are alike
        return np.where(inside, t - t.sum(axis=self.axis, keepdims=True) / count, 0)


@dataclass(frozen=True)
class Entmax15(OfFloats):
    """Between softmax and sparsemax: entmax with alpha = 1.5 (Peters et al., 2019, arXiv:1905.05702).

    The rows run along `axis`. A share comes up from 0 as a square does, so there is no kink; in the second derivative
    one that is 0 counts as one that stays 0.

    >>> entmax15(np.array([1.0, 0.0, -3.0])).round(4)
    array([0.8307, 0.1693, 0.    ])
    """

    axis: int = -1
    formula = r"y_i = \max(\frac{x_i}{2} - \tau, 0)^2"
    rule = {"x": r"\sqrt{y_i} \left(\bar y_i - \frac{\sum_j \bar y_j \sqrt{y_j}}{\sum_j \sqrt{y_j}}\right)"}
    shorthand = {
        "s_j": r"[\sum_k \max(\frac{x_k - x_j}{2}, 0)^2 < 1]",
        "m": r"\frac{\sum_j s_j \frac{x_j}{2}}{\sum_j s_j}",
        r"\tau": r"m - \sqrt{\frac{1 - \sum_j s_j (\frac{x_j}{2} - m)^2}{\sum_j s_j}}",
    }
    aliases = ("entmax",)
    range = "[0, 1]; a row sums to 1"
    use = "As sparsemax, but smooth, which is easier to train."

    def forward(self, x: Array) -> Array:
        return on_rows(entmax15_of_rows, x, self.axis)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        if y.size == 0:
            return g
        none = np.equal(y, 0)
        root = np.where(none, 0, np.sqrt(np.where(none, 1, y)))
        t = g - at_top(g, y, self.axis)  # keeps the digits of the small gradient of a share that is almost 1
        mean = (root * t).sum(axis=self.axis, keepdims=True) / root.sum(axis=self.axis, keepdims=True)
        return root * (t - mean)


@dataclass(frozen=True)
class GumbelSoftmax(OfFloats):
    """A smooth draw from the distribution softmax(x): Jang et al., 2016, arXiv:1611.01144; Maddison et al., 2016,
    arXiv:1611.00712.

    The noise is an input, so that the generator is yours: `rng.gumbel(size=x.shape)`. The rows run along `axis`. The
    lower the temperature, the nearer is the result to a single 1, which stands where x + noise is greatest: at i with
    the probability softmax(x)_i. For draws that are exactly so, with this op's gradient, take
    `hardmax(x + noise, temperature=...)`; `nn.GumbelSoftmax` does either, and draws the noise.

    The sum x + noise is rounded to a double; what is said of accuracy is of all that follows.

    Raises ValueError for a temperature that is not from 1e-6 to 10000.

    >>> rng = np.random.default_rng(0)
    >>> x = np.log([0.7, 0.2, 0.1])
    >>> gumbel_softmax(x, rng.gumbel(size=3), temperature=0.5).round(3)
    array([0.072, 0.061, 0.866])
    """

    temperature: float = 1.0
    axis: int = -1
    formula = r"y_i = \cfrac{e^{(x_i + \mathrm{noise}_i) / T}}{\sum_j e^{(x_j + \mathrm{noise}_j) / T}}"
    rule = dict.fromkeys(("x", "noise"), r"\frac{1}{T} y_i (\bar y_i - \sum_s \bar y_s y_s)")
    shorthand = {"T": r"\mathrm{temperature}"}
    aliases = ("concrete",)
    range = "(0, 1]; a row sums to 1"
    use = "A choice in the middle of a network, through which gradients shall flow."
    elsewhere = {"torch": "draws the noise itself; hard=True is our hardmax(x + noise)"}

    def __post_init__(self) -> None:
        check_temperature(self)

    def forward(self, x: Array, noise: Array) -> Array:
        y = on_rows(lambda rows: tempered_shares(rows, self.temperature), x.astype(np.float64) + noise, self.axis)
        return y.astype(np.result_type(float_type(x), noise))

    def vjp_x(self, g: Array, y: Array, x: Array, noise: Array) -> Array:
        return Softmax(self.axis).vjp_z(g, y, x) / self.temperature

    vjp_noise = vjp_x


@dataclass(frozen=True)
class Hardmax(OfFloats):
    """1 at the largest, 0 elsewhere; the first of those that tie. The rows run along `axis`.

    Its derivative is 0 wherever there is one. The gradient is that of softmax at a `temperature`, straight through
    (Bengio et al., 2013, arXiv:1308.3432).

    Raises ValueError for a temperature that is not from 1e-6 to 10000.

    >>> hardmax(np.array([1.0, 3.0, 3.0]))
    array([0., 1., 0.])
    """

    axis: int = -1
    temperature: float = 1.0
    formula = r"y_i = [x_i = \max_j x_j]"
    rule = {"x": r"\frac{1}{T} p_i (\bar y_i - \sum_s \bar y_s p_s)"}
    shorthand = {
        "T": r"\mathrm{temperature}",
        "p_i": r"\cfrac{e^{x_i / T}}{\sum_j e^{x_j / T}}",
        "p_s": r"\cfrac{e^{x_s / T}}{\sum_j e^{x_j / T}}",
    }
    range = "{0, 1}; a row has one 1"
    use = "A choice that is to be one thing and nothing else, already in training."
    elsewhere = {"onnx": "has no gradient"}

    def __post_init__(self) -> None:
        check_temperature(self)

    @property
    def surrogate(self) -> Any:
        """Softmax, at the temperature."""
        return Softmax(self.axis) if self.temperature == 1 else TemperedSoftmax(self.axis, self.temperature)

    def forward(self, x: Array) -> Array:
        def hard(rows: Array) -> Array:
            first = np.arange(rows.shape[1]) == rows.argmax(axis=1)[:, np.newaxis]
            return np.where(np.isnan(rows.max(axis=1, keepdims=True)), np.nan, first)

        return on_rows(hard, x, self.axis)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        return self.surrogate.vjp_z(g, self.surrogate(x), x)


sparsemax = register(Sparsemax())
entmax15 = register(Entmax15())
gumbel_softmax = register(GumbelSoftmax())
hardmax = register(Hardmax())
