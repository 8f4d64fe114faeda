"""ta.step_through: a page on which one steps through backpropagation, number by number."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from html import escape
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...autodiff import cotangent_of, toposort, walk
from ...op import Node
from ..graph import read
from ..labels import drawn_inside
from ..layout import arranged
from ..modules import boxed, fold
from ..steps import steps_of
from ..svg import best_direction, summary
from .data import MANY, page_data

HERE = Path(__file__).parent


def step_through(
    y: Any,
    *,
    seed: Any = None,
    names: bool | Mapping[str, Any] = False,
    direction: Literal["auto", "LR", "TB"] = "auto",
    title: str = "",
) -> StepThrough:
    """A page that walks forward through the graph of `y`, in the order of creation, and back from its seed.

    At each step it shows the op's formula or rule, what arrives, the slope, what is passed on and how it adds up, in
    numbers. `save("page.html")` writes it as one file that needs no network; in a notebook it shows itself. `seed` is
    the cotangent of `y`, 1 for a scalar; `names` are variables that name Tensors without a name: a dict like
    `locals()`, or True for the caller's. TypeError for what is no Tensor. Gradients are not changed.

    >>> from ...tensor import Tensor
    >>> w = Tensor(3.0, name="w")
    >>> page = step_through(w * w)
    >>> len(page.steps), "default-src 'none'" in page.html
    (4, True)
    """
    if not isinstance(y, Node):
        raise TypeError(f"step_through() takes the Tensor to walk back from, like the loss, not {type(y).__name__}")
    if names is True:
        frame: Any = sys._getframe(1)
        names = {**frame.f_globals, **frame.f_locals}
    return StepThrough(y, seed, dict(names) if names else {}, direction, title)


class StepThrough:
    """The page, as made by `step_through`: `html` is its text, and `steps` are what it shows.

    >>> from ...tensor import Tensor
    >>> step_through(Tensor(1.0) * 2, title="twice").html.count("<h1>twice</h1>")
    1
    """

    def __init__(
        self, y: Node, seed: Any, names: dict[str, Any], direction: Literal["auto", "LR", "TB"], title: str
    ) -> None:
        self.graph = read([y], names)
        self.steps = steps_of(self.graph, seed)
        self._check(y, seed)
        inside = drawn_inside(self.graph, "inside")
        limit = 60 if len(self.graph.vertices) > MANY else None
        root = boxed(self.graph, inside, limit)
        self.note = fold(root, limit).partition(" fold=")[0]
        joined = [(x, v) for v in self.graph.vertices for x in v.inputs if x not in inside]
        layout = arranged(root, joined, closed=len(self.graph.vertices) > 1200)
        chosen = best_direction(layout, inside) if direction == "auto" else direction
        self.title = title or f"{self.graph.roots[0].title}: backpropagation, step by step"
        self.data = page_data(self.graph, self.steps, layout, inside, chosen, self.note)

    def _check(self, y: Node, seed: Any) -> None:
        """That the last steps leave what backward() would."""
        order = toposort(y)
        found = {step.vertex.node: step.incoming for step in self.steps if step.phase == "backward"}
        for node, g in walk(order, {y: cotangent_of(y, seed)}, set(order), attrgetter("_array")):
            if not np.array_equal(np.asarray(g), np.asarray(found[node]), equal_nan=True):
                raise RuntimeError(f"the steps do not lead to the gradient of {node.name or node.op}")

    @property
    def html(self) -> str:
        """The whole page."""
        text = (HERE / "page.html").read_text(encoding="utf-8")
        data = json.dumps(self.data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        data = data.replace("<", "\\u003c")  # so that nothing in it can end the script
        parts = {
            "title": escape(self.title),
            "summary": escape(summary(self.graph)),
            "css": (HERE / "page.css").read_text(encoding="utf-8"),
            "layout": (HERE / "layout.js").read_text(encoding="utf-8"),
            "script": (HERE / "page.js").read_text(encoding="utf-8"),
            "data": data,
        }
        for name, part in parts.items():
            text = text.replace(f"<!--{name}-->", part)
        return text

    def save(self, path: str | Path) -> Path:
        """Write the page to a file."""
        path = Path(path)
        path.write_text(self.html, encoding="utf-8")
        return path

    def _repr_html_(self) -> str:
        frame = "width:100%;height:36em;border:1px solid #bbb"
        return f'<iframe sandbox="allow-scripts" style="{frame}" srcdoc="{escape(self.html)}"></iframe>'

    def __repr__(self) -> str:
        return f"<{self.title}: {len(self.data['steps'])} steps; save('page.html') writes it>"
