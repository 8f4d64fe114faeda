"""What the page is told: nodes, boxes, layers, tables of numbers, formulas and steps, as plain lists and dicts."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from ..graph import Graph, Vertex, in_short, shape_and_dtype
from ..labels import is_number, lines_of, lines_of_box, tooltip
from ..layout import Item, Layout
from ..listing import short_names
from ..modules import Box
from ..steps import Passed, Step
from ..svg import size_of
from ..wording import in_full, readable

ROWS, COLUMNS = 6, 6  # of a table that are shown
MANY = 300  # vertices of a graph from which on folded modules are one step


class Tables:
    """Arrays as small tables, each written down once."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []
        self.known: dict[int, tuple[int, Any]] = {}

    def __call__(self, x: Any) -> int:
        if id(x) not in self.known:
            self.known[id(x)] = len(self.found), x
            self.found.append(table(x))
        return self.known[id(x)][0]


def table(x: Any) -> dict[str, Any]:
    """The numbers of an array, those in the middle left out where there are many, and what they are in short."""
    values = np.asarray(x)
    if values.dtype.kind not in "biuf" or values.size == 0:
        return {"k": shape_and_dtype(x), "v": [], "m": in_short(x)}
    rows = values.reshape((-1, values.shape[-1]) if values.ndim > 1 else (1, -1))
    down, right = _some(rows.shape[0], ROWS), _some(rows.shape[1], COLUMNS)
    shown = [[None if j < 0 or i < 0 else _plain(rows[i, j]) for j in right] for i in down]
    largest = float(np.max(np.abs(values.astype(float)), where=np.isfinite(values), initial=0))
    cut = len(down) < rows.shape[0] or len(right) < rows.shape[1]
    said = {"k": shape_and_dtype(x), "v": shown, "h": _plain(largest)}
    return said | ({"m": in_short(x)} if cut or values.ndim > 2 else {})


def _some(n: int, most: int) -> list[int]:
    """All indices, or the first and the last with -1 between them."""
    return list(range(n)) if n <= most else [*range(most - 2), -1, n - 1]


def _plain(x: Any) -> Any:
    """A number in JSON, to four digits; words for those it has none for."""
    short = float(f"{float(x):.4g}") if np.isfinite(x) else float(x)
    return short if np.isfinite(short) else float(x) if np.isfinite(x) else str(short)


class Formulas:
    """Formulas as MathML, each once; as plain text, where the library for that is not installed."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.known: dict[str, int] = {}
        self.convert: Any = None
        try:
            from latex2mathml.converter import convert

            self.convert = convert
        except ImportError:
            pass

    def __call__(self, latex: str) -> int:
        if latex not in self.known:
            self.known[latex] = len(self.found)
            self.found.append(self.convert(latex) if self.convert else f"<code>{escape(readable(latex))}</code>")
        return self.known[latex]


def page_data(
    graph: Graph, steps: list[Step], layout: Layout, inside: set[Vertex], direction: str, note: str
) -> dict[str, Any]:
    """All that the page needs to know."""
    boxes = list(layout.arrangements)
    closed = [part for box in boxes for part in box.parts if isinstance(part, Box) and part not in layout.arrangements]
    number: dict[Item, int] = {box: -1 - i for i, box in enumerate([*boxes, *closed])}
    hidden = {v for box in closed for v in box.vertices()}
    vertices = [v for v in graph.vertices if v not in hidden]
    number |= {v: i for i, v in enumerate(vertices)}
    tables, formulas = Tables(), Formulas()
    called = short_names(graph.vertices, set())
    folded = {v: box for box in [*boxes, *closed] if box.folded for v in box.vertices()}
    many = len(graph.vertices) > MANY
    return {
        "direction": direction,
        "note": note + ("" if formulas.convert else " Formulas are plain text: pip install 'tinygrad_act[page]'"),
        "nodes": [_node(v, inside, number, called, tables, formulas, v in folded and many) for v in vertices],
        "boxes": [_box(box, layout, number, inside) for box in [*boxes, *closed]],
        "edges": [[number[a], number[b]] for a, b in layout.edges],
        "steps": _steps(steps, number, folded if many else {}, inside, tables, formulas),
        "tables": tables.found,
        "formulas": formulas.found,
    }


def _node(
    v: Vertex,
    inside: set[Vertex],
    number: dict[Item, int],
    called: dict[Vertex, str],
    tables: Tables,
    formulas: Formulas,
    brief: bool,
) -> dict[str, Any]:
    width, height = size_of(v, inside)
    said: dict[str, Any] = {"t": v.title, "k": v.kind, "c": called[v], "s": [round(width, 2), height]}
    if v not in inside:
        said["l"] = [[line.text, line.look] for line in lines_of(v, inside)]
    if v.root:
        said["r"] = 1
    said["v"] = tables(v.value)
    if not brief:
        said["x"] = tooltip(v)
        if v.op is not None:
            if formula := forward_formula(v):
                said["f"] = formulas(formula)
            said["i"] = [[v.argument(i), number.get(x), is_number(x)] for i, x in enumerate(v.inputs)]
    return said


def forward_formula(v: Vertex) -> str:
    """The op's formula, of y."""
    formula = v.op.formula if v.op else ""
    return formula if "=" in formula or not formula else f"y = {formula}"


def rule_formula(v: Vertex, passed: Passed) -> str:
    """The rule by which a gradient goes to one input."""
    if v.op is not None and isinstance(v.op.rule, str) and passed.rule:
        return rf"\frac{{\partial y}}{{\partial {passed.argument}}} = {passed.rule}"
    return in_full(passed.rule, passed.argument) if passed.rule else ""


def _box(box: Box, layout: Layout, number: dict[Item, int], inside: set[Vertex]) -> dict[str, Any]:
    was, box.folded = box.folded, True
    shut = size_of(box, inside)
    box.folded = False
    least = size_of(box, inside)[0]
    box.folded = was
    lines = [line.text for line in lines_of_box(box)]
    said = {"t": box.title, "f": int(was), "s": [round(shut[0], 2), shut[1]], "w": round(least, 2), "l": lines}
    here = layout.arrangements.get(box)
    if here is None:
        return {**said, "closed": 1}
    slots = {slot: i for i, slot in enumerate(slot for layer in here.layers for slot in layer)}
    return said | {
        "p": [number[part] for part in box.parts],
        "layers": [[slots[slot] for slot in layer] for layer in here.layers],
        "slots": [
            [None if s.item is None else number[s.item], [slots[b] for b in s.before], [slots[a] for a in s.after]]
            for s in slots
        ],
        "lines": [[number[source], layer, slots[slot]] for (source, layer), slot in here.lines.items()],
        "entries": [[number[source], slots[slot]] for source, slot in here.entries.items()],
        "exits": [[number[source], slots[slot]] for source, slot in here.exits.items()],
    }


def _steps(
    steps: list[Step],
    number: dict[Item, int],
    folded: dict[Vertex, Box],
    inside: set[Vertex],
    tables: Tables,
    formulas: Formulas,
) -> list[dict[str, Any]]:
    """The steps in order; those of a folded box of a large graph are one."""
    said: list[dict[str, Any]] = []
    for step in steps:
        v, phase = step.vertex, int(step.phase == "backward")
        if v in inside and (not phase or is_number(v)):
            continue
        if v in folded:
            key = number[folded[v]]
            if not said or said[-1].get("b") != key or said[-1]["p"] != phase:
                said.append({"p": phase, "b": key})
        elif not phase:
            said.append({"p": 0, "n": number[v]})
        else:
            found: dict[str, Any] = {"p": 1, "n": number[v], "g": tables(step.incoming)}
            if step.local is not None:
                found["d"] = tables(step.local)
            if step.outgoing:
                found["o"] = [_passed(v, passed, number, tables, formulas) for passed in step.outgoing]
            said.append(found)
    return said


def _passed(v: Vertex, passed: Passed, number: dict[Item, int], tables: Tables, formulas: Formulas) -> dict[str, Any]:
    said: dict[str, Any] = {"a": passed.argument, "g": tables(passed.gradient), "t": number.get(passed.to)}
    if rule := rule_formula(v, passed):
        said["r"] = formulas(rule)
    if passed.summed:
        shapes = ["×".join(map(str, np.shape(x))) or "scalar" for x in (passed.raw, passed.gradient)]
        axes = ", ".join(map(str, passed.summed))
        said["s"] = f"summed over {'axes' if len(passed.summed) > 1 else 'axis'} {axes}: {shapes[0]} → {shapes[1]}"
    if passed.before is not None:
        said |= {"u": passed.use, "b": tables(passed.before), "w": tables(passed.after)}
    return said
