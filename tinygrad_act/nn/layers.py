"""Layers: modules with parameters, and the ones that join them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..activations.maxout import maxout
from ..ops.linalg import affine
from ..tensor import Tensor
from . import init
from .learned import as_layer
from .module import Module


class Linear(Module):
    """x W + b, for x of shape (..., in_features).

    `weight` has shape (in, out) and starts by `initial`, Glorot's uniform distribution unless given; `bias` has shape
    (out,) and starts at 0. `rng` makes it reproducible. Parameters are float64 unless `dtype` says otherwise.

    >>> layer = Linear(3, 2, rng=np.random.default_rng(0))
    >>> layer(np.ones((5, 3))).shape
    (5, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        dtype: np.typing.DTypeLike | None = None,
        rng: np.random.Generator | None = None,
        initial: init.Initializer = init.glorot_uniform,
    ) -> None:
        rng = np.random.default_rng() if rng is None else rng
        self.weight = Tensor(initial(rng, (in_features, out_features)), dtype=dtype)
        self.bias = Tensor(np.zeros(out_features), dtype=dtype) if bias else None

    def forward(self, x: Any) -> Any:
        return x @ self.weight if self.bias is None else affine(x, self.weight, self.bias)

    def __repr__(self) -> str:
        return f"Linear({', '.join(map(str, self.weight.shape))}{', bias=False' if self.bias is None else ''})"


class Maxout(Module):
    """A layer of `pieces` affine functions per output, of which the greatest counts (Goodfellow et al., 2013).

    `weight` has shape (in, out * pieces) and `bias` (out * pieces,): it is a Linear layer whose outputs are taken
    `pieces` at a time.

    >>> layer = Maxout(3, 2, pieces=4, rng=np.random.default_rng(0))
    >>> layer(np.ones((5, 3))).shape
    (5, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        pieces: int = 2,
        dtype: np.typing.DTypeLike | None = None,
        rng: np.random.Generator | None = None,
        initial: init.Initializer = init.glorot_uniform,
    ) -> None:
        self.out_features, self.pieces = out_features, pieces
        self.affine = Linear(in_features, out_features * pieces, dtype=dtype, rng=rng, initial=initial)

    def forward(self, x: Any) -> Any:
        z = self.affine(x)
        return maxout(z.reshape((*z.shape[:-1], self.out_features, self.pieces)))

    def __repr__(self) -> str:
        return f"Maxout({self.affine.weight.shape[0]}, {self.out_features}, pieces={self.pieces})"


class Sequential(Module):
    """Layers one after the other: modules, ops or their names, or any functions of one array.

    An activation that learns, such as prelu, gets parameters of its own, as by `Learned`. A name that no activation has
    raises ValueError, and what is no function of one array TypeError.

    >>> from tinygrad_act import tanh
    >>> rng = np.random.default_rng(0)
    >>> Sequential(Linear(2, 8, rng=rng), tanh, Linear(8, 8, rng=rng), "prelu", Linear(8, 1, rng=rng))
    Sequential(
      0: Linear(2, 8)
      1: Tanh()
      2: Linear(8, 8)
      3: Learned(PReLU())
      4: Linear(8, 1)
    )
    """

    def __init__(self, *layers: Callable[[Any], Any] | str) -> None:
        self.layers = tuple(as_layer(layer) for layer in layers)

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def __getitem__(self, i: int) -> Callable[[Any], Any]:
        return self.layers[i]

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self) -> str:
        lines = (f"  {i}: {layer!r}".replace("\n", "\n  ") for i, layer in enumerate(self.layers))
        return "\n".join(["Sequential(", *lines, ")"])


class Flatten(Module):
    """All axes but the first as one.

    >>> Flatten()(np.ones((5, 8, 8))).shape
    (5, 64)
    """

    def forward(self, x: Any) -> Any:
        return x.reshape((x.shape[0], math.prod(x.shape[1:])))
