"""The error function and the normal distribution, in NumPy alone, accurate in both tails."""

from __future__ import annotations

import math

import numpy as np

from ..op import Array, Elementwise, register
from .exact import exp_of_product, is_narrow


def horner(coefficients: tuple[float, ...], x: Array) -> Array:
    """The polynomial with these coefficients, highest power first."""
    y = x * coefficients[0]
    y += coefficients[1]
    for c in coefficients[2:]:
        y *= x
        y += c
    return y


# fmt: off
ERF32 = (
    7.875875062685488e-05, -0.000801686428716587, 0.005189087423433974, -0.026854212010626412, 0.11283594715160218,
    -0.37612626666720334, 1.1283791658483509,
)
ERF64 = (
    -7.795898827002142e-10, 1.3720064546777686e-08, -1.6208483801871705e-07, 1.6447424703317362e-06,
    -1.492473690741966e-05, 0.00012055294904839707, -0.0008548325975389692, 0.0052239776071164225, -0.02686617064323777,
    0.11283791670945006, -0.37612638903183543, 1.1283791670955126,
)
MILLS32 = (
    5.5386575368302916e-05, 0.00013317308395859755, -0.0002446061924931603, -0.0010342788589033651,
    0.0010241368772241106, 0.0069698359021068135, -0.010462291852050493, -0.047262748695582855, 0.23001767738406945,
    -0.5093319893987576, 0.7290836907008341,
)
MILLS64 = (
    -7.262419810409579e-10, -2.5220994578780736e-09, 1.91827702037334e-09, 1.961961086135556e-08,
    1.3280797787310328e-08, -8.540841815685125e-08, -1.549649174224745e-07, 2.7180452962592834e-07,
    1.0215540371961016e-06, -6.296965605815823e-07, -5.9201733230161025e-06, 7.166663245221031e-07,
    3.5144686053003464e-05, -1.9082584797734333e-06, -0.000231094935169459, 0.00013334431240964574,
    0.0016308184575887011, -0.003479692367393595, -0.007540188966726791, 0.06039657489093656, -0.18652185795965726,
    0.38713740074221453, -0.6078966419718921, 0.7552851304157515,
)
# fmt: on


def mills(z: Array) -> Array:
    """e^{z²/2} Φ(-z) for z >= 0, by a polynomial in (z - c)/(z + c) over z + c (errors 1.5e-9 and 2e-18).

    A fit of our own to mpmath; the ratio is Mills's (1926), but for √(2π).
    """
    centre = 3 if is_narrow(z) else 4
    above = z + centre
    y = horner(MILLS32 if is_narrow(z) else MILLS64, (z - centre) / above)
    y /= above
    return y


def normal_tail(z: Array) -> Array:
    """Φ(-z) for z >= 0 that are not beyond `NO_TAIL`."""
    e, s = exp_of_product(-0.5 * z, z)
    return mills(z) * e * s


def no_tail(x: Array) -> float:
    """Where Φ(-z) has become 0 in the dtype of x."""
    return 14.6 if is_narrow(x) else 39.0


class Erf(Elementwise):
    """The error function (Abramowitz and Stegun, 1964, chapter 7).

    Below 1 it is x P(x²), where P is a Chebyshev fit of our own to mpmath's erf, with errors of 1e-9
    in float32 and 7e-18.

    >>> erf(np.array([0.0, 0.5, 10.0]))
    array([0.        , 0.52049988, 1.        ])
    """

    formula = r"\frac{2}{\sqrt{\pi}} \int_0^x e^{-t^2} \mathrm{d}t"
    rule = r"\frac{2}{\sqrt{\pi}} e^{-x^2}"

    def forward(self, x: Array) -> Array:
        z = np.abs(x)
        near = z * horner(ERF32 if is_narrow(z) else ERF64, np.square(np.minimum(z, 1)))
        far = 1 - 2 * normal_tail(np.clip(z, 1, 6) * math.sqrt(2))
        return np.copysign(np.minimum(near, far), x)  # each is the larger one on the other's side of 1

    def derivative(self, y: Array, x: Array) -> Array:
        return 2 / math.sqrt(math.pi) * gaussian(x)


class Erfc(Elementwise):
    """1 - erf(x), accurate also where that is tiny, to x = 26 in float64.

    >>> erfc(np.array([0.0, 10.0]))
    array([1.00000000e+00, 2.08848758e-45])
    """

    formula = r"\frac{2}{\sqrt{\pi}} \int_x^\infty e^{-t^2} \mathrm{d}t"
    rule = r"-\frac{2}{\sqrt{\pi}} e^{-x^2}"

    def forward(self, x: Array) -> Array:
        z = np.minimum(np.abs(x), 10.2 if is_narrow(x) else 27.3)
        e, s = exp_of_product(-z, z)
        tail = 2 * mills(z * math.sqrt(2)) * e * s
        return np.where(x >= 0, tail, 2 - tail)

    def derivative(self, y: Array, x: Array) -> Array:
        return -2 / math.sqrt(math.pi) * gaussian(x)


class Gaussian(Elementwise):
    """The bell curve of height 1, a bump for an activation, and what the derivative of erf is made of.

    >>> gaussian(np.array([0.0, 1.0]))
    array([1.        , 0.36787944])
    """

    formula = r"e^{-x^2}"
    rule = r"-2 x e^{-x^2}"

    def forward(self, x: Array) -> Array:
        z = np.clip(x, -40, 40)  # beyond, it is 0, and x² may overflow
        e, s = exp_of_product(-z, z)
        return e * s

    def derivative(self, y: Array, x: Array) -> Array:
        z = np.clip(x, -40, 40)
        return -4 * math.pi * (z * normal_pdf(z)) * normal_pdf(z)  # in two factors, of which neither underflows


class NormalPdf(Elementwise):
    """φ, the density of the standard normal distribution.

    >>> normal_pdf(np.array([0.0, 1.0]))
    array([0.39894228, 0.24197072])
    """

    formula = r"\frac{1}{\sqrt{2 \pi}} e^{-x^2 / 2}"
    rule = r"-x \frac{1}{\sqrt{2 \pi}} e^{-x^2 / 2}"

    def forward(self, x: Array) -> Array:
        z = np.clip(x, -40, 40)
        e, s = exp_of_product(-0.5 * z, z)
        return e * (1 / math.sqrt(2 * math.pi)) * s

    def derivative(self, y: Array, x: Array) -> Array:
        z = np.clip(x, -40, 40)
        q = gaussian(0.5 * z)  # twice, as it underflows later than its square
        return -1 / math.sqrt(2 * math.pi) * (z * q) * q


class NormalCdf(Elementwise):
    """Φ, the distribution function of the standard normal, with all its digits in the lower tail.

    >>> normal_cdf(np.array([0.0, -10.0]))
    array([5.00000000e-01, 7.61985302e-24])
    """

    formula = r"\frac{1}{2} \mathrm{erfc}(-x / \sqrt{2})"
    rule = r"\frac{1}{\sqrt{2 \pi}} e^{-x^2 / 2}"

    def forward(self, x: Array) -> Array:
        return np.abs((x >= 0) - normal_tail(np.minimum(np.abs(x), no_tail(x))))

    def derivative(self, y: Array, x: Array) -> Array:
        return normal_pdf(x)


gaussian = register(Gaussian())
normal_pdf = register(NormalPdf())
normal_cdf = register(NormalCdf())
erf = register(Erf())
erfc = register(Erfc())
