"""The picture as SVG, with presentation attributes only, no ids, and no fonts but the reader's."""

from __future__ import annotations

import itertools
from html import escape

from .graph import Graph, Vertex
from .labels import Line, lines_of, lines_of_box, tooltip
from .layout import Direction, Item, Layout, Placed, Point, placed
from .modules import Box

CHARACTER, LINE = 6.05, 13.0  # of a fixed-width font of 10 pixels, a bit more than its signs take
MARGIN = 8.0
FILLS = {"result": "#ffffff", "parameter": "#fff3c9", "input": "#def2e0", "constant": "#f3f3f3"}
STROKES = {"result": "#5b6b80", "parameter": "#a9790f", "input": "#3d8a4a", "constant": "#8a8a8a"}
INKS = {"title": "#16202c", "facts": "#566476", "value": "#16202c", "gradient": "#a3201a", "inside": "#7a5605"}
LEGEND = (("result", "result"), ("parameter", "parameter"), ("input", "input"), ("constant", "constant"))


def text_of(item: Item, inside: set[Vertex]) -> list[Line]:
    """The lines on a vertex, or on a folded box."""
    return lines_of_box(item) if isinstance(item, Box) else lines_of(item, inside)


def size_of(item: Item, inside: set[Vertex]) -> Point:
    """The room that a vertex or a folded box takes, and the least that an open one does."""
    if isinstance(item, Box) and not item.folded:
        return (len(item.title) + 2) * CHARACTER + 2 * MARGIN, 0.0
    lines = text_of(item, inside)
    longest = max(len(line.text) for line in lines) + 2 * isinstance(item, Box)  # which a page marks as one to unfold
    return longest * CHARACTER + 2 * MARGIN, len(lines) * LINE + MARGIN


def best_direction(layout: Layout, inside: set[Vertex]) -> Direction:
    """From left to right, unless that is more than four times as wide as high."""
    flat = placed(layout, lambda item: size_of(item, inside), "LR")
    return "TB" if flat.width > 4 * flat.height else "LR"


def to_svg(
    graph: Graph,
    layout: Layout,
    inside: set[Vertex],
    direction: Direction,
    notes: list[str],
    marks: dict[Vertex, str] | None = None,
    edge_labels: dict[tuple[Item, Item], str] | None = None,
    shape: bool = False,
) -> tuple[str, float, float]:
    """The drawing as the text of an SVG file, with its width and height."""

    def room(item: Item) -> Point:
        width, height = size_of(item, inside)
        return width + 2 * CHARACTER * bool(isinstance(item, Vertex) and (marks or {}).get(item)), height

    where = placed(layout, room, direction)
    legend_width = 12 * CHARACTER * len(LEGEND) + 110
    width = max(where.width, legend_width, *(len(note) * CHARACTER + 2 * MARGIN for note in notes), 0.0)
    height = where.height + 22 + LINE * len(notes)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}"'
        f' height="{_n(height)}" style="max-width:100%;height:auto" role="img" font-size="10"'
        ' font-family="DejaVu Sans Mono, Menlo, Consolas, monospace">',
        f"<title>{escape(summary(graph))}</title>",
        f'<rect width="{_n(width)}" height="{_n(height)}" fill="#fbfcfe"/>',
    ]
    parts += [_box(box, where) for box in where.rectangles if isinstance(box, Box) and not box.folded and box.title]
    labels: list[str] = []
    beside: dict[tuple[Item, bool], int] = {}
    for source, target, points in where.lines:
        parts.append(_line(points, direction))
        label = (edge_labels or {}).get((source, target))
        if label:
            (x, y), (x2, y2) = points[1:3] if shape else points[-3:-1]  # the first or the last bend
            near = (source if shape else target, shape)  # labels there keep out of each other's way
            beside[near] = beside.get(near, 0) + 1
            far = (0.3, 0.55, 0.8)[beside[near] % 3]
            middle = (x + (x2 - x) * far * far * (3 - 2 * far), y + (y2 - y) * far + 3)
            labels.append(
                f'<text x="{_n(middle[0])}" y="{_n(middle[1])}" fill="#566476" font-size="9" text-anchor="middle"'
                f' stroke="#fbfcfe" stroke-width="3" paint-order="stroke">{escape(label)}</text>'
            )
    for item in where.rectangles:
        if isinstance(item, Vertex) or item.folded:
            parts.append(_item(item, where, inside, (marks or {}).get(item, "") if isinstance(item, Vertex) else ""))
    parts += [*labels, *_legend(where.height + 6), *_notes(notes, where.height + 22)]
    return "\n".join([*parts, "</svg>", ""]), width, height


def summary(graph: Graph) -> str:
    """The graph in a line."""
    kinds = {kind: sum(1 for v in graph.vertices if v.kind == kind) for kind in FILLS}
    said = [f"{count} {kind}{'s' * (count != 1)}" for kind, count in kinds.items() if count]
    ends = ", ".join(root.title for root in graph.roots[:3])
    return f"graph of {ends}: {', '.join(said)}"


def _n(x: float) -> str:
    """A coordinate, to a tenth."""
    return f"{x:.1f}".removesuffix(".0")


def _frame(kind: str, x: float, y: float, width: float, height: float, root: bool, mark: str = "") -> str:
    round_off = height / 2 if kind == "input" else 4 if kind == "result" else 2
    dashes = ' stroke-dasharray="4 2"' if kind == "constant" else ""
    thick = 2.4 if root else 1
    fill = {"+": "#d9f2d9", "−": "#fbdcd9", "≠": "#fff0b8"}.get(mark, FILLS[kind])
    shape = f'x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="{_n(min(round_off, 12))}"'
    drawn = f'<rect {shape} fill="{fill}" stroke="{STROKES[kind]}" stroke-width="{thick}"{dashes}/>'
    if kind == "parameter":  # framed twice
        drawn += (
            f'<rect x="{_n(x + 2.5)}" y="{_n(y + 2.5)}" width="{_n(width - 5)}" height="{_n(height - 5)}" rx="1"'
            f' fill="none" stroke="{STROKES[kind]}" stroke-width="0.7"/>'
        )
    return drawn


def _item(item: Item, where: Placed, inside: set[Vertex], mark: str) -> str:
    x, y, width, height = where.rectangles[item]
    lines = text_of(item, inside)
    if isinstance(item, Box):
        frame = (
            f'<rect x="{_n(x + 3)}" y="{_n(y + 3)}" width="{_n(width)}" height="{_n(height)}" rx="4" fill="#cfd9e8"/>'
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="4" fill="#e6ecf5"'
            ' stroke="#5b6b80"/>'
        )
        said = item.title
    else:
        frame = _frame(item.kind, x, y, width, height, item.root, mark)
        said = tooltip(item)
    texts, inner = [], False
    for i, line in enumerate(lines):
        base = y + MARGIN / 2 + (i + 0.78) * LINE
        inner = inner or line.look == "inside"
        weight = ' font-weight="bold"' if line.look == "title" else ""
        text = f"{mark} {line.text}" if mark and i == 0 else line.text
        texts.append(
            f'<text x="{_n(x + MARGIN + 6 * (inner and line.look == "gradient"))}" y="{_n(base)}"'
            f' fill="{INKS[line.look]}"{weight}>{escape(text)}</text>'
        )
    return f"<g><title>{escape(said)}</title>{frame}{''.join(texts)}</g>"


def _box(box: Box, where: Placed) -> str:
    x, y, width, height = where.rectangles[box]
    return (
        f'<g><rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="6" fill="#5b7db1"'
        f' fill-opacity="0.07" stroke="#9fb0c8"/><text x="{_n(x + 6)}" y="{_n(y + 12)}" fill="#40546e">'
        f"{escape(box.title)}</text></g>"
    )


def path_of(points: list[Point], direction: Direction) -> str:
    """A line as the data of an SVG path: straight along the direction, bent between the layers."""
    data = [f"M{_n(points[0][0])},{_n(points[0][1])}"]
    for (x, y), (x2, y2) in itertools.pairwise(points):
        if (y == y2) if direction == "LR" else (x == x2):
            data.append(f"L{_n(x2)},{_n(y2)}")
        elif direction == "LR":
            middle = (x + x2) / 2
            data.append(f"C{_n(middle)},{_n(y)} {_n(middle)},{_n(y2)} {_n(x2)},{_n(y2)}")
        else:
            middle = (y + y2) / 2
            data.append(f"C{_n(x)},{_n(middle)} {_n(x2)},{_n(middle)} {_n(x2)},{_n(y2)}")
    return "".join(data)


def _line(points: list[Point], direction: Direction) -> str:
    x, y = points[-1]
    head = f"{_n(x - 6)},{_n(y - 3)} {_n(x)},{_n(y)} {_n(x - 6)},{_n(y + 3)}"
    if direction == "TB":
        head = f"{_n(x - 3)},{_n(y - 6)} {_n(x)},{_n(y)} {_n(x + 3)},{_n(y - 6)}"
    return (
        f'<path d="{path_of(points, direction)}" fill="none" stroke="#7b8798"/>'
        f'<polygon points="{head}" fill="#7b8798"/>'
    )


def _legend(y: float) -> list[str]:
    parts, x = [], MARGIN
    for kind, said in LEGEND:
        parts.append(_frame(kind, x, y, 18, 11, False))
        parts.append(f'<text x="{_n(x + 23)}" y="{_n(y + 9)}" fill="{INKS["facts"]}">{said}</text>')
        x += 23 + (len(said) + 2) * CHARACTER
    parts.append(f'<text x="{_n(x)}" y="{_n(y + 9)}" fill="{INKS["gradient"]}">∂ gradient</text>')
    return parts


def _notes(notes: list[str], y: float) -> list[str]:
    return [
        f'<text x="{_n(MARGIN)}" y="{_n(y + (i + 0.8) * LINE)}" fill="{INKS["facts"]}">{escape(note)}</text>'
        for i, note in enumerate(notes)
    ]
