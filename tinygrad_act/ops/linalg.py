"""Products of matrices, and of arrays of them."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ..op import IMPLEMENTS, Array, Op, register
from .arguments import array, refuse
from .einsum import tensordot
from .reduce import Reduction
from .shape import matrix_transpose


class Matmul(Op):
    """The product of matrices; of stacks of them, which broadcast; a vector counts as a row before, a column after.

    >>> matmul(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]))
    array([[11.]])
    """

    formula = "a b"
    rule = {"a": r"\bar y\, b^\top", "b": r"a^\top \bar y"}

    def forward(self, a: Array, b: Array) -> Array:
        return np.matmul(a, b)

    def vjp_a(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        if b.ndim == 1:
            return np.expand_dims(g, -1) * b
        if a.ndim == 1:
            return (np.expand_dims(g, -2) @ b.swapaxes(-1, -2)).reshape((*b.shape[:-2], *a.shape))
        return g @ b.swapaxes(-1, -2)

    def vjp_b(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        if a.ndim == 1:
            return np.expand_dims(a, -1) * np.expand_dims(g, -2) if b.ndim > 1 else a * g
        if b.ndim == 1:
            return (a.swapaxes(-1, -2) @ np.expand_dims(g, -1)).reshape((*a.shape[:-2], *b.shape))
        return a.swapaxes(-1, -2) @ g


class Affine(Op):
    """A linear layer in one op: the product with the weights, and the bias added to every row.

    Shapes: x (..., in), W (in, out), b (out,), result (..., out).

    >>> affine(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([0.5]))
    array([[11.5]])
    """

    formula = r"x W + b"
    rule = {"x": r"\bar y\, W^\top", "W": r"x^\top \bar y", "b": r"1^\top \bar y"}

    def forward(self, x: Array, W: Array, b: Array) -> Array:
        product = x.dot(W)  # like @, in half the time for small matrices
        return np.add(product, b, out=product) if product.dtype == b.dtype else np.add(product, b)

    def vjp_x(self, g: Array, y: Array, x: Array, W: Array, b: Array) -> Array:
        return np.dot(g, W.T)

    def vjp_W(self, g: Array, y: Array, x: Array, W: Array, b: Array) -> Array:
        return np.dot(_rows(x).T, _rows(g))

    def vjp_b(self, g: Array, y: Array, x: Array, W: Array, b: Array) -> Array:
        rows = _rows(g)
        return np.dot(_ones(len(rows), g.dtype), rows)  # the sum over the rows, which BLAS does faster


@functools.lru_cache(maxsize=32)
def _ones(n: int, dtype: np.dtype[Any]) -> Array:
    """A row of ones, made once for the steps that all need it."""
    return np.ones(n, dtype)


def _rows(x: Array) -> Array:
    """x as a matrix, by its last axis."""
    return x if x.ndim == 2 else x.reshape((math.prod(x.shape[:-1]), x.shape[-1]))


class Norm(Reduction):
    """The Euclidean length over an axis, or axes; of all elements when there is none.

    At the origin, the tip of a cone, its gradient is 0, the legal subgradient of least norm.

    >>> Norm()(np.array([3.0, 4.0]))
    np.float64(5.0)
    """

    formula = r"\sqrt{\sum_i x_i^2}"
    rule = {"x": r"\bar y\, \frac{x}{y}"}

    def forward(self, x: Array) -> Array:
        return np.sqrt(np.square(x).sum(axis=self.axis, keepdims=self.keepdims))

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        return self.spread(g, x) * (x / self.spread(np.where(np.equal(y, 0), 1, y), x))


matmul = register(Matmul(), np.matmul)
affine = register(Affine())
_norm = register(Norm())


def dot(a: Any, b: Any, out: Any = None) -> Any:
    """The sum of products over the last axis of a and the last but one of b; the product with a number."""
    refuse("dot", out=out)
    a, b = array(a), array(b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return tensordot(a, b, (-1, -2)) if b.ndim > 2 else a @ b


def inner(a: Any, b: Any) -> Any:
    """The sum of products over the last axis of both."""
    a, b = array(a), array(b)
    return a * b if a.ndim == 0 or b.ndim == 0 else tensordot(a, b, (-1, -1))


def outer(a: Any, b: Any, out: Any = None) -> Any:
    """Every element of a times every element of b, as a matrix."""
    refuse("outer", out=out)
    return tensordot(np.ravel(a), np.ravel(b), 0)


def vdot(a: Any, b: Any, /) -> Any:
    """The sum of products of all elements."""
    return np.dot(np.ravel(a), np.ravel(b))


def vecdot(a: Any, b: Any, /, *, axis: int = -1) -> Any:
    """The sum of products along an axis, by which vectors are laid; the others broadcast."""
    if axis != -1:
        a, b = np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1)
    return np.sum(np.multiply(a, b), axis=-1)


def matvec(a: Any, b: Any, /) -> Any:
    """Each matrix times its vector."""
    return (a @ array(b)[..., None])[..., 0]


def vecmat(a: Any, b: Any, /) -> Any:
    """Each vector times its matrix."""
    return (array(a)[..., None, :] @ b)[..., 0, :]


def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """The diagonal of the matrices in the last two axes, or one so far above it."""
    rows, columns = np.nonzero(np.eye(x.shape[-2], x.shape[-1], offset, dtype=bool))
    return x[..., rows, columns]


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """The sum of that diagonal."""
    refuse("linalg.trace", dtype=dtype)
    return np.sum(diagonal(x, offset=offset), axis=-1)


def outer_of_vectors(a: Any, b: Any, /) -> Any:
    """As `outer`, for vectors only."""
    if np.ndim(a) != 1 or np.ndim(b) != 1:
        raise ValueError(f"np.linalg.outer takes two vectors, not arrays of {np.ndim(a)} and {np.ndim(b)} axes")
    return outer(a, b)


IMPLEMENTS |= {
    np.dot: dot,
    np.inner: inner,
    np.outer: outer,
    np.vdot: vdot,
    np.vecdot: vecdot,
    np.linalg.matmul: matmul,
    np.linalg.tensordot: lambda a, b, /, *, axes=2: tensordot(a, b, axes),
    np.linalg.vecdot: vecdot,
    np.linalg.outer: outer_of_vectors,
    np.linalg.diagonal: diagonal,
    np.linalg.trace: trace,
    np.linalg.matrix_transpose: matrix_transpose,
    np.linalg.cross: lambda a, b, /, *, axis=-1: np.cross(a, b, axis=axis),
}
if hasattr(np, "matvec"):  # since NumPy 2.2
    IMPLEMENTS |= {np.matvec: matvec, np.vecmat: vecmat}
