"""Eigenvalues and singular values, with their vectors, of matrices and of stacks of them.

Where two values are equal, but for rounding, their vectors may be any that span the same space, and have no derivative.
What is made of the values, or of other vectors, still has its gradient there. What is made of those two has none that
could be computed from the vectors at hand, even where it is smooth: that of V diag(√w) Vᵀ asks for the slope of the
root, which is not told. So it is nan; and so are second derivatives at such a matrix. Distinct small numbers added to
its diagonal tell the values apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..op import IMPLEMENTS, Array, Op, register
from .constant import plain
from .decompositions import one_triangle, packed, unpacked
from .exact import limits
from .matrices import transposed


class OverGap(Op):
    """m over the gap of two values, a turn of their vectors. Where the gap is `closed`, 0 is 0 and all else is nan.

    >>> over_gap(np.array([1.0, 0.0, 1.0]), np.array([2.0, 0.0, 0.0]), np.array([False, True, True]))
    array([0.5, 0. , nan])
    """

    formula = r"\frac{m}{\mathrm{gap}}"
    rule = {"m": r"\frac{\bar y}{\mathrm{gap}}", "gap": r"-\bar y\, \frac{y}{\mathrm{gap}}"}

    def forward(self, m: Array, gap: Array, closed: Array) -> Array:
        return np.where(closed, np.where(np.equal(m, 0), m, math.nan), m / np.where(closed, 1, gap))

    def vjp_m(self, g: Array, y: Array, m: Array, gap: Array, closed: Array) -> Array:
        return over_gap(g, gap, closed)

    def vjp_gap(self, g: Array, y: Array, m: Array, gap: Array, closed: Array) -> Array:
        return -g * y / np.where(closed, 1, gap)


class Vectors(Op):
    """The vectors as they are, and a word to the factorisation that they were used: 1 as the cotangent of a 0.

    Where a function of equal values is 0, as the logarithm of the identity is, no gradient comes to their vectors, as
    if they were not used; but one comes to the values, and what it gives by these alone would be wrong. If none comes
    to those either, as for one element of that logarithm off its diagonal, nothing tells the two apart: it is 0.
    """

    formula = "v"
    rule = {"v": r"\bar y", "used": "1"}

    def forward(self, v: Array, used: Array) -> Array:
        return v

    def vjp_v(self, g: Array, y: Array, v: Array, used: Array) -> Array:
        return g

    def vjp_used(self, g: Array, y: Array, v: Array, used: Array) -> Array:
        return np.ones_like(used)


vectors = Vectors()
over_gap = register(OverGap())


def _rounding(w: Array) -> Array:
    """How far apart values may come out that are equal: measured on matrices of 3 to 300 rows, and twice that."""
    w = np.abs(plain(w))
    return 4 * math.sqrt(w.shape[-1]) * limits(w).eps * np.max(w, axis=-1, keepdims=True, initial=0)


def _gaps(w: Array, sign: float) -> tuple[Array, Array]:
    """w_j + sign w_i as a matrix, with 1 on its diagonal; and which of them are 0, but for rounding."""
    itself = np.eye(w.shape[-1], dtype=bool)
    gap = np.where(itself, 1, w[..., None, :] + sign * w[..., :, None])
    return gap, (np.abs(plain(gap)) <= _rounding(w)[..., None]) & ~itself


def _known(m: Array, closed: Array, g: Array, used: Array) -> Array:
    """What turns the vectors; nan where that is not told by them, as they were used, but by their values alone."""
    untold = closed & np.not_equal(g, 0)[..., None, :] & np.not_equal(used, 0)[..., None]
    return m * np.where(untold, math.nan, 1).astype(m.dtype)


def _diagonal(w: Array) -> Array:
    """Each row as the diagonal of a matrix."""
    return w[..., None] * np.eye(w.shape[-1], dtype=w.dtype)


@dataclass(frozen=True)
class Eigen(Op):
    """The eigenvalues of a symmetric matrix, ascending, and behind them its eigenvectors as columns (Giles, 2008).

    As NumPy's, it reads one triangle of the matrix, `uplo`, and only that has a gradient. Of equal eigenvalues, see the
    head of this file.

    >>> eigen(np.array([[2.0, 0.0], [0.0, 1.0]]))
    array([1., 2., 0., 1., 1., 0., 0.])
    """

    uplo: Any = "L"
    shorthand = {"F_{ij}": r"\frac{1}{w_j - w_i}", "y": "(w, V)"}
    formula = r"V \mathrm{diag}(w) V^\top = a"
    rule = {"a": r"V (\mathrm{diag}(\bar w) + F \circ V^\top \bar V) V^\top"}

    def forward(self, a: Array) -> Array:
        w, v = np.linalg.eigh(a, self.uplo)
        return packed((w, 1), (v, 2), (np.zeros_like(w, shape=(*a.shape[:-2], 1)), 1))

    def parts(self, y: Array, a: Array) -> list[Array]:
        """w, V, and 0, whose cotangent is whether V was used."""
        return unpacked(y, a.shape[-1:], a.shape[-2:], (1,))

    def vjp_a(self, g: Array, y: Array, a: Array) -> Array:
        (w, v, _), (gw, gv, used) = self.parts(y, a), self.parts(g, a)
        gap, closed = _gaps(w, -1)
        turn = over_gap(_known(_off_diagonal(transposed(v) @ gv), closed, gw, used), gap, closed)
        return one_triangle(v @ (_diagonal(gw) + turn) @ transposed(v), self.uplo)


def _off_diagonal(m: Array) -> Array:
    return np.where(np.eye(m.shape[-1], dtype=bool), 0, m)


class SVD(Op):
    """The singular vectors and values of a matrix, U, s and Vᵀ one behind the other (Townsend, 2016; Ionescu, 2015).

    Of equal singular values, see the head of this file. Where one is 0 and the matrix is not square, its vectors on the
    longer side are no more determined than those of equal ones.

    >>> SVD()(np.array([[0.0, 2.0], [1.0, 0.0]]))[4:6]
    array([2., 1.])
    """

    name = "svd"
    shorthand = {
        "F_{ij}": r"\frac{1}{2 (s_j - s_i)}",
        "G_{ij}": r"\frac{1}{2 (s_j + s_i)}",
        "P": r"U^\top \bar U",
        "Q": r"V^\top \bar V",
        "S": r"\mathrm{diag}(s)",
        "y": r"(U, s, V^\top)",
    }
    formula = r"U \mathrm{diag}(s) V^\top = a"
    rule = {
        "a": r"U (\mathrm{diag}(\bar s) + F \circ (P - P^\top + Q - Q^\top) + G \circ (P - P^\top - Q + Q^\top)) "
        r"V^\top + (1 - U U^\top) \bar U S^{-1} V^\top + U S^{-1} \bar V^\top (1 - V V^\top)"
    }

    def forward(self, a: Array) -> Array:
        u, s, vh = np.linalg.svd(a, full_matrices=False)
        return packed((u, 2), (s, 1), (vh, 2), (np.zeros_like(s, shape=(*a.shape[:-2], 1)), 1))

    def parts(self, y: Array, a: Array) -> list[Array]:
        """U, s, Vᵀ, and 0, whose cotangent is whether U or V was used."""
        m, n = a.shape[-2:]
        return unpacked(y, (m, min(m, n)), (min(m, n),), (min(m, n), n), (1,))

    def vjp_a(self, g: Array, y: Array, a: Array) -> Array:
        (u, s, vh, _), (gu, gs, gvh, used) = self.parts(y, a), self.parts(g, a)
        m, n = a.shape[-2:]
        p, q = transposed(u) @ gu, vh @ transposed(gvh)
        off_p, off_q = _off_diagonal(p), _off_diagonal(q)
        gap, closed = _gaps(s, -1)
        apart = over_gap(_known(off_p, closed, gs, used), gap, closed) + over_gap(off_q, gap, closed)  # they may cancel
        alike = over_gap(off_p - transposed(off_p) - off_q + transposed(off_q), *_gaps(s, 1))
        result = u @ (_diagonal(gs) + 0.5 * (apart + transposed(apart) + alike)) @ vh
        size = s[..., None, :]
        none = plain(size) <= _rounding(s)[..., None]
        if m > n:
            result = result + over_gap(_known(gu - u @ p, none, gs, used), size, none) @ vh
        if n > m:
            rest = _known(transposed(gvh) - transposed(vh) @ q, none, gs, used)
            result = result + u @ transposed(over_gap(rest, size, none))
        return result


eigen = register(Eigen())
_svd = register(SVD())

EighResult = type(np.linalg.eigh(np.eye(1)))
SVDResult = type(np.linalg.svd(np.eye(1)))


def eigh(a: Any, UPLO: str = "L") -> Any:
    """The eigenvalues of a symmetric matrix, and its eigenvectors."""
    op = Eigen(UPLO.upper())
    w, v, used = op.parts(op(a), a)
    return EighResult(w, vectors(v, used))


def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """The eigenvalues of a symmetric matrix."""
    return eigh(a, UPLO)[0]


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """U, s and Vᵀ; only s, if `compute_uv` is False. NotImplementedError for full matrices that are not square."""
    if hermitian:
        raise NotImplementedError("svd(hermitian=True) of a Tensor: take np.linalg.eigh, or leave it away")
    if compute_uv and full_matrices and a.shape[-1] != a.shape[-2]:
        raise NotImplementedError(
            "svd(full_matrices=True) of a Tensor that is not square: give full_matrices=False, as the further vectors\n"
            "  may be any that complete a basis, and so have no derivative"
        )
    u, s, vh, used = _svd.parts(_svd(a), a)
    return SVDResult(vectors(u, used), s, vectors(vh, used)) if compute_uv else s


def svdvals(x: Any, /) -> Any:
    """The singular values of a matrix, the greatest first."""
    return svd(x, compute_uv=False)


IMPLEMENTS |= {
    np.linalg.eigh: eigh,
    np.linalg.eigvalsh: eigvalsh,
    np.linalg.svd: svd,
    np.linalg.svdvals: svdvals,
}
