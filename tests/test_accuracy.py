"""Accuracy in units in the last place (ULP) of functions of whole rows, against mpmath at 60 digits.

Functions of single numbers are held to tables, in test_truth.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mpf

import tinygrad_act as ta
from tinygrad_act import Tensor

DTYPES = [np.float32, np.float64]


@pytest.fixture(autouse=True)
def sixty_digits() -> Iterable[None]:
    with mpmath.workdps(60):
        yield


def points(dtype: Any, n: int = 500) -> np.ndarray:
    """All exponents and both signs, more of them where the functions bend, and subnormals."""
    rng, info = np.random.default_rng(0), np.finfo(dtype)
    signs = rng.choice([-1.0, 1.0], n)
    edge = 110 if dtype == np.float32 else 760
    exponents = rng.uniform(info.minexp - 20, info.maxexp - 1, n)
    parts = [
        signs * 2.0**exponents,
        signs * 2.0 ** rng.uniform(-30, 6, n),
        rng.uniform(-edge, edge, n),
        rng.uniform(-9, 9, n),
    ]
    return np.concatenate(parts).astype(dtype)


def worst_ulp(got: np.ndarray, exact: Iterable[Any]) -> float:
    """The greatest error, in ULP of the correctly rounded result, never below the smallest subnormal."""
    worst = 0.0
    for value, truth in zip(got.ravel(), exact, strict=True):
        unit = mpf(float(np.spacing(np.abs(got.dtype.type(float(truth))))))
        worst = max(worst, float(abs(mpf(float(value)) - truth) / unit))
    return worst


def rows(dtype: Any, n: int = 120) -> tuple[np.ndarray, list[list[Any]]]:
    """Logits of many spreads and sizes, as floats and exactly."""
    rng = np.random.default_rng(1)
    spreads = [(1, 1), (5, 50), (30, 100), (1, 1000), (200, 200), (1e-3, 1e4)]
    x = np.concatenate([rng.normal(0, s, (n, 5)) + rng.normal(0, m, (n, 1)) for s, m in spreads]).astype(dtype)
    return x, [[mpf(float(v)) for v in row] for row in x]


@pytest.mark.parametrize(("dtype", "bound"), [(np.float32, 4.0), (np.float64, 3.0)])
def test_softmax_is_accurate(dtype: Any, bound: float) -> None:
    x, exact = rows(dtype)
    exps = [[mpmath.exp(v - max(row)) for v in row] for row in exact]
    assert worst_ulp(ta.softmax(x), (e / sum(row) for row in exps for e in row)) <= bound


@pytest.mark.parametrize(("dtype", "bound"), [(np.float32, 4.0), (np.float64, 3.0)])
def test_logsumexp_is_accurate(dtype: Any, bound: float) -> None:
    """Where the result is not itself the small difference of its two terms."""
    x, exact = rows(dtype)
    truth = [max(row) + mpmath.log(sum(mpmath.exp(v - max(row)) for v in row)) for row in exact]
    clear = [i for i, (t, row) in enumerate(zip(truth, exact, strict=True)) if abs(t) > abs(max(row)) / 2]
    assert worst_ulp(ta.logsumexp(x)[clear], (truth[i] for i in clear)) <= bound


@pytest.mark.parametrize(("dtype", "loss_bound", "bound"), [(np.float32, 2.0, 4.0), (np.float64, 1.5, 3.0)])
def test_cross_entropy_is_accurate(dtype: Any, loss_bound: float, bound: float) -> None:
    """For the most likely class, where p - 1 would cancel, and for the others."""
    x, exact = rows(dtype, 120 if dtype == np.float32 else 800)  # the worst of doubles is rare
    labels = np.random.default_rng(2).integers(0, 5, len(x))
    labels[::2] = x.argmax(axis=1)[::2]
    others = [
        [mpmath.exp(v - row[k]) for j, v in enumerate(row) if j != k] for row, k in zip(exact, labels, strict=True)
    ]
    assert (
        worst_ulp(ta.cross_entropy(x, labels, reduction="none"), (mpmath.log1p(sum(o)) for o in others)) <= loss_bound
    )
    t = Tensor(x)
    ta.cross_entropy(t, labels, reduction="sum").backward()
    truth = []
    for row, k in zip(exact, labels, strict=True):
        e = [mpmath.exp(v - max(row)) for v in row]
        truth += [(e[j] if j != k else -sum(e[i] for i in range(5) if i != k)) / sum(e) for j in range(5)]
    assert worst_ulp(t.grad, truth) <= bound


@pytest.mark.parametrize("classes", [29, 30, 1000])
def test_the_loss_of_many_classes_is_as_accurate(classes: int) -> None:
    """A plain running sum of 1000 terms would be 6 ULP off."""
    x = np.random.default_rng(0).standard_normal((20, classes))
    labels = x.argmax(axis=1)
    gaps = [[mpf(float(v)) - mpf(float(row.max())) for v in row] for row in x]
    truth = [mpmath.log(sum(mpmath.exp(gap) for gap in row)) for row in gaps]
    assert worst_ulp(ta.cross_entropy(x, labels, reduction="none"), truth) <= 1.5


def test_a_certain_prediction_keeps_its_tiny_loss() -> None:
    """PyTorch and JAX give 0 in float32."""
    z = Tensor(np.array([[20.0, 0.0, 0.0]], np.float32))
    loss = ta.cross_entropy(z, np.array([0]))
    loss.backward()
    np.testing.assert_allclose(loss.item(), 4.1223072e-09, rtol=1e-7)
    np.testing.assert_allclose(z.grad, [[-4.1223072e-09, 2.0611536e-09, 2.0611536e-09]], rtol=1e-7)
