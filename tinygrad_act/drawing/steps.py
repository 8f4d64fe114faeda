"""The walk of backpropagation as steps, to be printed or shown: what each node is given, what its rule passes on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Literal

import numpy as np

from ..autodiff import cotangent_of, toposort, unbroadcast, walk
from ..op import Array, Elementwise, Node
from .graph import Graph, Vertex


@dataclass(eq=False)
class Passed:
    """What the rule of a node passes back to one of its inputs."""

    index: int  # of the input
    argument: str  # what the op calls it
    to: Vertex
    rule: str  # in LaTeX; of an elementwise op, the slope that the gradient is multiplied by
    raw: Array  # as the rule gave it
    gradient: Array  # in the shape of the input
    summed: tuple[int, ...]  # the axes of `raw` that were summed, as the input was broadcast along them
    before: Array | None  # what earlier uses of the input had brought; None at the first
    after: Array  # the sum so far
    use: int  # 1 at the first


@dataclass(eq=False)
class Step:
    """A value on the way forward, or a node on the way backward, with all that its rule is given and gives."""

    phase: Literal["forward", "backward"]
    vertex: Vertex
    incoming: Array | None = None  # the gradient that has arrived, from all uses
    local: Array | None = None  # the slope at each element, of an elementwise op
    outgoing: list[Passed] = field(default_factory=list)

    @property
    def number(self) -> int:
        return self.vertex.number

    @property
    def op(self) -> str:
        return self.vertex.op.name if self.vertex.op else ""

    @property
    def formula(self) -> str:
        return self.vertex.op.formula if self.vertex.op else ""


def steps_of(graph: Graph, seed: Any = None) -> list[Step]:
    """All steps: forward in the order of creation, then backward from the root of the graph, newest first.

    What arrives at each node is what the engine's own walk yields. What leaves it is the answer of the same rule to the
    same question, asked once more.

    >>> from ..tensor import Tensor
    >>> from .graph import read
    >>> x = Tensor(3.0, name="x")
    >>> [(s.phase, s.vertex.title, s.incoming and s.incoming.item()) for s in steps_of(read([x * x]))]
    [('forward', 'x', None), ('forward', 'multiply', None), ('backward', 'multiply', 1.0), ('backward', 'x', 6.0)]
    """
    root: Any = graph.roots[0].node
    order = toposort(root)
    vertices = {v.node: v for v in graph.vertices if v.node is not None}
    for v in graph.vertices:  # results never change, but an optimizer may write into a leaf before this is printed
        if v.op is None and isinstance(v.value, np.ndarray):
            v.value = v.value.copy()
    steps = [Step("forward", v) for v in graph.vertices]
    running: dict[Vertex, tuple[Array, int]] = {}
    for node, g in walk(order, {root: cotangent_of(root, seed)}, set(order), attrgetter("_array")):
        step = Step("backward", vertices[node], np.asarray(g))
        steps.append(step)
        if node.op is None:
            continue
        inputs = [x._array if isinstance(x, Node) else x for x in node.inputs]
        if isinstance(node.op, Elementwise):
            slope = node.op.derivative(node._array, *inputs)
            step.local = np.broadcast_to(np.asarray(slope, node._array.dtype), node._array.shape)
        for i, x in enumerate(node.inputs):
            if isinstance(x, Node) and x.requires_grad:
                passed = _passed(node, i, g, inputs, vertices[x], running)
                running[passed.to] = passed.after, passed.use
                step.outgoing.append(passed)
    return steps


def _passed(
    node: Node, i: int, g: Array, inputs: list[Any], to: Vertex, running: dict[Vertex, tuple[Array, int]]
) -> Passed:
    op: Any = node.op
    raw, like = op.vjp(i, g, node._array, *inputs), inputs[i]
    same = raw.shape == like.shape and raw.dtype == like.dtype
    gradient = raw if same else unbroadcast(raw, like, op, i)
    lead = raw.ndim - like.ndim
    stretched = (lead + k for k, n in enumerate(like.shape) if n == 1 != raw.shape[lead + k])
    before, uses = running.get(to, (None, 0))
    after = gradient if before is None else before + gradient
    argument = op.arguments[0 if op.variadic else i]
    rule = op.rule.get(argument, "") if isinstance(op.rule, dict) else op.rule
    return Passed(i, argument, to, rule, raw, gradient, (*range(lead), *stretched), before, after, uses + 1)


def rms(x: Any) -> float:
    """The root of the mean square, which neither overflows nor underflows; inf or nan if there is one in x.

    >>> rms(np.array([3e200, 4e200]))
    3.5355339059327374e+200
    """
    values = np.abs(np.asarray(x, np.float64)).ravel()
    if values.size == 1:  # for long chains of numbers
        return float(values[0])
    largest = float(values.max(initial=0))
    return largest * math.sqrt(np.square(values / largest).mean()) if 0 < largest < math.inf else largest


def worst(x: Any) -> str:
    """What in x is not finite: "nan", "inf", "-inf", or nothing."""
    values = np.asarray(x)
    if values.dtype.kind != "f" or np.isfinite(values).all():
        return ""
    return "nan" if np.isnan(values).any() else "inf" if values.max() == math.inf else "-inf"
