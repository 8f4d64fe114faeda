"""The picture in words: a line for each value, as a terminal shows it."""

from __future__ import annotations

from .graph import Vertex, in_short, number
from .labels import is_number
from .modules import Box


def listing(root: Box, inside: set[Vertex], notes: list[str], marks: dict[Vertex, str]) -> str:
    """What is to be seen, in the order in which it came to be: what it is, its shape, its numbers, its gradient."""
    called = short_names(list(root.vertices()), inside)
    rows: list[tuple[str, str, str, str]] = []
    waiting: list[tuple[Vertex | Box, int]] = [(part, 0) for part in reversed(root.parts)]
    while waiting:
        part, depth = waiting.pop()
        indent = "  " * depth
        if isinstance(part, Box):
            count = sum(1 for _ in part.vertices())
            rows.append((f"{indent}{part.title}:", "", f"{count:,} nodes, folded" if part.folded else "", ""))
            waiting += [] if part.folded else [(inner, depth + 1) for inner in reversed(part.parts)]
        else:
            mark = f"{marks[part]} " if part in marks else ""
            rows.append(_row(part, indent + mark + said(part, called)))
            rows += [_row(x, f"{indent}  {x.title}") for x in part.inputs if x in inside and not is_number(x)]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    lines = ["   ".join([*(cell.ljust(n) for cell, n in zip(row, widths, strict=False)), row[3]]) for row in rows]
    return "\n".join(line.rstrip() for line in [*lines, *notes])


def _row(v: Vertex, what: str) -> tuple[str, str, str, str]:
    shape = "×".join(map(str, v.shape))
    return what, shape, in_short(v.value), "" if v.gradient is None else f"∂ {in_short(v.gradient)}"


def short_names(vertices: list[Vertex], inside: set[Vertex]) -> dict[Vertex, str]:
    """A name for each that no other has: its own, or that of its op or kind with a number."""
    called: dict[Vertex, str] = {}
    everything = dict.fromkeys(x for v in vertices for x in (*(i for i in v.inputs if i in inside), v))
    given = {v.name.rpartition(".")[2] for v in everything}
    taken: set[str] = set()
    times: dict[str, int] = {}
    for v in everything:
        own = v.name.rpartition(".")[2]
        name = wanted = own or (v.op.name if v.op else v.title)
        while name in taken or (name in given and name != own):
            times[wanted] = n = times.get(wanted, 1) + 1
            name = f"{wanted}_{n}"
        taken.add(name)
        called[v] = name
    return called


def said(v: Vertex, called: dict[Vertex, str]) -> str:
    """`loss = mean(square)`; the name alone where it is that of the op, and no arguments of a leaf."""
    if v.op is None:
        return called[v]
    given = ", ".join(number(x.value) if is_number(x) and _plain(x) else called[x] for x in v.inputs)
    call = f"{v.op.name}({given})"
    return call if called[v] == v.op.name else f"{called[v]} = {call}"


def _plain(x: Vertex) -> bool:
    return isinstance(x.value, int | float) and not isinstance(x.value, bool)
