"""The methods of ufuncs: `np.add.reduce`, `np.multiply.accumulate`, `np.subtract.outer` and their like."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..op import IMPLEMENTS
from . import masked
from .arguments import array, refuse
from .constant import Constant

REDUCTIONS: dict[np.ufunc, Callable[..., Any]] = {
    np.add: masked.sum,
    np.multiply: masked.prod,
    np.maximum: masked.max,
    np.minimum: masked.min,
}
BINARY: tuple[np.ufunc, ...] = (
    *(np.add, np.subtract, np.multiply, np.divide, np.power, np.float_power, np.hypot, np.remainder, np.floor_divide),
    *(np.maximum, np.minimum, np.fmax, np.fmin, np.arctan2, np.logaddexp, np.logaddexp2, np.fmod, np.copysign),
)
ASSOCIATIVE: tuple[np.ufunc, ...] = (np.maximum, np.minimum, np.fmax, np.fmin, np.logaddexp, np.logaddexp2, np.hypot)
INSTEAD = {
    "at": "np.bincount(i, weights) to add, or np.where for a new Tensor",
    "reduceat": "the reduction of each slice, and np.stack them",
    "reduce": "functools.reduce(np.{name}, t), along the first axis",
    "accumulate": "np.stack(list(itertools.accumulate(t, np.{name}))), along the first axis",
    "outer": "it with axes of length 1, as in t[:, None]",
}


def outer(ufunc: np.ufunc, a: Any, b: Any, **how: Any) -> Any:
    """The ufunc of every element of a and every element of b."""
    refuse(f"{ufunc.__name__}.outer", **how)
    a, b = array(a), array(b)
    return ufunc(a.reshape(a.shape + (1,) * b.ndim), b)


def _part(x: Any, axis: int, start: int | None, end: int | None) -> Any:
    return x[(slice(None),) * axis + (slice(start, end),)]


def reduce_by_halves(
    ufunc: np.ufunc, x: Any, axis: Any = 0, dtype: Any = None, keepdims: bool = False, initial: Any = None,
    where: Any = True,
) -> Any:  # fmt: skip
    """What an associative ufunc makes of all elements along an axis: of halves, of these halves again."""
    refuse(f"{ufunc.__name__}.reduce", where=None if where is True else where)
    x = x if dtype is None else x.astype(dtype)
    axes = tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim)
    for i in axes:
        if x.shape[i] == 0:
            raise ValueError(f"np.{ufunc.__name__}.reduce of no elements (axis {i} of shape {x.shape}) has no value")
        while (n := x.shape[i]) > 1:
            half, rest = n // 2, [_part(x, i, n - 1, n)] * (n % 2)
            x = np.concatenate([ufunc(_part(x, i, 0, half), _part(x, i, half, 2 * half)), *rest], axis=i)
    x = x if keepdims else np.squeeze(x, axes)
    return x if initial is None else ufunc(x, initial)


def accumulate_by_doubling(ufunc: np.ufunc, x: Any, axis: int = 0, dtype: Any = None) -> Any:
    """The running value of an associative ufunc along an axis: of the last 1, 2, 4 ... elements, until it is of all.

    Where a running maximum ties, its gradient is shared, not always evenly.
    """
    x = x if dtype is None else x.astype(dtype)
    axis = normalize_axis_index(axis, x.ndim)
    reach = 1
    while reach < x.shape[axis]:
        later = ufunc(_part(x, axis, reach, None), _part(x, axis, None, -reach))
        x = np.concatenate([_part(x, axis, None, reach), later], axis=axis)
        reach *= 2
    return x


def _from_first(reduce: Callable[..., Any]) -> Callable[..., Any]:
    """A reduction along the first axis, if none is given, as the methods of ufuncs have it."""

    def along(x: Any, axis: Any = 0, **kwargs: Any) -> Any:
        return reduce(x, axis=axis, **kwargs)

    return along


def _refused(ufunc: np.ufunc, method: str) -> Callable[..., NoReturn]:
    def refused(*args: Any, **kwargs: Any) -> NoReturn:
        instead = INSTEAD[method].format(name=ufunc.__name__)
        raise TypeError(f"np.{ufunc.__name__}.{method} of a Tensor has no derivative rule here: write {instead}")

    return refused


def _of_arrays(ufunc: np.ufunc, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is what a ufunc does, told of what else a ufunc can be asked for: that it refuses in words."""
    known = inspect.signature(function).parameters

    @functools.wraps(function)
    def refusing(*arrays: Any, **how: Any) -> Any:
        refuse(ufunc.__name__, **{name: value for name, value in how.items() if name not in known})
        return function(*arrays, **{name: value for name, value in how.items() if name in known})

    return refusing


for _ufunc in BINARY:
    IMPLEMENTS[_ufunc.outer] = functools.partial(outer, _ufunc)
for _ufunc in ASSOCIATIVE:
    IMPLEMENTS[_ufunc.reduce] = functools.partial(reduce_by_halves, _ufunc)
    IMPLEMENTS[_ufunc.accumulate] = functools.partial(accumulate_by_doubling, _ufunc)
for _ufunc, _reduction in REDUCTIONS.items():
    IMPLEMENTS[_ufunc.reduce] = _from_first(_reduction)
IMPLEMENTS[np.add.accumulate] = _from_first(masked.cumsum)
IMPLEMENTS[np.multiply.accumulate] = _from_first(masked.cumprod)
for _ufunc in {f for f in vars(np).values() if isinstance(f, np.ufunc)}:
    if inspect.isfunction(IMPLEMENTS.get(_ufunc)):
        IMPLEMENTS[_ufunc] = _of_arrays(_ufunc, IMPLEMENTS[_ufunc])
    for _method in INSTEAD:
        _function = getattr(_ufunc, _method)
        _constant = _method != "at" and isinstance(IMPLEMENTS.get(_ufunc), Constant)
        IMPLEMENTS.setdefault(_function, Constant(_function) if _constant else _refused(_ufunc, _method))
