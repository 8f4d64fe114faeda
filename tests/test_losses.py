"""Losses: their values and gradients by hand, at the extremes, for wrong targets, and beside PyTorch's."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act import Tensor, cross_entropy, losses

inf = math.inf
LOSSES = [ta.mse, ta.l1, ta.huber, ta.hinge, ta.bce_with_logits]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda f: getattr(f, "name", None) or f.__name__)
every_reduction = pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def with_gradient(loss: Callable[..., Any], z: Any, *args: Any, **kwargs: Any) -> tuple[np.ndarray, np.ndarray]:
    """The value, and the gradient of the sum of the value."""
    z = Tensor(z)
    value = loss(z, *args, **kwargs)
    value.backward(np.ones(value.shape))
    return value.data, z.grad


def naive_softmax(z: np.ndarray) -> np.ndarray:
    return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)


@every_reduction
@pytest.mark.parametrize("lead", [(), (5,), (2, 3)], ids=str)
def test_cross_entropy_is_minus_the_log_of_the_softmax_at_the_label(
    rng: np.random.Generator, lead: tuple[int, ...], reduction: Any
) -> None:
    z, labels = rng.normal(size=(*lead, 4)), rng.integers(0, 4, lead)
    chosen = np.take_along_axis(naive_softmax(z), np.expand_dims(labels, -1), axis=-1)[..., 0]
    expected = {"none": -np.log(chosen), "sum": -np.log(chosen).sum(), "mean": -np.log(chosen).mean()}[reduction]
    np.testing.assert_allclose(cross_entropy(z, labels, reduction=reduction), expected, rtol=1e-13)


@every_reduction
@pytest.mark.parametrize("lead", [(), (5,), (2, 3)], ids=str)
def test_class_indices_mean_one_hot_distributions(
    rng: np.random.Generator, lead: tuple[int, ...], reduction: Any
) -> None:
    z, labels = rng.normal(size=(*lead, 4)), rng.integers(0, 4, lead)
    by_index = with_gradient(cross_entropy, z, labels, reduction=reduction)
    by_distribution = with_gradient(cross_entropy, z, np.eye(4)[labels], reduction=reduction)
    for one, other in zip(by_index, by_distribution, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-16)


def test_a_loss_hands_its_exponentials_to_its_rule(rng: np.random.Generator, monkeypatch: Any) -> None:
    """They are computed once for each call, and again only where an op is by itself."""
    found, plain = [], losses.gap_below_top
    monkeypatch.setattr(losses, "gap_below_top", lambda *args: (found.append(args), plain(*args))[1])
    z = Tensor(rng.normal(size=(3, 4)))
    for calls in (1, 2):
        cross_entropy(z, LABELS).backward()
        assert len(found) == calls
    assert losses.SoftmaxResidual()(z.data, LABELS).shape == (3, 4)
    assert len(found) == 3


def test_calls_of_a_loss_are_equal_and_say_only_their_parameters(rng: np.random.Generator) -> None:
    """Though each keeps what its rule is to have."""
    z = Tensor(rng.normal(size=(3, 4)))
    one, other = cross_entropy(z, LABELS).op, cross_entropy(2 * z, LABELS).op
    assert one == other == ta.CrossEntropy()
    assert hash(one) == hash(other)
    assert repr(one) == "CrossEntropy(reduction='mean', axis=-1)"
    assert losses.SoftmaxResidual(0, [1]) == losses.SoftmaxResidual(0)
    assert repr(losses.SoftmaxResidual(0, [1])) == "SoftmaxResidual(axis=0)"


@every_reduction
@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
@pytest.mark.parametrize("hot", [False, True], ids=["indices", "distributions"])
def test_the_class_axis_may_be_any(rng: np.random.Generator, axis: int, hot: bool, reduction: Any) -> None:
    z, labels = rng.normal(size=(2, 3, 4)), rng.integers(0, 4, (2, 3))
    y = rng.dirichlet(np.ones(4), (2, 3)) if hot else labels
    value, gradient = with_gradient(cross_entropy, z, y, reduction=reduction)
    moved = np.moveaxis(y, -1, axis) if hot else y
    other, other_gradient = with_gradient(
        cross_entropy, np.moveaxis(z, -1, axis), moved, reduction=reduction, axis=axis
    )
    np.testing.assert_allclose(other, value, rtol=1e-14)
    np.testing.assert_allclose(np.moveaxis(other_gradient, axis, -1), gradient, rtol=1e-14)


@pytest.mark.parametrize("total", [1.0, 0.25, 3.0, 0.0])
def test_gradient_is_softmax_minus_y_times_what_y_sums_to(rng: np.random.Generator, total: float) -> None:
    z = rng.normal(size=(6, 4))
    y = total * rng.dirichlet(np.ones(4), 6)
    for reduction, share in (("mean", 1 / 6), ("sum", 1.0), ("none", 1.0)):
        _, gradient = with_gradient(cross_entropy, z, y, reduction=reduction)
        np.testing.assert_allclose(gradient, share * (total * naive_softmax(z) - y), rtol=1e-12, atol=1e-16)


def test_gradient_at_a_label_is_softmax_minus_one(
    rng: np.random.Generator,
) -> None:
    z, labels = rng.normal(size=(6, 4)), rng.integers(0, 4, 6)
    _, gradient = with_gradient(cross_entropy, z, labels)
    np.testing.assert_allclose(gradient, (naive_softmax(z) - np.eye(4)[labels]) / 6, rtol=1e-12)


@both_dtypes
@pytest.mark.parametrize(("gap", "loss"), [(20.0, "4.12e-09"), (50.0, "3.86e-22")])
def test_a_tiny_loss_keeps_its_digits(gap: float, loss: str, dtype: Any) -> None:
    a, rtol = math.exp(-gap), 4 * np.finfo(dtype).eps
    z = np.array([gap, 0.0, 0.0], dtype)
    value, gradient = with_gradient(cross_entropy, z, np.array(0))
    assert value.dtype == gradient.dtype == dtype
    np.testing.assert_allclose(value, math.log1p(2 * a), rtol=rtol)
    np.testing.assert_allclose(cross_entropy(z, np.eye(3, dtype=dtype)[0]), value, rtol=rtol)
    np.testing.assert_allclose(gradient, np.array([-2 * a, a, a]) / (1 + 2 * a), rtol=rtol)
    assert f"{value:.2e}" == loss


@both_dtypes
@pytest.mark.parametrize(
    ("z", "label", "loss", "gradient"),
    [
        ([1e30, -1e30], 0, 0.0, [0.0, 0.0]),
        ([1e30, -1e30], 1, 2e30, [1.0, -1.0]),
        ([0.0, -inf], 0, 0.0, [0.0, 0.0]),
        ([0.0, -inf], 1, inf, [1.0, -1.0]),
        ([0.0, 0.0, -inf], 0, math.log(2), [-0.5, 0.5, 0.0]),
        ([-inf, -inf], 0, math.log(2), [-0.5, 0.5]),
        ([inf, 0.0], 0, 0.0, [0.0, 0.0]),
        ([inf, inf, 0.0], 1, math.log(2), [0.5, -0.5, 0.0]),
        ([inf, -inf], 0, 0.0, [0.0, 0.0]),
        ([inf, 0.0], 1, inf, [1.0, -1.0]),
    ],
    ids=str,
)
@pytest.mark.parametrize("hot", [False, True], ids=["index", "distribution"])
def test_extreme_logits_have_their_limits_in_silence(
    z: list[float], label: int, loss: float, gradient: list[float], hot: bool, dtype: Any
) -> None:
    y = np.eye(len(z), dtype=dtype)[label] if hot else np.array(label)
    value, found = with_gradient(cross_entropy, np.array(z, dtype), y)
    np.testing.assert_allclose(value, loss, rtol=1e-6)
    np.testing.assert_allclose(found, gradient, rtol=1e-6)


def test_the_widest_gap_is_no_overflow_where_the_loss_is_0() -> None:
    value, gradient = with_gradient(cross_entropy, np.array([1e308, -1e308]), np.array(0))
    assert value == 0
    np.testing.assert_array_equal(gradient, [0.0, 0.0])


@every_reduction
@both_dtypes
@pytest.mark.parametrize("y", [np.ones(8, int), np.full((8, 2), [0.75, 0.25])], ids=["indices", "distributions"])
@pytest.mark.parametrize("row", [[0.0, -inf], [inf, 0.0]], ids=str)
def test_a_batch_of_infinite_losses_is_infinite_in_silence(
    row: list[float], y: np.ndarray, dtype: Any, reduction: Any
) -> None:
    assert np.isposinf(cross_entropy(np.full((8, 2), row, dtype), y, reduction=reduction)).all()


def test_nan_stays_in_its_row() -> None:
    value, gradient = with_gradient(cross_entropy, [[np.nan, 0.0], [0.0, 0.0]], np.array([0, 1]), reduction="none")
    np.testing.assert_array_equal(value, [np.nan, math.log(2)])
    np.testing.assert_array_equal(gradient, [[np.nan, np.nan], [0.5, -0.5]])


@pytest.mark.parametrize(("reduction", "expected"), [("mean", np.nan), ("sum", 0.0), ("none", np.zeros(0))])
@pytest.mark.parametrize("y", [np.zeros(0, int), np.zeros((0, 3))], ids=["indices", "distributions"])
def test_cross_entropy_of_no_rows_is_silent(y: np.ndarray, reduction: Any, expected: Any) -> None:
    value, gradient = with_gradient(cross_entropy, np.zeros((0, 3)), y, reduction=reduction)
    np.testing.assert_array_equal(value, expected)
    assert gradient.shape == (0, 3)


@every_loss
def test_the_mean_of_no_losses_is_nan_in_silence(loss: Any) -> None:
    value, gradient = with_gradient(loss, np.zeros((0, 3)), np.zeros((0, 3)))
    assert np.isnan(value)
    assert gradient.shape == (0, 3)


@pytest.mark.parametrize("wrap", [np.asarray, Tensor], ids=["array", "Tensor"])
@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (np.array([0, -1]), ValueError, r"a class index in y lies outside 0 ... 2, the classes of z"),
        (np.array([3, 0]), ValueError, r"a class index in y lies outside 0 ... 2, the classes of z"),
        (np.array([0.0, 1.0]), TypeError, r"must hold class indices, which are integers, not float64"),
        (np.array([True, False]), TypeError, r"must hold class indices, which are integers, not bool"),
        (np.array([0, 1, 2]), ValueError, r"y has shape \(3,\), but takes \(2,\) as class indices or \(2, 3\) as"),
        (np.zeros((2, 4)), ValueError, r"y has shape \(2, 4\), but takes \(2,\) as class indices or \(2, 3\) as"),
        (np.array([[0], [1]]), ValueError, r"y has shape \(2, 1\), but takes \(2,\) as class indices"),
    ],
    ids=str,
)
def test_wrong_targets_are_told_what_is_wrong(wrap: Any, y: np.ndarray, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        cross_entropy(wrap(np.zeros((2, 3))), y)


@pytest.mark.parametrize("wrap", [np.asarray, Tensor], ids=["array", "Tensor"])
def test_targets_may_be_lists_or_one_number(wrap: Any) -> None:
    assert float(cross_entropy(wrap([[0.0, 0.0]]), [1])) == pytest.approx(math.log(2))
    assert float(cross_entropy(wrap([0.0, 0.0]), 1)) == pytest.approx(math.log(2))


PROBABILITIES = naive_softmax(np.random.default_rng(11).normal(size=(3, 4)))
LABELS = np.array([0, 3, 1])


@pytest.mark.parametrize(
    "call",
    [
        lambda p: cross_entropy(p, LABELS),
        lambda p: cross_entropy(Tensor(p), LABELS),
        lambda p: cross_entropy(p.astype(np.float32), LABELS),
        lambda p: cross_entropy(p[0], LABELS[0]),
        lambda p: cross_entropy(p, p, reduction="none"),
        lambda p: cross_entropy(p.T, LABELS, axis=0),
        lambda p: cross_entropy(p.T, LABELS, "mean", 0),
        lambda p: cross_entropy(z=p, y=LABELS),
        lambda p: ta.CrossEntropy(axis=0)(p.T, LABELS),
        lambda p: cross_entropy(np.array([[0.25, 0.75], [0.5, 0.5]]), LABELS[1:] % 2),
    ],
    ids=["array", "Tensor", "float32", "row", "distributions", "axis", "axis by position", "keywords", "op", "two"],
)
def test_probabilities_in_place_of_logits_are_noticed_at_the_line_that_gave_them(call: Any) -> None:
    with pytest.warns(UserWarning, match="cross_entropy takes logits") as record:
        call(PROBABILITIES)
    assert [w.filename for w in record] == [__file__]


@pytest.mark.parametrize(
    "z",
    [np.log(PROBABILITIES), 2 * PROBABILITIES, PROBABILITIES - 0.25, PROBABILITIES * [[1], [1], [2]], np.ones((3, 1))],
    ids=["logarithms", "other sums", "negative", "one row of another sum", "one class"],
)
def test_logits_are_taken_without_a_word(z: np.ndarray) -> None:
    cross_entropy(z, LABELS % z.shape[1])


def test_the_warning_comes_once_a_line() -> None:
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("default")
        for _ in range(3):
            cross_entropy(PROBABILITIES, LABELS)
        cross_entropy(PROBABILITIES, LABELS)
    assert len(record) == 2


@pytest.mark.parametrize(
    ("loss", "z", "target", "losses", "gradient"),
    [
        (ta.mse, [1.0, 3.0, -2.0], [1.0, 1.0, 1.0], [0.0, 4.0, 9.0], [0.0, 4.0, -6.0]),
        (ta.l1, [1.0, 3.0, -2.0], [1.0, 1.0, 1.0], [0.0, 2.0, 3.0], [0.0, 1.0, -1.0]),
        (ta.huber, [0.5, -0.5, 1.0, -3.0], [0.0, 0.0, 0.0, 0.0], [0.125, 0.125, 0.5, 2.5], [0.5, -0.5, 1.0, -1.0]),
        (ta.hinge, [2.0, -0.5, 0.5, -3.0], [1.0, 1.0, -1.0, -1.0], [0.0, 1.5, 1.5, 0.0], [0.0, -1.0, 1.0, 0.0]),
        (ta.hinge, [1.0, -1.0], [1.0, -1.0], [0.0, 0.0], [-0.5, 0.5]),
        (ta.bce_with_logits, [0.0, 0.0, 0.0], [0.0, 1.0, 0.5], [math.log(2)] * 3, [0.5, -0.5, 0.0]),
        (
            ta.bce_with_logits,
            [math.log(3), -math.log(3)],
            [1.0, 0.25],
            [math.log(4 / 3), math.log(4) - 0.75 * math.log(3)],
            [-0.25, 0.0],
        ),
    ],
    ids=lambda v: getattr(v, "name", None) or getattr(v, "__name__", ""),
)
def test_values_and_gradients_are_as_worked_out_by_hand(
    loss: Any, z: list[float], target: list[float], losses: list[float], gradient: list[float]
) -> None:
    n = len(z)
    for reduction, value, share in (("none", losses, 1), ("sum", sum(losses), 1), ("mean", sum(losses) / n, 1 / n)):
        found, slope = with_gradient(loss, z, np.array(target), reduction=reduction)
        np.testing.assert_allclose(found, value, rtol=1e-14)
        np.testing.assert_allclose(slope, share * np.array(gradient), rtol=1e-14, atol=1e-16)


def test_delta_and_margin_move_the_corner() -> None:
    value, gradient = with_gradient(ta.huber, [1.0, -5.0], np.zeros(2), delta=2.0, reduction="none")
    np.testing.assert_array_equal(value, [0.5, 8.0])
    np.testing.assert_array_equal(gradient, [1.0, -2.0])
    value, gradient = with_gradient(ta.hinge, [1.0, -4.0], np.array([1.0, -1.0]), margin=3.0, reduction="none")
    np.testing.assert_array_equal(value, [2.0, 0.0])
    np.testing.assert_array_equal(gradient, [-1.0, 0.0])


@every_loss
@both_dtypes
def test_the_dtype_is_the_predictions(loss: Any, dtype: Any) -> None:
    value, gradient = with_gradient(loss, np.array([0.5, -2.0], dtype), np.array([1.0, 1.0], dtype))
    assert value.dtype == gradient.dtype == dtype


@every_loss
@pytest.mark.parametrize("shapes", [((3, 1), (3,)), ((3,), ()), ((2, 3), (3,))], ids=str)
def test_shapes_that_would_broadcast_are_refused(loss: Any, shapes: Any) -> None:
    with pytest.raises(ValueError, match="shape"):
        loss(Tensor(np.zeros(shapes[0])), np.zeros(shapes[1]))


@pytest.mark.parametrize("loss", [*LOSSES, cross_entropy], ids=lambda f: getattr(f, "name", None) or f.__name__)
def test_an_unknown_reduction_is_refused(loss: Any) -> None:
    with pytest.raises(ValueError, match="reduction is 'mean', 'sum' or 'none', not 'average'"):
        loss(Tensor(np.zeros((2, 2))), np.zeros((2, 2)), reduction="average")


@both_dtypes
def test_binary_cross_entropy_is_exact_far_out(dtype: Any) -> None:
    z, y = np.array([1000, 1000, -1000, -1000, 1000, -1000], dtype), np.array([1, 0, 1, 0, 0.5, 0.25], dtype)
    value, gradient = with_gradient(ta.bce_with_logits, z, y, reduction="none")
    np.testing.assert_array_equal(value, [0, 1000, 1000, 0, 500, 250])
    np.testing.assert_array_equal(gradient, [0, 1, -1, 0, 0.5, -0.25])
    value, gradient = with_gradient(ta.bce_with_logits, np.array([50, -50], dtype), np.array([1, 0], dtype), "none")
    np.testing.assert_allclose(value, math.exp(-50), rtol=1e-6)
    np.testing.assert_allclose(gradient, [-math.exp(-50), math.exp(-50)], rtol=1e-6)


def test_binary_cross_entropy_has_its_limits_at_infinity() -> None:
    z, y = np.array([inf, inf, -inf, -inf]), np.array([1.0, 0.0, 1.0, 0.0])
    value, gradient = with_gradient(ta.bce_with_logits, z, y, reduction="none")
    np.testing.assert_array_equal(value, [0, inf, inf, 0])
    np.testing.assert_array_equal(gradient, [0, 1, -1, 0])


@pytest.mark.parametrize("loss", [*LOSSES, cross_entropy], ids=lambda f: getattr(f, "name", None) or f.__name__)
def test_integers_count_as_floats(loss: Any) -> None:
    z, y = np.array([[0, 2], [-1, 3]]), np.array([[0, 1], [1, 1]])
    np.testing.assert_allclose(loss(z, y), loss(z.astype(float), y.astype(float)), rtol=1e-14)


def functional() -> Any:
    torch = pytest.importorskip("torch", reason="parity with PyTorch needs the extra tinygrad_act[parity]")
    return torch, torch.nn.functional


def assert_like_torch(ours: Any, theirs: Any, z: np.ndarray, y: np.ndarray, reduction: Any) -> None:
    torch, _ = functional()
    value, gradient = with_gradient(ours, z, y, reduction=reduction)
    leaf = torch.tensor(z, requires_grad=True)
    expected = theirs(leaf, torch.tensor(y), reduction=reduction)
    expected.sum().backward()
    np.testing.assert_allclose(value, expected.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(gradient, leaf.grad.numpy(), rtol=1e-12, atol=1e-16)


@every_reduction
@pytest.mark.parametrize("shape", [(7, 4), (3, 4, 5)], ids=str)
@pytest.mark.parametrize("hot", [False, True], ids=["indices", "distributions"])
def test_cross_entropy_is_pytorchs(rng: np.random.Generator, shape: tuple[int, ...], hot: bool, reduction: Any) -> None:
    z, rows = rng.normal(size=shape), (shape[0], *shape[2:])
    y = np.moveaxis(rng.dirichlet(np.ones(4), rows), -1, 1) if hot else rng.integers(0, 4, rows)

    def ours(z: Any, y: Any, reduction: Any) -> Any:
        return cross_entropy(z, y, reduction=reduction, axis=1)

    assert_like_torch(ours, functional()[1].cross_entropy, z, y, reduction)


@every_reduction
@pytest.mark.parametrize(
    ("loss", "name", "settings"),
    [
        (ta.mse, "mse_loss", {}),
        (ta.l1, "l1_loss", {}),
        (ta.huber, "huber_loss", {}),
        (ta.huber, "huber_loss", {"delta": 0.3}),
        (ta.hinge, "margin_ranking_loss", {"margin": 1.0}),
        (ta.hinge, "margin_ranking_loss", {"margin": 0.2}),
        (ta.bce_with_logits, "binary_cross_entropy_with_logits", {}),
    ],
)
def test_the_other_losses_are_pytorchs(
    rng: np.random.Generator, loss: Any, name: str, settings: dict[str, float], reduction: Any
) -> None:
    _, F = functional()
    z, y = rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    if loss is ta.hinge:
        y = np.sign(y)
    if loss is ta.bce_with_logits:
        y = rng.uniform(size=(5, 4))

    def theirs(z: Any, y: Any, reduction: Any) -> Any:
        pair = (z, 0 * z.detach(), y) if name == "margin_ranking_loss" else (z, y)
        return getattr(F, name)(*pair, reduction=reduction, **settings)

    def ours(z: Any, y: Any, reduction: Any) -> Any:
        return loss(z, y, reduction=reduction, **settings)

    assert_like_torch(ours, theirs, z, y, reduction)


def test_the_largest_logits_are_told_apart() -> None:
    z = Tensor([1e308, 6e307])
    np.testing.assert_array_equal(ta.softmax(z).data, [1.0, 0.0])
    loss = cross_entropy(z, 1)
    loss.backward()
    np.testing.assert_allclose(loss.item(), 4e307, rtol=1e-15)
    np.testing.assert_array_equal(z.grad, [1.0, -1.0])
    np.testing.assert_allclose(ta.bce_with_logits(np.array([1e308]), np.array([0.0])), 1e308)


def test_a_certain_prediction_of_a_distribution_keeps_its_gradient() -> None:
    """As class indices do: a - y would cancel to 0."""
    one_hot, index = Tensor([50.0, 0.0, 0.0]), Tensor([50.0, 0.0, 0.0])
    cross_entropy(one_hot, np.array([1.0, 0.0, 0.0])).backward()
    cross_entropy(index, 0).backward()
    np.testing.assert_allclose(one_hot.grad, index.grad, rtol=1e-15)
    assert one_hot.grad[0] < 0


@pytest.mark.parametrize(
    ("loss", "curvature"),
    [
        (lambda z: ta.bce_with_logits(z, np.array([1.0])), 0.25),
        (lambda z: ta.huber(z, np.array([0.0])), 1.0),
        (lambda z: ta.mse(z, np.array([0.0])), 2.0),
        (lambda z: cross_entropy(np.stack([z, -z], axis=-1), np.array([0])), 1.0),
    ],
    ids=["bce_with_logits", "huber", "mse", "cross_entropy"],
)
def test_the_curvature_at_zero_is_that_of_the_loss(loss: Callable[[Tensor], Tensor], curvature: float) -> None:
    """Where a rule that takes |z| would have a slope of 0."""
    z = Tensor([0.0])
    np.testing.assert_allclose(ta.gradients(ta.gradients(loss(z), z).sum(), z).data, [curvature], rtol=1e-15)
