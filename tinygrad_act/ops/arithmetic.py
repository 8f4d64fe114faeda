"""Arithmetic of two arrays. Broadcasting is undone by the engine, so a rule need not think of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..op import IMPLEMENTS, Array, Op, register
from .arguments import refuse
from .constant import plain
from .exact import limits


class Add(Op):
    """The sum.

    >>> add(np.array([1.0, 2.0]), 1)
    array([2., 3.])
    """

    formula = "a + b"
    rule = {"a": r"\bar y", "b": r"\bar y"}

    def forward(self, a: Array, b: Array) -> Array:
        return np.add(a, b)

    def vjp_a(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return g

    def vjp_b(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return g


class Subtract(Op):
    """The difference.

    >>> subtract(np.array([1.0, 2.0]), 1)
    array([0., 1.])
    """

    formula = "a - b"
    rule = {"a": r"\bar y", "b": r"-\bar y"}

    def forward(self, a: Array, b: Array) -> Array:
        return np.subtract(a, b)

    def vjp_a(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return g

    def vjp_b(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return -g


class Multiply(Op):
    """The product, element by element.

    >>> multiply(np.array([1.0, 2.0]), 3)
    array([3., 6.])
    """

    formula = "a b"
    rule = {"a": r"\bar y\, b", "b": r"\bar y\, a"}

    def forward(self, a: Array, b: Array) -> Array:
        return np.multiply(a, b)

    def vjp_a(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return g * b

    def vjp_b(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return g * a


class Divide(Op):
    """The quotient.

    >>> divide(np.array([1.0, 2.0]), 4)
    array([0.25, 0.5 ])
    """

    formula = r"\frac{a}{b}"
    rule = {"a": r"\frac{\bar y}{b}", "b": r"-\bar y\, \frac{y}{b}"}

    def forward(self, a: Array, b: Array) -> Array:
        return np.divide(a, b)

    def vjp_a(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return g / b

    def vjp_b(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return -g * (y / b)


class Power(Op):
    """a to the power b. Where that is 0, the slope in b is the limit, 0; a constant has slope 0 at b = 0.

    >>> power(np.array([2.0, 3.0]), 2)
    array([4., 9.])
    """

    formula = "a^b"
    rule = {"a": r"\bar y\, b\, a^{b-1}", "b": r"\bar y\, a^b \ln a"}

    def forward(self, a: Array, b: Array) -> Array:
        return np.power(a, b)

    def vjp_a(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        tiny = np.less(np.abs(a), limits(y).tiny)  # so that a^{-1} is infinite, but not 0 times that
        base = np.where(tiny & np.equal(b, 0), 1, a)
        return g * (b * np.power(base, b - 1.0))

    def vjp_b(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return g * y * np.log(np.where(np.equal(y, 0), 1.0, a))


class Remainder(Op):
    """a modulo b, with the sign of b. The jumps of the quotient have slope 0 on both sides.

    >>> remainder(np.array([5.5, -1.0]), 2.0)
    array([1.5, 1. ])
    """

    formula = r"a - b \lfloor a / b \rfloor"
    rule = {"a": r"\bar y", "b": r"-\bar y\, \lfloor a / b \rfloor"}

    def forward(self, a: Array, b: Array) -> Array:
        return np.remainder(a, b)

    def vjp_a(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return g

    def vjp_b(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return -g * times(y, a, b)


def times(y: Array, a: Array, b: Array) -> Array:
    """How often b goes into a, rounded down; infinite, and silently, where that is beyond all floats as y is."""
    most = limits(y).max * np.minimum(np.abs(plain(b)), 1)
    beyond = np.abs(plain(a)) > most
    infinite = np.copysign(math.inf, plain(a)) * np.copysign(1.0, plain(b))
    return np.where(beyond, infinite, np.floor_divide(np.where(beyond, 0, a), b))


class FloorDivide(Op):
    """The quotient, rounded down. It only jumps: its slope is 0 wherever it has one.

    >>> floor_divide(np.array([5.0, -1.0]), 2)
    array([ 2., -1.])
    """

    formula = r"\lfloor a / b \rfloor"
    rule = {"a": "0", "b": "0"}

    def forward(self, a: Array, b: Array) -> Array:
        return np.floor_divide(a, b)

    def vjp_a(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return np.zeros_like(g)

    def vjp_b(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return np.zeros_like(g)


class Maximum(Op):
    """The greater of two. At a tie each gets half of the gradient, so d/dx maximum(x, x) = 1.

    >>> maximum(np.array([1.0, -2.0]), 0)
    array([1., 0.])
    """

    formula = r"\max(a, b)"
    rule = {
        "a": r"\bar y\, [a > b] + \tfrac{1}{2} \bar y\, [a = b]",
        "b": r"\bar y\, [b > a] + \tfrac{1}{2} \bar y\, [a = b]",
    }

    def forward(self, a: Array, b: Array) -> Array:
        return np.maximum(a, b)

    def vjp_a(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return _share(g, np.equal(a, y), np.equal(b, y))

    def vjp_b(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return _share(g, np.equal(b, y), np.equal(a, y))


class Minimum(Op):
    """The lesser of two. At a tie each gets half of the gradient, so d/dx minimum(x, x) = 1.

    >>> minimum(np.array([1.0, -2.0]), 0)
    array([ 0., -2.])
    """

    formula = r"\min(a, b)"
    rule = {
        "a": r"\bar y\, [a < b] + \tfrac{1}{2} \bar y\, [a = b]",
        "b": r"\bar y\, [b < a] + \tfrac{1}{2} \bar y\, [a = b]",
    }

    def forward(self, a: Array, b: Array) -> Array:
        return np.minimum(a, b)

    vjp_a = Maximum.vjp_a
    vjp_b = Maximum.vjp_b


def _share(g: Array, mine: Array, other: Array) -> Array:
    """What of g goes to one of two: all where the value is its alone, half where it is both's."""
    return np.where(mine, np.where(other, 0.5 * g, g), 0)


class Clip(Op):
    """x, but at least `low` and at most `high`; None is no bound. Where x is at or beyond a bound, the gradient
    goes to the bound.

    >>> clip(np.array([-2.0, 0.5, 3.0]), 0, 1)
    array([0. , 0.5, 1. ])
    """

    formula = r"\min(\max(x, \mathrm{low}), \mathrm{high})"
    rule = {
        "x": r"\bar y\, [\mathrm{low} < x < \mathrm{high}]",
        "low": r"\bar y\, [x \le \mathrm{low} < \mathrm{high}]",
        "high": r"\bar y\, [\mathrm{high} \le \max(x, \mathrm{low})]",
    }

    def forward(self, x: Array, low: Array, high: Array) -> Array:
        return np.minimum(np.maximum(x, low), high)

    def vjp_x(self, g: Array, y: Array, x: Array, low: Array, high: Array) -> Array:
        return np.where(np.greater(x, low) & np.less(x, high), g, 0)

    def vjp_low(self, g: Array, y: Array, x: Array, low: Array, high: Array) -> Array:
        return np.where(np.less_equal(x, low) & np.less(low, high), g, 0)

    def vjp_high(self, g: Array, y: Array, x: Array, low: Array, high: Array) -> Array:
        return np.where(np.less_equal(high, x) | np.less_equal(high, low), g, 0)


class Where(Op):
    """a where the condition holds, b elsewhere. Nothing flows into the branch not taken, whatever it holds.

    >>> where(np.array([True, False]), np.array([1.0, 2.0]), 0)
    array([1., 0.])
    """

    formula = r"\begin{cases} a & \mathrm{condition} \\ b & \mathrm{otherwise} \end{cases}"
    rule = {"a": r"\bar y\, [\mathrm{condition}]", "b": r"\bar y\, [\neg \mathrm{condition}]"}

    def forward(self, condition: Array, a: Array, b: Array) -> Array:
        return np.where(condition, a, b)

    def vjp_a(self, g: Array, y: Array, condition: Array, a: Array, b: Array) -> Array:
        return np.where(condition, g, 0)

    def vjp_b(self, g: Array, y: Array, condition: Array, a: Array, b: Array) -> Array:
        return np.where(condition, 0, g)


add = register(Add(), np.add)
subtract = register(Subtract(), np.subtract)
multiply = register(Multiply(), np.multiply)
divide = register(Divide(), np.divide)
power = register(Power(), np.power)
remainder = register(Remainder(), np.remainder)
floor_divide = register(FloorDivide(), np.floor_divide)
maximum = register(Maximum(), np.maximum)
minimum = register(Minimum(), np.minimum)
where = register(Where(), np.where)
_clip = register(Clip())


def clip(
    a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None, max: Any = None, **how: Any
) -> Any:
    """a, but at least the one bound and at most the other, by either of NumPy's names for them; None is no bound."""
    refuse("clip", out=out, **how)
    low, high = a_min if min is None else min, a_max if max is None else max
    return _clip(a, -math.inf if low is None else low, math.inf if high is None else high)


IMPLEMENTS[np.clip] = clip
