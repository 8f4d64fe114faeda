"""Derivatives from values alone, each with an estimate of its error: what rules are judged by."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

Line = Callable[[float], float]  # a function along a line, 0 at the point in question

SHRINK, ROWS = 2.5, 9
EPSILON = 2.0**-52


class Slope(NamedTuple):
    """A derivative, how far off it may be, and how it was found."""

    value: float
    error: float
    way: str = "Ridders"


def central(f: Line, h: float, noise: float) -> Slope:
    """The slope at 0 by central differences, of steps `h` and less; `noise` is what rounding does to a value."""
    return _extrapolated(lambda h: (f(h) - f(-h)) / (2 * h), h, SHRINK**2, noise)


def one_sided(f: Line, h: float, noise: float) -> Slope:
    """The slope to the right of 0, or for a negative h to the left. If f jumps at 0, that beside it."""
    middle, quotients = f(0.0), []

    def quotient(h: float) -> float:
        quotients.append((f(h) - middle) / h)
        return quotients[-1]

    found = _extrapolated(quotient, h, SHRINK, noise)
    grows = [abs(b) > 0.9 * SHRINK * abs(a) > 0 for a, b in itertools.pairwise(quotients)]
    jumps = len(grows) > 4 and all(grows[-4:])
    return _extrapolated(lambda h: (f(2 * h) - f(h)) / h, h, SHRINK, noise) if jumps else found


def _extrapolated(quotient: Line, h: float, factor: float, noise: float) -> Slope:
    """Difference quotients extrapolated to step 0 by Richardson's rule, in Ridders' table (Ridders, 1982).

    Each row has a smaller step, each column the next term of the series in the step cancelled. The entry that differs
    least from its two parents is taken, and that difference is its error.
    """
    best = Slope(quotient(h), math.inf)
    last = [best.value]
    for _ in range(ROWS):
        h /= SHRINK
        row, by = [quotient(h)], factor
        for before in last:
            row.append((row[-1] * by - before) / (by - 1))
            error = max(abs(row[-1] - row[-2]), abs(row[-1] - before), abs(noise / h))
            if error <= best.error:
                best = Slope(row[-1], error)
            by *= factor
        if best.error <= 1e-9 * abs(best.value):
            break
        last = row
    return best
