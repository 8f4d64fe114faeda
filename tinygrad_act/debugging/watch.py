"""ta.debug: each op that runs within a `with` is looked at, which costs nothing outside of it."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from weakref import WeakKeyDictionary, finalize

import numpy as np

from .. import autodiff
from ..compiler.code import users_place
from ..compiler.compiled import Compiled
from ..compiler.trace import tracing
from ..drawing.steps import worst
from ..hooks import HOOKED, around
from ..nn import Learned, functional_call
from ..nn.module import Module, _walk
from ..op import Array, Elementwise, Node, Op
from ..tensor import Tensor
from ..transforms import linear
from . import changes, findings
from .findings import Place, arrays_of
from .units import Report, slopes_of


class _Here(threading.local):
    """What is known of this thread."""

    def __init__(self) -> None:
        self.reports: list[Report] = []  # of the debug() blocks it is in
        self.watch = ExitStack()  # what the outermost has put around our functions
        self.modules: list[tuple[Module, Counter[int]]] = []  # whose forward runs, and how often each activation did
        self.originals: WeakKeyDictionary[Module, Module] = WeakKeyDictionary()  # of what functional_call copied
        self.paths: dict[Any, str] = {}  # in the outermost
        self.walks: list[_Walk] = []  # backward: rules may pass through inf, as in what np.where does not choose


class _Walk:
    """A walk back that goes on."""

    def __init__(self) -> None:
        self.called, self.rule = users_place(), Place()  # whence, and where the op was called whose rule now runs


_here = _Here()
_places: dict[int, Place] = {}  # by the id of the node, until that is gone


@contextmanager
def debug() -> Iterator[Report]:
    """Stop at the first nan or inf, forward or backward, of what this thread computes with Tensors within the `with`.

    NotFiniteError names the op, what it was given, the module, your file and line, and the usual cure. An op that
    passes on an inf of its inputs is not to blame (masks hold -inf), but one that makes nan of it is. RuntimeError if a
    compiled step is called: it runs without ops. ChangedInPlaceError names an array that was written to between an op
    that used it and `backward()`, if the rule needs it. What the `with` gives is a Report of dead and saturated units,
    to be printed at the end: of each activation that ran, over all steps.

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
    if not _here.reports:
        for owner, name, watched in WATCHED:
            _here.watch.enter_context(around(owner, name, watched))
    _here.reports.append(report)
    try:
        yield report
    finally:
        _here.reports.remove(report)
        if not _here.reports:
            _here.watch.close()


def _recorded(record: Callable[..., Tensor], op: Op, inputs: tuple[Any, ...]) -> Tensor:
    """Tensor._record, which looks at what comes out."""
    result = record(op, inputs)
    if tracing.now:
        return result
    place = _place()
    if not _here.walks:
        where = _unexplained(op, inputs, result._array)
        if where is not None:
            raise findings.not_finite_forward(op, inputs, result._array, where, place)
        slopes = slopes_of(op, result._array, arrays_of(inputs))
        if slopes is not None:
            _count_units(op, place, *slopes)
    _places[id(result)] = place
    changes.note(result)
    finalize(result, _forget, id(result)).atexit = False
    return result


def _forget(node: int) -> None:
    _places.pop(node, None)
    changes.forget(node)


def _place() -> Place:
    """Where an op is called that runs now. A rule runs where its op was called, not where the walk was."""
    called = users_place()
    if _here.walks and _here.walks[-1].called == called:
        return _here.walks[-1].rule
    return Place(*called, _module())


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


def _walked(
    walk: Callable[..., Any], order: list[Node], cotangents: Any, wanted: set[Node], value: Any
) -> Iterator[Any]:
    """autodiff.walk, which looks at each gradient when it is complete, and finds whose rule made it so."""
    if tracing.now:
        yield from walk(order, cotangents, wanted, value)
        return
    users: dict[Node, list[tuple[Node, int, Array]]] = {}
    here, seeds = _Walk(), dict(cotangents)
    _here.walks.append(here)
    try:
        for node, g in walk(order, cotangents, wanted, value):
            array = g._array if isinstance(g, Node) else np.asarray(g)
            if worst(array):
                raise _origin(node, array, users.get(node, []), seeds.get(node, 0.0))
            for i, x in enumerate(node.inputs):
                if isinstance(x, Node) and x in wanted:
                    users.setdefault(x, []).append((node, i, array))
            yield node, g
            place, op = _places.get(id(node), Place()), node.op
            number = changes.changed(node, array, wanted)
            if number is not None:
                raise findings.changed_in_place(node, number, place)
            here.rule = place.of_rule(op.name if op else "")
    finally:
        _here.walks.remove(here)


def _origin(node: Node, g: Array, users: list[tuple[Node, int, Array]], seed: Any) -> Exception:
    """Which of the rules that a gradient is the sum of gave what is not finite: they are asked once more."""
    given = seed._array if isinstance(seed, Node) else np.asarray(seed)
    cause = "hook" if id(node) in HOOKED else "seed" if worst(given) or not users else "sum"
    for user, i, arrived in users:
        op: Any = user.op
        gx = op.vjp(i, arrived, user._array, *arrays_of(user.inputs))
        if gx.shape != node._array.shape or gx.dtype != node._array.dtype:
            gx = autodiff.unbroadcast(gx, node._array, op, i)
        if worst(gx):
            return findings.not_finite_backward(op, i, user, arrived, gx, _places.get(id(user), Place()))
    return findings.not_finite_sum(node, g, cause, _places.get(id(node), Place()))


def _called(call: Callable[..., Any], module: Module, *inputs: Any) -> Any:
    """Module.__call__, which notes whose forward runs."""
    if not _here.modules:
        _here.paths = {part: path for path, part in _walk(module) if isinstance(part, Module)}
    _here.modules.append((module, Counter()))
    try:
        return call(module, *inputs)
    finally:
        _here.modules.pop()


def _copied(copy: Callable[..., Any], x: Any, *args: Any) -> Any:
    """How functional_call copies a module, which for a report is the same one."""
    found = copy(x, *args)
    if isinstance(found, Module):
        _here.originals[found] = x
    return found


def _module() -> str:
    """The module whose forward runs: `layers.0 (Linear)`, or the class of the outermost."""
    if not _here.modules:
        return ""
    module, _ = _here.modules[-1]
    path, kind = _here.paths.get(module, ""), type(module).__name__
    return f"{path} ({kind})" if path else kind


def _count_units(op: Op, place: Place, slopes: Array, axis: int) -> None:
    """Add to the reports: under the part of the module that runs, or else under the line."""
    where = place.line_in_short
    key: Any = repr(op), place.file, place.line
    if _here.modules:
        module, ran = _here.modules[-1]
        parts = [path for path, part in _parts(module) if part is op and not isinstance(module, Learned)]
        part = ".".join(filter(None, (_here.paths.get(module, ""), parts[ran[id(op)] % len(parts)]))) if parts else ""
        where = f"{part or place.module}, {where}"
        key = _here.originals.get(module, module), repr(op), part or key
        ran[id(op)] += 1
    for report in _here.reports:
        report.add(key, op, where, slopes, axis)


def _parts(module: Module) -> Iterator[tuple[str, Any]]:
    """What a module has for attributes, and what is in lists and tuples of these."""
    for name, part in vars(module).items():
        yield name, part
        if isinstance(part, list | tuple):
            yield from ((f"{name}.{i}", p) for i, p in enumerate(part))


def _refused(call: Callable[..., Any], step: Compiled, *args: Any, **kwargs: Any) -> Any:
    """Compiled.__call__, which has no ops to look at."""
    if tracing.now or linear.differentiating.now:  # called by another step, of which it becomes a part
        return call(step, *args, **kwargs)
    raise findings.compiled_in_debug(getattr(step, "__name__", "the step"))


WATCHED: tuple[tuple[Any, str, Callable[..., Any]], ...] = (
    (Tensor, "_record", _recorded),
    (autodiff, "walk", _walked),
    (linear, "walk", _walked),
    (Module, "__call__", _called),
    (sys.modules[functional_call.__module__], "_copy", _copied),
    (Compiled, "__call__", _refused),
)
