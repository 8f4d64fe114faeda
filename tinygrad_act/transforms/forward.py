"""Derivatives along a direction, all derivatives, and those of second order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..op import Node
from ..tensor import Tensor
from ..trees import unflatten
from .linear import Point, Pullback, recording
from .reverse import _named, fitting, grad, vjp


class Pushforward:
    """The linear map from tangents of the variables to those of the outputs, by two pullbacks (Townsend, 2017).

    The pullback is linear in its cotangents, wherever these are: so it is recorded at ones, and its own pullback is the
    map wanted. It costs about two walks, and each further tangent one.
    """

    def __init__(self, point: Point) -> None:
        self.point = point
        self.at = [Tensor(np.ones_like(y._array if isinstance(y, Node) else y)) for y in point.outputs]
        with recording():
            self.back = Pullback(point.pullback(list(self.at), record=True), self.at)

    def __call__(self, tangents: list[Any]) -> list[Any]:
        live = self.back.others or any(isinstance(t, Node) and t.requires_grad for t in tangents)
        return self.back(tangents, record=bool(live and self.point.kept))


def _arguments(primals: Any, tangents: Any) -> tuple[tuple[Any, ...], tuple[Any, ...], bool]:
    """Both as tuples, whether or not they were; a list is one argument."""
    alone = not isinstance(primals, tuple) or hasattr(primals, "_fields")
    return (primals, tangents, False) if not alone else ((primals,), (tangents,), True)


def jvp(f: Callable[..., Any], primals: Any, tangents: Any) -> tuple[Any, Any]:
    """The value of `f(*primals)`, and its derivative in the direction of the tangents: Jv.

    Both are tuples of the arguments, or each the one argument itself; containers, arrays and Tensors are as of `grad`.
    It is computed by two reverse walks (J. Townsend, "A new trick for calculating Jacobian vector products", 2017), and
    so through every op that has a rule. ValueError for a tangent of another form or shape.

    >>> y, dy = jvp(lambda x: x**2, np.array([1.0, 2.0]), np.array([1.0, 0.5]))
    >>> y, dy
    (array([1., 4.]), array([2., 2.]))
    """
    primals, tangents, _ = _arguments(primals, tangents)
    point = Point("jvp", f, primals, tuple(range(len(primals))))
    directions = fitting(point.tree, point.variables, tangents, "jvp: the tangent")
    point.as_tensors = point.as_tensors or any(isinstance(t, Node) for t in directions)
    derivative = point.given(point.value, Pushforward(point)(directions))
    return point.given(point.value, point.outputs), derivative


def jacobian(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """All derivatives of what `f` returns: arrays of its shape followed by that of the argument.

    For containers, it is the tree that `f` returns with the tree of the argument in place of each leaf. It is computed
    by rows, a walk for each element of the value, or by columns, whichever are fewer.

    >>> jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """

    def all_derivatives(*args: Any, **kwargs: Any) -> Any:
        point = Point("jacobian", f, args, argnums, kwargs=kwargs)
        ys, xs = point.outputs, point.variables
        by_rows = sum(y.size for y in ys) <= sum(x.size for x in xs)
        blocks = _blocks(ys, xs, point.pull) if by_rows else _blocks(xs, ys, Pushforward(point))
        rows = [
            point.given(
                point.tree,
                [(blocks[i][j] if by_rows else blocks[j][i].T).reshape(y.shape + x.shape) for j, x in enumerate(xs)],
            )
            for i, y in enumerate(ys)
        ]
        return unflatten(point.value, iter(rows))

    return _named(all_derivatives, "jacobian", f)


def _blocks(arrays: list[Any], others: list[Any], linear: Callable[[list[Any]], list[Any]]) -> list[list[Any]]:
    """The matrices of a linear map from some arrays to others: row i of a block is what the unit vector i becomes."""
    blocks = []
    for i, x in enumerate(arrays):
        units = [unit.reshape(x.shape) for unit in np.eye(x.size, dtype=x.dtype)]
        found = [linear([unit if i == j else None for j in range(len(arrays))]) for unit in units]
        stacks = [[row[j].reshape(-1) for row in found] for j in range(len(others))]
        blocks.append(
            [np.stack(s) if s else np.zeros((0, y.size), y.dtype) for s, y in zip(stacks, others, strict=True)]
        )
    return blocks


def hessian(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The second derivatives of a function that returns a scalar: the Jacobian of its gradient.

    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 3.0]))
    array([[6., 2.],
           [2., 0.]])
    """
    return _named(jacobian(grad(f, argnums), argnums), "hessian", f)


def hvp(f: Callable[..., Any], primals: Any, tangents: Any) -> Any:
    """The Hessian of a function that returns a scalar, times a vector, without the Hessian (Pearlmutter, 1994).

    `primals` and `tangents` are as of `jvp`, and the result has their form. It is the pullback of the gradient
    (Christianson, 1992; Griewank and Walther, 2008), as the Hessian is symmetric: about twice the work of a gradient.

    >>> hvp(lambda x: np.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([  6., 120.])
    """
    primals, tangents, alone = _arguments(primals, tangents)
    _, pullback = vjp(grad(f, tuple(range(len(primals)))), *primals)
    found = pullback(tangents)
    return found[0] if alone else found
