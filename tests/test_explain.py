"""The walk in words and numbers: it is the engine's own for every op, and tells why a gradient is as it is."""

from __future__ import annotations

import gc
import math
import re
import time
from typing import Any

import numpy as np
import pytest
from samples import SAMPLES, Sample

import tinygrad_act as ta
from tinygrad_act import Tensor, nn
from tinygrad_act.drawing import lines, lines_noted
from tinygrad_act.drawing.diagnosis import CURES, Diagnosis
from tinygrad_act.drawing.explain import explain
from tinygrad_act.drawing.graph import read
from tinygrad_act.drawing.lines import line_of
from tinygrad_act.drawing.steps import Passed, Step, rms, steps_of
from tinygrad_act.drawing.wording import columns, readable
from tinygrad_act.op import OPS, Elementwise

every_sample = pytest.mark.parametrize("sample", SAMPLES, ids=repr)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def applied(sample: Sample, dtype: Any = np.float64) -> tuple[Tensor, list[Tensor]]:
    """The op of Tensors wherever it has a rule, and these."""
    op, leaves, inputs = sample.op, [], []
    for i, x in enumerate(sample.inputs):
        ruled = op.variadic or isinstance(op, Elementwise) or op.rules[i] is not None
        if ruled and isinstance(x, np.ndarray) and x.dtype.kind == "f":
            x = Tensor(x.astype(dtype))
            leaves.append(x)
        inputs.append(x)
    return op(*inputs), leaves


def passed(y: Tensor) -> list[Passed]:
    return [p for step in steps_of(read([y])) for p in step.outgoing]


def network(*layers: Any, rows: int = 16, seed: int = 1) -> tuple[nn.Sequential, Tensor]:
    """The layers, and the loss of random samples."""
    rng = np.random.default_rng(seed)
    model = nn.Sequential(*layers)
    width = model[0].weight.shape[0]
    z = model(rng.normal(size=(rows, width)))
    return model, ta.cross_entropy(z, rng.integers(0, z.shape[1], rows))


def linear(n: int, m: int, initial: Any = nn.init.glorot_uniform) -> nn.Linear:
    return nn.Linear(n, m, rng=np.random.default_rng(n + m), initial=initial)


@every_sample
@both_dtypes
def test_gradients_are_those_of_backward_to_the_bit(sample: Sample, dtype: Any) -> None:
    y, leaves = applied(sample, dtype)
    shared = ta.tanh(y * y + y)  # with uses to add up
    seed = np.random.default_rng(3).uniform(0.5, 1.5, y.shape)
    gradients = explain(shared, seed=seed).gradients
    assert all(leaf.grad is None for leaf in leaves), "it changes no .grad"
    shared.backward(seed)
    assert set(gradients) == set(leaves)
    for leaf in leaves:
        np.testing.assert_array_equal(gradients[leaf], leaf.grad)
        assert gradients[leaf].dtype == leaf.dtype


@every_sample
def test_what_the_rules_pass_on_adds_up_to_what_arrives(sample: Sample) -> None:
    y, _ = applied(sample)
    steps = steps_of(read([y * y + y]), np.ones(y.shape))
    arrived = {s.vertex: s.incoming for s in steps if s.phase == "backward"}
    last = {p.to: p.after for s in steps for p in s.outgoing}
    for v, after in last.items():
        np.testing.assert_array_equal(after, arrived[v])
    for p in (p for s in steps for p in s.outgoing):
        assert p.gradient.shape == p.after.shape == p.to.shape
        np.testing.assert_array_equal(p.after, p.gradient if p.before is None else p.before + p.gradient)
        np.testing.assert_allclose(p.raw.sum(axis=p.summed).reshape(p.to.shape), p.gradient, rtol=1e-12)


@every_sample
def test_every_op_is_explained_and_diagnosed(sample: Sample) -> None:
    y, leaves = applied(sample)
    seed = np.ones(y.shape)
    explanation = explain(y, seed=seed)
    assert y.op
    for said in (str(explanation), explanation._repr_markdown_()):
        assert y.op.name in said
    assert "\\" not in str(explanation), "formulas are in plain text"
    for leaf in leaves:
        d = explain(y, wrt=leaf, seed=seed)
        assert d.verdict in ("ordinary", "zero", "tiny", "huge")
        np.testing.assert_array_equal(d.gradient, explanation.gradients[leaf])
        total = math.prod(f.factor for f in d.factors)
        np.testing.assert_allclose(total * rms(seed), rms(d.gradient), rtol=1e-12)
        assert leaf.grad is None


@pytest.mark.parametrize("op", [op for op in OPS.values() if isinstance(op, Elementwise)], ids=repr)
def test_the_slope_of_an_elementwise_op_is_a_step_s_local(op: Elementwise) -> None:
    x = Tensor([1.5, 1.75] if op.domain[0] >= 1 else [0.5, 0.75])
    backward = [s for s in explain(op(x), seed=[1.0, 1.0]).steps if s.local is not None]
    assert [s.op for s in backward] == [op.name]
    np.testing.assert_array_equal(backward[0].local, backward[0].outgoing[0].gradient)


def test_a_scalar_expression_reads_like_a_worksheet() -> None:
    a, b, c = Tensor(2.0, name="a"), Tensor(-3.0, name="b"), Tensor(10.0, name="c")
    assert str(explain(a * b + c)).splitlines() == [
        "FORWARD: each value from those before it",
        "",
        "#0  a                    2",
        "#1  b                    -3",
        "#2  multiply   y = a b",
        "      a                  2",
        "      b                  -3",
        "      y                  -6",
        "#3  c                    10",
        "#4  add   y = a + b",
        "      a = multiply #2    -6",
        "      b = c              10",
        "      y                  4",
        "",
        "BACKWARD: ȳ is the gradient of add #4 with respect to y; a rule makes one of it for each input",
        "",
        "#4  add   y = a + b",
        "      ȳ                  1    the seed",
        "      ā = ȳ              1    → multiply #2",
        "      b̄ = ȳ              1    → c",
        "#2  multiply   y = a b",
        "      ȳ                  1",
        "      ā = ȳ b            -3   → a",
        "      b̄ = ȳ a            2    → b",
        "",
        "GRADIENTS of the leaves, as backward() leaves them in .grad",
        "",
        "#0  a   -3",
        "#1  b   2",
        "#3  c   1",
    ]


def test_markdown_has_formulas_in_latex_and_harmless_names() -> None:
    said = explain(Tensor(2.0, name="w_1*") * 3.0)._repr_markdown_()
    assert r"$\bar a = \bar y\, b$: `3` → w\_1\*" in said
    assert "**`#0 w_1*`** `2`" in said
    assert said.startswith("### Forward\n")


@pytest.mark.parametrize(
    ("shape", "said"),
    [((3,), "→ x, summed over axis 0: 4×3 → 3"), ((4, 1), "→ x, summed over axis 1: 4×3 → 4×1")],
    ids=str,
)
def test_undone_broadcasting_is_said(shape: tuple[int, ...], said: str) -> None:
    assert said in str(explain((Tensor(np.ones(shape), name="x") + np.ones((4, 3))).sum()))


def test_a_number_that_was_broadcast_is_summed_over_all_axes() -> None:
    y = Tensor(1.0, name="x") * np.ones((4, 3))
    assert "summed over axes 0, 1: 4×3 → a number" in str(explain(y.sum()))
    assert passed(y.sum())[1].summed == (0, 1)


def test_uses_are_added_up_in_words() -> None:
    x = Tensor(0.5, name="x")
    said = str(explain(0.3 * x + 0.1 * x + x * 2))
    assert re.search(r"x, second use +2 \+ 0.1 = 2.1\n", said)
    assert re.search(r"x, third use +2.1 \+ 0.3 = 2.4\n", said)
    large = Tensor(np.ones(20), name="x")
    assert "added up, now 20 float64: all 2" in str(explain((large + large).sum()))


@pytest.mark.parametrize("y", [Tensor(3.0, name="x"), Tensor(np.zeros((0, 3)), name="x")], ids=repr)
def test_a_lone_leaf_is_explained(y: Tensor) -> None:
    said = explain(y, seed=np.ones(y.shape))
    np.testing.assert_array_equal(said.gradients[y], np.ones(y.shape))
    assert "#0  x" in str(said)
    assert explain(y, wrt=y, seed=np.ones(y.shape)).verdict == "ordinary"


class Bare(ta.Op):
    """An op whose author wrote no formula, with an input that is no array."""

    def forward(self, x: Any, how: Any) -> Any:
        return 2 * x

    def vjp_x(self, g: Any, y: Any, x: Any, how: Any) -> Any:
        return 2 * g


@pytest.mark.parametrize("how", [None, "up", slice(1), 1j, np.zeros((0, 2))], ids=repr)
def test_an_op_without_a_formula_is_explained(how: Any) -> None:
    y = Bare()(Tensor(1.0, name="x"), how)
    assert "bare   y = bare(x, how)" in str(explain(y))
    assert explain(y, wrt=y.inputs[0]).factors[0].factor == 2


def test_names_may_come_from_the_variables_of_the_caller() -> None:
    speed = Tensor(2.0)
    assert "#0  speed " in str(explain(speed * 2, names=True))
    assert "#0  v " in str(explain(speed * 2, names={"v": speed}))
    assert "#0  leaf " in str(explain(speed * 2))
    assert explain(speed * 0, wrt=speed, names=True).of == "speed"


def test_it_says_that_backward_adds_to_what_is_there() -> None:
    x = Tensor(2.0)
    y = x * x
    y.backward()
    said = explain(y)
    assert "as backward() adds them to .grad" in str(said)
    assert said.gradients[x] == 4


def test_it_keeps_its_numbers_when_the_leaves_are_updated() -> None:
    x = Tensor([2.0], name="x")
    explanation = explain((x * x).sum())
    before = str(explanation)
    x.data[0] = 7.0
    assert str(explanation) == before


def test_a_step_has_the_fields_that_a_page_needs() -> None:
    x = Tensor([1.0, 2.0], name="x")
    forward, backward = explain(ta.sigmoid(x), seed=[1.0, 0.5]).steps[1:3]
    assert (forward.phase, forward.number, forward.op) == ("forward", 1, "sigmoid")
    assert isinstance(backward, Step)
    assert (backward.phase, backward.number, backward.formula) == ("backward", 1, OPS["sigmoid"].formula)
    p = backward.outgoing[0]
    assert (p.argument, p.to.number, p.rule, p.use, p.before) == ("z", 0, OPS["sigmoid"].rule, 1, None)


def test_what_is_left_out_is_counted() -> None:
    y = Tensor(1.0, name="x")
    for _ in range(50):
        y = y * 2.0
    said = str(explain(y, limit=10))
    assert "… 41 of 51 are left out here; limit=None prints all …" in said
    assert "… 40 of 50 are left out here" in said
    assert said.count("multiply   y = a b") == 9 + 10
    assert str(explain(y, limit=None)).count("multiply   y = a b") == 100
    d = str(explain(y, wrt=next(iter(explain(y).gradients)), limit=3))
    assert "… 47 of 50 are left out here" in d
    assert d.count("b is 2") == 1 + 3


def test_20_000_nodes_are_explained_and_diagnosed() -> None:
    x = Tensor(1.0, name="x")
    y = x
    for _ in range(20_000):
        y = y * 0.9999
    start = time.perf_counter()
    explanation, d = explain(y), explain(y, wrt=x)
    said = str(explanation) + str(d)
    assert time.perf_counter() - start < 30
    assert len(said) < 20_000
    assert "… 19,970 of 20,000 are left out" in said
    y.backward()
    np.testing.assert_array_equal(explanation.gradients[x], x.grad)
    assert d.verdict == "ordinary"


def test_more_paths_than_there_are_atoms_are_not_walked_one_by_one() -> None:
    x = Tensor(1.0, name="x")
    y = x
    for _ in range(200):
        y = 0.5 * y + 0.5 * y
    d = explain(y, wrt=x)
    assert "THE STRONGEST PATH of more than 999,999" in str(d)
    assert d.paths == 1_000_000


def test_the_path_followed_is_the_strongest() -> None:
    x = Tensor([1.0, 2.0], name="x")
    d = explain((np.sin(x) * 0.1 + np.exp(x) * 5.0 + x).sum(), wrt=x)
    assert d.paths == 3
    assert [f.op for f in d.factors] == ["sum", "add", "add", "multiply", "exp", "sum of uses"]
    assert d.factors[-1].note == "3 uses of it are added up"


def test_uses_that_do_not_cancel_are_no_reason_for_zeros() -> None:
    x = Tensor([1.0, 2.0], name="x")
    z = x * 2.0
    d = explain(((z + z * z) * 0.0).sum(), wrt=x)
    assert d.reasons == ["multiply #6: b is 0"]


def test_dead_units_are_found() -> None:
    model, loss = network(linear(4, 8), ta.relu, linear(8, 3))
    model[0].bias.data = np.full(8, -100.0)
    model, loss = network(*model.layers)
    d = explain(loss, wrt=model[0].weight)
    assert d.verdict == "zero"
    assert d.reasons == [
        "relu #4 after layers.0: 100 % of its elements are off: z < 0; 8 of 8 units are dead, off for each row"
    ]
    assert d.cure == CURES["dead"]


def test_half_of_a_relu_off_is_no_illness() -> None:
    model, loss = network(linear(4, 8), ta.relu, linear(8, 3))
    d = explain(loss, wrt=model[0].weight)
    assert (d.verdict, d.cure) == ("ordinary", "none is needed")


def test_many_dead_units_are_told_of_though_a_gradient_arrives() -> None:
    layers = linear(4, 8), ta.relu, linear(8, 3)
    layers[0].bias.data = np.repeat([-100.0, 100.0], [6, 2])
    model, loss = network(*layers)
    d = explain(loss, wrt=model[0].weight)
    assert d.verdict == "ordinary"
    assert "75 % of its elements are off: z < 0; 6 of 8 units are dead" in d.reasons[0]
    assert d.cure == CURES["dead"]


def test_saturation_is_found_with_its_place_and_its_share() -> None:
    z = Tensor(np.repeat([-12.0, -9.5, 9.5, 30.0, 0.5], 20), name="z")
    d = explain(ta.sigmoid(z).mean(), wrt=z)
    assert any("80 % of its elements have slope below 0.01: |z| ≥ 9.5" in reason for reason in d.reasons)
    far = Tensor(np.full(6, -800.0, np.float32), name="z")
    d = explain(ta.sigmoid(far).sum(), wrt=far)
    assert (d.verdict, d.reasons) == ("zero", ["sigmoid #1: 100 % of its elements have slope 0: z = -800"])
    assert d.cure == CURES["saturated"]


def test_a_chain_of_sigmoids_vanishes_by_its_slopes() -> None:
    layers = [layer for _ in range(20) for layer in (linear(8, 8), ta.sigmoid)]
    model, loss = network(*layers, linear(8, 3))
    d = explain(loss, wrt=model[0].weight)
    assert d.verdict == "tiny"
    assert re.match(r"×\d\S*e-1\d by 20 × sigmoid, about ×0\.2\d* each; most by sigmoid #", d.reasons[0])
    assert d.cure == CURES["squashes"]


def test_weights_of_zero_are_found() -> None:
    model, loss = network(linear(4, 8), ta.tanh, linear(8, 8, nn.init.zeros), ta.tanh, linear(8, 3))
    d = explain(loss, wrt=model[0].weight)
    assert (d.verdict, d.reasons) == ("zero", ["affine #7 in layers.2: W = layers.2.weight is all 0"])
    assert d.cure == CURES["zero factor"]


def test_a_chain_explodes_by_its_weights() -> None:
    layers = [layer for _ in range(20) for layer in (linear(16, 16, nn.init.normal), ta.relu)]
    model, loss = network(*layers, linear(16, 3))
    d = explain(loss, wrt=model[0].weight)
    assert d.verdict == "huge"
    assert re.match(r"×\S+ by 21 × affine, about ×[34]\.?\d* each; most by affine .* has RMS", d.reasons[0])
    assert "1/sqrt(fan_in)" in d.cure


@both_dtypes
def test_nan_is_traced_to_where_it_begins(dtype: Any) -> None:
    z = Tensor(np.array([[0.0, -800.0], [1.0, 2.0]], dtype), name="z")
    with np.errstate(all="ignore"):  # the engine lets NumPy warn of log(0), in backward() too
        d = explain(-np.mean(np.log(ta.softmax(z))[:, 1]), wrt=z)
    assert d.verdict == "not finite"
    assert d.reasons == [
        "forward, log #2 gives -inf from x = softmax #1: 0 … 1",
        "backward, at log #2: -inf begins here, from x = 0 … 1",
        "backward, at softmax #1: nan begins here, from the -inf that arrives and z = -800 … 2",
    ]
    assert "cross_entropy on the logits" in d.cure
    assert "nan" in str(d)


def test_a_gradient_that_is_infinite_though_the_value_is_not() -> None:
    x = Tensor([0.0, 4.0], name="x")
    with np.errstate(all="ignore"):
        d = explain(np.sqrt(x).sum(), wrt=x)
    assert d.reasons == ["backward, at sqrt #1: inf begins here, from x = 0 … 4"]
    assert "1e-12" in d.cure


def test_nan_in_the_data_is_found() -> None:
    w = Tensor([1.0, 1.0], name="w")
    d = explain((w * np.array([1.0, np.nan])).sum(), wrt=w)
    assert d.reasons[0] == "forward, constant #1 holds nan"
    assert d.cure.startswith("clean the data")


@pytest.mark.parametrize(
    ("made", "cure"),
    [
        (lambda x: np.exp(1e3 * x).sum(), "subtract the maximum"),
        (lambda x: (np.exp(x) * 1e308).sum() ** 2, "look at the first place"),
        (lambda x: (1.0 / (x - 1.0)).sum(), "keep away from 0"),
        (lambda x: (x * 1e300 @ np.full((2, 2), 1e300)).sum(), "scale the weights"),
    ],
    ids=["exp", "power", "divide", "matmul"],
)
def test_what_is_not_finite_has_a_cure(made: Any, cure: str) -> None:
    x = Tensor([1.0, 2.0], name="x")
    with np.errstate(all="ignore"):
        d = explain(made(x), wrt=x)
    assert d.cure.startswith(cure)


@pytest.mark.parametrize(
    ("made", "reason", "cure"),
    [
        (lambda p, w: (w * 2.0).sum(), "p is not part of the graph: nothing", "use it in the forward pass"),
        (lambda p, w: (w * p.data).sum(), "constant #1 holds the same numbers", "compute with the Tensor itself"),
        (lambda p, w: (w * p.detach()).sum(), "p #1 holds the same numbers", "compute with the Tensor itself"),
        (lambda p, w: (w * (p.data * 1.0)).sum(), "holds the same numbers", "compute with the Tensor itself"),
        (lambda p, w: p.detach() * 2.0, "the result has no graph", "compute it from Tensors that require"),
    ],
    ids=["unused", "data", "detached", "copy", "no graph"],
)
def test_a_parameter_without_a_path_is_told_why(made: Any, reason: str, cure: str) -> None:
    p, w = Tensor([1.0, 2.0], name="p"), Tensor([3.0, 4.0], name="w")
    d = explain(made(p, w), wrt=p)
    assert (d.verdict, d.gradient, d.factors) == ("no path", None, [])
    assert reason in d.reasons[0]
    assert d.cure.startswith(cure)
    assert str(d).startswith("No gradient reaches p.")


def test_a_constant_is_told_that_it_is_one() -> None:
    c = Tensor([1.0, 2.0], requires_grad=False, name="c")
    d = explain((Tensor([1.0, 1.0]) * c).sum(), wrt=c)
    assert d.reasons[0].startswith("c does not require a gradient")
    assert "requires_grad=True" in d.cure


def test_contributions_that_cancel_are_found() -> None:
    w = Tensor([1.0, 2.0, 3.0], name="w")
    d = explain((w * 2.0 - 2.0 * w).sum(), wrt=w)
    assert (d.verdict, d.paths) == ("zero", 2)
    assert "at w #0, 2 contributions cancel: -2 and 2" in d.reasons
    assert d.factors[-1].op == "sum of uses"
    spread = Tensor(np.ones(1), name="b")
    d = explain((spread * np.array([1.0, -1.0])).sum(), wrt=spread)
    assert d.reasons == ["multiply #2: parts of opposite sign cancel in the sum over axis 0"]
    row = Tensor(np.ones((1, 2)), name="row")
    d = explain((row @ np.array([[1.0, -1.0], [0.5, -0.5]])).sum(), wrt=row)
    assert d.reasons == ["matmul #2: parts of opposite sign cancel in the product with b"]
    z = Tensor([1.0, 2.0, 3.0], name="z")
    d = explain(ta.softmax(z).sum(), wrt=z)
    assert d.reasons == ["softmax #1: the same gradient arrives at all of its probabilities, whose sum is always 1"]


@pytest.mark.parametrize(
    ("made", "verdict", "kind", "said"),
    [
        (lambda x: np.sign(x).sum(), "zero", "flat", "its slope is 0 everywhere"),
        (lambda x: np.clip(x, 10, 20).sum(), "zero", "chosen", "100 % of x (-1 … 2) is not what it returns"),
        (lambda x: np.sum(x * 0.0), "zero", "zero factor", "b is 0"),
        (lambda x: np.sum(x * 1e-9), "tiny", "small factor", "b is 1e-9"),
        (lambda x: np.sum(x * 1e9), "huge", "large factor", "b is 1e9"),
        (lambda x: np.sum(x / 1e-9), "huge", "large factor", "b is 1e-9"),
        (lambda x: (x * np.ones((10**5, 1)))[:, 0].mean(), "ordinary", "", ""),
        (lambda x: np.broadcast_to(x[:1], (10**5,)).mean(), "ordinary", "", ""),
        (lambda x: ta.softmax(1e3 * x)[1], "zero", "certain", "its largest probability is 1"),
        (lambda x: ta.cross_entropy(100.0 * x, 2), "tiny", "fitted", "the prediction is right already"),
        (lambda x: ta.relu(np.exp(x) - 100.0).sum(), "zero", "dead", "100 % of its elements are off"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_other_reasons(made: Any, verdict: str, kind: str, said: str) -> None:
    x = Tensor([-1.0, 0.5, 2.0], name="x")
    d = explain(made(x), wrt=x)
    assert d.verdict == verdict
    assert said in " ".join(d.reasons)
    assert d.cure == (CURES[kind] if kind else "none is needed")


def test_the_share_of_one_of_many_in_a_mean_is_told() -> None:
    x = Tensor(np.ones(2_000_000), name="x")
    d = explain(x.mean(), wrt=x)
    assert (d.verdict, d.cure) == ("tiny", CURES["mean"])
    assert "divides by n = 2,000,000" in d.reasons[0]


def test_a_seed_of_zeros_is_told() -> None:
    x = Tensor([1.0, 2.0])
    assert explain(x * 2, wrt=x, seed=np.zeros(2)).reasons == ["the seed is 0 everywhere"]


def test_what_arrives_only_where_the_slope_is_0_is_told() -> None:
    z = Tensor([-1.0, 2.0], name="z")
    d = explain((ta.relu(z) * np.array([1.0, 0.0])).sum(), wrt=z)
    assert d.reasons[0].endswith("50 % of its elements are off: z < 0; no gradient arrives at the others")
    tiny = Tensor(np.array([60.0, -60.0], np.float32), name="z")
    d = explain((ta.sigmoid(tiny) * np.float32(1e-30)).sum(), wrt=tiny)
    assert d.reasons[0].endswith("the rest is too small for float32")


def test_a_product_that_passes_on_nothing_is_told() -> None:
    x = Tensor(np.array([1.0, 2.0], np.float32), name="x")
    d = explain((x * np.array([0.0, 1.0], np.float32) * np.array([1.0, 0.0], np.float32)).sum(), wrt=x)
    assert d.reasons == ["multiply #2: b is 0 wherever a gradient arrives"]
    d = explain((x * np.float32(1e-30) * np.float32(1e-30)).sum(), wrt=x)
    assert d.reasons == ["multiply #2: the product with b is too small for float32"]


def test_huge_numbers_are_printed_without_a_warning() -> None:
    x = Tensor(np.linspace(1e308, 1.7e308, 20), name="x")
    said = str(explain((x * 1.0)[0])) + str(explain(x[0], wrt=x))
    assert "RMS 1.3" in said
    assert rms([]) == 0
    assert rms([5e-324, 0]) == 5e-324 * math.sqrt(0.5) or rms([5e-324, 0]) >= 0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: explain(x.data), TypeError, r"explain\(\) takes the Tensor that was computed, .* not ndarray"),
        (lambda x: explain((x * x).sum(), wrt="x"), TypeError, r"wrt=model.layers\[0\].weight"),
        (lambda x: explain(x * x), ValueError, "is not a scalar, so its gradient needs a seed"),
        (lambda x: explain(x.detach()), RuntimeError, "does not require a gradient"),
    ],
    ids=["array", "name", "no seed", "constant"],
)
def test_wrong_calls_are_told_what_to_write(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call(Tensor([1.0, 2.0], name="x"))


def test_a_diagnosis_is_markdown_too() -> None:
    x = Tensor([1.0, -20.0, -30.0], name="x_1")
    said = explain(ta.sigmoid(x).sum(), wrt=x)
    assert isinstance(said, Diagnosis)
    text = said._repr_markdown_()
    assert r"**The gradient of x\_1 is of ordinary size" in text
    assert r"\|z\|" in text
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1


@pytest.mark.parametrize(
    ("latex", "plain"),
    [
        (r"\sum_{j \le i} x_j", "Σ_(j ≤ i) x_j"),
        (r"\bar y\, [\neg \mathrm{condition}]", "ȳ [not condition]"),
        (r"\tfrac{1}{2} \bar y", "1/2 ȳ"),
        (r"\overline{\mathrm{low}}", "∂low"),
    ],
)
def test_formulas_are_readable(latex: str, plain: str) -> None:
    assert readable(latex) == plain


def test_one_wide_cell_moves_no_other_line() -> None:
    assert columns([("a", "1"), ("b" * 50, "2"), ("cc", "3")]) == ["a    1", "b" * 50 + "   2", "cc   3"]


def test_layers_that_are_not_called_are_no_copies() -> None:
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(4, 4, rng=rng), ta.relu, nn.Linear(4, 4, rng=rng))
    told = str(explain(np.sum(model[0](np.ones((2, 4)))), wrt=model[2].bias))
    assert "nothing that the result was computed from depends on it" in told


def test_a_mask_is_not_blamed_on_the_maximum() -> None:
    x = Tensor([1.0, 2.0, 3.0, 4.0], name="x")
    told = str(explain(np.sum(np.maximum(x, -10) * np.array([1.0, 0, 0, 0])), wrt=x))
    assert "is not what it returns" not in told


def test_no_elements_and_no_seed_are_no_mystery() -> None:
    empty = Tensor(np.zeros((0, 3)), name="x")
    assert "is of ordinary size" in str(explain(np.sum(empty * 2), wrt=empty))
    x = Tensor([1.0, 2.0], name="x")
    assert "give a seed that is finite, and not 0" in str(explain(x * 2, seed=[0.0, 0.0], wrt=x))
    with pytest.raises(ValueError, match="limit=-1"):
        str(explain(np.sum(x * 2), limit=-1))


def test_reasons_name_the_line_that_computed_it_where_lines_are_noted() -> None:
    w, x = Tensor(-np.ones((2, 2)), name="w"), np.ones((3, 2))
    with lines_noted():
        h = x @ w
        dead = ta.relu(h)
        y = np.sum(dead)
    line = lines_noted_at(dead)
    assert re.search(rf"relu #\d+ \(test_explain\.py, line {line}\): 100 %", str(explain(y, wrt=w)))
    assert "line" not in str(explain(np.sum(ta.relu(x @ w)), wrt=w))
    assert Tensor._record.__qualname__ == "Tensor._record"


def test_noted_lines_are_forgotten_with_the_graph() -> None:
    before = len(lines._noted)
    with lines_noted():
        y = np.sum(Tensor(np.ones(2)) * 2)
    assert len(lines._noted) == before + 2
    del y
    gc.collect()
    assert len(lines._noted) == before


def lines_noted_at(t: Tensor) -> int:
    return int(line_of(t).rpartition(" ")[2])


def test_einsum_is_told_as_it_was_written() -> None:
    a, b = Tensor(np.ones((2, 3)), name="a"), Tensor(np.ones((3, 2)), name="b")
    told = str(explain(np.einsum("ij,jk->", a, b)))
    assert "Σ_ijk a_ij b_jk" in told or "Σ_(ijk) a_ij b_jk" in told


def test_a_minimum_is_not_called_saturated() -> None:
    x = Tensor(np.zeros(3), name="x")
    told = explain(np.sum(np.square(x)), wrt=x)
    assert "the slope is 0 there" in told.cure
