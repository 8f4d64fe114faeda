"""ta.explain: the walk of backpropagation in words and numbers."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, overload

from .. import text
from ..op import Array, Node
from .diagnosis import Diagnosis, diagnosed
from .graph import Graph, Vertex, read
from .steps import Step, steps_of
from .wording import (
    arguments,
    bar,
    called,
    columns,
    equation,
    escaped,
    in_full,
    last_form,
    readable,
    result_of,
    shape_of,
    shortened,
    shown,
)

Names = bool | Mapping[str, Any]


@overload
def explain(
    y: Any, *, wrt: None = None, seed: Any = None, limit: int | None = 30, names: Names = False
) -> Explanation: ...
@overload
def explain(y: Any, *, wrt: Node, seed: Any = None, limit: int | None = 30, names: Names = False) -> Diagnosis: ...
def explain(y: Any, *, wrt: Any = None, seed: Any = None, limit: int | None = 30, names: Names = False) -> Any:
    """How backpropagation goes through the graph of `y`, step by step; or why the gradient of `wrt` is what it is.

    It does a walk of its own: no `.grad` is needed, and none changes. `seed` is the gradient of `y`, 1 for a scalar. Of
    each part, `limit` blocks are printed; None prints all. `names` are variables that name Tensors without a name: a
    dict like `locals()`, or True for those of the caller. The result prints itself and shows itself in a notebook;
    its `steps`, or its `reasons`, `cure` and `factors`, are what it says as data. Reasons name your lines, of what ran
    within `with drawing.lines_noted():`. TypeError for what is no Tensor.

    >>> from tinygrad_act import Tensor
    >>> w = Tensor(3.0, name="w")
    >>> explain(w * w)
    FORWARD: each value from those before it
    <BLANKLINE>
    #0  w                    3
    #1  multiply   y = a b
          a = w              3
          b = w              3
          y                  9
    <BLANKLINE>
    BACKWARD: ȳ is the gradient of multiply #1 with respect to y; a rule makes one of it for each input
    <BLANKLINE>
    #1  multiply   y = a b
          ȳ                  1           the seed
          ā = ȳ b            3           → w
          b̄ = ȳ a            3           → w
          w, second use      3 + 3 = 6
    <BLANKLINE>
    GRADIENTS of the leaves, as backward() leaves them in .grad
    <BLANKLINE>
    #0  w   6
    >>> print(explain(0 * w, wrt=w).reasons[0])
    multiply #2: a is 0
    """
    if not isinstance(y, Node):
        raise TypeError(
            f"explain() takes the Tensor that was computed, like the loss, not {type(y).__name__}.\n"
            "  Write explain(loss), or explain(loss, wrt=w) for the reasons of the gradient of w."
        )
    if wrt is not None and not isinstance(wrt, Node):
        raise TypeError(
            f"explain(y, wrt=...) takes the Tensor whose gradient is in question, not {type(wrt).__name__}.\n"
            "  Write explain(loss, wrt=model.layers[0].weight): the Tensor itself, neither its name nor its .data."
        )
    if names is True:
        frame: Any = sys._getframe(1)
        names = {**frame.f_globals, **frame.f_locals}
    graph = read([y], names or None)
    if wrt is not None:
        return diagnosed(graph, wrt, seed, limit)
    if not y.requires_grad:
        raise text.nothing_to_differentiate(y)
    return Explanation(graph, steps_of(graph, seed), limit)


@dataclass
class Row:
    """A line of a block: a formula in LaTeX, what it is called by, the number, and a remark."""

    formula: str
    called: str = ""
    number: str = ""
    remark: str = ""


@dataclass
class Block:
    """What is said of a node."""

    head: Row
    rows: list[Row] = field(default_factory=list)


@dataclass(repr=False)
class Explanation:
    """The walk through a graph: `steps` forward and backward. It prints itself, and is Markdown in a notebook.

    >>> from tinygrad_act import Tensor
    >>> [step.op for step in explain(-Tensor(2.0)).steps if step.phase == "backward"]
    ['negative', '']
    """

    graph: Graph
    steps: list[Step]
    limit: int | None = 30

    @property
    def gradients(self) -> dict[Any, Array]:
        """The gradient of each leaf, by its Tensor."""
        return {s.vertex.node: s.incoming for s in self._backward(leaf=True)}

    def _backward(self, leaf: bool) -> list[Step]:
        return [s for s in self.steps if s.phase == "backward" and (s.vertex.op is None) == leaf]

    def _sections(self) -> list[tuple[str, list[Block | str]]]:
        forward = [s for s in self.steps if s.phase == "forward" and not _is_number(s.vertex)]
        leaves = sorted(self._backward(leaf=True), key=lambda s: s.number)
        result = called(self.graph.roots[0])
        kept = any(s.vertex.gradient is not None for s in leaves)
        return [
            ("FORWARD: each value from those before it", _some(forward, self.limit, _forward)),
            (
                f"BACKWARD: ȳ is the gradient of {result} with respect to y; a rule makes one of it for each input",
                _some(self._backward(leaf=False), self.limit, _backward),
            ),
            (
                f"GRADIENTS of the leaves, as backward() {'adds them to' if kept else 'leaves them in'} .grad",
                _some(leaves, self.limit, lambda s: Block(Row("", _head(s.vertex), shown(s.incoming)))),
            ),
        ]

    def __str__(self) -> str:
        lines = []
        for title, blocks in self._sections():
            lines += [title, "", *_in_columns(blocks), ""]
        return "\n".join(lines[:-1])

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        lines = []
        for title, blocks in self._sections():
            kind, _, rest = title.partition(" ")
            lines += [f"### {kind.strip(':').capitalize()}", "", rest, ""]
            for block in blocks:
                lines += [f"*{block}*", ""] if isinstance(block, str) else _in_markdown(block)
        return "\n".join(lines)


def _some(steps: list[Step], limit: int | None, block: Callable[[Step], Block]) -> list[Block | str]:
    return [s if isinstance(s, str) else block(s) for s in shortened(steps, limit)]


def _forward(step: Step) -> Block:
    v = step.vertex
    if v.op is None:
        return Block(Row("", _head(v), shown(v.value), "constant" if v.kind != "parameter" and v.name else ""))
    y = result_of(v)
    rows = [Row(a, "" if _is_number(x) or x.name == a else called(x), shown(x.value)) for a, x in arguments(v)]
    return Block(Row(equation(v, y), _head(v)), [*rows, Row(y, "", shown(v.value))])


def _backward(step: Step) -> Block:
    v, y, given = step.vertex, result_of(step.vertex), arguments(step.vertex)
    rows = [Row(bar(y), "", shown(step.incoming), "the seed" if v.root else "")]
    if step.local is not None and step.outgoing:
        rows.append(Row(f"{y}' = {last_form(step.outgoing[0].rule)}", "", shown(step.local)))
    for p in step.outgoing:
        a, _ = given[p.index]
        rule = f"{bar(y)}\\, {y}'" if step.local is not None else p.rule
        remark = f"→ {called(p.to)}"
        if p.summed:
            axes = f"ax{'i' if len(p.summed) == 1 else 'e'}s {', '.join(map(str, p.summed))}"
            remark += f", summed over {axes}: {shape_of(p.raw)} → {shape_of(p.gradient)}"
        rows.append(Row(in_full(rule, a), "", shown(p.gradient), remark))
        if p.before is not None:
            use = {2: "second use", 3: "third use"}.get(p.use, f"use {p.use}")
            total = f"{shown(p.before)} + {shown(p.gradient)} = " if p.after.size <= 3 else "added up, now "
            rows.append(Row("", f"{called(p.to)}, {use}", total + shown(p.after)))
    return Block(Row(equation(v, y), _head(v)), rows)


def _head(v: Vertex) -> str:
    """What a value is called at the head of its block."""
    what = v.op.name if v.op else "" if v.name else v.title
    return f"#{v.number:<2} {v.name}{' = ' * bool(v.name and v.op)}{what}"


def _is_number(v: Vertex) -> bool:
    return v.kind == "constant" and not v.shape


def _in_columns(blocks: list[Block | str]) -> list[str]:
    table: list[tuple[str, ...]] = []
    for block in blocks:
        if isinstance(block, str):
            table.append(("", "", block))
            continue
        head = block.head
        table.append((f"{head.called}   {readable(head.formula)}".rstrip(), head.number, head.remark))
        for row in block.rows:
            left = " = ".join(filter(None, [readable(row.formula), row.called]))
            table.append((f"      {left}", row.number, row.remark))
    return columns(table)


def _in_markdown(block: Block) -> list[str]:
    head = block.head
    lines = [" ".join(filter(None, [f"**{_code(head.called)}**", _math(head.formula), _said(head)])), ""]
    for row in block.rows:
        lines.append(f"- {' = '.join(filter(None, [_math(row.formula), _code(row.called)]))}: {_said(row)}")
    return [*lines, ""] if block.rows else lines


def _said(row: Row) -> str:
    return f"{_code(row.number)} {escaped(row.remark)}".strip()


def _math(latex: str) -> str:
    return f"${latex}$" if latex else ""


def _code(name: str) -> str:
    return f"`{re.sub(' +', ' ', name)}`" if name else ""
