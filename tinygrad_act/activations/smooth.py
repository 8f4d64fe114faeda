"""Rectifiers without a corner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..op import Array, Elementwise, register
from ..ops.exact import limits, product, through_double, through_single
from .settings import require
from .sigmoidal import isru, sigmoid, sparse_sigmoid, squarable
from .slope import Slope


@dataclass(frozen=True)
class Softplus(Elementwise):
    """A smooth ReLU, whose derivative is the sigmoid (Dugas et al., 2001, NIPS). Larger `beta` bends it more sharply.

    >>> softplus(np.array([-100.0, 0.0, 2.0]))
    array([3.72007598e-44, 6.93147181e-01, 2.12692801e+00])
    """

    beta: float = 1.0
    formula = r"\frac{1}{\beta} \ln(1 + e^{\beta x})"
    rule = r"\frac{1}{1 + e^{-\beta x}}"
    use = "To make a number positive: a variance, a rate, a scale."
    elsewhere = {"torch": "exactly x where beta x > threshold = 20, which is a jump of 2.06e-9"}

    def __post_init__(self) -> None:
        require(self, self.beta > 0, "beta is how sharply it bends, above 0")

    def forward(self, x: Array) -> Array:
        if self.beta == 1:
            return np.maximum(x, 0) + through_double(lambda z: np.log1p(np.exp(z)), -np.abs(x))
        p, r = self._product(np.abs(x))
        e = np.exp(-p)
        return np.maximum(x, 0) + np.log1p(e - e * r) / float(self.beta)

    def derivative(self, y: Array, x: Array) -> Array:
        if self.beta == 1:
            return through_double(sigmoid, x)
        p, r = self._product(x)
        slope = sigmoid(p)
        return slope + slope * sigmoid(-p) * r

    def _product(self, x: Array) -> tuple[Array, Array]:
        """beta x, exactly, but not so far out that it overflows."""
        furthest = 1e4 / float(self.beta)
        return product(float(self.beta), np.clip(x, -furthest, furthest))


@dataclass(frozen=True)
class Squareplus(Elementwise):
    """A smooth ReLU made of a square root (Barron, 2021, arXiv:2112.11687); `b` is how wide it bends.

    >>> squareplus(np.array([-1e10, 0.0, 2.0]))
    array([1.00000000e-10, 1.00000000e+00, 2.41421356e+00])
    """

    b: float = 4.0
    formula = r"\frac{1}{2} (x + \sqrt{x^2 + b})"
    rule = r"\frac{1}{2} \left(1 + \frac{x}{\sqrt{x^2 + b}}\right)"
    use = "As softplus, where exponentials are dear; its tail falls only like 1/x."

    def __post_init__(self) -> None:
        require(self, self.b > 0, "b is how wide it bends, above 0")

    @through_single
    def forward(self, x: Array) -> Array:
        return np.maximum(x, 0) + 0.25 * float(self.b) / (0.5 * np.abs(x) + 0.5 * self._root(x))

    @through_single
    def derivative(self, y: Array, x: Array) -> Array:
        return SquareplusSlope(self.b)(x)

    def _root(self, x: Array) -> Array:
        """The square root of x² + b, which is |x| where x² would overflow."""
        z = squarable(x)
        return np.maximum(np.sqrt(z * z + float(self.b)), np.abs(x))


@dataclass(frozen=True)
class SquareplusSlope(Slope):
    """The derivative of squareplus.

    >>> squareplus_slope(np.array([-1e10, 0.0, 2.0]))
    array([1.00000000e-20, 5.00000000e-01, 8.53553391e-01])
    """

    name = "squareplus_slope"
    b: float = 4.0
    formula = Squareplus.rule
    rule = r"\frac{b}{2 (x^2 + b)^{3/2}}"

    @through_single
    def forward(self, x: Array) -> Array:
        most, f = float(limits(x).max), Squareplus(self.b)
        return np.minimum(f.forward(x), most) / np.minimum(f._root(x), most)

    @through_single
    def derivative(self, y: Array, x: Array) -> Array:
        z = squarable(x)
        r = 1 / np.sqrt(z * z + float(self.b))
        return 0.5 * float(self.b) * r * r * r


class SparsePlus(Elementwise):
    """0, a parabola, and x: a ReLU with the corner rounded off (as in JAX).

    >>> sparse_plus(np.array([-2.0, 0.0, 2.0]))
    array([0.  , 0.25, 2.  ])
    """

    formula = r"\begin{cases} 0 & x \le -1 \\ \frac{(x + 1)^2}{4} & -1 < x < 1 \\ x & x \ge 1 \end{cases}"
    rule = r"\begin{cases} 0 & x \le -1 \\ \frac{x + 1}{2} & -1 < x < 1 \\ 1 & x \ge 1 \end{cases}"
    use = "A smooth rectifier that is exactly 0 somewhere, without exponentials."

    def forward(self, x: Array) -> Array:
        t = np.clip(x + 1, 0, 2)
        return np.maximum(0.25 * t * t, x)

    def derivative(self, y: Array, x: Array) -> Array:
        return sparse_sigmoid(x)


@dataclass(frozen=True)
class ISRLU(Elementwise):
    """x, but an inverse square root unit below 0, smooth to the second order (Carlile et al., 2017, arXiv:1710.09967).

    >>> isrlu(np.array([-2.0, 0.0, 2.0]))
    array([-0.89442719,  0.        ,  2.        ])
    """

    alpha: float = 1.0
    formula = r"\begin{cases} x & x \ge 0 \\ \frac{x}{\sqrt{1 + \alpha x^2}} & x < 0 \end{cases}"
    rule = r"\begin{cases} 1 & x \ge 0 \\ (1 + \alpha x^2)^{-3/2} & x < 0 \end{cases}"
    use = "As elu, without an exponential."

    def __post_init__(self) -> None:
        require(self, self.alpha >= 0, "alpha is not negative")

    @through_single
    def forward(self, x: Array) -> Array:
        z = squarable(np.minimum(x, 0), self.alpha)
        return np.maximum(x, 0) + z / np.sqrt(1 + float(self.alpha) * z * z)

    @through_single
    def derivative(self, y: Array, x: Array) -> Array:
        z = squarable(np.minimum(x, 0), self.alpha)
        r = 1 / np.sqrt(1 + float(self.alpha) * z * z)
        return r * r * r


class BentIdentity(Elementwise):
    """x, bent from slope 1/2 to slope 3/2.

    >>> bent_identity(np.array([-2.0, 0.0, 2.0]))
    array([-1.38196601,  0.        ,  2.61803399])
    """

    formula = r"\frac{\sqrt{x^2 + 1} - 1}{2} + x"
    rule = r"1 + \frac{x}{2 \sqrt{x^2 + 1}}"
    use = "Where nothing may saturate: the slope is between 1/2 and 3/2."

    @through_single
    def forward(self, x: Array) -> Array:
        z = squarable(x)
        return x * (1 + 0.5 * z / (np.sqrt(z * z + 1) + 1))

    @through_single
    def derivative(self, y: Array, x: Array) -> Array:
        return 1 + 0.5 * isru(x)


softplus = register(Softplus())
squareplus_slope = register(SquareplusSlope())
squareplus = register(Squareplus())
sparse_plus = register(SparsePlus())
isrlu = register(ISRLU())
bent_identity = register(BentIdentity())
