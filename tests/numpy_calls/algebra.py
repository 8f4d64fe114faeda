"""Calls, written as people write them."""

from __future__ import annotations

from typing import Any

import numpy as np
from samples import other, smooth

ARRAYS: dict[str, Any] = {
    "mm": smooth(2, 3, 3) + 3 * np.eye(3),  # a stack of matrices that can be inverted
    "r3": smooth(3),
    "s23": smooth(2, 3),
    "t4": smooth(2, 2, 2, 2) + 3 * np.eye(4).reshape(2, 2, 2, 2),
    "o3": other(2, 3),
    "tall": smooth(4, 3),
    "wide": smooth(2, 2, 4),
}

CALLS = [
    "x @ y.T",
    "np.linalg.inv(m)",
    "np.linalg.inv(mm)",
    "np.linalg.solve(m, n)",
    "np.linalg.solve(m, r3)",
    "np.linalg.solve(mm, r3)",
    "np.linalg.solve(mm, n)",
    "np.linalg.solve(m, n[None])",
    "np.linalg.det(m)",
    "np.linalg.det(mm)",
    "np.linalg.slogdet(m)",
    "np.linalg.slogdet(-mm)",
    "np.linalg.slogdet(mm).logabsdet",
    "np.linalg.matrix_power(m, 0) * m",
    "np.linalg.matrix_power(m, 1)",
    "np.linalg.matrix_power(mm, 2)",
    "np.linalg.matrix_power(m, 5)",
    "np.linalg.matrix_power(mm, -3)",
    "np.linalg.multi_dot([x.T, m, n])",
    "np.linalg.multi_dot([r3, m, x])",
    "np.linalg.multi_dot([x.T, m, m, r3])",
    "np.linalg.multi_dot([r3, m, r3])",
    "np.linalg.multi_dot([r3, r3])",
    "np.linalg.tensorinv(t4)",
    "np.linalg.tensorinv(m.reshape(3, 3, 1), ind=1)",
    "np.linalg.tensorsolve(t4, t4[0, 1])",
    "np.linalg.tensorsolve(t4, t4[1, 1], axes=(0, 1))",
    "np.linalg.cholesky(m @ m.T)",
    "np.linalg.cholesky(m @ m.T, upper=True)",
    "np.linalg.cholesky(np.matmul(mm, np.swapaxes(mm, -1, -2)))",
    "np.linalg.eigh(m)",
    "np.linalg.eigh(mm, 'U')",
    "np.linalg.eigh(mm, UPLO='l').eigenvalues",
    "np.linalg.eigvalsh(m)",
    "np.linalg.eigvalsh(mm, 'U')",
    "np.linalg.qr(m)",
    "np.linalg.qr(mm).R",
    "np.linalg.qr(tall)",
    "np.linalg.qr(tall, mode='r')",
    "np.linalg.qr(wide)",
    "np.linalg.svd(m)",
    "np.linalg.svd(mm)",
    "np.linalg.svd(tall, full_matrices=False)",
    "np.linalg.svd(wide, full_matrices=False)",
    "np.linalg.svd(wide, False).Vh",
    "np.linalg.svd(wide, compute_uv=False)",
    "np.linalg.svdvals(tall)",
    "np.linalg.pinv(m)",
    "np.linalg.pinv(tall)",
    "np.linalg.pinv(wide, rtol=None)",
    "np.linalg.pinv(tall, 1e-10)",
    "np.linalg.pinv(np.outer(r3, r3), rcond=1e-5)",
    "np.linalg.lstsq(tall, x[:, 0].repeat(2)[:4])[:2]",
    "np.linalg.lstsq(x.T, tall)",
    "np.linalg.lstsq(x, r3)",
    "np.linalg.lstsq(m, n, rcond=None)",
    "np.linalg.lstsq(m, n, rcond=1e-6)[0]",
]
