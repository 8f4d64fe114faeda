"""Functions that squash the line into an interval, and their straight-lined kin."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..op import Array, Elementwise, Kink, register
from ..ops.exact import limits, through_double, through_single
from .settings import require
from .slope import Slope


class Identity(Elementwise):
    """What it is given: no activation at all.

    >>> identity(np.array([-1.0, 2.0]))
    array([-1.,  2.])
    """

    aliases = ("linear",)
    formula = "x"
    rule = "1"
    use = "The last layer of a regression."

    def forward(self, x: Array) -> Array:
        return np.positive(x)

    def derivative(self, y: Array, x: Array) -> Array:
        return 1.0


class Sigmoid(Elementwise):
    """The logistic function, from 0 through 1/2 to 1 (document, section Sigmoid).

    The rule is evaluated as sigmoid(z) sigmoid(-z): the same number, but 1 - sigmoid(z) loses all its digits once
    sigmoid(z) rounds to 1, beyond z = 17 in float32.

    >>> sigmoid(np.array([0.0, 100.0]))
    array([0.5, 1. ])
    """

    formula = r"\cfrac{1}{1 + e^{-z}}"
    rule = r"\cfrac{e^{-z}}{(1 + e^{-z})^2} = \mathrm{sigmoid}(z)(1 - \mathrm{sigmoid}(z))"

    def forward(self, z: Array) -> Array:
        e = np.exp(-np.abs(z))  # never overflows; 1/(1 + e^-z) for z >= 0, e^z/(1 + e^z) below
        return np.maximum(z >= 0, e) / (1 + e)  # 1 or e, which is less; np.where waits for a branch at each element

    def derivative(self, y: Array, z: Array) -> Array:
        return y * sigmoid(-z)


class Tanh(Elementwise):
    """The hyperbolic tangent, from -1 through 0 to 1 (document, section tanh).

    The document prints the middle fraction as (e^x - e^x)/(e^x + e^x); it means (e^x - e^-x)/(e^x + e^-x). The rule is
    evaluated in its first form, as 1 - tanh² loses its digits once tanh rounds to 1, beyond x = 9 in float32.

    >>> tanh(np.array([0.0, 100.0]))
    array([0., 1.])
    """

    formula = r"\cfrac{\sinh(x)}{\cosh(x)} = \cfrac{e^x - e^{-x}}{e^x + e^{-x}} = \cfrac{1 - e^{-2x}}{1 + e^{-2x}}"
    rule = r"\mathrm{sech}^2(x) = 1 - \tanh^2(x)"

    def forward(self, x: Array) -> Array:
        return through_double(np.tanh, x)

    def derivative(self, y: Array, x: Array) -> Array:
        return sech2(x)


class Sech2(Slope):
    """The square of the hyperbolic secant: the derivative of tanh.

    >>> sech2(np.array([0.0, 1.0]))
    array([1.        , 0.41997434])
    """

    formula = r"\mathrm{sech}^2(x) = \cfrac{4 e^{-2x}}{(1 + e^{-2x})^2}"
    rule = r"-2\, \mathrm{sech}^2(x) \tanh(x)"

    def forward(self, x: Array) -> Array:
        e = np.exp(-2 * np.minimum(np.abs(x), 400))  # 0 from there on, and 2|x| may overflow
        r = 2 / (1 + e)
        return e * r * r

    def derivative(self, y: Array, x: Array) -> Array:
        return -2 * y * np.tanh(x)


class LogSigmoid(Elementwise):
    """The logarithm of the sigmoid, for likelihoods; accurate where the sigmoid itself underflows or rounds to 1.

    >>> log_sigmoid(np.array([-1000.0, 0.0, 50.0]))
    array([-1.00000000e+03, -6.93147181e-01, -1.92874985e-22])
    """

    aliases = ("logsigmoid",)
    formula = r"\ln \mathrm{sigmoid}(x) = -\ln(1 + e^{-x})"
    rule = r"\mathrm{sigmoid}(-x)"
    use = "A log-likelihood of yes or no; a pairwise ranking loss."

    def forward(self, x: Array) -> Array:
        return np.minimum(x, 0) - through_double(lambda z: np.log1p(np.exp(z)), -np.abs(x))

    def derivative(self, y: Array, x: Array) -> Array:
        return through_double(sigmoid, -x)


class Softsign(Elementwise):
    """Like tanh, with tails that fall only like 1/x (Bergstra et al., 2009; Glorot and Bengio, 2010, AISTATS).

    >>> softsign(np.array([-1.0, 0.0, 3.0]))
    array([-0.5 ,  0.  ,  0.75])
    """

    formula = r"\frac{x}{1 + |x|}"
    rule = r"\frac{1}{(1 + |x|)^2}"
    use = "Where tanh saturates too soon."

    def forward(self, x: Array) -> Array:
        most = float(limits(x).max)
        z = np.clip(x, -most, most)
        return z / (1 + np.abs(z))

    def derivative(self, y: Array, x: Array) -> Array:
        r = 1 / (1 + np.abs(x))
        return r * r


class Elliott(Elementwise):
    """A sigmoid without an exponential (Elliott, 1993, University of Maryland TR 93-8).

    >>> elliott(np.array([-1.0, 0.0, 3.0]))
    array([0.25 , 0.5  , 0.875])
    """

    formula = r"\frac{1}{2} + \frac{x}{2 (1 + |x|)}"
    rule = r"\frac{1}{2 (1 + |x|)^2}"
    use = "Where exponentials are dear."

    def forward(self, x: Array) -> Array:
        return np.abs((x >= 0) - 0.5 / (1 + np.abs(x)))

    def derivative(self, y: Array, x: Array) -> Array:
        r = 1 / (1 + np.abs(x))
        return 0.5 * r * r


@dataclass(frozen=True)
class ISRU(Elementwise):
    """The inverse square root unit, between -1/√alpha and 1/√alpha (Carlile et al., 2017, arXiv:1710.09967).

    >>> isru(np.array([-2.0, 0.0, 2.0]))
    array([-0.89442719,  0.        ,  0.89442719])
    """

    alpha: float = 1.0
    formula = r"\frac{x}{\sqrt{1 + \alpha x^2}}"
    rule = r"(1 + \alpha x^2)^{-3/2}"
    use = "As tanh, without an exponential."

    def __post_init__(self) -> None:
        require(self, self.alpha >= 0, "alpha is not negative")

    @through_single
    def forward(self, x: Array) -> Array:
        z = squarable(x, self.alpha)
        return z / np.sqrt(1 + float(self.alpha) * z * z)

    @through_single
    def derivative(self, y: Array, x: Array) -> Array:
        z = squarable(x, self.alpha)
        r = 1 / np.sqrt(1 + float(self.alpha) * z * z)
        return r * r * r


def squarable(x: Array, factor: float = 1.0) -> Array:
    """x, but not so far out that factor x² overflows: where 1 + x² is x² to the last place anyway."""
    most = 0.5 * math.sqrt(limits(x).max / max(1.0, factor))
    return np.clip(x, -most, most)


class HardSigmoid(Elementwise):
    """A sigmoid of three straight lines, of slope 1/6 (Howard et al., 2019, arXiv:1905.02244).

    At -3 and 3 the derivative is 0, the legal one of least norm.

    >>> hard_sigmoid(np.array([-4.0, 0.0, 1.5]))
    array([0.  , 0.5 , 0.75])
    """

    formula = r"\frac{1}{6} \min(\max(x + 3, 0), 6)"
    rule = r"\begin{cases} \frac{1}{6} & -3 < x < 3 \\ 0 & \mathrm{otherwise} \end{cases}"
    kinks = (Kink(-3.0, 0.0, 1 / 6, 0.0, "least norm"), Kink(3.0, 1 / 6, 0.0, 0.0, "least norm"))
    use = "Gates in networks for phones, and quantised ones."
    elsewhere = {"onnx": "slope 0.2: clip(0.2 x + 0.5, 0, 1)", "keras 2": "slope 0.2", "chainer": "slope 0.2"}

    def forward(self, x: Array) -> Array:
        return np.clip(x + 3, 0, 6) / 6

    def derivative(self, y: Array, x: Array) -> Array:
        return (np.abs(x) < 3) * np.array(1 / 6, x.dtype)


@dataclass(frozen=True)
class HardTanh(Elementwise):
    """x, kept between `low` and `high` (Collobert, 2004). At both ends the derivative is 0, the one of least norm.

    >>> hard_tanh(np.array([-2.0, 0.5, 2.0]))
    array([-1. ,  0.5,  1. ])
    """

    low: float = -1.0
    high: float = 1.0
    formula = r"\min(\max(x, \mathrm{low}), \mathrm{high})"
    rule = r"\begin{cases} 1 & \mathrm{low} < x < \mathrm{high} \\ 0 & \mathrm{otherwise} \end{cases}"
    use = "A cheap tanh; what the straight-through sign borrows its derivative from."
    elsewhere = {"torch": "the bounds are min_val, max_val", "mygrad": "lower_bound, upper_bound"}

    def __post_init__(self) -> None:
        require(self, self.low <= self.high, "low is not above high")

    @property
    def kinks(self) -> tuple[Kink, ...]:
        return Kink(self.low, 0.0, 1.0, 0.0, "least norm"), Kink(self.high, 1.0, 0.0, 0.0, "least norm")

    def forward(self, x: Array) -> Array:
        return np.clip(x, float(self.low), float(self.high))

    def derivative(self, y: Array, x: Array) -> Array:
        return (x > float(self.low)) & (x < float(self.high))


class SparseSigmoid(Elementwise):
    """A sigmoid of three straight lines, of slope 1/2: the derivative of sparse_plus (as in JAX).

    At -1 and 1 the derivative is 0, the legal one of least norm; JAX takes 1/4.

    >>> sparse_sigmoid(np.array([-2.0, 0.0, 0.5]))
    array([0.  , 0.5 , 0.75])
    """

    formula = r"\min(\max(\frac{x + 1}{2}, 0), 1)"
    rule = r"\begin{cases} \frac{1}{2} & -1 < x < 1 \\ 0 & \mathrm{otherwise} \end{cases}"
    kinks = (Kink(-1.0, 0.0, 0.5, 0.0, "least norm"), Kink(1.0, 0.5, 0.0, 0.0, "least norm"))
    use = "Probabilities that may be exactly 0 or 1."

    def forward(self, x: Array) -> Array:
        return np.clip(0.5 * (x + 1), 0, 1)

    def derivative(self, y: Array, x: Array) -> Array:
        return (np.abs(x) < 1) * np.array(0.5, x.dtype)


identity = register(Identity())
sigmoid = register(Sigmoid())
tanh = register(Tanh(), np.tanh)
sech2 = register(Sech2())
log_sigmoid = register(LogSigmoid())
softsign = register(Softsign())
elliott = register(Elliott())
isru = register(ISRU())
hard_sigmoid = register(HardSigmoid())
hard_tanh = register(HardTanh())
sparse_sigmoid = register(SparseSigmoid())
