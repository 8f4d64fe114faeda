"""Where everything stands: a layered layout of boxes within boxes, in pure Python.

Each box is laid out alone, and is one item to the box that it is in. In two parts: `arranged` puts the items of each
box in layers and orders these, which asks only what is joined to what; `placed` turns that into coordinates, for the
sizes that things have, folded or not, in one direction or the other. A page that folds a box needs only the second.

Layers are by longest paths, ordered by barycentres (Sugiyama, Tagawa and Toda, 1981, doi:10.1109/TSMC.1981.4308636);
positions are by isotonic regression, which is exact and linear in time (Best and Chakravarti, 1990,
doi:10.1007/BF01580873).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from .graph import Vertex
from .modules import Box

Direction = Literal["TB", "LR"]
Item = Vertex | Box
Point = tuple[float, float]
GAP, LINE_GAP, LAYER_GAP, PADDING, TITLE = 14.0, 7.0, 26.0, 10.0, 16.0
SWEEPS = 8  # over the layers, to order them
ROUNDS = 4  # over the layers, to straighten the lines


@dataclass(eq=False)
class Slot:
    """A place in a layer: of an item, or of the line of a source on its way to later layers or to the border."""

    layer: int
    item: Item | None = None
    before: list[Slot] = field(default_factory=list)  # in the layer before, to which it is joined
    after: list[Slot] = field(default_factory=list)
    at: float = 0.0  # its middle, across the direction, in its box


@dataclass(eq=False)
class Arrangement:
    """The layers of one box. The first is for lines that come in, the last for those that go out."""

    layers: list[list[Slot]]
    slots: dict[Item, Slot]
    lines: dict[tuple[Item, int], Slot]  # where the line of a source passes a layer
    entries: dict[Item, Slot] = field(default_factory=dict)
    exits: dict[Item, Slot] = field(default_factory=dict)
    starts: list[float] = field(default_factory=list)  # of each layer, along the direction
    depths: list[float] = field(default_factory=list)


@dataclass(eq=False)
class Layout:
    """All that does not depend on sizes."""

    root: Box
    paths: dict[Item, list[Item]]  # from the root to each thing, through the boxes that it is in
    arrangements: dict[Box, Arrangement]
    edges: list[tuple[Item, Item]]


def arranged(root: Box, edges: Iterable[tuple[Vertex, Vertex]], closed: bool = True) -> Layout:
    """The layers of each box, given what is made of what. What is folded is one thing if `closed`."""
    paths: dict[Item, list[Item]] = {root: [root]}
    inside: list[Box] = [root]
    for box in inside:  # which grows
        for part in box.parts:
            paths[part] = [*paths[box], part]
            if isinstance(part, Box) and not (closed and part.folded):
                inside.append(part)
            elif isinstance(part, Box):
                paths.update(dict.fromkeys(part.vertices(), paths[part]))
    joins: dict[Box, dict[tuple[Item, Item | None, Item | None], None]] = {box: {} for box in inside}
    seen: dict[tuple[Item, Item], None] = {}
    for source, target in edges:
        a, b = paths[source], paths[target]
        if a[-1] is b[-1] or (a[-1], b[-1]) in seen:
            continue
        seen[a[-1], b[-1]] = None
        n = _shared(a, b)
        joins[_box(a[n - 1])][a[-1], a[n], b[n]] = None
        for i in range(n, len(a) - 1):  # out of what holds the source
            joins[_box(a[i])][a[-1], a[i + 1], None] = None
        for i in range(n, len(b) - 1):  # into what holds the target
            joins[_box(b[i])][a[-1], None, b[i + 1]] = None
    return Layout(root, paths, {box: _arrange(box.parts, list(joins[box])) for box in inside}, list(seen))


def _shared(a: list[Item], b: list[Item]) -> int:
    """How many boxes two paths share."""
    n = 0
    while a[n] is b[n]:
        n += 1
    return n


def _box(item: Item) -> Box:
    assert isinstance(item, Box)
    return item


def _arrange(parts: list[Item], joins: list[tuple[Item, Item | None, Item | None]]) -> Arrangement:
    rank = _ranks(parts, [(a, b) for _, a, b in joins if a is not None and b is not None])
    last = max(rank.values(), default=0) + 2
    here = Arrangement([[] for _ in range(last + 1)], {}, {})
    for part in parts:
        here.slots[part] = slot = Slot(rank[part] + 1, part)
        here.layers[slot.layer].append(slot)

    def border(slots: dict[Item, Slot], source: Item, layer: int) -> Slot:
        if source not in slots:
            slots[source] = Slot(layer)
            here.layers[layer].append(slots[source])
        return slots[source]

    for source, a, b in joins:
        start = border(here.entries, source, 0) if a is None else here.slots[a]
        end = border(here.exits, source, last) if b is None else here.slots[b]
        at = start
        for layer in range(start.layer + 1, end.layer):
            if (source, layer) not in here.lines:
                here.lines[source, layer] = line = Slot(layer, None, [at])
                at.after.append(line)
                here.layers[layer].append(line)
            at = here.lines[source, layer]
        if at not in end.before:
            at.after.append(end)
            end.before.append(at)
    _order(here.layers)
    return here


def _ranks(parts: list[Item], joins: list[tuple[Item, Item]]) -> dict[Item, int]:
    """The longest path to each; but what is made of nothing that others read too stands next to its first use."""
    after: dict[Item, list[Item]] = {part: [] for part in parts}
    before: dict[Item, list[Item]] = {part: [] for part in parts}
    for a, b in joins:
        after[a].append(b)
        before[b].append(a)
    held: set[Item] = set()  # by what stands before it and is read by others too; a leaf's line is long anyway
    for part in parts:
        if any(before[x] and (x in held or len(after[x]) > 1) for x in before[part]):
            held.add(part)
    rank = dict.fromkeys(parts, 0)
    for part in parts:  # which stand in an order in which all arrows point forward
        for then in after[part]:
            rank[then] = max(rank[then], rank[part] + 1)
    for part in reversed(parts):
        if part not in held and after[part]:
            rank[part] = min(rank[then] for then in after[part]) - 1
    return rank


def _order(layers: list[list[Slot]]) -> None:
    """Order each layer by where what it is joined to stands, back and forth; keep what has fewest crossings."""
    best, fewest = [list(layer) for layer in layers], _crossings(layers)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        forth = sweep % 2 == 0
        way = layers if forth else layers[::-1]
        for fixed, layer in itertools.pairwise(way):
            place = {slot: i for i, slot in enumerate(fixed)}
            key = {}
            for i, slot in enumerate(layer):
                near = [place[other] for other in (slot.before if forth else slot.after)]
                key[slot] = sum(near) / len(near) if near else i * len(fixed) / len(layer)
            layer.sort(key=key.__getitem__)
        crossings = _crossings(layers)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    for layer, kept in zip(layers, best, strict=True):
        layer[:] = kept


def _crossings(layers: list[list[Slot]]) -> int:
    """How many pairs of lines cross: inversions, counted by a tree of sums (Barth, Jünger and Mutzel, 2002)."""
    total = 0
    for layer, following in itertools.pairwise(layers):
        place = {slot: i + 1 for i, slot in enumerate(following)}
        tree = [0] * (len(following) + 1)
        seen = 0
        for slot in layer:
            ends = [place[other] for other in slot.after]
            for end in ends:
                below = 0
                while end:
                    below += tree[end]
                    end &= end - 1
                total += seen - below
            for end in ends:
                seen += 1
                while end < len(tree):
                    tree[end] += 1
                    end += end & -end
    return total


@dataclass
class Placed:
    """The size of the whole, the rectangle of everything that is to be seen (x, y, width, height), and the lines."""

    width: float
    height: float
    rectangles: dict[Item, tuple[float, float, float, float]]
    lines: list[tuple[Item, Item, list[Point]]]  # from what, to what, through which points


def placed(layout: Layout, size: Callable[[Item], Point], direction: Direction) -> Placed:
    """Coordinates. `size` gives the width and height of a vertex or a folded box, and the least of an open one."""
    turned = direction == "LR"  # then across is down, and along is to the right
    across: dict[Item, float] = {}
    along: dict[Item, float] = {}
    opened = [layout.root]
    for box in opened:  # which grows
        opened += [part for part in box.parts if isinstance(part, Box) and not part.folded]
    for box in reversed(opened):  # the inner ones first
        here = layout.arrangements[box]
        for part in box.parts:
            if part not in across:
                width, height = size(part)
                across[part], along[part] = (height, width) if turned else (width, height)
        title = 0.0 if box is layout.root else TITLE
        _straighten(here.layers, across)
        least = (0.0, 0.0) if box is layout.root else size(box)
        left = min((slot.at - _width(slot, across) / 2 for layer in here.layers for slot in layer), default=0.0)
        right = max((slot.at + _width(slot, across) / 2 for layer in here.layers for slot in layer), default=0.0)
        shift = PADDING + (title if turned else 0.0) - left
        for layer in here.layers:
            for slot in layer:
                slot.at += shift
        across[box] = max(right + shift + PADDING, least[1] if turned else least[0])
        at = PADDING + (0.0 if turned else title)
        here.starts, here.depths = [0.0], [0.0]
        for layer in here.layers[1:-1]:
            depth = max((along[slot.item] for slot in layer if slot.item is not None), default=0.0)
            here.starts.append(at)
            here.depths.append(depth)
            at += depth + LAYER_GAP
        along[box] = max(at - LAYER_GAP + PADDING, least[0] if turned else least[1])
        here.starts.append(along[box])
        here.depths.append(0.0)
    corners: dict[Item, Point] = {layout.root: (0.0, 0.0)}  # across, along
    for box in opened:
        here, (x, y) = layout.arrangements[box], corners[box]
        for part in box.parts:
            slot = here.slots[part]
            middle = y + here.starts[slot.layer] + here.depths[slot.layer] / 2
            corners[part] = (x + slot.at - across[part] / 2, middle - along[part] / 2)
    lines = []
    drawn: set[tuple[Item, Item, int]] = set()
    for _, _, (source, target) in to_be_seen(layout):
        points = _points(layout, source, target, corners, across, along, drawn)
        lines.append((source, target, [(y, x) if turned else (x, y) for x, y in points]))
    rectangles = {
        item: (y, x, along[item], across[item]) if turned else (x, y, across[item], along[item])
        for item, (x, y) in corners.items()
    }
    width, height = rectangles[layout.root][2:]
    return Placed(width, height, rectangles, lines)


def _width(slot: Slot, across: dict[Item, float]) -> float:
    return 0.0 if slot.item is None else across[slot.item]


def _straighten(layers: list[list[Slot]], across: dict[Item, float]) -> None:
    """Move each slot to the middle of what it is joined to, as far as its neighbours let it."""
    for layer in layers:
        at = 0.0
        for slot in layer:
            slot.at = at + _width(slot, across) / 2
            at += _width(slot, across) + (LINE_GAP if slot.item is None else GAP)

    for turn in range(2 * ROUNDS):
        forth = turn % 2 == 0
        for layer in layers if forth else layers[::-1]:
            wanted, weights = [], []
            for slot in layer:
                near = [other.at for other in (slot.before if forth else slot.after)]
                wanted.append(sum(near) / len(near) if near else slot.at)
                weights.append((3.0 if slot.item is None else 1.0) if near else 0.1)
            _isotonic(layer, wanted, weights, across)


def _isotonic(layer: list[Slot], wanted: list[float], weights: list[float], across: dict[Item, float]) -> None:
    """The positions nearest to those wanted, in squares, at which nothing overlaps: pools of adjacent violators."""
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many
    offsets = [0.0]
    for a, b in itertools.pairwise(layer):
        gap = LINE_GAP if a.item is None or b.item is None else GAP
        offsets.append(offsets[-1] + (_width(a, across) + _width(b, across)) / 2 + gap)
    for at, weight, offset in zip(wanted, weights, offsets, strict=False):
        mean, many = at - offset, 1
        while pools and pools[-1][0] > mean:
            before, heavy, count = pools.pop()
            mean = (before * heavy + mean * weight) / (heavy + weight)
            weight, many = heavy + weight, many + count
        pools.append((mean, weight, many))
    i = 0
    for mean, _, many in pools:
        for _ in range(many):
            layer[i].at = mean + offsets[i]
            i += 1


def to_be_seen(layout: Layout) -> list[tuple[Item, Item, tuple[Item, Item]]]:
    """The edges between what is to be seen, each once, and for each one that it stands for."""
    shown: dict[tuple[Item, Item], tuple[Item, Item]] = {}
    for source, target in layout.edges:
        a, b = _folded_into(layout.paths[source]), _folded_into(layout.paths[target])
        if a is not b:
            shown.setdefault((a, b), (source, target))
    return [(a, b, edge) for (a, b), edge in shown.items()]


def seen_as(layout: Layout, item: Item) -> Item:
    """What is to be seen of something: itself, or the outermost folded box that it is in."""
    return _folded_into(layout.paths[item])


def _folded_into(path: list[Item]) -> Item:
    return next((item for item in path if isinstance(item, Box) and item.folded), path[-1])


def _points(
    layout: Layout,
    source: Item,
    target: Item,
    corners: dict[Item, Point],
    across: dict[Item, float],
    along: dict[Item, float],
    drawn: set[tuple[Item, Item, int]],
) -> list[Point]:
    """The line from one to the other, through the borders of boxes; from where the source's is `drawn` already."""
    a, b = layout.paths[source], layout.paths[target]
    n = _shared(a, b)
    first, last = _folded_into(a), _folded_into(b)

    def at_edge(item: Item, path: list[Item], end: bool) -> Point:
        """Where the layer of an item begins or ends: between layers lines may bend, and meet no neighbours."""
        box = path[path.index(item) - 1]
        here, (_, y) = layout.arrangements[_box(box)], corners[box]
        layer = here.slots[item].layer
        return corners[item][0] + across[item] / 2, y + here.starts[layer] + end * here.depths[layer]

    x, y = corners[last]
    points: list[Point] = [(x + across[last] / 2, y), at_edge(last, b, end=False)]  # backwards, from the target

    def back(box: Item, after: int, until: int) -> bool:
        """Through layers of a box; whether that leads to what is drawn."""
        here, (x, y) = layout.arrangements[_box(box)], corners[box]
        for layer in range(after - 1, until, -1):
            at, start = x + here.lines[source, layer].at, y + here.starts[layer]
            points.append((at, start + here.depths[layer]))
            if (source, box, layer) in drawn:
                return True
            drawn.add((source, box, layer))
            points.append((at, start))
        return False

    for i in range(b.index(last) - 1, n - 1, -1):  # out of the boxes that hold the target
        here = layout.arrangements[_box(b[i])]
        if back(b[i], here.slots[b[i + 1]].layer, 0):
            return points[::-1]
        x, y = corners[b[i]]
        points.append((x + here.entries[source].at, y))
    here = layout.arrangements[_box(a[n - 1])]
    if back(a[n - 1], here.slots[b[n]].layer, here.slots[a[n]].layer):
        return points[::-1]
    for i in range(n, a.index(first)):  # into those that hold the source
        here = layout.arrangements[_box(a[i])]
        x, y = corners[a[i]]
        points.append((x + here.exits[source].at, y + along[a[i]]))
        if back(a[i], len(here.layers) - 1, here.slots[a[i + 1]].layer):
            return points[::-1]
    x, y = corners[first]
    points += [at_edge(first, a, end=True), (x + across[first] / 2, y + along[first])]
    return points[::-1]
