"""What is compared with what: reverse with numeric, forward with reverse, single precision with double."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..op import Array
from ..tensor import Tensor
from ..transforms import gradients
from .complex import as_complex, in_complex
from .numeric import EPSILON, Slope, central, one_sided
from .problem import Arrays, Problem

ELEMENTS = {1: 100, 2: 30}  # by the order: up to so many are all checked, beyond it some, and random directions
DIRECTIONS = 2  # of each argument


@dataclass
class Fault:
    """A derivative that is wrong: where, what it is, and what it should be."""

    order: int
    mode: str
    name: str
    index: tuple[int, ...] | None  # None: in a random direction
    analytic: float
    numeric: Slope
    line: Callable[[float], float] | None = None
    step: float = 0.1
    note: str = ""
    off: int = 1
    checked: int = 1

    @property
    def relative(self) -> float:
        return abs(self.analytic - self.numeric.value) / max(abs(self.numeric.value), abs(self.analytic), 1e-300)


@dataclass
class Place:
    """A direction in which to differentiate: that of one element of one argument, or several of it at once."""

    k: int
    index: tuple[int, ...] | None
    direction: Array
    step: float


def places(arrays: Arrays, most: int) -> Iterator[Place]:
    """Every element, if they are not many; else a sample of them, and random directions."""
    rng, total = np.random.default_rng(11), sum(a.size for a in arrays)
    for k, a in enumerate(arrays):
        share = a.size if total <= most else min(a.size, max(2, most * a.size // (2 * total)))
        for flat in sorted(rng.choice(a.size, share, replace=False)) if a.size else ():
            yield element(a, k, int(flat))
        if share < a.size:
            for _ in range(DIRECTIONS):
                yield Place(k, None, rng.choice([-1.0, 1.0], a.shape) * reach(a), 0.1)


def element(a: Array, k: int, flat: int) -> Place:
    """The direction of one element."""
    direction = np.zeros_like(a)
    direction.flat[flat] = 1.0
    return Place(k, tuple(map(int, np.unravel_index(flat, a.shape))), direction, 0.1 * float(reach(a).flat[flat]))


def reach(a: Array) -> Array:
    """How far one may go from each number: in proportion to it, so as not to leave the domain; but 1 from 0."""
    return np.where(a == 0, 1.0, np.clip(np.abs(a), 1e-6, 10.0))


class Judge:
    """Of a problem, what its derivatives are, and whether they are right."""

    def __init__(self, problem: Problem, rtol: float, atol: float | None, complex_step: bool) -> None:
        self.problem, self.rtol, self.atol = problem, rtol, atol
        self.complex_step = complex_step
        self.arrays = problem.arrays
        outputs, _ = problem.run(self.arrays)
        self.size = float(sum(np.sum(np.abs(w * y._array)) for w, y in zip(problem.weights, outputs, strict=True)))
        rng = np.random.default_rng(5)
        self.contraction = [rng.uniform(0.5, 1.5, a.shape) * rng.choice([-1, 1], a.shape) for a in self.arrays]

    def moved(self, place: Place, t: Any) -> Arrays:
        return [a + t * place.direction if k == place.k else a for k, a in enumerate(self.arrays)]

    def line(self, place: Place, order: int) -> Callable[[float], float]:
        """The function, or its first derivative contracted with fixed numbers, along a line."""
        value = self.problem.value if order == 1 else lambda arrays: self.first(arrays)[0].item()
        return lambda t: float(value(self.moved(place, t)))

    def first(self, arrays: Arrays) -> tuple[Any, list[Tensor]]:
        slopes, variables = self.problem.slopes(arrays)
        total: Any = sum((g * c).sum() for g, c in zip(slopes, self.contraction, strict=True))
        return total, variables

    def derivatives(self, order: int) -> Arrays:
        """The gradient, or that of its contraction, by the rules."""
        if order == 1:
            return [g._array for g in self.problem.slopes(self.arrays)[0]]
        total, variables = self.first(self.arrays)
        return [g._array for g in gradients(total, variables)]

    def faults(self, order: int) -> list[Fault]:
        """What is wrong with the derivatives of this order."""
        derivatives = self.derivatives(order)
        broken = [self.not_finite(k, order, g) for k, g in enumerate(derivatives) if not np.isfinite(g).all()]
        if broken:
            return broken
        self.largest = max((float(np.abs(g).max()) for g in derivatives if g.size), default=0.0)
        self.noise = (
            2 * EPSILON * (self.size if order == 1 else sum(float(np.abs(g).sum()) for g in self.derivatives(1)))
        )
        found, checked = [], 0
        for place in places(self.arrays, ELEMENTS[order]):
            analytic = float(np.sum(derivatives[place.k] * place.direction))
            checked += 1
            fault = self.judged(place, order, analytic)
            if fault and place.index is None:
                fault = self.element_of(place, order, derivatives[place.k]) or fault
            if fault:
                found.append(fault)
        return [replace(f, off=len(found), checked=checked) for f in found]

    def element_of(self, place: Place, order: int, derivative: Array) -> Fault | None:
        """One element that is wrong, where all together are."""
        a = self.arrays[place.k]
        for flat in np.argsort(-np.abs(derivative), axis=None, kind="stable")[: ELEMENTS[order]]:
            one = element(a, place.k, int(flat))
            if fault := self.judged(one, order, float(derivative.flat[flat])):
                return fault
        return None

    def not_finite(self, k: int, order: int, g: Array) -> Fault:
        index = tuple(map(int, np.argwhere(~np.isfinite(g))[0]))
        off = int((~np.isfinite(g)).sum())
        return Fault(
            order,
            "not finite",
            self.problem.names[k],
            index,
            float(g[index]),
            Slope(math.nan, 0.0),
            off=off,
            checked=g.size,
        )

    def judged(self, place: Place, order: int, analytic: float) -> Fault | None:
        """None if a derivative is right, or legal at a kink."""
        line = self.line(place, order)
        numeric = self.by_complex_step(place, line, analytic) if order == 1 and self.complex_step else None
        if numeric is None or not self.agree(analytic, numeric, place):
            numeric = central(line, place.step, self.noise)
        if self.agree(analytic, numeric, place):
            return None
        below, above = self.slopes_beside(place, line)
        slack = sum(self.tolerance(s, place) for s in (below, above))
        if min(below.value, above.value) - slack <= analytic <= max(below.value, above.value) + slack:
            return None
        if order == 2 and self.is_kink(place):
            return None
        note = "" if self.alike(below, above) else f"a kink: {below.value:.7g} below it, {above.value:.7g} above"
        name = self.problem.names[place.k]
        return Fault(order, "reverse", name, place.index, analytic, numeric, line, place.step, note)

    def slopes_beside(self, place: Place, line: Callable[[float], float]) -> tuple[Slope, Slope]:
        below, above = (one_sided(line, side * place.step, self.noise) for side in (-1, 1))
        return below, above

    def is_kink(self, place: Place) -> bool:
        """Whether the function itself has a kink along this line, so that a second derivative does not exist."""
        noise, self.noise = self.noise, 2 * EPSILON * self.size
        below, above = self.slopes_beside(place, self.line(place, 1))
        self.noise = noise
        return not self.alike(below, above)

    def alike(self, below: Slope, above: Slope) -> bool:
        if below.value == above.value:
            return True
        apart = abs(below.value - above.value)
        return apart <= 1e-6 * max(abs(below.value), abs(above.value)) + 10 * (below.error + above.error)

    def agree(self, analytic: float, numeric: Slope, place: Place) -> bool:
        return abs(analytic - numeric.value) <= self.tolerance(numeric, place) + self.rtol * abs(analytic)

    def tolerance(self, numeric: Slope, place: Place) -> float:
        """How far off is near enough. The error of the numeric derivative counts, but it may not excuse everything."""
        size = max(
            self.largest * float(np.abs(place.direction).sum()) / max(1, place.direction.size), abs(numeric.value)
        )
        size = size if math.isfinite(size) else self.largest
        least = 1e-9 * size if self.atol is None else self.atol
        return least + min(4 * numeric.error, 1e-5 * size + 4 * self.noise / place.step)

    def by_complex_step(self, place: Place, line: Callable[[float], float], analytic: float) -> Slope | None:
        """f(x + ih) = f(x) + ih f'(x) + O(h²), without cancellation (Squire and Trapp, 1998); None where it is none.

        A function that looks at the size or the order of its arguments is not analytic, which a difference shows.
        """
        h = 1e-3 * place.step
        slope = complex_value(self.problem, self.moved(place, 1e-30j)).imag / 1e-30
        coarse = (line(h) - line(-h)) / (2 * h)
        if abs(slope - coarse) <= 1e-5 * (abs(slope) + abs(coarse)) + self.noise / h:
            return Slope(slope, 16 * EPSILON * self.largest, "complex step")
        return None

    def forward_faults(self) -> list[Fault]:
        """J v by differentiating the vjp by its seed, which it is linear in, against w J as `gradients` gives it."""
        outputs, variables = self.problem.run(self.arrays)
        rng, live = np.random.default_rng(17), [y for y in outputs if y.requires_grad]
        weights = [w for y, w in zip(outputs, self.problem.weights, strict=True) if y.requires_grad]
        seeds, found = [Tensor(w) for w in weights], []
        pulled = [gradients(y, variables, u) for y, u in zip(live, seeds, strict=True)]
        for k, name in enumerate(self.problem.names):
            v = rng.choice([-1.0, 1.0], self.arrays[k].shape)
            reverse: Any = sum((gs[k] * v).sum() for gs in pulled)
            if not isinstance(reverse, Tensor) or not reverse.requires_grad:
                continue
            pushed = gradients(reverse, seeds)
            forward = sum(float(np.sum(w * t._array)) for w, t in zip(weights, pushed, strict=True))
            size = sum(float(np.sum(np.abs(gs[k]._array))) for gs in pulled)
            if not abs(forward - reverse.item()) <= max(self.rtol * size, self.atol or 0.0):
                found.append(Fault(1, "forward", name, None, forward, Slope(reverse.item(), 0.0, "reverse mode")))
        return found


def allows_complex(problem: Problem) -> bool:
    """Whether the function runs on complex arrays at all."""
    try:
        complex_value(problem, [a + 0j for a in problem.arrays])
    except Exception:  # whatever the function makes of numbers that it was not written for
        return False
    return True


def complex_value(problem: Problem, arrays: Arrays) -> complex:
    """The value for complex arrays, of which nothing is recorded."""
    with in_complex():
        return complex(problem.value(list(map(as_complex, arrays)), recording=False))
