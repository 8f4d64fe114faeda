"""Gated linear units: one convention for the halves, accurate gates, and rules that SymPy proves."""

from __future__ import annotations

from typing import Any

import latex
import mpmath
import numpy as np
import pytest
import sympy
from exact import numeric
from mpmath import mpf
from truth_rows import pair, points, worst_ulp

import tinygrad_act as ta
from tinygrad_act import Tensor
from tinygrad_act.activations import glu as units
from tinygrad_act.op import Op

GATED = [units.glu, units.reglu, units.geglu, units.swiglu, units.bilinear]
every_gated = pytest.mark.parametrize("op", GATED, ids=lambda op: op.name)
every_unit = pytest.mark.parametrize("op", [*GATED, units.crelu], ids=lambda op: op.name)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])

x0 = np.array([[-3.0, -0.5, 0.25, 1.5], [2.0, -1.25, 0.75, -0.1], [0.4, 1.0, -2.0, 30.0]])


@every_gated
def test_the_second_half_is_the_gate(op: units.GatedUnit) -> None:
    a, b = x0[:, :2], x0[:, 2:]
    np.testing.assert_allclose(op(x0), a * op.gate(b), rtol=1e-15)


@every_unit
@pytest.mark.parametrize("axis", [0, 1, -2])
def test_any_axis_can_be_halved(op: Any, axis: int) -> None:
    x = np.random.default_rng(0).normal(size=(4, 6, 3))
    along_last = np.moveaxis(op(np.moveaxis(x, axis, -1)), -1, axis)
    np.testing.assert_array_equal(op(x, axis=axis), along_last)
    t, moved = Tensor(x), Tensor(np.moveaxis(x, axis, -1))
    op(t, axis=axis).sum().backward()
    op(moved).sum().backward()
    np.testing.assert_array_equal(t.grad, np.moveaxis(moved.grad, -1, axis))


@every_gated
def test_an_odd_length_is_refused(op: Op) -> None:
    message = rf"{op.name} needs two halves, but axis 1 of shape \(2, 3, 4\) has an odd length"
    with pytest.raises(ValueError, match=message):
        op(np.ones((2, 3, 4)), axis=1)
    with pytest.raises(ValueError, match=message):
        op(Tensor(np.ones((2, 3, 4))), axis=1)
    with pytest.raises(ValueError, match="axis 3 is out of bounds"):
        op(np.ones((2, 3, 4)), axis=3)


@every_gated
def test_the_printed_rule_is_the_derivative_of_the_printed_formula(op: Any) -> None:
    a, b, bar = sympy.symbols("a b bar", real=True)
    values = latex.sides(op.formula, {"a": a, "b": b}, op.shorthand)
    rules = [latex.sides(rule, {"a": a, "b": b, "bar y": bar}, op.shorthand)[0] for rule in pair(op.rule["x"])]
    rng = np.random.default_rng(1)
    with mpmath.workdps(60):
        for at in rng.uniform(-4, 4, (8, 3)):
            exact = [numeric(v, a, b, bar)(*map(mpf, at)) for v in (*values, *rules)]
            slopes = [numeric(bar * sympy.diff(values[0], s), a, b, bar)(*map(mpf, at)) for s in (a, b)]
            assert all(abs(v - exact[0]) < 1e-30 for v in exact[: len(values)])
            assert all(abs(r - s) < 1e-30 for r, s in zip(exact[len(values) :], slopes, strict=True))
            x = at[:2]
            got = op.vjp_x(at[2:], op(x), x)
            np.testing.assert_allclose([*op(x), *got], [float(v) for v in (exact[0], *slopes)], rtol=1e-13)


def test_the_printed_rule_of_crelu_is_the_derivative_of_its_formula() -> None:
    op, (x, *bars) = units.crelu, sympy.symbols("x bar1 bar2", real=True)
    values = [latex.sides(half, {"x": x})[0] for half in pair(op.formula)]
    names = {"x": x, "bar y": np.array(bars, object)}
    (rule,) = latex.sides(op.rule["x"], names)
    for at in ((-1.5, 0.3, 0.7), (2.5, 0.3, 0.7)):
        slope = sum(bar * sympy.diff(v, x) for bar, v in zip(bars, values, strict=True))
        exact = [numeric(v, x, *bars)(*map(mpf, at)) for v in (*values, slope, rule)]
        assert exact[2] == exact[3]
        point = np.array(at[:1])
        got = [*op(point), *op.vjp_x(np.array(at[1:]), op(point), point)]
        np.testing.assert_array_equal(got, [float(v) for v in exact[:3]])


def sigmoid(x: Any) -> Any:
    return 1 / (1 + mpmath.exp(-x))


@both_dtypes
@pytest.mark.parametrize("a", [1.0, 3e20])
def test_glu_is_accurate_over_the_whole_range(dtype: Any, a: float) -> None:
    """The gate underflows where its product with a large a does not."""
    b = points(dtype, 300)
    x = np.concatenate([np.full_like(b, a), b])
    t = Tensor(x)
    y = ta.glu(t)
    y.sum().backward()
    with mpmath.workdps(60):
        at = [mpf(float(v)) for v in b]
        exact_a = mpf(float(dtype(a)))
        assert worst_ulp(y.data, (exact_a * sigmoid(v) for v in at)) <= 4
        assert worst_ulp(t.grad[: b.size], (sigmoid(v) for v in at)) <= 3.5
        assert worst_ulp(t.grad[b.size :], (exact_a * sigmoid(v) * sigmoid(-v) for v in at)) <= 6


@every_gated
@both_dtypes
def test_gates_at_infinity_are_right_and_silent(op: units.GatedUnit, dtype: Any) -> None:
    a, b = np.array([2.0, -2.0, 2.0, -2.0], dtype), np.array([np.inf, np.inf, -np.inf, -np.inf], dtype)
    opened = op.gate(np.array(np.inf, dtype))
    closed = op.gate(np.array(-np.inf, dtype))
    x = np.concatenate([a, b])
    y = op(x)
    np.testing.assert_array_equal(y, np.concatenate([a[:2] * opened, a[2:] * closed]))
    assert not np.isnan(op.vjp_x(np.ones_like(y), y, x)).any()
    assert np.isnan(op(np.array([1.0, np.nan], dtype))).all()


def test_glu_is_right_at_an_undecided_gate_to_the_fourth_order() -> None:
    """σ, σ', σ'', σ''' and σ'''' at 0: what goes through |b| is easily right around 0 and wrong on it."""
    x = Tensor([[1.0, 0.0]])
    derivative, found = ta.glu(x).sum(), []
    for _ in range(4):
        derivative = ta.gradients(derivative, x)[0, 1]
        found.append(derivative.item())
    np.testing.assert_allclose(found, [1 / 4, 0, -1 / 8, 0], atol=1e-16)


@both_dtypes
def test_a_gate_of_relu_has_slope_1_at_0(dtype: Any) -> None:
    x = Tensor(np.array([3.0, 5.0, 0.0, -0.0], dtype))
    ta.reglu(x).sum().backward()
    np.testing.assert_array_equal(x.grad, np.array([0, 0, 3, 5], dtype))


def test_the_halves_of_crelu_belong_to_one_slope() -> None:
    """relu(x) - relu(-x) is x, with slope 1 everywhere; relu(x) + relu(-x) is |x|, at 0 between its slopes -1 and 1."""
    values = np.array([-2.0, -0.0, 0.0, 3.0])
    for signs, slopes in (((1, -1), [1, 1, 1, 1]), ((1, 1), [-1, 1, 1, 1]), ((1, 0), [0, 1, 1, 1])):
        x = Tensor(values)
        (ta.crelu(x) * np.repeat(signs, 4)).sum().backward()
        np.testing.assert_array_equal(x.grad, slopes)
    y = ta.crelu(np.array([-np.inf, np.inf]))
    np.testing.assert_array_equal(y, [0, np.inf, np.inf, 0])


@pytest.mark.parametrize("axis", [-1, 0])
def test_parity_with_torch(axis: int) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'tinygrad_act[parity]'")
    functional = torch.nn.functional
    x = np.random.default_rng(3).normal(size=(4, 6))

    def gated(gate: Any) -> Any:
        return lambda t: torch.chunk(t, 2, axis)[0] * gate(torch.chunk(t, 2, axis)[1])

    theirs = {
        "glu": lambda t: functional.glu(t, axis),
        "reglu": gated(torch.relu),
        "geglu": gated(functional.gelu),
        "swiglu": gated(functional.silu),
        "bilinear": gated(lambda t: t),
        "crelu": lambda t: torch.cat([torch.relu(t), torch.relu(-t)], axis),
    }
    for name, function in theirs.items():
        t, u = Tensor(x), torch.tensor(x, requires_grad=True)
        y, v = getattr(ta, name)(t, axis=axis), function(u)
        weights = np.random.default_rng(4).normal(size=y.shape)
        y.backward(weights)
        v.backward(torch.tensor(weights))
        np.testing.assert_allclose(y.data, v.detach().numpy(), rtol=1e-12, err_msg=name)
        np.testing.assert_allclose(t.grad, u.grad.numpy(), rtol=1e-12, atol=1e-15, err_msg=name)
