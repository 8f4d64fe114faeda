"""Functions that only move elements: they are known by what they do to the numbers of the elements."""

from __future__ import annotations

import functools
import inspect
import itertools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..op import IMPLEMENTS
from .arguments import array, refuse
from .indexing import Getitem, Scatter
from .shape import Pad


def moved(function: Callable[..., Any], once: bool) -> Callable[..., Any]:
    """The function for Tensors; `once` says that it takes no element twice.

    >>> moved(np.rot90, once=True)(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[2., 4.],
           [1., 3.]])
    """

    def on_numbers(x: Any, *args: Any, **kwargs: Any) -> Any:
        places = function(np.arange(x.size).reshape(x.shape), *args, **kwargs)
        return Getitem(np.asarray(places), once)(np.ravel(x))

    return named_as(function, on_numbers)


def placed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function for Tensors, for one that moves elements to places among zeros."""

    def on_numbers(x: Any, *args: Any, **kwargs: Any) -> Any:
        numbers = function(np.arange(1, x.size + 1).reshape(x.shape), *args, **kwargs)
        filled = np.nonzero(numbers)
        return Scatter(filled, numbers.shape, once=True)(Getitem(numbers[filled] - 1, once=True)(np.ravel(x)))

    return named_as(function, on_numbers)


def named_as(function: Callable[..., Any], ours: Callable[..., Any]) -> Callable[..., Any]:
    """Ours, with the array by the name that NumPy's function has for it."""
    name = next(iter(inspect.signature(function).parameters))

    @functools.wraps(function)
    def named(*args: Any, **kwargs: Any) -> Any:
        return ours(*args, **kwargs) if args else ours(kwargs.pop(name), **kwargs)

    return named


def diag(v: Any, k: int = 0) -> Any:
    """The diagonal of a matrix; of a row, the matrix that has it as diagonal and is 0 elsewhere."""
    return placed(np.diag)(v, k) if v.ndim == 1 else moved(np.diag, once=True)(v, k)


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    """The sum of the diagonal."""
    refuse("trace", dtype=dtype, out=out)
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1)


def tril(m: Any, k: int = 0) -> Any:
    """What is below the diagonal number k and on it, and 0 above."""
    return np.where(_lower(m, k), m, 0)


def triu(m: Any, k: int = 0) -> Any:
    """What is above the diagonal number k and on it, and 0 below."""
    return np.where(_lower(m, k - 1), 0, m)


def _lower(x: Any, k: int) -> Any:
    """Whether a place of the matrix, or of the one whose rows are all x, is on diagonal k or below."""
    rows, columns = (x.shape * 2)[-2:]
    return np.tri(rows, columns, k, dtype=bool)


def flip(m: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """The order of the elements reversed along these axes; along all, if not given."""
    reverse = range(m.ndim) if axis is None else normalize_axis_tuple(axis, m.ndim)
    return m[tuple(slice(None, None, -1 if i in reverse else None) for i in range(m.ndim))]


def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    """The elements moved on along an axis, those that fall off the end coming in at the start."""
    if axis is None:
        return np.reshape(roll(np.ravel(a), np.sum(shift), 0), a.shape)
    for steps, along in np.broadcast(shift, axis):
        i = normalize_axis_index(int(along), a.ndim)
        cut = -int(steps) % max(a.shape[i], 1)
        before = (slice(None),) * i
        a = np.concatenate([a[(*before, slice(cut, None))], a[(*before, slice(cut))]], i) if cut else a
    return a


def tile(A: Any, reps: Any) -> Any:
    """Copies of the array side by side, so many along each axis."""
    reps = (reps,) if np.ndim(reps) == 0 else tuple(reps)
    n = max(A.ndim, len(reps))
    reps, shape = (1,) * (n - len(reps)) + reps, (1,) * (n - A.ndim) + A.shape
    apart = np.reshape(A, [m for length in shape for m in (1, length)])
    copies = np.broadcast_to(apart, [*itertools.chain.from_iterable(zip(reps, shape, strict=True))])
    return np.reshape(copies, tuple(map(operator.mul, reps, shape)))


def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    """Without the zeros at the front ("f") and the back ("b") along these axes; along all, if not given."""
    if set(trim.lower()) not in ({"f"}, {"b"}, {"f", "b"}):
        raise ValueError(f"trim_zeros: trim is 'fb', 'f' or 'b', not {trim!r}")
    axes = range(filt.ndim) if axis is None else normalize_axis_tuple(axis, filt.ndim)
    found = np.argwhere(filt)
    first = found.min(axis=0) if "f" in trim.lower() and len(found) else [0] * filt.ndim
    last = found.max(axis=0) if len(found) else [-1] * filt.ndim
    last = last if "b" in trim.lower() or not len(found) else [n - 1 for n in filt.shape]
    cuts = (slice(int(a), int(b) + 1) for a, b in zip(first, last, strict=True))
    return filt[tuple(cut if i in axes else slice(None) for i, cut in enumerate(cuts))]


def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """Values put in before these positions along an axis; into the raveled array when there is none."""
    arr, values = array(arr), array(values)
    own, new = np.arange(arr.size).reshape(arr.shape), np.arange(arr.size, arr.size + values.size).reshape(values.shape)
    both = np.concatenate([np.ravel(arr), np.astype(np.ravel(values), arr.dtype)])
    return both[np.insert(own, obj, new, axis)]


MODES = ("edge", "reflect", "symmetric", "wrap")


def pad(array: Any, pad_width: Any, mode: Any = "constant", **how: Any) -> Any:
    """A border around the array: of one value for each side, or of elements repeated, mirrored or from the other side.

    NotImplementedError for modes that compute a border, which `np.concatenate` puts where it is wanted.
    """
    if isinstance(pad_width, dict):
        pad_width = [pad_width.get(i, pad_width.get(i - array.ndim, 0)) for i in range(array.ndim)]
        pad_width = [(w, w) if np.ndim(w) == 0 else w for w in pad_width]
    if mode == "constant":
        value = how.pop("constant_values", 0)
        if how:
            raise ValueError(f"pad: mode 'constant' does not take {', '.join(how)}")
        return Pad(pad_width, value)(array)
    if mode not in MODES or how.pop("reflect_type", "even") != "even":
        known = ", ".join(map(repr, MODES))
        raise NotImplementedError(
            f"pad of a Tensor knows mode='constant', {known}, and no odd reflection; it was given {mode!r}.\n"
            "  Write the border yourself, and join it: np.concatenate([border, t], axis)."
        )
    return moved(np.pad, once=False)(array, pad_width, mode, **how)


IMPLEMENTS |= {
    np.diag: diag,
    np.diagflat: placed(np.diagflat),
    np.diagonal: moved(np.diagonal, once=True),
    np.trace: trace,
    np.tril: tril,
    np.triu: triu,
    np.flip: flip,
    np.flipud: lambda m: flip(m, 0),
    np.fliplr: lambda m: flip(m, 1),
    np.rot90: moved(np.rot90, once=True),
    np.roll: roll,
    np.lib.stride_tricks.sliding_window_view: moved(np.lib.stride_tricks.sliding_window_view, once=False),
    np.tile: tile,
    np.resize: moved(np.resize, once=False),
    np.delete: moved(np.delete, once=True),
    np.trim_zeros: trim_zeros,
    np.insert: insert,
    np.pad: pad,
}
