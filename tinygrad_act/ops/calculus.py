"""Differences, integrals, convolutions, polynomials and interpolation, as NumPy has them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..op import IMPLEMENTS, Array, Op, register
from .arguments import array, refuse
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


def _row(x: Any) -> Any:
    x = array(x)
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


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """The differences of neighbours along an axis, n times over, with what is put before and after."""
    if n < 0:
        raise ValueError(f"np.diff takes a number of times, not {n}")
    a = array(a)
    axis = normalize_axis_index(axis, a.ndim)
    if n == 0:
        return a
    one = tuple(1 if i == axis else m for i, m in enumerate(a.shape))
    ends = [e if e is None or np.ndim(e) else np.broadcast_to(array(e), one) for e in (prepend, append)]
    given = [array(part) for part in (ends[0], a, ends[1]) if part is not None]
    a = np.concatenate(given, axis=axis) if len(given) > 1 else a
    for _ in range(n):
        a = _along(a, axis, 1, None) - _along(a, axis, None, -1)
    return a


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """The differences of neighbours in the raveled array, between what begins and what ends them."""
    differences = diff(np.ravel(array(ary)))
    given = (to_begin, differences, to_end)
    return np.concatenate([np.ravel(array(part)).astype(differences.dtype) for part in given if part is not None])


def gradient(f: Any, *spacings: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """The slopes of f along each axis, by central differences, at the ends by one-sided ones of the order given."""
    f = array(f)
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
    places = array(spacing)
    steps = (diff(places) if places.ndim else np.broadcast_to(places, (n - 1,))).astype(f.dtype)
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
    y, given = array(y), axis
    axis = normalize_axis_index(axis, y.ndim)
    if x is not None:
        x = array(x)
        dx = diff(x, axis=given) if x.ndim > 1 else diff(x).reshape((-1,) + (1,) * (y.ndim - axis - 1))
    return np.sum(dx * (_along(y, axis, 1, None) + _along(y, axis, None, -1)) / 2.0, axis=axis)


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """The cross product of vectors of three, along an axis of each. ValueError for vectors of two: write it out."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = np.moveaxis(array(a), axisa, -1), np.moveaxis(array(b), axisb, -1)
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
    p, x = array(p), array(x)
    y = np.zeros_like(x)
    for k in range(p.shape[0]):
        y = y * x + p[k]
    return y


def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """The sum of the weights of each whole number in x, which are constant; without weights, how often it is there."""
    counts = np.bincount(plain(x), minlength=minlength)
    if weights is None:
        return counts
    return Scatter(np.asarray(plain(x), np.intp), counts.shape)(array(weights).astype(np.float64))


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
    axis: int = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    """So many numbers from one to the other, at equal distances, along a new axis; with `retstep` these too."""
    refuse("linspace", device=device)
    kind = np.result_type(*(x if isinstance(x, int | float) else array(x).dtype for x in (start, stop)), 0.0)
    start, stop = (np.astype(array(x), kind) for x in (start, stop))
    step = (stop - start) / (num - bool(endpoint) if num > bool(endpoint) else math.nan)
    places = np.arange(num, dtype=step.dtype).reshape((-1,) + (1,) * step.ndim)
    y = start + (places * step if num > 1 else places)  # which is 0
    if endpoint and num > 1:
        y = np.concatenate([y[:-1], np.broadcast_to(stop, (1, *step.shape))])
    y = np.moveaxis(y if dtype is None else np.astype(y, dtype), 0, axis)
    return (y, step) if retstep else y


def _at(x: Any, i: Any) -> Any:
    """x[i], whichever of the two is traced or a Tensor."""
    return np.take_along_axis(x, i, axis=0)


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """The straight lines through the points (xp, fp), read at x; xp increases, or is put in order within a period.

    At a point the slope in x is that of the line after it. Beyond them it is 0. ValueError for no points, and for rows
    of different lengths.
    """
    x, xp, fp = (np.astype(array(a), np.float64) for a in (x, xp, fp))  # as NumPy has it
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise ValueError(f"np.interp: xp and fp are rows of one length, not of the shapes {xp.shape} and {fp.shape}")
    if period is not None:
        x, xp, left, right = np.mod(x, abs(period)), np.mod(xp, abs(period)), None, None
        order = np.argsort(plain(xp))
        xp, fp = xp[order], fp[order]
        xp = np.concatenate([xp[-1:] - abs(period), xp, xp[:1] + abs(period)])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
    shape, x = x.shape, x.reshape((-1,))
    at, points = plain(x), plain(xp)
    i = np.maximum(np.searchsorted(points, at, side="right") - 1, 0)
    j = np.minimum(i + 1, len(points) - 1)
    start, step = _at(xp, i), _at(xp, j) - _at(xp, i)
    slope = (_at(fp, j) - _at(fp, i)) / np.where(step > 0, step, 1)
    inside = (at >= points[0]) & (at < points[-1])
    y = _at(fp, i) + slope * (np.where(inside, x, start) - start)
    y = np.where(at < points[0], fp[0] if left is None else left, y)
    y = np.where(at >= points[-1], fp[-1], y)
    y = y if right is None else np.where(at > points[-1], right, y)
    return np.where(np.isnan(at), x, y).reshape(shape)


IMPLEMENTS |= {
    np.convolve: convolve,
    np.correlate: correlate,
    np.diff: diff,
    np.ediff1d: ediff1d,
    np.gradient: gradient,
    np.trapezoid: trapezoid,
    getattr(np, "trapz", np.trapezoid): trapezoid,  # its old name
    np.cross: cross,
    np.vander: vander,
    np.polyval: polyval,
    np.bincount: bincount,
    np.interp: interp,
    np.linspace: linspace,
}
