"""The elementary functions of one array: a row each, NumPy's function with its formula and its rule."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..op import OPS, Array, Elementwise, Kink, register
from .exact import limits


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


def _one_over_one_plus_square(x: Array) -> Array:
    """1 / (1 + x²), also where x² overflows: over max(|x|, 1), above and below."""
    most = float(limits(x).max)
    x = np.clip(x, -most, most)
    r = 1 / np.maximum(np.abs(x), 1)
    return r / (r + x * r * x)


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
