"""Checkpoints: what a function computes on the way is not kept for the backward walk, but computed again in it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autodiff import toposort
from ..op import IMPLEMENTS, Array, Node, Op
from ..tensor import Tensor, _clock, _mode
from ..trees import flatten, unflatten
from .linear import Pullback, recording
from .reverse import _named


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, of which the graph keeps only the inputs and the result, and none of the values between.

    A backward walk runs `f` again where it comes to it. So n layers, checkpointed in groups of √n, need memory for
    about 2 √n of them, at the price of one more forward run (Griewank, 1992; Chen et al., 2016, arXiv:1604.06174).
    Tensors that `f` uses besides its arguments, as a network does its parameters, get their gradients too; derivatives
    of higher order are right, and keep what they need. Under `no_grad()` and on plain arrays `f` just runs. `f`
    returns one array, and computes the same at each run: its noise is passed to it.

    TypeError for another result; RuntimeError in the walk if the second run gives another value.

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
        y, inputs = op.first_run()
        return Tensor._record(op, inputs) if inputs else y

    return _named(checkpointed, "checkpoint", f)


class Recomputed(Op):
    """A call of a function as one op: of the Tensors among its arguments, and of those that it uses besides."""

    name = "checkpoint"

    def __init__(self, f: Callable[..., Any], tree: Any) -> None:
        self.f, self.tree = f, tree
        self.leaves = [leaf for _, leaf in flatten(tree)]
        self.places = [i for i, x in enumerate(self.leaves) if isinstance(x, Node) and x.requires_grad]
        self.found: dict[int, tuple[Any, dict[int, Any]]] = {}  # by thread: g, and the cotangents still to be fetched

    def run(self, variables: list[Tensor]) -> Any:
        """The function, with these in the places of the Tensors that it was given."""
        leaves = list(self.leaves)
        for i, x in zip(self.places, variables, strict=True):
            leaves[i] = x
        args, kwargs = unflatten(self.tree, iter(leaves))
        return self.f(*args, **kwargs)

    def first_run(self) -> tuple[Any, tuple[Any, ...]]:
        """The result, and the Tensors that it depends on: those given, then those used besides."""
        given = [self.leaves[i] for i in self.places]
        variables, since = [Tensor(x._array) for x in given], next(_clock)
        y = self.run(variables)
        if not hasattr(y, "dtype"):
            raise TypeError(f"checkpoint: the function returned a {type(y).__name__}, and is to return one array")
        self.value = y._array if isinstance(y, Node) else y
        new = [node for node in (toposort(y) if isinstance(y, Node) else []) if node.stamp > since]
        used = dict.fromkeys(x for x in (y, *(x for node in new for x in node.inputs)) if isinstance(x, Node))
        own = set(variables)
        self.used = [x for x in used if x.requires_grad and x.stamp < since and x not in own]
        return y, (*given, *self.used)

    def forward(self, *inputs: Array) -> Array:
        value = self.value
        del self.value  # the graph has it from here
        return value

    def vjp(self, i: int, g: Array, y: Array, *inputs: Any) -> Array:
        me = threading.get_ident()
        if me not in self.found or self.found[me][0] is not g or i not in self.found[me][1]:
            self.found[me] = g, dict(enumerate(self.pull(g, y, inputs)))
        results = self.found[me][1]
        result = results.pop(i)
        if not results:
            del self.found[me]
        return result

    def pull(self, g: Array, y: Array, inputs: tuple[Any, ...]) -> list[Any]:
        """The cotangents of all inputs, by another run: of arrays on arrays, of Tensors recorded."""
        record, n = isinstance(y, Node), len(self.places)
        with recording():
            variables = [IMPLEMENTS[np.positive](x) if isinstance(x, Node) else Tensor(x) for x in inputs[:n]]
            since = next(_clock)
            again = self.run(variables)
        before, now = (x._array if isinstance(x, Node) else x for x in (y, again))
        if type(now) is np.ndarray and not np.array_equal(before, now, equal_nan=True):
            raise RuntimeError(
                "checkpoint: the function gave another value when it was run again for the backward walk.\n"
                "  Pass to it what is random or may change, such as noise and masks, as arguments."
            )
        targets = [*variables, *self.used]
        made_of_others = [t for t in targets if any(isinstance(x, Node) and x in set(targets) for x in t.inputs)]
        groups = [[t for t in targets if t not in set(made_of_others)], *([t] for t in made_of_others)]
        found = {  # no walk may go on from one of the targets to another, as the walk outside does that
            t: gt for group in groups for t, gt in zip(group, Pullback([again], group, since)([g], record), strict=True)
        }
        return [found[t] for t in targets]
