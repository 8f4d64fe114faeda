"""Arrays joined, and cut into parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..op import IMPLEMENTS
from .arguments import array, refuse
from .shape import Concatenate


def concatenate(
    arrays: Sequence[Any], axis: int | None = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind"
) -> Any:
    """Arrays joined along an axis they have; raveled first when there is none."""
    refuse("concatenate", out=out)
    if axis is None:
        arrays, axis = [np.ravel(a) for a in arrays], 0
    if dtype is None:
        return Concatenate(axis)(*arrays)
    for a in arrays:
        if not np.can_cast(array(a).dtype, dtype, casting):
            raise TypeError(f"concatenate: an array of {array(a).dtype} is not cast to {dtype} by {casting!r} rules")
    return Concatenate(axis)(*(np.astype(array(a), dtype) for a in arrays))


def stack(arrays: Sequence[Any], axis: int = 0, out: Any = None, **how: Any) -> Any:
    """Arrays of one shape joined along a new axis."""
    arrays = [array(a) for a in arrays]
    if len({a.shape for a in arrays}) > 1:
        raise ValueError(f"stack: all arrays have one shape, and these have {', '.join(str(a.shape) for a in arrays)}")
    return concatenate([np.expand_dims(a, axis) for a in arrays], axis, out, **how)


def hstack(tup: Sequence[Any], **how: Any) -> Any:
    """Arrays joined along their second axis; rows along their only one."""
    tup = [np.atleast_1d(a) for a in tup]
    return concatenate(tup, 0 if tup[0].ndim == 1 else 1, **how)


def vstack(tup: Sequence[Any], **how: Any) -> Any:
    """Arrays joined along their first axis, rows as matrices of one row."""
    return concatenate([np.atleast_2d(a) for a in tup], 0, **how)


def dstack(tup: Sequence[Any]) -> Any:
    """Arrays joined along their third axis."""
    return concatenate([np.atleast_3d(a) for a in tup], 2)


def column_stack(tup: Sequence[Any]) -> Any:
    """Rows as the columns of a matrix, beside those of the matrices among them."""
    columns = (array(a) for a in tup)
    return concatenate([a if a.ndim > 1 else np.reshape(a, (-1, 1)) for a in columns], 1)


def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """Values joined to the end of x along an axis; both raveled first when there is none."""
    return concatenate([arr, values], axis)


def block(arrays: Any) -> Any:
    """Nested lists of blocks as one array: the innermost are joined along the last axis, their results before it."""
    levels = _depth(arrays)
    return _joined(arrays, levels, max(levels, _most_axes(arrays)))


def _depth(part: Any) -> int:
    if not isinstance(part, list):
        return 0
    depths = set(map(_depth, part))
    if not depths:
        raise ValueError("block: a list in it is empty")
    if len(depths) > 1:
        raise ValueError(f"block: its lists are nested to different depths, {min(depths) + 1} and {max(depths) + 1}")
    return 1 + depths.pop()


def _most_axes(part: Any) -> int:
    return max(map(_most_axes, part)) if isinstance(part, list) else np.ndim(part)


def _joined(part: Any, level: int, ndim: int) -> Any:
    if isinstance(part, list):
        return concatenate([_joined(p, level - 1, ndim) for p in part], -level)
    part = array(part)
    return np.reshape(part, (1,) * (ndim - part.ndim) + part.shape)


def array_split(ary: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """The array cut along an axis into parts as equal as can be, or before these indices."""
    return _cut(np.array_split, ary, indices_or_sections, axis)


def split(ary: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """The array cut along an axis, into equal parts or before these indices, as `np.split`."""
    return _cut(np.split, ary, indices_or_sections, axis)


def _cut(function: Callable[..., Any], x: Any, parts: Any, axis: int) -> list[Any]:
    """What a function that splits does, as slices: their ends are those of the parts of a row of numbers."""
    axis = normalize_axis_index(axis, x.ndim)
    before = (slice(None),) * axis
    pieces = function(np.arange(x.shape[axis]), parts)
    starts = [int(p[0]) if len(p) else 0 for p in pieces]
    return [x[(*before, slice(start, start + len(p)))] for start, p in zip(starts, pieces, strict=True)]


def _split_along(axis: int, least: int, name: str) -> Callable[..., Any]:
    def split_along(ary: Any, indices_or_sections: int | Sequence[int]) -> list[Any]:
        if ary.ndim < least:
            raise ValueError(f"{name}: an array of {least} axes or more is needed, and this one has {ary.ndim}")
        return split(ary, indices_or_sections, 0 if ary.ndim == 1 else axis)

    return split_along


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """The slices along an axis, without it."""
    return tuple(np.moveaxis(x, axis, 0))


def atleast_1d(*arrays: Any) -> Any:
    """Arrays with at least one axis; several give a tuple."""
    return _each(lambda x: x if x.ndim else np.reshape(x, (1,)), arrays)


def atleast_2d(*arrays: Any) -> Any:
    """Arrays with at least two axes, the new ones first; several give a tuple."""
    return _each(lambda x: x if x.ndim > 1 else np.reshape(x, (1, -1) if x.size else (1, 0)), arrays)


def atleast_3d(*arrays: Any) -> Any:
    """Arrays with at least three axes, rows and matrices put as `np.atleast_3d` does; several give a tuple."""

    def three(x: Any) -> Any:
        shape = {0: (1, 1, 1), 1: (1, *x.shape, 1), 2: (*x.shape, 1)}.get(x.ndim)
        return x if shape is None else np.reshape(x, shape)

    return _each(three, arrays)


def _each(function: Callable[[Any], Any], arrays: tuple[Any, ...]) -> Any:
    results = tuple(function(array(a)) for a in arrays)
    return results[0] if len(results) == 1 else results


def broadcast_arrays(*arrays: Any, subok: bool | None = None) -> tuple[Any, ...]:
    """Arrays in the shape that they have together."""
    refuse("broadcast_arrays", subok=subok)
    shape = np.broadcast_shapes(*map(np.shape, arrays))
    return tuple(np.broadcast_to(array(a), shape) for a in arrays)


def meshgrid(*rows: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    """Each row along an axis of its own, and repeated along the others unless `sparse`."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing is 'xy' or 'ij', not {indexing!r}")
    axes = list(range(len(rows)))
    if indexing == "xy" and len(rows) > 1:
        axes[:2] = 1, 0
    grids = [
        np.reshape(r, [-1 if i == axis else 1 for i in range(len(rows))]) for axis, r in zip(axes, rows, strict=True)
    ]
    return tuple(grids) if sparse else broadcast_arrays(*grids)


def kron(a: Any, b: Any) -> Any:
    """Every element of a times the whole of b, in its place."""
    a, b = array(a), array(b)
    n = max(a.ndim, b.ndim)
    first, second = ((1,) * (n - x.ndim) + x.shape for x in (a, b))
    wide = np.reshape(a, [m for length in first for m in (length, 1)])
    tall = np.reshape(b, [m for length in second for m in (1, length)])
    return np.reshape(wide * tall, [i * j for i, j in zip(first, second, strict=True)])


IMPLEMENTS |= {
    np.concatenate: concatenate,
    np.stack: stack,
    np.hstack: hstack,
    np.vstack: vstack,
    np.dstack: dstack,
    np.column_stack: column_stack,
    np.append: append,
    np.block: block,
    np.array_split: array_split,
    np.split: split,
    np.hsplit: _split_along(1, 1, "hsplit"),
    np.vsplit: _split_along(0, 2, "vsplit"),
    np.dsplit: _split_along(2, 3, "dsplit"),
    np.unstack: unstack,
    np.atleast_1d: atleast_1d,
    np.atleast_2d: atleast_2d,
    np.atleast_3d: atleast_3d,
    np.broadcast_arrays: broadcast_arrays,
    np.meshgrid: meshgrid,
    np.kron: kron,
}
IMPLEMENTS[getattr(np, "row_stack", np.vstack)] = vstack  # its old name
