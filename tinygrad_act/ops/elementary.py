"""The elementary functions of one array: a row each, NumPy's function with its formula and its rule."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..op import IMPLEMENTS, OPS, Array, Elementwise, Kink, register
from .exact import limits


class Ufunc(Elementwise):
    """A NumPy function of one array, given its derivative as a function of y and x.

    >>> exp(np.array([0.0, 1.0]))
    array([1.        , 2.71828183])
    """

    def __init__(
        self,
        function: Callable[..., Any],
        formula: str,
        rule: str,
        derivative: Callable[[Array, Array], Any],
        domain: tuple[float, float] = (-math.inf, math.inf),
        kinks: tuple[Kink, ...] = (),
    ) -> None:
        self.function, self.name = function, function.__name__
        self.__doc__ = f"NumPy's `{self.name}`, of each number by itself: what `np.{self.name}` does with a Tensor."
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


SINC = [(-1) ** k * 2 * k * math.pi ** (2 * k) / math.factorial(2 * k + 1) for k in range(14, 0, -1)]


def _sinc_slope(y: Array, x: Array) -> Array:
    """(cos πx - y) / x, and below 1/2, where that would cancel, by its series."""
    is_near = np.less(np.abs(x), 0.5)
    near, far = np.where(is_near, x, 0), np.where(is_near, 1, x)
    series: Any = 0.0
    for c in SINC:
        series = series * (near * near) + c
    return np.where(is_near, near * series, (np.cos(math.pi * far) - y) / far)


def _one_over_one_plus_square(x: Array) -> Array:
    """1 / (1 + x²), also where x² overflows: over max(|x|, 1), above and below."""
    most = float(limits(x).max)
    x = np.clip(x, -most, most)
    r = 1 / np.maximum(np.abs(x), 1)
    return r / (r + x * r * x)


TURN = np.cos((np.arange(64) + 0.5) * (math.pi / 128))


class Bessel(Ufunc):
    """`np.i0`, which beyond the logarithm of the greatest float is infinite."""

    def forward(self, x: Array) -> Array:
        far = np.abs(x) > np.log(limits(x).max)
        return np.where(far, math.inf, np.i0(np.where(far, 0, x)))

    def derivative(self, y: Array, x: Array) -> Array:
        """I₁, the mean of cos θ e^{x cos θ} over a turn: at 256 points of it all digits are there."""
        far = np.greater(np.abs(x), np.log(limits(y).max))
        near = np.expand_dims(np.where(far, 0, x), -1)
        return np.where(far, np.copysign(math.inf, x), np.mean(TURN * np.sinh(near * TURN), axis=-1))


LINE = (-math.inf, math.inf)
SMOOTHEST = "the legal subgradient of least norm"

exp = Ufunc(np.exp, r"e^x", r"e^x", lambda y, x: y, (-87.0, 88.0))
expm1 = Ufunc(np.expm1, r"e^x - 1", r"e^x", lambda y, x: np.exp(x), (-87.0, 88.0))
log = Ufunc(np.log, r"\ln x", r"\frac{1}{x}", lambda y, x: 1 / x, (1e-30, math.inf))
log1p = Ufunc(np.log1p, r"\ln(1 + x)", r"\frac{1}{1 + x}", lambda y, x: 1 / (1 + x), (-1.0, math.inf))
sqrt = Ufunc(np.sqrt, r"\sqrt{x}", r"\frac{1}{2 \sqrt{x}}", lambda y, x: 0.5 / y, (1e-24, math.inf))
sin = Ufunc(np.sin, r"\sin x", r"\cos x", lambda y, x: np.cos(x), (-1e30, 1e30))
cos = Ufunc(np.cos, r"\cos x", r"-\sin x", lambda y, x: -np.sin(x))
tan = Ufunc(np.tan, r"\tan x", r"1 + \tan^2 x", lambda y, x: 1 + y * y)
sinh = Ufunc(np.sinh, r"\sinh x", r"\cosh x", lambda y, x: np.cosh(x), (-88.0, 88.0))
cosh = Ufunc(np.cosh, r"\cosh x", r"\sinh x", lambda y, x: np.sinh(x), (-88.0, 88.0))
arctan = Ufunc(np.arctan, r"\arctan x", r"\frac{1}{1 + x^2}", lambda y, x: _one_over_one_plus_square(x))
square = Ufunc(np.square, r"x^2", r"2 x", lambda y, x: 2 * x, (-1e18, 1e18))
reciprocal = Ufunc(np.reciprocal, r"\frac{1}{x}", r"-\frac{1}{x^2}", lambda y, x: -y * y, (1e-18, math.inf))
negative = Ufunc(np.negative, r"-x", r"-1", lambda y, x: -1.0)
positive = Ufunc(np.positive, r"x", r"1", lambda y, x: 1.0)
exp2 = Ufunc(np.exp2, r"2^x", r"2^x \ln 2", lambda y, x: y * math.log(2), (-126.0, 127.0))
log2 = Ufunc(np.log2, r"\frac{\ln x}{\ln 2}", r"\frac{1}{x \ln 2}", lambda y, x: 1 / math.log(2) / x, (1e-30, math.inf))
log10 = Ufunc(
    np.log10, r"\frac{\ln x}{\ln 10}", r"\frac{1}{x \ln 10}", lambda y, x: 1 / math.log(10) / x, (1e-30, math.inf)
)
cbrt = Ufunc(np.cbrt, r"\sqrt[3]{x}", r"\frac{1}{3 y^2}", lambda y, x: 1 / (3 * y * y), (1e-20, math.inf))
arcsin = Ufunc(
    np.arcsin, r"\arcsin x", r"\frac{1}{\sqrt{1 - x^2}}", lambda y, x: 1 / np.sqrt((1 - x) * (1 + x)), (-1.0, 1.0)
)
arccos = Ufunc(
    np.arccos, r"\arccos x", r"-\frac{1}{\sqrt{1 - x^2}}", lambda y, x: -1 / np.sqrt((1 - x) * (1 + x)), (-1.0, 1.0)
)
arcsinh = Ufunc(
    np.arcsinh, r"\mathrm{arsinh}\, x", r"\frac{1}{\sqrt{1 + x^2}}", lambda y, x: 1 / np.hypot(x, 1), (-1e30, 1e30)
)
arccosh = Ufunc(
    np.arccosh,
    r"\mathrm{arcosh}\, x",
    r"\frac{1}{\sqrt{x^2 - 1}}",
    lambda y, x: 1 / (np.sqrt(x - 1) * np.sqrt(x + 1)),
    (1.0, math.inf),
)
arctanh = Ufunc(
    np.arctanh, r"\mathrm{artanh}\, x", r"\frac{1}{1 - x^2}", lambda y, x: 1 / ((1 - x) * (1 + x)), (-1.0, 1.0)
)
sinc = Ufunc(np.sinc, r"\frac{\sin \pi x}{\pi x}", r"\frac{\cos \pi x - y}{x}", _sinc_slope, (-1e30, 1e30))
i0 = Bessel(np.i0, r"\mathrm{besseli}(0, x)", r"\mathrm{besseli}(1, x)", lambda y, x: 0.0, (-87.0, 88.0))
deg2rad = Ufunc(np.deg2rad, r"\frac{\pi x}{180}", r"\frac{\pi}{180}", lambda y, x: math.pi / 180)
rad2deg = Ufunc(np.rad2deg, r"\frac{180 x}{\pi}", r"\frac{180}{\pi}", lambda y, x: 180 / math.pi, (-1e36, 1e36))
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

IMPLEMENTS |= {
    np.radians: deg2rad,
    np.degrees: rad2deg,
    np.fabs: absolute,
    np.conjugate: positive,
    np.real: lambda val: +val,
    np.real_if_close: lambda a, tol=100: +a,
}
