"""Differences, integrals, convolutions, polynomials and interpolation, as NumPy has them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..op import IMPLEMENTS, Array, Op, register
from .constant import plain
from .indexing import Scatter


class Convolve(Op):
    """All sums of products of two rows, of which one runs backwards along the other.

    >>> convolve(np.array([1.0, 2.0]), np.array([1.0, 0.0, 3.0]))
    array([1., 2., 3., 6.])
    """

    formula = r"y_k = \sum_i a_i v_{k-i}"
    rule = {"a": r"\bar a_i = \sum_k \bar y_k v_{k-i}", "v": r"\bar v_j = \sum_k \bar y_k a_{k-j}"}

    def forward(self, a: Array, v: Array) -> Array:
        return np.convolve(a, v)

    def vjp_a(self, g: Array, y: Array, a: Array, v: Array) -> Array:
        n, m = a.shape[0], v.shape[0]
        return np.convolve(g, v[::-1])[m - 1 : m - 1 + n]

    def vjp_v(self, g: Array, y: Array, a: Array, v: Array) -> Array:
        return self.vjp_a(g, y, v, a)


_convolve = register(Convolve())


def _array(x: Any) -> Any:
    return x if hasattr(x, "ndim") else np.asarray(x)


def _row(x: Any) -> Any:
    x = _array(x)
    return x if x.ndim else x.reshape((1,))


def _part(full: Any, a: Any, v: Any, mode: str, before: int) -> Any:
    """Of a full convolution what the mode asks for; of its middle, `before` are left out in front."""
    most, least = max(a.size, v.size), min(a.size, v.size)
    parts = {"full": (0, most + least - 1), "same": (before, before + most), "valid": (least - 1, most)}
    if mode not in parts:
        raise ValueError(f"mode is 'full', 'same' or 'valid', not {mode!r}")
    start, end = parts[mode]
    return full[start:end]


def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """The convolution of two rows."""
    a, v = _row(a), _row(v)
    return _part(_convolve(a, v), a, v, mode, (min(a.size, v.size) - 1) // 2)


def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """The sums of products of two rows, of which one is shifted along the other."""
    a, v = _row(a), _row(v)
    least = min(a.size, v.size)
    return _part(_convolve(a, v[::-1]), a, v, mode, (least - 1) // 2 if a.size >= v.size else least // 2)


def _along(x: Any, axis: int, start: int | None, end: int | None) -> Any:
    return x[(slice(None),) * axis + (slice(start, end),)]


def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """The differences of neighbours along an axis, n times over, with what is put before and after."""
    if n < 0:
        raise ValueError(f"np.diff takes a number of times, not {n}")
    x = _array(x)
    axis = normalize_axis_index(axis, x.ndim)
    if n == 0:
        return x
    one = tuple(1 if i == axis else m for i, m in enumerate(x.shape))
    ends = [e if e is None or np.ndim(e) else np.broadcast_to(_array(e), one) for e in (prepend, append)]
    given = [_array(part) for part in (ends[0], x, ends[1]) if part is not None]
    x = np.concatenate(given, axis=axis) if len(given) > 1 else x
    for _ in range(n):
        x = _along(x, axis, 1, None) - _along(x, axis, None, -1)
    return x


def ediff1d(x: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """The differences of neighbours in the raveled array, between what begins and what ends them."""
    differences = diff(np.ravel(_array(x)))
    given = (to_begin, differences, to_end)
    return np.concatenate([np.ravel(_array(part)).astype(differences.dtype) for part in given if part is not None])


def gradient(f: Any, *spacings: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """The slopes of f along each axis, by central differences, at the ends by one-sided ones of the order given."""
    f = _array(f)
    axes = tuple(range(f.ndim)) if axis is None else normalize_axis_tuple(axis, f.ndim)
    if len(spacings) not in (0, 1, len(axes)) or (len(spacings) == 1 and np.ndim(spacings[0]) and len(axes) > 1):
        raise TypeError(f"np.gradient along {len(axes)} axes takes as many spacings, or one number for all of them")
    if edge_order not in (1, 2):
        raise ValueError(f"np.gradient(edge_order={edge_order}): it is 1 or 2")
    each = spacings if len(spacings) == len(axes) else (spacings or (1.0,)) * len(axes)
    slopes = tuple(_slope(f, h, i, edge_order) for h, i in zip(each, axes, strict=True))
    return slopes[0] if len(axes) == 1 else slopes


def _slope(f: Any, spacing: Any, axis: int, edge_order: int) -> Any:
    """The slopes along one axis: on parabolas through three neighbours, at the ends on these or on lines."""
    n = f.shape[axis]
    if n <= edge_order:
        raise ValueError(f"np.gradient needs {edge_order + 1} elements along axis {axis}, and has {n}")
    places = _array(spacing)
    steps = (diff(places) if places.ndim else places * np.ones(n - 1)).astype(f.dtype)
    steps = steps.reshape((-1,) + (1,) * (f.ndim - axis - 1))
    lines = diff(f, axis=axis) / steps
    first, last = _along(lines, axis, None, 1), _along(lines, axis, -1, None)
    if n == 2:
        return np.concatenate([first, last], axis=axis)
    before, after = steps[:-1], steps[1:]
    left, right = _along(lines, axis, None, -1), _along(lines, axis, 1, None)
    inner = (after * left + before * right) / (before + after)
    if edge_order == 2:
        first, last = 2 * first - _along(inner, axis, None, 1), 2 * last - _along(inner, axis, -1, None)
    return np.concatenate([first, inner, last], axis=axis)


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral of y over x, or over steps dx, along an axis: the areas under straight lines between the points."""
    y = _array(y)
    axis = normalize_axis_index(axis, y.ndim)
    if x is not None:
        x = _array(x)
        dx = diff(x) if x.ndim == 1 else diff(x, axis=axis)
        dx = dx.reshape((-1,) + (1,) * (y.ndim - axis - 1)) if x.ndim == 1 else dx
    return np.sum(dx * (_along(y, axis, 1, None) + _along(y, axis, None, -1)) / 2.0, axis=axis)


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """The cross product of vectors of three, along an axis of each. ValueError for vectors of two: write it out."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = np.moveaxis(_array(a), axisa, -1), np.moveaxis(_array(b), axisb, -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ValueError("np.cross takes vectors of three; of two, write a[0] * b[1] - a[1] * b[0]")
    after, last = np.array([1, 2, 0]), np.array([2, 0, 1])
    return np.moveaxis(a[..., after] * b[..., last] - a[..., last] * b[..., after], -1, axisc)


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The powers of each element in a row, the highest first unless they are increasing."""
    powers = np.arange(x.size if N is None else N)
    return x[:, None] ** (powers if increasing else powers[::-1])


def polyval(p: Any, x: Any) -> Any:
    """The polynomial with coefficients p, the highest first, at x."""
    p, x = _array(p), _array(x)
    y = np.zeros_like(x)
    for k in range(p.shape[0]):
        y = y * x + p[k]
    return y


def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """The sum of the weights of each whole number in x, which are constant."""
    x = _array(plain(x))
    n = max(minlength, int(x.max(initial=-1)) + 1)
    return Scatter(x, (n,))(_array(weights).astype(np.float64))


def _at(x: Any, i: Any) -> Any:
    """x[i], whichever of the two is traced or a Tensor."""
    return np.take_along_axis(x, i, axis=0)


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """The straight lines through the points (xp, fp), read at x; xp is constant and increasing.

    At a point the slope in x is that of the line after it. Beyond them it is 0. TypeError for a period.
    """
    if period is not None:
        raise TypeError(
            "np.interp(period=...) of a Tensor is not known here: give np.mod(x, period) and a closed xp, fp"
        )
    x, xp, fp = _array(x), _array(plain(xp)), _array(fp)
    shape, x = x.shape, x.reshape((-1,))
    at = plain(x)
    i = np.clip(np.searchsorted(xp, at, side="right") - 1, 0, max(len(xp) - 2, 0))
    j = np.minimum(i + 1, len(xp) - 1)
    start, step = _at(xp, i), _at(xp, j) - _at(xp, i)
    slope = (_at(fp, j) - _at(fp, i)) / np.where(step > 0, step, 1)
    inside = (at >= xp[0]) & (at < xp[-1])
    y = _at(fp, i) + slope * (np.where(inside, x, start) - start)
    y = np.where(at < xp[0], fp[0] if left is None else left, y)
    y = np.where(at >= xp[-1], fp[-1], y)
    y = y if right is None else np.where(at > xp[-1], right, y)
    return np.where(np.isnan(at), x, y).reshape(shape)


IMPLEMENTS |= {
    np.convolve: convolve,
    np.correlate: correlate,
    np.diff: diff,
    np.ediff1d: ediff1d,
    np.gradient: gradient,
    np.trapezoid: trapezoid,
    np.cross: cross,
    np.vander: vander,
    np.polyval: polyval,
    np.bincount: bincount,
    np.interp: interp,
}
