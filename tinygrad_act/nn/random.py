"""Layers that draw: in training from a generator of theirs, in evaluation not at all."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..activations.learned import prelu
from ..activations.simplex import GumbelSoftmax as GumbelSoftmaxOp
from ..activations.simplex import Hardmax
from ..activations.softmax import TemperedSoftmax, float_type
from .module import Module


class GumbelSoftmax(Module):
    """Draws a choice from the distribution softmax(x), through which gradients flow (Jang et al., 2016,
    arXiv:1611.01144; Maddison et al., 2016, arXiv:1611.00712).

    A draw is a smooth one, of the op `gumbel_softmax`; with `hard` it is all for one, with the gradient of the smooth
    one (straight through). In evaluation there is no noise, which leaves softmax at the temperature, or hardmax. The
    rows run along `axis`; `rng` makes it reproducible. `temperature` may be lowered as training goes on.

    >>> layer = GumbelSoftmax(hard=True, rng=np.random.default_rng(0))
    >>> layer(np.log([[0.7, 0.2, 0.1]] * 3))
    array([[0., 0., 1.],
           [1., 0., 0.],
           [1., 0., 0.]])
    """

    def __init__(
        self, temperature: float = 1.0, axis: int = -1, hard: bool = False, rng: np.random.Generator | None = None
    ) -> None:
        self.temperature, self.axis, self.hard = temperature, axis, hard
        self.rng = np.random.default_rng() if rng is None else rng
        GumbelSoftmaxOp(temperature)  # which refuses one that makes no sense

    def forward(self, x: Any) -> Any:
        noise = self.rng.gumbel(size=x.shape).astype(float_type(x)) if self.training else None
        if self.hard:
            return Hardmax(self.axis, self.temperature)(x if noise is None else x + noise)
        if noise is None:
            return TemperedSoftmax(self.axis, self.temperature)(x)
        return GumbelSoftmaxOp(self.temperature, self.axis)(x, noise)

    def __repr__(self) -> str:
        return f"GumbelSoftmax(temperature={self.temperature}, axis={self.axis}, hard={self.hard})"


class RReLU(Module):
    """A leaky ReLU whose slope below 0 is drawn for each element, between `lower` and `upper` (Xu et al., 2015,
    arXiv:1505.00853).

    In evaluation the slope is (lower + upper) / 2. At 0 the derivative is the slope, as for `prelu`, the op that it
    calls. `rng` makes it reproducible.

    >>> layer = RReLU(rng=np.random.default_rng(0))
    >>> layer(np.array([-1.0, -1.0, 2.0])).round(3)
    array([-0.258, -0.181,  2.   ])
    >>> layer.eval()(np.array([-1.0, -1.0, 2.0])).round(3)
    array([-0.229, -0.229,  2.   ])
    """

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, rng: np.random.Generator | None = None) -> None:
        if not lower <= upper:
            raise ValueError(f"RReLU draws slopes from lower to upper, but lower={lower} is above upper={upper}")
        self.lower, self.upper = lower, upper
        self.rng = np.random.default_rng() if rng is None else rng

    def forward(self, x: Any) -> Any:
        if not self.training:
            return prelu(x, float(self.lower + self.upper) / 2)
        return prelu(x, self.rng.uniform(self.lower, self.upper, x.shape).astype(float_type(x)))

    def __repr__(self) -> str:
        return f"RReLU({self.lower:.4g}, {self.upper:.4g})"
