"""Calls, written as people write them."""

from __future__ import annotations

CALLS = [
    "np.stack([x, y], axis=1)",
    "np.split(v, [2, 3])",
]
