"""Compute the tables of truth: of each op that has none, or whose formula has changed, or that is named.

python tests/truth/make.py [NAME ...]
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import sympy
from mpmath import mpf

sys.path.insert(0, str(Path(__file__).parents[1]))

import latex
from exact import Absolute, Maximum, Sign, numeric
from truth_tables import DTYPES, OPS_WITH_TRUTH, bend_points, digest, file_of, is_current, points, read, row

from tinygrad_act.op import Op

DIGITS = 60
BEYOND = mpf(2) ** -1200  # less than any float can tell from 0, and from any other value


class Function:
    """A SymPy expression in x as a function from floats to mpmath numbers of 60 correct digits."""

    def __init__(self, expression: Any, x: Any, dtype: Any) -> None:
        w = sympy.Wild("w")  # SymPy's derivative of tanh loses all digits where tanh is nearly 1
        self.expression, self.x = expression.replace(1 - sympy.tanh(w) ** 2, sympy.sech(w) ** 2), x
        self.function = numeric(self.expression, x)
        self.precision = 512 if dtype == np.float32 else 1400

    def __call__(self, x: Any, precision: int = 0) -> Any:
        """At twice the precision until two results agree, or are so small that all floats are 0 or the limit.

        The first precision holds 1 plus the smallest float, or else two results could agree that there is no more.
        """
        before, precision = None, precision or self.precision
        while precision < 40_000:
            with mpmath.workprec(precision):
                now = mpf(self.function(mpf(x)))
                if before is not None and abs(now - before) <= abs(now) * mpf(10) ** -DIGITS and now != 0:
                    return now
                if precision >= 4096 and before is not None and max(abs(now), abs(before)) < BEYOND:
                    return mpf(0)
            before, precision = now, 2 * precision
        raise ArithmeticError(f"{self.expression} at {x} has not settled")

    def beside(self, x: float) -> Any:
        """The common limit from left and right: at a seam of two formulas SymPy's derivative may be of neither."""
        with mpmath.workprec(2048):
            left, right = (self(mpf(x) + sign * mpf(2) ** -900, 2048) for sign in (-1, 1))
            if abs(left - right) > mpf(2) ** -800 * max(1, abs(left)):
                raise ArithmeticError(f"{self.expression} jumps at {x}, where no kink is declared")
            return left if abs(left) > mpf(2) ** -800 else mpf(0)

    def limit(self, sign: int) -> Any:
        """At sign times infinity: inf, -inf, a number, or nan if there is no limit."""
        values = [self(sign * mpf(10) ** n) for n in range(320, 391, 10)]
        if min(values) > mpf("1e310") or max(values) < -mpf("1e310"):
            return sign_of(values[0]) * mpmath.inf
        if max(values) - min(values) < mpf("1e-300"):
            return values[-1]
        plain = self.expression.replace(Absolute, sympy.Abs).replace(Sign, sympy.sign).replace(Maximum, sympy.Max)
        t = sympy.Symbol("t", positive=True)
        limit = sympy.limit(plain.subs(self.x, sign * t), t, sympy.oo)
        return {sympy.oo: mpmath.inf, -sympy.oo: -mpmath.inf}.get(limit, mpmath.nan)


def sign_of(x: Any) -> int:
    return 1 if x > 0 else -1


def rounded(truth: Any, dtype: Any) -> tuple[float, int]:
    """The float nearest to the truth, and what it lacks in 1/256 ULP."""
    if not mpmath.isfinite(truth) or truth == 0:
        return float(truth), 0
    info = np.finfo(dtype)
    with mpmath.workprec(2000):
        exponent = max(mpmath.frexp(truth)[1] - 1, info.minexp) - info.nmant
        units = mpmath.ldexp(truth, -exponent)
        whole = int(mpmath.nint(units))
        rest = int(mpmath.nint((units - whole) * 256))
        if abs(mpmath.ldexp(whole, exponent)) > float(info.max):
            return math.copysign(math.inf, whole), 0
    return math.ldexp(whole, int(exponent)), min(rest, 127)


def functions(op: Op, dtype: Any) -> tuple[Function, Function, Function]:
    """f, f' and f'', the learned inputs being as they start; f' is the surrogate's, if there is one."""
    x = sympy.Symbol("x", real=True)
    first = op.arguments[0]
    start = {a: sympy.Rational(v) for a, v in op.learned.items()}
    value = latex.formula(op, {first: x, **start})
    held = latex.formula(op.surrogate, {op.surrogate.arguments[0]: x}) if op.surrogate else value
    slope = sympy.diff(held, x)
    return Function(value, x, dtype), Function(slope, x, dtype), Function(sympy.diff(slope, x), x, dtype)


def with_limits(function: Function) -> Callable[[Any], Any]:
    return lambda x: function(float(x)) if np.isfinite(x) else function.limit(sign_of(x))


def with_kinks(function: Function, op: Op) -> Callable[[Any], Any]:
    """The derivative, with what was chosen at kinks. Other seams of formulas are at round numbers."""
    chosen = {k.at: k.chosen for k in op.kinks}

    def at(x: Any) -> Any:
        if float(x) in chosen:
            return mpf(chosen[float(x)])
        return function.beside(float(x)) if abs(x) < 16 and x * 8 % 1 == 0 else with_limits(function)(x)

    return at


def edges(function: Callable[[Any], Any], x: np.ndarray, mark: Callable[[Any], Any], most: int) -> list[Any]:
    """Floats next to which a mark of the function changes, found by bisection: at most so many, the smallest first."""
    marks = [mark(function(v)) for v in x]
    changes = [i for i in range(len(x) - 1) if marks[i] != marks[i + 1] and None not in (marks[i], marks[i + 1])]
    found = []
    for i in sorted(changes, key=lambda i: abs(x[i]))[:most]:
        low, high = x[i], x[i + 1]
        while (middle := low / 2 + high / 2) not in (low, high):
            low, high = (middle, high) if mark(function(middle)) == marks[i] else (low, middle)
        found += [low, high, np.nextafter(low, -x.dtype.type(np.inf)), np.nextafter(high, x.dtype.type(np.inf))]
        found += [low * x.dtype.type(step) for step in (0.8, 0.97, 0.999)]
        found += [low * x.dtype.type(step) for step in (1.001, 1.03, 1.2) if abs(low) < np.finfo(x.dtype).max / 2]
    return found


def interesting(value: Callable[[Any], Any], slope: Callable[[Any], Any], x: np.ndarray) -> list[Any]:
    """Points around the roots of f', and where either over- or underflows."""
    info = np.finfo(x.dtype)

    def size(v: Any) -> Any:
        return None if mpmath.isnan(v) else (abs(v) >= float(info.tiny)) + (abs(v) > float(info.max))

    def sign(v: Any) -> Any:
        return None if v == 0 or not mpmath.isfinite(v) else v > 0

    finite = x[np.isfinite(x)]
    return edges(value, finite, size, 4) + edges(slope, finite, size, 4) + edges(slope, finite, sign, 4)


def rows_of(op: Op, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """(the table, the points in it that are the op's own)"""
    function, derivative, _ = functions(op, dtype)
    value, slope = remember(with_limits(function)), remember(with_kinks(derivative, op))
    more = np.array(sorted(set(interesting(value, slope, points(op, dtype)))), dtype)
    x = points(op, dtype, more)
    rows = np.empty(len(x), row(dtype))
    for i, v in enumerate(x):
        rows["value"][i], rows["value_rest"][i] = rounded(value(v), dtype)
        rows["slope"][i], rows["slope_rest"][i] = rounded(slope(v), dtype)
    return rows, more


def remember(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    known: dict[float, Any] = {}

    def at(x: Any) -> Any:
        if float(x) not in known:
            known[float(x)] = function(x)
        return known[float(x)]

    return at


def tables(op: Op) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {f"{op!r} digest": np.array(digest(op))}
    for dtype in DTYPES:
        found[f"{op!r} {np.dtype(dtype)}"], found[f"{op!r} {np.dtype(dtype)} more"] = rows_of(op, dtype)
    bend = functions(op, np.float64)[2]
    found[f"{op!r} bend"] = np.array([rounded(bend(float(v)), np.float64)[0] for v in bend_points(op)])
    return found


def main(names: list[str]) -> None:
    for path in sorted({file_of(op) for op in OPS_WITH_TRUTH} | set(Path(__file__).parent.glob("*.npz"))):
        ops = [op for op in OPS_WITH_TRUTH if file_of(op) == path]
        stale = [op for op in ops if op.name in names or not is_current(op)]
        wanted = {repr(op) for op in ops}
        kept = {k: v for k, v in read(path).items() if re_key(k) in wanted}
        for op in stale:
            print(op, flush=True)
            kept |= tables(op)
        if not ops:
            path.unlink()
        elif stale or len(kept) != len(read(path)):
            np.savez_compressed(path, **dict(sorted(kept.items())))


def re_key(key: str) -> str:
    """The op of a key."""
    for end in (" digest", " bend", " more", " float32", " float64"):
        key = key.removesuffix(end)
    return key


if __name__ == "__main__":
    main(sys.argv[1:])
