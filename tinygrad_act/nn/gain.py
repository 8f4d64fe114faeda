"""How much an activation takes from a signal, and so how much the next weights have to give back."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..activations.names import activation
from ..op import Array, Elementwise, Op
from ..tensor import Tensor, no_grad

FURTHEST = 38.0  # the normal density at 38 is 1e-314
HALVINGS = 40  # of a piece of 1/2, to 4e-13
LARGEST = 1e150  # whose square is a float: more of f counts as this, and makes the integral more than 1e270


def gain(op: Op | str | Callable[[Any], Any]) -> float:
    """1 / √E f(x)², for x ~ N(0, 1): times this, the activation of a signal of variance 1 has second moment 1 again.

    `op` is an op or its name (one that learns counts with what it starts from), or any function of each element of an
    array by itself. The integral is right to about 1e-10, kinks, jumps and waves included. ValueError if it is 0 or
    diverges, or if the function is not elementwise.

    PyTorch's `calculate_gain` is a table, which has 5/3 for tanh, and raises for GELU. Weights of variance
    gain(f)² / n multiply the variance of gradients by (gain(f) / gain(f'))² a layer: 1 for relu, 1.18 for tanh.

    >>> from tinygrad_act.activations import LeakyReLU
    >>> round(gain("tanh"), 4), round(gain(LeakyReLU(alpha=1.0)), 4), round(gain(lambda x: np.exp(-x * x)) ** 4, 4)
    (1.5925, 1.0, 5.0)
    """
    if isinstance(op, str):
        op = activation(op)
    moment = _moment_of_op(op) if isinstance(op, Op) else second_moment(op)
    if moment == 0:
        raise ValueError(f"{op!r} has no gain: it is 0 (almost) everywhere, and no weights bring a signal back")
    return 1 / math.sqrt(moment)


@functools.lru_cache(maxsize=256)
def _moment_of_op(op: Op) -> float:
    if isinstance(op, Elementwise) and not (op.domain[0] <= -FURTHEST and op.domain[1] >= FURTHEST):
        raise ValueError(f"{op!r} has no gain: it is not finite for every x ~ N(0, 1)")
    if len(op.arguments) != 1 + len(op.learned):
        raise _not_elementwise(op)
    start = [np.asarray(op.learned[name], float) for name in op.arguments[1:]]
    return second_moment(lambda x: op(x, *start), said=op)


def second_moment(f: Callable[[Any], Any], said: Any = None) -> float:
    """E f(x)² for x ~ N(0, 1), by Gauss-Lobatto quadrature on pieces that are halved until that changes nothing.

    >>> round(second_moment(np.sin), 10) == round((1 - math.exp(-2)) / 2, 10)
    True
    """
    said = f if said is None else said
    _check_elementwise(f, said)
    edges = np.linspace(-FURTHEST, FURTHEST, 153)
    low, width = edges[:-1], np.diff(edges)
    whole, done = _integrals(f, low, width), 0.0
    diverges = max(whole[0], whole[-1]) > 1e-12 * whole.sum()
    for _ in range(HALVINGS):
        width = np.repeat(width / 2, 2)
        low = np.repeat(low, 2)
        low[1::2] += width[1::2]
        halves = _integrals(f, low, width)
        both = halves[0::2] + halves[1::2]
        error, total = np.abs(both - whole), done + both.sum()
        rough = error > 1e-13 * total
        if diverges or not rough.any() or rough.sum() > 20_000:
            break
        done += both[~rough].sum()
        rough = np.repeat(rough, 2)
        low, width, whole = low[rough], width[rough], halves[rough]
    if diverges or not error.sum() <= 1e-6 * total < 1e270:
        raise ValueError(f"{said!r} has no gain: the mean of its square over x ~ N(0, 1) does not converge")
    return float(total)


def _integrals(f: Callable[[Any], Any], low: Array, width: Array) -> Array:
    """The integral of f² times the normal density over each piece."""
    nodes, weights = _lobatto()
    x = low[:, np.newaxis] + width[:, np.newaxis] * nodes
    root = np.exp(-0.25 * x * x) * (2 * math.pi) ** -0.25 * _values(f, x.ravel()).reshape(x.shape)
    return np.square(np.minimum(np.abs(root), LARGEST)) @ weights * width


@functools.cache
def _lobatto() -> tuple[Array, Array]:
    """20 nodes and weights on [0, 1], the ends among them: no jump can hide between an end and the first node."""
    top = np.polynomial.legendre.Legendre.basis(19)
    nodes = np.concatenate([[-1.0], np.sort(top.deriv().roots().real), [1.0]])
    return (nodes + 1) / 2, 1 / (20 * 19 * top(nodes) ** 2)


def _values(f: Callable[[Any], Any], x: Array) -> Array:
    """f of an array as an array, also if f is a module with parameters."""
    with no_grad():
        y = f(x)
    return np.asarray(y.data if isinstance(y, Tensor) else y, np.float64)


def _check_elementwise(f: Callable[[Any], Any], said: Any) -> None:
    """Change some elements, and see whether the others notice."""
    x = np.array([0.3, -1.2, 0.9, 2.1, -0.4, -2.2])
    kept = np.array([True, False, True, False, False, True])
    try:
        y, again = _values(f, x), _values(f, np.where(kept, x, -x[::-1]))
    except (ValueError, TypeError, IndexError) as error:
        raise _not_elementwise(said) from error
    if y.shape != x.shape or not np.allclose(y[kept], again[kept], equal_nan=True):
        raise _not_elementwise(said)


def _not_elementwise(said: Any) -> ValueError:
    return ValueError(f"{said!r} has no gain: it is not a function of each element of an array by itself")
