"""The algebra of square matrices, and of stacks of them: inverse, solution, determinant, powers, and what these make.

The rules are those collected by Giles (2008, "Collected matrix derivative results for forward and reverse mode").
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import IMPLEMENTS, Array, Op, register
from .arguments import array, refuse
from .constant import Constant, plain
from .reduce import _product_of_others


def transposed(a: Array) -> Array:
    """Each matrix of a stack with its last two axes exchanged."""
    return np.swapaxes(a, -1, -2)


class Inv(Op):
    """The inverse of a square matrix. LinAlgError for one that has none.

    >>> inv(np.array([[2.0, 0.0], [0.0, 4.0]]))
    array([[0.5 , 0.  ],
           [0.  , 0.25]])
    """

    formula = "a^{-1}"
    rule = {"a": r"-y^\top \bar y\, y^\top"}

    def forward(self, a: Array) -> Array:
        return np.linalg.inv(a)

    def vjp_a(self, g: Array, y: Array, a: Array) -> Array:
        return -(transposed(y) @ g @ transposed(y))


class Solve(Op):
    """The x for which a x = b, with each column of b for itself. LinAlgError for a singular matrix.

    >>> solve(np.array([[2.0, 0.0], [0.0, 4.0]]), np.array([[2.0], [2.0]]))
    array([[1. ],
           [0.5]])
    """

    formula = "a^{-1} b"
    rule = {"a": r"-a^{-\top} \bar y\, y^\top", "b": r"a^{-\top} \bar y"}

    def forward(self, a: Array, b: Array) -> Array:
        return np.linalg.solve(a, b)

    def vjp_a(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return -(np.linalg.solve(transposed(a), g) @ transposed(y))

    def vjp_b(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return np.linalg.solve(transposed(a), g)


class Det(Op):
    """The determinant of a square matrix. Its gradient is the matrix of cofactors, also where the matrix is singular.

    >>> float(np.round(det(np.array([[1.0, 2.0], [3.0, 4.0]])), 12))
    -2.0
    """

    formula = r"\det a"
    rule = {"a": r"\bar y\, \mathrm{cofactors}(a)"}

    def forward(self, a: Array) -> Array:
        return np.linalg.det(a)

    def vjp_a(self, g: Array, y: Array, a: Array) -> Array:
        return np.expand_dims(g, (-2, -1)) * cofactors(a)


class Cofactors(Op):
    """The slope of the determinant: det(a) a⁻ᵀ, but also where a is singular, by its singular values.

    Its own derivative, the second of the determinant, asks for the inverse: LinAlgError where there is none.

    >>> cofactors(np.array([[2.0, 0.0], [0.0, 0.0]])).round(12) + 0.0
    array([[0., 0.],
           [0., 2.]])
    """

    formula = r"\det(a)\, a^{-\top}"
    rule = {"a": r"\langle \bar y, y \rangle\, a^{-\top} - a^{-\top} \bar y^\top y"}

    def forward(self, a: Array) -> Array:
        u, s, vh = np.linalg.svd(a)
        sign = np.linalg.det(u) * np.linalg.det(vh)
        return (u * (_product_of_others(s) * np.expand_dims(sign, -1))[..., None, :]) @ vh

    def vjp_a(self, g: Array, y: Array, a: Array) -> Array:
        inverse = transposed(np.linalg.inv(a))
        return np.sum(g * y, axis=(-2, -1), keepdims=True) * inverse - inverse @ transposed(g) @ y


class Logabsdet(Op):
    """The logarithm of the size of the determinant, which neither overflows nor underflows. -inf of a singular matrix.

    >>> float(logabsdet(np.diag([1e-200, 1e-200])).round(6))
    -921.034037
    """

    formula = r"\ln |\det a|"
    rule = {"a": r"\bar y\, a^{-\top}"}

    def forward(self, a: Array) -> Array:
        return np.linalg.slogdet(a)[1]

    def vjp_a(self, g: Array, y: Array, a: Array) -> Array:
        return np.expand_dims(g, (-2, -1)) * transposed(np.linalg.inv(a))


inv = register(Inv(), np.linalg.inv)
_solve = register(Solve())
det = register(Det(), np.linalg.det)
cofactors = register(Cofactors())
logabsdet = register(Logabsdet())

SlogdetResult = type(np.linalg.slogdet(np.eye(1)))


def solve(a: Any, b: Any) -> Any:
    """The x for which a x = b; b is one vector, or a stack of matrices."""
    b = array(b)
    return _solve(a, b[:, None])[..., 0] if b.ndim == 1 else _solve(a, b)


def slogdet(a: Any) -> Any:
    """The sign of the determinant, a constant, and the logarithm of its size."""
    return SlogdetResult(np.linalg.slogdet(plain(a))[0], logabsdet(a))


def matrix_power(a: Any, n: int) -> Any:
    """The matrix times itself, n times, by squaring; of the inverse where n is negative."""
    if not isinstance(n, int | np.integer):
        raise TypeError(f"np.linalg.matrix_power: the exponent is a whole number, not {n!r}. Write others with eigh")
    if n < 0:
        return matrix_power(np.linalg.inv(a), -n)
    if n == 0:
        return np.zeros_like(a) + np.eye(a.shape[-1], dtype=a.dtype)
    square = a if n == 1 else matrix_power(a, n // 2)
    return square if n == 1 else square @ square @ a if n % 2 else square @ square


def multi_dot(arrays: Any, *, out: None = None) -> Any:
    """The product of several matrices in the order that takes the fewest multiplications; vectors only at the ends."""
    refuse("linalg.multi_dot", out=out)
    arrays = [array(a) for a in arrays]
    first, last = arrays[0].ndim == 1, arrays[-1].ndim == 1
    arrays[0] = arrays[0][None, :] if first else arrays[0]
    arrays[-1] = arrays[-1][:, None] if last else arrays[-1]
    sizes = [a.shape[0] for a in arrays] + [arrays[-1].shape[1]]
    best = {(i, i + 1): (0, i) for i in range(len(arrays))}  # what those from i to before j cost, and where to cut them
    for width in range(2, len(arrays) + 1):
        for i, j in zip(range(len(arrays)), range(width, len(arrays) + 1), strict=False):
            cuts = ((best[i, k][0] + best[k, j][0] + sizes[i] * sizes[k] * sizes[j], k) for k in range(i + 1, j))
            best[i, j] = min(cuts)
    y = _product(arrays, best, 0, len(arrays))
    return y[(0 if first else slice(None), 0 if last else slice(None))] if first or last else y


def _product(arrays: list[Any], best: dict[tuple[int, int], tuple[int, int]], i: int, j: int) -> Any:
    cut = best[i, j][1]
    return arrays[i] if j == i + 1 else _product(arrays, best, i, cut) @ _product(arrays, best, cut, j)


def tensorinv(a: Any, ind: int = 2) -> Any:
    """The inverse of what `np.tensordot` over `ind` axes does."""
    rows = int(np.prod(a.shape[ind:]))
    return np.linalg.inv(a.reshape((rows, -1))).reshape((*a.shape[ind:], *a.shape[:ind]))


def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """The x for which `np.tensordot(a, x, x.ndim)` is b; `axes` of a are moved to its end before."""
    if axes is not None:
        axes = [i % np.ndim(a) for i in axes]
        a = np.transpose(a, (*(i for i in range(np.ndim(a)) if i not in axes), *axes))
    shape = np.shape(a)[np.ndim(b) :]
    matrix = np.reshape(a, (-1, int(np.prod(shape))))
    return solve(matrix, np.ravel(b)).reshape(shape)


IMPLEMENTS |= {
    np.linalg.solve: solve,
    np.linalg.slogdet: slogdet,
    np.linalg.matrix_power: matrix_power,
    np.linalg.multi_dot: multi_dot,
    np.linalg.tensorinv: tensorinv,
    np.linalg.tensorsolve: tensorsolve,
    np.linalg.matrix_rank: Constant(np.linalg.matrix_rank),
}
