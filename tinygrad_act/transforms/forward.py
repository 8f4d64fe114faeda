"""Derivatives along a direction, all derivatives, and those of second order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..op import Node
from ..trees import unflatten
from .linear import Point, Pullback, close, recording, variable
from .reverse import _named, fitting, value_and_grad


def pushforward(point: Point) -> Callable[[list[Any]], list[Any]]:
    """The linear map from tangents of the variables to those of the outputs, by two pullbacks (Townsend, 2017).

    The pullback is linear in its cotangents, wherever these are: so it is recorded at some, and its own pullback is the
    map wanted. It costs about two walks, and each further tangent one. The cotangents are small, so that none overflows
    on the way, and not 0, which times inf would be nan.
    """
    arrays = [y._array if isinstance(y, Node) else y for y in point.outputs]
    small = [variable(np.full_like(y, np.sqrt(np.finfo(y.dtype).tiny))) for y in arrays]
    with recording():
        cotangents = point.pullback(list(small), record=True)
    close(small)
    back = Pullback(cotangents, small, point.since)
    return lambda tangents: back.pull(tangents, point.kept)


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
    derivative = point.given(point.value, pushforward(point)(directions))
    return point.given(point.value, point.outputs), derivative


def jacobian(
    f: Callable[..., Any], argnums: int | tuple[int, ...] = 0, *, _who: str = "jacobian"
) -> Callable[..., Any]:
    """All derivatives of what `f` returns: arrays of its shape followed by that of the argument.

    For containers, it is the tree that `f` returns with the tree of the argument in place of each leaf. It is computed
    by rows, a walk for each element of the value, or by columns, whichever are fewer. Arguments, results and errors are
    else as of `grad`.

    >>> jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """

    def all_derivatives(*args: Any, **kwargs: Any) -> Any:
        point = Point(_who, f, args, argnums, kwargs=kwargs)
        ys, xs = point.outputs, point.variables
        by_rows = sum(y.size for y in ys) <= sum(x.size for x in xs)
        blocks = _blocks(ys, xs, point.pull, 0) if by_rows else _blocks(xs, ys, pushforward(point), -1)
        rows = [
            [_shaped(blocks[i][j] if by_rows else blocks[j][i], y.shape + x.shape, x) for j, x in enumerate(xs)]
            for i, y in enumerate(ys)
        ]
        return unflatten(point.value, iter([point.given(point.tree, row) for row in rows]))

    return _named(all_derivatives, _who, f)


def _blocks(arrays: list[Any], others: list[Any], linear: Callable[[list[Any]], list[Any]], axis: int) -> list[Any]:
    """What a linear map makes of each unit vector, side by side along an axis: a list for each array it is one of."""
    blocks = []
    for i, x in enumerate(arrays):
        units = np.eye(x.size, dtype=x.dtype).reshape(x.size, *x.shape)
        found = [linear([unit if i == j else None for j in range(len(arrays))]) for unit in units]
        blocks.append([_side_by_side([row[j] for row in found], axis) for j in range(len(others))])
    return blocks


def _side_by_side(parts: list[Any], axis: int) -> Any:
    return np.stack(parts, axis) if len(parts) > 1 else parts[0] if parts else np.zeros(0)


def _shaped(block: Any, shape: tuple[int, ...], x: Any) -> Any:
    """A block of the Jacobian, in the dtype of the argument, as a gradient is."""
    block = block if block.shape == shape else block.reshape(shape)
    return block if block.dtype == x.dtype else block.astype(x.dtype)


def hessian(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The second derivatives of what `f` returns, a scalar or not: the Jacobian of the Jacobian.

    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 3.0]))
    array([[6., 2.],
           [2., 0.]])
    """
    first = jacobian(f, argnums, _who="hessian")
    return _named(jacobian(first, argnums, _who="hessian"), "hessian", f)


def hvp(f: Callable[..., Any], primals: Any, tangents: Any) -> Any:
    """The Hessian of a function that returns a scalar, times a vector, without the Hessian (Pearlmutter, 1994).

    `primals` and `tangents` are as of `jvp`, and the result has their form. It is the pullback of the gradient
    (Christianson, 1992; Griewank and Walther, 2008), as the Hessian is symmetric: about twice the work of a gradient.

    >>> hvp(lambda x: np.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([  6., 120.])
    """
    primals, tangents, alone = _arguments(primals, tangents)
    numbers = tuple(range(len(primals)))
    both = value_and_grad(f, numbers, _who="hvp")
    point = Point("hvp", lambda *args: both(*args)[1], primals, numbers)
    found = point.given(point.tree, point.pull(fitting(point.tree, point.variables, tangents, "hvp: the tangent")))
    return found[0] if alone else found
