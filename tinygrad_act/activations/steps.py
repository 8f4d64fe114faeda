"""Steps, which have no slope to learn by, and borrow one."""

from __future__ import annotations

import numpy as np

from ..op import Array, Elementwise, register
from .sigmoidal import hard_tanh, sparse_sigmoid


class Step(Elementwise):
    """1 for x >= 0, else 0, with a straight-through derivative (Bengio et al., 2013, arXiv:1308.3432).

    Its own derivative is 0 wherever it has one. The rule is that of sparse_sigmoid, which it rounds.

    >>> step(np.array([-0.5, 0.0, 3.0]))
    array([0., 1., 1.])
    """

    aliases = ("heaviside", "binary_step")
    formula = r"\begin{cases} 1 & x \ge 0 \\ 0 & x < 0 \end{cases}"
    rule = r"\begin{cases} \frac{1}{2} & -1 < x < 1 \\ 0 & \mathrm{otherwise} \end{cases}"
    surrogate = sparse_sigmoid
    kinks = sparse_sigmoid.kinks
    use = "Units that are on or off, as in binary and spiking networks."

    def forward(self, x: Array) -> Array:
        return np.heaviside(x, 1)

    def derivative(self, y: Array, x: Array) -> Array:
        return sparse_sigmoid.derivative(y, x)


class Binarize(Elementwise):
    """1 for x >= 0, else -1, with the derivative of hard_tanh (Courbariaux et al., 2016, arXiv:1602.02830).

    >>> binarize(np.array([-0.5, 0.0, 3.0]))
    array([-1.,  1.,  1.])
    """

    aliases = ("sign_ste",)
    formula = r"\begin{cases} 1 & x \ge 0 \\ -1 & x < 0 \end{cases}"
    rule = r"\begin{cases} 1 & -1 < x < 1 \\ 0 & \mathrm{otherwise} \end{cases}"
    surrogate = hard_tanh
    kinks = hard_tanh.kinks
    use = "Weights and activations of one bit."

    def forward(self, x: Array) -> Array:
        return 2 * np.heaviside(x, 1) - 1

    def derivative(self, y: Array, x: Array) -> Array:
        return hard_tanh.derivative(y, x)


step = register(Step())
binarize = register(Binarize())
