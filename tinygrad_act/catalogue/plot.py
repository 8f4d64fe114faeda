"""f, f′ and f″ as a small SVG, and f and f′ as text."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape

import numpy as np

from ..drawing.plots import axis_limits
from ..drawing.style import PALETTE
from ..op import Array
from .line import Line, plain
from .measures import Jump

WIDTH, HEIGHT = 360, 220
LEFT, TOP, RIGHT, BOTTOM = 30, 20, 352, 204  # of the frame that the curves are in
GREY = "#7f7f7f"  # seen on white as well as on black
DASHES = ("", ' stroke-dasharray="7 3"', ' stroke-dasharray="2 2.5"')
STEPS = 322  # of a curve: one in a pixel
DOT = 3.0  # its radius


@dataclass(frozen=True)
class View:
    """The part of the plane that is seen, and by what each curve is divided to be seen in it."""

    low: float
    high: float
    bottom: float
    top: float
    scales: tuple[float, ...]

    def x(self, x: Array) -> Array:
        """Pixels from the left."""
        return LEFT + (x - self.low) / (self.high - self.low) * (RIGHT - LEFT)

    def y(self, y: Array) -> Array:
        """Pixels from above; what is far out of sight ends not far out of it."""
        shown = BOTTOM - (y - self.bottom) / (self.top - self.bottom) * (BOTTOM - TOP)
        return np.clip(shown, TOP - 300, BOTTOM + 300)


def view_of(line: Line, points: Iterable[float] = ()) -> View:
    """From -5 to 5, further where kinks and `points` to be seen are, less where f is steep or has many of them."""
    seen = sorted({*line.kinks, *(p for p in points if abs(p) < 9)})
    near = [p for p in seen if abs(p) <= 5]
    if len(near) > 8:  # it swings
        span = 4 * max(abs(p) for p in sorted(near, key=abs)[:2])
        low, high = -_rounded(span), _rounded(span)
    else:
        seen = seen if len(seen) <= 4 else near
        low, high = min(seen, default=0.0), max(seen, default=0.0)
        low, high = min(-5.0, math.floor(low - max(2, -low / 8))), max(5.0, math.ceil(high + max(2, high / 8)))
        tall = max((np.abs(line.f(kink * np.array([1 - 1e-9, 1, 1 + 1e-9]))).max() for kink in line.kinks), default=0.0)
        for _ in range(12):
            shown = np.linspace(max(low, line.domain[0] + 0.1), min(high, line.domain[1] - 0.1), 99)
            if np.abs(line.f(shown)).max() <= max(12, 2 * tall):
                break
            low, high = low * 0.8, high * 0.8
        low, high = -_rounded(-low), _rounded(high)
    low, high = max(low, round(line.domain[0], 9)), min(high, round(line.domain[1], 9))
    x = low + (high - low) * (np.arange(STEPS) + 0.5) / STEPS
    curves = line.curves(x)
    size = max(float(np.abs(curves[0]).max()), 1.0)
    scales = tuple(_scale(float(np.quantile(np.abs(y), 0.98)) / size) for y in curves)
    limits = [axis_limits(y / scale) for y, scale in zip(curves, scales, strict=True) if np.ptp(y) > 0]
    level = [(y[0], y[0]) for y in curves if np.ptp(y) == 0]
    both = np.array([*limits, *level, (0.0, 0.0)])
    bottom, top = both.min(), both.max()
    pad = 0.05 * (top - bottom) or 1.0
    return View(low, high, min(bottom, -pad), max(top, pad), scales)


def _rounded(x: float) -> float:
    """To two digits or less."""
    return x if x == round(x) and x < 100 else float(f"{x:.1g}") if x < 1 else round(2 * x) / 2


def _scale(ratio: float) -> float:
    """1, or for a curve that is more than thrice as high as f a number of one digit."""
    return 1.0 if ratio <= 3 else float(f"{ratio:.1g}")


def svg(line: Line, jumps: list[Jump], title: str, points: Iterable[float] = ()) -> str:
    """The picture. It needs no style sheet, and is seen on light and on dark."""
    view = view_of(line, points)
    jumps = [jump for jump in jumps if view.low < jump.at < view.high]
    label = f"{title}: f, f′ and f″ for x from {plain(view.low)} to {plain(view.high)}"
    curves, dots = [], []
    for k in (2, 1, 0):
        pieces, marks = _curve(line, view, jumps, k)
        colour = PALETTE[k]
        curves.append(f'<path d="{pieces}" stroke="{colour}" stroke-width="{2 if k == 0 else 1.6}"{DASHES[k]}/>')
        dots += [
            f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(DOT)}" stroke="{colour}" fill="{colour if full else "none"}"/>'
            for x, y, full in marks
        ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'data-x="{view.low:g} {view.high:g}" '
        f'data-y="{view.bottom:.4g} {view.top:.4g}" data-by="{" ".join(f"{by:g}" for by in view.scales)}" '
        f'role="img" aria-label="{escape(label)}" font-family="sans-serif" font-size="10">'
        f"{_axes(view)}"
        f'<svg x="{LEFT}" y="{TOP}" width="{RIGHT - LEFT}" height="{BOTTOM - TOP}" '
        f'viewBox="{LEFT} {TOP} {RIGHT - LEFT} {BOTTOM - TOP}"><g fill="none" stroke-linejoin="round">'
        f'{"".join(curves)}</g></svg><g stroke-width="1.5">{"".join(dots)}</g>{_legend(view)}</svg>\n'
    )


def _n(x: float) -> str:
    """A number of pixels, to a tenth."""
    return f"{x:.1f}".removesuffix(".0").replace("-0", "-0" if round(x, 1) else "0", 1)


def _curve(
    line: Line, view: View, jumps: list[Jump], k: int, slack: float = 0.12
) -> tuple[str, list[tuple[float, float, bool]]]:
    """The data of a path, and dots: open ones at limits that are no value, full ones at the value between them."""
    torn = [jump for jump in jumps if jump.torn[k]]
    edges = [view.low, *(jump.at for jump in torn), view.high]
    pieces, dots = [], []
    for low, high in itertools.pairwise(edges):
        inner = np.linspace(view.low, view.high, STEPS + 1)
        corners = [jump.at for jump in jumps if low < jump.at < high]
        x = np.unique(np.concatenate([[low + 1e-9, high - 1e-9], inner[(inner > low) & (inner < high)], corners]))
        x = x[(x > line.domain[0]) & (x < line.domain[1])]
        px, py = view.x(x), view.y(line.curves(x, k)[k] / view.scales[k]).round(3)
        pieces.append(_thinned(px, py, slack))
    for jump in torn:
        at = float(view.x(np.array(jump.at)))
        heights = view.y(np.array([jump.left[k], jump.value[k], jump.right[k]]) / view.scales[k])
        left, value, right = heights.tolist()
        dots += [(at, y, False) for y in (left, right) if abs(y - value) > 0.5]
        dots.append((at, value, True))
    return "".join(pieces), [dot for dot in dots if TOP - 1 <= dot[1] <= BOTTOM + 1]


def _thinned(x: Array, y: Array, slack: float) -> str:
    """A path through as few of the points as leave none further than `slack` above or below it."""
    kept = [(x[0], y[0])]
    start, (low, high) = 0, (-math.inf, math.inf)
    for i in range(1, len(x)):
        run = x[i] - x[start]
        if not low <= (y[i] - y[start]) / run <= high:
            start, (low, high) = i - 1, (-math.inf, math.inf)
            kept.append((x[start], y[start]))
            run = x[i] - x[start]
        low, high = max(low, (y[i] - slack - y[start]) / run), min(high, (y[i] + slack - y[start]) / run)
    kept.append((x[-1], y[-1]))
    return "M" + " ".join(f"{_n(a)},{_n(b)}" for a, b in kept)


def icon(line: Line, jumps: list[Jump], points: Iterable[float] = ()) -> str:
    """f alone, as small as a word."""
    view = view_of(line, points)
    jumps = [jump for jump in jumps if view.low < jump.at < view.high and jump.torn[0]]
    path = _curve(line, view, jumps, 0, slack=0.8)[0]
    zero = f"M{LEFT},{_n(float(view.y(np.array(0.0))))}H{RIGHT}"
    return (
        f'<svg viewBox="{LEFT} {TOP - 5} {RIGHT - LEFT} {BOTTOM - TOP + 10}" width="56" height="34" aria-hidden="true" '
        f'fill="none"><path d="{zero}" stroke="{GREY}" stroke-width="3"/>'
        f'<path d="{path}" stroke="{PALETTE[0]}" stroke-width="11"/></svg>'
    )


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers between these, at most so many.

    >>> ticks(-5, 5, 6)
    [-4.0, -2.0, 0.0, 2.0, 4.0]
    """
    for step in (m * 10.0**e for e in range(-4, 6) for m in (1, 2, 5)):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            return [round(i * step, 6) for i in range(first, last + 1)]
    return [0.0]


def _axes(view: View) -> str:
    """Lines through 0, and numbers below and on the left."""
    parts = []
    for at in ticks(view.low, view.high, 7):
        x = _n(float(view.x(np.array(at))))
        parts.append(f'<path d="M{x},{BOTTOM}v3"/>')
        parts.append(f'<text x="{x}" y="{BOTTOM + 13}" text-anchor="middle">{plain(at)}</text>')
    for at in ticks(view.bottom, view.top, 6):
        y = float(view.y(np.array(at)))
        parts.append(f'<path d="M{LEFT - 3},{_n(y)}h3"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{_n(y + 3.5)}" text-anchor="end">{plain(at)}</text>')
    zero = f"M{LEFT},{_n(float(view.y(np.array(0.0))))}H{RIGHT}"
    if view.low < 0 < view.high:
        zero += f"M{_n(float(view.x(np.array(0.0))))},{TOP}V{BOTTOM}"
    strokes = "".join(part for part in parts if part.startswith("<path"))
    texts = "".join(part for part in parts if part.startswith("<text"))
    lines = f'<g stroke="{GREY}" fill="none"><path d="{zero}" stroke-width=".8"/>{strokes}</g>'
    return f'{lines}<g fill="{GREY}">{texts}</g>'


def _legend(view: View) -> str:
    parts = []
    for k, name in enumerate(("f", "f′", "f″")):
        x, said = LEFT + 10 + 75 * k, name + (f" ÷ {plain(view.scales[k])}" if view.scales[k] != 1 else "")
        parts.append(f'<path d="M{x},10h20" stroke="{PALETTE[k]}" stroke-width="2"{DASHES[k]}/>')
        parts.append(f'<text x="{x + 25}" y="13.5" fill="{GREY}" font-size="12">{said}</text>')
    return "".join(parts)


def text_plots(line: Line, points: Iterable[float] = (), width: int = 30, height: int = 12) -> list[str]:
    """f, and beside it f′, in Braille signs of 2 × 4 dots each, with axes.

    >>> from ..op import OPS
    >>> from .line import line_of
    >>> print(*text_plots(line_of(OPS["relu"]), width=16, height=4), sep="\\n")
    f                     f′
            │     ⣠⠞  5           ⠉⠉⠉⠉⠉⠉⠉⠉  1
            │   ⡠⠞⠁               │
            │⢀⡴⠋                  │
    ⣀⣀⣀⣀⣀⣀⣀⣀⡴⠋──────  0   ⣀⣀⣀⣀⣀⣀⣀⣀┼───────  0
    −5             5      −5             5
    """
    view = view_of(line, points)
    left, right = (_panel(f, view, width, height) for f in (line.f, line.slope))
    wide = max(map(len, left))
    return [f"{a:<{wide}}   {b}".rstrip() for a, b in zip(["f", *left], ["f′", *right], strict=True)]


def _panel(f: Callable[[Array], Array], view: View, width: int, height: int) -> list[str]:
    x = view.low + (view.high - view.low) * (np.arange(2 * width * 8) + 0.5) / (16 * width)
    y = f(x)
    inner = np.quantile(y, [0.02, 0.98]) if np.ptp(y) > 50 else y  # of a pole, the part that can be seen
    bottom, top = min(0.0, float(inner.min())), max(0.0, float(inner.max()))
    top += top == bottom
    column = np.arange(len(x)) // 8
    row = np.rint((top - y) / (top - bottom) * (4 * height - 1)).clip(-1, 4 * height).astype(int)
    cells = np.zeros((height, width), int)
    inside = (row >= 0) & (row < 4 * height)
    bits = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
    np.bitwise_or.at(cells, (row[inside] // 4, column[inside] // 2), bits[row[inside] % 4, column[inside] % 2])
    across = round(top / (top - bottom) * (4 * height - 1)) // 4
    upright = int(-view.low / (view.high - view.low) * width) if view.low < 0 < view.high else -1
    lines = []
    for i in range(height):
        blank = ["─" if i == across else "│" if j == upright else " " for j in range(width)]
        if i == across and upright >= 0:
            blank[upright] = "┼"
        lines.append("".join(chr(0x2800 + c) if c else b for c, b in zip(cells[i].tolist(), blank, strict=True)))
    lines[0] = f"{lines[0]}  {plain(top, 2)}"
    lines[-1] = f"{lines[-1]}  {plain(bottom, 2)}"
    ends = plain(view.low), plain(view.high)
    return [*lines, ends[0] + ends[1].rjust(width - len(ends[0]))]
