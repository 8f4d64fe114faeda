"""Formats that need help: Graphviz' DOT by its package, PNG and PDF by whatever is on the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

from .graph import Vertex
from .labels import lines_of, lines_of_box, tooltip
from .layout import Direction, Item, Layout, to_be_seen
from .modules import Box

MOST_PIXELS = 16_000_000  # more take minutes and gigabytes
SHAPES = {"parameter": {"peripheries": "2"}, "input": {"style": "rounded"}, "constant": {"style": "dashed"}}


class RenderError(RuntimeError):
    """What a picture cannot be turned into on this machine, and what would help.

    >>> print(RenderError(what_would_help("pdf", "graph.pdf")))
    cannot write graph.pdf: PDF needs a program that is not on this machine.
      looked for: $TINYGRAD_ACT_DOT, dot on PATH
      this helps:
        apt-get install graphviz           (macOS: brew install graphviz; Windows: winget install graphviz)
      or, with nothing to install, save as .svg, .html or .txt instead: save("graph.svg")
    """


def to_graphviz(
    layout: Layout, inside: set[Vertex], direction: Direction, labels: Mapping[tuple[Item, Item], str]
) -> Any:
    """The picture as the graphviz package's Digraph, with boxes as clusters."""
    from graphviz import Digraph  # which takes a while to import

    look = {"shape": "box", "fontname": "monospace", "fontsize": "10"}
    whole = Digraph(graph_attr={"rankdir": direction, "newrank": "true"}, node_attr=look)
    opened = [layout.root]
    for box in opened:  # which grows
        opened += [part for part in box.parts if isinstance(part, Box) and not part.folded]
    digraphs = {box: Digraph(f"cluster_{box.key}", graph_attr={"label": box.title}) for box in opened[1:]}
    digraphs[layout.root] = whole
    keys: dict[Item, str] = {}
    for box in opened:
        for part in box.parts:
            if part not in digraphs:
                keys[part] = f"n{len(keys)}"
                digraphs[box].node(keys[part], _text(part, inside), **_frame(part))
    for box in reversed(opened):
        for part in box.parts:
            if isinstance(part, Box) and part in digraphs:
                digraphs[box].subgraph(digraphs[part])
    for source, target, edge in to_be_seen(layout):
        whole.edge(keys[source], keys[target], **({"label": labels[edge]} if labels.get(edge) else {}))
    return whole


def _text(item: Item, inside: set[Vertex]) -> str:
    lines = lines_of_box(item) if isinstance(item, Box) else lines_of(item, inside)
    return "\n".join(line.text for line in lines)


def _frame(item: Item) -> dict[str, str]:
    if isinstance(item, Box):
        return {"style": "filled", "fillcolor": "#e6ecf5"}
    return {**SHAPES.get(item.kind, {}), **({"penwidth": "2"} if item.root else {}), "tooltip": tooltip(item)}


def rendered(svg: str, dot: Callable[[], str], width: float, height: float, kind: str, name: str) -> bytes:
    """The picture as PNG or PDF: from our SVG by resvg, or from DOT by Graphviz' program."""
    program = dot_program()
    zoom = min(2.0, (MOST_PIXELS / (width * height)) ** 0.5)
    if kind == "png" and zoom < 0.25:  # by whatever program
        raise RenderError(
            f"cannot write {name}: {width:,.0f} × {height:,.0f} pixels would be too many to be read as PNG.\n"
            "  Save as .svg, which has no limit, or fold more: draw(y, fold=50)."
        )
    if kind == "png" and find_spec("resvg_py"):
        import resvg_py

        return bytes(resvg_py.svg_to_bytes(svg_string=svg, width=int(width * zoom), height=int(height * zoom)))
    if program is not None:
        return run_dot(program, dot(), kind)
    raise RenderError(what_would_help(kind, name))


def dot_program() -> str | None:
    """Graphviz' program: what $TINYGRAD_ACT_DOT says, or dot on the PATH."""
    return shutil.which(os.environ.get("TINYGRAD_ACT_DOT") or "dot")


def run_dot(program: str, dot: str, kind: str) -> bytes:
    """What the program makes of the text."""
    try:
        done = subprocess.run([program, f"-T{kind}"], input=dot.encode(), capture_output=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        raise RenderError(
            f"{program} did not finish in two minutes; large graphs are for the built-in engine: save as .svg"
        ) from None
    if done.returncode:
        raise RenderError(f"{program} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def what_would_help(kind: str, name: str) -> str:
    """What to install, or to write instead."""
    resvg = ", the Python module resvg_py" if kind == "png" else ""
    helps = ["    pip install 'tinygrad_act[png]'    turns the built-in SVG into PNG"] if kind == "png" else []
    helps += ["    apt-get install graphviz           (macOS: brew install graphviz; Windows: winget install graphviz)"]
    return "\n".join(
        [
            f"cannot write {name}: {kind.upper()} needs a program that is not on this machine.",
            f"  looked for: $TINYGRAD_ACT_DOT, dot on PATH{resvg}",
            "  any one of these helps:" if len(helps) > 1 else "  this helps:",
            *helps,
            '  or, with nothing to install, save as .svg, .html or .txt instead: save("graph.svg")',
        ]
    )
