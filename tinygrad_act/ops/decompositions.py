"""Factorisations of matrices, and of stacks of them: Cholesky's, QR, and the pseudoinverse.

An op of several factors has one result, which holds them one behind the other; what NumPy returns are views of it. So a
matrix is factorised once, and the rule sees the cotangents of all factors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..op import IMPLEMENTS, Array, Op, register
from .arguments import array
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
_qr = register(QR())
_pinv = register(Pinv())

QRResult = type(np.linalg.qr(np.eye(1)))
_UNTOLD: Any = object()


def cholesky(a: Any, *, upper: bool = False) -> Any:
    """The lower triangular L of a positive definite matrix L Lᵀ; its transpose, of the upper triangle, if `upper`."""
    return Cholesky(bool(upper))(a)


def qr(a: Any, mode: str = "reduced") -> Any:
    """Q and R; only R, if the mode is "r". NotImplementedError for the modes "complete" and "raw"."""
    if mode not in ("reduced", "r"):
        raise NotImplementedError(f"qr(mode={mode!r}) of a Tensor: take mode='reduced', the part that has a derivative")
    result = QRResult(*_qr.parts(_qr(a), a))
    return result[1] if mode == "r" else result


def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = _UNTOLD) -> Any:
    """The pseudoinverse of a matrix, by NumPy's two names for what counts as 0; None is the precision, as there."""
    if hermitian:
        raise NotImplementedError("pinv(hermitian=True) of a Tensor: leave it away, the result is the same")
    if rcond is not None and rtol is not _UNTOLD:
        raise ValueError("pinv takes rtol or rcond, which are the same, but not both")
    rtol = rcond if rcond is not None else 1e-15 if rtol is _UNTOLD else rtol
    if np.size(rtol) != 1:
        raise TypeError(
            "pinv of a Tensor takes one number for what counts as 0: np.stack the matrices of different ones"
        )
    return Pinv(float(max(a.shape[-2:]) * np.finfo(a.dtype).eps if rtol is None else np.asarray(rtol).item()))(a)


def lstsq(a: Any, b: Any, rcond: float | None = None) -> Any:
    """The x for which a x is nearest to b, the sums of squares that remain, the rank and the singular values of a.

    The sums are those of a matrix of full rank, and none where it is not higher than wide.
    """
    a, b = array(a), array(b)
    kind = np.result_type(a.dtype, b.dtype, np.float32)
    a, b = (x if x.dtype == kind else np.astype(x, kind) for x in (a, b))
    rcond = max(a.shape) * np.finfo(kind).eps if rcond is None else rcond
    x = Pinv(float(max(rcond, 0)))(a) @ b
    rest = np.square(b - a @ x)
    rest = np.sum(rest if b.ndim > 1 else rest[:, None], axis=0)
    s = np.linalg.svdvals(a)
    rank = np.sum(np.greater(s, rcond * s[..., :1]), axis=-1, dtype=np.int32)
    return x, rest if a.shape[0] > a.shape[1] else rest[:0], rank, s


IMPLEMENTS |= {
    np.linalg.cholesky: cholesky,
    np.linalg.qr: qr,
    np.linalg.pinv: pinv,
    np.linalg.lstsq: lstsq,
}
