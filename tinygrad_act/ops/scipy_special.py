"""Functions of `scipy.special`, where that is installed: its ufuncs on Tensors, by rules that are found by their names.

SciPy is not imported here. Who calls `scipy.special.gammaln(t)` has it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ..op import IMPLEMENTS, OPS, Array, Op
from .constant import plain


class Special(Op):
    """A ufunc of SciPy's, with its slope in each input as a function of y and the inputs, or None."""

    def __init__(self, function: np.ufunc, slopes: tuple[Callable[..., Any] | None, ...]) -> None:
        self.function, self.name, self.slopes = function, function.__name__.lstrip("_"), slopes
        self.__doc__ = f"SciPy's `{self.name}`."
        self.formula = rf"\mathrm{{{self.name}}}".replace("_", r"\_")

    def forward(self, *inputs: Array) -> Array:
        return self.function(*inputs)

    def vjp(self, i: int, g: Array, y: Array, *inputs: Array) -> Array:
        slope = self.slopes[i]
        if slope is None:
            raise TypeError(f"scipy.special.{self.name} has no rule here for its input number {i + 1}: give a constant")
        return g * slope(y, *inputs)


def of_scipy(name: str) -> Any:
    """The function of SciPy's of a name, for arrays and Tensors."""
    return lambda *inputs: getattr(sys.modules["scipy.special"], name)(*inputs)


psi, zeta, xlogy, xlog1py, gammaln = map(of_scipy, ("psi", "zeta", "xlogy", "xlog1py", "gammaln"))
j0, j1, jv, y0, y1, k0, k1 = map(of_scipy, ("j0", "j1", "jv", "y0", "y1", "k0", "k1"))
i0, i1, iv, i0e, i1e, ive = map(of_scipy, ("i0", "i1", "iv", "i0e", "i1e", "ive"))
HALF = 0.5 * math.sqrt(math.pi)


def _exprel(y: Array, x: Array) -> Array:
    """The slope of (e^x - 1) / x: near 0, where the difference would cancel, its series."""
    near = np.abs(plain(x)) < 0.5
    small = np.where(near, x, 0)
    series = 0 * small
    for k in range(14, 0, -1):
        series = series * small + k / math.factorial(k + 1)
    return np.where(near, series, (np.exp(x) - y) / np.where(near, 1, x))


def _boxcox(y: Array, x: Array, power: Array) -> Array:
    flat = np.equal(power, 0)
    p, log = np.where(flat, 1, power), np.log(x)
    return np.where(flat, 0.5 * log * log, (np.power(x, p) * (p * log - 1) + 1) / (p * p))


# By our names, where a function is one of ours, which is the more accurate one, or also has all derivatives.
OURS = {"expit": "sigmoid", "log_expit": "log_sigmoid", "erf": "erf", "erfc": "erfc", "ndtr": "normal_cdf"}
OURS |= {"expm1": "expm1", "log1p": "log1p"}

SLOPES: dict[str, tuple[Callable[..., Any] | None, ...]] = {
    "logit": (lambda y, x: 1 / (x * (1 - x)),),
    "erfcx": (lambda y, x: 2 * x * y - 1 / HALF,),
    "erfinv": (lambda y, x: HALF * np.exp(y * y),),
    "erfcinv": (lambda y, x: -HALF * np.exp(y * y),),
    "dawsn": (lambda y, x: 1 - 2 * x * y,),
    "log_ndtr": (lambda y, x: np.exp(-0.5 * x * x - y) / math.sqrt(2 * math.pi),),
    "ndtri": (lambda y, x: math.sqrt(2 * math.pi) * np.exp(0.5 * y * y),),
    "gamma": (lambda y, x: y * psi(x),),
    "gammaln": (lambda y, x: psi(x),),
    "loggamma": (lambda y, x: psi(x),),
    "rgamma": (lambda y, x: -y * psi(x),),
    "psi": (lambda y, x: zeta(2.0, x),),  # right of 0, as SciPy's own polygamma
    "zeta": (None, lambda y, s, q: -s * zeta(s + 1.0, q)),
    "beta": (lambda y, a, b: y * (psi(a) - psi(a + b)), lambda y, a, b: y * (psi(b) - psi(a + b))),
    "betaln": (lambda y, a, b: psi(a) - psi(a + b), lambda y, a, b: psi(b) - psi(a + b)),
    "gammainc": (None, lambda y, a, x: np.exp((a - 1) * np.log(x) - x - gammaln(a))),
    "gammaincc": (None, lambda y, a, x: -np.exp((a - 1) * np.log(x) - x - gammaln(a))),
    "xlogy": (lambda z, x, y: xlogy(1.0, y), lambda z, x, y: x / y),
    "xlog1py": (lambda z, x, y: xlog1py(1.0, y), lambda z, x, y: x / (1 + y)),
    "entr": (lambda y, x: -np.log(x) - 1,),
    "rel_entr": (lambda z, x, y: np.log(x / y) + 1, lambda z, x, y: -x / y),
    "kl_div": (lambda z, x, y: np.log(x / y), lambda z, x, y: 1 - x / y),
    "exprel": (_exprel,),
    "exp10": (lambda y, x: math.log(10) * y,),
    "cosm1": (lambda y, x: -np.sin(x),),
    "expi": (lambda y, x: np.exp(x) / x,),
    "exp1": (lambda y, x: -np.exp(-x) / x,),
    "spence": (lambda y, x: np.log(x) / (1 - x),),
    "j0": (lambda y, x: -j1(x),),
    "j1": (lambda y, x: 0.5 * (j0(x) - jv(2.0, x)),),
    "jv": (None, lambda y, v, x: 0.5 * (jv(v - 1.0, x) - jv(v + 1.0, x))),
    "y0": (lambda y, x: -y1(x),),
    "y1": (lambda y, x: y0(x) - y / x,),
    "i0": (lambda y, x: i1(x),),
    "i1": (lambda y, x: 0.5 * (i0(x) + iv(2.0, x)),),
    "iv": (None, lambda y, v, x: 0.5 * (iv(v - 1.0, x) + iv(v + 1.0, x))),
    "i0e": (lambda y, x: i1e(x) - np.sign(x) * y,),
    "i1e": (lambda y, x: 0.5 * (i0e(x) + ive(2.0, x)) - np.sign(x) * y,),
    "ive": (None, lambda y, v, x: 0.5 * (ive(v - 1.0, x) + ive(v + 1.0, x)) - np.sign(x) * y),
    "k0": (lambda y, x: -k1(x),),
    "k1": (lambda y, x: -k0(x) - y / x,),
    "huber": (
        lambda y, d, r: np.maximum(np.abs(r) - d, 0),
        lambda y, d, r: np.clip(r, -d, d),
    ),
    "pseudo_huber": (
        lambda y, d, r: 2 * d * (np.hypot(1, r / d) - 1) - r * (r / d) / np.hypot(1, r / d),
        lambda y, d, r: r / np.hypot(1, r / d),
    ),
    "boxcox": (lambda y, x, p: np.power(x, p - 1), _boxcox),
    "inv_boxcox": (lambda x, y, p: np.power(x, 1 - p), None),
}


def find(function: Any) -> Any:
    """The op for a ufunc that is one of SciPy's; None for any other function."""
    name = getattr(function, "__name__", "")
    if not isinstance(function, np.ufunc) or not hasattr(sys.modules.get("scipy.special._ufuncs"), name):
        return None
    name = name.lstrip("_")  # as that of zeta, which is called by a function of Python's
    op = OPS[OURS[name]] if name in OURS else Special(function, SLOPES[name]) if name in SLOPES else None
    if op is not None:
        IMPLEMENTS[function] = op
    return op


IMPLEMENTS.find = find
