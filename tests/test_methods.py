"""Methods of Tensors, and what stands on the other side of an operator: arrays, numbers, lists."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act.op import IMPLEMENTS
from tinygrad_act.ops.methods import IN_PLACE

x0 = np.array([[0.5, 1.5, 2.0], [3.0, 0.25, 0.75]])
METHODS = [name for name in dir(np.ndarray) if not name.startswith("_") and callable(getattr(np, name, None))]


@pytest.mark.parametrize(
    "name", [m for m in METHODS if m not in (*IN_PLACE, "data", "shape", "size", "ndim", "dtype", "real", "imag")]
)
def test_a_method_is_numpys_function_of_its_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(IMPLEMENTS, getattr(np, name), lambda *args, **kwargs: (args, kwargs))
    t = ta.Tensor(x0)
    assert getattr(t, name)(1, axis=0) == ((t, 1), {"axis": 0})


@pytest.mark.parametrize("name", IN_PLACE)
def test_a_method_that_changes_its_array_is_refused(name: str) -> None:
    t = ta.Tensor(x0, name="weights")
    with pytest.raises(TypeError, match=rf"(?s)t\.{name}\(\) would change weights .* under its graph.*Write "):
        getattr(t, name)(0)
    np.testing.assert_array_equal(t.data, x0)


def test_what_only_an_array_has_is_said_to_be_found_in_the_data() -> None:
    t = ta.Tensor(x0)
    with pytest.raises(AttributeError, match=r"write t\.data\.strides"):
        _ = t.strides
    with pytest.raises(AttributeError, match="a Tensor has no attribute 'grads'"):
        _ = t.grads
    assert not hasattr(t, "__array_interface__")
    assert t.tolist() == x0.tolist()
    assert t.nbytes == x0.nbytes


OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow]
if np.divmod in IMPLEMENTS:
    OPERATORS += [lambda a, b: divmod(a, b)[0], lambda a, b: divmod(a, b)[1]]
COMPARISONS = [operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge]
OTHERS = [
    2,
    1.5,
    True,
    np.float64(1.5),
    np.float32(1.5),
    np.int64(2),
    np.array(1.5),
    np.array(1.5, np.float32),
    np.array([1.0, 2.0, 3.0]),
    np.array([1, 2, 3]),
    [1.0, 2.0, 3.0],
    (1.0, 2.0, 3.0),
]
every_other = pytest.mark.parametrize("other", OTHERS, ids=lambda x: f"{type(x).__name__} {x!r}")
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])


@every_other
@pytest.mark.parametrize("f", OPERATORS)
@both_dtypes
def test_what_stands_left_of_an_operator_never_wins(f: Callable[..., Any], other: Any, dtype: Any) -> None:
    x = x0.astype(dtype)
    t = ta.Tensor(x)
    for y, expected in ((f(other, t), f(other, x)), (f(t, other), f(x, other))):
        assert type(y) is ta.Tensor
        assert y.requires_grad
        if f is not operator.pow or not isinstance(other, np.integer):  # of which older NumPys make a Python number
            assert y.dtype == expected.dtype
        np.testing.assert_array_equal(y.data, expected)


@every_other
@pytest.mark.parametrize("f", COMPARISONS)
def test_comparisons_are_plain_from_either_side(f: Callable[..., Any], other: Any) -> None:
    t = ta.Tensor(x0)
    for y, expected in ((f(other, t), f(other, x0)), (f(t, other), f(x0, other))):
        assert type(y) is np.ndarray
        np.testing.assert_array_equal(y, expected)


def test_a_matrix_product_with_an_array_left_of_it_records() -> None:
    t = ta.Tensor(x0)
    for y, expected in (
        (x0.T @ t, x0.T @ x0),
        ([1.0, 2.0] @ t, [1.0, 2.0] @ x0),
        (t @ [1.0, 2.0, 3.0], x0 @ [1, 2, 3]),
    ):
        assert y.requires_grad
        np.testing.assert_allclose(y.data, expected, rtol=1e-15)


@pytest.mark.parametrize("f", [operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ipow])
def test_an_array_does_not_swallow_a_tensor(f: Callable[..., Any]) -> None:
    array = x0.copy()
    with pytest.raises(TypeError, match="cannot write a Tensor into a plain array"):
        f(array, ta.Tensor(x0))
    np.testing.assert_array_equal(array, x0)
