"""Waves, and the logarithm and exponential of either sign."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..op import Array, Elementwise, register
from ..ops.exact import limits, product, through_single


def angle(x: Array, most: float = 1.0) -> Array:
    """x, or nan where it is infinite, or `most` times it would be: where there is no angle."""
    return np.where(np.abs(x) <= float(limits(x).max) / most, x, np.nan)


@dataclass(frozen=True)
class Sine(Elementwise):
    """A sine of frequency `omega` (Sitzmann et al., 2020, SIREN, arXiv:2006.09661).

    The product omega x is taken with twice the digits of a float, so that it does not spoil the sine of a large one.

    >>> sine(np.array([0.0, 0.05]))
    array([0.        , 0.99749499])
    """

    omega: float = 30.0
    aliases = ("siren",)
    formula = r"\sin(\omega x)"
    rule = r"\omega \cos(\omega x)"
    domain = (-1e30, 1e30)
    use = "Networks that are a signal: images, sounds, fields. Its weights are to be small, U(±√(6/n)/omega)."

    @through_single
    def forward(self, x: Array) -> Array:
        p, r = self.angle(x)
        return np.sin(p) * np.cos(r) + np.cos(p) * np.sin(r)

    @through_single
    def derivative(self, y: Array, x: Array) -> Array:
        p, r = self.angle(x)
        return float(self.omega) * (np.cos(p) * np.cos(r) - np.sin(p) * np.sin(r))

    def angle(self, x: Array) -> tuple[Array, Array]:
        """omega x as the sum of two."""
        omega = float(self.omega)
        return product(omega, angle(x, 4 * max(abs(omega), 2.0 ** (limits(x).nmant // 2))))


class GCU(Elementwise):
    """The growing cosine unit (Noel et al., 2021, arXiv:2108.12943).

    >>> gcu(np.array([0.0, 1.0]))
    array([0.        , 0.54030231])
    """

    formula = r"x \cos(x)"
    rule = r"\cos(x) - x \sin(x)"
    use = "A single unit can solve xor; hard to train in depth, as it oscillates ever more steeply."

    def forward(self, x: Array) -> Array:
        return x * np.cos(angle(x))

    def derivative(self, y: Array, x: Array) -> Array:
        a = angle(x)
        return np.cos(a) - x * np.sin(a)


class Symlog(Elementwise):
    """A logarithm of either sign (Hafner et al., 2023, DreamerV3, arXiv:2301.04104).

    >>> symlog(np.array([-1000.0, 0.0, 1e-10]))
    array([-6.90875478e+00,  0.00000000e+00,  1.00000000e-10])
    """

    formula = r"\mathrm{sign}(x) \ln(1 + |x|)"
    rule = r"\frac{1}{1 + |x|}"
    use = "Inputs and targets of unknown, widely different scales, as rewards."

    def forward(self, x: Array) -> Array:
        return np.copysign(np.log1p(np.abs(x)), x)

    def derivative(self, y: Array, x: Array) -> Array:
        return 1 / (1 + np.abs(x))


class Symexp(Elementwise):
    """The inverse of symlog (Hafner et al., 2023, DreamerV3, arXiv:2301.04104).

    >>> symexp(np.array([-1.0, 0.0, 1e-10]))
    array([-1.71828183e+00,  0.00000000e+00,  1.00000000e-10])
    """

    formula = r"\mathrm{sign}(x) (e^{|x|} - 1)"
    rule = r"e^{|x|}"
    domain = (-88.0, 88.0)
    use = "To undo symlog."

    def forward(self, x: Array) -> Array:
        return np.copysign(np.expm1(np.abs(x)), x)

    def derivative(self, y: Array, x: Array) -> Array:
        return np.exp(np.abs(x))


sine = register(Sine())
gcu = register(GCU())
symlog = register(Symlog())
symexp = register(Symexp())
