"""Which boxes a graph falls into: modules, by the dotted names of their parameters, and what is done again and again.

A box holds a stretch of the order in which the values came to be. So whatever lies between two parts of a module is in
it too, an activation between its layers, and no edge ever leads out of a box and back into it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .graph import Call, Graph, Vertex

LONGEST_PERIOD = 400  # of what is looked for as done again


@dataclass(eq=False)
class Box:
    """Vertices and boxes, in the order of creation. `times` says that it holds so many alike."""

    title: str
    parts: list[Vertex | Box] = field(default_factory=list)
    times: int = 0
    key: str = ""  # where it is: the numbers of parts on the way to it
    folded: bool = False

    def boxes(self) -> Iterator[Box]:
        """This box and all in it, each before what it holds."""
        found = [self]
        while found:
            box = found.pop()
            yield box
            found += reversed([part for part in box.parts if isinstance(part, Box)])

    def vertices(self) -> Iterator[Vertex]:
        """All vertices in it, in order."""
        found: list[Vertex | Box] = [self]
        while found:
            part = found.pop()
            if isinstance(part, Vertex):
                yield part
            else:
                found += reversed(part.parts)


def boxed(graph: Graph, inside: set[Vertex], limit: int | None) -> Box:
    """The outermost box, of all vertices but those that are drawn `inside` of others; runs are boxes beyond a limit."""
    shown = [v for v in graph.vertices if v not in inside]
    _find_modules(graph)
    root = Box("", _in_boxes(_leaves_next_to_use(shown)))
    for box in list(root.boxes()) if limit is not None and len(shown) > limit else []:
        box.parts = _runs_merged(box.parts)
    root.key = "r"
    for box in root.boxes():
        for i, part in enumerate(box.parts):
            if isinstance(part, Box):
                part.key = f"{box.key}.{i}"
    return root


def _find_modules(graph: Graph) -> None:
    """Set `module` of every result: that of its parameters, or of its own dotted name; or what it lies between."""
    results = [v for v in graph.vertices if v.kind == "result"]
    for v in graph.vertices:
        if v.kind != "result" and "." in v.name:
            v.module = tuple(v.name.split(".")[:-1])
    if graph.calls:
        _find_calls(results, graph.calls)
        return
    calls: dict[str, int] = {}
    used: dict[str, set[str]] = {}
    first: dict[str, str] = {}  # the op that a parameter was first used by: a penalty on weights is no call of theirs
    for v in results:
        owned = [x.name for x in v.inputs if x.kind in ("parameter", "input") and "." in x.name]
        owned = [name for name in owned if first.setdefault(name, v.op.name if v.op else "") == (v.op and v.op.name)]
        if owned:
            path = owned[0].rpartition(".")[0]
            if used.setdefault(path, set()) & set(owned):  # one of them again: the module is called once more
                calls[path] = calls.get(path, 1) + 1
                used[path].clear()
            used[path].update(owned)
            v.module = (*path.split("."), f"#{calls.get(path, 1)}")
        elif "." in v.name:
            v.module = tuple(v.name.split(".")[:-1])
    again = {path for path, times in calls.items() if times > 1}
    for v in results:
        if v.module and v.module[-1].startswith("#"):
            path, n = ".".join(v.module[:-1]), v.module[-1]
            v.module = (*v.module[:-2], f"{v.module[-2]} {n}") if path in again else v.module[:-1]
    _fill_gaps(results)


def _find_calls(results: list[Vertex], calls: list[Call]) -> None:
    """Set `module` by which calls of modules were on when a value came to be."""
    times = Counter(path for path, *_ in calls)
    count: Counter[tuple[str, ...]] = Counter()
    coming = []
    for path, start, stop in sorted(calls, key=lambda call: call[1]):
        count[path] += 1
        coming.append((path, f"{path[-1]} #{count[path]}" if times[path] > 1 else path[-1], start, stop))
    coming.reverse()
    on: list[tuple[tuple[str, ...], str, int, int]] = []  # the calls that are on, each within those before
    for v in results:
        stamp = v.node.stamp if v.node is not None else 0
        while coming and coming[-1][2] < stamp:
            on.append(coming.pop())
        on = [call for call in on if call[3] > stamp]
        parts = list(on[-1][0]) if on else []
        for path, title, *_ in on:
            if on[-1][0][: len(path)] == path:
                parts[len(path) - 1] = title
        v.module = tuple(parts)


def _fill_gaps(results: list[Vertex]) -> None:
    """What lies between two parts of a module belongs to it, and so does what follows its call as it did the last."""
    before: tuple[str, ...] = ()
    following: list[tuple[str, ...]] = [()] * len(results)
    after: tuple[str, ...] = ()
    for i in range(len(results) - 1, -1, -1):
        following[i] = after
        after = results[i].module or after
    for i, v in enumerate(results):
        if not v.module:
            common = _common(before, following[i])
            last, then = before[len(common) :][:1], following[i][len(common) :][:1]
            again = last and then and _called(last[0]) == _called(then[0]) != last[0]
            v.module = (*common, *last) if again else common  # the rest of a call comes before the next one
        before = v.module or before
    _finish_last_calls(results)


def _called(name: str) -> str:
    return name.rpartition(" #")[0] or name


def _finish_last_calls(results: list[Vertex]) -> None:
    """Let the last of several calls end where the one before it does."""
    stretches: list[tuple[tuple[str, ...], int, int]] = []
    for i, v in enumerate(results):
        if stretches and stretches[-1][0] == v.module:
            stretches[-1] = (v.module, stretches[-1][1], i + 1)
        else:
            stretches.append((v.module, i, i + 1))
    for (one, a, b), (two, c, d) in itertools.pairwise(stretches):
        alike = one and two and one[:-1] == two[:-1] and _called(one[-1]) == _called(two[-1])
        if alike and d - c < b - a:
            wanted = [v.op.name if v.op else "" for v in results[a + d - c : b]]
            rest = results[d : d + len(wanted)]
            if [v.op.name if v.op else "" for v in rest] == wanted and not any(v.module[len(two) - 1 :] for v in rest):
                for v in rest:
                    v.module = two


def _common(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
    n = 0
    while n < min(len(a), len(b)) and a[n] == b[n]:
        n += 1
    return a[:n]


def _leaves_next_to_use(vertices: list[Vertex]) -> list[Vertex]:
    """The same, with each leaf right before what it is first used in: the result, or the outermost box of that.

    A parameter of a module is in the box of its first use, as far as it is of that module. All else comes from outside.
    """
    first: dict[Vertex, Vertex] = {}
    opens: dict[Vertex, Vertex] = {}  # the first result of the outermost box that a result is in
    outermost: tuple[str, ...] = ()
    start: Vertex | None = None
    for v in vertices:
        for x in v.inputs:
            first.setdefault(x, v)
        if v.kind == "result":
            if start is None or v.module[:1] != outermost or not outermost:
                outermost, start = v.module[:1], v
            opens[v] = start
    waiting: dict[Vertex, list[Vertex]] = {}
    for v in vertices:
        if v.kind != "result" and v in first:
            use = first[v]
            v.module = _common(v.module, use.module)
            waiting.setdefault(use if v.module else opens.get(use, use), []).append(v)
    order: list[Vertex] = []
    for v in vertices:
        order += waiting.get(v, [])
        if v.kind == "result" or v not in first:
            order.append(v)
    return order


def _in_boxes(order: list[Vertex]) -> list[Vertex | Box]:
    """Stretches of vertices of the same module as boxes, which hold those of its modules."""
    root = Box("")
    open_boxes = [root]
    path: tuple[str, ...] = ()
    for v in order:
        n = len(_common(path, v.module))
        del open_boxes[n + 1 :]
        for name in v.module[n:]:
            box = Box(name)
            open_boxes[-1].parts.append(box)
            open_boxes.append(box)
        path = v.module
        open_boxes[-1].parts.append(v)
    for box in list(root.boxes()):  # a box of one box is drawn as one
        while len(box.parts) == 1 and isinstance(box.parts[0], Box) and box is not root:
            box.title, box.parts = f"{box.title}.{box.parts[0].title}", box.parts[0].parts
    return root.parts


def _runs_merged(parts: list[Vertex | Box]) -> list[Vertex | Box]:
    """Parts that come three times or more in a row, alone or several by turns, in a box of theirs."""
    codes = _codes(parts)
    merged: list[Vertex | Box] = []
    start = 0
    for first, period, times in _repeats(codes):
        if first < start:
            continue
        merged += parts[start:first]
        stop = first + period * times
        stretches = [parts[i : i + period] for i in range(first, stop, period)]
        title = _title(stretches)
        each = [s[0] if period == 1 else Box(f"{title} #{i}", s) for i, s in enumerate(stretches, 1)]
        merged.append(Box(f"{title} ×{times}", list(each), times))
        start = stop
    return merged + parts[start:]


def _title(stretches: list[list[Vertex | Box]]) -> str:
    first, last = stretches[0], stretches[-1]
    if len(first) == 1 and isinstance(first[0], Box) and isinstance(last[0], Box):
        a, b = first[0].title, last[0].title
        return _called(a) if _called(a) == _called(b) else f"{a} … {b}"
    names = [part.title for part in first]
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def _codes(parts: list[Vertex | Box]) -> np.ndarray[Any, Any]:
    """A number for each part, the same for parts that are made alike of what stands as far before them."""
    place: dict[Vertex, int] = {}
    known: dict[Any, int] = {}
    codes = []
    for i, part in enumerate(parts):
        inside = list(part.vertices()) if isinstance(part, Box) else [part]
        within = {v: k for k, v in enumerate(inside)}
        signs: list[Any] = []
        for v in inside:
            signs.append((v.kind, v.op.name if v.op else "", v.shape))
            signs += [
                within[x] if x in within else -1 - (i - place[x]) if x in place else "elsewhere" for x in v.inputs
            ]
        codes.append(known.setdefault((isinstance(part, Box), *signs), len(known)))
        place.update(dict.fromkeys(inside, i))
    return np.array(codes, dtype=int)


def _repeats(codes: np.ndarray[Any, Any]) -> list[tuple[int, int, int]]:
    """(first, period, times) of stretches that repeat at least three times, the longest first where they overlap."""
    found = []
    for period in range(1, min(LONGEST_PERIOD, len(codes) // 3) + 1):
        same = np.concatenate([[False], codes[period:] == codes[:-period], [False]])
        edges = np.flatnonzero(same[1:] != same[:-1])
        for first, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            times = (stop - first) // period + 1
            if times >= 3:
                found.append((first, period, times))
    chosen: list[tuple[int, int, int]] = []
    for first, period, times in sorted(found, key=lambda r: (-r[1] * r[2], r[1])):
        if all(first + period * times <= a or a + p * t <= first for a, p, t in chosen):
            chosen.append((first, period, times))
    return sorted(chosen)


def fold(root: Box, limit: int | None) -> str:
    """Fold boxes, runs first, then the innermost, until no more than `limit` vertices are to be seen; say what was."""
    total = sum(1 for _ in root.vertices())
    if limit is None or total <= limit:
        return ""
    runs = [box for box in root.boxes() if box.times]
    for box in runs:
        box.folded = True
    depth = {box: box.key.count(".") for box in root.boxes()}
    for level in range(max(depth.values()), 0, -1):
        if visible(root) <= limit:
            break
        for box, d in depth.items():
            box.folded = box.folded or d == level
    how = "runs merged" if runs and not any(b.folded and not b.times for b in depth) else "modules folded"
    if visible(root) > limit:  # no modules left: the end of the graph, and the rest as one
        keep = limit - 1
        first = len(root.parts) - keep
        rest = root.parts[:first]
        count = sum(1 for part in rest for _ in (part.vertices() if isinstance(part, Box) else [part]))
        root.parts = [Box(f"{count:,} before", rest, key=f"{root.key}.rest", folded=True), *root.parts[first:]]
        how = f"the last {keep} and one for all before" if keep else "one for all"
    more = f"fold=None draws all, fold={2 * limit} more"
    return f"graph has {total:,} nodes; showing {visible(root):,} ({how}). {more}."


def visible(root: Box) -> int:
    """How many boxes and vertices are to be seen."""
    count, found = 0, [root]
    while found:
        for part in found.pop().parts:
            if isinstance(part, Box) and not part.folded:
                found.append(part)
            else:
                count += 1
    return count
