"""A trace: what a step asks of NumPy, written down.

The engine, the rules and the optimisers are plain NumPy, so to run a step on stand-ins is to trace it.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NoReturn

import numpy as np

from ..op import OPS, Node, Op
from ..optim import Optimizer
from .code import PACKAGE, is_the_users, users_line, users_place
from .number import Number
from .program import Call, Expression, Origin, Target, Value, map_tree
from .targets import SETITEM, SIZED_BY_VALUES, TAKES_NUMBERS, function_target
from .tracer import Tracer, real

NAMING = tuple(str(Path(PACKAGE) / room) for room in ("ops", "activations", "losses"))  # good at names


class TraceError(TypeError):
    """What a step does that a compiled one cannot."""


class Trace:
    """The calls that a step makes, while it is open."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.guards: dict[str, None] = {}  # Python conditions under which the step would make the same calls
        self.alive: weakref.WeakSet[Tracer] = weakref.WeakSet()
        self.places: list[tuple[str, int]] = []  # the line of the user's that asks, for each call
        self.held: dict[int, tuple[Value, Any]] = {}  # arrays met on the way that are not traced, by id
        self.errors = np.geterr()
        self.open = True
        self.walked_back = False
        self.roots: dict[Value, None] = {}  # what was walked back from

    def tracer(self, array: Any, value: Value | None = None) -> Tracer:
        """A stand-in for an array."""
        flags = np.asarray(array).flags
        order = "C" if flags.c_contiguous else "F" if flags.f_contiguous else "K"
        return Tracer(self, value or Value(np.shape(array), np.asarray(array).dtype, order=order), array)

    def call(self, target: Target, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call and write it down. Its result is a stand-in, or a tuple of them."""
        self.check_open()
        if np.geterr() != self.errors:
            self.refuse(
                "how NumPy handles errors is changed inside the step, which is no call; change it around the step"
            )
        out = kwargs.pop("out", None)
        out = out[0] if isinstance(out, tuple) else out
        if out is not None and target.kind == "ufunc" and kwargs.get("where", True) is not True:
            function = target.function
            target = Target("update", target.name, lambda base, *a, **k: function(*a, out=base, **k), "out")
            return self.update(out, target, args, kwargs)
        self.check_shape(target, args)
        if kwargs.get("order") in ("K", "A") and target.name != "astype":
            self.refuse(f'order="{kwargs["order"]}" goes by how its argument lies in memory; write order="C"')
        real_args, real_kwargs = map_tree(real, (args, kwargs))
        array = target(*real_args, **real_kwargs)
        for known in (args[0] if args else None,):
            if isinstance(known, Tracer) and known.array is array:  # as of astype(copy=False)
                return known
        results = array if isinstance(array, (tuple, list)) else (array,)
        if not all(isinstance(a, np.ndarray | np.generic | float | int) for a in results) or type(array) in (bool, int):
            self.refuse(f"{target.name} would give Python's {type(array).__name__}, which needs the numbers themselves")
        for a in results:
            self.check_dtype(np.asarray(a).dtype)
        tracers = [self.tracer(a) for a in results]
        self.write_down(target, args, kwargs, [t.value for t in tracers])
        if target.kind != "ufunc":
            arrays = [a if isinstance(a, np.ndarray) else () for a in real_args]
            shared = [i for i, a in enumerate(arrays) if any(np.may_share_memory(a, r) for r in results)]
            self.calls[-1].view = shared[0] if shared else None
        if out is not None:
            return self.assign(out, tracers[0])
        if target.kind == "getitem":
            tracers[0].viewed = (args[0], args[1])
        if results[0] is array:
            return tracers[0]
        return array._make(tracers) if hasattr(array, "_make") else type(array)(tracers)  # of what is named, or not

    def check_shape(self, target: Target, args: tuple[Any, ...]) -> None:
        """Refuse a result that has as many elements as the numbers decide."""
        index = args[1] if target.kind == "getitem" else ()
        parts = index if isinstance(index, tuple) else (index,)
        masks = [i for i in parts if isinstance(i, Tracer) and i.dtype == bool]
        name = target.name.removeprefix("np.")
        counts = name in SIZED_BY_VALUES and (name != "repeat" or isinstance(args[1], Tracer))
        if masks or counts or (name == "where" and len(args) == 1):
            what = "indexing by a mask" if masks else target.name
            self.refuse(f"the shape of what {what} gives depends on the numbers; choose with np.where(mask, a, b)")

    def check_dtype(self, dtype: np.dtype[Any]) -> None:
        """Refuse arrays that a source cannot name."""
        if dtype.kind not in "biufc" or not dtype.isnative:
            self.refuse(f"arrays of dtype {dtype} are not traced; convert them outside the step")

    def write_down(self, target: Target, args: Any, kwargs: Any, results: list[Value]) -> None:
        live = target.kind == "ufunc" or target.name in TAKES_NUMBERS or target.writes == "setitem"

        def recorded(leaf: Any) -> Any:
            if isinstance(leaf, Tracer):
                return leaf.current()
            if isinstance(leaf, Number):
                return leaf.expression if live else leaf.concrete()
            if isinstance(leaf, np.ndarray):
                return self.held_array(leaf)
            return leaf

        args, kwargs = map_tree(recorded, (args, kwargs))
        self.places.append(users_place())
        self.calls.append(Call(target, args, kwargs, results, self.origin()))

    def held_array(self, array: np.ndarray[Any, Any]) -> Value:
        """An array that is no stand-in: a constant with what it holds now, for the step may write into it."""
        self.check_dtype(array.dtype)
        known, _ = self.held.get(id(array), (None, None))
        if known is None or known.constant is None or known.constant.tobytes() != array.tobytes():
            known = Value(array.shape, array.dtype, constant=array.copy())
            self.held[id(array)] = known, array
        return known

    def update(self, t: Any, target: Target, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tracer:
        """Write down a call that changes part of an array, as one that makes a new value of the old one."""
        self.check_open()
        if not isinstance(t, Tracer):
            self.refuse(f"{target.name} writes into an array that is not traced: make it with np.zeros_like(traced)")
        real_args, real_kwargs = map_tree(real, (args, kwargs))
        target(t.array, *real_args, **real_kwargs)
        new = t.value.like()
        self.write_down(target, (t, *args), kwargs, [new])
        self.repoint(t, new)
        return t

    def assign(self, t: Any, source: Tracer) -> Tracer:
        """All of an array becomes `source`: of out=, and of operators like +=."""
        if not isinstance(t, Tracer):
            self.refuse("out= is an array that is not traced: make it with np.empty_like(traced)")
        value = source.value
        np.copyto(t.array, source.array, casting="same_kind")
        if value.dtype != t.value.dtype:
            source = source.astype(t.value.dtype)
        if value.shape != t.value.shape:
            source = self.call(function_target(np.broadcast_to), (source, t.value.shape), {})
        self.repoint(t, source.value)
        return t

    def repoint(self, t: Tracer, new: Value) -> None:
        """From now on `t` is `new`, and so is what shares its memory, as far as that can be followed."""
        t.value = new
        for other in list(self.alive):
            if other is t or not np.may_share_memory(other.array, t.array):
                continue
            if other.viewed is not None and other.viewed[0] is t:
                other.value = (t[other.viewed[1]]).value
            elif t.viewed is not None and t.viewed[0] is other:
                new = other.value.like()
                self.write_down(SETITEM, (other, t.viewed[1], t), {}, [new])
                other.value = new
            else:
                other.stale = True

    def origin(self) -> Origin:
        """Read off the stack what part of the step is asking, and give values the names that its variables have."""
        op: Any = None
        of: Any = None
        rule_for = parameter = helper = ""
        section = "update" if self.walked_back else "forward"
        frame: FrameType | None = sys._getframe(3)
        while frame is not None and frame.f_code is not RUN_CODE:
            name, local = frame.f_code.co_name, frame.f_locals
            this = local.get("self")
            if isinstance(this, Op) and (name == "forward" or name.startswith("vjp")):
                op, rule_for = this, ""
                if name.startswith("vjp_"):
                    rule_for = name.removeprefix("vjp_")
                elif name == "vjp":
                    rule_for = this.arguments[0 if this.variadic else local["i"]]
            elif op is None and not helper and frame.f_code.co_filename.startswith(NAMING):
                function = frame.f_globals.get(name)
                if getattr(function, "__code__", None) is frame.f_code:
                    helper = re.split(r"\.\s", function.__doc__ or "")[0].rstrip(".")
            elif isinstance(this, Optimizer) and name == "update":
                op, parameter = this, local["p"].name or ""
            elif name == "walk" and frame.f_code.co_filename.startswith(PACKAGE):
                section, self.walked_back = "backward", True
                start = local["order"][0]._array
                if isinstance(start, Tracer):
                    self.roots[start.value] = None
                of = local.get("x")
                for node, g in (*local["cotangents"].items(), (local.get("node"), local.get("g"))):
                    self.name_cotangent(g, node)
            self.take_names(frame)
            frame = frame.f_back
        if isinstance(op, Optimizer):
            section = "update"
        return Origin(section, op, rule_for, parameter, helper, of)

    def take_names(self, frame: FrameType) -> None:
        """Call values as the step's variables, or the op's, call them; arguments are named where they come from."""
        code = frame.f_code
        ours = code.co_filename.startswith(PACKAGE)
        if ours and not code.co_filename.startswith(NAMING):
            return
        for name, local in reversed(frame.f_locals.items()):
            if name in code.co_varnames[: code.co_argcount]:
                continue
            self.name_it(local, name, 1 if ours else 3)
            if isinstance(local, tuple) and hasattr(local, "_fields"):
                for part, x in zip(local._fields, local, strict=True):
                    self.name_it(x, part, 1)

    def name_cotangent(self, g: Any, node: Any) -> None:
        """Call a cotangent after what it is the cotangent of."""
        if isinstance(node, Node):
            data: Any = node._array
            g = g._array if isinstance(g, Node) else g
            self.name_it(g, "d_" + (node.name or (node.op.name if node.op else "x")), 3)
            if isinstance(g, Tracer) and isinstance(data, Tracer) and g.value.of is None:
                g.value.of = data.value

    def name_it(self, x: Any, name: str, weight: int) -> None:
        """Name a value, unless it has a name of as much weight."""
        x = x._array if isinstance(x, Node) else x
        if isinstance(x, Tracer) and weight > x.value.weight:
            x.value.name, x.value.weight = name, weight

    def name_results(self) -> None:
        """Call what an op returns by the name of the op, unless the step has a name for it."""
        for call, following in zip(self.calls, [*self.calls[1:], None], strict=False):
            op = call.origin.op
            if isinstance(op, Op) and not call.origin.rule_for and (following is None or following.origin.op is not op):
                for v in call.results:
                    if v.weight < 2:
                        v.name, v.weight = op.name, 2
        self.name_cotangents()

    def name_cotangents(self) -> None:
        """Call each after what it is the cotangent of, and a part of a sum also after the op that it is from."""
        found: list[tuple[Call, str, Any]] = []
        for call, following in zip(self.calls, [*self.calls[1:], None], strict=False):
            x, then = call.origin.of, following.origin if following else None
            if isinstance(x, Node) and (then is None or then != call.origin or then.of is not x):
                data: Any = x._array
                data = data.value if isinstance(data, Tracer) else None
                found.append((call, x.name or (x.op.name if x.op else data.name if data else "x"), data))
        whole = {data: call.result for call, _, data in found}
        for call, name, data in found:
            v, part = call.result, call.origin.rule_for and whole[data] is not call.result
            if v.weight < 3 or v.of is data:
                v.name, v.weight = f"d_{name}_from_{call.origin.op.name}" if part else f"d_{name}", 3
                v.of = None if part else data
        for call in self.calls:  # which let go of the graph, and of what a loss keeps for its rule
            op = call.origin.op
            op = OPS.get(op.name, op) if getattr(op, "memo", None) else op
            call.origin = dataclasses.replace(call.origin, op=op, of=None)

    def compare(self, other: Trace) -> None:
        """Refuse a step that does something else when it is run again, on the same arrays and numbers."""
        for mine, theirs, place in itertools.zip_longest(self.calls, other.calls, self.places):
            here, there = (plain_leaves((c.target.name, c.args, c.kwargs)) if c else [""] for c in (mine, theirs))
            for a, b in itertools.zip_longest(here, there):
                if not alike(a, b):
                    raise TraceError(different(b, a, users_line(place)))

    def check_open(self) -> None:
        if not self.open:
            self.refuse("a value of an earlier trace is used after it; return it from the step instead")

    def refuse(self, what: str) -> NoReturn:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and not is_the_users(frame.f_code):
            if isinstance(frame.f_locals.get("self"), Op):  # an op of ours, in whose block the reason is
                where = (frame.f_code.co_filename, frame.f_lineno)
                raise TraceError(f"{what}.\n  {users_line(where)}\n  {users_line()}")
            frame = frame.f_back
        raise TraceError(f"{what}.\n  {users_line()}")


def plain_leaves(tree: Any) -> list[Any]:
    """The numbers, words and constant arrays in what a call is given, or a step returns."""
    found: list[Any] = []

    def note(leaf: Any) -> None:
        leaf = leaf.constant if isinstance(leaf, Value) else leaf
        if isinstance(leaf, np.ndarray | np.generic | int | float | complex | str | bytes):
            found.append(leaf)
        elif isinstance(leaf, Expression):
            found.append("a number")

    map_tree(note, tree)
    return found


def alike(a: Any, b: Any) -> bool:
    """Whether two plain leaves are the same, to the bit."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return (a.shape, a.dtype, a.tobytes()) == (b.shape, b.dtype, b.tobytes())
    return type(a) is type(b) and repr(a) == repr(b)


def different(first: Any, then: Any, line: str) -> str:
    """What to say of a step that is not the same twice."""
    return (
        f"the step computes something else each time: with {str(first)[:60]}, and then with {str(then)[:60]}.\n"
        "  Give it times and counts as arguments, and let it draw from a np.random.Generator that is made outside it.\n"
        f"  {line}"
    )


class _Tracing(threading.local):
    now = False


tracing = _Tracing()


def run(step: Callable[..., Any], args: Any, kwargs: Any, ran: set[CodeType] | None = None) -> Any:
    """Run a step on stand-ins: where the part of the stack begins that is its own. `ran` gets the code that is run."""
    before: Any = sys.getprofile()
    tracing.now = True
    if ran is not None:
        sys.setprofile(lambda frame, event, _: ran.add(frame.f_code) if event == "call" else None)
    try:
        return step(*args, **kwargs)
    finally:
        sys.setprofile(None)
        if before is not None:  # a function, or a profiler that is written in C
            sys.setprofile(before) if callable(before) else before.enable()
        tracing.now = False


RUN_CODE = run.__code__
