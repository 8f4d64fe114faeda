"""Functions that shrink what is near 0 towards it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..op import Array, Elementwise, Kink, register
from ..ops.exact import is_narrow
from ..ops.special import horner
from .settings import require

# fmt: off
# (x - tanh x) / x³ as P(x²) / Q(x²) for |x| <= 3/2: our own fits to mpmath, with errors of 3e-10 and 3e-21
TANHSHRINK32 = (
    (5.983666027036804e-06, 0.016064662339703755, 0.33333333324687464),
    (0.017390811558481583, 0.44819398005805955, 1.0),
)
TANHSHRINK64 = (
    (3.2737352127511776e-11, 1.7302515110038387e-06, 0.0004132620587715388, 0.024148175390739324, 0.3333333333333333),
    (1.7798827049363346e-06, 0.0004477717360535589, 0.028312834740439906, 0.472444526172218, 1.0),
)
# fmt: on


class Tanhshrink(Elementwise):
    """What tanh takes away: x - tanh(x), about x³/3 near 0, where the difference itself would be 0.

    >>> tanhshrink(np.array([-2.0, 1e-5, 2.0]))
    array([-1.03597242e+00,  3.33333333e-16,  1.03597242e+00])
    """

    aliases = ("tanh_shrink",)
    formula = r"x - \tanh(x)"
    rule = r"\tanh^2(x)"
    use = "Sparse coding: small signals vanish smoothly."

    def forward(self, x: Array) -> Array:
        z = np.clip(x, -1.5, 1.5)
        s = z * z
        p, q = TANHSHRINK32 if is_narrow(x) else TANHSHRINK64
        return np.where(np.abs(x) < 1.5, z * s * horner(p, s) / horner(q, s), x - np.tanh(x))

    def derivative(self, y: Array, x: Array) -> Array:
        return np.square(np.tanh(x))


@dataclass(frozen=True)
class Softshrink(Elementwise):
    """x, brought nearer to 0 by `lambd`: the step of soft thresholding (Donoho, 1995). Slope 0 at both corners.

    >>> softshrink(np.array([-2.0, 0.3, 2.0]))
    array([-1.5,  0. ,  1.5])
    """

    lambd: float = 0.5
    aliases = ("soft_shrink", "soft_threshold")
    formula = r"x - \min(\max(x, -\mathrm{lambd}), \mathrm{lambd})"
    rule = r"\begin{cases} 1 & |x| > \mathrm{lambd} \\ 0 & |x| \le \mathrm{lambd} \end{cases}"
    use = "Sparse coding: the proximal map of an L1 penalty, and a denoiser."

    def __post_init__(self) -> None:
        require(self, self.lambd >= 0, "lambd is not negative")

    @property
    def kinks(self) -> tuple[Kink, ...]:
        return Kink(-self.lambd, 1.0, 0.0, 0.0, "least norm"), Kink(self.lambd, 0.0, 1.0, 0.0, "least norm")

    def forward(self, x: Array) -> Array:
        return np.maximum(x - float(self.lambd), 0) + np.minimum(x + float(self.lambd), 0)

    def derivative(self, y: Array, x: Array) -> Array:
        return np.abs(x) > float(self.lambd)


@dataclass(frozen=True)
class Hardshrink(Elementwise):
    """x where it is further than `lambd` from 0, else 0: it jumps there (Donoho and Johnstone, 1994).

    >>> hardshrink(np.array([-2.0, 0.3, 2.0]))
    array([-2.,  0.,  2.])
    """

    lambd: float = 0.5
    aliases = ("hard_shrink", "hard_threshold")
    formula = r"\begin{cases} x & |x| > \mathrm{lambd} \\ 0 & |x| \le \mathrm{lambd} \end{cases}"
    rule = r"\begin{cases} 1 & |x| > \mathrm{lambd} \\ 0 & |x| \le \mathrm{lambd} \end{cases}"
    use = "Sparse coding without a bias; the jumps carry no gradient."
    elsewhere = {"onnx": "Shrink, with bias 0, is this one"}

    def __post_init__(self) -> None:
        require(self, self.lambd >= 0, "lambd is not negative")

    @property
    def kinks(self) -> tuple[Kink, ...]:
        why = "the value jumps; the point is in the branch |x| <= lambd"
        return Kink(-self.lambd, 1.0, 0.0, 0.0, why), Kink(self.lambd, 0.0, 1.0, 0.0, why)

    def forward(self, x: Array) -> Array:
        return np.where(np.abs(x) <= float(self.lambd), 0, x)

    def derivative(self, y: Array, x: Array) -> Array:
        return np.abs(x) > float(self.lambd)


tanhshrink = register(Tanhshrink())
softshrink = register(Softshrink())
hardshrink = register(Hardshrink())
