"""The document's systems: its conventions, its printed forms, and numbers worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act import Tensor


def test_both_forms_are_recorded() -> None:
    assert ta.sigmoid.rule == r"\cfrac{e^{-z}}{(1 + e^{-z})^2} = \mathrm{sigmoid}(z)(1 - \mathrm{sigmoid}(z))"
    assert ta.tanh.rule == r"\mathrm{sech}^2(x) = 1 - \tanh^2(x)"


@pytest.mark.parametrize(
    ("op", "x", "slope"),
    [
        (ta.relu, 0.0, 1.0),  # the document: 1 for z >= 0
        (ta.relu, -0.0, 1.0),
        (ta.leaky_relu, 0.0, 0.01),  # the branch z <= 0
        (ta.LeakyReLU(alpha=0.3), 0.0, 0.3),
        (ta.elu, 0.0, 1.0),  # the branch x >= 0
        (ta.ELU(alpha=2.0), 0.0, 1.0),
        (ta.ELU(alpha=2.0), -1.0, 2 * np.exp(-1)),
        (ta.sigmoid, 0.0, 0.25),
        (ta.tanh, 0.0, 1.0),
    ],
)
def test_the_documents_convention_at_the_corner(op: ta.Op, x: float, slope: float) -> None:
    t = Tensor(x)
    op(t).backward()
    np.testing.assert_allclose(t.grad, slope, rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("op", "low", "high", "slope_low", "slope_high"),
    [
        (ta.sigmoid, 0, 1, 0, 0),
        (ta.tanh, -1, 1, 0, 0),
        (ta.relu, 0, np.inf, 0, 1),
        (ta.leaky_relu, -np.inf, np.inf, 0.01, 1),
        (ta.elu, -1, np.inf, 0, 1),
        (ta.ops.special.erf, -1, 1, 0, 0),
    ],
)
def test_limits_are_returned_silently(
    op: ta.Elementwise, low: float, high: float, slope_low: float, slope_high: float, dtype: Any
) -> None:
    ends = np.array([-np.inf, np.inf], dtype)
    np.testing.assert_array_equal(op(ends), np.array([low, high], dtype))
    slopes = np.asarray(op.derivative(op(ends), ends), dtype)
    np.testing.assert_array_equal(slopes, np.array([slope_low, slope_high], dtype))


def test_relu_chooses_and_never_multiplies_by_a_mask() -> None:
    y = ta.relu(np.array([-np.inf, -1.0, 2.0]))
    np.testing.assert_array_equal(y, [0.0, 0.0, 2.0])
    assert not np.signbit(y).any()


def test_softmax_by_the_documents_jacobian() -> None:
    """diag(a) - a aᵀ, and ∂L/∂z_i = Σ_s ∂L/∂a_s ∂a_s/∂z_i."""
    z, g = np.array([0.3, -1.2, 2.0, 0.7]), np.array([1.0, -2.0, 0.5, 3.0])
    a = np.exp(z) / np.exp(z).sum()
    jacobian = np.diag(a) - np.outer(a, a)
    t = Tensor(z)
    y = ta.softmax(t)
    np.testing.assert_allclose(y.data, a, rtol=1e-15)
    y.backward(g)
    np.testing.assert_allclose(t.grad, jacobian @ g, rtol=1e-14)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2])
def test_softmax_sums_to_1_along_any_axis(axis: int) -> None:
    z = np.random.default_rng(0).normal(size=(2, 3, 4))
    a = ta.softmax(z, axis=axis)
    np.testing.assert_allclose(a.sum(axis=axis), 1.0, rtol=1e-15)
    np.testing.assert_allclose(np.exp(z - ta.logsumexp(z, axis=axis, keepdims=True)), a, rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("z", "a"),
    [
        ([1000.0, 0.0, -1000.0], [1, 0, 0]),
        ([5.0, 5.0, 5.0, 5.0], [0.25] * 4),
        ([0.0, -np.inf], [1, 0]),
        ([np.inf, 0.0, np.inf], [0.5, 0, 0.5]),
        ([-np.inf, -np.inf], [0.5, 0.5]),
        ([1e38, -1e38, 1e38], [0.5, 0, 0.5]),
        ([3.4e38, -3.4e38], [1, 0]),
        ([7.0], [1]),
        ([], []),
    ],
)
def test_softmax_of_hard_rows_is_right_and_silent(z: list[float], a: list[float], dtype: Any) -> None:
    z_ = Tensor(np.array([z, z], dtype))
    y = ta.softmax(z_)
    np.testing.assert_array_equal(y.data, np.array([a, a], dtype))
    y.backward(np.ones_like(y.data))
    np.testing.assert_array_equal(z_.grad, np.zeros_like(y.data))


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([np.inf, 0.0], np.inf),
        ([-np.inf, -np.inf], -np.inf),
        ([1000.0, 1000.0], 1000 + np.log(2)),
        ([0.0, -np.inf], 0.0),
    ],
)
def test_logsumexp_of_hard_rows_is_right_and_silent(x: list[float], y: float) -> None:
    np.testing.assert_allclose(ta.logsumexp(np.array(x)), y, rtol=1e-15)


def test_nan_logits_stay_nan() -> None:
    assert np.isnan(ta.softmax(np.array([1.0, np.nan, 2.0]))).all()


def test_maxout_is_the_maximum_and_its_winner_takes_the_gradient() -> None:
    x = Tensor([[1.0, 5.0, 5.0], [3.0, 2.0, 1.0]])
    y = ta.maxout(x)
    np.testing.assert_array_equal(y.data, [5.0, 3.0])
    y.backward([1.0, 1.0])
    np.testing.assert_array_equal(x.grad, [[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]])


def test_the_gradient_of_a_certain_softmax_keeps_its_digits() -> None:
    """a_1 (g_1 - Σ g a) would cancel to 0 where a_1 rounds to 1; the truth is -3 e^-40."""
    z = Tensor([40.0, 0.0, 0.0])
    ta.softmax(z).backward([1.0, 2.0, 3.0])
    e = np.exp(-40.0)
    np.testing.assert_allclose(z.grad, [-3 * e, e, 2 * e], rtol=1e-15)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ta.CELU(alpha=0.0), "alpha is a scale"),
        (lambda: ta.Softplus(beta=-1.0), "beta is how sharply it bends"),
        (lambda: ta.Squareplus(b=0.0), "b is how wide it bends"),
        (lambda: ta.ISRU(alpha=-1.0), "alpha is not negative"),
        (lambda: ta.ISRLU(alpha=float("nan")), "alpha is not negative"),
        (lambda: ta.HardTanh(low=1.0, high=-1.0), "low is not above high"),
        (lambda: ta.BReLU(t=-1.0), "t is where it stops"),
        (lambda: ta.Softshrink(lambd=-0.5), "lambd is not negative"),
        (lambda: ta.hardshrink(np.ones(2), lambd=float("nan")), "lambd is not negative"),
        (lambda: ta.Threshold(theta=float("nan")), "theta is a number"),
        (lambda: ta.QuickGELU(alpha=1e30), "alpha is how sharply it bends"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(make: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()


def test_a_leaky_relu_that_does_not_leak_is_silent_at_infinity() -> None:
    np.testing.assert_array_equal(ta.LeakyReLU(alpha=0.0)(np.array([-np.inf, np.inf])), [0, np.inf])
    assert ta.LeakyReLU(alpha=1.0).kinks == ()


@pytest.mark.parametrize(
    "name", ["silu", "mish", "gelu", "gelu_tanh", "quick_gelu", "isru", "squareplus", "sine", "smish"]
)
def test_half_precision_is_right_to_its_three_digits(name: str) -> None:
    op = ta.OPS[name]
    x = np.array([-30, -5, -0.5, 0.5, 5, 10, 32, 50], np.float16)
    wide = x.astype(np.float64)
    y = op(x)
    assert y.dtype == op.derivative(y, x).dtype == np.float16
    np.testing.assert_allclose(y, op(wide), rtol=2e-3, atol=1e-6)
    np.testing.assert_allclose(op.derivative(y, x), op.derivative(op(wide), wide), rtol=4e-3, atol=2e-6)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64])
def test_integers_do_not_wrap_around(dtype: Any) -> None:
    x = np.array([2, 100, 127], dtype)
    for op in (ta.sigmoid, ta.softplus, ta.squared_relu, ta.hard_sigmoid, ta.hard_swish, ta.elliott, ta.silu):
        np.testing.assert_allclose(op(x), op(x.astype(np.float64)), rtol=1e-15)


@pytest.mark.parametrize("op", [ta.sine, ta.gcu, ta.Sine(omega=1e4)], ids=repr)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_waves_are_silent_where_there_is_no_angle(op: Any, dtype: Any) -> None:
    """At infinity, and for sine also where omega x is beyond floats: nan, as a wave has no limit."""
    x = np.array([np.inf, -np.inf], dtype)
    assert np.isnan(op(x)).all()
    assert np.isnan(op.derivative(op(x), x)).all()
    far = np.array([np.finfo(dtype).max], dtype)
    assert op.name == "gcu" or dtype == np.float16 or np.isnan(op(far)).all()
    assert op.name == "gcu" or not (np.abs(op(far * 10.0 ** -np.arange(20))) > 1).any()
    assert op(x).dtype == dtype


@pytest.mark.parametrize("beta", [1e-3, 1e3])
def test_softplus_is_relu_far_out_however_it_bends(beta: float) -> None:
    op = ta.Softplus(beta=beta)
    x = np.array([-1e300, -1e3 / beta, 1e3 / beta, 1e300])
    np.testing.assert_array_equal(op(x), np.maximum(x, 0))
    np.testing.assert_array_equal(op.derivative(op(x), x), [0, 0, 1, 1])


@pytest.mark.parametrize("alpha", [1e-3, 1e3])
def test_celu_is_flat_far_out_however_it_bends(alpha: float) -> None:
    op = ta.CELU(alpha=alpha)
    x = np.array([-1e300, -1e3 * alpha, 1e300])
    np.testing.assert_array_equal(op(x), [-alpha, -alpha, 1e300])
    np.testing.assert_array_equal(op.derivative(op(x), x), [0, 0, 1])


@pytest.mark.parametrize("scale", [1.0, 2.0, 3.0])
def test_settings_that_scale_only_scale(scale: float) -> None:
    x = np.linspace(-4, 4, 17)
    for op, like, inner, outer in (
        (ta.Softplus(beta=scale), ta.softplus, scale, 1 / scale),
        (ta.CELU(alpha=scale), ta.elu, 1 / scale, scale),
    ):
        np.testing.assert_allclose(op(x), outer * like(inner * x), rtol=1e-14)
        np.testing.assert_allclose(op.derivative(op(x), x), like.derivative(like(inner * x), inner * x), rtol=1e-14)
