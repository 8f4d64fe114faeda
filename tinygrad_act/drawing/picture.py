"""ta.draw: a graph as a picture that shows itself, prints itself, and saves itself."""

from __future__ import annotations

import difflib
import inspect
import sys
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..op import Node
from ..tensor import Tensor
from . import export, labels, layout, svg
from .calls import calls_noted
from .graph import Call, Graph, Vertex, read, shape_and_dtype
from .listing import listing
from .modules import boxed, fold

Engine = Literal["own", "dot"]
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<body style="margin:1em;font-family:sans-serif">{svg}</body></html>
"""


def draw(
    what: Any,
    *inputs: Any,
    direction: Literal["auto", "LR", "TB"] = "auto",
    fold: int | None = 200,
    parameters: Literal["inside", "apart"] = "inside",
    edges: Literal["", "argument", "shape", "rule"] = "",
    names: bool | Mapping[str, Any] = False,
) -> Drawing:
    """A picture of the graph that `what` was computed by.

    `what` is a Tensor, several in a list, tuple or dict, an error that an op raised, or a function or module, which is
    called with the `inputs`. Of a large graph, boxes are folded until at most `fold` nodes are to be seen; None draws
    all. The parameters of modules are drawn inside the ops that use them, or apart. Edges may be labelled by the op's
    argument, by the shape, or by the rule that takes the gradient back along them. `names` are variables that name
    Tensors without a name: a dict like `locals()`, or True for those of the caller. TypeError for anything else to
    draw, ValueError for other options.

    The result shows itself in a notebook, prints itself as text, and has `save("graph.svg")` and `diff(other)`.

    >>> w = Tensor(3.0, name="w")
    >>> loss = (w * 2) ** 2
    >>> loss.backward()
    >>> draw(loss)
    w                     3    ∂ 24
    multiply(w, 2)        6    ∂ 12
    power(multiply, 2)    36   ∂ 1
    """
    for option, given, allowed in (
        ("direction", direction, ("auto", "LR", "TB")),
        ("parameters", parameters, ("inside", "apart")),
        ("edges", edges, ("", "argument", "shape", "rule")),
    ):
        if given not in allowed:
            raise ValueError(f"{option}={given!r}: it is one of {', '.join(map(repr, allowed))}")
    if fold is not None and fold < 1:
        raise ValueError(f"fold={fold}: it is how many nodes are to be seen at most, or None for all")
    if names is True:
        frame: Any = sys._getframe(1)
        names = {**frame.f_globals, **frame.f_locals}
    called = dict(names) if names else {}
    calls: list[Call] = []
    failed = getattr(what, "failed_call", None)
    if failed is not None:
        roots, called = [x for x in failed[1] if isinstance(x, Node)], called
    elif isinstance(what, Node):
        roots = [what]
    elif isinstance(what, list | tuple | dict):
        roots = [x for x in (what.values() if isinstance(what, dict) else what) if isinstance(x, Node)]
    else:
        roots, calls = _called_with(what, inputs, called) if callable(what) else ([], [])
    if not roots:
        raise TypeError(
            f"draw() takes a Tensor, several of them, or a function or module with inputs, not {type(what).__name__}.\n"
            "  Draw the Tensor that was computed, like the loss, or write draw(model, x)."
        )
    graph = read(roots, called)
    graph.calls = calls
    if failed is not None:
        _add_failure(graph, *failed)
    return Drawing(graph, direction, fold, parameters, edges)


def _called_with(
    function: Callable[..., Any], inputs: tuple[Any, ...], called: dict[str, Any]
) -> tuple[list[Node], list[Call]]:
    """What a function or module returns for inputs, which are named as it names them; and the calls of modules."""
    signature = inspect.signature(getattr(function, "forward", function))
    arguments = [p.name for p in signature.parameters.values() if p.kind not in (p.KEYWORD_ONLY, p.VAR_KEYWORD)]
    given = []
    for i, x in enumerate(inputs):
        x = np.asarray(x) if isinstance(x, list | tuple) else x
        if not hasattr(function, "parameters") and not isinstance(x, bool):
            x = float(x) if isinstance(x, int) else x
            if isinstance(x, float | np.floating) or (isinstance(x, np.ndarray) and x.dtype.kind == "f"):
                x = Tensor(x)  # a module has variables of its own, a function has only these
        name = arguments[min(i, len(arguments) - 1)] if arguments else f"x{i}"
        called[name if name not in called else f"{name}_{i}"] = x
        given.append(x)
    with calls_noted(function) as calls:
        result = function(*given)
    parts = (
        list(result.values()) if isinstance(result, dict) else result if isinstance(result, list | tuple) else [result]
    )
    found = [x for x in parts if isinstance(x, Node)]
    if not found:
        name = getattr(function, "__name__", type(function).__name__)
        raise TypeError(f"draw() has called {name}, which returned no Tensor but {type(result).__name__}")
    return found, calls


def _add_failure(graph: Graph, op: Any, inputs: tuple[Any, ...]) -> None:
    """The op that failed, as the end of the graph of what it was given."""
    known = {id(v.node): v for v in graph.vertices}
    made_of = []
    for x in inputs:
        made_of.append(known.get(id(x)) or Vertex(len(graph.vertices), "constant", x))
        if made_of[-1] not in graph.vertices:
            graph.vertices.append(made_of[-1])
    for root in graph.roots:
        root.root = False
    end = Vertex(len(graph.vertices), "result", FAILED, "", op, None, made_of, root=True)
    graph.vertices.append(end)
    graph.roots = [end]


def _alike(u: Vertex, v: Vertex) -> bool:
    """Whether two vertices hold the same numbers, and the same gradients."""
    pairs = [(u.value, v.value), (u.gradient, v.gradient)]
    pairs += [(x.value, y.value) for x, y in zip(u.inputs, v.inputs, strict=False) if x.op is None]
    for x, y in pairs:
        if (x is None) != (y is None):
            return False
        a, b = np.asarray(x), np.asarray(y)
        if not np.array_equal(a, b, equal_nan=a.dtype.kind == b.dtype.kind == "f"):
            return False
    return True


class _Failed:
    def __str__(self) -> str:
        return "failed here"


FAILED = _Failed()


class Drawing:
    """A picture of a graph; `notes` say what is folded in it, and what is missing. Made by `draw`.

    >>> drawing = draw(Tensor(2.0, name="x") ** 2)
    >>> drawing.svg[:4], drawing.notes
    ('<svg', ['no gradients yet: they are there after backward()'])
    """

    def __init__(
        self,
        graph: Graph,
        direction: Literal["auto", "LR", "TB"] = "auto",
        limit: int | None = 200,
        parameters: Literal["inside", "apart"] = "inside",
        edges: Literal["", "argument", "shape", "rule"] = "",
        marks: dict[Vertex, str] | None = None,
    ) -> None:
        self.graph, self.settings, self.marks = graph, (direction, limit, parameters, edges), marks or {}
        self.inside = labels.drawn_inside(graph, parameters)
        self.root = boxed(graph, self.inside, limit)
        folded = fold(self.root, limit)
        joined = [(x, v) for v in graph.vertices for x in v.inputs if x not in self.inside]
        self.layout = layout.arranged(self.root, joined)
        self.direction = svg.best_direction(self.layout, self.inside) if direction == "auto" else direction
        self.edge_labels = labels.of_edges(graph, self.layout.paths, edges)
        self.notes = [folded] if folded else []
        if not graph.has_gradients:
            self.notes.append("no gradients yet: they are there after backward()")

    @property
    def svg(self) -> str:
        """The picture as the text of an SVG file."""
        return self._svg_and_size()[0]

    def _svg_and_size(self) -> tuple[str, float, float]:
        return svg.to_svg(
            self.graph,
            self.layout,
            self.inside,
            self.direction,
            self.notes,
            self.marks,
            self.edge_labels,
            self.settings[3] == "shape",
        )

    def to_graphviz(self) -> Any:
        """The picture as the graphviz package's Digraph."""
        return export.to_graphviz(self.layout, self.inside, self.direction, self.edge_labels)

    def save(self, path: str | Path, engine: Engine = "own") -> Path:
        """Write the picture as .svg, .html, .txt, .dot, .png or .pdf, whichever the path ends in.

        `engine="dot"` has Graphviz' program lay it out. RenderError says what to install for PNG and PDF, which need a
        program, or ValueError which endings there are.
        """
        path = Path(path)
        kind = path.suffix.lower().removeprefix(".")
        if engine not in ("own", "dot"):
            raise ValueError(f"engine={engine!r}: it is 'own' or 'dot'")
        if kind in ("png", "pdf") or engine == "dot":
            path.write_bytes(self._rendered(kind, engine, path.name))
        elif kind in ("svg", "html", "txt", "dot", "gv"):
            path.write_text(self._text(kind), encoding="utf-8")
        else:
            raise ValueError(f"cannot write {path.name}: a picture ends in .svg, .html, .txt, .dot, .png or .pdf")
        return path

    def _text(self, kind: str) -> str:
        if kind in ("dot", "gv"):
            source: str = self.to_graphviz().source
            return source
        if kind == "html":
            return PAGE.format(title=escape(svg.summary(self.graph)), svg=self.svg)
        return self.svg if kind == "svg" else f"{self}\n"

    def _rendered(self, kind: str, engine: Engine, name: str) -> bytes:
        if engine == "dot":
            program = export.dot_program()
            if program is None:
                raise export.RenderError(export.what_would_help(kind, name))
            return export.run_dot(program, self._text("dot"), kind)
        text, width, height = self._svg_and_size()
        return export.rendered(text, lambda: self._text("dot"), width, height, kind, name)

    def diff(self, other: Drawing) -> Drawing:
        """The other picture, with marks: + what only it has, ≠ what has other numbers. A note says what it has not."""
        ours, theirs = self.graph.vertices, other.graph.vertices
        signs = [[(v.kind, v.title, v.shape) for v in vertices] for vertices in (ours, theirs)]
        marks: dict[Vertex, str] = {}
        gone: list[Vertex] = []
        for tag, a, b, c, d in difflib.SequenceMatcher(None, signs[0], signs[1], autojunk=False).get_opcodes():
            if tag == "equal":
                pairs = zip(ours[a:b], theirs[c:d], strict=True)
                marks.update({v: "≠" for u, v in pairs if not _alike(u, v)})
            else:
                gone += ours[a:b]
                marks.update(dict.fromkeys(theirs[c:d], "+"))
        drawing = Drawing(other.graph, *other.settings, marks=marks)
        counts = {mark: sum(1 for m in marks.values() if m == mark) for mark in "+≠"}
        drawing.notes.append(f"+ {counts['+']} new, ≠ {counts['≠']} with other numbers, − {len(gone)} gone")
        drawing.notes += [f"− {v.title}: {shape_and_dtype(v.value)}" for v in gone[:10]]
        return drawing

    def __str__(self) -> str:
        return listing(self.root, self.inside, self.notes, self.marks)

    __repr__ = __str__

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": str(self), "image/svg+xml": self.svg}
