"""Norms of vectors and of matrices, and the condition that is made of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..op import IMPLEMENTS, Array, register
from .constant import plain
from .linalg import _norm as euclidean
from .reduce import Reduction


@dataclass(frozen=True)
class PNorm(Reduction):
    """The p-norm of vectors, of any p but 0 and the infinities. Where an element is 0, its slope is 0.

    >>> PNorm()(np.array([3.0, 4.0, 5.0])).round(9)  # 3³ + 4³ + 5³ = 6³
    np.float64(6.0)
    """

    name = "p_norm"
    p: float = 3.0
    formula = r"(\sum_i |x_i|^p)^{1/p}"
    rule = {"x": r"\bar y\, \mathrm{sign}(x) (|x| / y)^{p-1}"}

    def forward(self, x: Array) -> Array:
        powers = np.abs(x) ** self.p
        return powers.sum(axis=self.axis, keepdims=self.keepdims) ** (1 / self.p)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        whole = self.spread(y, x)
        nothing = np.equal(whole, 0)  # so that all elements are 0; or one is, if p < 0, and the others do not count
        whole = np.where(nothing, 1, whole)
        ratio = np.where(nothing | np.equal(x, 0), whole, np.abs(x)) / whole
        return self.spread(g, x) * np.where(nothing, 0, np.sign(x)) * ratio ** (self.p - 1)


register(PNorm())


def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """The norm of vectors, along an axis or axes; of all elements when there is none. Of order 0, a constant."""
    if ord is None or ord == 2:
        return euclidean(x, axis, keepdims)
    if isinstance(ord, str):
        raise ValueError(f"a norm of vectors of order {ord!r}: it is a number, inf or -inf")
    if ord == 0:
        return np.sum(np.not_equal(plain(x), 0), axis=axis, keepdims=keepdims, dtype=x.dtype)
    if abs(ord) == math.inf:
        return (np.max if ord > 0 else np.min)(np.abs(x), axis=axis, keepdims=keepdims)
    return np.sum(np.abs(x), axis=axis, keepdims=keepdims) if ord == 1 else PNorm(axis, keepdims, float(ord))(x)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """The norm of the matrices in the last two axes, of order "fro", "nuc", ±1, ±2 or ±inf."""
    if ord in (None, "fro", "f"):
        return euclidean(x, (-2, -1), keepdims)
    if ord in (1, -1, math.inf, -math.inf):
        along = -2 if abs(ord) == 1 else -1
        sums = np.sum(np.abs(x), axis=along, keepdims=True)
        return (np.max if ord > 0 else np.min)(sums, axis=(-2, -1), keepdims=keepdims)
    if ord not in (2, -2, "nuc"):
        raise ValueError(f"a norm of matrices of order {ord!r}: there are 'fro', 'nuc', 1, -1, 2, -2, inf and -inf")
    s = np.linalg.svdvals(x)
    y = np.sum(s, axis=-1) if ord == "nuc" else s[..., 0 if ord == 2 else -1]
    return y[..., None, None] if keepdims else y


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The norm of vectors or matrices: Euclidean, of all elements, unless told otherwise, as `np.linalg.norm`."""
    if ord is None:
        return euclidean(x, axis, keepdims)
    axes = normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim)
    if len(axes) == 1:
        return vector_norm(x, ord=ord, axis=axes[0], keepdims=keepdims)
    if len(axes) != 2:
        raise ValueError(f"norm(ord={ord!r}) is of vectors or matrices, and was given {len(axes)} axes")
    y = matrix_norm(np.transpose(x, (*(i for i in range(x.ndim) if i not in axes), *axes)), ord=ord)
    return np.expand_dims(y, axes) if keepdims else y


def cond(x: Any, p: Any = None) -> Any:
    """How much a matrix magnifies errors: its norm times that of its inverse."""
    if p in (None, 2, -2):
        s = np.linalg.svdvals(x)
        above, below = (s[..., -1], s[..., 0]) if p == -2 else (s[..., 0], s[..., -1])
        singular = np.equal(below, 0)
        return np.where(singular, math.inf, above / np.where(singular, 1, below))
    return matrix_norm(x, ord=p) * matrix_norm(np.linalg.inv(x), ord=p)


IMPLEMENTS |= {
    np.linalg.norm: norm,
    np.linalg.vector_norm: vector_norm,
    np.linalg.matrix_norm: matrix_norm,
    np.linalg.cond: cond,
}
