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
]
