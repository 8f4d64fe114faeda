"""Layers of activations that learn their own shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..activations.names import activation, find
from ..op import Op
from ..tensor import Tensor
from .module import Module


class Learned(Module):
    """An op that learns some of its inputs, such as prelu's `a`: here they are parameters, under the same names.

    Each is one number, or one for each of `features` along `axis`, which counts from the end: -1 for the features of a
    Linear layer, -3 for channels of images (n, channels, height, width). They start as the op says, or as given here by
    name; so are the op's settings. Parameters are float64 unless `dtype` says otherwise.

    TypeError for an op that learns nothing, or a name that it does not have.

    >>> layer = Learned("prelu", features=3, a=0.1)
    >>> layer
    Learned(PReLU(), features=3)
    >>> layer(np.array([[-1.0, -2.0, 3.0]])).data
    array([[-0.1, -0.2,  3. ]])
    """

    def __init__(
        self,
        op: str | Op,
        features: int | None = None,
        axis: int = -1,
        dtype: np.typing.DTypeLike | None = None,
        **given: Any,
    ) -> None:
        learned = activation(op).learned
        if not learned:
            raise TypeError(f"{op!r} learns nothing: it is a layer as it is")
        if axis >= 0:
            raise ValueError(f"axis counts from the end, so that it fits any batch: -1 or less, not {axis}")
        self.op = activation(op, **{name: value for name, value in given.items() if name not in learned})
        self.features, self.axis = features, axis
        shape = () if features is None else (features, *(1,) * (-1 - axis))
        for name, initial in learned.items():
            setattr(self, name, Tensor(np.full(shape, given.get(name, initial), float), dtype=dtype))

    def forward(self, x: Any) -> Any:
        if self.features is not None and (x.ndim < -self.axis or x.shape[self.axis] != self.features):
            raise ValueError(f"{self!r} got an array of shape {x.shape}, which has another size along axis {self.axis}")
        return self.op(*(getattr(self, name) if name in self.op.learned else x for name in self.op.arguments))

    def __repr__(self) -> str:
        features = "" if self.features is None else f", features={self.features}"
        return f"Learned({self.op!r}{features}{'' if self.axis == -1 else f', axis={self.axis}'})"


def as_layer(layer: str | Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What a layer is that was given in short: an op for its name, and if it learns, with parameters of its own."""
    op = activation(layer) if isinstance(layer, str) else layer
    if isinstance(op, type) or not callable(op):
        raise TypeError(
            f"a layer is a module, an op, its name, or a function, not {layer!r}: write ta.relu, or ta.ELU()"
        )
    if isinstance(op, Op) and len(op.arguments) > 1 + len(op.learned):
        hint = ".\n  Write nn.GumbelSoftmax(rng=...), which draws the noise" if op.name == "gumbel_softmax" else ""
        raise TypeError(f"a layer is a function of one array, but {op.name} is one of {', '.join(op.arguments)}{hint}")
    return Learned(op) if isinstance(op, Op) and op.learned else op


def missing(name: str) -> str:
    """What to tell who looks for an activation among the layers, as it is in PyTorch: nn.ReLU."""
    op = find(name)
    if op is None:
        return f"module 'tinygrad_act.nn' has no attribute {name!r}"
    if op.learned:
        return f"nn has no {name}: write nn.Learned(ta.{op.name}), or {op.name!r} in a Sequential"
    return f"nn has no {name}, as activations are ops: write ta.{op.name}, or {op.name!r} in a Sequential"
