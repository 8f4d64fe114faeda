"""The cards say what is so: facts are held to what is known, plots to the functions, and the pages to the ops."""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from browser import Browser
from truth_rows import OPS_OF_ROWS, hard_inputs, ordinary_inputs

import tinygrad_act as ta
from tinygrad_act.activations.names import names_of
from tinygrad_act.catalogue import card, pages, words
from tinygrad_act.catalogue.card import NOT_MEASURED, measured
from tinygrad_act.catalogue.line import line_of
from tinygrad_act.catalogue.measures import Measures
from tinygrad_act.catalogue.plot import BOTTOM, LEFT, RIGHT, TOP, text_plots, ticks
from tinygrad_act.drawing.wording import readable
from tinygrad_act.op import OPS, Array, Elementwise, Kink, Op, register

CARDS = {one.facts.op.name: one for family in pages.families() for one in family.cards}
COMMAND = "python -m tinygrad_act.catalogue --write"
every_card = pytest.mark.parametrize("name", CARDS)
every_plot = pytest.mark.parametrize("name", [name for name, one in CARDS.items() if one.facts.line])
every_function = pytest.mark.parametrize("name", [name for name, one in CARDS.items() if one.facts.measures])


def known(name: str) -> tuple[Any, Measures]:
    """A card's function of one number, and what was computed of it."""
    found = CARDS[name].facts
    assert found.line
    assert found.measures
    return found.line, found.measures


def within_domain(line: Any, x: Array) -> Array:
    return x[(x > line.domain[0]) & (x < line.domain[1])]


# --- what is known from elsewhere


@pytest.mark.parametrize(
    ("name", "gain"),
    [("gelu", 1.5335), ("silu", 1.6765), ("mish", 1.4868), ("tanh", 1.5925), ("selu", 1.0), ("relu", 1.4142)],
)
def test_gains_are_those_of_the_literature(name: str, gain: float) -> None:
    assert CARDS[name].rows["init gain"].startswith(f"{gain:.4f},")


@pytest.mark.parametrize(
    ("name", "label", "said"),
    [
        ("relu", "shape", "increasing, range [0, ∞), C⁰: f′ jumps at 0"),
        ("relu", "dead", "f′ = 0 for z < 0"),
        ("relu", "kink", "at 0: slope 0 on the left, 1 on the right, 1 chosen (the document prints 1 for z >= 0)"),
        ("relu", "gradients", "with that gain each layer multiplies their variance by 1"),
        ("tanh", "shape", "strictly increasing, odd, range (−1, 1), smooth"),
        ("tanh", "saturates", "|f′| < 0.001 for x < −4.147 and x > 4.147"),  # arcosh √1000
        ("tanh", "values", "f(−∞) = −1, f(0) = 0, f(∞) = 1\nf′(−∞) = 0, f′(0) = 1, f′(∞) = 0"),
        ("gelu", "turns", "least −0.17 at x = −0.7518"),
        ("gelu", "shape", "not monotone, range [−0.17, ∞), smooth"),
        ("hard_swish", "dead", "f′ = 0 for x < −3"),
        ("hard_sigmoid", "dead", "f′ = 0 for x < −3 and x > 3"),
        ("hardshrink", "shape", "increasing, odd, range (−∞, ∞), not continuous: f jumps at −0.5, 0.5"),
        ("elu", "shape", "strictly increasing, range (−1, ∞), C¹: f″ jumps at 0"),
        ("isrlu", "shape", "strictly increasing, range (−1, ∞), C²: f‴ jumps at 0"),
        ("symexp", "shape", "strictly increasing, odd, range (−∞, ∞), C¹: f″ jumps at 0"),
        ("sparse_plus", "shape", "increasing, range [0, ∞), C¹: f″ jumps at −1, 1"),
        ("gcu", "shape", "not monotone, odd, range (−∞, ∞), smooth"),
        ("gaussian", "shape", "not monotone, even, range (0, 1], smooth"),
        ("sine", "values", "f(0) = 0\nf′(0) = 30\nno limit at ±∞"),
        ("step", "shape", "increasing, range {0, 1}, not continuous: f jumps at 0"),
        ("binarize", "shape", "increasing, range {−1, 1}, not continuous: f jumps at 0"),
        ("softmax", "range", "(0, 1]; a row sums to 1"),
        ("leaky_relu", "parameters", "alpha = 0.01"),
        ("silu", "also called", "swish"),
    ],
)
def test_rows_say_what_is_known(name: str, label: str, said: str) -> None:
    assert CARDS[name].rows[label] == said


@pytest.mark.parametrize(
    ("op", "rows"),
    [
        (
            ta.BReLU(t=20.0),
            {"shape": "increasing, range [0, 20], C⁰: f′ jumps at 0, 20", "dead": "f′ = 0 for x < 0 and x > 20"},
        ),
        (
            ta.BReLU(t=1e6),
            {"shape": "increasing, range [0, 1e6], C⁰: f′ jumps at 0, 1e6", "dead": "f′ = 0 for x < 0 and x > 1e6"},
        ),
        (ta.BReLU(t=math.inf), {"shape": "increasing, range [0, ∞), C⁰: f′ jumps at 0", "dead": "f′ = 0 for x < 0"}),
        (ta.Threshold(theta=30.0), {"shape": "increasing, range [0, ∞), not continuous: f jumps at 30"}),
        (
            ta.Threshold(theta=-50.0, value=-2000.0),
            {"shape": "increasing, range [−2000, ∞), not continuous: f jumps at −50", "dead": "f′ = 0 for x < −50"},
        ),
        (ta.HardTanh(low=-10.0, high=15.0), {"shape": "increasing, range [−10, 15], C⁰: f′ jumps at −10, 15"}),
        (ta.Softshrink(lambd=25.0), {"dead": "f′ = 0 for −25 < x < 25"}),
        (
            ta.Softplus(beta=50.0),  # e^(50 x) underflows at -15, but is not 0
            {
                "shape": "strictly increasing, range (0, ∞), smooth",
                "saturates": "|f′| < 0.001 for x < −0.1381",  # ln(999) / 50
                "dead": None,
            },
        ),
        (ta.Softplus(beta=1e4), {"shape": "strictly increasing, range (0, ∞), smooth", "dead": None}),
    ],
    ids=repr,
)
def test_rows_of_other_settings_say_what_is_known(op: Elementwise, rows: dict[str, str | None]) -> None:
    found = card(op)
    assert {label: found.rows.get(label) for label in rows} == rows
    low, high = map(float, re.findall(r'data-x="(\S+) (\S+)"', found.svg)[0])
    assert all(low < kink < high for kink in found.facts.line.kinks)


def test_what_is_odd_is_so_at_0_and_far_out_too() -> None:
    assert "odd" in card(ta.HardTanh(low=-30.0, high=30.0)).rows["shape"]
    assert "odd" not in card(ta.HardTanh(low=-30.0, high=31.0)).rows["shape"]
    assert "odd" not in card("binarize").rows["shape"]  # as f(0) = 1


# --- what is computed, held to the function


@every_function
def test_the_range_is_that_of_the_function(name: str) -> None:
    line, found = known(name)
    x = within_domain(
        line, np.concatenate([np.linspace(-40, 40, 20_001), np.geomspace(1, 1e5, 99), -np.geomspace(1, 1e5, 99)])
    )
    y = line.f(x)
    (low, high), (first, last) = found.range, found.reached
    assert low - 1e-9 <= y.min()
    assert y.max() <= high + 1e-9
    for bound, reached in ((low, first), (high, last)):
        if reached:
            assert np.abs(y - bound).min() < 1e-4
        else:
            assert not (y[np.abs(x) < 5] == bound).any()


@every_function
def test_the_dead_are_dead_and_the_saturated_nearly(name: str) -> None:
    line, found = known(name)
    for low, high in found.dead:
        inside = np.linspace(max(low, -30), min(high, 30), 50)[1:-1]
        assert not line.slope(inside).any()
        edges = np.array([edge + side * 1e-4 for edge, side in ((low, -1), (high, 1)) if math.isfinite(edge)])
        assert line.slope(edges).all()
    low, high = found.saturated
    for bound, side in ((low, -1), (high, 1)):
        if not math.isnan(bound):
            beyond = within_domain(line, bound + side * np.geomspace(1e-6, 1e6, 500))
            assert (np.abs(line.slope(beyond)) < 1e-3).all()
            assert abs(line.slope(np.array([bound - side * 1e-6]))[0]) >= 1e-3 - 1e-8


@every_function
def test_it_turns_where_the_card_says_and_nowhere_else(name: str) -> None:
    line, found = known(name)
    for turn in found.turns:
        beside = line.f(turn.x + np.array([-1e-3, 1e-3]))
        assert (beside >= turn.y).all() if turn.is_least else (beside <= turn.y).all()
        assert line.f(np.array([turn.x]))[0] == pytest.approx(turn.y, abs=1e-12)
    steps = np.sign(np.diff(line.f(within_domain(line, np.linspace(-15, 15, 30_001)))).round(12))
    changes = sum(1 for a, b in itertools.pairwise(steps[steps != 0]) if a != b)
    assert changes == sum(abs(turn.x) < 15 for turn in found.turns)
    assert ("not monotone" in found.direction) == bool(changes)


@every_function
def test_moments_equal_a_sum_over_many_points(name: str) -> None:
    line, found = known(name)
    if math.isnan(found.second_moment):
        assert "init gain" not in CARDS[name].rows
        return
    x = np.linspace(-12, 12, 480_001) + 2.5e-5  # so that no point is on a kink
    density = np.exp(-x * x / 2) / math.sqrt(2 * math.pi) * 5e-5
    assert np.sum(density * line.f(x) ** 2) == pytest.approx(found.second_moment, rel=1e-4)
    assert np.sum(density * line.slope(x) ** 2) == pytest.approx(found.slope_moment, rel=1e-4)


@every_function
def test_smoothness_agrees_with_the_declared_kinks(name: str) -> None:
    _, found = known(name)
    op = CARDS[name].facts.op
    if any(kink.left != kink.right for kink in op.kinks) and op.surrogate is None:
        assert found.smoothness.startswith(("C⁰", "not continuous"))
    elif op.surrogate is None:
        assert not found.smoothness.startswith("C⁰")


@pytest.mark.parametrize("op", OPS_OF_ROWS, ids=lambda op: op.name)
def test_the_range_of_an_op_of_rows_is_that_of_its_values(op: Op) -> None:
    """An end that belongs to it is reached, another one is come near to."""
    near, hard = ordinary_inputs(op, np.float64), hard_inputs(op, np.float64)
    far = [tuple(1e4 * x for x in inputs) for inputs in near] + hard
    near += [inputs for inputs in hard if inputs[0].tolist() == [[7.0]]]  # one alone
    usual, every = (np.concatenate([op(*inputs).ravel() for inputs in blocks]) for blocks in (near, far))
    said = op.range.partition(";")[0].replace("−", "-").replace("∞", "inf")
    ends = [float(end) for end in said[1:-1].split(", ")]
    if said[0] == "{":
        assert set(every) == set(usual) == set(ends)
        return
    assert ends[0] <= every.min()
    assert every.max() <= ends[1]
    for end, bracket in zip(ends, (said[0], said[-1]), strict=True):
        assert (end in usual) == (bracket in "[]")
        assert (np.sign(end) * every).max() > 1000 if math.isinf(end) else np.abs(every - end).min() < 1e-3


def test_what_else_is_said_of_the_values_of_a_row() -> None:
    x = np.random.default_rng(0).normal(0, 3, (100, 7))
    top = x.max(axis=-1)
    for op in OPS_OF_ROWS:
        if op.range.endswith("a row sums to 1"):
            np.testing.assert_allclose(op(*(x, x)[: len(op.arguments)]).sum(axis=-1), 1, rtol=1e-14)
    np.testing.assert_allclose(np.exp(ta.log_softmax(x)).sum(axis=-1), 1, rtol=1e-14)
    np.testing.assert_array_equal(ta.hardmax(x).sum(axis=-1), 1)
    assert ((top <= ta.logsumexp(x)) & (ta.logsumexp(x) <= top + math.log(7))).all()
    assert ((x.mean(axis=-1) <= ta.logmeanexp(x)) & (ta.logmeanexp(x) <= top)).all()
    assert (ta.crelu(x).reshape(100, 2, 7).min(axis=1) == 0).all()
    assert (ta.maxout(x)[:, np.newaxis] == x).any(axis=-1).all()


# --- the cards


@every_card
def test_every_activation_has_accuracy_cost_and_range(name: str) -> None:
    """On its card and in the table."""
    rows = CARDS[name].rows
    assert re.match(r".+ within [\d.]+ ulp and .+ within [\d.e]+ in float32; .+ in float64$", rows["accuracy"])
    assert re.match(r".+ takes? [\d.]+ times as long as relu, .+ [\d.]+ times as long as relu['′]", rows["cost"])
    assert re.search(r"range [(\[{]", rows["shape"]) if "shape" in rows else re.match(r"[(\[{]", rows["range"])
    told = dict(zip(pages.COLUMNS, pages.row(CARDS[name]), strict=True))
    assert all(told[column] for column in ("range", "ulp", "cost"))


@every_card
def test_every_fact_of_the_op_is_on_each_view(name: str) -> None:
    one = CARDS[name]
    op = one.facts.op
    facts = [*names_of(op), op.range, op.use, *op.elsewhere, *op.elsewhere.values(), *(kink.why for kink in op.kinks)]
    facts += (
        [f"{field.name} = {getattr(op, field.name)!r}" for field in dataclasses.fields(op) if field.repr]
        if (dataclasses.is_dataclass(op))
        else []
    )
    text, html, markdown = (" ".join(view.split()) for view in (str(one), one._repr_html_(), one.markdown()))
    for fact in filter(None, facts):
        fact = " ".join(fact.split())
        assert fact.replace("`", "") in text
        assert words.in_html(fact) in html
        assert words.in_markdown(fact) in markdown
    for equation in (*one.facts.equations, *one.facts.shorthand):
        assert f"$`{equation.latex}`$" in markdown
        assert words.in_mathml(equation.latex) in html
        assert readable(equation.latex).replace(" ", "") in text.replace(" ", "")
    assert max(map(words.columns_of, str(one).splitlines())) <= 100


@every_card
def test_formulas_in_plain_text_have_no_latex_left(name: str) -> None:
    one = CARDS[name]
    for equation in (*one.facts.equations, *one.facts.shorthand):
        assert not re.search(r"[\\{}]|frac|bar|mathrm|≤ft", readable(equation.latex))


def test_an_op_with_other_parameters_has_its_own_facts() -> None:
    one = card(ta.LeakyReLU(alpha=0.3))
    assert str(one).startswith("leaky_relu(alpha=0.3)\n")
    assert one.rows["kink"].startswith("at 0: slope 0.3 on the left, 1 on the right, 0.3 chosen")
    assert one.rows["init gain"].startswith(f"{1 / math.sqrt((1 + 0.3**2) / 2):.4f},")
    assert one.svg != CARDS["leaky_relu"].svg


def test_a_notebook_shows_the_card_of_an_activation_and_of_no_other_op() -> None:
    gelu: Any = ta.gelu
    assert "<svg" in gelu._repr_html_()
    assert "1.5335" in gelu._repr_html_()
    assert r"\Phi(x)" in gelu._repr_latex_()
    assert not re.search(r"<script|src=|@import|url\(", gelu._repr_html_())
    matmul: Any = OPS["matmul"]
    assert matmul._repr_html_() is None
    assert "y = a b" in str(card("matmul"))


@pytest.mark.parametrize("name", ["exp", "arctan", "sin", "absolute"])
def test_an_elementary_function_is_introduced_by_its_own_name(name: str) -> None:
    said = f"NumPy's `{name}`, of each number by itself: what `np.{name}` does with a Tensor."
    assert card(name).facts.summary == said
    assert card(name).facts.notes == ()


def test_names_are_taken_as_people_write_them() -> None:
    assert card("Swish").facts.op is ta.silu
    assert ta.card("Leaky-ReLU").facts.op is ta.leaky_relu
    with pytest.raises(ValueError, match="Did you mean 'gelu'"):
        card("gellu")


def test_without_the_library_formulas_are_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "latex2mathml.converter", None)
    words.in_mathml.cache_clear()
    assert "<code>f&#x27;(z) = 0 if z &lt; 0; 1 if z ≥ 0</code>" in card("relu").html()
    words.in_mathml.cache_clear()


def test_the_package_does_not_load_the_catalogue() -> None:
    code = "import sys, tinygrad_act; print('tinygrad_act.catalogue' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


def test_a_new_activation_is_one_block() -> None:
    """Registered, it has a card with a plot, and a row in the table; taken out again, it is gone."""

    class Corner(Elementwise):
        """A line with a corner at 2 (Nobody, 2031).

        >>> corner(3.0)
        """

        formula = r"\min\{x, 2\}"
        rule = r"\begin{cases} 1 & x < 2 \\ 0 & x \ge 2 \end{cases}"
        kinks = (Kink(2.0, left=1.0, right=0.0, chosen=0.0, why="the branch x >= 2"),)

        def forward(self, x: Array) -> Array:
            return np.minimum(x, 2)

        def derivative(self, y: Array, x: Array) -> Array:
            return np.less(x, 2)

    op: Op = register(Corner())
    try:
        one = card("corner")
        assert one.rows["shape"] == "increasing, range (−∞, 2], C⁰: f′ jumps at 2"
        assert one.rows["dead"] == "f′ = 0 for x > 2"
        assert one.rows["accuracy"] == f"{NOT_MEASURED} corner"
        assert "<circle" in one.svg
        shown = pages.table(pages.families({"corner": op}), width=100)
        assert re.search(r"corner +min\(x, 2\) +2: 0 .*\(−∞, 2\] +2031", shown)
    finally:
        del OPS["corner"]
    assert "corner" not in CARDS


def test_what_was_measured_is_of_ops_that_exist() -> None:
    assert set(measured()) - {""} <= set(CARDS)
    for name in set(measured()) - {""}:
        assert "measured" not in CARDS[name].rows
        value, slope = measured()[name]["cost"]
        assert 0 <= value < 1000
        assert 0 <= slope < 1000


# --- the plots


def curves_of(svg: str) -> list[list[list[tuple[float, float]]]]:
    """The pieces of f, f′ and f″, in pixels."""
    root = ElementTree.fromstring(svg)
    inner = root.find("{*}svg")
    assert inner is not None
    data = [path.get("d", "") for path in inner.iter("{http://www.w3.org/2000/svg}path")]
    pieces = [[re.findall(r"(-?[\d.]+),(-?[\d.]+)", piece) for piece in d.split("M")[1:]] for d in data]
    return [[[(float(a), float(b)) for a, b in piece] for piece in curve] for curve in pieces][::-1]


@every_plot
def test_the_curves_are_those_of_the_function(name: str) -> None:
    """Read back from the file: all points lie on the curve, and so do the middles of the lines between them."""
    one = CARDS[name]
    root = ElementTree.fromstring(one.svg)
    low, high = map(float, root.get("data-x", "").split())
    bottom, top = map(float, root.get("data-y", "").split())
    scales = list(map(float, root.get("data-by", "").split()))
    line = one.facts.line
    assert line
    for k, (pieces, scale) in enumerate(zip(curves_of(one.svg), scales, strict=True)):
        points = np.array([p for piece in pieces for p in [*piece, *middles(piece)]])
        x = low + (points[:, 0] - LEFT) / (RIGHT - LEFT) * (high - low)
        inside = (x > low + 1e-9) & (x < high - 1e-9) & (points[:, 1] > TOP) & (points[:, 1] < BOTTOM)
        step = 0.15 / (RIGHT - LEFT) * (high - low)  # x is rounded too
        for jump in one.facts.jumps:  # where the curve has two ends
            inside &= np.abs(x - jump.at) > step
        near = np.stack([line.curves(x[inside] + d, k)[k] / scale for d in (-step, 0, step)])
        pixels = BOTTOM - (near - bottom) / (top - bottom) * (BOTTOM - TOP)
        assert (pixels.min(axis=0) - 0.7 <= points[inside, 1]).all()
        assert (points[inside, 1] <= pixels.max(axis=0) + 0.7).all()


def middles(piece: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [((a + b) / 2, (c + d) / 2) for (a, c), (b, d) in itertools.pairwise(piece)]


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("softmax", ta.sigmoid),
        ("log_softmax", ta.log_sigmoid),
        ("maxout", ta.relu),
        ("glu", ta.sigmoid),
        ("geglu", ta.gelu),
    ],
)
def test_ops_of_rows_are_drawn_as_functions_of_one_number(name: str, like: Elementwise) -> None:
    line, x = CARDS[name].facts.line, np.linspace(-4, 4, 10)
    assert line
    np.testing.assert_allclose(line.curves(x)[:2], [like(x), like.derivative(like(x), x)], rtol=1e-6)


@every_plot
def test_a_picture_is_small_and_needs_nothing(name: str) -> None:
    picture = CARDS[name].svg
    assert len(picture.encode()) < 6500
    assert not re.search(r"<style|<script|href|\bid=", picture)
    assert not re.search(r"\de[-+]?\d|nan|inf", picture)
    assert picture == card(CARDS[name].facts.op).svg  # the same again


@every_plot
def test_a_terminal_of_80_columns_shows_value_and_slope_side_by_side(name: str) -> None:
    one = CARDS[name]
    assert one.facts.line
    shown = text_plots(one.facts.line, one.facts.points)
    assert "\n".join(f"  {row}".rstrip() for row in shown) in str(one)
    assert max(map(len, shown)) <= 78
    assert shown[0].split() == ["f", "f′"]


@pytest.mark.parametrize(
    ("name", "slope"), [("relu", [0, 1]), ("tanh", [1 / math.cosh(2.5) ** 2] * 2), ("sign", [0, 0])]
)
def test_the_right_panel_is_the_slope(name: str, slope: list[float]) -> None:
    """Read back from the dots, a quarter and three quarters of the way from -5 to 5."""
    line = line_of(OPS[name])
    assert line
    shown = text_plots(line, width=30, height=12)
    start = shown[0].index("f′")
    for column, expected in zip((7, 22), slope, strict=True):
        signs = [row.ljust(start + 30)[start + column] for row in shown[1:-1]]
        (row,) = (i for i, sign in enumerate(signs) if 0x2800 < ord(sign) < 0x2900)
        assert 1 - (row + 0.5) / 12 == pytest.approx(expected, abs=0.06)


def test_jumps_are_gaps_with_dots() -> None:
    """relu′ jumps from 0 to 1 at 0, where it is 1: a full dot there, an open one below."""
    root = ElementTree.fromstring(CARDS["relu"].svg)
    dots = [
        (c.get("cx"), c.get("cy"), c.get("fill") != "none") for c in root.iter("{http://www.w3.org/2000/svg}circle")
    ]
    value, slope, bend = curves_of(CARDS["relu"].svg)
    assert (len(value), len(slope), len(bend)) == (1, 2, 1)
    (x, height) = slope[1][0]
    assert (f"{x:g}", f"{height:g}", True) in dots
    assert (f"{x:g}", f"{slope[0][-1][1]:g}", False) in dots
    assert len(dots) == 2


def test_ticks_are_round_and_few() -> None:
    for low, high in ((-5, 5), (-0.2, 0.2), (0, 147), (-3.3, 11)):
        found = ticks(low, high, 7)
        assert 2 <= len(found) <= 7
        assert all(low <= at <= high for at in found)


# --- the pages


def same(one: str, other: str, slack: float) -> bool:
    """Whether two texts differ in no more than the last digits of numbers, which depend on the machine."""
    number = r"(\d+(?:\.\d+)?(?:e[-−]?\d+)?)"
    parts, others = re.split(number, one), re.split(number, other)
    if parts[::2] != others[::2]:
        return False
    pairs = [
        (float(a.replace("−", "-")), float(b.replace("−", "-"))) for a, b in zip(parts[1::2], others[1::2], strict=True)
    ]
    return all(abs(a - b) <= slack + 2e-3 * abs(a) for a, b in pairs)


def without_pictures(html: str) -> str:
    """A page without what is compared elsewhere, or made by another library."""
    return re.sub(r'(?s)<svg.*?</svg>\s*(?=<)|<div class="ta-formula">.*?</div>', "", html)


def test_texts_are_the_same_up_to_last_digits() -> None:
    assert same("gain 1.5335 at 12", "gain 1.5336 at 12", 0)
    assert not same("gain 1.5335 at 12", "gain 1.6335 at 12", 0)
    assert not same("gain 1.5335", "gains 1.5335", 0)


@pytest.mark.parametrize("name", pages.pages())
def test_the_pages_are_not_stale(name: str) -> None:
    path = pages.ACTIVATIONS / name
    assert path.exists(), f"{name} has not been made: run {COMMAND}"
    written, made = path.read_text(encoding="utf-8"), pages.pages()[name]
    if name.endswith(".html"):
        written, made = without_pictures(written), without_pictures(made)
    assert same(written, made, 0.15 if name.endswith(".svg") else 0), f"{name} is stale: run {COMMAND}"


def test_no_picture_is_left_of_an_op_that_is_gone() -> None:
    there = {f"gallery/{path.name}" for path in (pages.ACTIVATIONS / "gallery").iterdir()}
    assert there == {name for name in pages.pages() if name.startswith("gallery/")}, f"run {COMMAND}"


def test_writing_removes_old_pictures(tmp_path: Path) -> None:
    (tmp_path / "gallery").mkdir()
    (tmp_path / "gallery" / "gone.svg").write_text("<svg/>")
    assert {str(path.relative_to(tmp_path)) for path in pages.write(tmp_path)} == set(pages.pages())
    assert not (tmp_path / "gallery" / "gone.svg").exists()


@pytest.mark.parametrize("width", [60, 80, 120, 240])
def test_the_table_fits(width: int) -> None:
    shown = pages.table(pages.families(), width)
    assert max(map(words.columns_of, shown.splitlines())) <= width
    assert {line.split()[0] for line in shown.splitlines()[2:]} == set(CARDS)
    if width == 240:
        assert shown.splitlines()[0].split() == [
            "name",
            "formula",
            "at",
            "kinks",
            "gain",
            "range",
            "ulp",
            "cost",
            "year",
        ]


def test_the_command_prints_the_table_and_cards() -> None:
    command = [sys.executable, "-m", "tinygrad_act.catalogue"]
    assert "gelu" in subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8").stdout
    told = subprocess.run([*command, "gelu"], capture_output=True, text=True, check=True, encoding="utf-8").stdout
    assert told.strip() == str(card("gelu"))
    wrong = subprocess.run([*command, "gellu"], capture_output=True, text=True, encoding="utf-8")
    assert wrong.returncode == 2
    assert "Did you mean" in wrong.stderr


def test_links_of_the_markdown_page_lead_somewhere() -> None:
    text = pages.pages()["GALLERY.md"]
    headings = re.findall(r"(?m)^#+ (.*)$", text)
    anchors = {re.sub(r"[^\w\- ]", "", h.replace("\\", "")).lower().replace(" ", "-") for h in headings}
    assert len(anchors) == len(headings)
    assert set(re.findall(r"\]\(#(.*?)\)", text)) <= anchors
    for picture in re.findall(r'src="(.*?)"', text):
        assert (pages.ACTIVATIONS / picture).exists()


# --- the page in a browser


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("gallery") / "gallery.html"
    path.write_text(pages.pages()["gallery.html"], encoding="utf-8")
    assert path.stat().st_size < 1_000_000
    return path


VISIBLE = "[...document.querySelectorAll('{}')].filter(e => e.getClientRects().length).map(e => {})"


def test_the_page_finds_sorts_and_reads(browser: Browser, gallery: Path) -> None:
    with browser.open(gallery) as page:
        articles = VISIBLE.format("article", "e.id")
        names = VISIBLE.format("#overview tbody tr", "e.cells[1].textContent")
        assert page.evaluate(articles) == list(CARDS)
        page.click("#find")
        for key in "softmax logits":
            page.key("Space" if key == " " else key)
        assert "softmax" in page.evaluate(articles)
        assert len(page.evaluate(articles)) < 10
        assert page.evaluate(articles) == page.evaluate(names)
        page.key("Escape")
        assert page.evaluate(articles) == list(CARDS)
        page.click("#overview th:nth-child(5) button")
        gains = page.evaluate(VISIBLE.format("#overview tbody tr", "e.cells[4].textContent"))
        numbers = [float(gain) for gain in gains if gain]
        assert numbers == sorted(numbers)
        assert gains[: len(numbers)] == [gain for gain in gains if gain]
        page.click("#overview th:nth-child(5) button")
        page.click("#overview th:nth-child(5) button")
        assert page.evaluate(names) == list(CARDS)
        page.hover("#relu figure > svg")
        assert re.match(r"x .*: f .*, f′ .*, f″ 0$", page.text("#relu .read"))
        assert page.requests == []
        assert page.messages == []


def test_what_the_page_reads_off_is_the_value(browser: Browser, gallery: Path) -> None:
    with browser.open(gallery) as page:
        page.hover("#gelu figure > svg")
        x, *values = (
            float(v.replace("−", "-")) for v in re.findall(r"−?\d[\d.]*(?:e[-−]?\d+)?", page.text("#gelu .read"))
        )
        line, _ = known("gelu")
        assert values == pytest.approx(line.curves(np.array([x]))[:, 0], abs=0.03)


@pytest.mark.parametrize(("width", "dark"), [(390, False), (390, True), (1300, True)])
def test_the_page_fits_its_window(browser: Browser, gallery: Path, width: int, dark: bool) -> None:
    with browser.open(gallery, width=width, dark=dark) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 200) == dark
