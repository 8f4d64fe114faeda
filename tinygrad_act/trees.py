"""Nested containers: lists, tuples, named tuples and dicts of leaves. None is a container with nothing in it."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any


def parts(tree: Any) -> Iterable[tuple[Any, Any]] | None:
    """The keys and values of a container, in order; None for a leaf."""
    if tree is None:
        return ()
    if isinstance(tree, dict):
        return tree.items()
    return enumerate(tree) if isinstance(tree, list | tuple) else None


def flatten(tree: Any, path: str = "") -> list[tuple[str, Any]]:
    """Every leaf, in order, with its path.

    >>> flatten({"w": [1.0, 2.0], "b": None})
    [("['w'][0]", 1.0), ("['w'][1]", 2.0)]
    """
    inner = parts(tree)
    if inner is None:
        return [(path, tree)]
    return [found for key, part in inner for found in flatten(part, f"{path}[{key!r}]")]


def unflatten(like: Any, leaves: Iterator[Any]) -> Any:
    """A tree of the form of `like`, with other leaves.

    >>> unflatten({"w": [1.0, 2.0], "b": None}, iter("ab"))
    {'w': ['a', 'b'], 'b': None}
    """
    inner = parts(like)
    if inner is None:
        return next(leaves)
    return rebuilt(like, [unflatten(part, leaves) for _, part in inner])


def rebuilt(like: Any, values: list[Any]) -> Any:
    """A container of the kind of `like`, with other values."""
    if like is None:
        return None
    if isinstance(like, dict):
        filled = copy.copy(like)
        for key, value in zip(like, values, strict=True):
            filled[key] = value
        return filled
    return like._make(values) if hasattr(like, "_make") else type(like)(values)


def leaves_like(like: Any, tree: Any, what: str, path: str = "") -> list[Any]:
    """The leaves of a tree in the order of those of `like`, whose form it has to have; ValueError if it has another."""
    ours, theirs = parts(like), parts(tree)
    if ours is None:
        if tree is None:
            raise ValueError(f"{what}{path} is None, where there is an array")
        return [tree]
    expected, given = dict(ours), tree if like is not None and theirs is None else dict(theirs or ())
    if (like is None and tree is not None) or theirs is None or expected.keys() != given.keys():
        raise ValueError(f"{what}{path} is to be {_form(like)}, as it is there, but is {_form(tree)}")
    return [leaf for key, part in expected.items() for leaf in leaves_like(part, given[key], what, f"{path}[{key!r}]")]


def _form(tree: Any) -> str:
    inner = parts(tree)
    if tree is None or inner is None:
        return "None" if tree is None else f"one {type(tree).__name__}"
    keys = [key for key, _ in inner]
    return f"a dict with the keys {keys}" if isinstance(tree, dict) else f"a {type(tree).__name__} of {len(keys)}"
