"""ta.debug: each op that runs within a `with` is looked at, which costs nothing outside of it."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import finalize

import numpy as np

from .. import autodiff, transforms
from ..compiler.code import users_place
from ..compiler.compiled import Compiled
from ..compiler.trace import tracing
from ..drawing.steps import worst
from ..nn.module import Module, _walk
from ..op import Array, Elementwise, Node, Op
from ..tensor import Tensor
from . import findings
from .findings import Place, arrays_of


class _Here(threading.local):
    """What is known of this thread."""

    depth = 0  # of the debug() blocks it is in
    walking = 0  # of the backward walks: their rules may pass through inf, as in what np.where does not choose

    def __init__(self) -> None:
        self.modules: list[Module] = []  # whose forward runs, from the outermost
        self.paths: dict[Any, str] = {}  # in the outermost


_here = _Here()
_places: dict[int, Place] = {}  # by the id of the node, until that is gone
_prints: dict[int, list[int]] = {}  # likewise: the fingerprints of its result and its inputs, in this order


@contextmanager
def debug() -> Iterator[None]:
    """Stop at the first nan or inf, forward or backward, of what this thread computes with Tensors within the `with`.

    NotFiniteError names the op, what it was given, the module, your file and line, and the usual cure. An op that
    passes on an inf of its inputs is not to blame (masks hold -inf), but one that makes nan of it is. RuntimeError if a
    compiled step is called: it runs without ops. ChangedInPlaceError names an array that was written to between an op
    that used it and `backward()`.

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
    _swapped.enter()
    _here.depth += 1
    try:
        yield
    finally:
        _here.depth -= 1
        _swapped.leave()


def _record(plain: Callable[..., Any]) -> Any:
    """Tensor._record, which looks at what comes out."""

    def record(op: Op, inputs: tuple[Any, ...]) -> Any:
        result = plain(op, inputs)
        if not _here.depth or tracing.now:
            return result
        place = Place(*users_place(), _module())
        if not _here.walking and (where := _unexplained(op, inputs, result._data)) is not None:
            raise findings.not_finite_forward(op, inputs, result._data, where, place)
        _places[id(result)] = place
        _prints[id(result)] = [_print_of(x) for x in (result._data, *arrays_of(inputs))]
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
    arrays = [node._data, *arrays_of(node.inputs)]
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

    def walk(order: list[Node], seed: Any, wanted: set[Node], value: Any) -> Iterator[tuple[Node, Any]]:
        if not _here.depth or tracing.now:
            yield from plain(order, seed, wanted, value)
            return
        users: dict[Node, list[tuple[Node, int, Array]]] = {}
        _here.walking += 1
        try:
            for node, g in plain(order, seed, wanted, value):
                array = g._data if isinstance(g, Node) else np.asarray(g)
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
        gx = op.vjp(i, arrived, user._data, *arrays_of(user.inputs))
        if gx.shape != node._data.shape or gx.dtype != node._data.dtype:
            gx = autodiff.unbroadcast(gx, node._data, op)
        if worst(gx):
            return findings.not_finite_backward(op, i, user, arrived, gx, _places.get(id(user), Place()))
    return findings.not_finite_sum(node, g)


def _called(plain: Callable[..., Any]) -> Any:
    """Module.__call__, which notes whose forward runs."""

    def call(module: Module, *inputs: Any) -> Any:
        if not _here.depth or tracing.now:
            return plain(module, *inputs)
        if not _here.modules:
            _here.paths = {part: path for path, part in _walk(module) if isinstance(part, Module)}
        _here.modules.append(module)
        try:
            return plain(module, *inputs)
        finally:
            _here.modules.pop()

    return call


def _module() -> str:
    """The module whose forward runs: `layers.0 (Linear)`, or the class of the outermost."""
    if not _here.modules:
        return ""
    path, kind = _here.paths.get(_here.modules[-1], ""), type(_here.modules[-1]).__name__
    return f"{path} ({kind})" if path else kind


def _refused(plain: Callable[..., Any]) -> Any:
    """Compiled.__call__, which has no ops to look at."""

    def call(step: Compiled, *args: Any, **kwargs: Any) -> Any:
        if _here.depth and not tracing.now:
            raise findings.compiled_in_debug(getattr(step, "__name__", "the step"))
        return plain(step, *args, **kwargs)

    return call


class _Swapped:
    """The functions that have another in their place as long as any thread is debugging."""

    places: tuple[tuple[Any, str, Callable[..., Any]], ...] = (
        (Tensor, "_record", _record),
        (autodiff, "walk", _walked),
        (transforms, "walk", _walked),
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
