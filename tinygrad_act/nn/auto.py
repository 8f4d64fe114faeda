"""Weights on whose scale a signal lives: worked out from the activations, or measured."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..ops.special import normal_cdf
from ..tensor import no_grad
from .gain import gain
from .learned import Learned
from .module import Module

if TYPE_CHECKING:
    from .layers import Linear

SomeModule = TypeVar("SomeModule", bound=Module)


def auto(model: SomeModule, *inputs: Any, rng: np.random.Generator | None = None) -> SomeModule:
    """Draw the weights of every Linear layer, and of Maxout's, so that what comes out of each has variance 1; biases 0.

    A layer fed by f(z), where z has variance 1, gets N(0, gain(f)² / in): so the second moments of f(z) add up to 1
    again (He et al., 2015, arXiv:1502.01852, for any f). An activation thus decides the scale of the weights
    that follow it. The first layer counts on inputs of second moment 1. It is what goes into an activation
    that has variance 1; what comes out of it has second moment 1 / gain(f)², the same at every depth: 1 is beyond
    the reach of tanh, whatever the weights.

    `auto(model)` reads Sequentials of such layers, Flatten, and functions of each element by itself, and raises
    ValueError for anything else. `auto(model, x)` takes any model: it runs it on this batch, once, and divides each
    layer's weights by the root mean square of what comes out when it is called (Mishkin and Matas, 2015,
    arXiv:1511.06422, start from orthogonal matrices). Only Linear's parameters change, and of them no frozen weights;
    the generators of layers that draw are left as they were.

    A function for which E f(sz)² grows faster than s² makes large signals larger and small ones smaller, whatever the
    scale: with gelu and silu the logarithm of a deviation from 1 grows by 14 and 17 % a layer. Twenty layers of them
    need a normalisation, too.

    >>> from tinygrad_act import nn, tanh
    >>> rng = np.random.default_rng(0)
    >>> model = nn.init.auto(nn.Sequential(nn.Linear(300, 200), tanh, nn.Linear(200, 100)), rng=rng)
    >>> print(f"{300 * model[0].weight.data.var():.2f} {200 * model[2].weight.data.var():.2f} = {gain(tanh) ** 2:.2f}")
    1.00 2.53 = 2.54
    """
    rng = np.random.default_rng() if rng is None else rng
    linears = _linears(model)
    if inputs:
        _measure(linears, model, inputs, rng)
    else:
        for linear, scale in _gains(model, linears):
            _draw(linear, scale, rng)
    return model


def _linears(model: Module) -> list[Linear]:
    """The layers to initialise."""
    from .layers import Linear

    return [module for module in model.modules() if isinstance(module, Linear) and module.weight.requires_grad]


def _draw(linear: Linear, scale: float, rng: np.random.Generator) -> None:
    weight = linear.weight
    weight.data = rng.normal(0, scale / math.sqrt(weight.shape[0]), weight.shape).astype(weight.dtype)
    if linear.bias is not None:
        linear.bias.data = np.zeros_like(linear.bias.data)


def _gains(model: Module, linears: list[Linear]) -> list[tuple[Linear, float]]:
    """Each layer with the gain of what lies between it and the layer before."""
    from .layers import Flatten, Linear, Maxout

    found: dict[Linear, float] = {}
    pieces, between = 1, list[Any]()
    for layer in _chain(model):
        linear: Any = layer.affine if _is(layer, Maxout) else layer
        if linear in found:
            raise ValueError(f"{linear!r} is used twice, and one scale may not serve both: measure, auto(model, x)")
        if linear in linears and _is(linear, Linear):
            found[linear] = _gain_of(pieces, between)
            pieces, between = getattr(layer, "pieces", 1), []
        elif not _is(layer, Flatten):
            between.append(layer)
    hidden = [linear for linear in linears if linear not in found]
    if hidden:
        raise ValueError(
            f"auto(model) knows the order of layers in a Sequential only, and {hidden[0].weight.name} is in another\n"
            "  module. Give it a batch to run that on: auto(model, x)."
        )
    return list(found.items())


def _chain(layer: Any) -> Iterator[Any]:
    """The layers of Sequentials in Sequentials, in order."""
    from .layers import Sequential

    if _is(layer, Sequential):
        for part in layer.layers:
            yield from _chain(part)
    else:
        yield layer


def _is(layer: Any, kind: type[Module]) -> bool:
    """Whether the layer computes what this kind does, even if it is a subclass."""
    return isinstance(layer, kind) and type(layer).forward is kind.forward


def _gain_of(pieces: int, between: list[Any]) -> float:
    """The gain of functions in a row, of z ~ N(0, 1), or of the greatest of as many as there are pieces."""
    functions = [_as_function(layer) for layer in between]

    def weighted(z: Any) -> Any:
        density = pieces * normal_cdf(z) ** (pieces - 1)  # of the greatest, as a multiple of that of z
        for function in functions:
            z = function(z)
        return np.sqrt(density) * z

    try:
        return gain(functions[0] if (pieces, len(functions)) == (1, 1) else weighted)
    except ValueError as error:
        said = ", ".join(map(repr, between))
        raise ValueError(f"auto cannot work out what {said} does to a signal: measure, auto(model, x)") from error


def _as_function(layer: Any) -> Any:
    """The layer; if it is an activation that learns, at what it has learned, if that is the same for all features."""
    if not _is(layer, Learned):
        return layer
    learned = {name: getattr(layer, name).data for name in layer.op.learned}
    if any(np.ptp(values) for values in learned.values()):
        return layer
    return lambda z: layer.op(*(learned[name].flat[0] if name in learned else z for name in layer.op.arguments))


def _measure(linears: list[Linear], model: Module, inputs: tuple[Any, ...], rng: np.random.Generator) -> None:
    """Run the model, and give each layer the scale that makes the mean square of its result 1 when it is called."""
    for linear in linears:
        _draw(linear, 1.0, rng)
        vars(linear)["forward"] = functools.partial(_scale, linear)  # in the way of the class's, for one call
    values = (value for module in model.modules() for value in vars(module).values())
    states = [(value, value.bit_generator.state) for value in values if isinstance(value, np.random.Generator)]
    try:
        with no_grad():
            model(*inputs)
        unused = [str(linear.weight.name) for linear in linears if "forward" in vars(linear)]
    finally:
        for linear in linears:
            vars(linear).pop("forward", None)
        for generator, state in states:  # of layers that draw
            generator.bit_generator.state = state
    if unused:
        raise ValueError(f"model(x) does not call the layers of {', '.join(unused)}: there is nothing to measure")


def _scale(linear: Linear, x: Any) -> Any:
    del vars(linear)["forward"]
    size = _root_mean_square(linear(x))
    if not 0 < size < math.inf:
        raise ValueError(f"the signal has become {size} at {linear.weight.name}: no scale brings it back")
    linear.weight.data = linear.weight.data / size
    return linear(x)


def _root_mean_square(z: Any) -> float:
    largest = float(np.abs(z.data).max())
    if not 0 < largest < math.inf:
        return largest
    return largest * math.sqrt(np.square(z.data / largest, dtype=np.float64).mean())  # the squares may overflow
