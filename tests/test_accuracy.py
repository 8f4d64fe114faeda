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
from truth_rows import EXACT, OPS_OF_ROWS, rows, worst_errors, worst_ulp

import tinygrad_act as ta
from tinygrad_act import Tensor
from tinygrad_act.activations.glu import GatedUnit
from tinygrad_act.op import Op
from tinygrad_act.ops import exact

DTYPES = [np.float32, np.float64]
GATED = [op for op in OPS_OF_ROWS if isinstance(op, GatedUnit)]


@pytest.fixture(autouse=True)
def sixty_digits() -> Iterable[None]:
    with mpmath.workdps(60):
        yield


# In double; in float32 all but the gated units are rounded just once, from double.
BOUNDS = {"sparsemax": 0.51, "entmax15": 1.1, "logmeanexp": 4.5} | {op.name: 4.5 for op in GATED}


@pytest.mark.parametrize("op", OPS_OF_ROWS, ids=lambda op: op.name)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_op_of_rows_is_accurate(op: Op, dtype: Any) -> None:
    """Each value, and each entry of the Jacobian by itself: on ordinary rows and on hard ones, and silent there."""
    value, slope = worst_errors(op, dtype)
    assert value <= (0.51 if dtype == np.float32 and op not in GATED else BOUNDS.get(op.name, 3.0))
    assert slope <= 12


def test_no_truth_is_of_an_op_that_is_gone() -> None:
    assert set(EXACT) == {op.name for op in OPS_OF_ROWS}


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


@pytest.mark.parametrize("a", [0.1, 1.0, -3.7, 1e-3])
def test_a_product_in_single_precision_has_twice_the_digits(a: float) -> None:
    """Also of a parameter, which is a double that no single is."""
    b = np.random.default_rng(8).uniform(-800, 800, 200).astype(np.float32)
    p, rest = exact.product(a, b)
    assert p.dtype == rest.dtype == np.float32
    np.testing.assert_allclose(p.astype(float) + rest, a * b.astype(float), rtol=2.0**-44)
