"""Gated linear units: the halves of one array, of which the second opens and closes the way of the first.

The halves along `axis` are a and b, and b is the gate, as in PyTorch's glu and in most code that splits one projection
in two. Shazeer (2020) writes the gate first, act(x W) ⊗ (x V): weights laid out like that, gate first, have their
halves to be exchanged. The layer before makes twice as many features as come out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..op import Array, Elementwise, OfFloats, Op, register
from ..ops.exact import split
from .gates import gelu, logistic, silu
from .products import bell
from .rectifiers import relu
from .sigmoidal import identity, sigmoid


def halves(op: Op, x: Array, axis: int) -> tuple[Array, Array]:
    """The first and the second half of an op's input; ValueError if there is an element too many."""
    place = normalize_axis_index(axis, x.ndim)
    half, odd = divmod(x.shape[place], 2)
    if odd:
        raise ValueError(f"{op.name} needs two halves, but axis {axis} of shape {x.shape} has an odd length")
    before = (slice(None),) * place
    return x[(*before, slice(0, half))], x[(*before, slice(half, None))]


@dataclass(frozen=True)
class GatedUnit(OfFloats):
    """What gated units share: the first half of x along `axis`, times `gate` of the second."""

    axis: int = -1
    gate: ClassVar[Elementwise]
    range = "(−∞, ∞)"

    def forward(self, x: Array) -> Array:
        a, b = halves(self, x, self.axis)
        return a * self.gate(b)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        a, b = halves(self, x, self.axis)
        opening = self.gate(b)
        return np.concatenate([g * opening, g * self.bend(a, b, opening)], axis=self.axis)

    def bend(self, a: Array, b: Array, opening: Array) -> Array:
        """The derivative in b."""
        return a * self.gate.derivative(opening, b)


class GLU(GatedUnit):
    """The gated linear unit: a sigmoid lets the first half pass, or not (Dauphin et al., 2016, arXiv:1612.08083).

    A large a keeps its digits behind a gate that is almost closed, where sigmoid(b) alone has lost them to underflow.

    >>> glu(np.array([[3.0, 5.0, 0.0, -100.0]]))
    array([[1.50000000e+00, 1.86003799e-43]])
    """

    gate = sigmoid
    formula = r"a\, \mathrm{sigmoid}(b)"
    rule = {
        "x": r"(\bar y\, \mathrm{sigmoid}(b),\; \bar y\, a\, \mathrm{sigmoid}(b)(1 - \mathrm{sigmoid}(b)))",
    }
    use = "Convolutions over text and sound, where it replaced the gates of recurrent networks."

    def forward(self, x: Array) -> Array:
        a, b = halves(self, x, self.axis)
        c, s = split(b)
        return a * logistic(c) * s

    def bend(self, a: Array, b: Array, opening: Array) -> Array:
        r = bell(b)
        return (a * r) * r


class ReGLU(GatedUnit):
    """A ReLU for the gate (Shazeer, 2020, arXiv:2002.05202). Where b = 0 its slope is 1, as relu's.

    >>> reglu(np.array([[3.0, 5.0, 2.0, -1.0]]))
    array([[6., 0.]])
    """

    gate = relu
    formula = r"a \max\{0, b\}"
    rule = {"x": r"(\bar y \max\{0, b\},\; \bar y\, a\, [b \ge 0])"}
    use = "The cheapest gate for the inner layer of a transformer."


class GEGLU(GatedUnit):
    """GELU for the gate (Shazeer, 2020, arXiv:2002.05202).

    A gate so nearly closed that it is below the normal floats has lost its digits, which a large a then shows.

    >>> geglu(np.array([[3.0, 5.0, 2.0, -1.0]]))
    array([[ 5.86349921, -0.79327627]])
    """

    gate = gelu
    formula = r"a\, \mathrm{gelu}(b) = a\, b\, \Phi(b)"
    rule = {"x": r"(\bar y\, b\, \Phi(b),\; \bar y\, a\, (\Phi(b) + b\, \varphi(b)))"}
    shorthand = {
        r"\Phi(b)": r"\frac{1}{2} \mathrm{erfc}(-b / \sqrt{2})",
        r"\varphi(b)": r"\frac{1}{\sqrt{2 \pi}} e^{-b^2 / 2}",
    }
    use = "The inner layer of a transformer: T5 1.1 and Gemma have it, with gelu's tanh form."


class SwiGLU(GatedUnit):
    """SiLU for the gate (Shazeer, 2020, arXiv:2002.05202).

    A gate so nearly closed that it is below the normal floats has lost its digits, which a large a then shows.

    >>> swiglu(np.array([[3.0, 5.0, 2.0, -1.0]]))
    array([[ 5.28478247, -1.34470711]])
    """

    gate = silu
    formula = r"a\, \mathrm{silu}(b) = a\, b\, \mathrm{sigmoid}(b)"
    rule = {"x": r"(\bar y\, b\, \sigma(b),\; \bar y\, a\, \sigma(b) (1 + b (1 - \sigma(b))))"}
    shorthand = {r"\sigma(b)": r"\mathrm{sigmoid}(b)"}
    use = "The inner layer of a transformer, as in PaLM and Llama."


class Bilinear(GatedUnit):
    """No gate at all: the product of the halves (Shazeer, 2020, arXiv:2002.05202; Mnih and Hinton, 2007, ICML).

    >>> bilinear(np.array([[3.0, 5.0, 2.0, -1.0]]))
    array([[ 6., -5.]])
    """

    gate = identity
    formula = r"a\, b"
    rule = {"x": r"(\bar y\, b,\; \bar y\, a)"}
    use = "To see what a gate's bend is worth; such layers can be read as tensors."


@dataclass(frozen=True)
class CReLU(OfFloats):
    """The positive part beside the negative part: twice as many features (Shang et al., 2016, arXiv:1603.05201).

    At x = 0 relu's slope 1 goes to the first half, and 0 to the second. The sum of both slopes would belong to no
    slope of x: so relu(x) - relu(-x), which is x, has slope 1.

    >>> crelu(np.array([[-1.0, 2.0]]))
    array([[0., 2., 1., 0.]])
    """

    axis: int = -1
    formula = r"(\max\{0, x\},\; \max\{0, -x\})"
    rule = {"x": r"\begin{cases} \bar y_1 & x \ge 0 \\ -\bar y_2 & x < 0 \end{cases}"}
    range = "[0, ∞); one of each two is 0"
    use = "Early convolutions, whose filters come in pairs of opposite sign."

    def forward(self, x: Array) -> Array:
        return np.concatenate([np.maximum(x, 0), np.maximum(-x, 0)], axis=self.axis)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        positive, negative = halves(self, g, self.axis)
        return np.where(x >= 0, positive, -negative)


glu = register(GLU())
reglu = register(ReGLU())
geglu = register(GEGLU())
swiglu = register(SwiGLU())
bilinear = register(Bilinear())
crelu = register(CReLU())
