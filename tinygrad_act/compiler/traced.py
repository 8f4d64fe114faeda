"""One run of a step on stand-ins: the program that it makes, and the way into that program from then on."""

from __future__ import annotations

import inspect
import itertools
import pickle
import random
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import CodeType
from typing import Any

import numpy as np

from ..hooks import around
from ..op import Node
from ..tensor import Tensor, _clock, _mode
from .code import attributes_of
from .gradient import GradientReadError, UnreadGradient
from .number import Number
from .places import Place
from .program import OWN, Call, Expression, Origin, Program, Value, map_tree
from .state import State
from .trace import Trace, TraceError, alike, different, plain_leaves, run
from .tracer import Draws, Tracer


def _apart(x: Any, *others: Any) -> bool:
    return not any(np.may_share_memory(x, other) for other in others)


BUILTINS = {
    "_apart": _apart,
    "_len": len,
    "_isinstance": isinstance,
    "_type": type,
    "_tuple": tuple,
    "np": np,
    "inf": np.inf,
    "nan": np.nan,
}
BUILTINS |= {"_mode": _mode}
PLAIN = {type(None), bool, int, float, complex, str, bytes}
MISS = object()  # what an entry returns when its program is not good for the call


class Traced:
    """`program` is what the step computes; `entry` makes the function that finds what that needs, and runs it."""

    def __init__(self, step: Callable[..., Any], args: Any, kwargs: Any, read_gradients: bool) -> None:
        ran: set[CodeType] = set()
        try:
            self._run(step, args, kwargs, State(Trace(), read_gradients=read_gradients), ran)
        except Exception:
            if read_gradients or not self.state.gradients:
                raise
            raise GradientReadError from None  # there was none where it wants one
        attributes = attributes_of(ran) or self.state.walked
        first, returned = self.trace, plain_leaves(self.program.outputs[0])
        # Again, with an eye for these attributes only, and to see whether it does the same again.
        again = State(Trace(), ran=ran, attributes_read=attributes, read_gradients=read_gradients)
        self._run(step, args, kwargs, again, None)
        try:
            self.trace.compare(first)
            for before, now in itertools.zip_longest(returned, plain_leaves(self.program.outputs[0])):
                if not alike(before, now):
                    raise TraceError(different(before, now, "It is among what the step returns."))
        except TraceError:
            if read_gradients or not self.state.gradients:
                raise
            raise GradientReadError from None  # it may have asked whether there is one

    def _run(self, step: Callable[..., Any], args: Any, kwargs: Any, state: State, ran: set[CodeType] | None) -> None:
        self.state, self.trace = state, state.trace
        self.positional, self.keywords = _argument_names(step, len(args)), tuple(kwargs)
        self.state.names.update((*self.positional, *self.keywords))
        chance, self.recording = _global_chance(), _mode.recording
        try:
            lifted = [self.state.lift_argument(x, n, n) for n, x in zip(self.positional, args, strict=True)]
            named = {n: self.state.lift_argument(x, n, n) for n, x in kwargs.items()}
            self.state.lift(step, self.state.container(step), "step")
            with _seeds_may_be_numbers():
                returned = run(step, lifted, named, ran)
            if chance != _global_chance():
                self.trace.refuse("the step draws from a global random state; let it draw from a np.random.Generator")
            self.state.check_structure()
            self.program = self._program(returned, dict(zip(self.positional, lifted, strict=True)) | named)
        finally:
            self.trace.open = False
            self.state.restore()
            self.state.forget()

    def _program(self, returned: Any, arguments: dict[str, Any]) -> Program:
        """Compare all places with what they held before."""
        state = self.state
        self.owned: dict[int, Value] = {}
        self.trace.name_results()
        outputs = map_tree(self._own, returned)
        self.rebuild = _rebuilder(returned)
        writes = {}
        self.rebinds: list[tuple[Place, Any]] = []  # what is put into a place as a new object
        self.cleared: list[Place] = []  # gradients that the step leaves at None
        for place in state.arrays:
            if place.standin.current() is not place.value:
                writes[place.value] = place.standin.value
        for place in (*state.arrays, *state.numbers):
            now = eval(place.read, dict(state.containers), arguments)
            if now is not place.standin:
                self.rebinds.append((place, self._own(now)))
        self.gradients: dict[Value, Value] = {}  # of what the walk started from, with respect to a parameter
        walked = {v: call for call in self.trace.calls if call.origin.section == "backward" for v in call.results}
        named = {v.name: v for v in walked}
        for place in state.gradients:
            t: Any = place.tensor
            data = next(p for p in state.arrays if p.tensor is t)
            found = t.grad.value if isinstance(t.grad, Tracer) else None
            found = found if found in walked else named.get(f"d_{t.name}")
            if found is not None:
                self.gradients[data.value] = found
                found.name, found.weight, found.of = f"d_{data.name}", 4, None
            updated = isinstance(t._array, Tracer) and t._array.value in writes.values() and not state.read_gradients
            now = t.grad
            if now is None or updated:
                self.cleared.append(place)
            elif now is not place.standin:
                self.rebinds.append((place, self._own(now)))
        inputs = [place.value for place in (*state.arrays, *state.generators)]
        numbers = [place.name for place in state.numbers]
        return Program(inputs, numbers, self.trace.calls, (outputs, [leaf for _, leaf in self.rebinds]), writes)

    def _disjointness(self, program: Program, arrays: list[Place]) -> list[str]:
        """The conditions under which no argument shares memory with an array that is written to."""
        given = {*self.positional, *self.keywords}
        arguments = [p for p in arrays if re.split(r"\W", p.read)[0] in given]
        conditions = []
        for p in arguments:
            others = [q for q in arrays if q is not p and (q.value in program.writes or p.value in program.writes)]
            alike = [q for q in others if (q.value.shape, q.value.dtype) == (p.value.shape, p.value.dtype)]
            conditions += [f"{p.name} is not {q.name}" for q in alike]
            if others:
                conditions.append(f"({p.name}.base is None or _apart({', '.join(q.name for q in (p, *others))}))")
        return conditions

    def _own(self, x: Any) -> Any:
        """As `_leaf`, in memory that nothing else has, unless the step itself shares it."""
        v = self._leaf(x)
        if not isinstance(v, Value) or (not v.shape and v.constant is None):
            return v
        array = getattr(x._array if isinstance(x, Node) else x, "array", x)
        if any(np.may_share_memory(array, place.standin.array) for place in self.state.arrays):
            return v
        if id(array) not in self.owned:
            self.owned[id(array)] = own = v.like()
            made = [call.origin for call in self.trace.calls if v in call.results]
            origin = made[0] if made else Origin(self.trace.calls[-1].origin.section if self.trace.calls else "forward")
            self.trace.calls.append(Call(OWN, (v,), {}, [own], origin))
        return self.owned[id(array)]

    def _leaf(self, x: Any) -> Any:
        """What the program knows of something that the step returns or keeps."""
        x = x._array if isinstance(x, Node) else x
        if isinstance(x, Tracer):
            return x.current()
        if isinstance(x, Number):
            return x.expression
        if type(x) is UnreadGradient:
            raise GradientReadError
        if isinstance(x, np.ndarray):
            return self.trace.held_array(x)
        if type(x) not in PLAIN and not isinstance(x, np.bool | np.number):
            self.trace.refuse(f"the step returns or keeps a {type(x).__name__}, which a NumPy program cannot make")
        return x

    def entry(self, program: Program, step: Callable[..., Any]) -> Callable[..., Any]:
        """The function that takes the step's arguments, and returns what it returns, or MISS."""
        state = self.state
        numbers = [p for p in state.numbers if p.name in program.numbers]
        given_by = {p.value: p for p in (*state.arrays, *state.generators)}
        inputs = [given_by[v] for v in program.inputs]
        places = [*(p for p in state.arrays if p in inputs), *numbers, *(p for p in state.generators if p in inputs)]
        namespace: dict[str, Any] = state.containers | BUILTINS | {
            "_step": step, "_MISS": MISS, "_ndarray": np.ndarray, "Tensor": Tensor, "_clock": _clock
        }  # fmt: skip
        conditions = [f"_mode.recording is {self.recording}", *dict.fromkeys(state.conditions)]
        kinds: list[str] = []  # of arrays and numbers: compared all at once, which is quickest
        namespace["_kinds"] = found = []
        for place in places:
            if place in state.arrays:
                kinds += [f"{place.name}.__class__", f"{place.name}.shape", f"{place.name}.dtype"]
                found += [type(place.original), place.value.shape, place.value.dtype]
                if len(place.value.shape) > 1:  # in whose order sums are taken
                    kinds.append(f"{place.name}.flags.{'f' if place.value.order == 'F' else 'c'}_contiguous")
                    found.append(place.value.order != "K")
            elif place in state.numbers:
                kinds.append(f"{place.name}.__class__")
                found.append(type(place.original))
        conditions += self._disjointness(program, [p for p in places if p in state.arrays])
        static = [
            c for c in conditions if not any(c.lstrip("(").startswith((f"{p.name}.", f"{p.name} ")) for p in places)
        ]
        dynamic = [c for c in conditions if c not in static] + list(self.trace.guards)
        guarded = {name for name in (p.name for p in state.numbers) if any(name in g for g in self.trace.guards)}
        reads = [*places, *(p for p in state.numbers if p.name in guarded and p not in places)]
        extras = [f"_new{i}" for i in range(len(self.rebinds))]
        given = ", ".join([*(p.name for p in inputs), *program.numbers])
        lines = [f"def entry({', '.join([*self.positional, *(['*', *self.keywords] if self.keywords else [])])}):"]
        lines += ["    try:"]
        lines += [f"        if not ({' and '.join(static)}):", "            return _MISS"] if static else []
        lines += [f"        {p.name} = {p.read}" for p in reads if p.name != p.read]
        lines += [f"        if [{', '.join(kinds)}] != _kinds:", "            return _MISS"]
        lines += ["    except (AttributeError, IndexError, KeyError, TypeError):", "        return _MISS"]
        lines += [f"    if not ({' and '.join(dynamic)}):", "        return _MISS"] if dynamic else []
        lines += [f"    {', '.join(['_result', *extras])} = _step({given})"]
        lines += [f"    {place.read} = {extra}" for extra, (place, _) in zip(extras, self.rebinds, strict=True)]
        lines += [f"    {place.read} = None" for place in self.cleared]
        changed = [
            p
            for p in state.arrays
            if p.tensor is not None and (p.value in program.writes or any(p is q for q, _ in self.rebinds))
        ]
        lines += [f"    {p.read.removesuffix('._array')}.stamp = next(_clock)" for p in changed]
        lines += ["    return _rebuild(_result)" if self.rebuild else "    return _result"]
        namespace["_rebuild"] = self.rebuild
        namespace |= state.containers
        exec("\n".join(lines), namespace)
        entry: Callable[..., Any] = namespace["entry"]
        return entry


def _seeds_may_be_numbers() -> AbstractContextManager[None]:
    """Let a step seed a generator by a number that it reads."""
    return around(
        np.random, "default_rng", lambda make, seed=None: make(int(seed) if isinstance(seed, Number) else seed)
    )


def _global_chance() -> tuple[Any, bytes]:
    """The state of the generators that everything shares, to see whether anything draws from them."""
    return random.getstate(), pickle.dumps(np.random.get_state())  # noqa: NPY002  (looked at, not drawn from)


def _rebuilder(returned: Any) -> Callable[[Any], Any] | None:
    """What turns tuples and dicts into the named tuples and other kinds that they were, if they were."""
    if isinstance(returned, tuple | list | dict):
        parts = list(returned.values() if isinstance(returned, dict) else returned)
        inner = [_rebuilder(part) for part in parts]
        kind = type(returned)
        if kind in (tuple, list, dict) and not any(inner):
            return None

        def rebuild(found: Any) -> Any:
            values = list(found.values() if isinstance(found, dict) else found)
            values = [f(x) if f else x for f, x in zip(inner, values, strict=True)]
            if isinstance(found, dict):
                return kind(zip(found, values, strict=True))
            return kind(*values) if hasattr(kind, "_fields") else kind(values)

        return rebuild
    return None


def _argument_names(step: Callable[..., Any], n: int) -> list[str]:
    """What the step calls its first n arguments."""
    try:
        found = [
            p.name
            for p in inspect.signature(step).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        found = []
    return [found[i] if i < len(found) else f"argument_{i}" for i in range(n)]


__all__ = ["MISS", "Draws", "Expression", "Traced", "Value"]
