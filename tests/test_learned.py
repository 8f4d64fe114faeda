"""Activations that learn: ops of x and of parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mpf
from truth_rows import points, worst_ulp

import tinygrad_act as ta
from tinygrad_act import Tensor
from tinygrad_act.activations import learned
from tinygrad_act.activations.products import expm1_minus, grown, within
from tinygrad_act.op import OPS, Op

LEARNED = [op for op in OPS.values() if op.learned]
every_learned = pytest.mark.parametrize("op", LEARNED, ids=lambda op: op.name)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])

# values and slopes by the papers, in the order of the inputs


def σ(x: Any) -> Any:
    return 1 / (1 + mpmath.exp(-x))


def silu_slope(u: Any) -> Any:
    return σ(u) * (1 + u * σ(-u))


def softplus(x: Any) -> Any:
    return mpmath.log1p(mpmath.exp(x))


def gap(x: Any) -> Any:
    """e^x - 1 - x, at the digits that are left when it cancels."""
    with mpmath.workdps(800 if abs(x) < 1e-20 else 120):
        return mpmath.expm1(x) - x


# fmt: off
EXACT: dict[str, list[Callable[..., Any]]] = {
    "prelu": [
        lambda x, a: max(x, 0) + a * min(x, 0), lambda x, a: 1 if x > 0 else a, lambda x, a: min(x, 0),
    ],
    "swish_beta": [
        lambda x, b: x * σ(b * x), lambda x, b: silu_slope(b * x), lambda x, b: x * x * σ(b * x) * σ(-b * x),
    ],
    "snake": [
        lambda x, a: x + mpmath.sin(a * x) ** 2 / a, lambda x, a: 1 + mpmath.sin(2 * a * x),
        lambda x, a: x * mpmath.sin(2 * a * x) / a - (mpmath.sin(a * x) / a) ** 2,
    ],
    "pelu": [
        lambda x, a, b: a / b * x if x >= 0 else a * mpmath.expm1(x / b),
        lambda x, a, b: a / b * mpmath.exp(min(x, 0) / b), lambda x, a, b: x / b if x >= 0 else mpmath.expm1(x / b),
        lambda x, a, b: -a * x / b**2 * mpmath.exp(min(x, 0) / b),
    ],
    "srelu": [
        lambda x, t, a, s, c: t + a * (x - t) if x >= t else s + c * (x - s) if x <= s else x,
        lambda x, t, a, s, c: a if x >= t else c if x <= s else 1, lambda x, t, a, s, c: (1 - a) * (x >= t),
        lambda x, t, a, s, c: max(x - t, 0), lambda x, t, a, s, c: (1 - c) * (x <= s),
        lambda x, t, a, s, c: min(x - s, 0),
    ],
    "acon_c": [
        lambda x, p, q, b: (p - q) * x * σ(b * (p - q) * x) + q * x,
        lambda x, p, q, b: (p - q) * silu_slope(b * (p - q) * x) + q,
        lambda x, p, q, b: x * silu_slope(b * (p - q) * x), lambda x, p, q, b: x * silu_slope(-b * (p - q) * x),
        lambda x, p, q, b: ((p - q) * x) ** 2 * σ(b * (p - q) * x) * σ(-b * (p - q) * x),
    ],
    "xielu": [
        lambda x, p, n: softplus(p) * x * x + x / 2 if x > 0 else (mpf(0.5) + softplus(n)) * gap(x) + x / 2,
        lambda x, p, n: 2 * softplus(p) * x + 0.5 if x > 0 else (mpf(0.5) + softplus(n)) * mpmath.expm1(x) + 0.5,
        lambda x, p, n: σ(p) * max(x, 0) ** 2, lambda x, p, n: σ(n) * gap(min(x, 0)),
    ],
    "dyt": [
        lambda x, a, g, b: g * mpmath.tanh(a * x) + b, lambda x, a, g, b: g * a * mpmath.sech(a * x) ** 2,
        lambda x, a, g, b: g * x * mpmath.sech(a * x) ** 2, lambda x, a, g, b: mpmath.tanh(a * x),
        lambda x, a, g, b: mpf(1),
    ],
}
# fmt: on


def rational(x: Any, *c: Any) -> list[Any]:
    """The value and the slopes of the quotient."""
    below = sum(c[5 + k] * x**k for k in range(1, 5))
    sign, bottom = mpmath.sign(below), 1 + abs(below)
    y = sum(c[j] * x**j for j in range(6)) / bottom
    bend = sum(j * c[j] * x ** (j - 1) for j in range(1, 6))
    bend -= y * sign * sum(k * c[5 + k] * x ** (k - 1) for k in range(1, 5))
    slopes = [x**j / bottom for j in range(6)] + [-sign * y * x**k / bottom for k in range(1, 5)]
    return [y, bend / bottom, *slopes]


EXACT["rational"] = [lambda x, *c, i=i: rational(x, *c)[i] for i in range(12)]

# bounds in ULP for the value and for the slope in each input, in either dtype
BOUNDS = {
    "prelu": (0.5, 0.0, 0.0),
    "swish_beta": (4.5, 12.0, 7.0),
    "snake": (4.0, 4.0, 10.0),
    "pelu": (3.5, 3.0, 3.5, 5.0),
    "srelu": (1.0, 0.0, 0.0, 1.0, 0.5, 0.0),
    "acon_c": (4.5, 12.0, 12.0, 12.0, 7.0),
    "xielu": (4.0, 4.0, 3.0, 4.0),
    "dyt": (2.1, 5.0, 7.0, 2.1, 0.0),
}


def start(op: Op, dtype: Any = np.float64) -> list[np.ndarray]:
    return [np.array(value, dtype) for value in op.learned.values()]


def far_from_roots(got: np.ndarray, exact: list[Any], x: np.ndarray, roots: float) -> np.ndarray:
    """Which to hold to units in the last place: near roots, off 0 and within `roots`, what counts is the unit of 1."""
    near = np.array([0 < abs(e) < 0.5 for e in exact]) & (np.abs(x) > 0.2) & (np.abs(x) < roots)
    errors = [abs(mpf(float(got[i])) - exact[i]) for i in np.flatnonzero(near)]
    assert max(errors, default=0) <= 4 * np.finfo(got.dtype).eps
    return ~near


@pytest.mark.parametrize("op", [OPS[name] for name in BOUNDS], ids=list(BOUNDS))
@both_dtypes
def test_learned_ops_are_accurate_where_they_start(op: Op, dtype: Any) -> None:
    """Over the whole range of x but its last octaves, where products with a parameter are cut off."""
    x, parameters = points(dtype, 250), start(op, dtype)
    y = op(x, *parameters)
    results = [y, *(op.vjp(i, np.ones_like(x), y, x, *parameters) for i in range(len(op.arguments)))]
    largest = float(np.finfo(dtype).max)
    with mpmath.workdps(60):
        at = [mpf(float(p)) for p in parameters]
        for got, f, bound in zip(results, EXACT[op.name], BOUNDS[op.name], strict=True):
            assert got.dtype == dtype
            exact = [mpf(f(mpf(float(v)), *at)) for v in x]
            fits = np.array([abs(e) < largest / 4 for e in exact]) & (np.abs(x) < largest / 16)
            held = fits & far_from_roots(got, exact, x, np.inf if op is learned.snake else 8)
            assert worst_ulp(got[held], [e for e, h in zip(exact, held, strict=True) if h]) <= bound


@every_learned
def test_learned_ops_are_right_at_other_parameters(op: Op) -> None:
    rng = np.random.default_rng(2)
    x = rng.uniform(-6, 6, 40)
    parameters = [rng.uniform(0.3, 2, 40) * (-1 if name in ("t_l", "q_3") else 1) for name in op.learned]
    y = op(x, *parameters)
    results = [y, *(op.vjp(i, np.full(40, 2.0), y, x, *parameters) / 2 for i in range(len(op.arguments)))]
    for got, f in zip(results, EXACT[op.name], strict=True):
        exact = [float(f(*map(mpf, map(float, at)))) for at in zip(x, *parameters, strict=True)]
        np.testing.assert_allclose(got, exact, rtol=1e-12, atol=1e-14)


@both_dtypes
def test_rational_starts_as_a_leaky_relu_and_goes_on_to_infinity(dtype: Any) -> None:
    """Between -3 and 3, as near as its type allows; beyond, where x⁵ overflows, as 0.505 x."""
    x, parameters = np.linspace(-3, 3, 2001).astype(dtype), start(ta.rational, dtype)
    error = ta.rational(x, *parameters) - ta.leaky_relu(x)
    assert 0.0126 < np.abs(error).max() < 0.01263
    far = points(dtype, 250)
    far = far[np.abs(far) > 1e7]
    np.testing.assert_allclose(ta.rational(far, *parameters), dtype(0.505) * far, 1e-6)
    eps = np.finfo(dtype).eps
    at = [mpf(float(p)) for p in parameters]
    for v, y in zip(x[::20], ta.rational(x[::20], *parameters), strict=True):
        assert abs(mpf(float(y)) - rational(mpf(float(v)), *at)[0]) <= 2 * eps * (1 + abs(v))


STARTS = {
    "prelu": {"a": 0.25},
    "swish_beta": {"beta": 1},
    "snake": {"alpha": 0.5},
    "pelu": {"a": 1, "b": 1},
    "srelu": {"t_r": 1, "a_r": 1, "t_l": 0, "a_l": 0.2},
    "acon_c": {"p_1": 1, "p_2": 0, "beta": 1},
    "dyt": {"alpha": 0.5, "gamma": 1, "beta": 0},
}


@pytest.mark.parametrize("name", STARTS)
def test_parameters_start_where_the_papers_say(name: str) -> None:
    assert OPS[name].learned == STARTS[name]


def test_xielu_starts_with_bends_of_0_8() -> None:
    alpha_p, alpha_n = learned.xielu.learned.values()
    np.testing.assert_allclose([ta.softplus(np.array(alpha_p)), 0.5 + ta.softplus(np.array(alpha_n))], 0.8, rtol=1e-15)


LIMITS = {
    "rational": (-np.inf, np.inf, 0.468542 / 0.927806, 0.468542 / 0.927806),
    "prelu": (-np.inf, np.inf, 0.25, 1),
    "swish_beta": (0, np.inf, 0, 1),
    "snake": (-np.inf, np.inf, None, None),
    "pelu": (-1, np.inf, 0, 1),
    "srelu": (-np.inf, np.inf, 0.2, 1),
    "acon_c": (0, np.inf, 0, 1),
    "xielu": (np.inf, np.inf, -0.3, np.inf),
    "dyt": (-1, 1, 0, 0),
}


@every_learned
@both_dtypes
def test_limits_are_returned_silently(op: Op, dtype: Any) -> None:
    x = Tensor(np.array([-np.inf, np.inf, np.nan], dtype))
    parameters = [Tensor(p) for p in start(op, dtype)]
    y = op(x, *parameters)
    low, high, slope_low, slope_high = LIMITS[op.name]
    np.testing.assert_allclose(y.data, np.array([low, high, np.nan], dtype))
    y.backward(np.ones(3))
    if slope_low is not None:
        np.testing.assert_allclose(x.grad[:2], np.array([slope_low, slope_high], dtype), rtol=1e-6)
    assert not np.isnan(x.grad[:2]).any()


@every_learned
@both_dtypes
@pytest.mark.parametrize("order", [1, 2, 3])
def test_every_derivative_is_finite_and_silent_at_the_extremes(op: Op, dtype: Any, order: int) -> None:
    x = Tensor(np.array([0.0, -0.0, 1e-300, -1e-300, 40.0, -40.0, 1000.0, -1000.0]).astype(dtype))
    leaves = [x, *(Tensor(p) for p in start(op, dtype))]
    total = op(*leaves).sum()
    for _ in range(order):
        derivatives = ta.gradients(total, leaves)
        assert all(np.isfinite(d.data).all() for d in derivatives)
        total = sum((d.sum() for d in derivatives), start=0.0 * total)


@pytest.mark.parametrize("parameter", [0.0, -3.0, 3.0, 1e30])
@pytest.mark.parametrize("op", [learned.swish_beta, learned.snake, learned.dyt], ids=lambda op: op.name)
def test_no_parameter_makes_a_bounded_argument_overflow(op: Op, parameter: float) -> None:
    x = np.array([3.4e38, -3.4e38, 1e10, 0.0, np.inf, -np.inf], np.float32)
    others = start(op, np.float32)[1:]
    y = op(x, np.float32(parameter), *others)
    slope = op.vjp(0, np.ones_like(x), y, x, np.float32(parameter), *others)
    assert not np.isnan(y).any()
    assert not np.isnan(slope).any()


@every_learned
def test_kinks_in_x_are_as_declared_where_it_starts(op: Op) -> None:
    parameters = start(op)
    for at in (-2.0, 0.0, 0.5, 1.0, 3.0):
        x = np.array([at - 1e-7, at, at + 1e-7])
        slopes = op.vjp(0, np.ones(3), op(x, *parameters), x, *parameters)
        kinks = [kink for kink in op.kinks if kink.at == at]
        expected = [kinks[0].left, kinks[0].chosen, kinks[0].right] if kinks else [slopes[1]] * 3
        np.testing.assert_allclose(slopes, expected, atol=1e-6)
        assert all(min(k.left, k.right) <= k.chosen <= max(k.left, k.right) and k.why for k in kinks)


x0 = np.array([-1000.0, -7.5, -1.0, -0.1, 0.0, 0.3, 2.0, 40.0])


@pytest.mark.parametrize(
    ("op", "parameters", "known"),
    [
        (learned.prelu, (0.3,), ta.LeakyReLU(0.3)),
        (learned.prelu, (0.0,), ta.relu),
        (learned.swish_beta, (1.0,), ta.silu),
        (learned.swish_beta, (0.0,), lambda x: x / 2),
        (learned.swish_beta, (1e9,), ta.relu),
        (learned.snake, (0.0,), lambda x: x),
        (learned.snake, (1e-9,), lambda x: x + 1e-9 * x * x),
        (learned.pelu, (1.0, 1.0), ta.elu),
        (learned.pelu, (2.0, 2.0), ta.CELU(2.0)),
        (learned.srelu, (1.0, 1.0, 0.0, 0.2), ta.LeakyReLU(0.2)),
        (learned.srelu, (1.0, 0.0, -1.0, 0.0), ta.hard_tanh),
        (learned.acon_c, (1.0, 0.0, 1.0), ta.silu),
        (learned.acon_c, (1.0, 0.25, 1e9), ta.LeakyReLU(0.25)),
        (learned.acon_c, (3.0, 1.0, 0.0), lambda x: 2 * x),
        (
            learned.xielu,
            (-800.0, -800.0),
            lambda x: 0.5 * (np.minimum(np.expm1(np.minimum(x, 0)), 0) + np.maximum(x, 0)),
        ),
        (learned.dyt, (0.5, 1.0, 0.0), lambda x: np.tanh(x / 2)),
    ],
)
def test_special_parameters_make_a_known_function(op: Op, parameters: tuple[float, ...], known: Any) -> None:
    np.testing.assert_allclose(op(x0, *parameters), known(x0), rtol=1e-14, atol=1e-300)


def test_snake_without_a_wave_still_learns_one() -> None:
    """At alpha = 0 the slope in alpha is x², and the wave sin²(alpha x) / alpha is not 0/0."""
    x, alpha = Tensor(x0), Tensor(np.zeros(len(x0)))
    y = learned.snake(x, alpha)
    y.sum().backward()
    np.testing.assert_array_equal(y.data, x0)
    np.testing.assert_array_equal(x.grad, np.ones_like(x0))
    np.testing.assert_allclose(alpha.grad, x0**2, rtol=1e-15)


def test_snake_far_out_has_slopes_in_alpha_that_are_finite() -> None:
    x = np.array([-np.inf, -np.finfo(float).max, np.finfo(float).max, np.inf])
    assert np.isfinite(learned.snake.vjp_alpha(np.ones(4), learned.snake(x, 0.5), x, np.float64(0.5))).all()


def test_srelu_counts_its_corners_to_the_outer_lines() -> None:
    for x, slopes in ((0.5, [3, 1 - 3, 0, 0, 0]), (-1.0, [0.25, 0, 0, 1 - 0.25, 0])):
        got = ta.grad(lambda *args: learned.srelu(*args), argnums=tuple(range(5)))(x, 0.5, 3.0, -1.0, 0.25)
        assert [float(g) for g in got] == slopes, x
    meeting = ta.grad(lambda *args: learned.srelu(*args), argnums=tuple(range(5)))(0.5, 0.5, 3.0, 0.5, 0.25)
    assert [float(g) for g in meeting] == [3, 1 - 3, 0, 0, 0]


def test_xielu_is_the_integral_of_what_it_is_named_after() -> None:
    x = np.linspace(-4, 4, 4001)
    y = learned.xielu(x, *start(learned.xielu))
    slopes = learned.xielu.vjp_x(np.ones_like(x), y, x, *start(learned.xielu))
    np.testing.assert_allclose(np.diff(y), 0.001 * (slopes[1:] + slopes[:-1]), atol=1e-9)
    assert learned.XIELU(beta=0.25).vjp_x(1.0, 0.0, np.array(0.0), 0.2, -1.0) == 0.25


@every_learned
def test_a_number_for_a_parameter_leaves_float32(op: Op) -> None:
    if op is not learned.xielu:  # whose softplus makes a double of a number
        assert op(np.ones(3, np.float32), *op.learned.values()).dtype == np.float32


def test_products_are_exact_or_at_the_end_of_the_floats() -> None:
    largest = np.finfo(np.float64).max
    x = np.array([1.0, 1e300, largest, np.inf, 0.0])
    np.testing.assert_array_equal(grown(x, x), [1, np.inf, np.inf, np.inf, 0])
    np.testing.assert_array_equal(within(0.25, x[:2]), [0.25, 0.25e300])
    assert (np.abs(within(np.array([3.0, -1e200]), np.array([largest, -np.inf]))) > largest / 4).all()
    np.testing.assert_allclose(expm1_minus(np.array([-1e-9, -1.0, -50.0])), [5e-19, np.exp(-1), 49], rtol=1e-9)


def test_parity_with_torch() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'tinygrad_act[parity]'")
    x, a = np.random.default_rng(0).normal(size=(5, 4)), np.array([0.25, -0.5, 0.0, 2.0])
    x[0, 0] = 0.0
    ours, theirs = (Tensor(x), Tensor(a)), [torch.tensor(v, requires_grad=True) for v in (x, a)]
    y, v = ta.prelu(*ours), torch.nn.functional.prelu(*theirs)
    weights = np.random.default_rng(1).normal(size=y.shape)
    y.backward(weights)
    v.backward(torch.tensor(weights))
    np.testing.assert_array_equal(y.data, v.detach().numpy())
    for t, u in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(t.grad, u.grad.numpy(), rtol=1e-14)
