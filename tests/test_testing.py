"""check_grads and check_op: right functions pass, and every fault that is planted is found and named."""

from __future__ import annotations

import re
import time
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


def report_of(f: Callable[..., Any], *args: Any, **options: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        check_grads(f, *args, **options)
    return str(caught.value)


network = nn.Sequential(nn.Linear(4, 8, rng=RNG), "tanh", nn.Linear(8, 8, rng=RNG), "gelu", nn.Linear(8, 3, rng=RNG))
single = nn.Sequential(nn.Linear(4, 5, rng=RNG), "relu", nn.Linear(5, 2, rng=RNG)).astype(np.float32)
AT_A_KINK = np.array([-1.0, 0.0, 1e-9, 1.0])
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
}


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
    "kink": (Hinge(1.2), (np.array([1.0, 0.0, -1.0]),), ["Hinge()", "x[1]", "a kink: 0 below it", "1 of 3"]),
    "second": (lambda x: Detaching()(x), (X,), ["second derivative", "Detaching()", "analytic       0\n"]),
    "nan": (lambda x: Nan()(x), (np.array([0.1, 1.0]),), ["not finite", "x[1]", "nan", "Nan()", "1 of 2"]),
    "forward": (lambda x: NotLinear()(x), (X,), ["forward mode", "NotLinear()", "= 2"]),
    "wider": (lambda x: Widening()(x).sum(), (X.astype(np.float32),), ["Widening()", "float32 into float64"]),
    "digits": (lambda x: Imprecise()(x).sum(), (X.astype(np.float32),), ["float32 is further", "x[0, 0]"]),
    "detached": (lambda x: x * x.detach(), (X,), ["numeric = 0.5", "No op is wrong by itself", ".detach()"]),
    "no graph": (lambda x: x.detach() * 2, (X,), ["analytic       0\n", "No op is wrong by itself"]),
    "one of many": (lambda x: Nan()(x).sum(), (np.r_[np.zeros(5000), 1.0],), ["x[5000]", "1 of 5001"]),
    "many": (lambda x: WrongSign()(x).sum(), (RNG.standard_normal((50, 40)),), ["x[", "WrongSign()"]),
}


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


def test_a_small_network_takes_no_half_second() -> None:
    check_grads(network, X)
    times = []
    for _ in range(3):
        start = time.process_time()
        check_grads(network, X)
        times.append(time.process_time() - start)
    assert min(times) < 0.5


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


def test_an_op_is_told_what_it_needs() -> None:
    with pytest.raises(TypeError, match="needs inputs to try it on"):
        check_op(MissingTerm())
    with pytest.raises(TypeError, match="array of floats that it has a rule for"):
        check_op(MissingTerm(), 1, 2)
