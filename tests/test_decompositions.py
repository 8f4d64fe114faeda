"""Factorisations where the derivative of vectors does not exist, and what NumPy's results are made of."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta


def test_results_are_numpys_named_tuples() -> None:
    a = np.array([[2.0, 1.0], [1.0, 3.0]])
    for f in (np.linalg.eigh, np.linalg.qr, np.linalg.svd, np.linalg.slogdet):
        assert type(f(ta.Tensor(a))) is type(f(a))


rng = np.random.default_rng(5)
TURN = np.linalg.qr(rng.normal(size=(3, 3)))[0]
WEIGHTS = rng.normal(size=(3, 3)) + 2
EQUAL = {  # equal to the last bit, or but for rounding
    "equal": np.eye(3),
    "two": np.diag([1.0, 1.0, 2.0]),
    "none": np.zeros((3, 3)),
    "negative": (TURN * [-0.5, -0.5, -0.25]) @ TURN.T,
    "turned": (TURN * [1.0, 1.0, 3.0]) @ TURN.T,
    "float32": ((TURN * [1.0, 1.0, 3.0]) @ TURN.T).astype(np.float32),
}
both_sides = pytest.mark.parametrize("a", EQUAL.values(), ids=EQUAL)


def rebuilt(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function of symmetric matrices, by their eigenvalues."""

    def of_matrix(a: Any) -> Any:
        w, v = np.linalg.eigh(a)
        return (v * f(w)) @ v.T

    return of_matrix


def polar(a: Any) -> Any:
    u, _, vh = np.linalg.svd(a)
    return u @ vh


OF_VALUES: list[tuple[Callable[..., Any], Callable[..., Any]]] = [
    (lambda t: np.square(np.linalg.eigh(t).eigenvalues).sum(), lambda a: 2 * a),
    (lambda t: np.square(np.linalg.eigvalsh(t) - 1).sum(), lambda a: 2 * (a - np.eye(3))),
    (lambda t: np.exp(np.linalg.eigvalsh(t)).sum(), rebuilt(np.exp)),
    (lambda t: np.square(np.linalg.svd(t).S).sum(), lambda a: 2 * a),
    (lambda t: np.square(np.linalg.svdvals(t)).sum(), lambda a: 2 * a),
]


@both_sides
@pytest.mark.parametrize("case", range(len(OF_VALUES)))
def test_what_is_made_of_equal_values_alone_has_its_gradient(case: int, a: np.ndarray) -> None:
    f, slope = OF_VALUES[case]
    t = ta.Tensor(a)
    f(t).backward()
    to = 1e-13 if a.dtype == np.float64 else 1e-5
    np.testing.assert_allclose((t.grad + t.grad.T) / 2, slope(a), rtol=to, atol=to)
    assert t.grad.dtype == a.dtype
    (value,), (slope_along,) = ta.jvp(lambda t: (f(t),), (a,), (WEIGHTS.astype(a.dtype) @ WEIGHTS.T.astype(a.dtype),))
    np.testing.assert_allclose(value, f(a), rtol=to)
    np.testing.assert_allclose(slope_along, np.sum(slope(a) * (WEIGHTS @ WEIGHTS.T)), rtol=to, atol=to)


@both_sides
@pytest.mark.parametrize(
    "f", [rebuilt(np.exp), rebuilt(np.cos), rebuilt(np.log1p), rebuilt(lambda w: w - 1), rebuilt(lambda w: w), polar]
)
def test_what_is_made_of_vectors_of_equal_values_has_a_gradient_of_nan(f: Callable[..., Any], a: np.ndarray) -> None:
    """Forward and backward: some of these are smooth, but their slopes cannot be known from the vectors at hand."""
    t = ta.Tensor(a)
    (f(t) * WEIGHTS).sum().backward()
    assert np.isnan(t.grad).any()
    assert np.isnan(ta.jvp(f, a, WEIGHTS.astype(a.dtype))[1]).any()


def test_the_logarithm_of_the_identity_is_not_told_a_gradient_of_its_diagonal_alone() -> None:
    """Its vectors are multiplied by ln 1, so that nothing comes back to them; as U and V by singular values of 0."""
    t = ta.Tensor(np.eye(3))
    rebuilt(np.log)(t).sum().backward()
    assert np.isnan(t.grad).any()
    for shape in ((3, 2), (2, 3)):
        t = ta.Tensor(np.diag([1.0, 0.0, 0.0])[: shape[0], : shape[1]])
        u, s, vh = np.linalg.svd(t, full_matrices=False)
        ((u * s) @ vh * (WEIGHTS[: shape[0], : shape[1]])).sum().backward()
        assert np.isnan(t.grad).any()


@pytest.mark.parametrize("a", [EQUAL["turned"], np.diag([1.0, 1.0, 3.0])], ids=["turned", "two"])
@pytest.mark.parametrize("function", [np.linalg.eigh, np.linalg.svd])
def test_other_vectors_than_those_of_equal_values_have_their_gradient(function: Callable[..., Any], a: Any) -> None:
    """And so has what is made of them and of their values, but for those that are equal."""
    k = 2 if function is np.linalg.eigh else 0  # the one of the greatest value

    def f(a: Any) -> Any:
        result = function(a)
        v, w = (result.eigenvectors, result.eigenvalues) if k else (result.U, result.S)
        return (np.outer(v[:, k], v[:, k]) * WEIGHTS).sum() * w[k]

    t = ta.Tensor(a)
    f(t).backward()
    for i, j in np.ndindex(3, 3):
        step = np.zeros((3, 3))
        step[i, j] = step[j, i] = 1e-6
        quotient = (f(a + step) - f(a - step)) / 2e-6
        np.testing.assert_allclose((t.grad * (step > 0)).sum(), quotient, rtol=1e-7, atol=1e-8)


@both_sides
@pytest.mark.parametrize("case", range(len(OF_VALUES)))
def test_second_derivatives_at_equal_values_are_nan(case: int, a: np.ndarray) -> None:
    t = ta.Tensor(a)
    slope = ta.gradients(OF_VALUES[case][0](t), t)
    assert np.isfinite(slope.data).all()
    assert np.isnan(ta.gradients((slope * WEIGHTS).sum(), t).data).all()


def test_second_derivatives_are_right_up_to_there() -> None:
    a = np.diag([1.0, 1.0 + 1e-6, 2.0])
    for f in (np.linalg.eigvalsh, np.linalg.svdvals):
        t = ta.Tensor(a)
        slope = ta.gradients(np.square(f(t)).sum(), t)
        second = ta.gradients((slope * (WEIGHTS + WEIGHTS.T)).sum(), t).data
        np.testing.assert_allclose((second + second.T) / 4, WEIGHTS + WEIGHTS.T, rtol=1e-8)


def test_values_that_differ_by_more_than_rounding_are_told_apart() -> None:
    t = ta.Tensor(np.diag([1.0, 1.0 + 1e-12, 2.0]))
    (rebuilt(np.exp)(t) * (WEIGHTS + WEIGHTS.T)).sum().backward()
    slopes = np.array([[1, 1, np.e - 1], [1, 1, np.e - 1], [np.e - 1, np.e - 1, np.e]]) * np.e
    np.testing.assert_allclose((t.grad + t.grad.T) / 2, slopes * (WEIGHTS + WEIGHTS.T), rtol=1e-3)


def test_of_a_stack_only_the_matrix_with_equal_values_has_nan() -> None:
    stack = np.stack([np.diag([1.0, 2.0, 3.0]), np.eye(3)])
    for f in (lambda t: np.linalg.eigh(t).eigenvectors, lambda t: np.linalg.svd(t).U):
        t = ta.Tensor(stack)
        (f(t) * WEIGHTS).sum().backward()
        assert np.isfinite(t.grad[0]).all()
        assert np.isnan(t.grad[1]).any()


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("least", [0.0, 1e-17])
def test_vectors_of_a_singular_value_of_0_are_known_on_the_shorter_side_only(least: float, wide: bool) -> None:
    a = np.array([[2.0, 0.0], [0.0, least], [0.0, 0.0]])
    t = ta.Tensor(a.T if wide else a)
    u, s, vh = np.linalg.svd(t, full_matrices=False)
    longer, shorter = (vh.T, u) if wide else (u, vh.T)
    np.testing.assert_allclose(ta.gradients(np.square(s).sum(), t).data, 2 * t.data, atol=1e-14)
    for column in (0, 1):
        assert np.isfinite(ta.gradients((shorter[:, column] * [1.0, 2.0]).sum(), t).data).all()
        slope = ta.gradients((longer[:, column] * [1.0, 2.0, 3.0]).sum(), t)
        assert np.isfinite(slope.data).all() == (column == 0)


def test_the_determinant_of_a_singular_matrix_has_its_cofactors_for_a_gradient() -> None:
    t = ta.Tensor([[1.0, 2.0], [2.0, 4.0]])
    np.linalg.det(t).backward()
    np.testing.assert_allclose(t.grad, [[4.0, -2.0], [-2.0, 1.0]], atol=1e-14)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda t: np.linalg.qr(t, mode="complete"), "mode='reduced'"),
        (lambda t: np.linalg.svd(t), "full_matrices=False"),
        (lambda t: np.linalg.svd(t, hermitian=True), "eigh"),
        (lambda t: np.linalg.pinv(t, hermitian=True), "leave it away"),
    ],
)
def test_what_has_no_derivative_is_refused(f: Callable[..., Any], words: str) -> None:
    with pytest.raises(NotImplementedError, match=words):
        f(ta.Tensor(np.ones((3, 2))))


@pytest.mark.parametrize("seed", range(5))
def test_a_chain_of_products_takes_the_fewest_multiplications(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = np.random.default_rng(seed).integers(1, 30, 7).tolist()
    taken = []
    matmul = type(ta.OPS["matmul"])
    forward = matmul.forward
    monkeypatch.setattr(matmul, "forward", lambda op, a, b: (taken.append(a.size * b.shape[1]), forward(op, a, b))[1])
    np.linalg.multi_dot([ta.Tensor(np.ones(shape)) for shape in itertools.pairwise(sizes)])

    def fewest(i: int, j: int) -> int:
        cuts = (fewest(i, k) + fewest(k, j) + sizes[i] * sizes[k] * sizes[j] for k in range(i + 1, j))
        return min(cuts, default=0)

    assert sum(taken) == fewest(0, len(sizes) - 1)


@pytest.mark.parametrize("scale", [1e-20, 1e20])
def test_how_large_a_matrix_is_says_nothing_of_whether_its_values_are_equal(scale: float) -> None:
    t = ta.Tensor(scale * np.array([[2.0, 1.0], [1.0, 3.0]]))
    (np.linalg.eigh(t).eigenvectors[0] ** 2 * [1.0, 2.0]).sum().backward()
    assert np.isfinite(t.grad).all()
    assert np.abs(scale * t.grad).max() > 0.1
