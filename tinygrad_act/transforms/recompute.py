"""Checkpoints: what a function computes on the way is not kept for the backward walk, but computed again in it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autodiff import toposort
from ..op import IMPLEMENTS, Array, Node, Op
from ..tensor import Tensor, _clock, _mode, no_grad
from ..trees import flatten, parts, unflatten
from .linear import Pullback, differentiating, recording
from .reverse import _named


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, of which the graph keeps only the inputs and the results, and none of the values between.

    A backward walk runs `f` again where it comes to it. So n layers, checkpointed in groups of √n, need memory for
    about 2 √n of them, at the price of one more forward run (Griewank, 1992; Chen et al., 2016, arXiv:1604.06174).
    Arguments and results may be nested containers. Tensors that `f` uses besides its arguments, as a network does its
    parameters, get their gradients too; derivatives of higher order are right, and keep what they need. Under
    `no_grad()` and on plain arrays `f` just runs. `f` computes the same at each run: its noise is passed to it.

    TypeError for a result that is no array; RuntimeError in the walk if the second run gives another value.

    >>> x = Tensor([0.0, 1.0])
    >>> y = checkpoint(lambda x: np.exp(x) * x)(x)
    >>> y
    Tensor([0.        , 2.71828183], from checkpoint)
    >>> np.sum(y).backward()
    >>> x.grad
    array([1.        , 5.43656366])
    """

    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        if not _mode.recording:
            return f(*args, **kwargs)
        op = Recomputed(f, [args, kwargs])
        result, inputs = op.first_run()
        return op.split(Tensor._record(op, inputs), result) if inputs else result

    return _named(checkpointed, "checkpoint", f)


class Recomputed(Op):
    """A call of a function as one op: of the Tensors among its arguments, and of those that it uses besides.

    Where the function returns a container, the value is all that can be differentiated in it, joined to one array.
    """

    name = "checkpoint"

    def __init__(self, f: Callable[..., Any], tree: Any) -> None:
        self.f, self.tree = f, tree
        self.leaves = [leaf for _, leaf in flatten(tree)]
        self.places = [i for i, x in enumerate(self.leaves) if isinstance(x, Node) and x.requires_grad]
        self.found: dict[int, tuple[Any, dict[int, Any]]] = {}  # by thread: g, and the cotangents still to be fetched

    def run(self, variables: Any) -> Any:
        """What the function returns, with these in the places of the Tensors that it was given."""
        leaves = list(self.leaves)
        for i, x in zip(self.places, variables, strict=True):
            leaves[i] = x
        args, kwargs = unflatten(self.tree, iter(leaves))
        return self.f(*args, **kwargs)

    def joined(self, result: Any) -> Any:
        """The one array that it is, or what can be differentiated in it as one."""
        if self.is_array:
            return result
        leaves = [y for _, y in flatten(result)]
        return np.concatenate([np.ravel(leaves[i]) for i in self.chosen])

    def split(self, y: Any, result: Any) -> Any:
        """The reverse of it: `result` with the parts of `y` in their places."""
        if self.is_array:
            return y
        leaves, stop = [x for _, x in flatten(result)], 0
        for i in self.chosen:
            like = leaves[i]
            start, stop = stop, stop + like.size
            part = y[start:stop].reshape(like.shape)
            leaves[i] = part if part.dtype == like.dtype else part.astype(like.dtype)
        return unflatten(result, iter(leaves))

    def first_run(self) -> tuple[Any, tuple[Any, ...]]:
        """The result, and the Tensors that it depends on: those given, then those used besides."""
        given = [self.leaves[i] for i in self.places]
        variables, since = [Tensor(x._array) for x in given], next(_clock)
        with recording():
            result = self.run(variables)
            self.is_array = parts(result) is None
            wrong = [y for _, y in flatten(result) if not hasattr(y, "dtype") and not isinstance(y, float | int | str)]
            if wrong:
                kind = type(wrong[0]).__name__
                raise TypeError(
                    f"checkpoint: the function returned a {kind}, and is to return arrays, in containers or not"
                )
            self.chosen = [i for i, (_, y) in enumerate(flatten(result)) if isinstance(y, Node) and y.requires_grad]
            if not (self.chosen or self.is_array):  # there is nothing to differentiate in it
                return result, ()
            y = self.joined(result)
        self.value = y._array if isinstance(y, Node) else np.asarray(y)
        new = toposort(y, since=since) if isinstance(y, Node) else []
        used = dict.fromkeys(x for x in (y, *(x for node in new for x in node.inputs)) if isinstance(x, Node))
        own = set(variables)
        self.nodes = [*given, *(x for x in used if x.requires_grad and x.stamp < since and x not in own)]
        return result, tuple(self.nodes)

    def forward(self, *inputs: Array) -> Array:
        if hasattr(self, "value"):
            value = self.value
            del self.value  # the graph has it from here
            return value
        if len(self.places) < len(inputs):
            raise RuntimeError("checkpoint: a function that uses Tensors besides its arguments is not run by itself")
        with no_grad():
            return self.joined(self.run(inputs))

    def vjp(self, i: int, g: Array, y: Array, *inputs: Any) -> Array:
        me, wanted = threading.get_ident(), differentiating.wanted
        if me not in self.found or self.found[me][0] is not g or i not in self.found[me][1]:
            asked = [j for j, x in enumerate(self.nodes) if j == i or wanted is None or x in wanted]
            self.found[me] = g, dict(zip(asked, self.pull(g, y, inputs, asked), strict=True))
        results = self.found[me][1]
        result = results.pop(i)
        if not results:
            del self.found[me]
        return result

    def pull(self, g: Array, y: Array, inputs: tuple[Any, ...], asked: list[int]) -> list[Any]:
        """The cotangents of some inputs, by another run: of arrays on arrays, of Tensors recorded."""
        record, n = isinstance(y, Node), len(self.places)
        with recording():
            given = [IMPLEMENTS[np.positive](x) if record else x for x in inputs[:n]]  # which are none of the targets
            since = next(_clock)
            variables = [IMPLEMENTS[np.positive](x) if record else Tensor(x) for x in given]
            again = self.joined(self.run(variables))
        before, now = (x._array if isinstance(x, Node) else x for x in (y, again))
        if type(now) is np.ndarray and not np.array_equal(before, now, equal_nan=True):
            raise RuntimeError(
                "checkpoint: the function gave another value when it was run again for the backward walk.\n"
                "  Pass to it what is random or may change, such as noise and masks, as arguments."
            )
        targets = [*variables, *self.nodes[n:]]
        return Pullback([again], [targets[i] for i in asked], since)([g], record)
