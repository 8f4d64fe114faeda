"""Factorisations of matrices, and of stacks of them.

Each is one op, whose result holds all factors one behind the other; what NumPy returns are views of it. So a matrix is
factorised once, and the rule sees the cotangents of all factors.

Where two eigenvalues or singular values are equal, their vectors are not determined and have no derivative. The term
between the two is then 0: which is right for all that does not depend on how the vectors were chosen. Second
derivatives need values that differ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..op import IMPLEMENTS, Array, Op, register
from .matrices import transposed


def packed(*factors: tuple[Array, int]) -> Array:
    """Factors one behind the other, each with the number of its axes that are not those of the stack."""
    rows = [f.reshape((*f.shape[: f.ndim - axes], math.prod(f.shape[f.ndim - axes :]))) for f, axes in factors]
    return np.concatenate(rows, axis=-1)


def unpacked(y: Array, *shapes: tuple[int, ...]) -> list[Array]:
    """The factors again, by their shapes."""
    parts, start = [], 0
    for shape in shapes:
        end = start + math.prod(shape)
        parts.append(y[..., start:end].reshape((*y.shape[:-1], *shape)))
        start = end
    return parts


def one_over(x: Array) -> Array:
    """1 / x, but 0 where x is 0."""
    zero = np.equal(x, 0)
    return np.where(zero, 0, 1 / np.where(zero, 1, x))


def gaps(w: Array) -> Array:
    """1 / (w_j - w_i) as a matrix, but 0 where the two are equal."""
    return one_over(w[..., None, :] - w[..., :, None])


def scaled(s: Array, a: Array) -> Array:
    """Each matrix with row i times s_i: diag(s) a."""
    return s[..., :, None] * a


def one_triangle(g: Array, uplo: str) -> Array:
    """The cotangent of a symmetric matrix as that of the one triangle that is read."""
    n = g.shape[-1]
    lower = np.tri(n, dtype=g.dtype) * 2 - np.eye(n, dtype=g.dtype)
    return 0.5 * (g + transposed(g)) * (lower if uplo == "L" else lower.T)


@dataclass(frozen=True)
class Cholesky(Op):
    """The lower triangular L of a positive definite matrix L Lᵀ, or its transpose (Murray, 2016, arXiv:1602.07527).

    As NumPy's, it reads one triangle of the matrix, the lower or the `upper`, and only that has a gradient. LinAlgError
    for a matrix that is not positive definite.

    >>> Cholesky()(np.array([[4.0, 2.0], [2.0, 5.0]]))
    array([[2., 0.],
           [1., 2.]])
    """

    upper: bool = False
    shorthand = {r"\Phi(x)": r"\mathrm{tril}(x) - \frac{1}{2} \mathrm{diag}(x)"}
    formula = r"y y^\top = a"
    rule = {"a": r"y^{-\top}\, \Phi(y^\top \bar y)\, y^{-1}"}

    def forward(self, a: Array) -> Array:
        return transposed(np.linalg.cholesky(transposed(a))) if self.upper else np.linalg.cholesky(a)

    def vjp_a(self, g: Array, y: Array, a: Array) -> Array:
        low, g = (transposed(y), transposed(g)) if self.upper else (y, g)
        n = a.shape[-1]
        middle = (transposed(low) @ g) * (np.tri(n, dtype=a.dtype) - 0.5 * np.eye(n, dtype=a.dtype))
        inverse = np.linalg.inv(low)
        return one_triangle(transposed(inverse) @ middle @ inverse, "U" if self.upper else "L")


@dataclass(frozen=True)
class Eigen(Op):
    """The eigenvalues of a symmetric matrix, ascending, and behind them its eigenvectors as columns (Giles, 2008).

    As NumPy's, it reads one triangle of the matrix, `uplo`, and only that has a gradient. Of equal eigenvalues, see the
    head of this file.

    >>> eigen(np.array([[2.0, 0.0], [0.0, 1.0]]))
    array([1., 2., 0., 1., 1., 0.])
    """

    uplo: Any = "L"
    shorthand = {"F_{ij}": r"\frac{1}{w_j - w_i}", "y": "(w, V)"}
    formula = r"V \mathrm{diag}(w) V^\top = a"
    rule = {"a": r"V (\mathrm{diag}(\bar w) + F \circ V^\top \bar V) V^\top"}

    def forward(self, a: Array) -> Array:
        w, v = np.linalg.eigh(a, self.uplo)
        return packed((w, 1), (v, 2))

    def parts(self, y: Array, a: Array) -> list[Array]:
        """w and V."""
        return unpacked(y, a.shape[-1:], a.shape[-2:])

    def vjp_a(self, g: Array, y: Array, a: Array) -> Array:
        (w, v), (gw, gv) = self.parts(y, a), self.parts(g, a)
        inner = scaled(gw, np.eye(a.shape[-1], dtype=a.dtype)) + gaps(w) * (transposed(v) @ gv)
        return one_triangle(v @ inner @ transposed(v), self.uplo)


class QR(Op):
    """Q, with orthonormal columns, and behind it the triangular R, of a matrix of full rank (Walter and Lehmann, 2010).

    Their rule (arXiv:1009.6112) is for matrices that are not wider than high; of a wider one, it is that of its first
    columns, and R holds the others times Qᵀ.

    >>> QR()(np.array([[0.0, 2.0], [1.0, 0.0]])).round(12) + 0.0
    array([ 0., -1., -1.,  0., -1.,  0.,  0., -2.])
    """

    name = "qr"
    shorthand = {r"\mathrm{sym}(m)": r"\mathrm{tril}(m) + \mathrm{tril}(m, -1)^\top", "y": "(Q, R)"}
    formula = "Q R = a"
    rule = {"a": r"(\bar Q + Q\, \mathrm{sym}(R \bar R^\top - \bar Q^\top Q)) R^{-\top}"}

    def forward(self, a: Array) -> Array:
        q, r = np.linalg.qr(a)
        return packed((q, 2), (r, 2))

    def parts(self, y: Array, a: Array) -> list[Array]:
        """Q and R."""
        m, n = a.shape[-2:]
        return unpacked(y, (m, min(m, n)), (min(m, n), n))

    def vjp_a(self, g: Array, y: Array, a: Array) -> Array:
        (q, r), (gq, gr) = self.parts(y, a), self.parts(g, a)
        k, n = r.shape[-2:]
        rest, r, gr, g_rest = a[..., :, k:], r[..., :, :k], gr[..., :, :k], gr[..., :, k:]
        gq = gq + rest @ transposed(g_rest) if n > k else gq
        m = r @ transposed(gr) - transposed(gq) @ q
        lower = np.tri(k, dtype=a.dtype)
        m = m * lower + transposed(m * (lower - np.eye(k, dtype=a.dtype)))
        first = transposed(np.linalg.solve(r, transposed(gq + q @ m)))
        return np.concatenate([first, q @ g_rest], axis=-1) if n > k else first


class SVD(Op):
    """The singular vectors and values of a matrix, U, s and Vᵀ one behind the other (Townsend, 2016; Ionescu, 2015).

    Of equal singular values, see the head of this file; where one is 0, those terms of the vectors' derivative are 0
    that would be divided by it.

    >>> SVD()(np.array([[0.0, 2.0], [1.0, 0.0]]))[4:6]
    array([2., 1.])
    """

    name = "svd"
    shorthand = {"F_{ij}": r"\frac{1}{s_j^2 - s_i^2}", "S": r"\mathrm{diag}(s)", "y": r"(U, s, V^\top)"}
    formula = r"U \mathrm{diag}(s) V^\top = a"
    rule = {
        "a": r"U (\mathrm{diag}(\bar s) + (F \circ (U^\top \bar U - \bar U^\top U)) S "
        r"+ S (F \circ (V^\top \bar V - \bar V^\top V))) V^\top "
        r"+ (1 - U U^\top) \bar U S^{-1} V^\top + U S^{-1} \bar V^\top (1 - V V^\top)"
    }

    def forward(self, a: Array) -> Array:
        u, s, vh = np.linalg.svd(a, full_matrices=False)
        return packed((u, 2), (s, 1), (vh, 2))

    def parts(self, y: Array, a: Array) -> list[Array]:
        """U, s and Vᵀ."""
        m, n = a.shape[-2:]
        return unpacked(y, (m, min(m, n)), (min(m, n),), (min(m, n), n))

    def vjp_a(self, g: Array, y: Array, a: Array) -> Array:
        (u, s, vh), (gu, gs, gvh) = self.parts(y, a), self.parts(g, a)
        m, n = a.shape[-2:]
        gap = gaps(s) * one_over(s[..., None, :] + s[..., :, None])
        turn_u, turn_v = transposed(u) @ gu, vh @ transposed(gvh)
        inner = gap * (turn_u - transposed(turn_u)) * s[..., None, :]
        inner = inner + scaled(s, gap * (turn_v - transposed(turn_v))) + scaled(gs, np.eye(min(m, n), dtype=a.dtype))
        result = u @ inner @ vh
        over = one_over(s)
        if m > n:
            result = result + ((gu - u @ turn_u) * over[..., None, :]) @ vh
        if n > m:
            result = result + u @ scaled(over, gvh - transposed(turn_v) @ vh)
        return result


@dataclass(frozen=True)
class Pinv(Op):
    """The pseudoinverse of a matrix, whose rank is taken to stay as it is (Golub and Pereyra, 1973).

    Singular values below `rtol` times the greatest count as 0.

    >>> Pinv()(np.array([[2.0, 0.0], [0.0, 0.0]]))
    array([[0.5, 0. ],
           [0. , 0. ]])
    """

    rtol: float = 1e-15
    formula = "a^+"
    rule = {"a": r"-y^\top \bar y\, y^\top + (1 - a y) \bar y^\top y y^\top + y^\top y \bar y^\top (1 - y a)"}

    def forward(self, a: Array) -> Array:
        return np.linalg.pinv(a, self.rtol)

    def vjp_a(self, g: Array, y: Array, a: Array) -> Array:
        gt, yt = transposed(g), transposed(y)
        right, left = gt @ y @ yt, yt @ y @ gt
        return right - a @ (y @ right) + left - (left @ y) @ a - yt @ g @ yt


register(Cholesky())
eigen = register(Eigen())
_qr = register(QR())
_svd = register(SVD())
_pinv = register(Pinv())

EighResult = type(np.linalg.eigh(np.eye(1)))
QRResult = type(np.linalg.qr(np.eye(1)))
SVDResult = type(np.linalg.svd(np.eye(1)))


def cholesky(a: Any, *, upper: bool = False) -> Any:
    """The lower triangular L of a positive definite matrix L Lᵀ; its transpose, of the upper triangle, if `upper`."""
    return Cholesky(bool(upper))(a)


def eigh(a: Any, UPLO: str = "L") -> Any:
    """The eigenvalues of a symmetric matrix, and its eigenvectors."""
    op = Eigen(UPLO.upper())
    return EighResult(*op.parts(op(a), a))


def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """The eigenvalues of a symmetric matrix."""
    return eigh(a, UPLO)[0]


def qr(a: Any, mode: str = "reduced") -> Any:
    """Q and R; only R, if the mode is "r". NotImplementedError for the modes "complete" and "raw"."""
    if mode not in ("reduced", "r"):
        raise NotImplementedError(f"qr(mode={mode!r}) of a Tensor: take mode='reduced', the part that has a derivative")
    result = QRResult(*_qr.parts(_qr(a), a))
    return result[1] if mode == "r" else result


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """U, s and Vᵀ; only s, if `compute_uv` is False. NotImplementedError for full matrices that are not square."""
    if hermitian:
        raise NotImplementedError("svd(hermitian=True) of a Tensor: take np.linalg.eigh, or leave it away")
    if compute_uv and full_matrices and a.shape[-1] != a.shape[-2]:
        raise NotImplementedError(
            "svd(full_matrices=True) of a Tensor that is not square: give full_matrices=False, as the further vectors\n"
            "  may be any that complete a basis, and so have no derivative"
        )
    result = SVDResult(*_svd.parts(_svd(a), a))
    return result if compute_uv else result[1]


def svdvals(x: Any, /) -> Any:
    """The singular values of a matrix, the greatest first."""
    return svd(x, compute_uv=False)


def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = 1e-15) -> Any:
    """The pseudoinverse of a matrix, by NumPy's two names for what counts as 0; None is the precision, as there."""
    if hermitian:
        raise NotImplementedError("pinv(hermitian=True) of a Tensor: leave it away, the result is the same")
    rtol = rtol if rcond is None else rcond
    return Pinv(float(max(a.shape[-2:]) * np.finfo(a.dtype).eps if rtol is None else rtol))(a)


def lstsq(a: Any, b: Any, rcond: float | None = None) -> Any:
    """The x for which a x is nearest to b, the sums of squares that remain, the rank and the singular values of a.

    The sums are those of a matrix of full rank, and none where it is not higher than wide.
    """
    a, b = (x if hasattr(x, "ndim") else np.asarray(x) for x in (a, b))
    kind = np.result_type(a.dtype, b.dtype)
    rcond = max(a.shape) * np.finfo(kind).eps if rcond is None else rcond
    x = Pinv(float(max(rcond, 0)))(a) @ b
    rest = np.square(b - a @ x)
    rest = np.sum(rest if b.ndim > 1 else rest[:, None], axis=0)
    s = _svd.parts(_svd(a), a)[1]
    rank = np.sum(np.greater(s, rcond * s[..., :1]), axis=-1, dtype=np.int32)
    return x, rest if a.shape[0] > a.shape[1] else rest[:0], rank, s


IMPLEMENTS |= {
    np.linalg.cholesky: cholesky,
    np.linalg.eigh: eigh,
    np.linalg.eigvalsh: eigvalsh,
    np.linalg.qr: qr,
    np.linalg.svd: svd,
    np.linalg.svdvals: svdvals,
    np.linalg.pinv: pinv,
    np.linalg.lstsq: lstsq,
}
