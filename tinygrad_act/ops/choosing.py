"""Choosing between arrays, and picking by conditions, which are constants."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..op import IMPLEMENTS
from .arguments import array, refuse
from .arithmetic import where as _where
from .constant import plain
from .indexing import Scatter


def _plain(x: Any) -> Any:
    """Conditions and positions as arrays, also those in Tensors."""
    return array(plain(x))


def where(condition: Any, *ab: Any) -> Any:
    """a where the condition holds, b elsewhere; without those two, the positions where it holds."""
    return _where(plain(condition), *ab) if ab else np.nonzero(_plain(condition))


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """Of several arrays, at each place the first whose condition holds there, or the default."""
    if len(condlist) != len(choicelist):
        raise ValueError(f"select: {len(condlist)} conditions for {len(choicelist)} choices")
    choicelist = [array(choice) if isinstance(choice, list | tuple) else choice for choice in choicelist]
    default = default + np.zeros((), np.result_type(*choicelist, default))  # numbers are weak beside any of the arrays
    pairs = zip(reversed(condlist), reversed(choicelist), strict=True)
    return functools.reduce(lambda rest, pair: np.where(_plain(pair[0]), pair[1], rest), pairs, default)


def choose(a: Any, choices: Any, out: Any = None, mode: Any = "raise") -> Any:
    """At each place, the element of that one of the choices whose number `a` has there."""
    refuse("choose", out=out)
    choice = np.take(np.arange(len(choices)), _plain(a), mode=mode)
    return select([np.equal(choice, i) for i in range(len(choices))], choices)


def piecewise(x: Any, condlist: Any, funclist: Sequence[Callable[..., Any] | Any], *args: Any, **kwargs: Any) -> Any:
    """For each condition, a function of the elements where it holds, or a number; later ones go before earlier ones.

    One function more is for where none holds. Each sees only its own elements, so the others cannot disturb it.
    """
    conditions = [_plain(c) for c in (condlist if np.ndim(condlist) or isinstance(condlist, list) else [condlist])]
    if np.ndim(conditions[0]) == 0 and x.ndim != 0:
        conditions = [np.stack(conditions)]
    if len(funclist) == len(conditions) + 1:
        conditions.append(~functools.reduce(np.logical_or, conditions))
    if len(funclist) != len(conditions):
        raise ValueError(
            f"piecewise: {len(funclist)} functions for {len(conditions)} conditions; one more is for the rest"
        )
    result, later = np.zeros_like(x), np.zeros(x.shape, bool)
    for condition, function in zip(reversed(conditions), reversed(funclist), strict=True):
        mask = np.broadcast_to(condition, x.shape) & ~later
        later = later | mask
        part = x[mask]
        value = function(part, *args, **kwargs) if callable(function) else function
        result = result + Scatter(mask, x.shape)(np.astype(np.broadcast_to(value, part.shape), x.dtype))
    return result


def compress(condition: Any, a: Any, axis: int | None = None, out: Any = None) -> Any:
    """The slices along an axis for which a row of conditions holds; of the raveled array when there is none."""
    refuse("compress", out=out)
    return np.take(a, np.flatnonzero(_plain(condition)), axis)


def extract(condition: Any, arr: Any) -> Any:
    """The elements where a condition holds, in one row."""
    return np.take(arr, np.flatnonzero(_plain(condition)))


IMPLEMENTS |= {
    np.where: where,
    np.select: select,
    np.choose: choose,
    np.piecewise: piecewise,
    np.compress: compress,
    np.extract: extract,
}
