"""The ReLU and those that keep something of what it cuts off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..op import Array, Elementwise, Kink, register


class ReLU(Elementwise):
    """The rectifier: the positive part (document, section ReLU).

    At z = 0 the derivative is 1, as the document prints; PyTorch, JAX and TensorFlow return 0.

    >>> relu(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 3.])
    """

    formula = r"\max\{0, z\}"
    rule = r"\begin{cases} 0 & z < 0 \\ 1 & z \ge 0 \end{cases}"
    kinks = (Kink(0.0, left=0.0, right=1.0, chosen=1.0, why="the document prints 1 for z >= 0"),)

    def forward(self, z: Array) -> Array:
        return np.maximum(z, 0)

    def derivative(self, y: Array, z: Array) -> Array:
        return (z >= 0).astype(z.dtype)


@dataclass(frozen=True)
class LeakyReLU(Elementwise):
    """A ReLU that keeps a small slope below zero (Maas et al., 2013; document, section Leaky ReLU).

    At z = 0 the derivative is `alpha`, the value of the branch z <= 0.

    >>> LeakyReLU(alpha=0.1)(np.array([-2.0, 3.0]))
    array([-0.2,  3. ])
    """

    alpha: float = 0.01
    formula = r"\begin{cases} z & z > 0 \\ \alpha z & z \le 0 \end{cases}"
    rule = r"\begin{cases} 1 & z > 0 \\ \alpha & z \le 0 \end{cases}"

    @property
    def kinks(self) -> tuple[Kink, ...]:
        return (Kink(0.0, left=self.alpha, right=1.0, chosen=self.alpha, why="0 is in the document's branch z <= 0"),)

    def forward(self, z: Array) -> Array:
        return np.maximum(z, 0) + float(self.alpha) * np.minimum(z, 0)

    def derivative(self, y: Array, z: Array) -> Array:
        return np.where(z > 0, 1, self.alpha).astype(z.dtype)


@dataclass(frozen=True)
class ELU(Elementwise):
    """The exponential linear unit, which levels off at -alpha (Clevert et al., 2015, arXiv:1511.07289; document, ELU).

    At x = 0 the derivative is 1, the value of the branch x >= 0. With alpha = 1 it has no kink there.

    >>> elu(np.array([-1.0, 2.0]))
    array([-0.63212056,  2.        ])
    """

    alpha: float = 1.0
    formula = r"\begin{cases} x & x \ge 0 \\ \alpha(e^x - 1) & x < 0 \end{cases}"
    rule = r"\begin{cases} 1 & x \ge 0 \\ \alpha e^x & x < 0 \end{cases}"

    @property
    def kinks(self) -> tuple[Kink, ...]:
        if self.alpha == 1:
            return ()
        return (Kink(0.0, left=self.alpha, right=1.0, chosen=1.0, why="0 is in the document's branch x >= 0"),)

    def forward(self, x: Array) -> Array:
        return np.maximum(x, 0) + float(self.alpha) * np.expm1(np.minimum(x, 0))

    def derivative(self, y: Array, x: Array) -> Array:
        return np.where(x >= 0, 1, float(self.alpha) * np.exp(np.minimum(x, 0)))


relu = register(ReLU())
leaky_relu = register(LeakyReLU())
elu = register(ELU())
