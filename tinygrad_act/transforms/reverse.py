"""Derivatives from the value back: of Tensors that are there, and of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import text
from ..autodiff import cotangent_of
from ..op import Node
from ..tensor import Tensor
from ..trees import flatten, leaves_like
from .linear import Point, Pullback, floats


def gradients(y: Any, xs: Any, seed: Any = None) -> Any:
    """The derivatives of `y` with respect to `xs`, as Tensors that can be differentiated again, to any order.

    `xs` is a Tensor, which gives one, or several, which give a list; what `y` does not depend on gets zeros. No `.grad`
    changes. `seed` is the cotangent of `y`, 1 for a scalar.

    >>> x = Tensor(2.0)
    >>> first = gradients(x**3, x)
    >>> first.item(), gradients(first, x).item()
    (12.0, 12.0)
    """
    if not isinstance(y, Node):
        raise TypeError(f"gradients() is of a Tensor, and was given a {type(y).__name__}, which depends on none")
    targets: list[Node] = [xs] if isinstance(xs, Node) else list(xs)
    for x in targets:
        if not isinstance(x, Node) or not x.requires_grad:
            raise text.not_a_variable(x)
    if not isinstance(seed, Node):
        seed = cotangent_of(y, seed)
    elif seed._array.shape != y._array.shape:
        raise text.seed_does_not_fit(y, seed._array.shape)
    results = Pullback([y], targets)([seed], record=True)
    tensors = [g if isinstance(g, Node) else Tensor(g, requires_grad=False) for g in results]
    return tensors[0] if isinstance(xs, Node) else tensors


def grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The gradient of a function of arrays that returns a scalar, as a function of the same arguments.

    It is with respect to the argument number `argnums`, or a tuple with one gradient for each if that is a tuple.
    Arguments may be nested lists, tuples, named tuples and dicts of float arrays and numbers; a gradient has the form,
    the shapes and the dtypes of its argument. Keywords are handed to `f`. With `has_aux`, `f` returns
    `(value, anything)`, and the result is `(gradient, anything)`.

    Arrays come out, or Tensors where the gradient depends on a Tensor: on one among the arguments, or on one that `f`
    uses, as a parameter of a model or the variable of another transform is, so that no dependence is lost in silence.
    Under `no_grad()` nothing is kept, and no `.grad` changes in any case. What the value does not depend on gets zeros,
    and that is so of an argument that `f` takes out of the graph by `.data` or `.detach()`.

    ValueError if the value is not a scalar, TypeError for arguments or values that are not floats.

    >>> grad(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    array([ 3., 12.])
    >>> cube = lambda x: x**3
    >>> [float(f(2.0)) for f in (grad(cube), grad(grad(cube)), grad(grad(grad(cube))))]
    [12.0, 12.0, 6.0]
    """
    both = value_and_grad(f, argnums, has_aux, _who="grad")

    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return _named(gradient, "grad", f)


def value_and_grad(
    f: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False, *, _who: str = "value_and_grad"
) -> Callable[..., Any]:
    """As `grad`, returning `(value, gradient)`; with `has_aux`, `((value, anything), gradient)`.

    >>> value, slope = value_and_grad(lambda p: p["w"] * 2 + p["b"])({"w": 3.0, "b": 1.0})
    >>> float(value), float(slope["w"])
    (7.0, 2.0)
    """

    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        point = Point(_who, f, args, argnums, has_aux, kwargs)
        y = _one_output(_who, point)
        if y.size != 1:
            raise ValueError(
                f"{_who}: the function returned an array of shape {y.shape}, and a gradient is of a scalar.\n"
                "  Write np.sum of it, ta.elementwise_grad for a function of each element, ta.jacobian for all\n"
                "  derivatives, or ta.vjp for a cotangent of yours."
            )
        found = point.given(point.tree, point.pull([np.ones_like(_array(y))]))
        value = point.given(point.value, point.outputs)
        return ((value, point.auxiliary()) if has_aux else value), found

    return _named(value_and_gradient, "value_and_grad", f)


def elementwise_grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The derivative of a function that acts on each element by itself, at every element; as `grad` otherwise.

    It is the gradient of the sum of what `f` returns, one array of any shape: where `f` mixes elements, or an argument
    is broadcast, each element gets the sum of the derivatives that it has a part in.

    >>> elementwise_grad(np.tanh)(np.array([0.0, 1.0]))
    array([1.        , 0.41997434])
    """

    def derivative(*args: Any, **kwargs: Any) -> Any:
        point = Point("elementwise_grad", f, args, argnums, kwargs=kwargs)
        y = _one_output("elementwise_grad", point)
        return point.given(point.tree, point.pull([np.ones_like(_array(y))]))

    return _named(derivative, "elementwise_grad", f)


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The value of `f(*primals)`, and the map from cotangents of that to a tuple of cotangents of the primals.

    `f` may return containers too. The map is v ↦ vᵀJ, may be used many times, and is differentiable in v if that is a
    Tensor. Arrays and Tensors come out as of `grad`. ValueError for a cotangent of another form or shape.

    >>> y, pullback = vjp(lambda a, b: a * b, np.array([1.0, 2.0]), 3.0)
    >>> y, pullback(np.array([1.0, 10.0]))
    (array([3., 6.]), (array([ 3., 30.]), np.float64(21.0)))
    """
    point = Point("vjp", f, primals, tuple(range(len(primals))))

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        cotangents = fitting(point.value, point.outputs, cotangent, "vjp: the cotangent")
        found: tuple[Any, ...] = point.given(point.tree, point.pull(cotangents))
        return found

    return point.given(point.value, point.outputs, kept=point.outputs), pullback


def fitting(tree: Any, like: list[Any], given: Any, what: str) -> list[Any]:
    """The leaves of what was given as arrays or Tensors of the shapes and dtypes of others."""
    fits = []
    for (path, _), x, g in zip(flatten(tree, what), like, leaves_like(tree, given, what), strict=True):
        array = floats(g, path, "Write numbers, in an array of the same shape.", kinds="fiub")
        if array.shape != x.shape:
            raise ValueError(f"{path} has shape {array.shape}, where there is an array of shape {x.shape}")
        is_tensor = isinstance(g, Tensor)
        fits.append(g if is_tensor and g.dtype == x.dtype else (g if is_tensor else array).astype(x.dtype))
    return fits


def _one_output(who: str, point: Point) -> Any:
    if flatten(point.value) and not isinstance(point.value, list | tuple | dict):
        return point.outputs[0]
    hint = " Write has_aux=True if the first is the value." if isinstance(point.value, tuple) else ""
    raise TypeError(f"{who}: the function returned a {type(point.value).__name__}, not one array.{hint}")


def _array(y: Any) -> Any:
    return y._array if isinstance(y, Node) else y


def _named(transformed: Callable[..., Any], who: str, f: Any) -> Callable[..., Any]:
    """Named after the function that it is made of."""
    transformed.__name__ = transformed.__qualname__ = f"{who}({getattr(f, '__name__', type(f).__name__)})"
    vars(transformed)["__wrapped__"] = f  # whose signature it has
    return transformed
