"""Picking elements by index, and its transpose: adding numbers into the places they were picked from."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, field
from operator import getitem
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..op import IMPLEMENTS, Array, Node, Op, register
from .arguments import array, refuse


@dataclass(frozen=True, eq=False)
class Getitem(Op):
    """x[index], with any index that NumPy takes; `once` says that it picks no place twice.

    >>> Getitem((slice(None), 1))(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([2., 4.])
    """

    index: Any = ()
    once: bool = field(default=False, repr=False)
    formula = r"y = x_{\mathrm{index}}"
    rule = {"x": r"\bar x_{\mathrm{index}} \mathrel{+}= \bar y"}

    def forward(self, x: Array) -> Array:
        return x[self.index]

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        return Scatter(self.index, x.shape, self.once)(g)


@dataclass(frozen=True, eq=False)
class Scatter(Op):
    """Zeros of a shape, with x added at an index: what is picked twice is added twice.

    >>> Scatter(np.array([0, 0, 2]), (4,))(np.array([1.0, 2.0, 3.0]))
    array([3., 0., 3., 0.])
    """

    index: Any = ()
    shape: tuple[int, ...] = ()
    once: bool = field(default=False, repr=False)
    formula = r"y_{\mathrm{index}} \mathrel{+}= x"
    rule = {"x": r"\bar y_{\mathrm{index}}"}

    def forward(self, x: Array) -> Array:
        size = math.prod(self.shape)
        if self.once or _picks_once(self.index):
            y = np.zeros_like(x, shape=self.shape)
            y[self.index] = x
        elif len(self.shape) == 1 or 4 * x.size < size or not _is_plain(self.index):
            y = np.zeros_like(x, shape=self.shape)
            np.add.at(y, self.index, x)
        else:  # NumPy adds to numbered places of a row several times as fast as to rows
            places = np.arange(size).reshape(self.shape)[self.index]
            y = np.zeros_like(x, shape=(size,))
            np.add.at(y, places.reshape(-1), x.reshape(-1))
            y = y.reshape(self.shape)
        return y

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        return Getitem(self.index, self.once)(g)


def _picks_once(index: Any) -> bool:
    """Whether an index is made of slices, whole numbers, None, Ellipsis and masks, which pick no place twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(part is None or part is Ellipsis or type(part) in (slice, int) or _is_mask(part) for part in parts)


def _is_plain(index: Any) -> bool:
    """Whether an index holds arrays that have numbers, as those have not that a compiled step is traced with."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(issubclass(type(part), np.ndarray | np.generic) or not hasattr(part, "dtype") for part in parts)


def _is_mask(part: Any) -> bool:
    return isinstance(part, np.ndarray) and part.dtype.kind == "b"


register(Getitem())
register(Scatter())


def index(x: Any, index: Any) -> Any:
    """x[index]: Tensors in an index count as constants, and TypeError tells of those that hold floats."""
    if type(index) is tuple:
        index = tuple(plain_index(part) for part in index)
    elif type(index) is not int and type(index) is not slice:
        index = plain_index(index)
    return Getitem(index)(x)


def plain_index(part: Any) -> Any:
    """Part of an index as NumPy takes it: a list as an array that nobody else holds, a Tensor as what it holds."""
    if isinstance(part, list):
        part = np.asarray(part) if part else np.empty(0, np.intp)
    if isinstance(part, Node):
        part = part._array
    if getattr(getattr(part, "dtype", None), "kind", "") == "f":
        raise TypeError(
            "getitem: an index is made of whole numbers or truths, and this one holds floats.\n"
            "  Write t.data.astype(int) for the numbers, or t > 0 for a mask."
        )
    return part


def take(a: Any, indices: Any, axis: int | None = None, out: Any = None, mode: str = "raise") -> Any:
    """The elements at these positions along an axis; of the raveled array when there is none.

    `mode` says what becomes of a position that is not there: an IndexError, the nearest ("clip"), or that left after
    going round ("wrap").
    """
    refuse("take", out=out)
    a, axis = (np.ravel(a), 0) if axis is None else (a, normalize_axis_index(axis, np.ndim(a)))
    places, n = plain_index(array(indices)), a.shape[axis]
    if mode not in ("raise", "clip", "wrap"):
        raise ValueError(f"take: mode is 'raise', 'clip' or 'wrap', not {mode!r}")
    if mode != "raise":
        places = np.clip(places, 0, n - 1) if mode == "clip" else places % n
    return a[(slice(None),) * axis + (places,)]


def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    """For each row along an axis, its elements at the positions in the same row of `indices`."""
    return along(arr, plain_index(indices), axis, once=False)


def along(x: Any, indices: Any, axis: int | None, once: bool) -> Any:
    """`take_along_axis`, told whether the indices pick each element at most once."""
    if axis is None:
        return Getitem(indices, once)(np.ravel(x))
    places = list(np.ix_(*(np.arange(n) for n in x.shape)))
    places[normalize_axis_index(axis, x.ndim)] = indices
    return Getitem(tuple(places), once)(x)


def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each element so many times in a row along an axis; of the raveled array when there is none."""
    a, axis = (np.ravel(a), 0) if axis is None else (a, normalize_axis_index(axis, a.ndim))
    if np.size(repeats) == 1:  # then the gradient is a plain sum
        times = operator.index(np.asarray(repeats).item())
        stretched = np.broadcast_to(np.expand_dims(a, axis + 1), (*a.shape[: axis + 1], times, *a.shape[axis + 1 :]))
        return np.reshape(stretched, (*a.shape[:axis], times * a.shape[axis], *a.shape[axis + 1 :]))
    return take(a, np.repeat(np.arange(a.shape[axis]), repeats), axis)


IMPLEMENTS |= {getitem: index, np.take: take, np.take_along_axis: take_along_axis, np.repeat: repeat}
