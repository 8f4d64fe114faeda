"""Derivatives from values alone, each with an estimate of its error: what rules are judged by."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Line = Callable[[float], float]  # a function along a line, 0 at the point in question; nan where it has no value

SHRINK, ROWS = 2.5, 9
EDGES = 40  # so many times the step is shortened to stay within a domain
EPSILON = 2.0**-52


class Slope(NamedTuple):
    """A derivative, how far off it may be, how it was found, and the step that it was found with."""

    value: float
    error: float
    way: str = "Ridders"
    step: float = 0.1

    @property
    def relative(self) -> float:
        """The error, as a share of the value."""
        return self.error / abs(self.value) if self.value else math.inf


def central(f: Line, h: float, noise: float) -> Slope:
    """The slope at 0 by central differences, of steps `h` and less; `noise` is what rounding does to a value."""
    return _extrapolated(lambda h: (f(h) - f(-h)) / (2 * h), h, SHRINK**2, noise)


def sharpest(f: Line, steps: set[float], noise: float) -> Slope:
    """As `central`, from steps of many lengths, for functions that are flat, steep, or bent close by."""
    found = []
    for h in sorted((h * 100.0**-k for h in steps for k in range(6)), reverse=True):
        found.append(central(f, h, noise))
        if found[-1].relative <= 1e-7:
            break
    sure = [s for s in found if s.relative <= 1e-3]
    finite = [s for s in found if math.isfinite(s.value)]
    return min(sure, key=lambda s: s.relative) if sure else min(finite or found, key=lambda s: s.error)


def one_sided(f: Line, h: float, noise: float) -> Slope:
    """The slope to the right of 0, or for a negative h to the left. If f jumps at 0, that beside it."""
    middle, quotients = f(0.0), []

    def quotient(h: float) -> float:
        quotients.append((f(h) - middle) / h)
        return quotients[-1]

    found = _extrapolated(quotient, h, SHRINK, noise)
    grows = [abs(b) > 0.9 * SHRINK * abs(a) > 0 for a, b in itertools.pairwise(quotients)]
    if len(grows) > 4 and all(grows[-4:]):
        return _extrapolated(lambda h: (f(2 * h) - f(h)) / h, h, SHRINK, noise)
    return min(found, _of_any_power(quotients[-4:], found), key=lambda s: s.error)


def _of_any_power(q: list[float], found: Slope) -> Slope:
    """The limit of quotients that differ from it by one power of the step, whole or not (Aitken, 1926): x^1.5 at 0."""
    if len(q) < 4 or not all(map(math.isfinite, q)) or 0 in np.diff(q, 2):
        return found
    before, last = (c - (c - b) ** 2 / (c - 2 * b + a) for a, b, c in (q[:3], q[1:]))
    return Slope(last, abs(last - before), "Aitken", found.step)


def _extrapolated(quotient: Line, h: float, factor: float, noise: float) -> Slope:
    """Difference quotients extrapolated to step 0 by Richardson's rule, in Ridders' table (Ridders, 1982).

    Each row has a smaller step, each column the next term of the series in the step cancelled. The entry that differs
    least from its two parents is taken, and that difference is its error.
    """
    for _ in range(EDGES):
        best = Slope(quotient(h), math.inf)
        if math.isfinite(best.value):
            break
        h /= SHRINK
    last = [best.value]
    for _ in range(ROWS):
        h /= SHRINK
        row, by = [quotient(h)], factor
        for before in last:
            row.append((row[-1] * by - before) / (by - 1))
            error = max(abs(row[-1] - row[-2]), abs(row[-1] - before), abs(noise / h))
            if error <= best.error:
                best = Slope(row[-1], error, step=abs(h))
            by *= factor
        if best.error <= 1e-9 * abs(best.value):
            break
        last = row
    return best
