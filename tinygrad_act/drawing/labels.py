"""What is written on a vertex, in any kind of picture."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..compiler.notation import plain_text
from .graph import Graph, Vertex, in_short, number, shape_and_dtype
from .modules import Box

Look = Literal["title", "facts", "value", "gradient", "inside"]
LONGEST = 44  # signs of a line


@dataclass(frozen=True)
class Line:
    """A line of text, and what it is about."""

    text: str
    look: Look


def is_number(v: Vertex) -> bool:
    """Whether it is a constant that is written where it is used, like the 0.5 in `0.5 * x`."""
    return v.kind == "constant" and not isinstance(v.value, np.ndarray)


def drawn_inside(graph: Graph, parameters: str) -> set[Vertex]:
    """The vertices that are drawn within what is made of them: numbers, and the parameters of modules."""
    inside = {v for v in graph.vertices if is_number(v)}
    if parameters == "inside":
        used = {x for v in graph.vertices for x in v.inputs}
        inside |= {v for v in used if v.op is None and v.kind != "constant" and "." in v.name}
    return inside - set(graph.roots)


def lines_of(v: Vertex, inside: set[Vertex]) -> list[Line]:
    """All that is written on a vertex."""
    lines = [Line(_cut(v.title), "title")]
    if facts := shape_and_dtype(v.value):
        lines.append(Line(facts, "facts"))
    lines.append(Line(_cut(in_short(v.value)), "value"))
    if v.gradient is not None:
        lines.append(Line(_cut(f"∂ {in_short(v.gradient)}"), "gradient"))
    for i, x in enumerate(v.inputs):
        if x not in inside:
            continue
        if is_number(x):
            said = number(x.value) if isinstance(x.value, int | float | np.generic) else str(x.value)
            lines.append(Line(_cut(f"{v.argument(i)} = {said}"), "inside"))
        else:
            shape = "×".join(map(str, x.shape))
            lines.append(Line(_cut(f"{x.title} {shape}: {in_short(x.value)}"), "inside"))
            if x.gradient is not None:
                lines.append(Line(_cut(f"∂ {in_short(x.gradient)}"), "gradient"))
    return lines


def lines_of_box(box: Box) -> list[Line]:
    """What is written on a folded box."""
    count = sum(1 for _ in box.vertices())
    return [Line(_cut(box.title), "title"), Line(f"{count:,} node{'s' * (count != 1)}", "facts")]


def tooltip(v: Vertex) -> str:
    """What else there is to say: its whole name, its op's formula, where it is."""
    said: list[Any] = [re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]", "�", v.name), v.op.formula if v.op else v.kind]
    return " · ".join(filter(None, said))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def of_edges(graph: Graph, paths: dict[Any, list[Any]], what: str) -> dict[tuple[Any, Any], str]:
    """What is written on edges: the op's argument, the shape, or the rule by which a gradient flows back."""
    said: dict[tuple[Any, Any], str] = {}
    for v in graph.vertices if what else []:
        for i, x in enumerate(v.inputs):
            if x not in paths or v.op is None:
                continue
            argument = v.argument(i)
            rule = v.op.rule.get(argument, "") if isinstance(v.op.rule, dict) else v.op.rule
            text = {"argument": argument, "shape": "×".join(map(str, x.shape)) or "scalar", "rule": plain_text(rule)}[
                what
            ]
            ends = (paths[x][-1], paths[v][-1])
            said[ends] = text if ends not in said else f"{said[ends]}; {text}"
    return {ends: _cut(text) for ends, text in said.items()}
