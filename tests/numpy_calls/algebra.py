"""Calls, written as people write them."""

from __future__ import annotations

CALLS = [
    "x @ y.T",
    'np.einsum("ij,ij->i", x, y)',
]
