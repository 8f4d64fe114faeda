"""Elementary ops at the points where formulas have holes."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act import Tensor
from tinygrad_act.op import OPS


@pytest.mark.parametrize(
    ("exponent", "first", "second"),
    [(0, 0.0, 0.0), (1, 1.0, 0.0), (2, 0.0, 2.0), (3.0, 0.0, 0.0), (np.array([2.0]), 0.0, 2.0)],
)
def test_powers_of_zero_have_the_derivatives_of_the_monomial(exponent: Any, first: float, second: float) -> None:
    x = Tensor([0.0])
    slope = ta.gradients(x**exponent, x, [1.0])
    assert slope.data == first
    assert ta.gradients(slope, x, [1.0]).data == second


def test_zero_to_a_positive_power_is_flat_in_the_power() -> None:
    b = Tensor([0.5, 2.0])
    (np.zeros(2) ** b).sum().backward()
    np.testing.assert_array_equal(b.grad, [0.0, 0.0])


@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (0.0, 0.0), (1.0, -1.0)])
def test_clip_hands_the_whole_gradient_to_one_of_its_three_inputs(low: float, high: float) -> None:
    x, a, b = Tensor(np.linspace(-2, 2, 9)), Tensor(low), Tensor(high)
    y = np.clip(x, a, b)
    np.testing.assert_array_equal(y.data, np.clip(x.data, low, high))
    each = [ta.gradients(y[i], [x, a, b]) for i in range(9)]
    for i, (dx, da, db) in enumerate(each):
        shares = [dx.data[i], da.item(), db.item()]
        assert sorted(shares) == [0.0, 0.0, 1.0]
        assert shares[int(np.argmax(shares))] == 1.0
        owner = [x.data[i], low, high][int(np.argmax(shares))]
        assert owner == y.data[i]


def test_a_constant_row_has_standard_deviation_0_and_gradient_0() -> None:
    x = Tensor([2.0, 2.0, 2.0])
    x.std().backward()
    np.testing.assert_array_equal(x.grad, [0.0, 0.0, 0.0])


def test_the_norm_of_the_origin_has_gradient_0() -> None:
    x = Tensor([[0.0, 0.0], [3.0, 4.0]])
    np.linalg.norm(x, axis=1).sum().backward()
    np.testing.assert_array_equal(x.grad, [[0.0, 0.0], [0.6, 0.8]])


@pytest.mark.parametrize("p", [0.5, 1.5, 3.0, -1.0, -2.5])
def test_a_norm_of_a_vector_with_zeros_has_finite_slopes(p: float) -> None:
    """If p is negative, one 0 makes it 0, whatever the others are. NumPy warns of the power of 0 then, and so do we."""
    x = np.array([0.0, 2.0, -3.0])
    powers = np.array([1.0, 1.0]) if p < 0 else np.abs(x[1:]) ** (p - 1) * np.sign(x[1:])
    slopes = 0 * powers if p < 0 else powers * np.sum(np.abs(x) ** p) ** (1 / p - 1)
    t = Tensor(x)
    if p < 0:
        with pytest.warns(RuntimeWarning, match="divide by zero"):
            y = np.linalg.norm(t, p)
    else:
        y = np.linalg.norm(t, p)
    y.backward()
    np.testing.assert_allclose(t.grad, [0.0, *slopes], rtol=1e-14)


@pytest.mark.parametrize("x", [[0.0, 0.0], [0.0, 3.0], [2.0, 3.0], [5.0], [0.0, 0.0, 4.0]])
def test_a_product_differentiates_through_zeros(x: list[float]) -> None:
    t = Tensor(x)
    slope = ta.gradients(t.prod(), t)
    others = [np.prod(x[:i] + x[i + 1 :]) for i in range(len(x))]
    np.testing.assert_array_equal(slope.data, others)
    if len(x) == 2:
        assert ta.gradients(slope[0], t).data.tolist() == [0.0, 1.0]


def test_where_keeps_what_it_does_not_choose_out_of_the_gradient() -> None:
    x = Tensor([0.0, 4.0])
    safe = np.where(x > 0, x, 1.0)
    np.where(x > 0, np.sqrt(safe), 0.0).sum().backward()
    np.testing.assert_array_equal(x.grad, [0.0, 0.25])


@pytest.mark.parametrize("name", ["mean", "var", "std"])
def test_a_mean_of_nothing_is_nan_without_a_warning(name: str) -> None:
    y = getattr(Tensor(np.zeros((0, 2))), name)(axis=0)
    np.testing.assert_array_equal(y.data, [np.nan, np.nan])
    chosen = getattr(np, name)(Tensor(np.ones((3, 2))), axis=0, where=[True, False])
    np.testing.assert_array_equal(np.isnan(chosen.data), [False, True])


def test_the_maximum_of_a_row_with_nan_is_nan_and_blames_it() -> None:
    x = Tensor([1.0, np.nan, 2.0])
    y = x.max()
    y.backward()
    assert np.isnan(y.data)
    np.testing.assert_array_equal(x.grad, [0.0, 1.0, 0.0])


def test_take_along_axis_broadcasts_its_indices() -> None:
    x0 = np.arange(6.0).reshape(2, 3)
    for indices, axis in ((np.array([[0, 1]]), 1), (np.array([[1]]), 0), (np.array([4, 0]), None)):
        y = np.take_along_axis(Tensor(x0), indices, axis=axis)
        np.testing.assert_array_equal(y.data, np.take_along_axis(x0, indices, axis=axis))


@pytest.mark.parametrize(
    "f",
    [
        lambda t: np.take(t, [0], axis=5),
        lambda t: np.flip(t, 5),
        lambda t: np.moveaxis(t, 0, 5),
        lambda t: np.split(t, 1, axis=-3),
        lambda t: np.take_along_axis(t, np.array([[0]]), axis=2),
        lambda t: np.prod(t, axis=2),
        lambda t: t.mean(axis=-3),
    ],
)
def test_an_axis_that_is_not_there_is_refused(f: Any) -> None:
    with pytest.raises(np.exceptions.AxisError):
        f(Tensor(np.ones((2, 3))))


def test_einsum_broadcasts_lengths_of_1_and_undoes_it() -> None:
    a, b = Tensor(np.ones((2, 1))), Tensor(np.arange(12.0).reshape(3, 4))
    y = np.einsum("ij,jk->ik", a, b)
    y.sum().backward()
    np.testing.assert_array_equal(a.grad, np.full((2, 1), 66.0))
    np.testing.assert_array_equal(b.grad, np.full((3, 4), 2.0))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool])
def test_exponents_of_any_whole_type_work(dtype: Any) -> None:
    x = Tensor([20.0, 3.0])
    (x ** np.array([0, 1], dtype)).sum().backward()
    np.testing.assert_array_equal(x.grad, [0.0, 1.0])


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64])
def test_a_whole_base_keeps_the_digits_of_the_exponents_gradient(dtype: Any) -> None:
    """The logarithm of small integers is not taken in float16."""
    b = Tensor([0.5, 3.0])
    (np.array([3, 7], dtype) ** b).sum().backward()
    np.testing.assert_allclose(b.grad, [3**0.5 * np.log(3), 7**3 * np.log(7)], rtol=1e-15)


def test_an_angle_has_a_gradient_in_floats_of_two_sizes() -> None:
    a, b = Tensor(np.float16([1.0, np.inf])), Tensor([2.0, 2.0])
    np.arctan2(a, b).sum().backward()
    np.testing.assert_array_equal(a.grad, np.float16([0.4, 0.0]))
    np.testing.assert_allclose(b.grad, [-0.2, 0.0], atol=1e-300)


@pytest.mark.parametrize("whole", [np.array([True] * 3), np.full(3, 100, np.int8)])
def test_einsum_sums_whole_numbers_as_the_floats_beside_them(whole: np.ndarray) -> None:
    x, a = Tensor([[1.0], [2.0]]), Tensor(1.0)
    y = np.einsum("i,jk,,->j", whole, x, a, 2)
    np.testing.assert_array_equal(y.data, np.einsum("i,jk,,->j", whole, x.data, 1.0, 2))
    (y.sum() / 2).backward()
    assert a.grad == 3.0 * whole.sum(dtype=float)


def test_products_take_lists() -> None:
    t = Tensor([1.0, 2.0])
    assert (
        np.dot(t, [3.0, 4.0]).item() == np.inner([3.0, 4.0], t).item() == np.tensordot([3.0, 4.0], t, 1).item() == 11.0
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_squashing_ops_are_silent_at_the_largest_float(dtype: Any) -> None:
    x = Tensor(np.array([-1, 1], dtype) * np.finfo(dtype).max)
    for op in (ta.tanh, ta.sigmoid, ta.ops.special.erf):
        x.zero_grad()
        op(x).sum().backward()
        np.testing.assert_array_equal(x.grad, [0.0, 0.0])


def test_the_op_of_products_over_axes_starts_as_that_of_matrices() -> None:
    assert OPS["tensordot"](np.ones((2, 3, 4)), np.ones((4, 5))).shape == (2, 3, 5)


def test_only_a_repeated_index_of_einsum_needs_an_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = Tensor(np.ones((2, 3))), np.arange(12.0).reshape(3, 4)
    monkeypatch.setattr(np, "eye", None)
    np.einsum("ij,jk->ik", x, y).sum().backward()
    np.testing.assert_array_equal(x.grad, [[6, 22, 38]] * 2)


def test_a_name_that_is_taken_is_refused() -> None:
    class GELU(ta.Elementwise):
        pass

    with pytest.raises(ValueError, match=r"there is an op 'gelu' already, tinygrad_act\.activations.gates\.GELU"):
        ta.register(GELU())
    assert type(ta.gelu) is not GELU


SILENT = ["hypot", "arctan2", "fmod", "remainder", "floor_divide", "logaddexp", "logaddexp2"]
SILENT += ["add", "subtract", "multiply", "maximum", "minimum", "fmax", "fmin", "copysign"]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", SILENT)
def test_where_the_value_of_two_extremes_is_silent_so_are_its_slopes(name: str, dtype: Any) -> None:
    """And they are not nan, unless one of the two is."""
    info = np.finfo(dtype)
    sizes = [0, info.smallest_subnormal, info.tiny, info.eps, 0.5, 1, 3, float(info.max) / 2, info.max, np.inf]
    points = np.array([*sizes, *(-np.array(sizes, float)), np.nan], dtype)
    op, tried = OPS[name], 0
    for a, b in itertools.product(points, points):
        try:
            op(a, b)
        except RuntimeWarning:
            continue
        x, y = Tensor(a), Tensor(b)
        op(x, y).backward()
        assert x.grad.dtype == y.grad.dtype == dtype
        assert np.isnan([a, b]).any() or not np.isnan([x.grad, y.grad]).any(), (a, b)
        tried += 1
    assert tried > 200


@pytest.mark.parametrize(
    ("f", "a", "b", "slopes"),
    [
        (np.hypot, np.inf, 1.0, [1.0, 0.0]),
        (np.hypot, -3.0, -np.inf, [0.0, -1.0]),
        (np.arctan2, 0.0, 5e-324, [np.inf, -0.0]),
        (np.arctan2, -5e-324, 0.0, [0.0, np.inf]),
        (np.arctan2, np.float32(1.0), -1e300, [0.0, 0.0]),
        (np.fmod, -1.0, 5e-324, [1.0, np.inf]),
        (np.fmod, 7.5, -2.0, [1.0, 3.0]),
        (np.remainder, 1.0, -5e-324, [1.0, np.inf]),
        (np.remainder, -1.0, np.inf, [1.0, 1.0]),
        (np.remainder, np.finfo(float).max, 1.0, [1.0, -np.finfo(float).max]),
        (np.power, 5e-324, 0.0, [0.0, np.log(5e-324)]),
        (np.power, np.inf, -1.0, [0.0, 0.0]),
        (np.logaddexp, np.inf, 1.0, [1.0, 0.0]),
        (np.logaddexp, np.inf, np.inf, [0.5, 0.5]),
        (np.logaddexp, np.float16(60000), np.float16(-60000), [1.0, 0.0]),
    ],
)
def test_slopes_at_extremes_are_their_limits(f: Any, a: Any, b: Any, slopes: list[float]) -> None:
    x, y = Tensor(np.asarray(a)), Tensor(np.asarray(b))
    f(x, y).backward()
    np.testing.assert_allclose([x.grad, y.grad], slopes, rtol=1e-6, atol=1e-307)


def test_an_op_of_many_arrays_takes_its_parameters_by_name() -> None:
    a, b = Tensor([[1.0, 2.0]]), np.array([[3.0, 4.0]])
    assert OPS["concatenate"](a, b, axis=1).shape == (1, 4)
    assert OPS["concatenate"](a, b).shape == (2, 2)


def test_a_deviation_of_one_is_no_corner() -> None:
    x = Tensor([-1.0, 1.0])
    np.std(x).backward()
    np.testing.assert_array_equal(x.grad, [-0.5, 0.5])


def test_equal_elements_keep_their_order_in_a_sorted_row() -> None:
    x, g = Tensor(np.tile([2.0, 1.0], 50)), np.arange(100.0)
    np.sort(x).backward(g)
    np.testing.assert_array_equal(x.grad, np.column_stack([g[50:], g[:50]]).ravel())
    np.testing.assert_array_equal(ta.topk(x, 50)[1], np.arange(0, 100, 2))


def test_the_norm_of_order_0_counts_what_is_not_0_and_that_of_none_is_euclids_as_in_numpy() -> None:
    for f, x in ((np.linalg.norm, [0.0, 1.0, 2.0, 0.0]), (np.linalg.vector_norm, [[0.0, 1.0], [1.0, -2.0]])):
        assert f(Tensor(x), ord=0) == f(x, ord=0)
        assert f(Tensor(x), ord=None).item() == f(x, ord=None)


def test_not_a_number_is_one_element_of_many_that_are_equal() -> None:
    x = Tensor([np.nan, 1.0, np.nan])
    assert [np.unique(x, **how).shape for how in ({}, {"equal_nan": True}, {"equal_nan": False})] == [(2,), (2,), (3,)]


@pytest.mark.parametrize("method", ["reduce", "accumulate"])
def test_what_a_ufunc_makes_of_all_elements_has_the_dtype_that_is_asked_for(method: str) -> None:
    assert getattr(np.fmax, method)(Tensor(np.ones(3)), dtype=np.float32).dtype == np.float32


def test_the_covariance_of_one_observation_is_nan_without_a_warning() -> None:
    np.testing.assert_array_equal(np.cov(Tensor([[1.0], [2.0]])).data, np.full((2, 2), np.nan))


def test_reshape_copies_if_it_is_asked_to() -> None:
    x = Tensor(np.zeros((2, 3)))
    assert [np.shares_memory(np.reshape(x, -1, copy=copy).data, x.data) for copy in (True, None)] == [False, True]


def test_no_correlation_is_above_1_by_rounding() -> None:
    for x in np.random.default_rng(0).normal(size=(50, 5)):
        assert np.abs(np.corrcoef(Tensor(x), [3 * x, -x]).data).max() <= 1


def test_tensors_in_an_index_count_as_what_they_hold() -> None:
    x, i = Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor(np.array([1, 0, 1]), requires_grad=False)
    np.testing.assert_array_equal(x[i].data, [[3, 4], [1, 2], [3, 4]])
    y = x[i, 0]
    np.testing.assert_array_equal(y.data, [3, 1, 3])
    i.data = np.array([0, 0, 0])
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [[1, 0], [2, 0]])


def test_conditions_of_pieces_may_be_rows_of_an_array() -> None:
    x = Tensor([-1.0, 0.5, 2.0])
    pieces = [lambda x: -x, lambda x: x * x]
    for conditions in (np.array([x.data < 0, x.data >= 0]), [x.data < 0, x.data >= 0], x.data < 0):
        y = np.piecewise(x, conditions, pieces)
        np.testing.assert_array_equal(y.data, [1.0, 0.25, 4.0])


def test_the_rank_counts_what_is_above_its_share_of_the_greatest() -> None:
    for rcond, rank in ((0.1, 1), (0.01, 2)):
        *_, found, _ = np.linalg.lstsq(np.diag([10.0, 0.5]), Tensor([1.0, 2.0]), rcond=rcond)
        assert found == rank == np.linalg.lstsq(np.diag([10.0, 0.5]), [1.0, 2.0], rcond=rcond)[2]


def test_what_is_nearest_is_found_in_the_wider_of_two_dtypes() -> None:
    a, x = np.array([[1, 2], [3, 5], [4, -1]], np.float32), np.array([0.1, 0.7])
    found = np.linalg.lstsq(a, Tensor(a @ x), rcond=None)[0]
    np.testing.assert_allclose(found.data, x, rtol=1e-14)


def test_covariances_are_in_double_unless_a_dtype_is_given() -> None:
    x = Tensor(np.float32([[1.0, 2.0, 4.0], [3.0, 0.0, 1.0]]))
    for more in ({}, {"dtype": np.float32}, {"dtype": np.float64}):
        assert np.cov(x, **more).dtype == np.cov(x.data, **more).dtype
    np.testing.assert_allclose(np.cov(x[0], [1.0, 0.0, 2.0]).data, np.cov(x.data[0], [1.0, 0.0, 2.0]))


def test_one_array_may_be_joined() -> None:
    x = Tensor([1.0, 2.0])
    for join in (np.hstack, np.vstack, np.dstack, np.column_stack, np.concatenate, np.stack):
        np.testing.assert_array_equal(join([x]).data, join([x.data]))


def test_tensorsolve_takes_axes_from_the_end() -> None:
    a = Tensor(np.random.default_rng(4).normal(size=(2, 2, 2, 2)))
    found, wanted = (np.linalg.tensorsolve(a, np.eye(2), axes=axes).data for axes in ((-4, 1), (0, 1)))
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.logaddexp], ids=lambda f: f.__name__)
def test_a_running_value_is_in_the_dtype_that_is_asked_for(ufunc: Any) -> None:
    x = Tensor(np.float32([1.0, 0.1, 2.0]))
    for dtype in (None, np.float32, np.float64):
        y = ufunc.accumulate(x, dtype=dtype)
        assert y.dtype == ufunc.accumulate(x.data, dtype=dtype).dtype
        np.testing.assert_allclose(
            y.data, ufunc.accumulate(x.data, dtype=dtype), rtol=1e-7 if dtype != np.float64 else 1e-15
        )


@pytest.mark.parametrize("name", ["return_index", "return_inverse", "return_counts"])
def test_unique_returns_what_is_asked_for_beside_the_elements(name: str) -> None:
    x = Tensor([3.0, 1.0, 3.0])
    (picked, more), (elements, wanted) = np.unique(x, **{name: True}), np.unique(x.data, **{name: True})
    np.testing.assert_array_equal(picked.data, elements)
    np.testing.assert_array_equal(more, wanted)


def test_no_elements_have_axes_too() -> None:
    for f in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
        assert f(Tensor(np.empty(0))).shape == f(np.empty(0)).shape


def test_the_exponent_of_ldexp_may_be_a_list_or_a_tensor() -> None:
    x = Tensor([1.0, 3.0])
    for n in ([1, -2], np.array([1, -2]), Tensor(np.array([1, -2]), requires_grad=False)):
        np.testing.assert_array_equal(np.ldexp(x, n).data, [2.0, 0.75])


def test_a_list_may_be_stacked_beside_a_tensor() -> None:
    assert np.stack([Tensor([1.0, 2.0]), [3.0, 4.0]]).data.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_vectors_of_a_cross_product_lie_along_the_last_axis() -> None:
    a, b = np.random.default_rng(6).normal(size=(2, 2, 3, 3))
    np.testing.assert_allclose(np.cross(Tensor(a), b).data, np.cross(a, b), rtol=1e-12)
