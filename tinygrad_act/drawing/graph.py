"""The graph as a picture knows it: vertices with what they hold, and edges. Nothing else here looks at Tensors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ..op import Node, Op

Call = tuple[tuple[str, ...], int, int]  # the path of a module, and the stamps between which it was called
Kind = Literal["parameter", "input", "constant", "result"]


@dataclass(eq=False)
class Vertex:
    """A value of the graph.

    `kind` is parameter for a leaf that requires a gradient, input for one that does not, constant for a plain array or
    number, result for what an op made. `inputs` are what it was made of, in the order of the op's arguments.
    """

    number: int  # in the order in which the values came to be
    kind: Kind
    value: Any
    name: str = ""  # given to it, or "" if nobody named it
    op: Op | None = None
    gradient: np.ndarray[Any, Any] | None = None
    inputs: list[Vertex] = field(default_factory=list)
    root: bool = False
    node: Node | None = None
    module: tuple[str, ...] = ()  # the modules it is in, from the outermost

    @property
    def title(self) -> str:
        """What it is called: its name, its op, or both."""
        own = re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]", "�", self.name.rpartition(".")[2])
        if self.op is None:
            return own or ("leaf" if self.kind == "parameter" else self.kind)
        return f"{own} = {self.op.name}" if own else self.op.name

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value)

    def argument(self, i: int) -> str:
        """What the op calls its input number i."""
        return "" if self.op is None else self.op.arguments[0 if self.op.variadic else i]


@dataclass
class Graph:
    """Every vertex after those that it was made of."""

    vertices: list[Vertex]
    roots: list[Vertex]
    calls: list[Call] = field(default_factory=list)  # of modules, where that was noted

    @property
    def has_gradients(self) -> bool:
        return any(v.gradient is not None for v in self.vertices)


def read(roots: Iterable[Any], names: Mapping[str, Any] | None = None) -> Graph:
    """The graph of everything that the roots were computed from, in the order of creation.

    `names` gives names to Tensors and arrays that have none: a dict of variables, like `locals()`.
    """
    roots = list(roots)
    called = {id(x): name for name, x in reversed(list((names or {}).items())) if isinstance(x, Node | np.ndarray)}
    known: dict[Any, Vertex] = {}
    vertices: list[Vertex] = []

    def add(key: Any, vertex: Vertex) -> Vertex:
        vertex.number = len(vertices)
        vertices.append(vertex)
        known[key] = vertex
        return vertex

    for node in _oldest_first(roots):
        inputs = []
        for i, x in enumerate(node.inputs):
            key = id(x) if isinstance(x, Node | np.ndarray) else (id(node), i)  # equal numbers may be one object
            if key not in known:
                leaf = _leaf(x) if isinstance(x, Node) else Vertex(0, "constant", x)
                leaf.name = leaf.name or called.get(id(x), "")
                add(key, leaf)
            inputs.append(known[key])
        if node.op is None:
            continue
        name = node.name or called.get(id(node), "")
        add(id(node), Vertex(0, "result", node._array, name, node.op, node.grad, inputs, node=node))
    for root in roots:
        if id(root) not in known:  # a leaf
            add(id(root), _leaf(root))
            known[id(root)].name = known[id(root)].name or called.get(id(root), "")
        known[id(root)].root = True
    return Graph(vertices, [known[id(root)] for root in roots])


def _oldest_first(roots: list[Node]) -> list[Node]:
    """Every node under the roots, those that need no gradient too, each result after its inputs."""
    order, seen = list(dict.fromkeys(roots)), set(roots)
    for node in order:  # which grows as we go
        for x in node.inputs:
            if isinstance(x, Node) and x not in seen:
                seen.add(x)
                order.append(x)
    return sorted((node for node in order if node.op is not None), key=lambda node: node.stamp)


def _leaf(node: Node) -> Vertex:
    kind: Kind = "parameter" if node.requires_grad else "input"
    gradient = None if node.grad is None else node.grad.copy()  # an optimizer may change both before they are drawn
    return Vertex(0, kind, node._array.copy(), node.name or "", None, gradient, node=node)


def shape_and_dtype(x: Any) -> str:
    """`32×10 float32`; nothing for a Python number."""
    if not isinstance(x, np.ndarray | np.generic):
        return ""
    return f"{'×'.join(map(str, x.shape))} {x.dtype}" if x.shape else str(x.dtype)


def in_short(x: Any, digits: int = 3) -> str:
    """The number, or a few of them, or their range, mean and share of zeros."""
    values = np.asarray(x)
    if values.dtype.kind not in "biuf":
        return str(x)
    if values.size == 0:
        return "empty"
    if values.size == 1:
        return number(values.reshape(-1)[0], digits + 1)
    if values.ndim == 1 and values.size <= 3:
        return f"[{', '.join(number(v, digits) for v in values)}]"
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if finite.size == 0:
        return f"all {'nan' if np.isnan(values).all() else 'not finite'}"
    low, high = finite.min(), finite.max()
    if low == high and finite.size == values.size:
        return f"all {number(low, digits)}"
    said = [f"{number(low, digits)} … {number(high, digits)}", f"mean {number(_mean(finite), digits)}"]
    zeros = np.count_nonzero(values == 0) / values.size
    if zeros:
        said.append(f"{share(zeros)} zero")
    if finite.size < values.size:
        said.append(f"{values.size - finite.size} not finite")
    return ", ".join(said)


def _mean(values: np.ndarray[Any, Any]) -> float:
    """The mean, of numbers whose sum may be too large for a float too."""
    largest = float(max(abs(float(values.min())), abs(float(values.max())))) or 1.0
    return float((values / largest).mean(dtype=float)) * largest


def share(part: float) -> str:
    """A share in percent, which says 0 and 100 % only where it is."""
    return "<1 %" if 0 < part < 0.01 else ">99 %" if 0.99 < part < 1 else f"{100 * part:.0f} %"


def number(x: Any, digits: int = 4) -> str:
    """A number in few signs."""
    if isinstance(x, bool | np.bool):
        return str(bool(x))
    return f"{float(x):.{digits}g}".replace("e-0", "e-").replace("e+0", "e+").replace("e+", "e")
