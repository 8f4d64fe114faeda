"""The elementary functions of one array: a row each, NumPy's function with its formula and its rule."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..op import OPS, Array, Elementwise, Kink, register


class Ufunc(Elementwise):
    """A NumPy function of one array, given its derivative as a function of y and x.

    >>> exp(np.array([0.0, 1.0]))
    array([1.        , 2.71828183])
    """

    def __init__(
        self,
        function: np.ufunc,
        formula: str,
        rule: str,
        derivative: Callable[[Array, Array], Any],
        domain: tuple[float, float] = (-math.inf, math.inf),
        kinks: tuple[Kink, ...] = (),
    ) -> None:
        self.function, self.name = function, function.__name__
        self.formula, self.rule, self._derivative = formula, rule, derivative
        self.domain, self._kinks = domain, kinks
        register(self, function)

    @property
    def kinks(self) -> tuple[Kink, ...]:
        return self._kinks

    def forward(self, x: Array) -> Array:
        return self.function(x)

    def derivative(self, y: Array, x: Array) -> Array:
        return self._derivative(y, x)

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> Any:  # there is one of each, which pickle and copy find by its name
        return _by_name, (self.name,)


def _by_name(name: str) -> Any:
    return OPS[name]


def horner(coefficients: tuple[float, ...], x: Array) -> Array:
    """The polynomial with these coefficients, highest power first."""
    y = x * coefficients[0] + coefficients[1]
    for c in coefficients[2:]:
        y = y * x + c
    return y


class Erf(Elementwise):
    """The error function, accurate to 3 units in the last place in float32 and float64, in NumPy alone.

    Below 1 it is x P(x²), above 1 - exp(-x²) R(x). The coefficients are Chebyshev fits of our own to mpmath's erf and
    erfc, with relative errors of 7e-18 and 5e-18; see Abramowitz and Stegun (1964), chapter 7, for the function.

    >>> erf(np.array([0.0, 0.5, 10.0]))
    array([0.        , 0.52049988, 1.        ])
    """

    formula = r"\frac{2}{\sqrt{\pi}} \int_0^x e^{-t^2} \mathrm{d}t"
    rule = r"\frac{2}{\sqrt{\pi}} e^{-x^2}"

    # fmt: off
    P = (
        -7.795898827002142e-10, 1.3720064546777686e-08, -1.6208483801871705e-07, 1.6447424703317362e-06,
        -1.492473690741966e-05, 0.00012055294904839707, -0.0008548325975389692, 0.0052239776071164225,
        -0.02686617064323777, 0.11283791670945006, -0.37612638903183543, 1.1283791670955126,
    )  # in x², for |x| < 1
    R = (
        3.381355142042904e-09, 1.2755818949624478e-06, 2.0135111426447427e-06, -8.00978093907608e-06,
        -1.2845780030775907e-05, 6.406279226046039e-05, 4.525434558991009e-05, -0.0005970624964924544,
        0.0007077464666941425, 0.004269136356961225, -0.024392499318915004, 0.07166583719747308,
        -0.15011593650077898, 0.24560380171233487, -0.3262335600430372, 0.17900115118138996,
    )  # of exp(x²) erfc(x), in (x - 3)/(x + 3), for 1 <= x <= 6
    # fmt: on

    def forward(self, x: Array) -> Array:
        z = np.minimum(np.abs(x), 6)  # where erf is 1 to the last place
        small, large = np.minimum(z, 1), np.maximum(z, 1)
        near = z * horner(self.P, small * small)
        far = 1 - np.exp(-large * large) * horner(self.R, (large - 3) / (large + 3))
        return np.copysign(np.minimum(near, far), x)  # each is the larger one on the other's side of 1

    def derivative(self, y: Array, x: Array) -> Array:
        z = np.clip(x, -40, 40)  # beyond, exp(-x²) is 0 and x² may overflow
        return 2 / math.sqrt(math.pi) * np.exp(-(z * z))


LINE = (-math.inf, math.inf)
SMOOTHEST = "the legal subgradient of least norm"

exp = Ufunc(np.exp, r"e^x", r"e^x", lambda y, x: y, (-87.0, 88.0))
expm1 = Ufunc(np.expm1, r"e^x - 1", r"e^x", lambda y, x: np.exp(x), (-87.0, 88.0))
log = Ufunc(np.log, r"\ln x", r"\frac{1}{x}", lambda y, x: 1 / x, (1e-30, math.inf))
log1p = Ufunc(np.log1p, r"\ln(1 + x)", r"\frac{1}{1 + x}", lambda y, x: 1 / (1 + x), (-1.0, math.inf))
sqrt = Ufunc(np.sqrt, r"\sqrt{x}", r"\frac{1}{2 \sqrt{x}}", lambda y, x: 0.5 / y, (1e-24, math.inf))
sin = Ufunc(np.sin, r"\sin x", r"\cos x", lambda y, x: np.cos(x))
cos = Ufunc(np.cos, r"\cos x", r"-\sin x", lambda y, x: -np.sin(x))
tan = Ufunc(np.tan, r"\tan x", r"1 + \tan^2 x", lambda y, x: 1 + y * y)
sinh = Ufunc(np.sinh, r"\sinh x", r"\cosh x", lambda y, x: np.cosh(x), (-88.0, 88.0))
cosh = Ufunc(np.cosh, r"\cosh x", r"\sinh x", lambda y, x: np.sinh(x), (-88.0, 88.0))
arctan = Ufunc(np.arctan, r"\arctan x", r"\frac{1}{1 + x^2}", lambda y, x: 1 / (1 + x * x), (-1e18, 1e18))
square = Ufunc(np.square, r"x^2", r"2 x", lambda y, x: 2 * x, (-1e18, 1e18))
reciprocal = Ufunc(np.reciprocal, r"\frac{1}{x}", r"-\frac{1}{x^2}", lambda y, x: -y * y, (1e-18, math.inf))
negative = Ufunc(np.negative, r"-x", r"-1", lambda y, x: -1.0)
positive = Ufunc(np.positive, r"x", r"1", lambda y, x: 1.0)
absolute = Ufunc(
    np.absolute, r"|x|", r"\mathrm{sign}(x)", lambda y, x: np.sign(x), LINE, (Kink(0.0, -1.0, 1.0, 0.0, SMOOTHEST),)
)
sign = Ufunc(
    np.sign,
    r"\mathrm{sign}(x)",
    r"0",
    lambda y, x: 0.0,
    LINE,
    (Kink(0.0, 0.0, 0.0, 0.0, "the value jumps; flat on both sides"),),
)
erf = register(Erf())
