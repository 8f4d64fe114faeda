"""check_grads and check_op: right functions pass, and every fault that is planted is found and named."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from samples import ELEMENTWISE, SAMPLES, Sample

import tinygrad_act as ta
from tinygrad_act import nn
from tinygrad_act.op import Array, Elementwise, Kink, Op
from tinygrad_act.testing import check_grads, check_op, laws
from tinygrad_act.testing.numeric import central, one_sided

RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 4))


class Sine(Elementwise):
    """A right op, from which the wrong ones are made."""

    name = "my_sine"
    formula, rule = r"\sin(x)", r"\cos(x)"

    def forward(self, x: Array) -> Array:
        return np.sin(x)

    def derivative(self, y: Array, x: Array) -> Array:
        return np.cos(x)


class WrongSign(Sine):
    def derivative(self, y: Array, x: Array) -> Array:
        return -np.cos(x)


class SlightlyWrong(Sine):
    def derivative(self, y: Array, x: Array) -> Array:
        return np.cos(x) * (1 + 1e-4)


class Nan(Sine):
    def derivative(self, y: Array, x: Array) -> Array:
        return np.where(np.greater(x, 0.9), np.nan, np.cos(x))


class Detaching(Sine):
    """Right at first order: its rule leaves the graph."""

    def derivative(self, y: Array, x: Array) -> Array:
        return np.cos(x.data if isinstance(x, ta.Tensor) else x)


class Widening(Sine):
    def forward(self, x: Array) -> Array:
        return np.sin(x) * np.float64(1)


class Imprecise(Sine):
    def derivative(self, y: Array, x: Array) -> Array:
        return np.cos(x) + (1e-3 if x.dtype == np.float32 else 0.0)


class Hinge(Sine):
    """A ReLU, with a slope of one's choice at 0."""

    def __init__(self, chosen: float) -> None:
        self.chosen = chosen

    def forward(self, x: Array) -> Array:
        return np.maximum(x, 0)

    def derivative(self, y: Array, x: Array) -> Array:
        return np.where(np.equal(x, 0), self.chosen, np.where(np.greater(x, 0), 1.0, 0.0))


class MissingTerm(Op):
    """a b + a, but the rule of a forgets the second term."""

    formula = "a b + a"
    rule = {"a": r"\bar y\, b", "b": r"\bar y\, a"}

    def forward(self, a: Array, b: Array) -> Array:
        return a * b + a

    def vjp_a(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return g * b

    def vjp_b(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return g * a


class WrongBroadcasting(Op):
    """a + b, where b is stretched along the rows, and its rule takes the mean over them, not the sum."""

    formula = "a + b"
    rule = {"a": r"\bar y", "b": r"\bar y"}

    def forward(self, a: Array, b: Array) -> Array:
        return a + b

    def vjp_a(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return g

    def vjp_b(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return np.mean(g, axis=0)


class WrongWhenStretched(WrongBroadcasting):
    """Right, unless b is stretched."""

    def vjp_b(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        return g if g.shape == b.shape else 0.5 * g


class NotLinear(Sine):
    """A rule that is not linear in g, so that forward mode differs."""

    def vjp(self, i: int, g: Array, y: Array, *inputs: Any) -> Array:
        return g * g / (g.data if isinstance(g, ta.Tensor) else g) * np.cos(inputs[0])


class WrongAt(Sine):
    """Wrong at one element only."""

    def __init__(self, element: int, factor: float) -> None:
        self.element, self.factor = element, factor

    def derivative(self, y: Array, x: Array) -> Array:
        factor = np.ones(x.shape)
        factor.flat[self.element] = self.factor
        return np.cos(x) * factor


class WrongOnArrays(Sine):
    """Right on Tensors, which gradients() runs, and wrong in backward()."""

    def derivative(self, y: Array, x: Array) -> Array:
        return np.cos(x) * (1.0 if isinstance(x, ta.Tensor) else 1.001)


class Writing(Sine):
    """Its rule writes into the result, in backward()."""

    def derivative(self, y: Array, x: Array) -> Array:
        if isinstance(y, np.ndarray):
            y *= 1.5
        return np.cos(x)


class Rough(Sine):
    """The value has the digits of float16, where it is float32."""

    def forward(self, x: Array) -> Array:
        return np.sin(x).astype(np.float16).astype(x.dtype) if x.dtype == np.float32 else np.sin(x)


class Untaught(Sine):
    """Without a derivative."""

    derivative = Elementwise.derivative


class WholeForTies(Op):
    """The greatest, of which each that is tied gets the whole gradient."""

    formula = r"\max_i x_i"
    rule = {"x": r"\bar y [x = y]"}

    def forward(self, x: Array) -> Array:
        return np.max(x, axis=0)

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        return g * np.equal(x, y)


def report_of(f: Callable[..., Any], *args: Any, **options: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        check_grads(f, *args, **options)
    return str(caught.value)


network = nn.Sequential(nn.Linear(4, 8, rng=RNG), "tanh", nn.Linear(8, 8, rng=RNG), "gelu", nn.Linear(8, 3, rng=RNG))
single = nn.Sequential(nn.Linear(4, 5, rng=RNG), "relu", nn.Linear(5, 2, rng=RNG)).astype(np.float32)
AT_A_KINK = np.array([-1.0, 0.0, 1e-9, 1.0])
NEAR = np.array([1e-3, 1e-5, 1e-7, 1e-9, 1e-11])  # an edge
LOGITS = X[:, :3].astype(np.float32)
RIGHT: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "a scalar": (lambda x: (x**2 * np.sin(x)).sum(), (X,)),
    "a number": (lambda x: 2 * x**3, (1.5,)),
    "a Tensor": (lambda x: 2 * x**3, (ta.Tensor(X),)),
    "relu at 0": (ta.relu, (AT_A_KINK,)),
    "abs at 0": (np.abs, (AT_A_KINK,)),
    "elu at 0": (ta.elu, (AT_A_KINK,)),
    "sign at 0": (np.sign, (AT_A_KINK,)),
    "ties": (np.maximum, (AT_A_KINK, np.array([-1.0, 0.0, 1.0, 1.0]))),
    "tied winners": (np.max, (np.ones(3),)),
    "step, by its surrogate": (ta.step, (X,)),
    "binarize, by its surrogate, and used after it": (lambda x: ta.binarize(np.sin(x)) * x, (X,)),
    "any legal slope at a kink": (Hinge(0.3), (AT_A_KINK,)),
    "no second derivative at a kink": (lambda x: np.exp(np.abs(x)), (AT_A_KINK,)),
    "small and large numbers": (np.log, (np.array([1e-5, 1e-2, 3.0, 1e4]),)),
    "a module": (network, (X,)),
    "a module in single precision": (single, (X.astype(np.float32),)),
    "single precision": (lambda x: np.exp(np.sin(x)).sum(), (X.astype(np.float32),)),
    "half precision": (lambda x: np.tanh(x) * x, (X.astype(np.float16),)),
    "many elements": (lambda x: np.tanh(x).sum(), (RNG.standard_normal(10_000),)),
    "containers": (lambda d, n: {"a": d["w"] @ X.T, "b": [n * d["b"][0]]}, ({"w": X, "b": (X[0], "text")}, 3.0)),
    "a constant": (lambda x: ta.Tensor(2.0) * 3, (X,)),
    "labels, which are no floats": (ta.cross_entropy, (X, np.array([0, 1, 2]))),
    "a gradient within": (lambda x: ta.gradients((x**3).sum(), x) if isinstance(x, ta.Tensor) else x, (X,)),
    "a size of 0": (lambda x: x.sum(), (np.zeros((0, 3)),)),
    "near 0, where log ends": (np.log, (NEAR,)),
    "near 1, where arcsin ends": (np.arcsin, (1 - NEAR,)),
    "near 1, where arctanh ends": (np.arctanh, (np.concatenate([1 - NEAR, NEAR - 1]),)),
    "near 1, where arccosh ends": (np.arccosh, (1 + NEAR,)),
    "near a pole": (lambda x: 1 / x, (np.concatenate([NEAR, -NEAR]),)),
    "an error beyond the edge": (lambda x: x**1.5 if x.data.min() > 0 else 1 / 0, (NEAR,)),
    "bends at 1e5 a unit": (lambda x: np.sin(1e5 * x), (X,)),
    "bends by 1e-150": (lambda x: np.tanh(1e150 * x), (1e-150 * X,)),
    "almost a line": (lambda x: x / (1 + np.abs(x)), (1e8 * X,)),
    "a value that rounding hides": (lambda x: np.log(np.cosh(x)), (1e-8 * X,)),
    "terms that cancel": (lambda x: (x - 1) * (x + 1) - x * x, (1e3 * X,)),
    "terms that cancel to 0": (lambda x: x * 1e8 - x * 1e8, (X,)),
    "a small part of a large value": (lambda x: np.sin(x) + 1e12, (X,)),
    "logits far apart": (lambda x: ta.softmax(x) * np.arange(4), (1e4 * X,)),
    "masked logits": (lambda x: ta.softmax(x + np.array([0, 0, 0, -np.inf])), (X,)),
    "a middle of ties": (lambda x: np.median(x) * 1.0, (np.ones(4),)),
    "an order, and many near ties": (lambda x: np.sort(x) * np.sin(np.arange(400)), (RNG.standard_normal(400),)),
    "kinks everywhere": (lambda x: np.abs(x) * np.sin(np.arange(50)), (np.zeros(50),)),
    "kinks that are almost here": (lambda x: ta.selu(x).sum() * x.mean(), (np.array([-1e-12, 0, 0, 1e-12]),)),
    "a bend that is almost here": (lambda x: ta.softshrink(x) ** 2, (0.5 + np.array([0, 1e-7, -1.0000001, -0.01]),)),
    "a kink among 10,000": (lambda x: ta.relu(x - 0.5), (RNG.standard_normal(10_000),)),
    "single precision, of digits that cancel": (lambda x: (x + 1 - x) * x, (np.float32(1e4) * LOGITS,)),
    "single precision, that underflows": (ta.softmax, (np.float32(1e3) * LOGITS,)),
    "single precision, of constants": (lambda x: x * 1.1 - x * 1.1000001, (LOGITS,)),
    "single precision, normalised": (lambda x: (x - x.mean()) / np.sqrt(x.var() + 1e-5), (np.float32(100) * LOGITS,)),
}


@pytest.mark.parametrize("scale", [10.0**k for k in range(-8, 9, 2)])
@pytest.mark.parametrize(
    "f",
    [np.tanh, np.log1p, ta.gelu, ta.softplus, lambda x: x**3, lambda x: np.exp(-(x**2)), lambda x: x.std() * x.max()],
    ids=["tanh", "log1p", "gelu", "softplus", "cube", "bell", "statistics"],
)
def test_what_is_right_passes_at_every_scale(f: Callable[..., Any], scale: float) -> None:
    check_grads(f, np.abs(X[0]) * scale)


def test_it_records_where_nothing_is_recorded_and_within_debug() -> None:
    with ta.no_grad(), ta.debug():
        check_grads(np.sqrt, NEAR)
        assert "Detaching()" in report_of(Detaching(), X)


@pytest.mark.parametrize(("f", "args"), RIGHT.values(), ids=RIGHT)
def test_what_is_right_passes(f: Callable[..., Any], args: tuple[Any, ...]) -> None:
    check_grads(f, *args)


@pytest.mark.parametrize("sample", SAMPLES[::5], ids=repr)
def test_every_fifth_sample_of_our_ops_passes(sample: Sample) -> None:
    chosen = laws.differentiable(sample.op, sample.inputs)

    def f(*floats: Any) -> Any:
        given = dict(zip(chosen, floats, strict=True))
        return sample.op(*(given.get(i, x) for i, x in enumerate(sample.inputs)))

    check_grads(f, *(sample.inputs[i] for i in chosen))


@pytest.mark.parametrize("sample", [s for s in ELEMENTWISE if s.op.kinks], ids=repr)
def test_every_kink_passes(sample: Sample) -> None:
    op: Any = sample.op
    check_grads(op, np.array([k.at + by for k in op.kinks if abs(k.at) < 1e9 for by in (0, 1e-9, -1e-4)]))


FAULTS: dict[str, tuple[Callable[..., Any], tuple[Any, ...], list[str]]] = {
    "sign": (lambda x: (WrongSign()(x) * x).sum(), (X,), ["first", "x[", "WrongSign()", r"\cos(x)", "numeric = -1"]),
    "factor": (lambda x: np.exp(SlightlyWrong()(x)).mean(), (X,), ["SlightlyWrong()", "= 1.0001", "12 of 12"]),
    "term": (lambda a, b: np.sin(MissingTerm()(a, b)), (X, X[0]), ["MissingTerm()", "at a[", r"\bar y\, b"]),
    "broadcast": (lambda a, b: WrongBroadcasting()(a, b) ** 2, (X, X[0]), ["WrongBroadcasting()", "at b[", "0.333333"]),
    "kink": (
        Hinge(1.2),
        (np.array([1.0, 0.0, -1.0]),),
        ["Hinge()", "x[1]", "legal          from 0 to 0.7368", "at a kink", "1 of 3"],
    ),
    "second": (lambda x: Detaching()(x), (X,), ["second derivative", "Detaching()", "analytic       0\n"]),
    "nan": (lambda x: Nan()(x), (np.array([0.1, 1.0]),), ["not finite", "x[1]", "nan", "Nan()", "1 of 2"]),
    "forward": (lambda x: NotLinear()(x), (X,), ["forward mode", "NotLinear()", "= 2"]),
    "wider": (
        lambda x: Widening()(np.tanh(x)).sum(),
        (X.astype(np.float32),),
        ["Widening()", "float32 into float64", "used in        test_testing.py, line"],
    ),
    "digits": (
        lambda x: Imprecise()(np.tanh(x)).sum(),
        (X.astype(np.float32),),
        ["float32 is further", "x[0, 0]", "Imprecise()", "used in        test_testing.py, line"],
    ),
    "digits of the value": (
        lambda x: Rough()(x),
        (X.astype(np.float32),),
        ["the value in float32", "value[", "Rough()"],
    ),
    "detached": (lambda x: x * x.detach(), (X,), ["numeric = 0.5", "No op is wrong by itself", ".detach()"]),
    "no graph": (lambda x: x.detach() * 2, (X,), ["analytic       0\n", "No op is wrong by itself"]),
    "one of many": (lambda x: Nan()(x).sum(), (np.r_[np.zeros(5000), 1.0],), ["x[5000]", "1 of 5001"]),
    "many": (lambda x: WrongSign()(x).sum(), (RNG.standard_normal((50, 40)),), ["x[", "WrongSign()"]),
    "one by a sign": (WrongAt(4321, -1.0), (RNG.standard_normal(10_000),), ["x[4321]\n", "WrongAt()", "= -1\n"]),
    "one by a thousandth": (WrongAt(4321, 1.001), (RNG.standard_normal((100, 100)),), ["x[43, 21]\n", "= 1.001\n"]),
    "ties": (WholeForTies(), (np.ones((3, 4)),), ["and x[1, ", "together\n", "WholeForTies()", "from 0 to 0.7"]),
    "ties of two": (lambda x, y: WholeForTies()(np.stack([x, y])), (X, X), ["WholeForTies()", " and y["]),
    "kinks put together": (lambda x: ta.relu(x) - ta.relu(-x), (AT_A_KINK,), ["x[1]", "Kinks may do it too"]),
    "arrays": (lambda x: WrongOnArrays()(x), (X,), ["backward(), whose rules see arrays", "WrongOnArrays()", "1.001"]),
    "writing": (lambda x: np.cos(Writing()(x)), (X,), ["a rule writes into an array", "Writing()"]),
    "in a checkpoint": (lambda x: ta.checkpoint(lambda z: z * WrongSign()(z))(x), (X,), ["WrongSign()", "= -1"]),
    "in a gradient": (lambda x: ta.grad(lambda z: np.sum(Detaching()(z) ** 2))(x), (X,), ["Detaching()"]),
    "after 300 ops": (lambda x: WrongSign()(chain(x, 300)), (X,), ["WrongSign()"]),
    "beside an edge": (lambda x: SlightlyWrong()(np.log(x)), (NEAR,), ["SlightlyWrong()", "= 1.0001"]),
    "beside a kink": (Hinge(1.2), (np.array([0.0, 1e-4]),), ["x[0]", "1 of 2"]),
    "one rule of two": (
        lambda a, b: np.exp(np.multiply(a, b)) * MissingTerm()(b, a),
        (X, X),
        ["at a[", "MissingTerm()"],
    ),
}


def chain(x: Any, n: int) -> Any:
    for _ in range(n):
        x = x * 1.0
    return x


@pytest.mark.parametrize(("f", "args", "said"), FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_found_and_named(f: Callable[..., Any], args: tuple[Any, ...], said: list[str]) -> None:
    report = report_of(f, *args)
    assert [part for part in said if part not in report] == []


def test_a_report_names_the_users_line_and_shows_truncation_and_rounding() -> None:
    report = report_of(lambda x: WrongSign()(x), X)
    assert "used in        test_testing.py, line " in report
    rows = [line.split() for line in report.splitlines() if re.match(r" +\d\.\de-\d\d ", line)]
    errors = [float(row[-1]) for row in rows]
    assert len(rows) == 10
    assert min(errors) < 1e-9 < min(errors[0], errors[-1])  # the step is too long at first, and too short at last
    assert {row[2] for row in rows[2:6]} == {rows[2][2]}  # what is wrong with the rule has no step


def test_a_module_at_fault_is_told_by_the_parameter_and_given_back_as_it_was() -> None:
    class Wrong(nn.Module):
        def __init__(self) -> None:
            self.weight = ta.Tensor([0.5, 2.0])

        def forward(self, x: Any) -> Any:
            return WrongSign()(self.weight) * x

    module = Wrong()
    data, grad = module.weight.data, module.weight.grad
    assert "weight[" in report_of(module, np.array([1.0, 3.0]))
    assert module.weight.data is data
    assert module.weight.grad is grad


def test_of_very_many_ops_it_says_how_many_were_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinygrad_act.testing.check.MOST_OPS", 10)

    def f(x: Any) -> Any:
        for k in range(20):
            x = ta.leaky_relu(x, alpha=0.5 + k / 100)
        return WrongSign()(x)

    assert "Of 21 ops, the first 10 were looked at: none" in report_of(f, np.abs(X))


def test_two_runs_that_differ_are_told() -> None:
    rng = np.random.default_rng(1)
    assert "not deterministic" in report_of(lambda x: (x * rng.random()).sum(), X)


def test_arguments_that_are_changed_are_told() -> None:
    def tensor(x: Any) -> Any:
        x.data += 1
        return x * 2

    def array(x: Any, n: Any) -> Any:
        n += 1
        return x * n

    assert "changes x in place" in report_of(tensor, X)
    n = np.array([1, 2, 3, 4])
    check_grads(lambda x, n: x * n, X, n)
    assert "not deterministic" not in report_of(lambda x: WrongSign()(x), X)
    check_grads(array, X, n)  # which is given a copy of its own each time
    np.testing.assert_array_equal(n, [1, 2, 3, 4])


@pytest.mark.parametrize(
    ("f", "args", "said"),
    [
        (lambda x: x * 2, (3,), "Write 3.0 for 3"),
        (lambda x: x * 2, (np.arange(3),), "int64 of shape (3,)"),
        (lambda x: x.data, (X,), "gave no Tensor of floats"),
        (lambda x: float(x.sum()), (X,), "gave no Tensor of floats"),
    ],
)
def test_what_cannot_be_checked_is_explained(f: Callable[..., Any], args: tuple[Any, ...], said: str) -> None:
    with pytest.raises(TypeError) as caught:
        check_grads(f, *args)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("f", "args", "said"),
    [
        (lambda x: np.tanh(x), (np.array([1.0, np.inf]),), "x[1] is inf"),
        (lambda x, y: x * y, (X, np.nan), "y is nan"),
        (lambda x: np.where(x.data > 0, x, -np.inf), (X,), r"gives -inf at index [0, 1]"),
    ],
)
def test_what_has_no_derivative_is_refused(f: Callable[..., Any], args: tuple[Any, ...], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        check_grads(f, *args)


def test_an_order_that_is_not_checked_is_refused() -> None:
    with pytest.raises(ValueError, match="order 1 or 2, not 3"):
        check_grads(np.tanh, X, order=3)


def test_a_derivative_that_is_infinite_is_told_and_may_be_left_out() -> None:
    assert "order=1 checks the first alone" in report_of(lambda x: x**1.5, np.array([0.0, 1.0]))
    check_grads(lambda x: x**1.5, np.array([0.0, 1.0]), order=1)
    assert "first derivative is not finite" in report_of(np.sqrt, np.array([0.0, 1.0]))


def test_another_thread_sees_nothing_of_a_check() -> None:
    seen, stop = set(), threading.Event()

    def other() -> None:
        while not stop.is_set():
            seen.add(type(ta.step(ta.Tensor(X)).op))

    thread = threading.Thread(target=other)
    thread.start()
    check_grads(lambda x: ta.step(np.sin(x)) + ta.binarize(x), X)
    check_grads(np.tanh, X.astype(np.float32))
    stop.set()
    thread.join()
    assert seen == {type(ta.step)}


def test_numpy_handles_errors_as_before() -> None:
    with np.errstate(divide="raise", over="warn", invalid="print"):
        before = np.geterr()
        check_grads(np.log, NEAR)
        report_of(np.sqrt, np.array([0.0]))
        assert np.geterr() == before


def test_order_and_tolerances_are_heeded() -> None:
    check_grads(Detaching(), X, order=1)
    check_grads(SlightlyWrong(), X, rtol=1e-3)
    check_grads(SlightlyWrong(), X, atol=1e-3)


def test_the_numeric_derivative_knows_its_error() -> None:
    for f, slope in ((np.exp, 1.0), (lambda t: np.sin(3 * t) + t**2, 3.0), (lambda t: 1 / (1 - 9 * t), 9.0)):
        found = central(f, 0.1, 4e-16)
        assert abs(found.value - slope) <= 10 * found.error <= 1e-7
    sides = [one_sided(lambda t: abs(t) + t, h, 0.0).value for h in (-0.1, 0.1)]
    np.testing.assert_allclose(sides, [0, 2], atol=1e-12)
    assert one_sided(lambda t: float(t > 0), 0.1, 0.0).value == 0  # a jump: the slope beside it
    assert abs(one_sided(lambda t: t**1.5 + t, 0.1, 0.0).value - 1) < 1e-12  # a power that is not whole
    assert abs(central(lambda t: math.log(1e-9 + t) if t > -1e-9 else math.nan, 0.1, 0.0).value - 1e9) < 1


def test_a_function_is_run_some_twenty_times_for_each_element() -> None:
    calls = []
    check_grads(lambda x: (calls.append(x), network(x))[1], X)
    assert len(calls) < 25 * X.size


def test_an_op_that_obeys_passes() -> None:
    check_op(Sine())
    check_op(ta.multiply, X, X[:1])


BROKEN: dict[str, tuple[Op, tuple[Any, ...], list[str]]] = {
    "sign": (WrongSign(), (), ["the gradient equals the difference quotient", "complex step", "by input x"]),
    "second": (Detaching(), (), ["the second derivative equals"]),
    "wider": (Widening(), (), ["the dtype is kept", "of float32 it makes float64"]),
    "term": (MissingTerm(), (X, X[0]), ["by input a", "the gradient equals"]),
    "stretched": (WrongWhenStretched(), (X, X), ["1 of", "broadcasting is undone", "by input b"]),
    "nan": (Nan(), (), ["finite and silent", "at [  40. 1000.]"]),
    "writing": (
        Writing(),
        (),
        ["it leaves what it is given alone", "the rule for x writes into what it is given: y at ["],
    ),
    "no rule": (Untaught(), (), ["needs a derivative", "The same of 11 other laws"]),
}


@pytest.mark.parametrize(("op", "inputs", "said"), BROKEN.values(), ids=BROKEN)
def test_an_op_that_breaks_laws_is_told_which(op: Op, inputs: tuple[Any, ...], said: list[str]) -> None:
    with pytest.raises(AssertionError, match=r"breaks \d+ of \d+ laws") as caught:
        check_op(op, *inputs)
    assert [part for part in said if part not in str(caught.value)] == []


def test_a_kink_that_is_not_declared_or_not_legal_is_told() -> None:
    with pytest.raises(AssertionError, match="there is no kink where none is declared"):
        check_op(Hinge(0.5))

    class Declared(Hinge):
        kinks = (Kink(0.0, 0.0, 1.0, 1.5, why="to be wrong"),)

    with pytest.raises(AssertionError, match="kinks are where they are declared"):
        check_op(Declared(1.5))


@pytest.mark.parametrize("at", [0.3, -3.7, 100.0, 1e-3])
def test_a_kink_is_found_wherever_it_is(at: float) -> None:
    class Bent(Hinge):
        def forward(self, x: Array) -> Array:
            return super().forward(x - at)

        def derivative(self, y: Array, x: Array) -> Array:
            return super().derivative(y, x - at)

    with pytest.raises(AssertionError, match=f"the slope jumps at {at:.9g}, where no kink is declared"):
        check_op(Bent(0.5))


def test_an_op_in_a_function_which_nothing_can_pickle_passes() -> None:
    class Local(Sine):
        """A right op in a function."""

    check_op(Local())


def test_an_op_is_told_what_it_needs() -> None:
    with pytest.raises(TypeError, match="needs inputs to try it on"):
        check_op(MissingTerm())
    with pytest.raises(TypeError, match="array of floats that it has a rule for"):
        check_op(MissingTerm(), 1, 2)
