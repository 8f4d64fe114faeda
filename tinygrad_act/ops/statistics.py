"""Statistics, made of other functions: averages, medians and quantiles, covariances."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..op import IMPLEMENTS
from .arguments import refuse
from .constant import plain
from .reduce import Axis


def _rows(x: Any, axis: Axis) -> tuple[Any, tuple[int, ...]]:
    """The axes to reduce as one, the last; and the shape of the result that keeps them, as axes of length 1."""
    axes = tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim)
    order = (*(i for i in range(x.ndim) if i not in axes), *axes)
    moved = np.transpose(x, order)
    n = math.prod(x.shape[i] for i in axes)
    kept = tuple(1 if i in axes else m for i, m in enumerate(x.shape))
    return moved.reshape((*moved.shape[: x.ndim - len(axes)], n)), kept


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


def _levels(function: str, q: Any, scale: float) -> Any:
    q = np.asarray(q) / scale
    if q.ndim > 1 or not np.all((q >= 0) & (q <= 1)):
        raise ValueError(f"np.{function}: q is a number from 0 to {scale:g}, or a row of them")
    return q


def quantile(
    x: Any, q: Any, axis: Axis = None, out: Any = None, overwrite_input: bool = False, method: Any = "linear",
    keepdims: bool = False, *, weights: Any = None, scale: float = 1.0,
) -> Any:  # fmt: skip
    """The q-quantile over the given axes, by any of NumPy's methods; nan if one element is. Weights are refused."""
    refuse("quantile", out=out, overwrite_input=overwrite_input, weights=weights)
    q = _levels("quantile", q, scale)
    rows, kept = _rows(x, axis)
    places = np.atleast_1d(np.quantile(np.arange(float(rows.shape[-1])), q, method=method))
    places = np.broadcast_to(places, (*rows.shape[:-1], *places.shape))
    y = _read(rows, places, q, kept, keepdims)
    return np.where(np.isnan(x).any(axis=axis, keepdims=keepdims), math.nan, y)


def nanquantile(
    x: Any, q: Any, axis: Axis = None, out: Any = None, overwrite_input: bool = False, method: Any = "linear",
    keepdims: bool = False, *, weights: Any = None, scale: float = 1.0,
) -> Any:  # fmt: skip
    """The q-quantile of what is not nan, by the linear method."""
    refuse("nanquantile", out=out, overwrite_input=overwrite_input, weights=weights)
    if method != "linear":
        raise TypeError(f"np.nanquantile(method={method!r}) of a Tensor: only 'linear' skips nan; np.quantile has all")
    q = _levels("nanquantile", q, scale)
    rows, kept = _rows(x, axis)
    last = np.maximum((~np.isnan(plain(rows))).sum(axis=-1, keepdims=True) - 1, 0)
    return _read(rows, last * np.atleast_1d(q), q, kept, keepdims)


def percentile(x: Any, q: Any, *args: Any, **kwargs: Any) -> Any:
    """The quantile, of q from 0 to 100."""
    return quantile(x, q, *args, **kwargs, scale=100.0)


def nanpercentile(x: Any, q: Any, *args: Any, **kwargs: Any) -> Any:
    """The quantile of what is not nan, of q from 0 to 100."""
    return nanquantile(x, q, *args, **kwargs, scale=100.0)


def median(x: Any, axis: Axis = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """The middle element over the given axes; of an even number the mean of the two."""
    return quantile(x, 0.5, axis, out, overwrite_input, keepdims=keepdims)


def nanmedian(x: Any, axis: Axis = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """The median of what is not nan."""
    return nanquantile(x, 0.5, axis, out, overwrite_input, keepdims=keepdims)


def ptp(x: Any, axis: Axis = None, out: Any = None, keepdims: bool = False) -> Any:
    """The greatest minus the least."""
    return np.max(x, axis=axis, out=out, keepdims=keepdims) - np.min(x, axis=axis, keepdims=keepdims)


def average(
    x: Any, axis: Axis = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False
) -> Any:  # fmt: skip
    """The mean with weights, of the shape of x or along the one axis; with `returned` their sum too."""
    if weights is None:
        weights = np.ones(x.shape, x.dtype)
    weights = weights if hasattr(weights, "shape") else np.asarray(weights)
    if weights.shape != x.shape:
        axes = normalize_axis_tuple(axis if axis is not None else (), x.ndim)
        if weights.shape != tuple(x.shape[i] for i in axes):
            raise ValueError(f"np.average: weights of shape {weights.shape} fit neither {x.shape} nor axis={axis}")
        order = np.argsort(axes).tolist()
        weights = np.transpose(weights, order).reshape(tuple(n if i in axes else 1 for i, n in enumerate(x.shape)))
    weights = np.broadcast_to(weights, x.shape)
    total = np.sum(weights, axis=axis, keepdims=keepdims)
    mean = np.sum(x * weights, axis=axis, keepdims=keepdims) / total
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
        weights = w if weights is None else weights if w is None else weights * np.asarray(w)
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
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    deviation = np.sqrt(c[np.arange(c.shape[0]), np.arange(c.shape[0])])
    return np.clip(c / deviation[:, None] / deviation, -1, 1)


IMPLEMENTS |= {
    np.quantile: quantile,
    np.nanquantile: nanquantile,
    np.percentile: percentile,
    np.nanpercentile: nanpercentile,
    np.median: median,
    np.nanmedian: nanmedian,
    np.ptp: ptp,
    np.average: average,
    np.cov: cov,
    np.corrcoef: corrcoef,
}
