"""The graph as DOT text, by way of the graphviz package."""

from __future__ import annotations

from typing import Any

import numpy as np
from graphviz import Digraph

from ..op import Node
from ..tensor import Tensor


def to_graphviz(root: Tensor) -> Digraph:
    """The graph of everything `root` was computed from, as the graphviz package's Digraph.

    Results are boxes that tell their op, shape, value and, after `backward()`, gradient; leaves that require a gradient
    are drawn twice framed, constants dashed. `.save("graph.dot")` needs no program; `.render()` needs Graphviz' `dot`.

    >>> w = Tensor(3.0, name="w")
    >>> print(to_graphviz(w * w).source.count("->"))
    2
    """
    graph = Digraph(graph_attr={"rankdir": "LR"}, node_attr={"shape": "box", "fontname": "monospace", "fontsize": "10"})
    nodes = _oldest_first(root)
    names: dict[Any, str] = {id(node): f"n{i}" for i, node in enumerate(nodes)}
    for node in nodes:
        frame = {"style": "dashed"} if not node.requires_grad else {} if node.op else {"peripheries": "2"}
        graph.node(names[id(node)], _label(node), **frame)
        for i, x in enumerate(node.inputs):
            key = id(x) if isinstance(x, Node | np.ndarray) else (id(node), i)  # equal numbers may be one object
            if key not in names:  # a constant
                names[key] = f"n{len(names)}"
                graph.node(names[key], _facts("constant", x), style="dashed")
            argument = node.op.arguments[0 if node.op.variadic else i] if node.op else ""
            graph.edge(names[key], names[id(node)], tooltip=argument)
    return graph


def _oldest_first(root: Node) -> list[Node]:
    """Every node under `root`, those that need no gradient too, each after its inputs."""
    order, seen = [root], {root}
    for node in order:  # which grows as we go
        for x in node.inputs:
            if isinstance(x, Node) and x not in seen:
                seen.add(x)
                order.append(x)
    return sorted(order, key=lambda node: node.stamp)


def _label(node: Node) -> str:
    title = node.op.name if node.op else node.name or ("leaf" if node.requires_grad else "constant")
    if node.op and node.name:
        title = f"{node.name} = {title}"
    return _facts(title, node._data) + (f"\n∂ {_summary(node.grad)}" if node.grad is not None else "")


def _facts(title: str, x: Any) -> str:
    shape = "×".join(map(str, np.shape(x)))
    return "\n".join(filter(None, [title, f"{shape} {np.asarray(x).dtype}" if shape else "", _summary(x)]))


def _summary(x: Any) -> str:
    """The number, or the range of the numbers."""
    values = np.asarray(x)
    if values.dtype.kind not in "biuf":
        return str(x)
    if values.size == 0:
        return "empty"
    return f"{values.item():.4g}" if values.size == 1 else f"{values.min():.3g} … {values.max():.3g}"
