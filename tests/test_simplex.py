"""Softmax's family: shares of a row that sum to 1. Hard rows, accuracy, and the points where shares become 0."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mpf
from truth_rows import HARD, WIDE, exact_softmax, near_rows, projected, rows, worst_ulp

import tinygrad_act as ta
from tinygrad_act import Tensor, nn
from tinygrad_act.activations.simplex import Entmax15, GumbelSoftmax, Hardmax, Sparsemax
from tinygrad_act.activations.softmax import Logmeanexp, LogSoftmax, Logsumexp, Softmax, Softmin, TemperedSoftmax
from tinygrad_act.activations.softmax import log1mexp as log1mexp_op
from tinygrad_act.nn.random import GumbelSoftmax as GumbelLayer
from tinygrad_act.nn.random import RReLU

INF, NAN, MOST = np.inf, np.nan, np.finfo(np.float64).max
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


class WithoutNoise:
    """gumbel_softmax as a function of x alone."""

    def __init__(self, axis: int = -1) -> None:
        self.op = GumbelSoftmax(0.5, axis)

    def __call__(self, x: Any) -> Any:
        return self.op(x, np.zeros_like(x))

    def __repr__(self) -> str:
        return "gumbel_softmax"


def negated(axis: int = -1) -> Callable[[Any], Any]:
    return lambda x: Softmin(axis)(-x)


def exp_of_log(axis: int = -1) -> Callable[[Any], Any]:
    return lambda x: np.exp(LogSoftmax(axis)(x))


def at(temperature: float) -> Callable[[int], Any]:
    return lambda axis=-1: TemperedSoftmax(axis, temperature)


FAMILY: dict[str, Callable[..., Any]] = {
    "softmax": Softmax,
    "hot": at(3.0),
    "cold": at(1e-3),
    "softmin": negated,
    "log_softmax": exp_of_log,
    "sparsemax": Sparsemax,
    "entmax15": Entmax15,
    "gumbel": WithoutNoise,
    "hardmax": Hardmax,
}
every_one = pytest.mark.parametrize("make", FAMILY.values(), ids=list(FAMILY))


def derivatives(op: Any, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The value, a gradient, and a second derivative."""
    t = Tensor(x)
    y = op(t)
    first = ta.gradients(y, t, np.random.default_rng(0).uniform(0.5, 1.5, y.shape))
    return y.data, first.data, ta.gradients(first, t, np.cos(np.arange(first.size)).reshape(first.shape)).data


@every_one
@pytest.mark.parametrize(
    ("z", "shares", "dtype"),
    [(*row, dtype) for row in HARD for dtype in (np.float32, np.float64)] + [(*row, np.float64) for row in WIDE],
    ids=str,
)
def test_hard_rows_are_right_and_silent(make: Any, z: list[float], shares: list[float], dtype: Any) -> None:
    expected = np.array([shares, shares], dtype)
    if make is Hardmax and z:
        expected = np.array([np.arange(len(z)) == np.argmax(shares)] * 2, dtype)
    for turned, axis in ((np.positive, -1), (np.transpose, 0), (lambda a: a[:, np.newaxis], 2)):
        y, first, second = derivatives(make(axis), turned(np.array([z, z], dtype)))
        np.testing.assert_allclose(y, turned(expected), rtol=1e-7 if make is exp_of_log else 0)
        assert y.dtype == first.dtype == second.dtype == dtype
        assert np.isfinite(first).all()
        assert np.isfinite(second).all()


@both_dtypes
@pytest.mark.parametrize(
    ("z", "logs"),
    [
        ([0.0, -INF], [0, -INF]),
        ([INF, 0.0], [0, -INF]),
        ([-INF, -INF], [-np.log(2)] * 2),
        ([3.4e38, 0.0], [0, -3.4e38]),
        ([1000.0, 0.0], [0, -1000]),
        ([NAN, 0.0], [NAN, NAN]),
    ],
)
def test_log_softmax_of_hard_rows(z: list[float], logs: list[float], dtype: Any) -> None:
    y, first, second = derivatives(LogSoftmax(), np.array([z], dtype))
    np.testing.assert_array_equal(y, np.array([logs], dtype))
    assert np.isfinite([first, second]).all() != np.isnan(logs).any()


def test_log_softmax_is_infinite_only_beyond_the_largest_float() -> None:
    most = np.finfo(np.float32).max
    np.testing.assert_array_equal(ta.log_softmax(np.array([most, -1.0], np.float32)), [0, -most])
    np.testing.assert_array_equal(ta.log_softmax(np.array([most, -most], np.float32)), [0, -INF])
    np.testing.assert_array_equal(ta.log_softmax(np.array([MOST, 0.0])), [0, -MOST])
    np.testing.assert_array_equal(ta.log_softmax(np.array([MOST, -1e308])), [0, -INF])


@every_one
@both_dtypes
@pytest.mark.parametrize("row", [[NAN], [1.0, NAN, 2.0], [INF, NAN], [-INF, NAN]], ids=str)
def test_a_row_with_nan_is_nan_and_no_other(make: Any, row: list[float], dtype: Any) -> None:
    y, first, _ = derivatives(make(), np.array([row, [0.0] * len(row)], dtype))
    assert np.isnan(y[0]).all()
    assert np.isnan(first[0]).all()
    assert np.isfinite([y[1], first[1]]).all()


@every_one
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (2, 0, 3)])
def test_empty_arrays_stay_so(make: Any, shape: tuple[int, ...]) -> None:
    for axis in range(len(shape)):
        y, first, second = derivatives(make(axis), np.zeros(shape, np.float32))
        assert y.shape == first.shape == second.shape == shape
        assert y.dtype == np.float32


@pytest.mark.parametrize(("op", "of_none"), [(Logsumexp, -INF), (Logmeanexp, NAN)])
def test_logarithms_of_no_exponentials(op: Any, of_none: float) -> None:
    np.testing.assert_array_equal(op(0)(np.zeros((0, 2), np.float32)), np.array([of_none] * 2, np.float32))
    assert op(1)(np.zeros((0, 2))).shape == (0,)
    assert op(-1, True)(np.zeros((0, 0))).shape == (0, 1)
    t = Tensor(np.zeros((2, 0)))
    op()(t).sum().backward()
    assert t.grad.shape == (2, 0)


def test_the_temperature_is_a_sensible_one() -> None:
    for make in (
        lambda t: TemperedSoftmax(temperature=t),
        GumbelSoftmax,
        lambda t: Hardmax(temperature=t),
        GumbelLayer,
    ):
        for bad in (0.0, -1.0, 1e-46, 9e-7, 1e5, INF, NAN):
            with pytest.raises(ValueError, match=r"temperature=.*: the temperature divides the logits, and is from 1e"):
                make(bad)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    "temperature", [1e-6, np.float16(0.5), np.float32(1e-5), np.float32(0.1), np.float32(1e4), 1e4]
)
def test_any_temperature_gives_gradients_and_no_warning(temperature: Any, dtype: Any) -> None:
    """Also one of NumPy's, which counts as the number that it is."""
    x = np.array([[2.0, -3.0, 1.0], [1e-7, 1e-7, 0.0]], dtype)
    for op in (TemperedSoftmax(temperature=temperature), Hardmax(temperature=temperature)):
        assert type(op.temperature) is float
        t = Tensor(x)
        op(t).backward(np.array([[1, 2, 3], [1e-5, 2e-5, 0]], dtype))
        assert t.grad is not None
        assert t.grad.dtype == dtype
        assert np.isfinite(t.grad).all()
        np.testing.assert_array_equal(op(x), type(op)(temperature=float(temperature))(x))


def test_near_absolute_zero_the_largest_takes_all() -> None:
    x = np.array([[1e308, 1e291, 3.0], [1e-3, 0.0, 1e-3], [2.0, 2.0, -INF]])
    np.testing.assert_array_equal(ta.tempered_softmax(x, temperature=1e-6), [[1, 0, 0], [0.5, 0, 0.5], [0.5, 0.5, 0]])


def test_integers_have_double_shares() -> None:
    x = np.array([1, 2, 0])
    for make in FAMILY.values():
        if make is not negated:
            np.testing.assert_array_equal(make()(x), make()(x.astype(float)))
    np.testing.assert_array_equal(ta.softmin(np.array([1, 0], np.uint8)), ta.softmin(np.array([1.0, 0.0])))


@every_one
def test_rows_are_independent_along_any_axis(make: Any) -> None:
    x = np.random.default_rng(0).normal(size=(3, 4, 2))
    for axis in (0, 1, 2, -3):
        y = make(axis)(x)
        np.testing.assert_allclose(y.sum(axis=axis), 1, rtol=1e-15)
        np.testing.assert_array_equal(np.moveaxis(y, axis, -1)[1, 1], make()(np.moveaxis(x, axis, -1)[1, 1]))


# accuracy


@pytest.fixture(autouse=True)
def sixty_digits() -> Iterable[None]:
    with mpmath.workdps(60):
        yield


@both_dtypes
@pytest.mark.parametrize("temperature", [1e-3, 0.1, 0.7, 30.0])
def test_shares_at_any_temperature_are_accurate(temperature: float, dtype: Any) -> None:
    x, numbers = rows(dtype, 50)
    exact = itertools.chain.from_iterable(exact_softmax(row, temperature) for row in numbers)
    assert worst_ulp(at(temperature)()(x), exact) <= (0.51 if dtype == np.float32 else 3.0)


def weighted(weights: list[Any], g: list[Any], shares: list[Any]) -> list[tuple[Any, Any]]:
    """w (g - mean of g by w), each with its largest term once the g of the largest share is taken off all."""
    t = [v - g[shares.index(max(shares))] for v in g]
    parts = [w * v / sum(weights) for w, v in zip(weights, t, strict=True)]
    return [
        (w * (v - sum(parts)), max(abs(w * v), *(abs(w * p) for p in parts))) for w, v in zip(weights, t, strict=True)
    ]


def of_log(row: list[Any], g: list[Any]) -> list[tuple[Any, Any]]:
    """g - p Σg, each with its largest term; of a p above 1/2 as minus the sum of the others."""
    p = exact_softmax(row)
    slopes = [a - b * sum(g) for a, b in zip(g, p, strict=True)]
    sizes = [max(abs(a), b * max(map(abs, g))) for a, b in zip(g, p, strict=True)]
    for k, share in enumerate(p):
        if share > mpf("0.5"):
            sizes[k] = max(s for i, s in enumerate(sizes) if i != k)
    return list(zip(slopes, sizes, strict=True))


def of_softmax(row: list[Any], g: list[Any]) -> list[tuple[Any, Any]]:
    p = exact_softmax(row)
    return weighted(p, g, p)


def of_projection(power: int) -> Callable[[list[Any], list[Any]], list[tuple[Any, Any]]]:
    def gradient(row: list[Any], g: list[Any]) -> list[tuple[Any, Any]]:
        p = projected(power)(row)
        weights = [mpmath.sqrt(v) if power == 2 else mpf(v > 0) for v in p]
        return weighted(weights, g, p)

    return gradient


@both_dtypes
@pytest.mark.parametrize(
    ("op", "gradient"),
    [(Softmax(), of_softmax), (LogSoftmax(), of_log), (Sparsemax(), of_projection(1)), (Entmax15(), of_projection(2))],
    ids=lambda v: repr(v) if isinstance(v, ta.Op) else "",
)
def test_gradients_are_accurate(op: Any, gradient: Any, dtype: Any) -> None:
    """In units in the last place of the largest term, for every element: also of an almost certain class."""
    x, numbers = near_rows(dtype)
    g = np.random.default_rng(4).normal(size=x.shape).astype(dtype)
    g[::3] = np.eye(5)[x[::3].argmax(axis=1)]  # as of a likelihood
    t = Tensor(x)
    got = ta.gradients(op(t), t, g).data
    worst = 0.0
    for found, row, cotangents in zip(got, numbers, g, strict=True):
        exact = gradient(row, [mpf(float(v)) for v in cotangents])
        for value, (slope, size) in zip(found, exact, strict=True):
            unit = np.spacing(dtype(float(max(size, abs(slope)))))
            worst = max(worst, float(abs(mpf(float(value)) - slope) / mpf(float(unit))))
    assert worst <= 4


@both_dtypes
def test_the_logarithm_of_a_mean_of_equals_is_exact(dtype: Any) -> None:
    np.testing.assert_array_equal(ta.logmeanexp(np.full((2, 7), 123.4, dtype)), np.full(2, 123.4, dtype))


@both_dtypes
def test_log1mexp_is_accurate_and_silent_everywhere(dtype: Any) -> None:
    x = (2.0 ** np.random.default_rng(0).uniform(-90, 6.2, 800)).astype(dtype)
    x = np.concatenate([x, np.log(2) * (1 + np.linspace(-1e-2, 1e-2, 40).astype(dtype))]).astype(dtype)
    with mpmath.workdps(80):
        truth = [mpmath.log(-mpmath.expm1(-mpf(float(v)))) for v in x]
        slopes = [1 / mpmath.expm1(mpf(float(v))) for v in x]
    assert worst_ulp(log1mexp_op(x), truth) <= 4.5
    assert worst_ulp(log1mexp_op.derivative(None, x), slopes) <= 4.5
    least = np.finfo(dtype).smallest_subnormal
    ends = np.array([0.0, -0.0, least, 1e5, INF, -1.0, -INF, NAN], dtype)
    np.testing.assert_array_equal(log1mexp_op(ends), [-INF, -INF, np.log(least), 0, 0, NAN, NAN, NAN])
    np.testing.assert_array_equal(log1mexp_op.derivative(None, ends), [INF, INF, INF, 0, 0, NAN, NAN, NAN])


# where shares become 0


@pytest.mark.parametrize("x", [[1.0, 0.0], [0.5, 0.5, 0.0], [2.0, 1.0, 1.0]])
def test_a_share_about_to_become_positive_counts_as_0(x: list[float]) -> None:
    """The gradient is that of the side on which it stays 0, so it is one of the legal ones."""
    row, beside = np.array(x), np.array(x)
    beside[np.array(x) == min(x)] -= 1e-9
    for g in np.eye(len(x)):
        np.testing.assert_array_equal(
            ta.sparsemax.vjp(0, g, ta.sparsemax(row), row), ta.sparsemax.vjp(0, g, ta.sparsemax(beside), beside)
        )
    assert ta.sparsemax(row)[-1] == 0


def test_entmax15_has_no_kink_where_a_share_becomes_0() -> None:
    g = np.array([1.0, -2.0, 0.5])
    sides = [np.array([1.0, -1.0 + h, -3.0]) for h in (-1e-9, 0.0, 1e-9)]
    slopes = [ta.entmax15.vjp(0, g, ta.entmax15(x), x) for x in sides]
    np.testing.assert_allclose(slopes, [slopes[1]] * 3, atol=2e-9)


def test_many_elements_are_projected_as_well() -> None:
    x = np.random.default_rng(0).normal(0, 0.05, (3, 5000))
    for op in (ta.sparsemax, ta.entmax15):
        y = op(x)
        np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-14)
        assert ((y > 0).sum(axis=1) > 5).all()


# draws


LOGITS = np.log([0.5, 0.3, 0.15, 0.05])


def test_a_hard_draw_has_the_probabilities_of_softmax() -> None:
    layer = GumbelLayer(temperature=0.3, hard=True, rng=np.random.default_rng(0))
    draws = layer(np.broadcast_to(LOGITS, (20000, 4)))
    np.testing.assert_array_equal(np.unique(draws), [0, 1])
    np.testing.assert_allclose(draws.mean(axis=0), np.exp(LOGITS), atol=0.01)
    soft = GumbelLayer(temperature=0.3, rng=np.random.default_rng(0))(np.broadcast_to(LOGITS, (20000, 4)))
    np.testing.assert_array_equal(soft.argmax(axis=1), draws.argmax(axis=1))


def test_a_hard_draw_has_the_gradient_of_the_soft_one() -> None:
    x = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
    g = np.arange(12.0).reshape(3, 4) ** 2
    gradients = []
    for hard in (True, False):
        t = Tensor(x)
        y = GumbelLayer(0.7, 0, hard, np.random.default_rng(2))(t)
        assert y.dtype == np.float32
        gradients.append(ta.gradients(y, t, g).data)
    np.testing.assert_allclose(gradients[0], gradients[1], rtol=2e-5, atol=1e-5)
    assert Hardmax(0, 0.7).surrogate == TemperedSoftmax(0, 0.7)
    assert Hardmax(0).surrogate == Softmax(0)


def test_nothing_is_drawn_in_evaluation() -> None:
    x = np.array([[-1.0, 2.0, -0.5]])
    for hard, op in ((False, TemperedSoftmax(-1, 0.7)), (True, Hardmax())):
        np.testing.assert_array_equal(GumbelLayer(0.7, hard=hard).eval()(x), op(x))
    np.testing.assert_allclose(RReLU(0.2, 0.6).eval()(x), [[-0.4, 2.0, -0.2]])
    assert [repr(GumbelLayer(hard=True)), repr(RReLU())] == [
        "GumbelSoftmax(temperature=1.0, axis=-1, hard=True)",
        "RReLU(0.125, 0.3333)",
    ]


def test_rrelu_draws_a_slope_for_each_negative_element() -> None:
    layer = RReLU(0.2, 0.6, np.random.default_rng(0))
    x = Tensor(-np.ones((50, 50), np.float32))
    y = layer(x)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, -y.data)
    assert y.dtype == np.float32
    assert len(np.unique(y.data)) > 2000
    assert -0.6 <= y.data.min() < -0.59
    assert -0.21 < y.data.max() <= -0.2
    np.testing.assert_array_equal(layer(np.array([0.0, 3.0])), [0.0, 3.0])
    with pytest.raises(ValueError, match="lower=2 is above upper=1"):
        RReLU(2, 1)
    np.testing.assert_array_equal(RReLU(0.5, 0.5)(np.array([-2.0, 3.0])), [-1, 3])


@pytest.mark.parametrize("hard", [False, True])
def test_a_compiled_step_draws_anew_and_follows_the_temperature(hard: bool) -> None:
    x = np.random.default_rng(3).normal(size=(4, 3))

    def run(wrap: Callable[[Any], Any]) -> list[Any]:
        choose = GumbelLayer(hard=hard, rng=np.random.default_rng(7))
        model = nn.Sequential(
            nn.Linear(3, 3, rng=np.random.default_rng(5)), RReLU(rng=np.random.default_rng(6)), choose
        )

        def step(x: Any) -> Any:
            y = model(x)
            return y, ta.gradients(y, model.layers[0].weight, np.arange(12.0).reshape(4, 3))

        do, results = wrap(step), []
        for temperature in (2.0, 2.0, 0.5, 0.25):
            choose.temperature = temperature
            results += [np.array(getattr(r, "data", r)) for r in do(x)]
        model.eval()
        return [*results, *(np.array(getattr(r, "data", r)) for r in do(x))]

    eager, made = run(lambda step: step), []
    compiled = run(lambda step: made.append(ta.compile(step)) or made[0])
    for a, b in zip(compiled, eager, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(eager[1], eager[3])
    assert len(made[0].variants) == 2  # training and evaluation, whatever the temperature


# the same as PyTorch


def test_parity_with_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'tinygrad_act[parity]'")
    rng = np.random.default_rng(8)
    x, noise, g = rng.normal(0, 2, (3, 4)), rng.gumbel(size=(3, 4)), rng.normal(size=(3, 4))
    pairs: list[tuple[Any, Any]] = [
        (ta.log_softmax, lambda t: torch.log_softmax(t, -1)),
        (LogSoftmax(0), lambda t: torch.log_softmax(t, 0)),
        (ta.softmin, lambda t: torch.nn.functional.softmin(t, -1)),
        (TemperedSoftmax(0, 0.4), lambda t: torch.softmax(t / 0.4, 0)),
        (lambda t: GumbelSoftmax(0.4)(t, noise), lambda t: torch.softmax((t + torch.tensor(noise)) / 0.4, -1)),
    ]
    for ours, theirs in pairs:
        t, u = Tensor(x), torch.tensor(x, requires_grad=True)
        y, v = ours(t), theirs(u)
        np.testing.assert_allclose(y.data, v.detach().numpy(), rtol=1e-13)
        (slope,) = torch.autograd.grad(v, u, torch.tensor(g), create_graph=True)
        first = ta.gradients(y, t, g)
        np.testing.assert_allclose(first.data, slope.detach().numpy(), rtol=1e-11, atol=1e-14)
        (bend,) = torch.autograd.grad((slope * slope).sum(), u)
        np.testing.assert_allclose(ta.gradients((first * first).sum(), t).data, bend.numpy(), rtol=1e-9, atol=1e-13)


def test_random_layers_draw_fractions_for_integers() -> None:
    drawn = RReLU(rng=np.random.default_rng(0))(np.array([-9, -1, 4]))
    assert -9 / 3 <= drawn[0] <= -9 / 8
    assert -1 / 3 <= drawn[1] <= -1 / 8
    assert drawn[2] == 4
    same = np.random.default_rng(0).gumbel(size=3)
    np.testing.assert_allclose(
        GumbelLayer(rng=np.random.default_rng(0))(np.zeros(3, int)), ta.softmax(same), rtol=1e-14
    )
