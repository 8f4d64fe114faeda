"""What is compared with what: reverse with numeric, forward with reverse, rules on Tensors with rules on arrays."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..autodiff import toposort
from ..op import Array, Node
from ..tensor import Tensor
from ..transforms import gradients
from ..transforms.linear import Pullback
from .complex import as_complex, in_complex
from .numeric import EPSILON, Line, Slope, central, one_sided, sharpest
from .places import Place, element, places, reach, written
from .problem import Arrays, Problem
from .rounding import by_rounding

ELEMENTS = {1: 100, 2: 30}  # by the order: up to so many are all checked, beyond it some, and random directions
FEW, MANY = 4, 64  # elements that are told one by one, and from which on they are looked at but by halves


@dataclass
class Fault:
    """A derivative that is wrong: where, what it is, and what it should be."""

    order: int
    mode: str
    name: str
    where: str
    analytic: float
    numeric: Slope
    line: Line | None = None
    step: float = 0.1
    legal: tuple[float, float] | None = None  # what it may be at a kink
    off: int = 1
    checked: int = 1

    @property
    def relative(self) -> float:
        return abs(self.analytic - self.numeric.value) / max(abs(self.numeric.value), abs(self.analytic), 1e-300)


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
        self.blurs: dict[int, Arrays] = {}
        self.shakes: dict[int, float] = {}

    def moved(self, place: Place, t: Any, start: Arrays | None = None) -> Arrays:
        return [a + t * place.along[k] if k in place.along else a for k, a in enumerate(start or self.arrays)]

    def line(self, place: Place, order: int, start: Arrays | None = None) -> Line:
        """The function, or its first derivative contracted with fixed numbers, along a line."""
        value = self.problem.value if order == 1 else lambda arrays: self.first(arrays)[0].item()

        def at(t: float) -> float:
            try:
                return float(value(self.moved(place, t, start)))
            except Exception:  # beyond its domain, a function says so in ways of its own
                return math.nan

        return at

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

    def shake(self, order: int) -> float:
        """How far rounding in its ops throws the function, or its contracted gradient."""
        if order not in self.shakes:
            value: Any = self.problem.value if order == 1 else lambda arrays: self.first(arrays)[0].item()
            with by_rounding(EPSILON, 0.0, np.random.default_rng(31)):
                self.shakes[order] = float(np.ptp([value(self.arrays) for _ in range(6)]))
        return self.shakes[order]

    def blur(self, order: int) -> Arrays:
        """How far rounding in the ops and in the rules throws each derivative by the rules.

        That grows with the rounding; where it does not, a tie is broken, and that is no excuse.
        """
        if order not in self.blurs:
            spreads = []
            for eps in (8 * EPSILON, 128 * EPSILON):
                with by_rounding(eps, 0.0, np.random.default_rng(19)):
                    found = [self.derivatives(order) for _ in range(4)]
                spreads.append([np.ptp(gs, axis=0) for gs in zip(*found, strict=True)])
            self.blurs[order] = [
                np.where(wide > 4 * narrow, narrow, 0.0) for narrow, wide in zip(*spreads, strict=True)
            ]
        return self.blurs[order]

    def faults(self, order: int) -> list[Fault]:
        """What is wrong with the derivatives of this order."""
        derivatives = self.derivatives(order)
        broken = [self.not_finite(k, order, g) for k, g in enumerate(derivatives) if not np.isfinite(g).all()]
        if broken := [fault for fault in broken if fault]:
            return broken
        self.largest = max((float(np.abs(g).max()) for g in derivatives if g.size), default=0.0)
        self.noise = (
            2 * EPSILON * (self.size if order == 1 else sum(float(np.abs(g).sum()) for g in self.derivatives(1)))
        )
        found: list[Fault] = []
        checked = 0
        for place in places(self.arrays, ELEMENTS[order]):
            if place.count > 1 and found:  # which a sum over others as well would only show again
                continue
            fault = self.judged(place, order, derivatives)
            fault = fault and self.narrowed(place, fault, order, derivatives)
            checked += place.count == 1 or fault is not None
            found += [fault] if fault else []
        return [replace(f, off=len(found), checked=checked) for f in found]

    def narrowed(self, place: Place, fault: Fault, order: int, derivatives: Arrays) -> Fault | None:
        """The fewest elements that are wrong together; None if many kinks were too many to see what is legal there.

        Parts and, if none of them is wrong, all but one part are tried, of ever more parts (Zeller's ddmin, 2002).
        """
        parts = 2
        while place.count > 1:
            for smaller in place.smaller(parts):
                if found := self.judged(smaller, order, derivatives):
                    place, fault, parts = smaller, found, 2
                    break
            else:
                if parts >= min(place.count, 16) or place.count > MANY:
                    return fault if place.count <= FEW or fault.legal is None else None
                parts = min(2 * parts, place.count)
        ((k, d),) = place.along.items()
        return self.judged(element(self.arrays[k], k, int(np.flatnonzero(d)[0])), order, derivatives)

    def where(self, place: Place) -> tuple[str, str]:
        """The name of the argument, and the place as one would write it."""
        names = [self.problem.names[k] for k in place.along]
        if place.count > FEW:
            return names[0], f"{' and '.join(names)}, {place.kind}"
        at = [
            written(self.problem.names[k], np.unravel_index(int(flat), d.shape))
            for k, d in place.along.items()
            for flat in np.flatnonzero(d)
        ]
        return names[0], " and ".join(at) + " together" * (len(at) > 1)

    def not_finite(self, k: int, order: int, g: Array) -> Fault | None:
        """Of derivatives that are nan or inf; but where the slope jumps, there is no second one to be found."""
        bad = np.flatnonzero(~np.isfinite(g))
        if order == 2:
            bad = np.array([i for i in bad[: ELEMENTS[2]] if not self.is_kink(element(self.arrays[k], k, int(i)))], int)
        if not bad.size:
            return None
        index, name = np.unravel_index(int(bad[0]), g.shape), self.problem.names[k]
        analytic, nothing = float(g.flat[bad[0]]), Slope(math.nan, 0.0)
        off = int((~np.isfinite(g)).sum())
        return Fault(order, "not finite", name, written(name, index), analytic, nothing, off=off, checked=g.size)

    def judged(self, place: Place, order: int, derivatives: Arrays) -> Fault | None:
        """None if a derivative is right, or legal at a kink."""
        line, analytic = self.line(place, order), place.of(derivatives)
        turned = sum(float(np.abs(self.arrays[k] * derivatives[k])[d != 0].sum()) for k, d in place.along.items())
        noise = self.noise + EPSILON * turned  # the second is of rounding the argument
        numeric = self.by_complex_step(place, line) if order == 1 and self.complex_step else None
        if numeric is None or not self.agree(analytic, numeric, place, noise):
            numeric = central(line, place.step, noise)
        if self.agree(analytic, numeric, place, noise):
            return None
        noise = max(noise, self.shake(order))
        if not max(numeric.relative, noise / numeric.step / max(abs(numeric.value), 1e-300)) <= 1e-6:
            numeric = sharpest(line, {0.1 / place.length, place.step, place.own or place.step}, noise)
        spread = Place({k: np.abs(d) for k, d in place.along.items()}, place.step).of(self.blur(order))
        if self.agree(analytic, numeric, place, noise, spread):
            return None
        low, high, slack = self.legal(place, order, line, noise)
        steep = max(abs(line(h) - line(0.0)) for h in (place.step, -place.step)) / place.step
        near = 1e-3 if place.count > 1 and differ([low, high]) else 1e-9  # kinks that are almost here, some or one
        room = spread + slack + self.rtol * abs(analytic) + 1e-5 * (high - low) + near * steep
        if low - room <= analytic <= high + room or (order == 2 and self.is_kink(place)):
            return None
        if place.count > 1 and jumps(line, place.step, noise):  # where slopes do not add up
            return None
        name, where = self.where(place)
        kink = (low, high) if differ([low, high]) else None
        return Fault(order, "reverse", name, where, analytic, numeric, line, place.step, kink)

    def legal(self, place: Place, order: int, line: Line, noise: float) -> tuple[float, float, float]:
        """The least and the greatest slope around a place, between which all are legal (Clarke, 1983); and a slack."""
        beside = [s for s in self.slopes_beside(place, line, noise) if math.isfinite(s.value)]
        slopes = [s.value for s in beside]
        near, far = (self.slopes_around(place, order, distance) for distance in (1e-7, 1e-5))
        apart = 0.0 if differ(slopes) else noise / (1e-9 * place.step)
        if near and far and np.ptp(near) > max(apart, 0.02 * np.ptp(far)):  # else it only bends
            slopes += near
        slack = max((self.tolerance(s, place, noise, 1e-4) for s in beside), default=0.0)
        return min(slopes, default=math.nan), max(slopes, default=math.nan), slack

    def slopes_around(self, place: Place, order: int, distance: float) -> list[float]:
        """The slopes at random points so far away, where ties are broken: the elements themselves in every way."""
        rng, h, found = np.random.default_rng(29), 0.1 * distance * place.step, []
        moving = [(k, flat) for k, d in place.along.items() for flat in np.flatnonzero(d)][:FEW]
        scales = [reach(a) for a in self.arrays]
        for k, d in place.along.items():
            scales[k] = np.where(d, 10 * place.step * np.abs(d), scales[k])
        for signs in itertools.product([-1.0, 1.0], repeat=max(len(moving), 3)):
            by = [distance * scale * rng.uniform(-1, 1, scale.shape) for scale in scales]
            for (k, flat), sign in zip(moving, signs, strict=False):
                by[k].flat[flat] = math.copysign(by[k].flat[flat], sign)
            line = self.line(place, order, [a + b for a, b in zip(self.arrays, by, strict=True)])
            found.append((line(h) - line(-h)) / (2 * h))
        return [s for s in found if math.isfinite(s)]

    def slopes_beside(self, place: Place, line: Line, noise: float) -> tuple[Slope, Slope]:
        below, above = (one_sided(line, side * place.step, noise) for side in (-1, 1))
        return below, above

    def is_kink(self, place: Place) -> bool:
        """Whether the function itself has a kink or a jump on this line, so that a second derivative does not exist."""
        line, noise = self.line(place, 1), 2 * EPSILON * self.size
        below, above = self.slopes_beside(place, line, noise)
        room = 1e-6 * max(abs(below.value), abs(above.value)) + 10 * (below.error + above.error)
        return jumps(line, place.step, noise) or abs(below.value - above.value) > room

    def agree(self, analytic: float, numeric: Slope, place: Place, noise: float, spread: float = 0.0) -> bool:
        room = self.tolerance(numeric, place, noise) + self.rtol * abs(analytic) + spread
        return abs(analytic - numeric.value) <= room

    def tolerance(self, numeric: Slope, place: Place, noise: float, most: float = 1e-5) -> float:
        """How far off is near enough. The error of the numeric derivative counts, but it may not excuse everything."""
        size = max(self.largest * place.length, abs(numeric.value))
        size = size if math.isfinite(size) else self.largest
        least = 1e-9 * size if self.atol is None else self.atol * place.weight
        rough = max(4 * self.noise / place.step, min(4 * noise / numeric.step, 0.01 * size))
        return least + min(4 * numeric.error, most * size + rough)

    def by_complex_step(self, place: Place, line: Line) -> Slope | None:
        """f(x + ih) = f(x) + ih f'(x) + O(h²), without cancellation (Squire and Trapp, 1998); None where it is none.

        A function that looks at the size or the order of its arguments is not analytic, which a difference shows.
        """
        h = 1e-3 * place.step
        try:
            slope = complex_value(self.problem, self.moved(place, 1e-30j)).imag / 1e-30
        except Exception:  # as of `allows_complex`
            return None
        coarse = (line(h) - line(-h)) / (2 * h)
        if abs(slope - coarse) <= 1e-5 * (abs(slope) + abs(coarse)) + self.noise / h:
            return Slope(slope, 16 * EPSILON * self.largest, "complex step")
        return None

    def forward_faults(self) -> list[Fault]:
        """J v by differentiating the vjp by its seed, which it is linear in, against w J as `gradients` gives it."""
        outputs, variables = self.problem.run(self.arrays)
        rng, weights = np.random.default_rng(17), self.problem.weights
        seeds, found = [Tensor(w) for w in weights], []
        pulled = Pullback(outputs, variables)(seeds, record=True)
        for k, name in enumerate(self.problem.names):
            v = rng.choice([-1.0, 1.0], self.arrays[k].shape)
            reverse: Any = (pulled[k] * v).sum()
            if not isinstance(reverse, Tensor) or not reverse.requires_grad:
                continue
            forward = sum(float(np.sum(w * t._array)) for w, t in zip(weights, gradients(reverse, seeds), strict=True))
            room = max(self.rtol * float(np.abs(pulled[k]._array).sum()), self.atol or 0.0)
            off = abs(forward - reverse.item()) - room
            if off <= 0 or off <= self.blur(1)[k].sum():
                continue
            where = f"{name}, in a random direction" if v.ndim else name
            found.append(Fault(1, "forward", name, where, forward, Slope(reverse.item(), 0.0)))
        return found

    def array_faults(self) -> list[Fault]:
        """The rules on arrays, as `backward()` runs them, against those on Tensors; and they leave all arrays alone."""
        outputs, variables = self.problem.run(self.arrays)
        held = [x for node in in_order(outputs) for x in (node._array, *arrays_in(node.inputs))]
        before = [x.copy() for x in held]
        plain, found = self.problem.pulled(outputs, variables, record=False), []
        intact = all(np.array_equal(x, old, equal_nan=x.dtype.kind == "f") for x, old in zip(held, before, strict=True))
        for k, (name, g, h) in enumerate(zip(self.problem.names, plain, self.derivatives(1), strict=True)):
            off = np.abs(g._array - h)
            if intact and (off <= self.rtol * 1e-3 * np.abs(h).max(initial=0.0)).all():
                continue
            off = np.where(off <= self.blur(1)[k], 0.0, off)
            if off.any() or not intact:
                worst = int(off.argmax()) if off.size else 0
                where = written(name, np.unravel_index(worst, off.shape)) if off.size else name
                numbers = float(g._array.flat[worst]), Slope(float(h.flat[worst]), 0.0)
                found.append(Fault(1, "arrays" if intact else "written", name, where, *numbers))
        return found


def jumps(line: Line, step: float, noise: float) -> bool:
    """Whether a function is not continuous at 0."""
    middle, near, far = line(0.0), 1e-9 * step, (line(step), line(-step))
    return abs(line(near) - line(-near)) > 1e-3 * sum(abs(y - middle) for y in far) + 10 * noise


def differ(slopes: list[float]) -> bool:
    """Whether they are apart by more than a numeric derivative is off."""
    return len(slopes) > 1 and max(slopes) - min(slopes) > 1e-5 * max(map(abs, slopes))


def in_order(outputs: list[Tensor]) -> list[Node]:
    """Every op of the graphs of these, the first first."""
    nodes = {node: None for y in outputs if y.requires_grad for node in toposort(y) if node.op is not None}
    return sorted(nodes, key=lambda node: node.stamp)


def arrays_in(inputs: tuple[Any, ...]) -> Iterator[Array]:
    """The arrays among the inputs of an op."""
    arrays = (x._array if isinstance(x, Node) else x for x in inputs)
    return (x for x in arrays if isinstance(x, np.ndarray))


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
        return complex(problem.value(list(map(as_complex, arrays)), record=False))
