"""Ops that move elements about: every derivative moves them back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import text
from ..op import IMPLEMENTS, Array, Node, Op, register
from .arguments import refuse
from .constant import plain


@dataclass(frozen=True)
class Reshape(Op):
    """The same elements in another shape; one length may be -1, which is worked out.

    >>> reshape(np.array([1.0, 2.0, 3.0, 4.0]), (2, 2))
    array([[1., 2.],
           [3., 4.]])
    """

    shape: tuple[int, ...] = (-1,)
    formula = r"y_{i'} = x_i"
    rule = {"x": r"\bar x_i = \bar y_{i'}"}

    def forward(self, x: Array) -> Array:
        return x.reshape(self.shape)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        return g.reshape(x.shape)


@dataclass(frozen=True)
class Transpose(Op):
    """The axes in another order; reversed, unless given.

    >>> transpose(np.array([[1.0, 2.0]]))
    array([[1.],
           [2.]])
    """

    axes: tuple[int, ...] | None = None
    formula = r"y = x^\top"
    rule = {"x": r"\bar y^\top"}

    def forward(self, x: Array) -> Array:
        return x.transpose(self.axes)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        back = None if self.axes is None else tuple(int(i) for i in np.argsort([a % x.ndim for a in self.axes]))
        return np.transpose(g, back)


@dataclass(frozen=True)
class BroadcastTo(Op):
    """The array repeated, without a copy, along new axes and along axes of length 1.

    >>> broadcast_to(np.array([1.0, 2.0]), (2, 2))
    array([[1., 2.],
           [1., 2.]])
    """

    shape: tuple[int, ...] = ()
    formula = r"y_{ij} = x_j"
    rule = {"x": r"\bar x_j = \sum_i \bar y_{ij}"}

    def forward(self, x: Array) -> Array:
        return np.broadcast_to(x, self.shape)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        return g  # the engine sums what was broadcast


@dataclass(frozen=True)
class Astype(Op):
    """The array in another float type.

    >>> astype(np.array([1.0]), np.float32)
    array([1.], dtype=float32)
    """

    dtype: Any = np.float64
    formula = "x"
    rule = {"x": r"\bar y"}

    def forward(self, x: Array) -> Array:
        return x.astype(self.dtype)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        return g.astype(x.dtype)


@dataclass(frozen=True)
class Concatenate(Op):
    """Arrays joined along an axis they have.

    >>> Concatenate()(np.array([1.0, 2.0]), np.array([3.0]))
    array([1., 2., 3.])
    """

    axis: int = 0
    formula = r"y = (x_1, \dots, x_n)"
    rule = {"arrays": r"\bar x_k = \bar y_k"}

    def forward(self, *arrays: Array) -> Array:
        return np.concatenate(arrays, axis=self.axis)

    def vjp(self, i: int, g: Array, y: Array, *arrays: Array) -> Array:
        axis = self.axis % g.ndim
        ends = np.cumsum([a.shape[axis] for a in arrays]).tolist()
        return g[(slice(None),) * axis + (slice(ends[i] - arrays[i].shape[axis], ends[i]),)]


@dataclass(frozen=True)
class Pad(Op):
    """A border around the array: `width` and `value` as for `np.pad`, a number, a pair, or a pair per axis.

    >>> Pad((1, 2))(np.array([1.0, 2.0]))
    array([0., 1., 2., 0., 0.])
    """

    width: Any = 0
    value: Any = 0.0
    formula = r"y = (0, x, 0)"
    rule = {"x": r"\bar y_{\mathrm{inside}}"}

    def forward(self, x: Array) -> Array:
        return np.pad(x, self.width, constant_values=self.value)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        before = np.broadcast_to(np.asarray(self.width), (x.ndim, 2))[:, 0]
        return g[tuple(slice(int(b), int(b) + n) for b, n in zip(before, x.shape, strict=True))]


_reshape = register(Reshape())
_transpose = register(Transpose())
register(BroadcastTo())
register(Astype())
register(Concatenate())
register(Pad())


def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    """The array repeated, without a copy, along new axes and along axes of length 1."""
    refuse("broadcast_to", subok=subok)
    return BroadcastTo(shape)(array)


def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, *,
    device: Any = None,
) -> Any:  # fmt: skip
    """An array of the shape of a, all of one value; a constant, unless that is a Tensor."""
    if not isinstance(fill_value, Node):
        return np.full_like(plain(a), fill_value, dtype, order, subok, shape, device=device)
    value = astype(fill_value, a.dtype if dtype is None else dtype)
    return np.broadcast_to(value, a.shape if shape is None else shape)


def astype(
    x: Any, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True, copy: bool = True,
    device: Any = None,
) -> Any:  # fmt: skip
    """The array in another float type. `copy` and `subok` make no difference to a Tensor; TypeError for the others."""
    refuse("astype", order=order != "K", casting=casting != "unsafe", device=device)
    if np.dtype(dtype).kind in "biu" and x.requires_grad:
        raise text.only_jumps(f"astype to {np.dtype(dtype)}", f"t.data.astype({np.dtype(dtype)})")
    return Astype(dtype)(x)


def reshape(a: Any, shape: Any, *more: int, order: str = "C", copy: bool | None = None) -> Any:
    """The same elements in another shape, given as one tuple or as several numbers; order="F" counts columns first."""
    refuse("reshape", copy=copy is False)
    a = +a if copy else a
    if more and isinstance(more[-1], str):  # where np.reshape has it
        *more, order = more
    shape = (shape, *more) if more else (shape,) if np.ndim(shape) == 0 else tuple(shape)
    if _order(order) == "C":
        return _reshape(a, shape)
    return _transpose(_reshape(_transpose(a), shape[::-1]))


def _order(order: str) -> str:
    """The order, C or F. ValueError for one that depends on how the elements lie in memory."""
    if order not in ("C", "F"):
        raise ValueError(
            f"the order of the elements of a Tensor is 'C' (rows first) or 'F' (columns first), not {order!r}"
        )
    return order


def transpose(a: Any, axes: Any = None, *more: int) -> Any:
    """The axes in another order, given as one tuple or as several numbers; reversed, if not given."""
    axes = (axes, *more) if more else (axes,) if isinstance(axes, int) else axes
    return _transpose(a, axes if axes is None else tuple(axes))


def matrix_transpose(x: Any) -> Any:
    """The last two axes exchanged."""
    if x.ndim < 2:
        raise ValueError(f"matrix_transpose: an array of at least 2 axes is needed, and this one has {x.ndim}")
    return swapaxes(x, -1, -2)


def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged."""
    return _transpose(a, _axes_after(np.swapaxes, a, axis1, axis2))


def moveaxis(a: Any, source: int | tuple[int, ...], destination: int | tuple[int, ...]) -> Any:
    """Axes moved to other places; the others keep their order."""
    return _transpose(a, _axes_after(np.moveaxis, a, source, destination))


def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """One axis moved backwards until it stands before another. `np.moveaxis` is clearer."""
    return _transpose(a, _axes_after(np.rollaxis, a, axis, start))


def _axes_after(function: Callable[..., Any], x: Any, *args: Any) -> tuple[int, ...]:
    """The order of the axes after a function that permutes them: their lengths tell, when each has its own."""
    return tuple(function(np.empty(range(x.ndim), bool), *args).shape)


def ravel(a: Any, order: str = "C") -> Any:
    """The elements in one row; with order="F", column by column."""
    return _reshape(a if _order(order) == "C" else _transpose(a), (-1,) if a.size else (0,))


def copy(a: Any, order: str = "K", subok: bool = False) -> Any:
    """The same elements in memory of their own. TypeError for an order of memory, or a subclass to keep."""
    refuse("copy", order=None if order == "K" else order, subok=subok)
    return +a


def expand_dims(a: Any, axis: int | tuple[int, ...]) -> Any:
    """New axes of length 1, at these places in the result."""
    return _reshape(a, np.expand_dims(np.empty(a.shape, bool), axis).shape)


def squeeze(a: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """Without the axes of length 1, or without these of them."""
    return _reshape(a, np.empty(a.shape, bool).squeeze(axis).shape)


IMPLEMENTS |= {
    np.broadcast_to: broadcast_to,
    np.full_like: full_like,
    np.astype: astype,
    np.reshape: reshape,
    np.transpose: transpose,
    np.swapaxes: swapaxes,
    np.moveaxis: moveaxis,
    np.rollaxis: rollaxis,
    np.matrix_transpose: matrix_transpose,
    np.ravel: ravel,
    np.expand_dims: expand_dims,
    np.squeeze: squeeze,
    np.copy: copy,
}
