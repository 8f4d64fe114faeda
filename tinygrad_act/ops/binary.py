"""Functions of two arrays that are no arithmetic: angles, sums of exponentials, signs, and those that skip nan."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..op import IMPLEMENTS, OPS, Array, Op, register
from .arguments import array
from .arithmetic import Maximum, Minimum, times
from .constant import plain
from .exact import limits


class Hypot(Op):
    """The length of the vector (a, b), without overflow on the way. At (0, 0) both slopes are 0.

    >>> hypot(np.array([3.0, 1e300]), np.array([4.0, 1e300]))
    array([5.00000000e+000, 1.41421356e+300])
    """

    formula = r"\sqrt{a^2 + b^2}"
    rule = {"a": r"\bar y\, \frac{a}{y}", "b": r"\bar y\, \frac{b}{y}"}

    def forward(self, a: Array, b: Array) -> Array:
        return np.hypot(a, b)

    def vjp_a(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        a, b, r = _polar(y, a, b)
        return g * (a / r)

    def vjp_b(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return self.vjp_a(g, y, b, a)


class Arctan2(Op):
    """The angle of the point (b, a), from -π to π. At the origin both slopes are 0.

    >>> arctan2(np.array([1.0, 0.0]), np.array([1.0, -1.0]))
    array([0.78539816, 3.14159265])
    """

    formula = r"\mathrm{arctan2}(a, b)"
    rule = {"a": r"\bar y\, \frac{b}{a^2 + b^2}", "b": r"-\bar y\, \frac{a}{a^2 + b^2}"}

    def forward(self, a: Array, b: Array) -> Array:
        return np.arctan2(a, b)

    def vjp_a(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        a, b, r = _polar(y, a, b)
        beyond = np.abs(plain(b / r)) > limits(y).max * np.minimum(plain(r), 1)
        return g * np.where(beyond, np.copysign(math.inf, b), b / r / np.where(beyond, 1, r))

    def vjp_b(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return -self.vjp_a(g, y, b, a)


def _polar(y: Array, a: Array, b: Array) -> tuple[Array, Array, Array]:
    """Two coordinates, short enough for their distance from the origin, and that; instead of 0 it is 1."""
    most = y.dtype.type(limits(y).max / 2)
    a, b = np.clip(a, -most, most), np.clip(b, -most, most)
    at_origin = np.equal(a, 0) & np.equal(b, 0)
    return a, b, np.where(at_origin, 1, np.hypot(np.where(at_origin, 1, a), b))


class Logaddexp(Op):
    """ln(e^a + e^b), where those would overflow too. At two infinities that are equal each has half of the gradient.

    >>> logaddexp(np.array([0.0, 1000.0]), np.array([0.0, 1000.0]))
    array([6.93147181e-01, 1.00069315e+03])
    """

    formula = r"\ln(e^a + e^b)"
    rule = {"a": r"\bar y\, \mathrm{sigmoid}(a - b)", "b": r"\bar y\, \mathrm{sigmoid}(b - a)"}

    def forward(self, a: Array, b: Array) -> Array:
        return np.logaddexp(a, b)

    def vjp_a(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return g * OPS["sigmoid"](_difference(a, b))

    def vjp_b(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return g * OPS["sigmoid"](_difference(b, a))


class Logaddexp2(Op):
    """The logarithm to base 2 of 2^a + 2^b, where those would overflow too.

    >>> logaddexp2(np.array([0.0, 2000.0]), np.array([0.0, 2000.0]))
    array([1.000e+00, 2.001e+03])
    """

    formula = r"\frac{\ln(2^a + 2^b)}{\ln 2}"
    rule = {"a": r"\bar y\, \mathrm{sigmoid}((a - b) \ln 2)", "b": r"\bar y\, \mathrm{sigmoid}((b - a) \ln 2)"}

    def forward(self, a: Array, b: Array) -> Array:
        return np.logaddexp2(a, b)

    def vjp_a(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return g * OPS["sigmoid"](math.log(2) * _difference(a, b))

    def vjp_b(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return g * OPS["sigmoid"](math.log(2) * _difference(b, a))


def _difference(a: Array, b: Array) -> Array:
    """a - b, cut where e to its power has long no digits; 0 for two infinities that are equal."""
    same = np.isinf(a) & np.equal(a, b)
    return 2 * np.clip(0.5 * np.where(same, 0, a) - 0.5 * np.where(same, 0, b), -1e4, 1e4)


class Fmax(Maximum):
    """The greater of two, or the one that is not nan. At a tie each gets half of the gradient.

    >>> fmax(np.array([1.0, np.nan]), 0)
    array([1., 0.])
    """

    def forward(self, a: Array, b: Array) -> Array:
        return np.fmax(a, b)


class Fmin(Minimum):
    """The lesser of two, or the one that is not nan. At a tie each gets half of the gradient.

    >>> fmin(np.array([1.0, np.nan]), 0)
    array([0., 0.])
    """

    def forward(self, a: Array, b: Array) -> Array:
        return np.fmin(a, b)


class Fmod(Op):
    """What is left of a when b was taken from it as often as it goes, with the sign of a.

    >>> fmod(np.array([5.5, -1.5]), 2.0)
    array([ 1.5, -1.5])
    """

    formula = r"a - b\, \mathrm{sign}(a / b) \lfloor |a / b| \rfloor"
    rule = {"a": r"\bar y", "b": r"-\bar y\, \mathrm{sign}(a / b) \lfloor |a / b| \rfloor"}

    def forward(self, a: Array, b: Array) -> Array:
        return np.fmod(a, b)

    def vjp_a(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return g

    def vjp_b(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return -g * np.copysign(times(y, np.abs(a), np.abs(b)), np.copysign(1.0, plain(a)) * plain(b))


class Copysign(Op):
    """The magnitude of a with the sign of b, which -0.0 has too. At a = 0 it has a corner, and its slope is 0.

    >>> copysign(np.array([1.0, -2.0]), np.array([-0.0, 3.0]))
    array([-1.,  2.])
    """

    formula = r"|a|\, \mathrm{sign}(b)"
    rule = {"a": r"\bar y\, \mathrm{sign}(a)\, \mathrm{sign}(b)", "b": "0"}

    def forward(self, a: Array, b: Array) -> Array:
        return np.copysign(a, b)

    def vjp_a(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return g * np.where(np.signbit(b), -np.sign(a), np.sign(a))

    def vjp_b(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return np.zeros_like(g)


hypot = register(Hypot(), np.hypot)
arctan2 = register(Arctan2(), np.arctan2)
logaddexp = register(Logaddexp(), np.logaddexp)
logaddexp2 = register(Logaddexp2(), np.logaddexp2)
fmax = register(Fmax(), np.fmax)
fmin = register(Fmin(), np.fmin)
fmod = register(Fmod(), np.fmod)
copysign = register(Copysign(), np.copysign)


def float_power(a: Any, b: Any) -> Any:
    """a to the power b, in double."""
    return np.power(*(x.astype(np.float64) if hasattr(x, "astype") else np.asarray(x, np.float64) for x in (a, b)))


def ldexp(x: Any, n: Any) -> Any:
    """x times 2 to the whole number n, a constant: in two halves, of which neither overflows before the result."""
    x, n = array(x), np.asarray(plain(n))
    one = np.ones((), x.dtype)
    return x * np.ldexp(one, n // 2) * np.ldexp(one, n - n // 2)


def frexp(x: Any) -> tuple[Any, Any]:
    """A mantissa from 1/2 to 1, with the sign of x, and the exponent of 2, which is constant."""
    exponent = np.frexp(plain(x))[1]
    return ldexp(x, -exponent), exponent


def modf(x: Any) -> tuple[Any, Any]:
    """What x has after the point, and the whole number before it, which is constant."""
    whole = np.trunc(plain(x))
    return np.where(np.isinf(whole), 0, x - np.where(np.isinf(whole), 0, whole)), whole


def divmod(a: Any, b: Any) -> tuple[Any, Any]:
    """The quotient, rounded down, and the remainder."""
    return np.floor_divide(a, b), np.remainder(a, b)


def nan_to_num(x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Numbers in place of nan and the infinities; no gradient flows into those. TypeError for copy=False."""
    if not copy:
        raise TypeError("nan_to_num(copy=False) would change a Tensor under its graph: leave copy out")
    return np.where(np.isfinite(x), x, np.nan_to_num(plain(x), nan=nan, posinf=posinf, neginf=neginf))


def heaviside(x: Any, h: Any) -> Any:
    """0 below 0, 1 above, and h at 0: it only jumps, so no gradient flows into x."""
    return np.where(np.equal(x, 0), h, np.heaviside(plain(x), 0))


def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: float = 2 * math.pi) -> Any:
    """Angles, with the whole periods added that keep neighbours close; these are constant."""
    angles = plain(p)
    return p + (np.unwrap(angles, discont, axis, period=period) - angles)


IMPLEMENTS |= {
    np.float_power: float_power,
    np.heaviside: heaviside,
    np.ldexp: ldexp,
    np.frexp: frexp,
    np.modf: modf,
    np.divmod: divmod,
    np.nan_to_num: nan_to_num,
    np.unwrap: unwrap,
}
