"""What can be computed about a function of one number: its shape, its ends, and what it does to random numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..drawing.plots import jumps_in
from ..nn.gain import second_moment
from ..op import Array
from .line import Line, plain

SLIGHT = 1e-3  # a slope below which a function counts as saturated
FEW = 8  # values at most that are listed
ORDERS = ("f", "f′", "f″", "f‴")


@dataclass(frozen=True)
class Turn:
    """A least or greatest value in the neighbourhood."""

    x: float
    y: float
    is_least: bool


@dataclass(frozen=True)
class Jump:
    """A point where f or a derivative jumps: all of them left of it, at it and right of it, and which are torn."""

    at: float
    left: Array
    value: Array
    right: Array
    torn: Array


@dataclass(frozen=True)
class Measures:
    """The computed facts of a function f. Numbers that do not exist, as the limit of sin, are nan."""

    ends: tuple[tuple[float, float, float], ...]  # x, f(x), f'(x) at -inf, 0 and inf, as far as the domain goes
    range: tuple[float, float]
    reached: tuple[bool, bool]  # whether the bounds of the range are values
    levels: tuple[float, ...]  # all values, of a function that has only a few
    direction: str
    symmetry: str
    smoothness: str
    saturated: tuple[float, float]  # |f'| < SLIGHT below the first and above the second; nan where it never is
    dead: tuple[tuple[float, float], ...]  # where f' is exactly 0
    turns: tuple[Turn, ...]
    roots: tuple[float, ...]
    second_moment: float  # E f(x)² for x ~ N(0, 1)
    slope_moment: float  # E f'(x)²


def measures(line: Line, jumps: list[Jump]) -> Measures:
    """All of them, by evaluating f and its derivatives, up to the third of which it may have `jumps`.

    >>> from ..op import OPS
    >>> from .line import line_of
    >>> line = line_of(OPS["elu"])
    >>> found = measures(line, jumps_of(line))
    >>> found.range, found.smoothness
    ((-1.0, inf), 'C¹: f″ jumps at 0')
    """
    x = _grid(line)
    y, slope = line.f(x), line.slope(x)
    near = np.abs(x) <= line.near
    at = _crossings(line.slope, x[near], slope[near], 1e-13)
    falls = line.slope(at - 1e-4) > 0
    turns = tuple(Turn(p, v, not f) for p, v, f in zip(at.tolist(), line.f(at).tolist(), falls, strict=True))
    dead = _dead(line, x, slope)
    ends = tuple(_end(line, p, turns) for p in (-math.inf, 0.0, math.inf) if _is_inside(line, p) or p == 0)
    bounds = _range(y[near], y[~near], ends, turns)
    levels = np.unique(y).tolist()
    level = [y[(low <= x) & (x <= high)] for low, high in dead]
    flat = np.concatenate([[t.y for t in turns], *level, line.f(np.array(line.kinks))])
    return Measures(
        ends=ends,
        range=bounds,
        reached=(_is_among(bounds[0], flat), _is_among(bounds[1], flat)),
        levels=tuple(levels) if len(levels) <= FEW else (),
        direction=_direction(y, slope, bool(dead)),
        symmetry=_symmetry(line),
        smoothness=_smoothness(jumps),
        saturated=(0.0 - _beyond(line, -x[::-1], slope[::-1], -1), _beyond(line, x, slope, 1)),
        dead=dead,
        turns=turns,
        roots=tuple(_crossings(line.f, x[near], y[near], 0.0).tolist()),
        second_moment=mean_square(line, 0),
        slope_moment=mean_square(line, 1),
    )


def _is_among(value: float, values: Array) -> bool:
    return bool(np.isclose(values, value, rtol=1e-12, atol=1e-12).any())


def _grid(line: Line) -> Array:
    """Dense near 0 and at kinks, and far out as well, within the domain."""
    near, far = np.linspace(-20, 20, 8001), np.geomspace(line.near, 5e4 * line.near, 400)
    near = np.concatenate([near, np.linspace(-line.near, line.near, 8001)])
    kinks = np.array(line.kinks)
    beside = 1e-9 * np.maximum(np.abs(kinks), 1)
    x = np.unique(np.concatenate([near, far, -far, kinks - beside, kinks, kinks + beside]))
    return x[(x > line.domain[0]) & (x < line.domain[1])]


def _is_inside(line: Line, x: float) -> bool:
    """Whether a function has a value at x. A domain that ends far out does so because of overflow."""
    low, high = line.domain
    return (low < x or low < -line.near) and (x < high or high > line.near)


def _end(line: Line, x: float, turns: tuple[Turn, ...]) -> tuple[float, float, float]:
    """The value and the slope at 0, or the limits; a function that turns far out has none."""
    if math.isinf(x) and max((abs(turn.x) for turn in turns), default=0.0) > line.near / 2:
        return x, math.nan, math.nan
    at = np.array([x])
    value, slope = line.f(at).item(), line.slope(at).item()
    if math.isinf(x) and line.domain[0] < -2000 and line.domain[1] > 2000:
        far = line.slope(math.copysign(1.0, x) * (50 * line.near + np.arange(3)))
        if np.ptp(far) > 0.1 < abs(far).max() < 10:  # it swings, so that it has no limit
            slope = math.nan
    return x, value, slope


def _halved(is_left: Callable[[Array], Any], a: Array, b: Array) -> Array:
    """Where between each a and b a condition ends, which holds at a and not at b."""
    for _ in range(60):
        middle = (a + b) / 2
        left = is_left(middle)
        a, b = np.where(left, middle, a), np.where(left, b, middle)
    found = (a + b) / 2
    neat = found.round(9) + 0.0  # halving finds -0.5 as -0.5000000000000001
    return np.where(np.abs(neat - found) < 1e-11, neat, found)


def _crossings(f: Callable[[Array], Array], x: Array, y: Array, noise: float) -> Array:
    """Where y = f(x) changes sign, except across a stretch of zeros."""
    signs = np.sign(np.where(np.abs(y) <= noise, 0, y))
    some = np.flatnonzero(signs)
    first, last = some[:-1], some[1:]
    changes = (signs[first] != signs[last]) & (last - first <= 2)
    first, last = first[changes], last[changes]
    return _halved(lambda p: np.sign(f(p)) == signs[first], x[first], x[last])


def _dead(line: Line, x: Array, slope: Array) -> tuple[tuple[float, float], ...]:
    """The intervals on which f' is 0, and has not only become too small for a float."""
    zero = np.concatenate([[False], (slope == 0) & (np.abs(x) <= line.near), [False]]).astype(int)
    starts, stops = np.flatnonzero(np.diff(zero) == 1), np.flatnonzero(np.diff(zero) == -1) - 1
    found = []
    for i, j in zip(starts, stops, strict=True):
        if j - i < 4:
            continue
        low, high = -math.inf, math.inf
        if x[i] > -line.near:
            low = _halved(lambda p: line.slope(p) != 0, x[i - 1 : i], x[i : i + 1]).item()
        if x[j] < line.near:
            high = _halved(lambda p: line.slope(p) == 0, x[j : j + 1], x[j + 1 : j + 2]).item()
        beside = np.array([edge + side * 1e-9 * max(abs(edge), 1) for edge, side in ((low, -1), (high, 1))])
        if (np.abs(line.slope(beside[np.isfinite(beside)])) > 1e-100).all():  # else it fades away
            found.append((low, high))
    return tuple(found)


def _range(near: Array, far: Array, ends: tuple[Any, ...], turns: tuple[Turn, ...]) -> tuple[float, float]:
    """The least and the greatest value. Of what has no limits, what grows beyond 1000 grows for ever."""
    values = np.concatenate([near, far, [y for _, y, _ in ends if not math.isnan(y)], [t.y for t in turns]])
    low, high = float(values.min()), float(values.max())
    most = 1000 if len(ends) < 3 or any(math.isnan(y) for _, y, _ in ends) else math.inf
    return (-math.inf if low < -most else low + 0.0), (math.inf if high > most else high + 0.0)


def _direction(y: Array, slope: Array, rests: bool) -> str:
    steps = np.sign(np.where(np.abs(slope) < 1e-13, 0, slope))
    change = np.diff(y)
    steps = np.concatenate([steps, np.sign(np.where(np.abs(change) < 1e-7 * (1 + np.abs(y[1:])), 0, change))])
    found = set(steps.tolist()) - {0.0}
    if len(found) != 1:
        return "not monotone" if found else "constant"
    return ("" if rests else "strictly ") + ("increasing" if found == {1.0} else "decreasing")


def _symmetry(line: Line) -> str:
    if not _is_inside(line, -10) or not _is_inside(line, 10):
        return ""
    x = _grid(line)
    x = np.append(x[(x > 0) & (x < -line.domain[0])], 0)
    right, left = line.f(x), line.f(-x)
    close = 1e-9 * (1 + np.abs(right))
    if (np.abs(right - left) < close).all():
        return "even"
    return "odd" if (np.abs(right + left) < close).all() else ""


def jumps_of(line: Line) -> list[Jump]:
    """Where near 0 f or a derivative of it, up to the third, jumps."""
    orders = len(ORDERS) - 1
    far = 0.6 * line.near
    low, high = max(-far, line.domain[0]), min(far, line.domain[1])
    at = {0.0, *line.kinks}
    for a, b in ((low, high), (max(low, -1.7), min(high, 1.7))):  # a small jump may be near 0 in a curve that rises far
        x = a + (b - a) * (np.arange(1200) + 0.5) / 1200  # midpoints, as a domain is open
        for k in range(len(ORDERS)):
            found = jumps_in(_derivative(line, k), x)
            at |= set(found[~np.isclose(found[:, np.newaxis], line.kinks, 1e-9, 1e-9).any(axis=1)].tolist())
    points = np.array(sorted(p for p in at if low < p < high))
    shifts = np.array([-1e-8, -1e-9, 0, 1e-9, 1e-8])
    shifted = points[:, np.newaxis] + shifts * np.maximum(np.abs(points), 1)[:, np.newaxis]
    curves = line.curves(shifted.ravel(), orders).reshape(orders + 1, -1, 5)
    far_left, left, value, right, far_right = np.moveaxis(curves, 2, 0)
    torn = np.abs(right - left) > 1e-6 * (1 + np.abs(left))
    torn &= np.abs(far_right - far_left) < 2 * np.abs(right - left)  # a step, no steep slope
    columns = zip(points.tolist(), left.T, value.T, right.T, torn.T, strict=True)
    return [Jump(*column) for column in columns if column[4].any()]


def _derivative(line: Line, order: int) -> Callable[[Array], Array]:
    return lambda x: line.curves(x, order)[order] if x.size else x  # which is all that most have to halve


def _smoothness(jumps: list[Jump]) -> str:
    if not jumps:
        return "smooth"
    least = min(int(np.argmax(jump.torn)) for jump in jumps)
    where = ", ".join(plain(jump.at) for jump in jumps if jump.torn[least])
    return f"{('not continuous', 'C⁰', 'C¹', 'C²')[least]}: {ORDERS[least]} jumps at {where}"


def _beyond(line: Line, x: Array, slope: Array, side: int) -> float:
    """From where on, going outwards, |f'| stays below SLIGHT; nan if it does not."""
    steep = np.flatnonzero(~(np.abs(slope) < SLIGHT))
    if not steep.size or steep[-1] == len(x) - 1:
        return math.nan
    i = steep[-1]
    return float(_halved(lambda p: ~(np.abs(line.slope(side * p)) < SLIGHT), x[i : i + 1], x[i + 1 : i + 2])[0])


def mean_square(line: Line, order: int) -> float:
    """E f(x)², or of a derivative, for x ~ N(0, 1); nan if it diverges.

    >>> from .line import Line
    >>> round(mean_square(Line(np.abs, np.sign), 0), 9)
    1.0
    """
    try:
        return second_moment(line.slope if order else line.f)
    except ValueError:
        return math.nan
