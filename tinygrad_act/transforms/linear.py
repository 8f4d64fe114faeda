"""What all transforms stand on: a function run at variables of its own, and the linear map back from its value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter, index
from typing import Any

import numpy as np

from .. import text
from ..autodiff import toposort, walk
from ..op import IMPLEMENTS, Array, Node, Op
from ..tensor import Tensor, _mode
from ..trees import flatten, unflatten


@contextmanager
def recording() -> Iterator[bool]:
    """Record in this thread, also under no_grad(); yields whether it was recording before."""
    before, _mode.recording = _mode.recording, True
    try:
        yield before
    finally:
        _mode.recording = before


class Together(Op):
    """Stands above several outputs, so that one walk starts from all of them, with a cotangent for each."""

    def __init__(self, cotangents: Sequence[Any]) -> None:
        self.cotangents = cotangents

    def forward(self, *outputs: Array) -> Array:
        return np.zeros(())

    def vjp(self, i: int, g: Array, y: Array, *inputs: Any) -> Array:
        return self.cotangents[i]


class Variable(Tensor):
    """A leaf that a transform made for itself; once it is `closed`, the results of that do not depend on it."""

    __slots__ = ("closed",)
    closed: bool


def is_open(node: Node) -> bool:
    """Whether it is a leaf by which there may be something to differentiate."""
    return node.op is None and not (isinstance(node, Variable) and node.closed)


class Pullback:
    """The linear map from cotangents of `outputs` to cotangents of `targets`, along the graph between them.

    It goes through the nodes that are newer than `since`.
    """

    def __init__(self, outputs: list[Any], targets: list[Any], since: int = -1) -> None:
        self.outputs, self.targets = outputs, targets
        self.reached = [isinstance(y, Node) and y.requires_grad for y in outputs]
        reached = [y for y, is_reached in zip(outputs, self.reached, strict=True) if is_reached]
        self.order: list[Node] = []
        if reached:
            self.order = toposort(reached[0]) if len(reached) == 1 else toposort(_above(reached, []))[1:]
        self.ends = set(targets)
        self.wanted: set[Node] = set(targets)
        self.others = [node for node in self.order if is_open(node) and node not in self.wanted]
        for node in reversed(self.order):
            if node.stamp > since and any(isinstance(x, Node) and x in self.wanted for x in node.inputs):
                self.wanted.add(node)
        self.wanted.update(reached)

    def __call__(self, cotangents: list[Any], record: bool) -> list[Any]:
        """One cotangent for each target: an array, or a Tensor if it is to record. None is a cotangent of zeros."""
        given = [
            (y, g if record or not isinstance(g, Node) else g._array)
            for y, reached, g in zip(self.outputs, self.reached, cotangents, strict=True)
            if reached and g is not None
        ]
        if not given:
            return [np.zeros_like(x._array) for x in self.targets]
        for leaf in self.others:
            if leaf.stamp > self.order[0].stamp:
                raise text.stale(leaf, self.order[0].op)
        order, seed = self.order, given[0][1]
        if len(given) > 1 or given[0][0] is not order[0]:
            ys, seeds = zip(*given, strict=True)
            order, seed = [_above(ys, seeds), *order], np.ones(())
        value: Callable[[Node], Any] = (lambda node: node) if record else attrgetter("_array")
        found = {node: g for node, g in walk(order, seed, self.wanted, value) if node in self.ends}
        return [found[x] if x in found else np.zeros_like(x._array) for x in self.targets]


def _above(outputs: Sequence[Node], cotangents: Sequence[Any]) -> Node:
    with recording():
        return Tensor._record(Together(cotangents), tuple(outputs))


class Point:
    """A function at a point: its value, the variables that it was given there, and the way back."""

    def __init__(
        self, who: str, f: Callable[..., Any], args: Any, argnums: Any = 0, aux: bool = False, kwargs: Any = None
    ) -> None:
        self.kept = _mode.recording
        numbers = [index(i) for i in (argnums if isinstance(argnums, tuple | list) else [argnums])]
        if any(not -len(args) <= i < len(args) for i in numbers):
            raise IndexError(
                f"{who}: argnums is {argnums}, and the function was given {len(args)} positional arguments"
            )
        trees = tuple(args[i] for i in numbers)
        self.tree = trees if isinstance(argnums, tuple | list) else trees[0]
        self.as_tensors = any(isinstance(x, Node) for _, x in flatten(args))
        arguments = list(args)
        with recording():
            found = [leaf for i in numbers for leaf in flatten(args[i], f"argument {i}")]
            self.variables = [_variable(who, path, x) for path, x in found]
            for i, filled in zip(numbers, unflatten(trees, iter(self.variables)), strict=True):
                arguments[i] = filled
            result = f(*arguments, **(kwargs or {}))
        self.aux = None
        if aux:
            if not isinstance(result, tuple) or len(result) != 2:
                raise TypeError(f"{who}: with has_aux=True the function is to return (value, aux), not {result!r}")
            result, self.aux = result
        self.value = result
        self.outputs = [_output(who, path, y) for path, y in flatten(result, "")]
        if not self.outputs:
            raise TypeError(f"{who}: the function returned {result!r}, and there is no derivative of that")
        self.pullback = Pullback(self.outputs, self.variables)
        for x in self.variables:
            if isinstance(x, Variable):
                x.closed = True

    def pull(self, cotangents: list[Any]) -> list[Any]:
        """Cotangents of the variables, recorded where there is something that they can be differentiated by."""
        live = self.pullback.others or any(isinstance(g, Node) and g.requires_grad for g in cotangents)
        return self.pullback(cotangents, bool(live and self.kept))

    def given(self, tree: Any, results: list[Any], kept: Sequence[Any] = ()) -> Any:
        """The results in the form of the tree, as arrays of their own, or as Tensors where they depend on one.

        What is `kept` for later is copied.
        """
        shared = {id(x._array) for x in kept if isinstance(x, Node)}
        return unflatten(tree, iter([self._given(x, shared) for x in results]))

    def _given(self, x: Any, shared: set[int]) -> Any:
        if isinstance(x, Node):
            if self.kept and depends_on_a_leaf(x):
                return x
            x = x._array
        if self.as_tensors:
            return Tensor(x, requires_grad=False)
        if isinstance(x, np.ndarray) and x.ndim:
            x = x.copy() if x.base is not None or id(x) in shared else x
            shared.add(id(x))
            return x
        return x[()] if isinstance(x, np.ndarray) else x

    def auxiliary(self) -> Any:
        """What the function returned besides its value, with no Tensor in it that was made only for the walk."""
        leaves = (self._given(x, set()) if isinstance(x, Node) else x for _, x in flatten(self.aux))
        return unflatten(self.aux, leaves)


def depends_on_a_leaf(x: Node) -> bool:
    """Whether there is still a Tensor that it can be differentiated by."""
    return x.requires_grad and any(map(is_open, toposort(x)))


def _variable(who: str, path: str, x: Any) -> Tensor:
    """A variable of this transform's own, so that none of another is taken for it."""
    if isinstance(x, Node) and x.requires_grad:
        variable: Tensor = IMPLEMENTS[np.positive](x)
        return variable
    if hasattr(x, "named_parameters"):
        raise TypeError(
            f"{who}: {path} is a {type(x).__name__}, and parameters are differentiated as a dict of arrays. Write\n"
            f"  p = {{name: t.data for name, t in model.named_parameters()}}\n"
            f"  ta.{who}(lambda p: loss(ta.nn.functional_call(model, p, x)))(p)"
        )
    x = x._array if isinstance(x, Node) else x if hasattr(x, "__array_function__") else np.asarray(x)
    if x.dtype.kind != "f":
        raise _no_floats(
            f"{who}: {path}", x.dtype, "Write floats (2.0, or x.astype(float)), or leave it out of argnums."
        )
    leaf = Variable(x)
    leaf.closed = False
    return leaf


def _output(who: str, path: str, y: Any) -> Any:
    """What the function returned, as an array or a Tensor of floats."""
    array = y._array if isinstance(y, Node) else y if hasattr(y, "__array_function__") else np.asarray(y)
    if array.dtype.kind != "f":
        what = f"{who}: what the function returned{' at ' + path if path else ''}"
        raise _no_floats(what, array.dtype, "Return floats; what is not to be differentiated goes into aux.")
    return y if isinstance(y, Node) else array


def _no_floats(what: str, dtype: Any, advice: str) -> TypeError:
    held = {"i": "integers", "u": "integers", "b": "booleans", "c": "complex numbers"}.get(
        dtype.kind, f"objects of {dtype}"
    )
    return TypeError(f"{what} holds {held}, which have no derivative.\n  {advice}")
