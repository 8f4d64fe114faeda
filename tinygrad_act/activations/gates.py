"""Smooth gates: x times something that opens from 0 to 1, as x grows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..op import Array, Elementwise, Kink, register
from ..ops.exact import exp_of_product, lowest, product, split, through_single
from ..ops.special import erf, gaussian, mills, no_tail
from .settings import require
from .sigmoidal import sech2, sigmoid
from .slope import Slope
from .smooth import softplus


class Logistic(Slope):
    """The sigmoid again, in half the calls, for |x| up to `lowest`: there e^-x does not overflow."""

    formula = r"\frac{1}{1 + e^{-x}}"
    rule = r"y (1 - y)"

    def forward(self, x: Array) -> Array:
        return 1 / (1 + np.exp(-x))

    def derivative(self, y: Array, x: Array) -> Array:
        return y * logistic(-x)


logistic = Logistic()  # not in the registry: the op for people is sigmoid


class Gated(Elementwise):
    """x times a gate, which far below 0 is like e^x."""

    def gate(self, x: Array) -> Array:
        """The gate, for x that are not below `lowest`."""
        raise NotImplementedError

    def gate_slope(self, gate: Array, x: Array) -> Array:
        """Its derivative."""
        raise NotImplementedError

    @through_single
    def forward(self, x: Array) -> Array:
        c, s = split(x)
        return np.maximum(x, 4 * lowest(x)) * self.gate(c) * s

    @through_single
    def derivative(self, y: Array, x: Array) -> Array:
        x = np.clip(x, 4 * lowest(x), -lowest(x))  # beyond, the limit is reached, and inf times 0 is none
        c, s = split(x)
        gate = self.gate(c)
        return (gate + x * self.gate_slope(gate, c)) * s


class SiLU(Gated):
    """The sigmoid linear unit, also called swish (Elfwing et al., 2017, arXiv:1702.03118; Ramachandran et al., 2017).

    >>> silu(np.array([-1.0, 0.0, 2.0]))
    array([-0.26894142,  0.        ,  1.76159416])
    """

    aliases = ("swish",)
    formula = r"x\, \mathrm{sigmoid}(x) = \frac{x}{1 + e^{-x}}"
    rule = r"\mathrm{sigmoid}(x) (1 + x (1 - \mathrm{sigmoid}(x)))"
    use = "A smooth default for deep networks, convolutional ones and, as SwiGLU, transformers."

    def gate(self, x: Array) -> Array:
        return logistic(x)

    def gate_slope(self, gate: Array, x: Array) -> Array:
        return gate * logistic(-x)


@dataclass(frozen=True)
class ESwish(Gated):
    """SiLU, stretched by `beta`, which its author takes between 1 and 2 (Alcaide, 2018, arXiv:1801.07145).

    >>> e_swish(np.array([-1.0, 0.0, 2.0]))
    array([-0.33617678,  0.        ,  2.20199269])
    """

    name = "e_swish"
    beta: float = 1.25
    formula = r"\beta x\, \mathrm{sigmoid}(x)"
    rule = r"\beta\, \mathrm{sigmoid}(x) (1 + x (1 - \mathrm{sigmoid}(x)))"
    use = "Where SiLU's slope is too small, as in deep networks without normalisation."

    def gate(self, x: Array) -> Array:
        return float(self.beta) * logistic(x)

    def gate_slope(self, gate: Array, x: Array) -> Array:
        return gate * logistic(-x)


class Mish(Gated):
    """x gated by the tanh of softplus (Misra, 2019, arXiv:1908.08681), which is m / (m + 2), m = e^x (e^x + 2).

    >>> mish(np.array([-1.0, 0.0, 2.0]))
    array([-0.30340146,  0.        ,  1.94395896])
    """

    formula = r"x \tanh(\mathrm{softplus}(x)) = x \tanh(\ln(1 + e^x))"
    rule = r"\tanh(s) + x\, \mathrm{sigmoid}(x)\, \mathrm{sech}^2(s)"
    shorthand = {"s": r"\mathrm{softplus}(x)"}
    use = "Like SiLU, at a slightly higher cost; known from object detection."

    def gate(self, x: Array) -> Array:
        n = np.exp(np.minimum(x, -0.25 * lowest(x)))  # from there on the gate is 1
        m = n * (n + 2)
        return m / (m + 2)

    @through_single
    def derivative(self, y: Array, x: Array) -> Array:
        return mish_slope(x)


class MishSlope(Slope):
    """The derivative of mish.

    >>> mish_slope(np.array([-1.0, 0.0, 2.0]))
    array([0.05921676, 0.6       , 1.06931793])
    """

    name = "mish_slope"
    formula = Mish.rule
    rule = r"\mathrm{sech}^2(s)\, \sigma(x) \left(2 + x (1 - \sigma(x) - 2 \sigma(x) \tanh(s))\right)"
    shorthand = {"s": r"\mathrm{softplus}(x)", r"\sigma(x)": r"\mathrm{sigmoid}(x)"}

    @through_single
    def forward(self, x: Array) -> Array:
        x = np.clip(x, 4 * lowest(x), -4 * lowest(x))
        c, s = split(x)
        n = np.exp(np.minimum(c, -0.25 * lowest(x)))
        r = 1 / (n * (n + 2) + 2)
        return ((4 * (1 + x) + n * ((6 + 4 * x) + n * (4 + n))) * r * n * r) * s

    @through_single
    def derivative(self, y: Array, x: Array) -> Array:
        x = np.clip(x, 4 * lowest(x), -4 * lowest(x))
        c, tail = split(x)
        opening, shut = sigmoid(c), sigmoid(-x)
        sech = 2 * shut / (1 + shut * shut)  # of s; twice, as it underflows later than its square
        bend = 2 + x * (shut - 2 * opening * np.tanh(softplus(x)))
        return bend * sech * opening * sech * tail


class TanhExp(Gated):
    """x gated by the tanh of e^x (Liu and Di, 2020, arXiv:2003.09855), also called TeLU (arXiv:2402.02790).

    >>> tanh_exp(np.array([-1.0, 0.0, 2.0]))
    array([-0.35213549,  0.        ,  1.99999847])
    """

    aliases = ("telu",)
    formula = r"x \tanh(e^x)"
    rule = r"\tanh(e^x) + x e^x\, \mathrm{sech}^2(e^x)"
    use = "A smooth gate that is nearly x from 1 on, so that it trains about as fast as a ReLU."

    def gate(self, x: Array) -> Array:
        return np.tanh(np.exp(np.minimum(x, 10)))

    def gate_slope(self, gate: Array, x: Array) -> Array:
        e = np.exp(np.minimum(x, 10))  # 22026, whose tanh is 1
        return e * sech2(e)


class Serf(Gated):
    """x gated by erf of softplus (Nag and Bhattacharyya, 2021, arXiv:2108.09598).

    >>> serf(np.array([-1.0, 0.0, 2.0]))
    array([-0.34224796,  0.        ,  1.99473933])
    """

    formula = r"x\, \mathrm{erf}(\mathrm{softplus}(x)) = x\, \mathrm{erf}(\ln(1 + e^x))"
    rule = r"\mathrm{erf}(s) + \frac{2}{\sqrt{\pi}} x e^{-s^2}\, \mathrm{sigmoid}(x)"
    shorthand = {"s": r"\mathrm{softplus}(x)"}
    use = "A relative of Mish, closer to a ReLU."

    def gate(self, x: Array) -> Array:
        return erf(softplus(x))

    def gate_slope(self, gate: Array, x: Array) -> Array:
        return 2 / math.sqrt(math.pi) * gaussian(softplus(x)) * sigmoid(x)


class Logish(Gated):
    """x gated by ln(1 + sigmoid(x)), which opens to ln 2 (Zhu et al., 2021, Neurocomputing 458).

    >>> logish(np.array([-1.0, 0.0, 2.0]))
    array([-0.23818303,  0.        ,  1.26339133])
    """

    formula = r"x \ln(1 + \mathrm{sigmoid}(x))"
    rule = r"\ln(1 + \sigma(x)) + \frac{x\, \sigma(x) (1 - \sigma(x))}{1 + \sigma(x)}"
    shorthand = {r"\sigma(x)": r"\mathrm{sigmoid}(x)"}
    use = "A smooth gate with a slope of ln 2 far above 0: a milder SiLU."

    def gate(self, x: Array) -> Array:
        return np.log1p(logistic(x))

    def gate_slope(self, gate: Array, x: Array) -> Array:
        s = logistic(x)
        return s * logistic(-x) / (1 + s)


class Smish(Gated):
    """x gated by the tanh of ln(1 + sigmoid(x)), which opens to 3/5 (Wang et al., 2022, Electronics 11(4):540).

    >>> smish(np.array([-1.0, 0.0, 2.0]))
    array([-0.23377881,  0.        ,  1.11843742])
    """

    formula = r"x \tanh(\ln(1 + \mathrm{sigmoid}(x)))"
    rule = r"\tanh(l) + x\, \mathrm{sech}^2(l) \frac{\sigma(x) (1 - \sigma(x))}{1 + \sigma(x)}"
    shorthand = {r"\sigma(x)": r"\mathrm{sigmoid}(x)", "l": r"\ln(1 + \sigma(x))"}
    use = "A smooth gate with a slope of 3/5 far above 0."

    def gate(self, x: Array) -> Array:
        s = logistic(x)
        m = s * (s + 2)  # tanh(ln(1 + s)) = m / (m + 2)
        return m / (m + 2)

    def gate_slope(self, gate: Array, x: Array) -> Array:
        s = logistic(x)
        r = 2 / (s * (s + 2) + 2)
        return (1 + s) * s * logistic(-x) * r * r


class GELU(Elementwise):
    """The Gaussian error linear unit: x, gated by the normal distribution function (Hendrycks and Gimpel, 2016,
    arXiv:1606.08415).

    Right to a few units in the last place down to x = -38, where other libraries lose all digits or return 0.

    >>> gelu(np.array([-1.0, 0.0, 2.0]))
    array([-0.15865525,  0.        ,  1.95449974])
    """

    formula = r"x\, \Phi(x) = \frac{x}{2} \left(1 + \mathrm{erf}(x / \sqrt{2})\right)"
    rule = r"\Phi(x) + x\, \varphi(x)"
    shorthand = {
        r"\Phi(x)": r"\frac{1}{2} \mathrm{erfc}(-x / \sqrt{2})",
        r"\varphi(x)": r"\frac{1}{\sqrt{2 \pi}} e^{-x^2 / 2}",
    }
    use = "The activation of transformers since BERT and GPT."
    elsewhere = {"jax": "jax.nn.gelu is the tanh form unless approximate=False", "tinygrad": "the tanh form"}

    def forward(self, x: Array) -> Array:
        z = np.minimum(np.abs(x), no_tail(x))
        e, s = exp_of_product(-0.5 * z, z)
        return np.maximum(x, 0) - (z * mills(z) * e) * s

    def derivative(self, y: Array, x: Array) -> Array:
        return gelu_slope(x)


class GELUSlope(Slope):
    """The derivative of gelu.

    >>> gelu_slope(np.array([-1.0, 0.0, 2.0]))
    array([-0.08331547,  0.5       ,  1.0852318 ])
    """

    name = "gelu_slope"
    formula = r"\Phi(x) + x\, \varphi(x)"
    rule = r"\varphi(x) (2 - x^2)"
    shorthand = GELU.shorthand

    def forward(self, x: Array) -> Array:
        z = np.minimum(np.abs(x), no_tail(x))
        e, s = exp_of_product(-0.5 * z, z)
        below = ((mills(z) - z * (1 / math.sqrt(2 * math.pi))) * e) * s  # the slope at -z; at z it is 1 less that
        return (x >= 0) - np.copysign(1, x + 0.0) * below  # + 0.0, since -0 >= 0

    def derivative(self, y: Array, x: Array) -> Array:
        z = np.clip(x, -40, 40)
        q = gaussian(0.5 * z)  # twice, as it underflows later than its square
        return 1 / math.sqrt(2 * math.pi) * ((2 - z * z) * q) * q


class GELUTanh(Elementwise):
    """The approximation of gelu by tanh (Hendrycks and Gimpel, 2016, arXiv:1606.08415), within 0.0005 of it.

    Its cubic is rounded, which in the far tail is worth up to 180 units in the last place of float32.

    >>> gelu_tanh(np.array([-1.0, 0.0, 2.0]))
    array([-0.15880801,  0.        ,  1.95459769])
    """

    name = "gelu_tanh"
    aliases = ("gelu_new", "gelu_approximate")
    formula = r"\frac{x}{2} (1 + \tanh(u))"
    rule = r"\frac{1}{2} (1 + \tanh(u)) + \frac{x}{2}\, \mathrm{sech}^2(u) \sqrt{\frac{2}{\pi}} (1 + 0.134145 x^2)"
    shorthand = {"u": r"\sqrt{\frac{2}{\pi}} (x + 0.044715 x^3)"}
    use = "To run a model that was trained with it, as GPT-2 was; else take gelu, of which it is an approximation."
    elsewhere = {"jax": "what jax.nn.gelu is by default", "torch": "gelu(x, approximate='tanh')"}

    @through_single
    def forward(self, x: Array) -> Array:
        x = np.maximum(x, -40)
        c, s = split(_twice_cubic(np.minimum(x, 40)))
        return x * logistic(c) * s

    @through_single
    def derivative(self, y: Array, x: Array) -> Array:
        x = np.clip(x, -40, 40)
        c, s = split(np.minimum(_twice_cubic(x), -lowest(x)))
        gate = logistic(c)
        return (gate + x * (LINEAR + 3 * CUBIC * x * x) * (gate * logistic(-c))) * s


LINEAR = 2 * math.sqrt(2 / math.pi)
CUBIC = 0.044715 * LINEAR


def _twice_cubic(x: Array) -> Array:
    """2 u, as (1 + tanh u) / 2 = sigmoid(2 u)."""
    return x * (LINEAR + CUBIC * x * x)


@dataclass(frozen=True)
class QuickGELU(Elementwise):
    """The approximation of gelu by a sigmoid (Hendrycks and Gimpel, 2016, arXiv:1606.08415), within 0.021 of it.

    The product alpha x is taken without rounding, so that the tail is as accurate as the rest.

    >>> quick_gelu(np.array([-1.0, 0.0, 2.0]))
    array([-0.15420423,  0.        ,  1.93565862])
    """

    name = "quick_gelu"
    alpha: float = 1.702
    formula = r"x\, \mathrm{sigmoid}(\alpha x)"
    rule = r"\mathrm{sigmoid}(\alpha x) (1 + \alpha x (1 - \mathrm{sigmoid}(\alpha x)))"
    use = "To run a model that was trained with it, as CLIP was."

    def __post_init__(self) -> None:
        require(self, 0 < self.alpha < 1e4, "alpha is how sharply it bends, above 0 and below 10000")

    @through_single
    def forward(self, x: Array) -> Array:
        gate, _, s = self._gate(x)
        return np.maximum(x, 4 * lowest(x)) * gate * s

    @through_single
    def derivative(self, y: Array, x: Array) -> Array:
        gate, shut, s = self._gate(x)
        return (gate + float(self.alpha) * np.clip(x, 4 * lowest(x), -4 * lowest(x)) * (gate * shut)) * s

    def _gate(self, x: Array) -> tuple[Array, Array, Array]:
        """(gate, 1 - gate, s), where the gate is to be multiplied by s last."""
        p, r = product(float(self.alpha), np.clip(x, 4 * lowest(x), -4 * lowest(x)))
        c, s = split(np.minimum(p, -lowest(x)))
        gate, shut = logistic(c), logistic(-c)
        return gate + gate * shut * r, shut, s


class Phish(Elementwise):
    """x gated by the tanh of gelu (Naveen, 2022, TechRxiv).

    >>> phish(np.array([-1.0, 0.0, 2.0]))
    array([0.15733733, 0.        , 1.9213358 ])
    """

    formula = r"x \tanh(\mathrm{gelu}(x))"
    rule = r"\tanh(\mathrm{gelu}(x)) + x\, \mathrm{sech}^2(\mathrm{gelu}(x)) (\Phi(x) + x\, \varphi(x))"
    shorthand = GELU.shorthand
    use = "A curiosity: unlike the other gates it is nowhere negative."

    def forward(self, x: Array) -> Array:
        return np.maximum(x, -no_tail(x)) * np.tanh(gelu(x))

    def derivative(self, y: Array, x: Array) -> Array:
        x = np.clip(x, -400, 400)  # beyond, the limit is reached
        u = gelu(x)
        return np.tanh(u) + x * sech2(u) * gelu_slope(x)


class LiSHT(Elementwise):
    """x times its tanh: even, and about |x| (Roy et al., 2019, arXiv:1901.05894).

    >>> lisht(np.array([-1.0, 0.0, 2.0]))
    array([0.76159416, 0.        , 1.92805516])
    """

    formula = r"x \tanh(x)"
    rule = r"\tanh(x) + x\, \mathrm{sech}^2(x)"
    use = "Where only the size of a signal matters; it cannot tell x from -x."

    def forward(self, x: Array) -> Array:
        return x * np.tanh(x)

    def derivative(self, y: Array, x: Array) -> Array:
        return np.tanh(x) + np.clip(x, -400, 400) * sech2(x)


class HardSwish(Elementwise):
    """SiLU in straight lines and one parabola (Howard et al., 2019, MobileNetV3, arXiv:1905.02244).

    At -3 and 3, where the slope jumps, it is the legal one of least norm: 0 and 1.

    >>> hard_swish(np.array([-4.0, 1.0, 4.0]))
    array([-0.        ,  0.66666667,  4.        ])
    """

    aliases = ("hard_silu",)
    formula = r"\frac{x}{6} \min(\max(x + 3, 0), 6)"
    rule = r"\begin{cases} 0 & x \le -3 \\ \frac{2 x + 3}{6} & -3 < x < 3 \\ 1 & x \ge 3 \end{cases}"
    kinks = (Kink(-3.0, 0.0, -0.5, 0.0, "least norm"), Kink(3.0, 1.5, 1.0, 1.0, "least norm"))
    use = "Where exponentials are dear: networks for phones, and quantised ones."
    elsewhere = {"torch": "up to 2.6, -0.5 and 1.5 at the kinks", "tinygrad": "1.5 at 3"}

    def forward(self, x: Array) -> Array:
        return np.maximum(x, -3) * (np.clip(x + 3, 0, 6) / 6)

    def derivative(self, y: Array, x: Array) -> Array:
        c = np.clip(x, -3, 3)
        return (2 * c + 3) / 6 * (np.abs(x) < 3) + (x >= 3)


class HardMish(Elementwise):
    """Mish in straight lines and one parabola (Misra, 2020, github.com/digantamisra98/H-Mish).

    At -2, where the slope jumps from 0 to -1, it is 0.

    >>> hard_mish(np.array([-4.0, -1.0, 4.0]))
    array([-0. , -0.5,  4. ])
    """

    formula = r"\frac{x}{2} \min(\max(x + 2, 0), 2)"
    rule = r"\begin{cases} 0 & x \le -2 \\ x + 1 & -2 < x < 0 \\ 1 & x \ge 0 \end{cases}"
    kinks = (Kink(-2.0, 0.0, -1.0, 0.0, "least norm"),)
    use = "As hard_swish, to stand in for Mish."

    def forward(self, x: Array) -> Array:
        return np.maximum(x, -2) * (np.clip(x + 2, 0, 2) / 2)

    def derivative(self, y: Array, x: Array) -> Array:
        return (np.clip(x, -2, 0) + 1) * (x > -2)


silu = register(SiLU())
e_swish = register(ESwish())
mish_slope = register(MishSlope())
mish = register(Mish())
tanh_exp = register(TanhExp())
serf = register(Serf())
logish = register(Logish())
smish = register(Smish())
gelu_slope = register(GELUSlope())
gelu = register(GELU())
gelu_tanh = register(GELUTanh())
quick_gelu = register(QuickGELU())
phish = register(Phish())
lisht = register(LiSHT())
hard_swish = register(HardSwish())
hard_mish = register(HardMish())
