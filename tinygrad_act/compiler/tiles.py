"""Loops over tiles, for chains of calls on arrays that are larger than the cache.

Each call on a large array reads and writes main memory. A chain of calls of which each treats every row by itself is
run on some rows at a time instead: what one call only passes on to the next then never leaves the cache, and two
threads can share the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .memory import elementwise
from .program import Call, Expression, Origin, Program, Target, Value

LARGE = 3 << 18  # elements from which on an array is worth a loop: with half of that, one thread is not any faster
TILE = 1 << 17  # elements of it at a time: with less, two threads wait for the interpreter; with more, for main memory
LEAST = 3  # calls on large arrays that make a chain
IMPORTS = ["import os", "from contextvars import copy_context", "from threading import Thread", ""]
IN_TILES = '''
asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
threads = min(2, int(asked) if asked.isdigit() and int(asked) else os.cpu_count() or 1)


def in_tiles(tile, rows, cut, whole, out, scratch):
    """Do so many rows at a time, on two threads by turns: NumPy lets the other one run while it computes."""
    failures = []

    def work(thread):
        for start in range(thread * rows, len(out[0]), threads * rows):
            part = slice(start, start + rows)
            size = len(out[0][part])
            tile(*(a[part] for a in cut), *whole, *(a[part] for a in out), *(a[:size] for a in scratch[thread]))

    def work_beside():
        try:
            work(1)
        except BaseException as error:
            failures.append(error)

    if threads == 1:
        return work(0)
    other = Thread(target=copy_context().run, args=(work_beside,))
    try:
        other.start()
    except RuntimeError:  # the program is about to end, and starts no more threads
        work(0)
        return work(1)
    try:
        work(0)
    finally:
        other.join()
    if failures:
        raise failures[0]
'''.strip().splitlines()


@dataclass(eq=False, kw_only=True)
class Tiled(Call):
    """A chain of calls as one. Its arguments are the arrays that are cut into tiles, and then those that are not."""

    tile: Program  # what is done with one: it is given what is cut, what is not, and where the results go
    rows: int  # in a tile
    cut: int  # how many of the arguments are


def with_tiles(program: Program) -> Program:
    """Run chains of calls on large arrays tile by tile."""
    calls: list[Call] = []
    chain: list[Call] = []
    aside: list[Call] = []  # calls between those of the chain that have nothing to do with it
    updated = set(program.writes.values())

    def close() -> None:
        calls.extend([_tiled(chain, program)] if sum(map(_is_large, chain)) >= LEAST else chain)
        calls.extend(aside)
        chain.clear()
        aside.clear()

    for call in program.calls:
        inputs = set(call.inputs())
        if any(v in inputs for other in aside for v in other.results):
            close()
        if rowwise(call) and call.result not in updated and (_goes_on(chain, call) if chain else _is_large(call)):
            chain.append(call)
        elif any(c.result in inputs for c in chain):
            close()
            (chain if rowwise(call) and call.result not in updated and _is_large(call) else calls).append(call)
        else:
            (aside if chain else calls).append(call)
    close()
    return Program(program.inputs, program.numbers, calls, program.outputs, program.writes)


def _is_large(call: Call) -> bool:
    most = max(v.size for v in (call.result, *call.inputs()))
    return most >= LARGE and call.result.size > 0 and most // call.result.shape[0] <= TILE


def _goes_on(chain: list[Call], call: Call) -> bool:
    """Whether a call may be run on the same rows as the chain, and reads nothing whole of which that has only rows."""
    if call.result.shape[0] != chain[0].result.shape[0]:
        return False
    cut = {v for c in chain for v in (c.result, *_cut(c))}
    whole = {v for c in chain for v in _whole(c)}
    return not cut & set(_whole(call)) and not whole & set(_cut(call))


def rowwise(call: Call) -> bool:
    """Whether each row of the result depends on that row only of the arguments that have as many."""
    v, name = call.result, call.target.name
    arrays = _cut(call) + _whole(call)
    if len(call.results) > 1 or not v.shape or not arrays or any(x.order != "C" for x in (v, *arrays)):
        return False
    if any(isinstance(x, Expression | list) for x in call.args) or len(list(call.inputs())) > len(call.args):
        return False
    if _by_element(call):
        return not call.kwargs
    if len(_cut(call)) < len(arrays):
        return False
    if name in ("astype", "clip"):
        return call.kwargs in ({}, {"order": "C"})
    if call.target.kind == "getitem":
        return len(arrays[0].shape) == 1 and call.args[1] == (slice(None), None)
    if name == "np.expand_dims":
        return call.args[1:] == (-1,) and not call.kwargs
    if name.endswith(".reduce") or name.removeprefix("np.") in ("argmax", "argmin", "take_along_axis"):
        axis = call.kwargs.get("axis", 0)
        axes = axis if isinstance(axis, tuple) else (axis,)
        within = None not in axes and all(a % len(arrays[0].shape) for a in axes)
        return within and not set(call.kwargs) - {"axis", "keepdims"}
    return False


def _by_element(call: Call) -> bool:
    return elementwise(call) or call.target.name == "np.where"


def _cut(call: Call) -> list[Value]:
    """The arguments that have a row for each one of the result."""
    n = call.result.shape
    alike = [x for x in call.args if isinstance(x, Value) and x.shape and x.shape[0] in n[:1]]
    return [x for x in alike if not _by_element(call) or len(x.shape) == len(n)]


def _whole(call: Call) -> list[Value]:
    """The other arrays, all of which each row of the result depends on."""
    cut = _cut(call)
    return [x for x in call.args if isinstance(x, Value) and x.shape and x not in cut]


def _tiled(chain: list[Call], program: Program) -> Call:
    """The one call that does what a chain does."""
    n = chain[0].result.shape[0]
    made = [call.result for call in chain]
    read = {v for call in program.calls if call not in chain for v in call.inputs()} | set(program.wanted())
    given = [v for v in dict.fromkeys(v for call in chain for v in call.inputs()) if v not in made]
    cut = [v for v in given if any(v in _cut(call) for call in chain)]
    whole = [v for v in given if v not in cut and (v.shape or v.constant is None)]
    rows = max(1, min(n, TILE * n // max(v.size for v in (*made, *cut))))

    def part(v: Value, name: str) -> Value:
        return Value((rows, *v.shape[1:]), v.dtype, name, v.weight)

    inner = {v: part(v, v.name) for v in made}
    inner |= {v: part(v, v.name or f"part_{i}") for i, v in enumerate(cut, 1)}
    inner |= {v: Value(v.shape, v.dtype, v.name or f"whole_{i}", v.weight) for i, v in enumerate(whole, 1)}
    places = {v: part(v, f"{v.name or 'out'}_part") for v in made if v in read}
    calls = []
    for call in chain:
        of_part = call.replaced(inner)
        calls.append(Call(call.target, of_part.args, call.kwargs, [inner[call.result]], call.origin, call.view))
    inputs = [*(inner[v] for v in (*cut, *whole)), *places.values()]
    tile = Program(inputs, [], calls, (None, []), {place: inner[v] for v, place in places.items()})
    target = Target("tiled", "in_tiles", _is_written)
    origin = Origin(chain[0].origin.section)
    return Tiled(target, (*cut, *whole), {}, list(places), origin, tile=tile, rows=rows, cut=len(cut))


def _is_written(*args: Any) -> Any:
    raise NotImplementedError("a loop over tiles is written down, not called")
