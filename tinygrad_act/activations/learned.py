"""Activations that learn their own shape: ops of x and of parameters, which broadcast against it.

`nn.Learned` makes layers of them. What is said of the whole range of floats holds at the initial parameters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..op import Array, Kink, OfFloats, register
from .products import bell, expm1_minus, finite, gated, gated_slope, grown, like, most, scaled, silu_slope, within
from .sigmoidal import sech2, sigmoid, tanh
from .smooth import softplus


class PReLU(OfFloats):
    """A ReLU that learns its slope below zero (He et al., 2015, arXiv:1502.01852), which starts at 0.25.

    At x = 0 the slope is `a`, the one below.

    >>> prelu(np.array([-2.0, 3.0]), 0.25)
    array([-0.5,  3. ])
    """

    learned = {"a": 0.25}
    formula = r"\begin{cases} x & x > 0 \\ a x & x \le 0 \end{cases}"
    rule = {
        "x": r"\begin{cases} \bar y & x > 0 \\ \bar y\, a & x \le 0 \end{cases}",
        "a": r"\begin{cases} 0 & x > 0 \\ \bar y\, x & x \le 0 \end{cases}",
    }
    kinks = (Kink(0.0, left=0.25, right=1.0, chosen=0.25, why="the slope below, as of leaky_relu"),)
    use = "Where leaky_relu is good and data are many; weight decay on a would pull it to a ReLU."
    elsewhere = {"keras": "a starts at 0", "chainer": "slope 1 at x = 0"}

    def forward(self, x: Array, a: Array) -> Array:
        return np.maximum(x, 0) + a * np.minimum(x, 0)

    def vjp_x(self, g: Array, y: Array, x: Array, a: Array) -> Array:
        return g * np.where(x > 0, 1, a)

    def vjp_a(self, g: Array, y: Array, x: Array, a: Array) -> Array:
        return g * np.where(x > 0, 0, x)


class SwishBeta(OfFloats):
    """Swish with a learned `beta`, from x/2 at 0 to a ReLU at infinity (Ramachandran et al., 2017, arXiv:1710.05941).

    >>> swish_beta(np.array([-1.0, 2.0]), 1.0)
    array([-0.26894142,  1.76159416])
    """

    learned = {"beta": 1.0}
    formula = r"x\, \mathrm{sigmoid}(\beta x)"
    rule = {
        "x": r"\bar y\, s\, (1 + \beta x (1 - s))",
        "beta": r"\bar y\, x^2 s (1 - s) = \bar y\, y (x - y)",
    }
    shorthand = {"s": r"\mathrm{sigmoid}(\beta x)"}
    use = "As silu, which it starts as, where one parameter more a layer is welcome."

    def forward(self, x: Array, beta: Array) -> Array:
        return gated(x, within(beta, x))

    def vjp_x(self, g: Array, y: Array, x: Array, beta: Array) -> Array:
        return g * silu_slope(within(beta, x))

    def vjp_beta(self, g: Array, y: Array, x: Array, beta: Array) -> Array:
        return g * np.square(finite(x) * bell(within(beta, x)))


class Snake(OfFloats):
    """x and a wave of learned frequency `alpha` (Ziyin et al., 2020, arXiv:2006.08195), which starts at 0.5.

    At alpha = 0 it is x, its limit. Where x is infinite its slope has no limit, and is one that it has farther in.

    >>> snake(np.array([0.0, 1.0]), 0.5)
    array([0.        , 1.45969769])
    """

    learned = {"alpha": 0.5}
    formula = r"x + \frac{1}{\alpha} \sin^2(\alpha x)"
    rule = {
        "x": r"\bar y\, (1 + \sin(2 \alpha x)) = \bar y\, (\sin(\alpha x) + \cos(\alpha x))^2",
        "alpha": r"\bar y \left(\frac{x}{\alpha} \sin(2 \alpha x) - \frac{1}{\alpha^2} \sin^2(\alpha x)\right)",
    }
    use = "Signals that repeat: sound, seasons. The authors advise alpha from 5 to 50 where the period is short."
    elsewhere = {"audio models": "BigVGAN and others start alpha at 1"}

    def forward(self, x: Array, alpha: Array) -> Array:
        s = np.sin(within(alpha, x))
        return x + s * (s / (alpha + (alpha == 0)))

    def vjp_x(self, g: Array, y: Array, x: Array, alpha: Array) -> Array:
        t = within(alpha, x)
        return g * np.square(np.sin(t) + np.cos(t))

    def vjp_alpha(self, g: Array, y: Array, x: Array, alpha: Array) -> Array:
        t, still = within(alpha, x), alpha == 0
        x = np.clip(x, -most(x) / 8, most(x) / 8)  # lest the product overflow
        r = np.where(still, x, np.sin(t) / (alpha + still))  # sin(alpha x) / alpha
        p = x * np.cos(t)
        return g * (r * p + r * (p - r))


class PELU(OfFloats):
    """An ELU that learns its scale and its decay, both positive (Trottier et al., 2016, arXiv:1605.09332).

    The slopes on both sides of 0 are the same. Keep `a` and `b` above 0.1, as the authors do. They start at 1, as ELU.

    >>> pelu(np.array([-1.0, 2.0]), 1.0, 2.0)
    array([-0.39346934,  1.        ])
    """

    learned = {"a": 1.0, "b": 1.0}
    formula = r"\begin{cases} \frac{a}{b} x & x \ge 0 \\ a (e^{x / b} - 1) & x < 0 \end{cases}"
    rule = {
        "x": r"\begin{cases} \bar y\, \frac{a}{b} & x \ge 0 \\ \bar y\, \frac{a}{b} e^{x / b} & x < 0 \end{cases}",
        "a": r"\begin{cases} \bar y\, \frac{x}{b} & x \ge 0 \\ \bar y\, (e^{x / b} - 1) & x < 0 \end{cases}",
        "b": r"\begin{cases} -\bar y\, \frac{a x}{b^2} & x \ge 0 \\ -\bar y\, \frac{a x}{b^2} e^{x / b} & x < 0"
        r" \end{cases}",
    }
    use = "As elu, where its shape shall fit the layer."

    def forward(self, x: Array, a: Array, b: Array) -> Array:
        return a / b * np.maximum(x, 0) + a * np.expm1(np.minimum(within(1 / b, x), 0))

    def vjp_x(self, g: Array, y: Array, x: Array, a: Array, b: Array) -> Array:
        return g * (a / b * np.exp(self.decay(x, b)))

    def vjp_a(self, g: Array, y: Array, x: Array, a: Array, b: Array) -> Array:
        return g * np.where(x >= 0, x / b, np.expm1(self.decay(x, b)))

    def vjp_b(self, g: Array, y: Array, x: Array, a: Array, b: Array) -> Array:
        h = np.exp(0.5 * self.decay(x, b))  # twice, so that it does not underflow before the product with x
        return -g * ((a / b * np.maximum(x, -most(x)) / b) * h * h)

    def decay(self, x: Array, b: Array) -> Array:
        """x / b below 0, and 0 from there on."""
        return np.where(x >= 0, 0, within(1 / b, x))


class SReLU(OfFloats):
    """Three straight lines that meet at t_l and t_r, all of it learned (Jin et al., 2015, arXiv:1512.07030).

    At t_l and t_r the slope is that of the outer line. It starts as a leaky ReLU with slope 0.2, as the authors begin;
    they then move t_r to a high quantile of what the layer sees. t_l has to stay below t_r.

    >>> srelu(np.array([-2.0, 0.5, 3.0]), 1.0, 0.1, 0.0, 0.2)
    array([-0.4,  0.5,  1.2])
    """

    learned = {"t_r": 1.0, "a_r": 1.0, "t_l": 0.0, "a_l": 0.2}
    formula = (
        r"\begin{cases} t_r + a_r (x - t_r) & x \ge t_r \\ t_l + a_l (x - t_l) & x \le t_l \\"
        r" x & \mathrm{otherwise} \end{cases}"
    )
    rule = {
        "x": r"\begin{cases} \bar y\, a_r & x \ge t_r \\ \bar y\, a_l & x \le t_l \\"
        r" \bar y & \mathrm{otherwise} \end{cases}",
        "t_r": r"\begin{cases} \bar y\, (1 - a_r) & x \ge t_r \\ 0 & \mathrm{otherwise} \end{cases}",
        "a_r": r"\begin{cases} \bar y\, (x - t_r) & x \ge t_r \\ 0 & \mathrm{otherwise} \end{cases}",
        "t_l": r"\begin{cases} \bar y\, (1 - a_l) & x \le t_l \\ 0 & \mathrm{otherwise} \end{cases}",
        "a_l": r"\begin{cases} \bar y\, (x - t_l) & x \le t_l \\ 0 & \mathrm{otherwise} \end{cases}",
    }
    kinks = (Kink(0.0, left=0.2, right=1.0, chosen=0.2, why="t_l is in the branch x <= t_l"),)
    use = "Where the slope far out matters on both sides, and there are data to learn it from."

    def forward(self, x: Array, t_r: Array, a_r: Array, t_l: Array, a_l: Array) -> Array:
        above = t_r + a_r * np.maximum(x - t_r, 0)
        below = t_l + a_l * np.minimum(x - t_l, 0)
        return np.where(x >= t_r, above, np.where(x <= t_l, below, x))

    def vjp_x(self, g: Array, y: Array, x: Array, t_r: Array, a_r: Array, t_l: Array, a_l: Array) -> Array:
        return g * np.where(x >= t_r, a_r, np.where(x <= t_l, a_l, 1))

    def vjp_t_r(self, g: Array, y: Array, x: Array, t_r: Array, a_r: Array, t_l: Array, a_l: Array) -> Array:
        return g * np.where(x >= t_r, 1 - a_r, 0)

    def vjp_a_r(self, g: Array, y: Array, x: Array, t_r: Array, a_r: Array, t_l: Array, a_l: Array) -> Array:
        return g * np.where(x >= t_r, x - t_r, 0)

    def vjp_t_l(self, g: Array, y: Array, x: Array, t_r: Array, a_r: Array, t_l: Array, a_l: Array) -> Array:
        return g * np.where((x <= t_l) & (x < t_r), 1 - a_l, 0)

    def vjp_a_l(self, g: Array, y: Array, x: Array, t_r: Array, a_r: Array, t_l: Array, a_l: Array) -> Array:
        return g * np.where((x <= t_l) & (x < t_r), x - t_l, 0)


class ACONC(OfFloats):
    """A smooth maximum of p_1 x and p_2 x, which learns whether to bend at all (Ma et al., 2020, arXiv:2009.04759).

    It starts as swish, p_1 = beta = 1 and p_2 = 0; the authors' code draws p_1 and p_2 from a normal distribution.

    >>> acon_c(np.array([-1.0, 2.0]), 1.0, 0.0, 1.0)
    array([-0.26894142,  1.76159416])
    """

    name = "acon_c"
    aliases = ("acon",)
    learned = {"p_1": 1.0, "p_2": 0.0, "beta": 1.0}
    formula = r"(p_1 - p_2) x\, \mathrm{sigmoid}(\beta (p_1 - p_2) x) + p_2 x"
    rule = {
        "x": r"\bar y \left((p_1 - p_2)\, s\, (1 + u (1 - s)) + p_2\right)",
        "p_1": r"\bar y\, x\, s\, (1 + u (1 - s))",
        "p_2": r"\bar y\, x \left(1 - s\, (1 + u (1 - s))\right)",
        "beta": r"\bar y\, (p_1 - p_2)^2 x^2 s (1 - s)",
    }
    shorthand = {"u": r"\beta (p_1 - p_2) x", "s": r"\mathrm{sigmoid}(u)"}
    use = "Convolutional networks, with parameters for each channel."

    def forward(self, x: Array, p_1: Array, p_2: Array, beta: Array) -> Array:
        u = within(beta * (p_1 - p_2), x)
        return scaled(p_1, gated(x, u)) + scaled(p_2, gated(x, -u))

    def vjp_x(self, g: Array, y: Array, x: Array, p_1: Array, p_2: Array, beta: Array) -> Array:
        u = within(beta * (p_1 - p_2), x)
        return g * (p_1 * silu_slope(u) + p_2 * silu_slope(-u))

    def vjp_p_1(self, g: Array, y: Array, x: Array, p_1: Array, p_2: Array, beta: Array) -> Array:
        u = within(beta * (p_1 - p_2), x)
        return g * gated_slope(x, u)

    def vjp_p_2(self, g: Array, y: Array, x: Array, p_1: Array, p_2: Array, beta: Array) -> Array:
        u = within(beta * (p_1 - p_2), x)
        return g * gated_slope(x, -u)

    def vjp_beta(self, g: Array, y: Array, x: Array, p_1: Array, p_2: Array, beta: Array) -> Array:
        u = within(beta * (p_1 - p_2), x)
        return g * np.square((p_1 - p_2) * (finite(x) * bell(u)))


@dataclass(frozen=True)
class XIELU(OfFloats):
    """The integral of an ELU: a parabola above 0, an exponential below (Huang and Schlag, 2024, arXiv:2411.13010).

    Softplus keeps both bends positive, whatever is learned; they start at 0.8. The slope at 0 is `beta`.

    >>> xielu(np.array([-1.0, 2.0]), 0.2, -1.0).round(3)
    array([-0.201,  4.193])
    """

    name = "xielu"
    beta: float = 0.5
    learned = {"alpha_p": math.log(math.expm1(0.8)), "alpha_n": math.log(math.expm1(0.3))}
    formula = r"\begin{cases} a_p x^2 + \beta x & x > 0 \\ a_n (e^x - 1 - x) + \beta x & x \le 0 \end{cases}"
    rule = {
        "x": r"\begin{cases} \bar y\, (2 a_p x + \beta) & x > 0 \\ \bar y\, (a_n (e^x - 1) + \beta) & x \le 0"
        r" \end{cases}",
        "alpha_p": r"\begin{cases} \bar y\, \mathrm{sigmoid}(\alpha_p) x^2 & x > 0 \\ 0 & x \le 0 \end{cases}",
        "alpha_n": r"\begin{cases} 0 & x > 0 \\ \bar y\, \mathrm{sigmoid}(\alpha_n) (e^x - 1 - x) & x \le 0"
        r" \end{cases}",
    }
    shorthand = {"a_p": r"\mathrm{softplus}(\alpha_p)", "a_n": r"\beta + \mathrm{softplus}(\alpha_n)"}
    use = "The inner layer of a transformer, as squared_relu, but with a slope below 0; Apertus was trained with it."

    def forward(self, x: Array, alpha_p: Array, alpha_n: Array) -> Array:
        beta, extra, high, low = float(self.beta), softplus(like(alpha_n, x)), np.maximum(x, 0.0), np.minimum(x, 0.0)
        above = grown(high, grown(high, softplus(like(alpha_p, x))) + beta)
        return above + ((beta + extra) * np.expm1(low) - extra * low)

    def vjp_x(self, g: Array, y: Array, x: Array, alpha_p: Array, alpha_n: Array) -> Array:
        above = grown(np.where(x > 0, x, 0), 2 * softplus(like(alpha_p, x)))
        below = (float(self.beta) + softplus(like(alpha_n, x))) * np.expm1(np.where(x > 0, 0, x))
        return g * (float(self.beta) + np.where(x > 0, above, below))

    def vjp_alpha_p(self, g: Array, y: Array, x: Array, alpha_p: Array, alpha_n: Array) -> Array:
        high = np.where(x > 0, x, 0)
        return g * grown(high, grown(high, sigmoid(like(alpha_p, x))))

    def vjp_alpha_n(self, g: Array, y: Array, x: Array, alpha_p: Array, alpha_n: Array) -> Array:
        return g * (sigmoid(like(alpha_n, x)) * expm1_minus(np.where(x > 0, 0.0, x)))


class DyT(OfFloats):
    """Dynamic tanh, which can stand in for layer normalisation (Zhu et al., 2025, arXiv:2503.10622).

    `alpha` is one number, which starts at 0.5; `gamma` and `beta` are one for each feature, as of a layer norm.

    >>> dyt(np.array([-1.0, 2.0]), 0.5, np.array([1.0, 2.0]), 0.0)
    array([-0.46211716,  1.52318831])
    """

    name = "dyt"
    aliases = ("dynamic_tanh",)
    learned = {"alpha": 0.5, "gamma": 1.0, "beta": 0.0}
    formula = r"\gamma \tanh(\alpha x) + \beta"
    rule = {
        "x": r"\bar y\, \gamma \alpha\, \mathrm{sech}^2(\alpha x)",
        "alpha": r"\bar y\, \gamma x\, \mathrm{sech}^2(\alpha x)",
        "gamma": r"\bar y \tanh(\alpha x)",
        "beta": r"\bar y",
    }
    use = "Transformers without normalisation: in place of each layer norm."

    def forward(self, x: Array, alpha: Array, gamma: Array, beta: Array) -> Array:
        return gamma * np.tanh(within(alpha, x)) + beta

    def vjp_x(self, g: Array, y: Array, x: Array, alpha: Array, gamma: Array, beta: Array) -> Array:
        return g * (gamma * alpha * sech2(within(alpha, x)))

    def vjp_alpha(self, g: Array, y: Array, x: Array, alpha: Array, gamma: Array, beta: Array) -> Array:
        r = 2 * bell(within(2 * alpha, x))  # sech(alpha x)
        return g * (gamma * (finite(x) * r * r))

    def vjp_gamma(self, g: Array, y: Array, x: Array, alpha: Array, gamma: Array, beta: Array) -> Array:
        return g * tanh(within(alpha, x))

    def vjp_beta(self, g: Array, y: Array, x: Array, alpha: Array, gamma: Array, beta: Array) -> Array:
        return g


prelu = register(PReLU())
swish_beta = register(SwishBeta())
snake = register(Snake())
pelu = register(PELU())
srelu = register(SReLU())
acon_c = register(ACONC())
xielu = register(XIELU())
dyt = register(DyT())
