"""Statistics, made of other functions: averages, medians and quantiles, covariances."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..op import IMPLEMENTS
from .arguments import array, refuse
from .constant import plain
from .reduce import Axis


def _rows(x: Any, axis: Axis) -> tuple[Any, tuple[int, ...]]:
    """The axes to reduce as one, the last; and the shape of the result that keeps them, as axes of length 1."""
    axes = tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim)
    order = (*(i for i in range(x.ndim) if i not in axes), *axes)
    moved = np.transpose(x, order)
    n = math.prod(x.shape[i] for i in axes)
    kept = tuple(1 if i in axes else m for i, m in enumerate(x.shape))
    rows = moved.reshape((*moved.shape[: x.ndim - len(axes)], n))
    nothing = np.full((*rows.shape[:-1], 1), math.nan, x.dtype)  # of which all quantiles are nan
    return rows if n else np.concatenate([rows, nothing], axis=-1), kept


def _read(rows: Any, places: Any, q: Any, kept: tuple[int, ...], keepdims: bool) -> Any:
    """Each row in order, read at these places, between two elements linearly."""
    low = np.floor(places)
    part = places - low
    high = np.where(part > 0, low + 1, low).astype(np.intp)
    dtype = np.result_type(rows.dtype, q.dtype) if q.ndim else rows.dtype  # as NumPy has it
    part = np.where(part > 0, part, 0.5).astype(dtype)  # of twice the same, which may be infinite
    ordered = np.take_along_axis(rows, np.argsort(plain(rows), axis=-1), axis=-1)
    below, above = (np.take_along_axis(ordered, i, axis=-1) for i in (low.astype(np.intp), high))
    y = np.moveaxis(below * (1 - part) + above * part, -1, 0)
    return y.reshape(q.shape + (kept if keepdims else rows.shape[:-1]))


def _quantile(a: Any, q: Any, axis: Axis, keepdims: bool, method: Any = "linear") -> Any:
    """The q-quantile over the given axes, by any of NumPy's methods; nan if one element is."""
    rows, kept = _rows(a, axis)
    places = np.quantile(np.arange(float(rows.shape[-1])), q.reshape(-1), method=method)
    y = _read(rows, np.broadcast_to(places, (*rows.shape[:-1], q.size)), q, kept, keepdims)
    return np.where(np.isnan(a).any(axis=axis, keepdims=keepdims), math.nan, y)


def _quantile_of_numbers(a: Any, q: Any, axis: Axis, keepdims: bool, method: Any = "linear") -> Any:
    """The q-quantile of what is not nan, by the linear method."""
    if method != "linear":
        raise TypeError(f"method={method!r} of a Tensor: only 'linear' skips nan; np.quantile has all")
    rows, kept = _rows(a, axis)
    last = np.maximum((~np.isnan(plain(rows))).sum(axis=-1, keepdims=True) - 1, 0)
    return _read(rows, last * q.reshape(-1), q, kept, keepdims)


def _of_levels(name: str, most: float, of: Callable[..., Any]) -> Callable[..., Any]:
    def at_levels(
        a: Any, q: Any, axis: Axis = None, out: Any = None, overwrite_input: bool = False, method: Any = "linear",
        keepdims: bool = False, *, weights: Any = None,
    ) -> Any:  # fmt: skip
        refuse(name, out=out, overwrite_input=overwrite_input, weights=weights)
        q = np.asarray(q) / most
        if not np.all((q >= 0) & (q <= 1)):
            raise ValueError(f"np.{name}: q is a number from 0 to {most:g}, or an array of them")
        return of(a, q, axis, keepdims, method)

    return at_levels


def _median(name: str, of: Callable[..., Any]) -> Callable[..., Any]:
    def middle(
        a: Any, axis: Axis = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False
    ) -> Any:
        refuse(name, out=out, overwrite_input=overwrite_input)
        return of(a, np.asarray(0.5), axis, keepdims)

    return middle


def ptp(a: Any, axis: Axis = None, out: Any = None, keepdims: bool = False) -> Any:
    """The greatest minus the least."""
    return np.max(a, axis=axis, out=out, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


def average(
    a: Any, axis: Axis = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False
) -> Any:  # fmt: skip
    """The mean with weights, of the shape of a or along the one axis; with `returned` their sum too. Of weights that
    sum to 0 it is nan.
    """
    weights = np.ones(a.shape, a.dtype) if weights is None else array(weights)
    kind = np.result_type(a.dtype, weights.dtype)
    weights = weights if weights.dtype == kind else np.astype(weights, kind)
    if weights.shape != a.shape:
        axes = normalize_axis_tuple(axis if axis is not None else (), a.ndim)
        if weights.shape != tuple(a.shape[i] for i in axes):
            raise ValueError(f"np.average: weights of shape {weights.shape} fit neither {a.shape} nor axis={axis}")
        order = np.argsort(axes).tolist()
        weights = np.transpose(weights, order).reshape(tuple(n if i in axes else 1 for i, n in enumerate(a.shape)))
    weights = np.broadcast_to(weights, a.shape)
    total = np.sum(weights, axis=axis, keepdims=keepdims)
    mean = np.sum(a * weights, axis=axis, keepdims=keepdims) / np.where(np.equal(total, 0), math.nan, total)
    return (mean, total) if returned else mean


def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None, fweights: Any = None,
    aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    """The covariances of variables, the rows, or columns with rowvar=False; weights of observations are constant."""
    x = _variables(m, rowvar)
    x = x if y is None else np.concatenate([x, _variables(y, rowvar)], axis=0)
    x = x.astype(np.result_type(x.dtype, np.float64) if dtype is None else dtype)
    ddof = (0 if bias else 1) if ddof is None else ddof
    weights = None
    for w in (fweights, aweights):
        if w is not None and np.any(np.less(w, 0)):
            raise ValueError("np.cov: weights are not negative")
        weights = w if weights is None else weights if w is None else weights * np.asarray(w)
    if fweights is not None and np.any(np.not_equal(fweights, np.rint(fweights))):
        raise TypeError("np.cov: fweights say how often each observation was made, so they are whole numbers")
    if weights is None:
        d, freedom = x - np.mean(x, axis=1, keepdims=True), x.shape[1] - ddof
        return _drop_axes(d @ d.T / (freedom if freedom > 0 else math.nan))
    weights = np.asarray(weights)
    total = weights.sum()
    lost = 0 if not ddof else ddof if aweights is None else ddof * (weights * aweights).sum() / total
    d = x - np.sum(x * weights, axis=1, keepdims=True) / total
    return _drop_axes((d * weights) @ d.T / (total - lost))


def _variables(m: Any, rowvar: bool) -> Any:
    """An array as rows of observations, each of a variable."""
    if np.ndim(m) > 2:
        raise ValueError(f"np.cov takes at most two axes, not {np.ndim(m)}")
    m = m if hasattr(m, "shape") else np.asarray(m)
    return m.reshape((1, -1)) if m.ndim < 2 else m if rowvar else m.T


def _drop_axes(c: Any) -> Any:
    return c.reshape(()) if c.size == 1 else c


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """The correlations of variables, which are rows, or columns with rowvar=False."""
    c = np.atleast_2d(cov(x, y, rowvar, dtype=dtype))
    variance = np.diagonal(c)
    deviation = np.sqrt(np.where(np.equal(variance, 0), math.nan, variance))
    return _drop_axes(np.clip(c / deviation[:, None] / deviation, -1, 1))


IMPLEMENTS |= {
    np.quantile: _of_levels("quantile", 1.0, _quantile),
    np.percentile: _of_levels("percentile", 100.0, _quantile),
    np.nanquantile: _of_levels("nanquantile", 1.0, _quantile_of_numbers),
    np.nanpercentile: _of_levels("nanpercentile", 100.0, _quantile_of_numbers),
    np.median: _median("median", _quantile),
    np.nanmedian: _median("nanmedian", _quantile_of_numbers),
    np.ptp: ptp,
    np.average: average,
    np.cov: cov,
    np.corrcoef: corrcoef,
}
