"""What functions of whole rows truly are, at as many digits as mpmath is told, and rows to try them on.

The functions of single numbers have tables, in truth_tables.py.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any

import latex
import mpmath
import numpy as np
import sympy
from exact import numeric
from mpmath import mpf

from tinygrad_act.activations.glu import GatedUnit
from tinygrad_act.activations.names import catalogue
from tinygrad_act.op import Elementwise, Op

Row = list[Any]  # of mpmath numbers
Exact = Callable[[Row], tuple[Row, list[Row]]]  # from a row to its values and the Jacobian; None where none is promised

OPS_OF_ROWS = [op for op in catalogue().values() if not isinstance(op, Elementwise) and not op.learned]
BEYOND = mpf("1e400")  # what an infinite number counts as: some number beyond all floats

INF, MOST = np.inf, np.finfo(np.float64).max
HARD = [  # rows, and their shares
    ([10000.0, 0.0, -10000.0], [1, 0, 0]),
    ([5.0, 5.0, 5.0, 5.0], [0.25] * 4),
    ([-0.0, 0.0], [0.5, 0.5]),
    ([0.0, -INF], [1, 0]),
    ([-INF, -INF], [0.5, 0.5]),
    ([INF, 0.0, INF], [0.5, 0, 0.5]),
    ([INF, -INF], [1, 0]),
    ([INF], [1]),
    ([1e38, -1e38, 1e38], [0.5, 0, 0.5]),
    ([-1e38, -1e38], [0.5, 0.5]),
    ([3.4e38, -3.4e38], [1, 0]),
    ([1e-45, 0.0, -1e-45, 0.0], [0.25] * 4),
    ([7.0], [1]),
    ([], []),
]
WIDE = [([MOST, 0.0], [1, 0]), ([-MOST, 0.0], [0, 1]), ([1e308, 1e291, 3.0], [1, 0, 0])]


def points(dtype: Any, n: int = 500) -> np.ndarray:
    """All exponents and both signs, more of them where the functions bend, and subnormals."""
    rng, info = np.random.default_rng(0), np.finfo(dtype)
    signs = rng.choice([-1.0, 1.0], n)
    edge = 110 if dtype == np.float32 else 760
    exponents = rng.uniform(info.minexp - 20, info.maxexp - 1, n)
    parts = [
        signs * 2.0**exponents,
        signs * 2.0 ** rng.uniform(-30, 6, n),
        rng.uniform(-edge, edge, n),
        rng.uniform(-9, 9, n),
    ]
    return np.concatenate(parts).astype(dtype)


def numbers(x: np.ndarray) -> list[Row]:
    """Rows of floats, exactly."""
    return [[mpf(float(v)) if np.isfinite(v) else mpmath.sign(v) * BEYOND for v in row] for row in x]


def rows(dtype: Any, n: int = 120) -> tuple[np.ndarray, list[Row]]:
    """Logits of many spreads and sizes, as floats and exactly."""
    rng = np.random.default_rng(1)
    spreads = [(1, 1), (5, 50), (30, 100), (1, 1000), (200, 200), (1e-3, 1e4)]
    x = np.concatenate([rng.normal(0, s, (n, 5)) + rng.normal(0, m, (n, 1)) for s, m in spreads]).astype(dtype)
    return x, numbers(x)


def near_rows(dtype: Any, n: int = 8) -> tuple[np.ndarray, list[Row]]:
    """Rows in which several get a share, some of them a tiny one, besides those of `rows`."""
    rng = np.random.default_rng(3)
    tiny = rng.choice([-1.0, 0.0, 1.0], (40, 5)) * 2.0 ** rng.uniform(-60, 1, (40, 5))
    x = np.concatenate([rows(dtype, n)[0], rng.normal(0, 0.4, (40, 5)), 100 + rng.normal(0, 0.4, (40, 5)), tiny])
    x = x.astype(dtype)
    return x, numbers(x)


def ordinary_inputs(op: Op, dtype: Any) -> list[tuple[np.ndarray, ...]]:
    """Normal numbers, in rows of five or pairs of halves."""
    shape = (200, 2) if isinstance(op, GatedUnit) else (200, 5)
    return [with_noise(op, np.random.default_rng(5).normal(0, 2, shape).astype(dtype))]


def hard_inputs(op: Op, dtype: Any) -> list[tuple[np.ndarray, ...]]:
    """Gates of every exponent, or logits of all spreads and sizes, equal, huge and infinite ones, and one alone."""
    if isinstance(op, GatedUnit):
        gates = points(dtype, 60)
        a = np.random.default_rng(6).normal(0, 2, gates.shape).astype(dtype)
        fits = np.abs(gates) < np.finfo(dtype).max / 16  # of the product
        return [(np.stack([a, gates], axis=1)[fits],)]
    hard = [row for row, _ in HARD + WIDE * (dtype == np.float64) if row]
    return [with_noise(op, x) for x in (near_rows(dtype, 60)[0], *(np.array([row], dtype) for row in hard))]


def with_noise(op: Op, x: np.ndarray) -> tuple[np.ndarray, ...]:
    """What an op takes, be it with the noise that moves a draw."""
    noise = np.random.default_rng(7).gumbel(size=x.shape).astype(x.dtype)
    return (x, noise)[: len(op.arguments)]


def worst_ulp(got: np.ndarray, exact: Iterable[Any]) -> float:
    """The greatest error, in ULP of the correctly rounded result, never below the smallest subnormal.

    A wrong inf or nan is off by inf. Where the truth is None no accuracy is promised.
    """
    worst, info = 0.0, np.finfo(got.dtype)
    for value, truth in zip(got.ravel(), exact, strict=True):
        if truth is None:
            continue
        if abs(truth) > float(info.max) or not np.isfinite(value):
            right = abs(truth) > float(info.max) and value == mpmath.sign(truth) * mpmath.inf
            worst = max(worst, 0.0 if right else math.inf)
            continue
        nearest = abs(float(got.dtype.type(float(truth))))
        exponent = max(math.frexp(nearest)[1] - 1, info.minexp) if nearest else info.minexp
        worst = max(worst, float(abs(mpf(float(value)) - truth) / mpf(2) ** int(exponent - info.nmant)))
    return worst


# what they are


def exact_softmax(row: Row, temperature: float = 1.0) -> Row:
    e = [mpmath.exp((v - max(row)) / mpf(temperature)) for v in row]
    return [v / sum(e) for v in e]


def above_top(row: Row) -> Any:
    """ln Σ e^(x - max x), which may be tiny."""
    k = row.index(max(row))
    return mpmath.log1p(sum(mpmath.exp(v - row[k]) for i, v in enumerate(row) if i != k))


def exact_log_softmax(row: Row) -> Row:
    return [v - max(row) - above_top(row) for v in row]


def projected(power: int) -> Callable[[Row], Row]:
    """max(z - tau, 0) to a power, tau found by Newton's method from below: its sum is convex and falls."""

    def shares(row: Row) -> Row:
        z = [(v - max(row)) / power for v in row]
        tau = mpf(-1)
        for _ in range(12):
            over = [v - tau for v in z if v > tau]
            tau += (sum(d**power for d in over) - 1) / (power * sum(d ** (power - 1) for d in over))
        return [max(v - tau, mpf(0)) ** power for v in z]

    return shares


def others(weights: Row, i: int) -> Any:
    """The sum of all but one, of which 1 less that one would keep few digits."""
    return sum(w for j, w in enumerate(weights) if j != i)


def jacobian(weights: Row) -> list[Row]:
    """w_i (1 if i = j - w_j / Σw): that of shares which sum to 1."""
    n = range(len(weights))
    return [[weights[i] * (others(weights, i) if i == j else -weights[j]) / sum(weights) for j in n] for i in n]


def of_shares(shares: Callable[[Row], Row], weight: Callable[[Any], Any] = lambda p: p) -> Exact:
    def exact(row: Row) -> tuple[Row, list[Row]]:
        p = shares(row)
        return p, jacobian([weight(v) for v in p])

    return exact


def of_softmin(row: Row) -> tuple[Row, list[Row]]:
    p = exact_softmax([-v for v in row])
    return p, [[-v for v in slopes] for slopes in jacobian(p)]


def of_log(row: Row) -> tuple[Row, list[Row]]:
    p = exact_softmax(row)
    n = range(len(row))
    return exact_log_softmax(row), [[others(p, i) if i == j else -p[j] for j in n] for i in n]


def of_logarithm(mean: bool) -> Exact:
    """logsumexp and logmeanexp, where the value is not itself the small difference of two terms."""

    def exact(row: Row) -> tuple[Row, list[Row]]:
        value = max(row) + above_top(row) - (mpmath.log(len(row)) if mean else 0)
        return [value if abs(value) > abs(max(row)) / 2 else None], [exact_softmax(row)]

    return exact


def of_hardmax(row: Row) -> tuple[Row, list[Row]]:
    return [mpf(i == row.index(max(row))) for i in range(len(row))], jacobian(exact_softmax(row))


def of_maximum(row: Row) -> tuple[Row, list[Row]]:
    return [max(row)], [[mpf(v == max(row)) / row.count(max(row)) for v in row]]


def of_crelu(row: Row) -> tuple[Row, list[Row]]:
    n = range(len(row))
    positive = [[mpf(i == j and row[i] >= 0) for j in n] for i in n]
    negative = [[-mpf(i == j and row[i] < 0) for j in n] for i in n]
    return [max(v, mpf(0)) for v in row] + [max(-v, mpf(0)) for v in row], positive + negative


def pair(text: str) -> list[str]:
    """The halves of what a formula or a rule says."""
    assert text.startswith("(")
    assert text.endswith(")")
    return text[1:-1].split(r",\;")


def of_gated(op: Any) -> Exact:
    """A gated unit of two numbers, as its formula and its rule say; but within a quarter of a root of its slope."""
    a, b = sympy.symbols("a b", real=True)
    said = [op.formula.split(" = ")[0], *pair(op.rule["x"])]
    names = {"a": a, "b": b, "bar y": sympy.Integer(1)}
    value, *slopes = (numeric(latex.sides(text, names, op.shorthand)[0], a, b) for text in said)

    def exact(row: Row) -> tuple[Row, list[Row]]:
        u, v = row
        near_root = [f(u, v / 1.25) * f(u, v / 0.75) < 0 for f in slopes]
        with mpmath.workprec(1400):  # which hold 1 plus the smallest float
            return [value(u, v)], [[None if near else f(u, v) for f, near in zip(slopes, near_root, strict=True)]]

    return exact


EXACT: dict[str, Exact] = {
    **dict.fromkeys(("softmax", "tempered_softmax", "gumbel_softmax"), of_shares(exact_softmax)),
    "softmin": of_softmin,
    "log_softmax": of_log,
    "logsumexp": of_logarithm(mean=False),
    "logmeanexp": of_logarithm(mean=True),
    "sparsemax": of_shares(projected(1), lambda p: mpf(p > 0)),
    "entmax15": of_shares(projected(2), mpmath.sqrt),
    "hardmax": of_hardmax,
    "maxout": of_maximum,
    "crelu": of_crelu,
    **{op.name: of_gated(op) for op in OPS_OF_ROWS if isinstance(op, GatedUnit)},
}


# how far off one is

Value = Callable[..., np.ndarray]  # from the inputs
Pullback = Callable[..., np.ndarray]  # from a cotangent and the inputs, to that of the first of these


def our_pullback(op: Op) -> Pullback:
    return lambda g, *inputs: op.vjp(0, g, op(*inputs), *inputs)


def worst_of_rows(
    op: Op, blocks: list[tuple[np.ndarray, ...]], value: Value | None = None, pullback: Pullback | None = None
) -> tuple[float, float]:
    """The greatest errors in ULP, ours or another's, of the values and of the Jacobian's entries, each by itself.

    A row of the Jacobian is the pullback of a cotangent that is 1 at one of the values, and 0 at all others.
    """
    value, pullback, exact = value or op, pullback or our_pullback(op), EXACT[op.name]
    worst = [0.0, 0.0]
    with mpmath.workdps(60):
        for inputs in blocks:
            known = list(
                map(exact, numbers(sum(x.astype(np.float64) for x in inputs)))
            )  # with noise, which we round so
            y = np.asarray(value(*inputs))
            ones = np.eye(len(known[0][0]), dtype=y.dtype)
            slopes = [np.asarray(pullback(np.tile(g, (len(y), 1)).reshape(y.shape), *inputs)) for g in ones]
            errors = (
                worst_ulp(y, itertools.chain.from_iterable(values for values, _ in known)),
                worst_ulp(np.stack(slopes, axis=1), (v for _, matrix in known for line in matrix for v in line)),
            )
            worst = [max(pair) for pair in zip(worst, errors, strict=True)]
    return worst[0], worst[1]


def worst_errors(op: Op, dtype: Any) -> tuple[float, float]:
    """Ours, on ordinary and on hard rows."""
    return worst_of_rows(op, ordinary_inputs(op, dtype) + hard_inputs(op, dtype))
