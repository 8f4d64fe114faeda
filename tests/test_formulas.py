"""The documentation is proved: SymPy differentiates each printed formula, and the rule and the code are held to it."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import latex
import mpmath
import numpy as np
import pytest
import sympy
from exact import NATIVE, fields, numeric
from mpmath import mpf
from samples import ELEMENTWISE, UNUSUAL

from tinygrad_act.op import OPS, Elementwise, Op

UNPROVED: dict[str, str] = {}  # at most three, each with its reason
N = 3  # elements of a vector that stands for all vectors


def of_room(op: Op, *rooms: str) -> bool:
    return type(op).__module__.startswith(tuple(f"tinygrad_act.{room}" for room in rooms))


SEVERAL = [op for op in OPS.values() if op.learned or of_room(op, "ops.arith", "ops.binary")]
SEVERAL = [op for op in SEVERAL if not isinstance(op, Elementwise)]
PAIRED = [op for op in OPS.values() if of_room(op, "activations.glu")]
OTHERS = [op for op in OPS.values() if of_room(op, "activations") and not isinstance(op, Elementwise)]
VECTOR = [op for op in OTHERS if op not in SEVERAL + PAIRED and op.name not in UNPROVED]
SEVERAL += [s.op for s in UNUSUAL if not isinstance(s.op, Elementwise) and s.op.learned]
every_elementwise = pytest.mark.parametrize("op", [s.op for s in ELEMENTWISE if s.op.name not in UNPROVED], ids=repr)


@pytest.fixture(autouse=True)
def sixty_digits() -> Iterable[None]:
    with mpmath.workdps(60):
        yield


def equal(a: Any, b: Any, digits: int = 30) -> bool:
    return bool(abs(a - b) <= mpf(10) ** -digits * max(1, abs(a)))


def points(op: Any) -> list[Any]:
    """Random numbers between all kinks and beyond them, some close by, none on one."""
    draw = random.Random(op.name).uniform
    low, high = max(op.domain[0], -8), min(op.domain[1], 8)
    ends = sorted({low, high, *(k.at for k in op.kinks if low < k.at < high)})
    places = [(a, b) for a, b in itertools.pairwise(ends) for _ in range(4)]
    places += [(max(k - 0.01, low), k) for k in ends[1:]] + [(k, min(k + 0.01, high)) for k in ends[:-1]]
    places += [(low, high)] * 8
    return [mpf(draw(a, b)) + mpf(draw(0, 1)) * mpf(2) ** -60 for a, b in places]


def forms(op: Op) -> tuple[Any, list[Any], list[Any]]:
    """The variable of an elementwise op, the forms of its formula, and those of its rule."""
    x = sympy.Symbol("x", real=True)
    names = {**fields(op), op.arguments[0]: x}
    values = latex.sides(op.formula, names, op.shorthand)
    assert isinstance(op.rule, str)
    return x, values, latex.sides(op.rule, {**names, "y": values[0]}, op.shorthand)


def documented(op: Op, x: Any) -> Any:
    """The formula whose derivative the rule is."""
    held = op.surrogate or op
    return latex.formula(held, {held.arguments[0]: x})


@every_elementwise
def test_all_forms_agree(op: Elementwise) -> None:
    """Everything that a formula or a rule joins by "=", and the rule is what SymPy makes of the formula."""
    x, values, rules = forms(op)
    rules.append(sympy.diff(documented(op, x), x))
    for group in (values, rules):
        first, *others = (numeric(form, x) for form in group)
        for point in points(op):
            for other in others:
                assert equal(first(point), other(point)), (float(point), first(point), other(point))


@every_elementwise
def test_the_rule_is_as_declared_at_kinks(op: Elementwise) -> None:
    x, _, rules = forms(op)
    slope = numeric(sympy.diff(documented(op, x), x), x)
    step = mpf(10) ** -40
    for kink in op.kinks:
        for rule in rules:
            assert equal(numeric(rule, x)(mpf(kink.at)), kink.chosen, 15)
        assert equal(slope(kink.at - step), kink.left, 15)
        assert equal(slope(kink.at + step), kink.right, 15)


@every_elementwise
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_code_is_the_formula(op: Elementwise, dtype: Any) -> None:
    x, values, rules = forms(op)
    inputs = np.array([float(point) for point in points(op)], dtype)
    inputs = inputs[[all(v != dtype(k.at) for k in op.kinks) for v in inputs]]
    y = op(inputs)
    for got, form in ((y, values[0]), (op.derivative(y, inputs), rules[0])):
        truth = numeric(form, x)
        exact = [float(truth(mpf(float(v)))) for v in inputs]
        accuracy = 40 * np.finfo(dtype).eps
        np.testing.assert_allclose(np.broadcast_to(got, inputs.shape) * 1.0, exact, accuracy, accuracy)


# Ops of several inputs, of pairs, and of vectors: all that is true of them is said in numbers and their symbols.


class Opened(NamedTuple):
    """An op whose inputs are small arrays of symbols: what it and its rules are in these, form by form."""

    inputs: dict[str, np.ndarray]
    held: np.ndarray  # the outputs, or those of the surrogate: what the rule is the derivative of
    bars: np.ndarray  # the cotangents of the outputs
    values: list[np.ndarray]
    rules: dict[str, list[np.ndarray]]


def symbols(letter: str, n: int) -> np.ndarray:
    real = None if letter == "condition" else True
    return np.array([sympy.Symbol(f"{letter}{k or ''}", real=real) for k in range(n)], object)


def written(op: Op, text: str, names: dict[str, Any], n: int) -> list[np.ndarray]:
    """The forms of a text, each an array of n: of the components of its free index i, if it is not one already."""
    rows = [latex.sides(text, {**names, "i": sympy.Integer(k + 1)}, op.shorthand) for k in range(n)]
    forms = zip(*rows, strict=True)
    return [f[0] if np.shape(f[0]) == (n,) else np.array([np.ravel(v)[0] for v in f], object) for f in forms]


def opened(op: Op) -> Opened:
    """Learned inputs and operands are numbers; of a gated unit x is a pair (a, b); others have vectors."""
    n = N if op in VECTOR else 1
    inputs = {a: symbols(a, n) for a in op.arguments}
    names = {**fields(op), **(inputs if n > 1 else {a: v[0] for a, v in inputs.items()})}
    if op in PAIRED and op.rule["x"].startswith("("):
        names = {"a": symbols("a", 1)[0], "b": symbols("b", 1)[0]}
        inputs = {"x": np.array([*names.values()], object)}
    outputs = np.ravel(latex.formula(op, names if op in PAIRED else {a: names[a] for a in inputs}))
    held = np.ravel(latex.formula(op.surrogate, {op.surrogate.arguments[0]: names["x"]})) if op.surrogate else outputs
    label, bars = (re.match(r"\s*([a-z])_i\s*=", op.formula) or "?y")[1], symbols("bar", len(outputs))
    several = len(outputs) > 1
    names |= {label: outputs if several else outputs[0], f"bar {label}": bars if several else bars[0]}
    rules = {a: written(op, rule, names, len(inputs[a])) for a, rule in op.rule.items()}
    values = written(op, op.formula, names, len(outputs))
    return Opened(inputs, held, bars, values, rules)


def trials(op: Op, inputs: dict[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    """Random numbers: learned ones near where they start, the others of both signs, if the op is not arithmetic."""
    rng = np.random.default_rng(5)
    lowest = 0.2 if of_room(op, "ops") else -3
    found = []
    for k in range(8):
        near = {a: np.array([v + rng.uniform(-0.2, 0.2) if k else v]) for a, v in op.learned.items()}
        found.append({a: rng.uniform(lowest, 3, len(v)) for a, v in inputs.items()} | near)
        found[-1] |= {"condition": np.array([k % 2 == 0])} if "condition" in inputs else {}
    return found


@pytest.mark.parametrize("op", SEVERAL + PAIRED + VECTOR, ids=repr)
def test_rules_are_the_transposed_jacobian(op: Op) -> None:
    """The cotangent of an input is the sum over all outputs of their cotangents times their derivatives in it."""
    inputs, held, bars, values, rules = opened(op)
    numbers = [*bars, *(s for v in inputs.values() for s in v)]
    truth = {
        a: [sum(b * sympy.diff(y, x) for b, y in zip(bars, held, strict=True)) for x in v] for a, v in inputs.items()
    }
    true_values, *others = [numeric(list(form), *numbers) for form in values]
    slopes = {a: [numeric(list(form), *numbers) for form in (truth[a], *rules[a])] for a in rules}
    g = np.random.default_rng(6).uniform(0.5, 1.5, len(bars))
    for trial in trials(op, inputs):
        given = np.concatenate([g, *trial.values()], dtype=object)
        at = [v if isinstance(v, bool) else mpf(v) for v in given]
        exact = true_values(*at)
        assert all(map(equal, exact * len(others), [v for f in others for v in f(*at)]))
        arrays = [*trial.values()]
        y = op(*arrays)
        np.testing.assert_allclose(np.ravel(y), np.array(exact, float), rtol=1e-13, atol=1e-14)
        for a, (true_slope, *forms) in slopes.items():
            exact = true_slope(*at)
            assert all(map(equal, exact * len(forms), [v for f in forms for v in f(*at)])), (a, trial)
            got = op.vjp(op.arguments.index(a), g.reshape(np.shape(y)), y, *arrays)
            np.testing.assert_allclose(np.ravel(got), np.array(exact, float), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("op", [op for op in SEVERAL if op.kinks], ids=repr)
def test_the_rule_of_x_is_as_declared_at_kinks(op: Op) -> None:
    """At the parameters as they start."""
    inputs, (value,), (bar,), _, rules = opened(op)
    x = inputs["x"][0]
    start = {inputs[a][0]: sympy.Rational(v) for a, v in op.learned.items()} | {bar: 1}
    rule, slope = (numeric(f.subs(start), x) for f in (rules["x"][0][0], value.diff(x)))
    for kink in op.kinks:
        found = rule(mpf(kink.at)), *(slope(kink.at + sign * mpf(10) ** -40) for sign in (-1, 1))
        assert all(map(equal, found, (kink.chosen, kink.left, kink.right), [15] * 3))


def test_every_activation_is_proved_or_listed() -> None:
    proved = {s.op.name for s in ELEMENTWISE} | {op.name for op in SEVERAL + PAIRED + VECTOR}
    activations = {op.name for op in OPS.values() if of_room(op, "activations")}
    assert activations - proved == {name for name in UNPROVED if name in activations}
    assert len(UNPROVED) <= 3
    assert all(name in OPS and reason for name, reason in UNPROVED.items())


@pytest.mark.parametrize("name", [n for n in NATIVE if n in OPS and n not in ("max", "min", "sign", "arctan2")])
def test_a_function_that_sympy_knows_is_our_op_of_that_name(name: str) -> None:
    x = sympy.Symbol("x", real=True)
    op = OPS[name]
    ours, theirs = numeric(documented(op, x), x), numeric(NATIVE[name](x), x)
    assert all(equal(ours(point), theirs(point)) for point in points(op))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (r"x + \frac{1}{\beta}", r"who is 'beta'? at '\\beta}'"),
        (r"x^\top x", r"who is 'top'? at '\\top x'"),
        (r"\begin{cases} x & x 0 \end{cases}", "expected a relation"),
        (r"(x + 1", "expected )"),
        (r"x + ", "the formula ends too early"),
        (r"\mathrm{sigmoid}(x, 2)", "sigmoid takes other arguments"),
        (r"x_i", "who is 'x_i'?"),
        (r"x ) 2", "cannot read on at ') 2'"),
    ],
)
def test_a_formula_that_cannot_be_read_says_where(text: str, place: str) -> None:
    with pytest.raises(latex.UnreadableError, match=re.escape(place)):
        latex.sides(text, {"x": sympy.Symbol("x")})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"2 x y / 4 y", 2 * 3 * 5 / 4 * 5),
        (r"-x^2 |x - 5| x", -54),
        (r"|-|x||", 3),
        (r"\sin x \cos y - \ln 2 x", np.sin(3) * np.cos(5) - np.log(6)),
        (r"\tanh^2 (x) \mathrm{sech}^2 x", np.tanh(3) ** 2 / np.cosh(3) ** 2),
        (r"[1 < x \le 3] + [x < 0 \vee y \ne 5]", 1),
        (r"\sum_{j=1}^{3} j x^j", 3 + 2 * 9 + 3 * 27),
        (r"\varphi(2 y) + s + \max\{x, y, 4\}", 100 + 9 + 5),
        (r"\sum_{j \ne i} z_j + z_i", 1 + 2 + 3 + 4),
        (r"\min_j z_j + \max\{z_1, \dots, z_n\} \sum_i z_i", 1 + 4 * 10),
        (r"x'", None),
        (r"\mathrm{square}'(x) \left( y \right)", 30),
        (r"\lfloor y / 2 \rfloor e^{x - 3} e^{-(x - 3)}", 2),
        (r"\begin{cases} 1, & \text{if } x > y, \\ \alpha_p & \mathrm{otherwise} \end{cases}", 7),
    ],
)
def test_the_notation(text: str, value: float | None) -> None:
    names = {"x": 3, "y": 5, "alpha_p": 7, "z": np.array([1, 2, 3, 4], object), "i": 2}
    names = {k: v if k == "z" else sympy.Integer(v) for k, v in names.items()}
    shorthand = {r"\varphi(t)": r"t^2", "s": "x^2"}
    if value is None:
        with pytest.raises(latex.UnreadableError):
            latex.sides(text, names, shorthand)
    else:
        np.testing.assert_allclose(float(numeric(latex.sides(text, names, shorthand)[0])()), value, rtol=1e-14)
