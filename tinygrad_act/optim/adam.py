"""Adam, and its form with decoupled weight decay."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..op import Array
from ..tensor import Tensor
from .optimizer import Optimizer


class Adam(Optimizer):
    """Steps of about `lr`, whatever the scale of the gradient: its mean over its root mean square, both running
    averages that `betas` let fade, and that are corrected for starting at 0 (Kingma and Ba, 2014, arXiv:1412.6980).

    `weight_decay` adds that multiple of p to the gradient.

    >>> w = Tensor(1.0)
    >>> optimizer = Adam([w], lr=0.1)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> round(w.item(), 6)
    0.9
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr)
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay
        self.steps = [0] * len(self.parameters)  # each parameter's own: one may join late
        self.mean, self.square = self._zeros(), self._zeros()

    def update(self, i: int, p: Tensor, g: Array) -> None:
        if self.weight_decay:
            g = self.decay(p, g)
        (beta1, beta2), m, v = self.betas, self.mean[i], self.square[i]
        self.steps[i] += 1
        m *= beta1
        m += (1 - beta1) * g
        v *= beta2
        v += (1 - beta2) * np.square(g)
        root = np.sqrt(v) / (1 - beta2 ** self.steps[i]) ** 0.5 + self.eps
        p.data -= (self.lr / (1 - beta1 ** self.steps[i])) * m / root

    def decay(self, p: Tensor, g: Array) -> Array:
        """The gradient, with the pull towards 0."""
        return g + self.weight_decay * p.data


class AdamW(Adam):
    """Adam whose weight decay shrinks p itself, by `lr` times `weight_decay` a step, and leaves the averages alone
    (Loshchilov and Hutter, 2017, arXiv:1711.05101).

    >>> AdamW([Tensor(1.0)]).weight_decay
    0.01
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def decay(self, p: Tensor, g: Array) -> Array:
        p.data *= 1 - self.lr * self.weight_decay
        return g
