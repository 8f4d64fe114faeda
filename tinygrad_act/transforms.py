"""Derivatives as Tensors, which have derivatives of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import text
from .autodiff import cotangent_of, toposort, walk
from .op import Node
from .tensor import Tensor


def gradients(y: Any, xs: Any, seed: Any = None) -> Any:
    """The derivatives of `y` with respect to `xs`, as Tensors that can be differentiated again, to any order.

    `xs` is a Tensor, which gives one, or several, which give a list; what `y` does not depend on gets zeros. No `.grad`
    changes. `seed` is the cotangent of `y`, 1 for a scalar.

    >>> x = Tensor(2.0)
    >>> first = gradients(x**3, x)
    >>> first.item(), gradients(first, x).item()
    (12.0, 12.0)
    """
    targets: list[Node] = [xs] if isinstance(xs, Node) else list(xs)
    for x in targets:
        if not isinstance(x, Node) or not x.requires_grad:
            raise text.not_a_variable(x)
    order, wanted = toposort(y), set(targets)
    for node in reversed(order):
        if any(isinstance(x, Node) and x in wanted for x in node.inputs):
            wanted.add(node)
    if not isinstance(seed, Node):
        seed = cotangent_of(y, seed)
    elif seed._data.shape != y.shape:
        raise text.seed_does_not_fit(y, seed._data.shape)
    found = dict(walk(order, seed, wanted, lambda node: node))
    results = (found.get(x, np.zeros_like(x._data)) for x in targets)
    tensors = [g if isinstance(g, Node) else Tensor(g, requires_grad=False) for g in results]
    return tensors[0] if isinstance(xs, Node) else tensors
