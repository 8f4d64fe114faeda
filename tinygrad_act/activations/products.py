"""Products with a parameter, which neither overflow on the way nor lose digits to underflow."""

from __future__ import annotations

import math

import numpy as np

from ..op import Array
from ..ops.exact import limits, split
from .gates import silu
from .sigmoidal import sigmoid


def most(x: Array) -> float:
    """The greatest float of its type."""
    return float(limits(x).max)


def like(a: Array, x: Array) -> Array:
    """A number as one of the dtype of x."""
    return np.asarray(a, x.dtype) if isinstance(a, float) else a


def finite(x: Array) -> Array:
    """x, with the greatest float for infinity."""
    return np.clip(x, -most(x), most(x))


def scaled(a: Array, x: Array) -> Array:
    """a x, where a = 0 silences an infinite x too."""
    return a * np.where(np.equal(a, 0), finite(x), x)


def within(a: Array, x: Array) -> Array:
    """a x, where it would overflow about the greatest float: an argument for functions that are bounded."""
    bound = x.dtype.type(0.999 * most(x)) // (1 + abs(a))  # by //, as no slope is to flow through a bound
    return a * np.clip(x, -bound, bound)


def grown(a: Array, b: Array) -> Array:
    """a b for a, b >= 0: infinite without a warning where it would overflow."""
    bound = np.result_type(a.dtype, b.dtype).type(max(most(a), most(b)))
    return np.where(np.greater_equal(b, bound / np.maximum(a, 1)), np.inf, a) * b


def gated(x: Array, t: Array) -> Array:
    """x sigmoid(t), of which nothing is lost where sigmoid(t) underflows; a shut gate stops an infinite x."""
    c, s = split(t)
    return np.where(t >= 0, x, finite(x)) * sigmoid(c) * s


def silu_slope(t: Array) -> Array:
    """silu'(t)."""
    return silu.derivative(t, t)  # which makes no use of the value


def gated_slope(x: Array, t: Array) -> Array:
    """x silu'(t), of which nothing is lost either."""
    c, s = split(t)
    z = np.clip(t, -1e4, 1e4)  # beyond, a gate is shut
    return np.where(t >= 0, x, finite(x)) * ((1 + z * sigmoid(-z)) * sigmoid(c)) * s


def bell(t: Array) -> Array:
    """The root of sigmoid(t) sigmoid(-t). To every order right at t = 0, where |t| would not be."""
    h = np.exp(-0.5 * np.where(t < 0, -t, t))
    return h / (1 + h * h)


COEFFICIENTS = tuple(1 / math.factorial(k) for k in range(18, 1, -1))


def expm1_minus(x: Array) -> Array:
    """e^x - 1 - x for x <= 0, by its series where that cancels."""
    near = np.maximum(x, -1)
    series = COEFFICIENTS[0]
    for c in COEFFICIENTS[1:]:
        series = series * near + c
    return np.where(x > -1, near * near * series, np.expm1(x) - x)
