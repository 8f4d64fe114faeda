"""The one file that knows the chain rule: the order of the walk, the cotangents, and how broadcasting is undone."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import numpy as np

from . import hooks, text
from .op import Array, Node, Op


def toposort(*roots: Node, since: int = -1) -> list[Node]:
    """The nodes newer than `since` from the roots to the leaves that require a gradient, each after all that use it."""
    order = list(seen := {root for root in roots if root.stamp > since})
    for node in order:  # which grows as we go
        for x in node.inputs:
            if isinstance(x, Node):
                if x.stamp > node.stamp:
                    raise text.stale(x, node.op)
                if x.requires_grad and x.stamp > since and x not in seen:
                    seen.add(x)
                    order.append(x)
    return sorted(order, key=attrgetter("stamp"), reverse=True)


def walk(order: list[Node], cotangents: dict[Node, Any], wanted: set[Node], value: Any) -> Iterator[tuple[Node, Any]]:
    """Yield each node of the order with its cotangent, from those given to the leaves, going only into `wanted` nodes.

    Rules are given `value(node)`: on arrays they compute cotangents, on nodes they record how to. What arrives at nodes
    that are not in the order stays in `cotangents`.
    """
    take = hooks.taking(cotangents) if hooks.HOOKED else cotangents.pop
    for node in order:
        g = take(node, None)
        if g is None:
            continue
        yield node, g
        if (op := node.op) is None:
            continue
        y, inputs = value(node), [value(x) if isinstance(x, Node) else x for x in node.inputs]
        for i, x in enumerate(node.inputs):
            if isinstance(x, Node) and x in wanted:
                gx, like = op.vjp(i, g, y, *inputs), x._array
                if getattr(gx, "shape", None) != like.shape or gx.dtype != like.dtype:
                    gx = unbroadcast(gx, like, op, i)
                cotangents[x] = cotangents[x] + gx if x in cotangents else gx


def unbroadcast(g: Array, x: Array, op: Op, i: int) -> Array:
    """Sum the cotangent `g` over the axes along which input `i` was broadcast, and give it the dtype of that, `x`."""
    if not hasattr(g, "shape"):
        raise text.wrong_cotangent(op, i, g, x)
    g = g.sum(axis=tuple(range(g.ndim - x.ndim))) if g.ndim > x.ndim else g
    stretched = tuple(i for i, (n, m) in enumerate(zip(x.shape, g.shape, strict=False)) if n == 1 != m)
    g = g.sum(axis=stretched, keepdims=True) if stretched else g
    if g.shape != x.shape:
        raise text.wrong_cotangent(op, i, g, x)
    kind = "c" if g.dtype.kind == "c" else x.dtype.kind
    if kind != "f":  # a faulty rule, or requires_grad was set later
        raise text.not_differentiable(f"an input of {op.name}", kind)
    return g if g.dtype == x.dtype else g.astype(x.dtype)


def backward(root: Node, seed: Any = None) -> None:
    """Leave d root / d node in the `grad` of every node that requires one; leaves add it to what they have."""
    if not root.requires_grad:
        raise text.nothing_to_differentiate(root)
    order = toposort(root)
    shared = set()  # ids of the arrays some `grad` has: a rule may pass its g on as it is, but a leaf owns its own
    for node, g in walk(order, {root: cotangent_of(root, seed)}, set(order), attrgetter("_array")):
        g = np.asarray(g) if isinstance(g, np.generic) else g
        if node.op is None and node.grad is not None:
            g = node.grad + g
        elif node.op is None and (g.base is not None or id(g) in shared):
            g = g.copy()
        node.grad = g
        shared.add(id(g))


def cotangent_of(root: Node, seed: Any) -> Array:
    """The seed as an array like the root's, which nothing else holds; by default 1, for a scalar."""
    if seed is None:
        if root._array.size != 1:
            raise text.needs_a_seed(root)
        return np.ones_like(root._array)
    seed = np.array(seed, dtype=root._array.dtype)
    if seed.shape != root._array.shape:
        raise text.seed_does_not_fit(root, seed.shape)
    return seed
