"""Reductions with all that NumPy's take: of chosen elements, in another dtype, from a start; and past nan."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..op import IMPLEMENTS, Array, Op
from . import reduce
from .arguments import refuse
from .constant import plain
from .reduce import Axis


def _or_plainly(op: Op) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Most calls give the array alone, and go straight to the op."""

    def decorate(general: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(general)
        def function(a: Any, *more: Any, **given: Any) -> Any:
            return general(a, *more, **given) if more or given else op(a)

        return function

    return decorate


def _chosen(function: str, x: Any, dtype: Any, out: Any, where: Any, otherwise: float) -> Any:
    """The elements to reduce, in their dtype, with what changes nothing in place of the others."""
    refuse(function, out=out)
    x = x if dtype is None else x.astype(dtype)
    return x if where is True else np.where(plain(where), x, otherwise)


@_or_plainly(reduce.sum)
def sum(
    a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None,
    where: Any = True,
) -> Any:  # fmt: skip
    """The sum over the given axes, of what `where` chooses, and of `initial`."""
    y = reduce.Sum(axis, keepdims)(_chosen("sum", a, dtype, out, where, 0))
    return y if initial is None else y + initial


@_or_plainly(reduce.prod)
def prod(
    a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None,
    where: Any = True,
) -> Any:  # fmt: skip
    """The product over the given axes, of what `where` chooses, and of `initial`."""
    y = reduce.Prod(axis, keepdims)(_chosen("prod", a, dtype, out, where, 1))
    return y if initial is None else y * initial


def _extremum(op: Any, function: str, ufunc: Any, least: float) -> Callable[..., Any]:
    @_or_plainly(op)
    def extremum(
        a: Any, axis: Axis = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
    ) -> Any:
        if where is not True and initial is None:
            raise ValueError(f"np.{function}(where=...) may choose nothing: give it an initial value too")
        if a.size == 0 and initial is not None:
            return reduce.Sum(axis, keepdims)(a) + initial
        y = type(op)(axis, keepdims)(_chosen(function, a, None, out, where, least))
        return y if initial is None else ufunc(y, initial)

    return extremum


max = _extremum(reduce.max, "max", np.maximum, -math.inf)
min = _extremum(reduce.min, "min", np.minimum, math.inf)


def _counted(x: Any, axis: Axis, keepdims: bool, where: Any, fewer: float = 0) -> Array:
    """How many elements are chosen, less `fewer`; where none are left nan, as what to divide by."""
    n = np.broadcast_to(plain(where), x.shape).sum(axis=axis, keepdims=keepdims) - fewer
    return np.where(n > 0, n, math.nan).astype(x.dtype)


@_or_plainly(reduce.mean)
def mean(
    a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True
) -> Any:
    """The mean over the given axes, of what `where` chooses."""
    a = _chosen("mean", a, dtype, out, where, 0)
    if where is True:
        return reduce.Mean(axis, keepdims)(a)
    return reduce.Sum(axis, keepdims)(a) / _counted(a, axis, keepdims, where)


def _spread(root: bool) -> Callable[..., Any]:
    op = reduce.std if root else reduce.var

    @_or_plainly(op)
    def spread(
        a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False, *,
        where: Any = True, mean: Any = None, correction: Any = None,
    ) -> Any:  # fmt: skip
        a = _chosen(op.name, a, dtype, out, where, 0)
        if correction is not None:
            if ddof != 0:
                raise ValueError(f"np.{op.name} takes ddof or correction, which are the same, but not both")
            ddof = correction
        if where is True and mean is None:
            return type(op)(axis, keepdims, ddof)(a)
        if mean is None:
            mean = reduce.Sum(axis, True)(a) / _counted(a, axis, True, where)
        squares = reduce.Sum(axis, keepdims)(np.where(plain(where), np.square(a - mean), 0))
        variance = squares / _counted(a, axis, keepdims, where, ddof)
        return _root(variance) if root else variance

    spread.__doc__ = f"NumPy's {op.name}, of what `where` chooses, about `mean`."
    return spread


def _root(x: Any) -> Any:
    """The root; its slope at 0, where that is infinite, is 0."""
    is_zero = np.equal(x, 0)
    return np.where(is_zero, 0, np.sqrt(np.where(is_zero, 1, x)))


var, std = _spread(root=False), _spread(root=True)


def cumsum(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
    """The running sum along an axis; of the raveled array when there is none."""
    return reduce.Cumsum(axis)(_chosen("cumsum", a, dtype, out, True, 0))


def cumprod(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
    """The running product along an axis; of the raveled array when there is none."""
    return reduce.Cumprod(axis)(_chosen("cumprod", a, dtype, out, True, 0))


def _cumulative(running: Callable[..., Any], function: str, start: float) -> Callable[..., Any]:
    def cumulative(
        x: Any, *, axis: int | None = None, dtype: Any = None, out: Any = None, include_initial: bool = False
    ) -> Any:
        if axis is None and x.ndim != 1:
            raise ValueError(f"np.{function} of {x.ndim} axes: say along which, as in axis=0")
        y = running(x, axis or 0, dtype, out)
        if not include_initial:
            return y
        shape = tuple(1 if i == (axis or 0) % x.ndim else n for i, n in enumerate(y.shape))
        return np.concatenate([np.full(shape, start, y.dtype), y], axis=axis or 0)

    return cumulative


def _skipping_nan(function: Callable[..., Any]) -> Callable[..., Any]:
    def of_numbers(a: Any, *args: Any, where: Any = True, **kwargs: Any) -> Any:
        present = ~np.isnan(plain(a)) & plain(where)
        return function(np.where(present, a, 0), *args, where=present, **kwargs)

    return of_numbers


def _running_past_nan(running: Callable[..., Any], nothing: float) -> Callable[..., Any]:
    def past_nan(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
        return running(np.where(np.isnan(a), nothing, a), axis, dtype, out)

    return past_nan


def _extremum_of_numbers(extremum: Callable[..., Any], least: float) -> Callable[..., Any]:
    def of_numbers(
        a: Any, axis: Axis = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
    ) -> Any:
        present = ~np.isnan(plain(a)) & plain(where)
        y = extremum(np.where(present, a, least), axis, out, keepdims, initial)
        return np.where(present.any(axis=axis, keepdims=keepdims), y, math.nan) if initial is None else y

    return of_numbers


IMPLEMENTS |= {
    np.sum: sum,
    np.prod: prod,
    np.max: max,
    np.amax: max,
    np.min: min,
    np.amin: min,
    np.mean: mean,
    np.var: var,
    np.std: std,
    np.cumsum: cumsum,
    np.cumprod: cumprod,
    np.cumulative_sum: _cumulative(cumsum, "cumulative_sum", 0.0),
    np.cumulative_prod: _cumulative(cumprod, "cumulative_prod", 1.0),
    np.nansum: _skipping_nan(sum),
    np.nanprod: _skipping_nan(prod),
    np.nanmean: _skipping_nan(mean),
    np.nanvar: _skipping_nan(var),
    np.nanstd: _skipping_nan(std),
    np.nanmax: _extremum_of_numbers(max, -math.inf),
    np.nanmin: _extremum_of_numbers(min, math.inf),
    np.nancumsum: _running_past_nan(cumsum, 0.0),
    np.nancumprod: _running_past_nan(cumprod, 1.0),
}
