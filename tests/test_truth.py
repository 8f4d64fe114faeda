"""Accuracy of f, f' and f'' over the whole range of floats, against tables made with mpmath at 60 digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from truth_tables import (
    DTYPES,
    FOLDER,
    OPS_WITH_TRUTH,
    Errors,
    bend,
    bend_table,
    compare,
    errors,
    file_of,
    is_current,
    points,
    read,
    slope,
    table,
    value,
)

import tinygrad_act as ta
from tinygrad_act.op import Op

every_op = pytest.mark.parametrize("op", OPS_WITH_TRUTH, ids=repr)
both_dtypes = pytest.mark.parametrize("dtype", DTYPES)

# The greatest errors in ULP: float32 f and f', float64 f and f'.
USUAL = (4.5, 12, 4.5, 12)
BOUNDS = dict.fromkeys(["sigmoid", "softplus", "log_sigmoid", "elu", "selu", "celu"], (3.5, 5, 3, 4.5))
BOUNDS |= {"tanh": (2.1, 5, 2.1, 4.5)}  # of float64 it is NumPy's own: the C library's, within 1.9, before AVX2
BOUNDS |= {"silu": (5, 12, 4.5, 8), "mish": (5, 12, 4.5, 8), "gelu": (7, 8, 5, 8)}
BOUNDS |= dict.fromkeys(["softsign", "tanhshrink", "squareplus", "softshrink", "hardshrink"], (4.5, 4.5, 4.5, 4.5))
BOUNDS |= dict.fromkeys(["hard_sigmoid", "hard_swish", "hard_tanh", "hard_mish", "threshold"], (4.5, 4.5, 4.5, 4.5))
BOUNDS |= dict.fromkeys(["relu6", "squared_relu", "star_relu", "brelu"], (4.5, 4.5, 4.5, 4.5))
BOUNDS |= {"relu": (0, 0, 0, 0), "identity": (0, 0, 0, 0), "leaky_relu": (2, 0.5, 0.5, 0.1), "erf": (3, 5, 2, 4.5)}
BOUNDS |= {"gelu_slope": (8, 12, 8, 12)}  # the slope of gelu
BOUNDS |= {"gelu_tanh": (180, 180, 1200, 1200)}  # far out e^u magnifies the rounding of u, by u
CENTRAL = {"gelu_tanh": (26, 26, 30, 30)}  # for |x| <= 5

# By repr: more than usual, or where it ends, and why.
ROUGH = {
    "Phish()": (8, 12, 12, 25),  # x tanh(gelu(x)): where gelu(x) is subnormal, its error is multiplied by x
    "XIELU(beta=0.5)": (6, 12, 4.5, 12),  # before AVX-512, e^x - 1 of float32 has 2 ULP, of which -x leaves more
    "Rational()": (250, 25, 200, 40),  # its polynomials cancel where it is small: it is off by little more than an eps
}
WITHIN = {"Sine(omega=1.7)": 1e6}  # 1.7 is no float32: of 1.7 x only 48 bits are known, those of two floats
NEAR_ROOTS = {
    "sine": 1.0,  # of a slope that swings between -omega and omega, all of it judged as near a root
    "gcu": 1.1,  # the same, between -x and x
    "serf": 0.75,  # erf(s) + x ..., each of which is some ULP of a third off; more with NumPy's exp before AVX-512
    "tanh_exp": 0.65,
    "xielu": 0.7,
    "snake": 4.5,
    "rational": 1.2,
}
TOUCHING = {"snake"}  # its slope, (sin + cos)², touches 0 again and again: all of it is judged as near a root
BENDS_FROM = {"log1mexp": 1e-15}  # nearer to 0 its f'' = -1/x² is beyond float32
# How small f'' may be to be lost: far out that of a rational function is what cancels when its f' is differentiated.
BENDS_ABOVE = {"rational": 1e-24}


def bounds(op: Op, dtype: Any, kind: dict[str, Any] = BOUNDS) -> tuple[float, float]:
    four = ROUGH.get(repr(op)) or kind.get(op.name, USUAL)
    return four[:2] if dtype == np.float32 else four[2:]


def found(op: Op, dtype: Any) -> list[Errors]:
    """The errors of f and of f', as far as something is promised."""
    limit = WITHIN.get(repr(op), np.inf)
    of_value, of_slope = errors(op, dtype)
    if op.name in TOUCHING:
        finite = np.isfinite(of_slope.x)
        off = np.abs(of_slope.got - of_slope.truth) / np.finfo(dtype).eps
        of_slope = of_slope._replace(near_root=finite, eps=np.where(finite, off, 0))
    return [Errors(*(v[np.abs(off.x) <= limit] for v in off)) for off in (of_value, of_slope)]


@every_op
def test_every_op_has_a_table_of_its_present_formula(op: Op) -> None:
    assert is_current(op), f"run python tests/truth/make.py {op.name}"


def test_no_table_is_left_over() -> None:
    known = {(file_of(op), f"{op!r} digest") for op in OPS_WITH_TRUTH}
    stored = {(path, key) for path in FOLDER.glob("*.npz") for key in read(path) if key.endswith(" digest")}
    assert stored <= known, "run python tests/truth/make.py"


@every_op
@both_dtypes
def test_value_and_derivative_are_accurate_everywhere(op: Op, dtype: Any) -> None:
    """At every exponent, subnormals, kinks, where results over- or underflow, and at infinity; and silent there."""
    central = bounds(op, dtype, CENTRAL) if op.name in CENTRAL else bounds(op, dtype)
    for off, bound, inner, name in zip(found(op, dtype), bounds(op, dtype), central, ["f", "f'"], strict=True):
        i = int(np.argmax(np.where(off.near_root, 0, off.ulp)))
        where = f"{op!r}: {name}({off.x[i]!r}) is {off.truth[i]!r}, not {off.got[i]!r}"
        assert off.worst() <= bound, f"{where}: {off.worst():.2f} ULP"
        assert off.worst(within=5) <= inner, f"{op!r}: {name} is off by {off.worst(within=5):.2f} ULP within 5"


@every_op
@both_dtypes
def test_near_a_root_the_error_is_below_half_an_eps(op: Op, dtype: Any) -> None:
    """Of f' where its sign changes, as of the gates left of 0; and of f: a sum is no better than its terms."""
    for off in found(op, dtype):
        i = int(np.argmax(off.eps))
        assert off.eps[i] < NEAR_ROOTS.get(op.name, 0.5), f"{op!r} at {off.x[i]!r}: {off.got[i]!r} for {off.truth[i]!r}"


@every_op
@both_dtypes
def test_nan_stays_nan(op: Op, dtype: Any) -> None:
    """A slope may be constant where it does not depend on x."""
    x = np.array([np.nan, 1.0, np.nan], dtype)
    assert np.isnan(value(op, x))[[0, 2]].all()
    if bend_table(op)[1].any():
        assert np.isnan(slope(op, x))[[0, 2]].all()


@every_op
def test_the_second_derivative_is_right(op: Op) -> None:
    """To 1e-6: of itself, or near a root of the largest value beside it."""
    x, truth = bend_table(op)
    got = bend(op, x)
    beside = np.array([np.roll(truth, k) for k in range(-2, 3)])
    near_root = (beside.min(axis=0) < 0) & (beside.max(axis=0) > 0)
    unit = np.where(near_root, np.abs(beside).max(axis=0), np.abs(truth))
    unit = np.maximum(unit, BENDS_ABOVE.get(op.name, 1e-290))  # below, products underflow
    i = int(np.argmax(np.abs(got - truth) / unit))
    assert abs(got[i] - truth[i]) <= 1e-6 * unit[i], f"{op!r}: f''({x[i]}) is {truth[i]}, not {got[i]}"


@every_op
@both_dtypes
def test_the_second_derivative_is_finite_everywhere(op: Op, dtype: Any) -> None:
    x = table(op, dtype).x
    assert np.isfinite(bend(op, x[np.isfinite(x) & (np.abs(x) >= BENDS_FROM.get(op.name, 0))])).all()


def test_the_measure_sees_what_a_naive_formula_loses() -> None:
    x, y, y_rest, dy, dy_rest = table(ta.sigmoid, np.float32)
    moderate = np.abs(x) < 80
    x, y, y_rest, dy, dy_rest = (v[moderate] for v in (x, y, y_rest, dy, dy_rest))
    assert compare(x, y, y, y_rest, []).worst() <= 0.51
    assert compare(x, np.nextafter(y, np.float32(2)), y, y_rest, []).worst() >= 1
    assert compare(x, dy * 0, dy, dy_rest, []).worst() > 1e6
    naive = 1 / (1 + np.exp(-x))
    assert compare(x, naive * (1 - naive), dy, dy_rest, []).worst() > 1e6
    assert compare(x, np.where(x > 1, np.float32(np.inf), y), y, y_rest, []).worst() == np.inf


def test_the_points_are_everywhere() -> None:
    for dtype, least in ((np.float32, 450), (np.float64, 450)):
        x, info = points(ta.relu, dtype), np.finfo(dtype)
        assert len(x) >= least
        assert np.diff(x[1:-1]).min() > 0
        exponents = np.frexp(np.abs(x[np.isfinite(x) & (x != 0)]))[1]
        assert np.diff(np.unique(exponents)).max() <= 24
        assert {0, np.inf, -np.inf, info.max, info.smallest_subnormal, -info.smallest_subnormal} <= set(x.tolist())


def test_the_truth_holds_in_far_tails() -> None:
    """Where 1 + e^x is 1 to a hundred digits, and a table made with fewer would have x e^x."""
    known = table(ta.mish, np.float64)
    far = (known.x < -60) & (known.x > -700)
    x = known.x[far]
    np.testing.assert_allclose(known.slope[far], (1 + x) * np.exp(x), rtol=1e-12)
    np.testing.assert_allclose(known.value[far], x * np.exp(x), rtol=1e-12)
