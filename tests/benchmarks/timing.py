"""How long steps take."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def best_of(steps: dict[str, Callable[[], Any]], seconds: float) -> dict[str, float]:
    """The best time of each, run in turns."""
    best = dict.fromkeys(steps, float("inf"))
    end = time.perf_counter() + seconds
    rounds = 0
    while time.perf_counter() < end or rounds < 3:
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            best[name] = min(best[name], time.perf_counter() - start)
        rounds += 1
    return best
