"""What optimisers share."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..op import Array
from ..tensor import Tensor


class Optimizer:
    """Holds parameters; a subclass says in `update` how one of them moves along its gradient.

    >>> class SignDescent(Optimizer):
    ...     def update(self, i, p, g):
    ...         p.data -= self.lr * np.sign(g)
    >>> w = Tensor([3.0, -5.0])
    >>> (w * w).sum().backward()
    >>> SignDescent([w], lr=1.0).step()
    >>> w
    Tensor([ 2., -4.])
    """

    def __init__(self, parameters: Iterable[Tensor], lr: float) -> None:
        self.parameters = list(parameters)
        self.lr = lr
        if not self.parameters:
            raise ValueError(f"{type(self).__name__} was given no parameters: pass model.parameters()")
        if not lr >= 0:
            raise ValueError(f"{type(self).__name__}: the learning rate lr = {lr} is to be 0 or more")

    def zero_grad(self) -> None:
        """Forget all gradients, before the next ones are added to them."""
        for p in self.parameters:
            p.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient. Raises RuntimeError if none has."""
        moved = False
        for i, p in enumerate(self.parameters):
            if p.grad is not None:
                self.update(i, p, p.grad)
                moved = True
        if not moved:
            raise RuntimeError("no parameter has a gradient: call loss.backward() before step()")

    def update(self, i: int, p: Tensor, g: Array) -> None:
        """Move parameter number `i`, whose gradient is `g`."""
        raise NotImplementedError(f"{type(self).__name__} needs an update(self, i, p, g)")

    def _zeros(self) -> list[Array]:
        """A state of zeros like the parameters."""
        return [np.zeros_like(p.data) for p in self.parameters]
