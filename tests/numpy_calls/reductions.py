"""Calls, written as people write them."""

from __future__ import annotations

CALLS = [
    "np.sum(x, axis=0)",
    "np.std(z, axis=(0, 2), ddof=1)",
]
