"""Picking elements by index, and its transpose: adding numbers into the places they were picked from."""

from __future__ import annotations

from dataclasses import dataclass
from operator import getitem
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..op import IMPLEMENTS, Array, Op, register


@dataclass(frozen=True, eq=False)
class Getitem(Op):
    """x[index], with any index that NumPy takes.

    >>> Getitem((slice(None), 1))(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([2., 4.])
    """

    index: Any = ()
    formula = r"y = x_{\mathrm{index}}"
    rule = {"x": r"\bar x_{\mathrm{index}} \mathrel{+}= \bar y"}

    def forward(self, x: Array) -> Array:
        return x[self.index]

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        return Scatter(self.index, x.shape)(g)


@dataclass(frozen=True, eq=False)
class Scatter(Op):
    """Zeros of a shape, with x added at an index: what is picked twice is added twice.

    >>> Scatter(np.array([0, 0, 2]), (4,))(np.array([1.0, 2.0, 3.0]))
    array([3., 0., 3., 0.])
    """

    index: Any = ()
    shape: tuple[int, ...] = ()
    formula = r"y_{\mathrm{index}} \mathrel{+}= x"
    rule = {"x": r"\bar y_{\mathrm{index}}"}

    def forward(self, x: Array) -> Array:
        y = np.zeros_like(x, shape=self.shape)
        if _is_basic(self.index):  # no place is picked twice
            y[self.index] = x
        else:
            np.add.at(y, self.index, x)
        return y

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        return g[self.index]


def _is_basic(index: Any) -> bool:
    """Whether an index is made of slices, whole numbers, None and Ellipsis."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(part is None or part is Ellipsis or type(part) in (slice, int) for part in parts)


register(Getitem())
register(Scatter())


def index(x: Any, index: Any) -> Any:
    """x[index]"""
    return Getitem(index)(x)


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """The elements at these positions along an axis; of the raveled array when there is none."""
    if axis is None:
        return np.ravel(x)[np.asarray(indices)]
    return x[(slice(None),) * normalize_axis_index(axis, x.ndim) + (np.asarray(indices),)]


def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Any:
    """For each row along an axis, its elements at the positions in the same row of `indices`."""
    if axis is None:
        return np.ravel(x)[indices]
    places = list(np.ix_(*(np.arange(n) for n in x.shape)))
    places[normalize_axis_index(axis, x.ndim)] = indices
    return x[tuple(places)]


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each element so many times in a row along an axis; of the raveled array when there is none."""
    n = x.size if axis is None else x.shape[axis]
    return take(x, np.repeat(np.arange(n), repeats), axis)


IMPLEMENTS |= {getitem: index, np.take: take, np.take_along_axis: take_along_axis, np.repeat: repeat}
