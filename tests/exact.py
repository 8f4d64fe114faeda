"""SymPy's functions, and a few of ours, as exact as is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import sympy
from sympy import S

from tinygrad_act.op import Op


class Flat(sympy.Function):
    """A function with slope 0, wherever it has one."""

    is_real = True

    def fdiff(self, argindex: int = 1) -> Any:
        return S.Zero


class Sign(Flat):
    """-1, 0 or 1."""


class Floor(Flat):
    """The greatest integer that is not greater."""


class Less(Flat):
    """1 where a < b, else 0."""


class Maximum(sympy.Function):
    """The greater of two, or the second. SymPy would spend long on which one it may be."""

    is_real = True

    def fdiff(self, argindex: int = 1) -> Any:
        second_is_less = Less(*reversed(self.args))
        return second_is_less if argindex == 1 else 1 - second_is_less


class Absolute(sympy.Function):
    """|x| of anything, for which SymPy would ask whether it is real."""

    is_real = True

    def fdiff(self, argindex: int = 1) -> Any:
        return Sign(self.args[0])


def related(relation: Any, left: Any, right: Any) -> Any:
    """A relation, decided between numbers only: of long expressions SymPy would think long."""
    return relation(left, right, evaluate=left.is_number and right.is_number)


def indicator(condition: Any) -> Any:
    """1 where a condition holds, else 0: Iverson's bracket."""
    match condition:
        case sympy.And():
            return sympy.Mul(*map(indicator, condition.args))
        case sympy.Or():
            return 1 - sympy.Mul(*(1 - indicator(c) for c in condition.args))
        case sympy.Not():
            return 1 - indicator(condition.args[0])
        case sympy.Lt() | sympy.Gt():
            return Less(condition.lts, condition.gts)
        case sympy.Le() | sympy.Ge():
            return 1 - Less(condition.gts, condition.lts)
        case sympy.Ne():
            return 1 - indicator(sympy.Not(condition))
        case sympy.Eq():
            return (1 - Less(*condition.args)) * (1 - Less(*reversed(condition.args)))
    return sympy.Piecewise((1, condition), (0, True))  # true, false, or a symbol


def greatest(*args: Any) -> Any:
    first, *rest = args
    return Maximum(first, greatest(*rest)) if rest else first


def least(*args: Any) -> Any:
    return -greatest(*(-a for a in args))


NATIVE: dict[str, Any] = {f.__name__: f for f in (sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.tan, sympy.erf)}
NATIVE |= {f.__name__: f for f in (sympy.sinh, sympy.cosh, sympy.tanh, sympy.sech, sympy.erfc)}
NATIVE |= {"ln": sympy.log, "arctan": sympy.atan, "arsinh": sympy.asinh, "sqrt": sympy.sqrt}
NATIVE |= {"arcsin": sympy.asin, "arccos": sympy.acos, "arcosh": sympy.acosh, "artanh": sympy.atanh}
NATIVE |= {"arctan2": sympy.atan2, "besseli": sympy.besseli}
NATIVE |= {"max": greatest, "min": least, "sign": Sign, "sgn": Sign, "abs": Absolute}


def within(most: str, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function, of at most so much either way."""
    return lambda x: function(max(min(x, mpmath.mpf(most)), -mpmath.mpf(most)))


# What the generated code calls. A magnitude beyond 1e400 comes only from the exponential of an exponential, whose limit
# is long reached; its own exponential would need more memory than there is. Of erfc(1e6), 1e12 digits are zeros.
MEANING = {
    "Maximum": max,
    "Absolute": abs,
    "Sign": mpmath.sign,
    "Floor": mpmath.floor,
    "Less": lambda a, b: mpmath.mpf(a < b),
}
MEANING |= {name: within("1e400", getattr(mpmath, name)) for name in ("exp", "sinh", "cosh", "tanh", "sech")}
MEANING |= {name: within("1e6", getattr(mpmath, name)) for name in ("erf", "erfc")}


def numeric(expression: Any, *symbols: Any) -> Callable[..., Any]:
    """The expression as a function of mpmath numbers, at whatever precision mpmath has when it is called."""
    return sympy.lambdify(symbols, expression, modules=[MEANING, "mpmath"])


def fields(op: Op) -> dict[str, Any]:
    """The numbers among an op's parameters, exactly, by the names they have in LaTeX."""
    values = {name: getattr(op, name) for name in getattr(op, "__dataclass_fields__", {})}
    numbers = {k: v for k, v in values.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    exact = {name: sympy.Rational(v) for name, v in numbers.items()}
    return exact | ({"lambda": exact["lambd"]} if "lambd" in exact else {})  # which in Python is a keyword


def on_each(function: Any, *args: Any) -> Any:
    """A function of numbers, of vectors too: element by element."""
    if any(isinstance(a, np.ndarray) for a in args):
        return np.frompyfunc(function, len(args), 1)(*args)
    return function(*args)
