"""Factorisations where the derivative of vectors does not exist, and what NumPy's results are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta


def test_results_are_numpys_named_tuples() -> None:
    a = np.array([[2.0, 1.0], [1.0, 3.0]])
    for f in (np.linalg.eigh, np.linalg.qr, np.linalg.svd, np.linalg.slogdet):
        assert type(f(ta.Tensor(a))) is type(f(a))


def test_equal_eigenvalues_give_the_gradient_of_what_does_not_depend_on_the_vectors() -> None:
    c = np.array([[1.0, 2.0, 0.0], [2.0, -1.0, 0.5], [0.0, 0.5, 3.0]])
    for a in (np.eye(3), np.diag([1.0, 1.0, 2.0])):
        t = ta.Tensor(a)
        w, v = np.linalg.eigh(t)
        (w * w).sum().backward()
        np.testing.assert_allclose(t.grad, 2 * a, atol=1e-14)
        t.zero_grad()
        (v * c).sum().backward()
        assert np.isfinite(t.grad).all()


@pytest.mark.parametrize("a", [np.eye(3), np.zeros((3, 2)), np.diag([2.0, 2.0, 0.0])], ids=["equal", "zero", "both"])
def test_equal_or_no_singular_values_never_give_nan(a: np.ndarray) -> None:
    t = ta.Tensor(a)
    u, s, vh = np.linalg.svd(t, full_matrices=False)
    (u.sum() + np.square(s).sum() + vh.sum()).backward()
    assert np.isfinite(t.grad).all()
    t.zero_grad()
    np.square(np.linalg.svdvals(t)).sum().backward()
    np.testing.assert_allclose(t.grad, 2 * a, atol=1e-14)


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
