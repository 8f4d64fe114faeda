"""Products without rounding, for functions that would magnify its error: e^{-x²} far out, sin(30 x), e^{1.702 x}."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..op import Array


def product(a: Array, b: Array) -> tuple[Array, Array]:
    """(p, r): a b rounded, and what was lost, so that p + r is the exact product (Dekker, 1971).

    `b` is an array of floats; `a` one like it or a number, of which all digits count, also those that float32 has not.
    """
    rest: Any = 0
    if isinstance(a, float):
        a, rest = b.dtype.type(a), a - float(b.dtype.type(a))
    p = a * b
    (a1, a2), (b1, b2) = halves(a), halves(b)
    r = ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2
    return p, r + rest * b if rest else r


def quotient(a: Array, b: float) -> tuple[Array, Array]:
    """(q, r): a / b rounded, and what was lost, so that q + r is the quotient to nearly twice the digits."""
    q = a / b
    p, lost = product(b, q)
    return q, ((a - p) - lost) / b


def halves(a: Array) -> tuple[Array, Array]:
    """a as the sum of two numbers of half its digits, whose products are exact (Veltkamp, 1968)."""
    far = a * (2.0 ** (limits(a).nmant // 2 + 1) + 1)
    high = far - (far - a)
    return high, a - high


def through_double(f: Callable[[Array], Array], x: Array) -> Array:
    """f(x), of narrower floats computed in double and rounded once: NumPy's exp of float32 is up to 2.4 ULP off."""
    return f(x.astype(np.float64)).astype(x.dtype) if is_narrow(x) else f(x)


def is_narrow(x: Array) -> bool:
    """Whether x is of float32 or less, and shorter polynomials do."""
    return bool(x.dtype.kind == "f" and x.dtype.itemsize < 8)


def through_single(method: Callable[..., Array]) -> Callable[..., Array]:
    """A forward or a derivative that computes float16 in float32, as what it needs on the way is beyond 65504."""

    @functools.wraps(method)
    def wrapped(self: Any, *arrays: Array) -> Array:
        if arrays[-1].dtype != np.float16:
            return method(self, *arrays)
        return method(self, *(a.astype(np.float32) for a in arrays)).astype(np.float16)

    return wrapped


def exp_of_product(a: Array, b: Array) -> tuple[Array, Array]:
    """(e, s), for a b <= 0: e^{a b} = e s as accurate as exp, and to be multiplied by what may be large before s."""
    p, r = product(a, b)
    c, s = split(p)
    e = np.exp(c)
    return e + e * r, s


def split(w: Array) -> tuple[Array, Array]:
    """(c, s), for w <= 0 with e^w = e^c s: so that x e^w can be (x e^c) s, and lose nothing where e^w underflows."""
    low = lowest(w)
    return np.maximum(w, low), np.exp(np.minimum(w - low, 0))


def lowest(x: Array) -> float:
    """Where e^x, in the dtype of x, still has some way to go before it underflows."""
    return -80.0 if is_narrow(x) else -700.0


def limits(x: Array) -> np.finfo[Any]:
    """The limits of the floats that x is of, or that integers become; of longer ones than double, those of double."""
    return np.finfo(x.dtype if x.dtype.char in "efd" else np.float64)
