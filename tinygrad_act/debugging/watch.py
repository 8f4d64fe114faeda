"""ta.debug: each op that runs within a `with` is looked at, which costs nothing outside of it."""

from __future__ import annotations

import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import finalize

import numpy as np

from .. import autodiff
from ..compiler.code import users_place
from ..compiler.compiled import Compiled
from ..compiler.trace import tracing
from ..drawing.steps import worst
from ..nn.module import Module, _walk
from ..op import Array, Elementwise, Node, Op
from ..tensor import Tensor
from ..transforms import linear
from . import findings
from .findings import Place, arrays_of
from .units import Report, is_activation


class _Here(threading.local):
    """What is known of this thread."""

    walking = 0  # of the backward walks: their rules may pass through inf, as in what np.where does not choose

    def __init__(self) -> None:
        self.reports: list[Report] = []  # of the debug() blocks it is in
        self.modules: list[tuple[Module, Counter[str]]] = []  # whose forward runs, and which activations ran in it
        self.paths: dict[Any, str] = {}  # in the outermost


_here = _Here()
_places: dict[int, Place] = {}  # by the id of the node, until that is gone
_prints: dict[int, list[int]] = {}  # likewise: the fingerprints of its result and its inputs, in this order


@contextmanager
def debug() -> Iterator[Report]:
    """Stop at the first nan or inf, forward or backward, of what this thread computes with Tensors within the `with`.

    NotFiniteError names the op, what it was given, the module, your file and line, and the usual cure. An op that
    passes on an inf of its inputs is not to blame (masks hold -inf), but one that makes nan of it is. RuntimeError if a
    compiled step is called: it runs without ops. ChangedInPlaceError names an array that was written to between an op
    that used it and `backward()`. What the `with` gives is a Report of dead and saturated units, to be printed at the
    end: of each activation that ran, over all steps.

    >>> try:
    ...     with debug():
    ...         x = Tensor([[1.0, 2.0], [np.nan, 4.0]], name="x")
    ...         y = (2 * x).sum()
    ... except findings.NotFiniteError as error:
    ...     print(str(error).partition(", at")[0])
    b of multiply holds nan already, forward
    """
    if tracing.now:
        raise RuntimeError("ta.debug() cannot look into a step while it is compiled: call the eager step within it")
    report = Report()
    _swapped.enter()
    _here.reports.append(report)
    try:
        yield report
    finally:
        _here.reports.remove(report)
        _swapped.leave()


def _record(plain: Callable[..., Any]) -> Any:
    """Tensor._record, which looks at what comes out."""

    def record(op: Op, inputs: tuple[Any, ...]) -> Any:
        result = plain(op, inputs)
        if not _here.reports or tracing.now:
            return result
        place = Place(*users_place(), _module())
        if not _here.walking:
            where = _unexplained(op, inputs, result._array)
            if where is not None:
                raise findings.not_finite_forward(op, inputs, result._array, where, place)
            if is_activation(op):
                _count_units(op, place, result._array, arrays_of(inputs)[0])
        _places[id(result)] = place
        _prints[id(result)] = [_print_of(x) for x in (result._array, *arrays_of(inputs))]
        finalize(result, _forget, id(result)).atexit = False
        return result

    return staticmethod(record)


def _forget(node: int) -> None:
    _places.pop(node, None)
    _prints.pop(node, None)


def _print_of(x: Any) -> int:
    """A number that tells whether an array has changed."""
    return zlib.crc32(np.ascontiguousarray(x).reshape(-1).view(np.uint8).data) if isinstance(x, np.ndarray) else 0


def _check_unchanged(node: Node) -> None:
    """What the rules of a node are given has to be what it was computed with."""
    arrays = [node._array, *arrays_of(node.inputs)]
    for i, (x, before) in enumerate(zip(arrays, _prints.get(id(node), ()), strict=False)):
        if _print_of(x) != before:
            raise findings.changed_in_place(node, i, x, _places[id(node)])


def _unexplained(op: Op, inputs: tuple[Any, ...], y: Array) -> Array | None:
    """Where a result is not finite, if the inputs do not excuse it: nan never is, inf is by an inf."""
    if y.dtype.kind != "f" or not worst(y):
        return None
    if np.isnan(y).any():
        return np.isnan(y)
    if isinstance(op, Elementwise):
        where: Array = np.isinf(y) & np.isfinite(arrays_of(inputs)[0])
        return where if where.any() else None
    excuses = [*arrays_of(inputs), *vars(op).values()]  # the op's parameters too: a fill value, an initial maximum
    infinite = any(isinstance(x, float | np.ndarray | np.generic) and worst(x) for x in excuses)
    return None if infinite else np.isinf(y)


def _walked(plain: Callable[..., Any]) -> Any:
    """autodiff.walk, which looks at each gradient when it is complete, and finds whose rule made it so."""

    def walk(order: list[Node], cotangents: Any, wanted: set[Node], value: Any) -> Iterator[tuple[Node, Any]]:
        if not _here.reports or tracing.now:
            yield from plain(order, cotangents, wanted, value)
            return
        users: dict[Node, list[tuple[Node, int, Array]]] = {}
        _here.walking += 1
        try:
            for node, g in plain(order, cotangents, wanted, value):
                array = g._array if isinstance(g, Node) else np.asarray(g)
                if worst(array):
                    raise _origin(node, array, users.get(node, []))
                for i, x in enumerate(node.inputs):
                    if isinstance(x, Node) and x in wanted:
                        users.setdefault(x, []).append((node, i, array))
                yield node, g
                _check_unchanged(node)
        finally:
            _here.walking -= 1

    return walk


def _origin(node: Node, g: Array, users: list[tuple[Node, int, Array]]) -> Exception:
    """Which of the rules that a gradient is the sum of gave what is not finite: they are asked once more."""
    for user, i, arrived in users:
        op: Any = user.op
        gx = op.vjp(i, arrived, user._array, *arrays_of(user.inputs))
        if gx.shape != node._array.shape or gx.dtype != node._array.dtype:
            gx = autodiff.unbroadcast(gx, node._array, op, i)
        if worst(gx):
            return findings.not_finite_backward(op, i, user, arrived, gx, _places.get(id(user), Place()))
    return findings.not_finite_sum(node, g)


def _called(plain: Callable[..., Any]) -> Any:
    """Module.__call__, which notes whose forward runs."""

    def call(module: Module, *inputs: Any) -> Any:
        if not _here.reports or tracing.now:
            return plain(module, *inputs)
        if not _here.modules:
            _here.paths = {part: path for path, part in _walk(module) if isinstance(part, Module)}
        _here.modules.append((module, Counter()))
        try:
            return plain(module, *inputs)
        finally:
            _here.modules.pop()

    return call


def _module() -> str:
    """The module whose forward runs: `layers.0 (Linear)`, or the class of the outermost."""
    if not _here.modules:
        return ""
    module, _ = _here.modules[-1]
    path, kind = _here.paths.get(module, ""), type(module).__name__
    return f"{path} ({kind})" if path else kind


def _count_units(op: Any, place: Place, y: Array, x: Array) -> None:
    """Add to the reports: under the module that runs and how many times it has run this op, or else the line."""
    where = f"{Path(place.file).name}, line {place.line}"
    key: Any = repr(op), place.file, place.line
    if _here.modules:
        module, ran = _here.modules[-1]
        parts = [(f".{name}", part) for name, part in vars(module).items()]
        parts += [
            (f"{name}.{i}", p)
            for name, parts_ in parts
            if isinstance(parts_, list | tuple)
            for i, p in enumerate(parts_)
        ]
        paths = [_here.paths.get(module, "") + name for name, part in parts if part is op]
        key = module, repr(op), ran[repr(op)]
        found = paths[ran[repr(op)]].lstrip(".") if ran[repr(op)] < len(paths) else place.module
        where = f"{found}, {where}"
        ran[repr(op)] += 1
    for report in _here.reports:
        report.add(key, op, where, y, x)


def _refused(plain: Callable[..., Any]) -> Any:
    """Compiled.__call__, which has no ops to look at."""

    def call(step: Compiled, *args: Any, **kwargs: Any) -> Any:
        if _here.reports and not tracing.now and not linear.differentiating.now:
            raise findings.compiled_in_debug(getattr(step, "__name__", "the step"))
        return plain(step, *args, **kwargs)

    return call


class _Swapped:
    """The functions that have another in their place as long as any thread is debugging."""

    places: tuple[tuple[Any, str, Callable[..., Any]], ...] = (
        (Tensor, "_record", _record),
        (autodiff, "walk", _walked),
        (linear, "walk", _walked),
        (Module, "__call__", _called),
        (Compiled, "__call__", _refused),
    )

    def __init__(self) -> None:
        self.lock, self.users, self.plain = threading.Lock(), 0, list[Any]()

    def enter(self) -> None:
        with self.lock:
            self.users += 1
            if self.users == 1:
                self.plain = [vars(owner)[name] for owner, name, _ in self.places]
                for owner, name, watched in self.places:
                    setattr(owner, name, watched(getattr(owner, name)))

    def leave(self) -> None:
        with self.lock:
            self.users -= 1
            if not self.users:
                for (owner, name, _), plain in zip(self.places, self.plain, strict=True):
                    setattr(owner, name, plain)


_swapped = _Swapped()
