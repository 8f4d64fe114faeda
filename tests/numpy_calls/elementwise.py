"""Calls, written as people write them."""

from __future__ import annotations

CALLS = [
    "np.exp(x)",
    "np.hypot(x, y)",
]
