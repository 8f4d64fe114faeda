"""Where each value of a program lives: what may be written over what nobody reads any more."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .program import Call, Program, Value, uses, values_in

VIEWS = {"T", "mT", "reshape", "transpose", "swapaxes", "squeeze", "ravel", "real", "imag", "diagonal"}
VIEWS |= {"np.broadcast_to", "np.moveaxis", "np.expand_dims", "np.reshape", "np.transpose", "np.swapaxes", "np.squeeze"}
VIEWS |= {"np.ravel", "np.atleast_1d", "np.atleast_2d", "np.diagonal", "np.real", "np.imag", "np.split", "np.flip"}
CACHE = 1 << 18  # bytes from which on it costs more to go over an array, or to make one, than to call NumPy


@dataclass(eq=False)
class Home:
    """One array of memory, and the values that are or were in it."""

    kind: str  # given (an input, or a constant), fresh (made by a call), or buffer (made once, for all runs)
    first: Value
    members: list[Value] = field(default_factory=list)
    name: str = ""
    current: Value | None = None  # which of them stands in it now

    def dead(self, after: int, reads: dict[Value, int]) -> bool:
        """Whether nothing in it is read later than that."""
        return all(reads.get(v, -1) <= after for v in self.members)


@dataclass
class Memory:
    """The home of every value, and how calls come to write where they do."""

    homes: dict[Value, Home] = field(default_factory=dict)
    buffers: list[Home] = field(default_factory=list)
    packs: dict[Call, list[Home]] = field(default_factory=dict)  # of a packed call, the parts of its memory
    out: dict[Call, Home] = field(default_factory=dict)  # calls that write into memory there already is
    copying: set[Call] = field(default_factory=set)  # updates that must leave their first argument as it was
    at_the_end: list[tuple[Value, Value]] = field(default_factory=list)  # (place, value): copies that remain

    def settle(self, v: Value, home: Home, view: bool = False) -> None:
        self.homes[v] = home
        home.members.append(v)
        home.current = home.current if view else v

    def home_of(self, v: Value) -> Home:
        if v not in self.homes:  # a constant
            self.settle(v, Home("given", v))
        return self.homes[v]


def plan(program: Program, reuse: bool) -> Memory:
    """Find a home for all values. Without `reuse` every call makes a new array, except where the step itself writes."""
    memory = Memory()
    end = len(program.calls)
    reads = {v: i for i, call in enumerate(program.calls) for v in call.inputs()}
    reads |= dict.fromkeys(program.writes.values(), end) | dict.fromkeys(values_in(program.outputs), end + 1)
    leaving = _leaving(program)
    places = _places(program)
    views: set[Value] = set()
    parts: dict[Value, Home] = {}  # the homes of what is packed later on
    for call in program.calls:
        if call.target.kind == "packed":
            homes = [Home("part", v) for v in call.results]
            memory.packs[call] = homes
            parts.update(zip(call.args[1:], homes, strict=True))
    for v in program.inputs:
        memory.settle(v, Home("given", v))

    def may_end_in(v: Value, home: Home) -> bool:
        """Whether a new version of what is in a home may overwrite it."""
        return home.kind != "given" or program.writes.get(home.first) is _last_version(v, program)

    for i, call in enumerate(program.calls):
        v = call.result
        base = viewed(call)
        if base is not None:
            home = memory.home_of(base)
            for result in call.results:
                memory.settle(result, home, view=True)
                views.add(result)
            continue
        if call.target.kind == "own":
            old = memory.home_of(call.args[0])
            if old.kind == "fresh" and old.dead(i, reads):
                memory.settle(v, old)
            else:
                memory.copying.add(call)
                memory.settle(v, Home("fresh", v))
            continue
        if call in memory.packs:
            for result, part in zip(call.results, memory.packs[call], strict=True):
                memory.settle(result, part)
            continue
        if call.target.kind == "tiled":
            for result in call.results:
                memory.settle(result, Home("fresh", result) if result in leaving else _buffer(result, i, reads, memory))
            continue
        home = Home("fresh", v)
        if v in parts and takes_out(call):
            home = memory.out[call] = parts[v]
        elif call.target.kind == "update":
            old = memory.home_of(call.args[0])
            if old.dead(i, reads) and may_end_in(v, old) and not (v in leaving and old.kind == "buffer"):
                home = old
            else:
                memory.copying.add(call)
        elif (elementwise(call) or call.target.name == "astype") and takes_out(call) and _goes(v, places):
            old = memory.home_of(places[v])
            if old.dead(i, reads) and not _reads_otherwise(call, old, memory):
                home = memory.out[call] = old
        elif reuse and len(call.results) == 1 and v.shape and v.order != "K" and takes_out(call):
            found = _over_an_operand(call, i, reads, memory, views) if elementwise(call) else None
            if found is None or (found.kind == "buffer" and v in leaving):
                found = None if v in leaving else _buffer(v, i, reads, memory)
            if found is not None:
                home = memory.out[call] = found
        for result in call.results:
            memory.settle(result, home if result is v else Home("fresh", result))
    for place, v in program.writes.items():
        if memory.home_of(v) is not memory.home_of(place):
            memory.at_the_end.append((place, v))
    return memory


def viewed(call: Call) -> Value | None:
    """The argument with which the result may share memory."""
    if call.view is not None:
        base = call.args[call.view]
        return base if isinstance(base, Value) else None
    first = call.args[0] if call.args else None
    index = call.args[1] if call.target.kind == "getitem" else ()
    basic = not any(isinstance(i, Value | list) for i in (index if isinstance(index, tuple) else (index,)))
    may = basic if call.target.kind == "getitem" else call.target.name in VIEWS
    return first if may and isinstance(first, Value) else None


def elementwise(call: Call) -> bool:
    """Whether each element of the result depends on those at its own place only."""
    a_ufunc = call.target.kind == "ufunc" and call.target.name.count(".") == 1 and call.target.name != "np.matmul"
    return a_ufunc or call.target.name == "clip"


def takes_out(call: Call) -> bool:
    """Whether the call can be told where to put its result."""
    if call.target.name == "astype":  # copied to where there is room, if room costs much
        safe = isinstance(call.args[0], Value) and np.can_cast(call.args[0].dtype, call.result.dtype, "same_kind")
        return safe and call.result.nbytes > CACHE >> 1 and call.kwargs in ({}, {"order": "C"})
    return call.target.kind == "ufunc" or call.target.name in ("np.dot", "dot", "clip")


def _fits(v: Value, home: Value) -> bool:
    return (v.shape, v.dtype, v.order) == (home.shape, home.dtype, home.order)


def _goes(v: Value, places: dict[Value, Value]) -> bool:
    return v in places and _fits(v, places[v])


def _leaving(program: Program) -> set[Value]:
    """The values whose memory the world may get to see: outputs, and what these are views or new versions of."""
    leaving = set(values_in(program.outputs))
    for call in reversed(program.calls):
        base = call.args[0] if call.target.kind in ("update", "own") else viewed(call)
        if base is not None and any(v in leaving for v in call.results):
            leaving.add(base)
    return leaving


def _last_version(v: Value, program: Program) -> Value:
    """What becomes of v by the updates that follow."""
    for call in program.calls:
        if call.target.kind == "update" and call.args[0] is v:
            v = call.result
    return v


def _reads_otherwise(call: Call, home: Home, memory: Memory) -> bool:
    """Whether the call reads a home through anything but the very value that stands there: a view of it, say."""
    return any(memory.home_of(v) is home and v is not home.current for v in call.inputs())


def _places(program: Program) -> dict[Value, Value]:
    """The inputs that values are on their way to: the new value of a place, and what it is elementwise made of."""
    places = {v: place for place, v in program.writes.items()}
    counts, made_by = uses(program), {call.result: call for call in program.calls}
    for call in reversed(program.calls):
        first = call.args[0] if call.args and isinstance(call.args[0], Value) else None
        if call.result in places and elementwise(call) and first in made_by and counts[first] == 1:
            places.setdefault(first, places[call.result])
    return places


def _over_an_operand(call: Call, i: int, reads: dict[Value, int], memory: Memory, views: set[Value]) -> Home | None:
    """The home of an operand that nobody reads any more."""
    for operand in call.args:
        if isinstance(operand, Value) and _fits(call.result, operand) and operand not in views:
            home = memory.home_of(operand)
            if (
                home.kind != "given"
                and home.dead(i, reads)
                and operand is home.current
                and not _reads_otherwise(call, home, memory)
            ):
                return home
    return None


def _buffer(v: Value, i: int, reads: dict[Value, int], memory: Memory) -> Home:
    """A buffer of the right kind in which nothing is read any more, not even by this call; or a new one."""
    for home in memory.buffers:
        if _fits(v, home.first) and home.dead(i - 1, reads):
            return home
    memory.buffers.append(Home("buffer", v, name=f"buffer_{len(memory.buffers) + 1}"))
    return memory.buffers[-1]
