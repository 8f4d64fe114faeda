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
from .constant import Constant, plain
from .exact import is_narrow


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


psi, zeta, xlogy, xlog1py, gammaln, betaln, exprel = map(
    of_scipy, ("psi", "zeta", "xlogy", "xlog1py", "gammaln", "betaln", "exprel")
)
j0, j1, jv, jve, y0, y1, yv = map(of_scipy, ("j0", "j1", "jv", "jve", "y0", "y1", "yv"))
k0, k1, k0e, k1e, kv, kve = map(of_scipy, ("k0", "k1", "k0e", "k1e", "kv", "kve"))
i0, i1, iv, i0e, i1e, ive = map(of_scipy, ("i0", "i1", "iv", "i0e", "i1e", "ive"))
hyp0f1, hyp1f1, hyp2f1 = map(of_scipy, ("hyp0f1", "hyp1f1", "hyp2f1"))
HALF = 0.5 * math.sqrt(math.pi)


def _exprel(y: Array, x: Array) -> Array:
    """The slope of (e^x - 1) / x: near 0, where the difference would cancel, its series."""
    near = np.abs(plain(x)) < 0.5
    small = np.where(near, x, 0)
    series = 0 * small
    for k in range(14, 0, -1):
        series = series * small + k / math.factorial(k + 1)
    return np.where(near, series, (np.exp(x) - y) / np.where(near, 1, x))


def _boxcox(power: Array, log: Array) -> Array:
    """The slope of (x^p - 1) / p in p, given ln x: as that is ln x (e^u - 1) / u, with u = p ln x."""
    u = power * log
    return log * log * _exprel(exprel(u), u)


def _over(x: Array, y: Array) -> Array:
    """x / y, and 0 where x is: of 0 ln y."""
    nothing = np.equal(x, 0)
    return np.where(nothing, 0, x / np.where(nothing, 1, y))


def _slowing(slope: Callable[[Array], Array], x: Array, size: Array, sign: float, limit: float) -> Array:
    """The slope, but far out, where all its digits would cancel, what it falls like: as 1 / x², and a series."""
    far = plain(size) > (10 if is_narrow(x) else 50)
    v = 1 / np.square(np.where(far, x, 1))
    series = 10395 / 32 + 0 * v
    for c in (945 / 16, 105 / 8, 15 / 4, 3 / 2, 1):
        series = c + sign * v * series
    return np.where(far, -limit * v * series, slope(np.where(far, 1, x)))


def _density(a: Array, x: Array) -> Array:
    """Of the gamma distribution."""
    return np.exp(xlogy(a - 1.0, x) - x - gammaln(a))


def _beta_density(a: Array, b: Array, x: Array) -> Array:
    return np.exp(xlogy(a - 1.0, x) + xlog1py(b - 1.0, -x) - betaln(a, b))


# By our names, where a function is one of ours, which is the more accurate one, or also has all derivatives.
OURS = {"expit": "sigmoid", "log_expit": "log_sigmoid", "erf": "erf", "erfc": "erfc", "ndtr": "normal_cdf"}
OURS |= {name: name for name in ("expm1", "log1p", "cbrt", "exp2")}
JUMP = ("round", "gammasgn")  # which give constants

SLOPES: dict[str, tuple[Callable[..., Any] | None, ...]] = {
    "logit": (lambda y, x: 1 / (x * (1 - x)),),
    "erfcx": (lambda y, x: _slowing(lambda x: 2 * x * y - 1 / HALF, x, x, -1.0, 0.5 / HALF),),
    "erfinv": (lambda y, x: HALF * np.exp(y * y),),
    "erfcinv": (lambda y, x: -HALF * np.exp(y * y),),
    "dawsn": (lambda y, x: _slowing(lambda x: 1 - 2 * x * y, x, np.abs(x), 1.0, 0.5),),
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
    "gammainc": (None, lambda y, a, x: _density(a, x)),
    "gammaincc": (None, lambda y, a, x: -_density(a, x)),
    "xlogy": (lambda z, x, y: xlogy(1.0, y), lambda z, x, y: _over(x, y)),
    "xlog1py": (lambda z, x, y: xlog1py(1.0, y), lambda z, x, y: _over(x, 1 + y)),
    "entr": (lambda y, x: -np.log(x) - 1,),
    "rel_entr": (lambda z, x, y: np.log(x / y) + 1, lambda z, x, y: -_over(x, y)),
    "kl_div": (lambda z, x, y: np.log(x / y), lambda z, x, y: 1 - _over(x, y)),
    "exprel": (_exprel,),
    "exp10": (lambda y, x: math.log(10) * y,),
    "cosm1": (lambda y, x: -np.sin(x),),
    "expi": (lambda y, x: np.exp(x) / x,),
    "exp1": (lambda y, x: -np.exp(-x) / x,),
    "spence": (lambda y, x: -1 / exprel(np.log(x)),),
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
    "boxcox": (lambda y, x, p: np.power(x, p - 1), lambda y, x, p: _boxcox(p, np.log(x))),
    "inv_boxcox": (lambda x, y, p: np.power(x, 1 - p), None),
    "boxcox1p": (lambda y, x, p: np.power(1 + x, p - 1), lambda y, x, p: _boxcox(p, np.log1p(x))),
    "inv_boxcox1p": (lambda x, y, p: np.power(1 + x, 1 - p), None),
    "gammaincinv": (None, lambda x, a, y: 1 / _density(a, x)),
    "gammainccinv": (None, lambda x, a, y: -1 / _density(a, x)),
    "betainc": (None, None, lambda y, a, b, x: _beta_density(a, b, x)),
    "betaincinv": (None, None, lambda x, a, b, y: 1 / _beta_density(a, b, x)),
    "binom": (
        lambda y, n, k: y * (psi(n + 1) - psi(n - k + 1)),
        lambda y, n, k: y * (psi(n - k + 1) - psi(k + 1)),
    ),
    "poch": (lambda y, z, m: y * (psi(z + m) - psi(z)), lambda y, z, m: y * psi(z + m)),
    "erfi": (lambda y, x: np.exp(x * x) / HALF,),
    "ndtri_exp": (lambda y, x: math.sqrt(2 * math.pi) * np.exp(x + 0.5 * y * y),),
    "wrightomega": (lambda y, x: y / (1 + y),),
    "jve": (None, lambda y, v, x: 0.5 * (jve(v - 1.0, x) - jve(v + 1.0, x))),
    "yv": (None, lambda y, v, x: 0.5 * (yv(v - 1.0, x) - yv(v + 1.0, x))),
    "k0e": (lambda y, x: y - k1e(x),),
    "k1e": (lambda y, x: y - k0e(x) - y / x,),
    "kv": (None, lambda y, v, x: -0.5 * (kv(v - 1.0, x) + kv(v + 1.0, x))),
    "kve": (None, lambda y, v, x: y - 0.5 * (kve(v - 1.0, x) + kve(v + 1.0, x))),
    "hyp0f1": (None, lambda y, b, x: hyp0f1(b + 1.0, x) / b),
    "hyp1f1": (None, None, lambda y, a, b, x: a / b * hyp1f1(a + 1.0, b + 1.0, x)),
    "hyp2f1": (None, None, None, lambda y, a, b, c, x: a * b / c * hyp2f1(a + 1.0, b + 1.0, c + 1.0, x)),
}


def find(function: Any) -> Any:
    """The op for a ufunc that is one of SciPy's, or NumPy's `clip` of a method; None for any other function."""
    name = getattr(function, "__name__", "")
    if not isinstance(function, np.ufunc):
        return None
    if name == "clip":  # which NumPy has under no name
        return IMPLEMENTS[np.clip]
    scipys: Any = getattr(sys.modules.get("scipy.special._ufuncs"), name, None)
    if function is not scipys:
        return None
    name = name.lstrip("_")  # as that of zeta, which is called by a function of Python's
    op: Any = OPS[OURS[name]] if name in OURS else Special(function, SLOPES[name]) if name in SLOPES else None
    op = Constant(function) if name in JUMP else op
    if op is not None:
        IMPLEMENTS[function] = op
    return op


IMPLEMENTS.find = find
