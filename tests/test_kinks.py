"""Laws of kinks and ties: what jumps is declared, what is declared jumps, and what is chosen there is legal.

What they are about is measured from the values wherever it can be, which know nothing of the rules.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from samples import ELEMENTWISE, SAMPLES, Sample

import tinygrad_act as ta
from tinygrad_act.op import OPS, Elementwise, Kink, Op

both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


class Curve(NamedTuple):
    """An op as a function of one number: those that learn, at what they start from."""

    op: Op

    def __call__(self, x: Any) -> Any:
        return self.op(x, *(np.asarray(a, x.dtype) for a in self.op.learned.values()))

    def slope(self, x: np.ndarray, order: int = 1) -> np.ndarray:
        t = ta.Tensor(x)
        y = self(t)
        for _ in range(order):
            y = ta.gradients(y.sum(), t)
        return y.data

    def inside(self, x: np.ndarray) -> np.ndarray:
        low, high = self.op.domain if isinstance(self.op, Elementwise) else (-np.inf, np.inf)
        return x[(x > low) & (x < high)]

    def __repr__(self) -> str:
        return repr(self.op)


CURVES = [Curve(sample.op) for sample in ELEMENTWISE]
CURVES += [Curve(op) for op in OPS.values() if op.learned and len(op.learned) == len(op.arguments) - 1]
KINKS = [(curve, kink) for curve in CURVES for kink in curve.op.kinks]

every_curve = pytest.mark.parametrize("curve", CURVES, ids=repr)
every_kink = pytest.mark.parametrize(("curve", "kink"), KINKS, ids=str)


def jumps(f: Callable[[np.ndarray], np.ndarray], grid: np.ndarray) -> np.ndarray:
    """Where f jumps: an interval of the grid is halved, towards the half with the larger step, until it is a point."""
    a, b = grid[:-1].copy(), grid[1:].copy()
    fa, fb = f(a), f(b)
    for _ in range(44):
        middle = (a + b) / 2
        fm = f(middle)
        left = np.abs(fm - fa) >= np.abs(fb - fm)
        a, fa = np.where(left, a, middle), np.where(left, fa, fm)
        b, fb = np.where(left, middle, b), np.where(left, fm, fb)
    size = np.maximum(np.abs(fa), np.abs(fb))
    found = (np.abs(fb - fa) > 1e-6 * np.maximum(size, 1)) & (size < 1e6)  # not at a pole of tan
    return b[found]


def grid_of(curve: Curve) -> np.ndarray:
    """Finer around 0, and off all numbers that kinks are likely at."""
    return curve.inside(
        np.concatenate([np.arange(-40, -8, 0.25), np.arange(-8, 8, 1 / 64), np.arange(8, 40, 0.25)]) + 0.00317
    )


@every_curve
def test_jumps_are_at_the_declared_kinks_and_nowhere_else(curve: Curve) -> None:
    """The slope jumps at each kink, or the value does; and neither does anywhere else."""
    grid = grid_of(curve)
    found = jumps(curve.slope, grid)
    if curve.op.surrogate is None:  # whose value jumps where its borrowed slope has no kink
        found = np.concatenate([found, jumps(curve, grid)])
    declared = [kink.at for kink in curve.op.kinks]
    undeclared = [x for x in found if not any(abs(x - at) < 1e-9 for at in declared)]
    assert not undeclared, f"{curve} has a kink at {undeclared[0]:.9g} that it does not declare"
    for at in declared:
        assert np.min(np.abs(found - at), initial=np.inf) < 1e-9, f"{curve} declares a kink at {at}, and has none"


@every_kink
def test_the_slopes_of_a_kink_are_those_of_the_value(curve: Curve, kink: Kink) -> None:
    """Difference quotients of the value on either side, which do not cross the kink, are what is declared."""
    curve = Curve(curve.op.surrogate) if curve.op.surrogate else curve
    h = 1e-5
    steps = np.array([-3 * h, -h, h, 3 * h])
    values = curve(kink.at + steps)
    left, right = (values[1] - values[0]) / (2 * h), (values[3] - values[2]) / (2 * h)
    np.testing.assert_allclose([left, right], [kink.left, kink.right], atol=5e-5)


@every_kink
@both_dtypes
def test_the_choice_is_made_in_either_dtype_and_by_every_road(curve: Curve, kink: Kink, dtype: Any) -> None:
    x = np.array([kink.at], dtype)
    np.testing.assert_allclose(curve.slope(x), kink.chosen, rtol=1e-6)
    leaf = ta.Tensor(x)
    curve(leaf).sum().backward()
    np.testing.assert_array_equal(leaf.grad, curve.slope(x))
    if isinstance(curve.op, Elementwise):
        np.testing.assert_array_equal(curve.op.derivative(curve(x), x) * np.ones(1, dtype), curve.slope(x))


@every_kink
def test_the_choice_follows_the_rule_of_the_catalogue(curve: Curve, kink: Kink) -> None:
    """The document's value, or the legal one of least norm, or PyTorch's side; and the reason says which."""
    low, high = min(kink.left, kink.right), max(kink.left, kink.right)
    assert low <= kink.chosen <= high
    assert kink.why.strip()
    least = np.clip(0, low, high)
    assert kink.chosen == least or "document" in kink.why or "PyTorch" in kink.why


@every_kink
@both_dtypes
def test_higher_derivatives_at_a_kink_are_finite(curve: Curve, kink: Kink, dtype: Any) -> None:
    near = np.spacing(np.array(kink.at, dtype))
    x = np.array([kink.at - near, kink.at, kink.at + near], dtype)
    assert np.isfinite(curve.slope(x, order=2)).all()
    assert np.isfinite(curve.slope(x, order=3)).all()


@every_curve
@both_dtypes
def test_both_zeros_are_the_same_point(curve: Curve, dtype: Any) -> None:
    x = curve.inside(np.array([0.0, -0.0], dtype))
    if x.size:
        plus, minus = curve.slope(x)
        assert plus == minus
        plus, minus = curve.slope(x, order=2)
        assert plus == minus


TIED = [name for name in ("maximum", "minimum", "fmax", "fmin") if name in OPS]
REDUCED = ["max", "min", "maxout"]


@pytest.mark.parametrize("name", TIED)
@both_dtypes
def test_what_two_equal_numbers_get_is_a_share(name: str, dtype: Any) -> None:
    """Whatever the number: the weights are not negative and sum to 1, and the zeros of either sign are equal."""
    ties = [(z, z) for z in (0.0, 1.5, -3.0, np.inf, -np.inf, 1e-30)] + [(0.0, -0.0), (-0.0, 0.0)]
    a, b = (ta.Tensor(np.array(column, dtype)) for column in zip(*ties, strict=True))
    OPS[name](a, b).backward(np.ones(len(ties)))
    for weights in (a.grad, b.grad):
        assert weights.dtype == dtype
        assert (weights >= 0).all()
    np.testing.assert_array_equal(a.grad + b.grad, 1)


@pytest.mark.parametrize("name", TIED)
def test_a_number_that_many_are_tied_with_gets_their_sum(name: str) -> None:
    a, b = ta.Tensor(2.0), ta.Tensor(np.full(3, 2.0))
    OPS[name](a, b).sum().backward()
    assert a.grad + b.grad.sum() == 3


@pytest.mark.parametrize("name", REDUCED)
@both_dtypes
@pytest.mark.parametrize("winners", range(1, 6))
def test_what_equal_winners_get_are_shares(name: str, dtype: Any, winners: int) -> None:
    for top in (0.0, -0.0, 2.0, np.inf):
        sign = -1 if name == "min" else 1
        row = np.array([top] * winners + [top - 1 if np.isfinite(top) else 5.0] * 2, dtype) * dtype(sign)
        row[0] = -row[0] if top == 0 else row[0]
        x = ta.Tensor(row[np.newaxis])
        OPS[name](x, axis=1).sum().backward()
        assert (x.grad >= 0).all()
        assert not x.grad[0, winners:].any()
        np.testing.assert_allclose(x.grad.sum(), 1, rtol=1e-6)


def same_shape(sample: Sample) -> list[int]:
    """Inputs that can be one and the same array, or none."""
    floats = [i for i, x in enumerate(sample.inputs) if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
    has_rule = [i for i in floats if sample.op.variadic or isinstance(sample.op, Elementwise) or sample.op.rules[i]]
    for i, j in itertools.combinations(has_rule, 2):
        if sample.inputs[i].shape == sample.inputs[j].shape:
            return [k for k in has_rule if sample.inputs[k].shape == sample.inputs[i].shape]
    return []


def diagonals() -> Iterator[tuple[Sample, list[int]]]:
    """Every op of several inputs, with those that are to be one x."""
    for sample in SAMPLES:
        if places := same_shape(sample):
            yield sample, places
    x = np.array([0.3, -1.2, 2.0])
    yield Sample(OPS["clip"], (x, x, x)), [0, 1, 2]
    yield Sample(OPS["where"], (x > 0, x, x)), [1, 2]
    yield Sample(OPS["remainder"], (x, x)), [0, 1]
    yield Sample(OPS["floor_divide"], (x, x)), [0, 1]
    yield Sample(OPS["divide"], (x, x)), [0, 1]
    yield Sample(OPS["power"], (np.abs(x), np.abs(x))), [0, 1]


@pytest.mark.parametrize(("sample", "places"), list(diagonals()), ids=str)
def test_the_derivative_of_f_of_x_and_x_is_the_total_one(sample: Sample, places: list[int]) -> None:
    """That of x -> f(x, x), by differences; where the two are tied as well."""
    x = np.abs(sample.inputs[places[0]]) if sample.op.name in ("power", "bce_with_logits") else sample.inputs[places[0]]

    def f(t: Any) -> Any:
        return sample.op(*(t if i in places else given for i, given in enumerate(sample.inputs)))

    weights = np.random.default_rng(3).uniform(0.5, 1.5, np.shape(f(x)))
    t = ta.Tensor(x)
    (f(t) * weights).sum().backward()
    numeric = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[index] = 1e-6
        numeric[index] = np.sum((f(x + step) - f(x - step)) * weights) / 2e-6
    np.testing.assert_allclose(t.grad, numeric, rtol=1e-6, atol=1e-7)
