"""The rational activation: a quotient of two polynomials, whose coefficients are learned."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..op import Array, OfFloats, Op, register
from .products import most


def inner(x: Array) -> Array:
    """x, but not so far out that a rule overflows before its time."""
    return np.clip(x, -most(x) / 64, most(x) / 64)


def powers(x: Array) -> tuple[list[Array], list[Array]]:
    """(s, t), with x^j = s[j] / t[j + 1] and 1 = t[0] t[2]: t[0] is x where |x| > 1, and nothing else exceeds 1."""
    far = np.abs(x) > 1
    whole = np.where(far, x, 1)
    s: list[Array] = [1, np.where(far, 1, x)]
    t: list[Array] = [whole, 1, 1 / whole]
    for _ in range(4):
        s.append(s[-1] * s[1])
        t.append(t[-1] * t[2])
    return s, t


def quotient(x: Array, c: tuple[Array, ...]) -> tuple[Array, Array, Array]:
    """(r, sign, q): the value over t[0], the sign of the sum in the denominator, and the denominator times t^4."""
    (s, t), p, q = powers(x), c[:6], c[6:]
    above = sum(p[j] * (s[j] * t[6 - j]) for j in range(6))
    below = sum(q[k - 1] * (s[k] * t[5 - k]) for k in range(1, 5))
    denominator = t[5] + np.abs(below)
    return above / denominator, np.sign(below), denominator


def rule_of_numerator(j: int) -> Callable[..., Array]:
    """The rule for p_j."""

    def rule(self: Op, g: Array, y: Array, x: Array, *c: Array) -> Array:
        x = inner(x)
        (s, t), (_, _, denominator) = powers(x), quotient(x, c)
        return g * (s[j] * t[5 - j] / denominator)

    return rule


def rule_of_denominator(k: int) -> Callable[..., Array]:
    """The rule for q_k."""

    def rule(self: Op, g: Array, y: Array, x: Array, *c: Array) -> Array:
        x = inner(x)
        (s, t), (r, sign, denominator) = powers(x), quotient(x, c)
        return -g * (r * sign * (s[k] * t[4 - k] / denominator))

    return rule


class Rational(OfFloats):
    """The safe Padé activation unit, whose denominator is at least 1 (Molina et al., 2019, arXiv:1907.06732).

    It starts as the best uniform fit to leaky_relu on [-3, 3], within 0.0127: 0.505 x + 0.495 |x|, with the quotient of
    type (4, 4) in place of |x| that Remez's exchange finds. Far out it bends towards 0.505 x on both sides. Where the
    sum A changes its sign it has a kink, and there the mean of both slopes; at the start A is 0 only at 0, and smooth.

    >>> rational(np.array([-2.0, 0.0, 2.0]), *Rational.learned.values()).round(2)
    array([-0.01,  0.01,  2.01])
    """

    learned = {
        **{"p_0": 0.0126246, "p_1": 0.505, "p_2": 2.76472, "p_3": 4.59107, "p_4": 2.56421, "p_5": 0.468542},
        **{"q_1": 0.0, "q_2": 9.09122, "q_3": 0.0, "q_4": 0.927806},
    }
    aliases = ("pau", "pade")
    formula = r"\frac{p_0 + p_1 x + p_2 x^2 + p_3 x^3 + p_4 x^4 + p_5 x^5}{1 + |A|}"
    shorthand = {
        "A": "q_1 x + q_2 x^2 + q_3 x^3 + q_4 x^4",
        "B": "q_1 + 2 q_2 x + 3 q_3 x^2 + 4 q_4 x^3",
        "C": "p_1 + 2 p_2 x + 3 p_3 x^2 + 4 p_4 x^3 + 5 p_5 x^4",
    }
    rule = {
        "x": r"\bar y\, \frac{C - y\, \mathrm{sign}(A)\, B}{1 + |A|}",
        **{f"p_{j}": rf"\bar y\, \frac{{x^{j}}}{{1 + |A|}}" for j in range(6)},
        **{f"q_{k}": rf"-\bar y\, y\, \mathrm{{sign}}(A) \frac{{x^{k}}}{{1 + |A|}}" for k in range(1, 5)},
    }
    use = "To let a layer find its activation, at the price of ten parameters."

    def forward(
        self,
        x: Array,
        p_0: Array,
        p_1: Array,
        p_2: Array,
        p_3: Array,
        p_4: Array,
        p_5: Array,
        q_1: Array,
        q_2: Array,
        q_3: Array,
        q_4: Array,
    ) -> Array:
        r, _, _ = quotient(x, (p_0, p_1, p_2, p_3, p_4, p_5, q_1, q_2, q_3, q_4))
        return r * powers(x)[1][0]

    def vjp_x(self, g: Array, y: Array, x: Array, *c: Array) -> Array:
        (s, t), (r, sign, denominator), p, q = powers(x), quotient(x, c), c[:6], c[6:]
        above = sum(j * p[j] * (s[j - 1] * t[6 - j]) for j in range(1, 6))
        below = sum(k * q[k - 1] * (s[k - 1] * t[5 - k]) for k in range(1, 5))
        return g * ((above - r * sign * below) / denominator)

    vjp_p_0, vjp_p_1, vjp_p_2, vjp_p_3, vjp_p_4, vjp_p_5 = map(rule_of_numerator, range(6))
    vjp_q_1, vjp_q_2, vjp_q_3, vjp_q_4 = map(rule_of_denominator, range(1, 5))


rational = register(Rational())
