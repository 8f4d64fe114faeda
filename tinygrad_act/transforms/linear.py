"""What all transforms stand on: a function run at variables of its own, and the linear map back from its value."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter, index
from typing import Any

import numpy as np

from .. import text
from ..autodiff import toposort, walk
from ..op import IMPLEMENTS, Node
from ..tensor import Tensor, _clock, _mode
from ..trees import flatten, unflatten


class Differentiating(threading.local):
    """What this thread is at."""

    now = False  # it runs a function to differentiate it
    wanted: set[Node] | None = None  # it walks back, into these nodes only


differentiating = Differentiating()


@contextmanager
def recording() -> Iterator[None]:
    """Run a function to differentiate it: it is recorded in this thread, also under no_grad()."""
    here = differentiating
    before = _mode.recording, here.now, here.wanted
    _mode.recording, here.now, here.wanted = True, True, None
    try:
        yield
    finally:
        _mode.recording, here.now, here.wanted = before


class Variable(Tensor):
    """A leaf that a transform made for itself; once it is `closed`, the results of that do not depend on it."""

    __slots__ = ("closed",)
    closed: bool


def variable(array: Any) -> Variable:
    """An open one."""
    leaf = Variable(array)
    leaf.closed = False
    return leaf


def close(variables: Iterable[Any]) -> None:
    """From here on there is nobody who would differentiate by these."""
    for x in variables:
        if isinstance(x, Variable):
            x.closed = True


def alive(order: list[Node], since: int) -> set[Node]:
    """Those of the nodes, newest first and made after `since`, that depend on what they may still be differentiated by.

    That is a leaf, but no closed variable, or what was there before: a variable of a transform around this one, or what
    was made of one.
    """
    found: set[Node] = set()
    for node in reversed(order):
        if node.op is None:
            is_alive = not (isinstance(node, Variable) and node.closed)
        else:
            is_alive = any(
                isinstance(x, Node) and (x in found or (x.stamp <= since and x.requires_grad)) for x in node.inputs
            )
        if is_alive:
            found.add(node)
    return found


class Pullback:
    """The linear map from cotangents of `outputs` to cotangents of `targets`, along the graph between them.

    It goes through the nodes that were made after `since`, and on from none of the targets that were made before.
    """

    def __init__(self, outputs: list[Any], targets: list[Any], since: int = -1) -> None:
        self.outputs, self.targets, self.since, self.made = outputs, targets, since, next(_clock)
        self.order = toposort(*(y for y in outputs if isinstance(y, Node) and y.requires_grad), since=since)
        self.ends: set[Node] = set(targets)
        self.wanted = self.ends.copy()
        self.used: dict[Node, Any] = {}  # leaves, and an op that used each
        for node in reversed(self.order):
            nodes = [x for x in node.inputs if isinstance(x, Node)]
            if not self.wanted.isdisjoint(nodes):
                self.wanted.add(node)
            self.used.update((x, node.op) for x in nodes if x.op is None)

    def __call__(self, cotangents: list[Any], record: bool) -> list[Any]:
        """One cotangent for each target: an array, or a Tensor if it is to record. None is a cotangent of zeros."""
        for leaf, op in self.used.items():
            if leaf.stamp > self.made:
                raise text.stale(leaf, op)
        value: Callable[[Node], Any] = (lambda node: node) if record else attrgetter("_array")
        found: dict[Node, Any] = {}
        for y, g in zip(self.outputs, cotangents, strict=True):
            if g is not None and isinstance(y, Node) and y in self.wanted:
                g = value(g) if isinstance(g, Node) else g
                found[y] = found[y] + g if y in found else g
        before, differentiating.wanted = differentiating.wanted, self.wanted
        try:
            found |= {node: g for node, g in walk(self.order, found, self.wanted, value) if node in self.ends}
        finally:
            differentiating.wanted = before
        return [found[x] if x in found else np.zeros_like(x._array) for x in self.targets]

    def pull(self, cotangents: list[Any], kept: bool) -> list[Any]:
        """The same, recorded if that is to be `kept`, and there is something by which it can be differentiated."""
        given = any(isinstance(g, Node) and g.requires_grad for g in cotangents)
        return self(cotangents, kept and (given or self.is_alive))

    @functools.cached_property
    def is_alive(self) -> bool:
        """Whether the map depends on something by which it can be differentiated."""
        return bool(alive(self.order, self.since))


class Point:
    """A function at a point: its value, the variables that it was given there, and the way back."""

    def __init__(
        self, who: str, f: Callable[..., Any], args: Any, argnums: Any = 0, aux: bool = False, kwargs: Any = None
    ) -> None:
        self.kept, self.since = _mode.recording, next(_clock)
        numbers = _numbers(who, argnums, len(args))
        trees = tuple(args[i] for i in numbers)
        self.tree = trees if isinstance(argnums, tuple | list) else trees[0]
        self.as_tensors = any(isinstance(x, Node) for _, x in flatten(args))
        arguments = list(args)
        found = [leaf for i in numbers for leaf in flatten(args[i], f"argument {i}")]
        with recording():
            self.variables = [_variable(who, path, x) for path, x in found]
            for i, filled in zip(numbers, unflatten(trees, iter(self.variables)), strict=True):
                arguments[i] = filled
            try:
                result = f(*arguments, **(kwargs or {}))
            finally:
                close(self.variables)
        self.aux = None
        if aux:
            if not isinstance(result, tuple) or len(result) != 2:
                raise TypeError(f"{who}: with has_aux=True the function is to return (value, aux), not {result!r}")
            result, self.aux = result
        self.value = result
        self.outputs = [_output(who, path, y) for path, y in flatten(result)]
        if not self.outputs:
            raise TypeError(f"{who}: the function returned {result!r}, and there is no derivative of that")
        self.pullback = Pullback(self.outputs, self.variables, self.since)

    def pull(self, cotangents: list[Any]) -> list[Any]:
        """Cotangents of the variables, given those of the outputs."""
        return self.pullback.pull(cotangents, self.kept)

    def given(self, tree: Any, results: list[Any], kept: Sequence[Any] = ()) -> Any:
        """The results in the form of the tree, as arrays of their own, or as Tensors where they depend on one.

        What is `kept` for later is copied.
        """
        shared = {id(x._array) for x in kept if isinstance(x, Node)}
        return unflatten(tree, iter([self._own(x, shared) for x in self._settled(results)]))

    def auxiliary(self) -> Any:
        """What the function returned besides its value, with no Tensor in it that was made only for the walk."""
        leaves = [x for _, x in flatten(self.aux)]
        settled = zip(leaves, self._settled(leaves), strict=True)
        return unflatten(self.aux, (self._own(y, set()) if isinstance(x, Node) else x for x, y in settled))

    def _settled(self, results: list[Any]) -> list[Any]:
        """The results, with arrays for those Tensors that there is nothing left to differentiate by."""
        nodes = [x for x in results if isinstance(x, Node) and x.requires_grad and self.kept]
        live = {x for x in nodes if x.stamp <= self.since}
        if nodes:
            live |= alive(toposort(*nodes, since=self.since), self.since)
        return [x._array if isinstance(x, Node) and x not in live else x for x in results]

    def _own(self, x: Any, shared: set[int]) -> Any:
        """A Tensor, or an array that nothing else has."""
        if isinstance(x, Node):
            return x
        if self.as_tensors:
            return Tensor(x, requires_grad=False)
        if isinstance(x, np.ndarray) and x.ndim:
            x = x.copy() if x.base is not None or id(x) in shared else x
            shared.add(id(x))
            return x
        return x[()] if isinstance(x, np.ndarray) else x


def _numbers(who: str, argnums: Any, given: int) -> list[int]:
    """Which arguments to differentiate by."""
    try:
        numbers = [index(i) for i in (argnums if isinstance(argnums, tuple | list) else [argnums])]
    except TypeError:
        raise TypeError(f"{who}: argnums is {argnums!r}, not the number of an argument or a tuple of such") from None
    if any(not -given <= i < given for i in numbers):
        raise IndexError(
            f"{who}: argnums is {argnums}, and the function was given {given} positional arguments.\n"
            "  Those given by keyword are not differentiated."
        )
    if len({i % given for i in numbers}) < len(numbers):
        raise ValueError(f"{who}: argnums is {argnums}, which names an argument twice")
    return numbers


def _variable(who: str, path: str, x: Any) -> Tensor:
    """A variable of this transform's own, so that none of another is taken for it."""
    if isinstance(x, Node) and x.requires_grad:
        copy: Tensor = IMPLEMENTS[np.positive](x)
        return copy
    if hasattr(x, "named_parameters"):
        raise TypeError(
            f"{who}: {path} is a {type(x).__name__}, and parameters are differentiated as a dict of arrays. Write\n"
            f"  p = {{name: t.data for name, t in model.named_parameters()}}\n"
            f"  ta.{who}(lambda p: loss(ta.nn.functional_call(model, p, x)))(p)"
        )
    return variable(floats(x, f"{who}: {path}", "Write floats (2.0, or x.astype(float)), or leave it out of argnums."))


def _output(who: str, path: str, y: Any) -> Any:
    """What the function returned, as an array or a Tensor of floats."""
    what = f"{who}: what the function returned{' at ' + path if path else ''}"
    array = floats(y, what, "Return floats; what is not to be differentiated goes into aux.")
    return y if isinstance(y, Node) else array


def floats(x: Any, what: str, advice: str, kinds: str = "f") -> Any:
    """An array or a Tensor as an array. TypeError if it holds anything but numbers of these kinds."""
    array = x._array if isinstance(x, Node) else x if hasattr(x, "__array_function__") else np.asarray(x)
    if array.dtype.kind in kinds:
        return array
    held = {"i": "integers", "u": "integers", "b": "booleans", "c": "complex numbers"}.get(array.dtype.kind)
    held = held or (f"objects of {array.dtype}" if hasattr(x, "dtype") else "")
    said = f"holds {held}, which have" if held else f"is a {type(x).__name__}, and objects of that kind have"
    raise TypeError(f"{what} {said} no derivative.\n  {advice}")
