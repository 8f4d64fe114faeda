"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable

from ..op import Array
from ..tensor import Tensor
from .optimizer import Optimizer


class SGD(Optimizer):
    """p <- p - lr d, where d is the gradient, or with `momentum` a running sum of gradients that fades by that factor.

    `nesterov` looks a step ahead (Sutskever et al., 2013, ICML); `weight_decay` adds that much of p to the gradient.

    >>> w = Tensor(1.0)
    >>> optimizer = SGD([w], lr=0.1)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> w.item()
    0.8
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr)
        if nesterov and not momentum:
            raise ValueError("SGD: nesterov looks ahead along the momentum, which is 0: set momentum=0.9, say")
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay
        self.velocity = self._zeros() if momentum else []

    def update(self, i: int, p: Tensor, g: Array) -> None:
        if self.weight_decay:
            g = g + self.weight_decay * p.data
        if self.momentum:
            v = self.velocity[i]
            v *= self.momentum
            v += g
            g = g + self.momentum * v if self.nesterov else v
        p.data -= self.lr * g
