"""The ReLU and those that keep something of what it cuts off."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..op import Array, Elementwise, Kink, register
from ..ops.exact import quotient, through_double
from .settings import require


class ReLU(Elementwise):
    """The rectifier: the positive part (document, section ReLU).

    At z = 0 the derivative is 1, as the document prints; PyTorch, JAX and TensorFlow return 0.

    >>> relu(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 3.])
    """

    formula = r"\max\{0, z\}"
    rule = r"\begin{cases} 0 & z < 0 \\ 1 & z \ge 0 \end{cases}"
    kinks = (Kink(0.0, left=0.0, right=1.0, chosen=1.0, why="the document prints 1 for z >= 0"),)
    use = "The first choice: fast, sparse, and no slope is lost above 0. With He's initial weights."

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
    use = "Where units of a ReLU die, which here they cannot: generators, discriminators."
    elsewhere = {"keras": "slope 0.2", "tf": "slope 0.2"}

    @property
    def kinks(self) -> tuple[Kink, ...]:
        if self.alpha == 1:
            return ()
        return (Kink(0.0, left=self.alpha, right=1.0, chosen=self.alpha, why="0 is in the document's branch z <= 0"),)

    def forward(self, z: Array) -> Array:
        if self.alpha == 0:  # else 0 times -inf
            return np.maximum(z, 0)
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
    use = "Instead of a ReLU, for activations nearer to mean 0; it levels off, so noise far below 0 is ignored."

    @property
    def kinks(self) -> tuple[Kink, ...]:
        if self.alpha == 1:
            return ()
        return (Kink(0.0, left=self.alpha, right=1.0, chosen=1.0, why="0 is in the document's branch x >= 0"),)

    def forward(self, x: Array) -> Array:
        return np.maximum(x, 0) + through_double(lambda m: float(self.alpha) * np.expm1(m), np.minimum(x, 0))

    def derivative(self, y: Array, x: Array) -> Array:
        return np.where(x >= 0, 1, through_double(lambda m: float(self.alpha) * np.exp(m), np.minimum(x, 0)))


class ReLU6(Elementwise):
    """A ReLU that stops at 6 (Krizhevsky, 2010). At both corners the derivative is 0, the least legal one.

    >>> relu6(np.array([-1.0, 3.0, 9.0]))
    array([0., 3., 6.])
    """

    formula = r"\min(\max(x, 0), 6)"
    rule = r"\begin{cases} 1 & 0 < x < 6 \\ 0 & \mathrm{otherwise} \end{cases}"
    kinks = (Kink(0.0, 0.0, 1.0, 0.0, "least norm"), Kink(6.0, 1.0, 0.0, 0.0, "least norm"))
    use = "Networks for phones: what is bounded can be quantised."

    def forward(self, x: Array) -> Array:
        return np.clip(x, 0, 6)

    def derivative(self, y: Array, x: Array) -> Array:
        return (x > 0) & (x < 6)


@dataclass(frozen=True)
class BReLU(Elementwise):
    """The bounded ReLU, which stops at `t` (Liew et al., 2016, Neurocomputing 216). At the corners it has slope 0.

    >>> brelu(np.array([-1.0, 0.5, 9.0]))
    array([0. , 0.5, 1. ])
    """

    t: float = 1.0
    formula = r"\min(\max(x, 0), t)"
    rule = r"\begin{cases} 1 & 0 < x < t \\ 0 & \mathrm{otherwise} \end{cases}"
    aliases = ("clipped_relu", "bounded_relu")
    use = "Where an output has a range, as of a pixel; with t = 20 the clipped ReLU of speech recognition."

    def __post_init__(self) -> None:
        require(self, self.t > 0, "t is where it stops, above 0")

    @property
    def kinks(self) -> tuple[Kink, ...]:
        return Kink(0.0, 0.0, 1.0, 0.0, "least norm"), Kink(self.t, 1.0, 0.0, 0.0, "least norm")

    def forward(self, x: Array) -> Array:
        return np.clip(x, 0, float(self.t))

    def derivative(self, y: Array, x: Array) -> Array:
        return (x > 0) & (x < float(self.t))


@dataclass(frozen=True)
class Threshold(Elementwise):
    """x where it exceeds `theta`, else `value`: as a rule a jump (Konda et al., 2014, arXiv:1402.3337).

    >>> threshold(np.array([0.5, 1.5]))
    array([0. , 1.5])
    """

    theta: float = 1.0
    value: float = 0.0
    formula = r"\begin{cases} x & x > \theta \\ \mathrm{value} & x \le \theta \end{cases}"
    rule = r"\begin{cases} 1 & x > \theta \\ 0 & x \le \theta \end{cases}"
    aliases = ("thresholded_relu",)
    use = "Autoencoders with zero bias, whose hidden units shall be 0 or large."
    elsewhere = {"torch": "no defaults", "onnx": "ThresholdedRelu has alpha = 1 for theta"}

    def __post_init__(self) -> None:
        require(self, self.theta == self.theta, "theta is a number")

    @property
    def kinks(self) -> tuple[Kink, ...]:
        return (Kink(self.theta, 0.0, 1.0, 0.0, "theta is in the branch x <= theta; the value may jump there"),)

    def forward(self, x: Array) -> Array:
        return np.where(x <= float(self.theta), float(self.value), x)

    def derivative(self, y: Array, x: Array) -> Array:
        return x > float(self.theta)


class SquaredReLU(Elementwise):
    """The square of the positive part (So et al., 2021, Primer, arXiv:2109.08668).

    >>> squared_relu(np.array([-1.0, 3.0]))
    array([0., 9.])
    """

    name = "squared_relu"
    aliases = ("relu2",)
    formula = r"\max(x, 0)^2"
    rule = r"2 \max(x, 0)"
    domain = (-math.inf, 1e18)
    use = "Transformers without gates: sparse, and without a corner at 0."

    def forward(self, x: Array) -> Array:
        return np.square(np.maximum(x, 0))

    def derivative(self, y: Array, x: Array) -> Array:
        return 2 * np.maximum(x, 0)


@dataclass(frozen=True)
class StarReLU(Elementwise):
    """The square of the positive part, with mean 0 and variance 1 for normal x (Yu et al., 2022, arXiv:2210.13452).

    >>> star_relu(np.array([-1.0, 3.0]))
    array([-0.4472,  7.6024])
    """

    s: float = 0.8944
    b: float = -0.4472
    formula = r"s \max(x, 0)^2 + b"
    rule = r"2 s \max(x, 0)"
    domain = (-math.inf, 1e18)
    use = "Vision transformers of the MetaFormer kind."

    def forward(self, x: Array) -> Array:
        return float(self.s) * np.square(np.maximum(x, 0)) + float(self.b)

    def derivative(self, y: Array, x: Array) -> Array:
        return 2 * float(self.s) * np.maximum(x, 0)


@dataclass(frozen=True)
class CELU(Elementwise):
    """An ELU whose slope is 1 at 0 for every `alpha` (Barron, 2017, arXiv:1704.07483).

    >>> CELU(alpha=2.0)(np.array([-1.0, 2.0]))
    array([-0.78693868,  2.        ])
    """

    alpha: float = 1.0
    formula = r"\max(x, 0) + \min(\alpha (e^{x / \alpha} - 1), 0)"
    rule = r"\begin{cases} 1 & x \ge 0 \\ e^{x / \alpha} & x < 0 \end{cases}"
    use = "As elu; smooth whatever alpha is."

    def __post_init__(self) -> None:
        require(self, self.alpha > 0, "alpha is a scale, above 0")

    def forward(self, x: Array) -> Array:
        if self.alpha == 1:
            return np.maximum(x, 0) + through_double(np.expm1, np.minimum(x, 0))
        q, r = self._quotient(x)
        return np.maximum(x, 0) + float(self.alpha) * (np.expm1(q) + np.exp(q) * r)

    def derivative(self, y: Array, x: Array) -> Array:
        if self.alpha == 1:
            return through_double(np.exp, np.minimum(x, 0))
        q, r = self._quotient(x)
        e = np.exp(q)
        return e + e * r

    def _quotient(self, x: Array) -> tuple[Array, Array]:
        """x / alpha below 0, exactly, but not so far out that it overflows."""
        return quotient(np.clip(x, -1e4 * float(self.alpha), 0), float(self.alpha))


class SELU(Elementwise):
    """An ELU so stretched that normal signals stay normal (Klambauer et al., 2017, arXiv:1706.02515).

    At x = 0 the derivative is λ, the legal one of least norm and that of ELU's branch x >= 0; PyTorch and JAX give λ α.

    >>> selu(np.array([-1.0, 2.0]))
    array([-1.11133074,  2.10140197])
    """

    formula = r"\begin{cases} \lambda x & x \ge 0 \\ \lambda \alpha (e^x - 1) & x < 0 \end{cases}"
    rule = r"\begin{cases} \lambda & x \ge 0 \\ \lambda \alpha e^x & x < 0 \end{cases}"
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    shorthand = {r"\lambda": f"{scale}", r"\alpha": f"{alpha}"}
    kinks = (Kink(0.0, left=scale * alpha, right=scale, chosen=scale, why="least norm, and ELU's branch x >= 0"),)
    use = "Deep dense networks without normalisation, with weights of variance 1/in."
    elsewhere = {"onnx": "constants rounded to float32", "tinygrad": "constants of 6 digits"}

    def forward(self, x: Array) -> Array:
        low = through_double(lambda m: self.scale * self.alpha * np.expm1(m), np.minimum(x, 0))
        return self.scale * np.maximum(x, 0) + low

    def derivative(self, y: Array, x: Array) -> Array:
        low = through_double(lambda m: self.scale * self.alpha * np.exp(m), np.minimum(x, 0))
        return np.where(x >= 0, self.scale, low)


relu = register(ReLU())
relu6 = register(ReLU6())
brelu = register(BReLU())
threshold = register(Threshold())
squared_relu = register(SquaredReLU())
star_relu = register(StarReLU())
leaky_relu = register(LeakyReLU())
elu = register(ELU())
celu = register(CELU())
selu = register(SELU())
