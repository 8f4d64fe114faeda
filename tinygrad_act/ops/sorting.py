"""Sorting: which place each element comes from is found as a constant, and the elements are picked from there."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import IMPLEMENTS
from .arguments import refuse
from .constant import plain
from .indexing import along


def sort(a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: bool | None = None) -> Any:
    """The elements in order along an axis, of all when it is None; of equal ones, the first comes first."""
    refuse("sort", order=order)
    return along(a, np.argsort(a, axis, stable=True), axis, once=True)


def partition(a: Any, kth: Any, axis: int | None = -1, kind: Any = "introselect", order: Any = None) -> Any:
    """Along an axis, element number `kth` as if sorted, with none greater before it and none smaller after it."""
    refuse("partition", order=order)
    return along(a, np.argpartition(a, kth, axis, kind), axis, once=True)


def topk(x: Any, k: int, axis: int = -1) -> tuple[Any, Any]:
    """The k greatest along an axis, greatest first, and their positions; of equal ones, the first comes first.

    Not a number counts as greater than any. ValueError if k is more than the length of the axis.

    >>> topk(np.array([3.0, 1.0, 4.0, 1.0, 5.0]), 2)
    (array([5., 4.]), array([4, 2]))
    """
    n = x.shape[axis]
    if not 0 <= k <= n:
        raise ValueError(f"topk: k is from 0 to {n}, the length of axis {axis}, not {k}")
    rising = np.argsort(np.flip(x, axis), axis, stable=True)
    places = n - 1 - np.take(rising, np.arange(n - 1, n - 1 - k, -1), axis)
    return along(x, places, axis, once=True), places


def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    """The different elements in order, each picked where it comes first; along an axis, the slices.

    They are in order even where they need not be (sorted=False).
    """
    find: Any = np.unique
    _, places, *others = find(np.asarray(plain(ar)), True, return_inverse, return_counts, axis, equal_nan=equal_nan)
    picked = np.take(ar, places, axis)
    results = (picked, *([places] if return_index else []), *others)
    return results if len(results) > 1 else picked


IMPLEMENTS |= {np.sort: sort, np.partition: partition, np.unique: unique}
