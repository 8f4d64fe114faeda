"""Every op at any shape and dtype that Hypothesis thinks of: empty, without axes, with four, broadcast, narrow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from samples import SAMPLES, UNUSUAL

import tinygrad_act as ta
from tinygrad_act.op import OPS, Elementwise, Op
from tinygrad_act.ops.reduce import Reduction

DTYPES = st.sampled_from([np.float16, np.float32, np.float64])
SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)
ELEMENTWISE = [op for op in [*OPS.values(), *(s.op for s in UNUSUAL)] if isinstance(op, Elementwise)]
BINARY = ["add", "subtract", "multiply", "divide", "power", "hypot", "remainder", "floor_divide", "maximum", "minimum"]
REDUCTIONS = [op for op in OPS.values() if isinstance(op, Reduction)]
ON_ROWS = [
    op for op in OPS.values() if hasattr(op, "axis") and not isinstance(op, Reduction) and len(op.arguments) == 1
]
ON_ROWS = [op for op in ON_ROWS if not op.variadic and op.axis == -1]

NO_HALVES = ("matrices", "decompositions", "spectra", "norms")  # NumPy's linear algebra has none

few = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
as_id = {"ids": lambda op: getattr(op, "name", str(op))}


def numbers(shape: tuple[int, ...], dtype: Any, low: float = 0.2, high: float = 1.8) -> np.ndarray:
    """Numbers in order, within the domain of all ops, and different from each other."""
    n = int(np.prod(shape))
    return np.linspace(low, high, n).reshape(shape).astype(dtype) if n else np.zeros(shape, dtype)


def assert_like(t: Any, x: np.ndarray) -> None:
    assert t.grad.shape == x.shape
    assert t.grad.dtype == x.dtype
    assert np.isfinite(t.grad).all()


def domain(op: Op) -> tuple[float, float]:
    low, high = getattr(op, "domain", (-np.inf, np.inf))
    return max(low, 0.0) + 0.2, min(high, 2.0) - 0.2


@pytest.mark.parametrize("op", ELEMENTWISE, **as_id)
@few
@given(shape=SHAPES, dtype=DTYPES)
def test_an_elementwise_op_keeps_shape_and_dtype(op: Elementwise, shape: tuple[int, ...], dtype: Any) -> None:
    x = numbers(shape, dtype, *domain(op))
    t = ta.Tensor(x)
    y = op(t)
    assert (y.shape, y.dtype) == (x.shape, x.dtype)
    y.backward(np.ones(shape))
    assert_like(t, x)
    each = [op(ta.Tensor(v)) for v in x.ravel()]
    np.testing.assert_array_max_ulp(y.data.ravel(), np.array([e.data for e in each], dtype), 4)


@pytest.mark.parametrize("name", BINARY)
@few
@given(
    shapes=arrays.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3),
    dtypes=st.tuples(DTYPES, DTYPES),
)
def test_two_arrays_broadcast(name: str, shapes: Any, dtypes: tuple[Any, Any]) -> None:
    """The gradient of an array that was broadcast is the sum over its copies."""
    a, b = (
        numbers(s, d, *ends) for s, d, ends in zip(shapes.input_shapes, dtypes, [(0.2, 1.8), (0.3, 0.9)], strict=True)
    )
    s, t = ta.Tensor(a), ta.Tensor(b)
    y = OPS[name](s, t)
    assert y.shape == shapes.result_shape
    assert y.dtype == np.result_type(a, b)
    y.backward(np.ones(y.shape))
    for leaf, x in ((s, a), (t, b)):
        assert_like(leaf, x)
    wide = [ta.Tensor(np.broadcast_to(x, y.shape).astype(y.dtype)) for x in (a, b)]
    OPS[name](*wide).backward(np.ones(y.shape))
    for leaf, copies in zip((s, t), wide, strict=True):
        added = tuple(range(y.ndim - leaf.ndim))
        stretched = tuple(i for i in range(y.ndim) if i in added or leaf.shape[i - len(added)] == 1)
        total = copies.grad.sum(axis=stretched, dtype=np.float64).reshape(leaf.shape)
        np.testing.assert_allclose(leaf.grad, total, rtol=2e-2 if np.float16 in dtypes else 1e-5, atol=1e-3)


@pytest.mark.parametrize("op", REDUCTIONS, **as_id)
@few
@given(data=st.data(), dtype=DTYPES, keepdims=st.booleans())
def test_a_reduction_over_any_axes(op: Op, data: Any, dtype: Any, keepdims: bool) -> None:
    shape = data.draw(arrays.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=3))
    axis = data.draw(st.none() | arrays.valid_tuple_axes(len(shape), min_size=1))
    x = numbers(shape, dtype)
    t = ta.Tensor(x)
    y = op(t, axis=axis, keepdims=keepdims)
    kept = np.sum(x, axis=axis, keepdims=keepdims)
    assert (y.shape, y.dtype) == (kept.shape, x.dtype)
    y.backward(np.ones(y.shape))
    assert_like(t, x)


@pytest.mark.parametrize("op", ON_ROWS, **as_id)
@few
@given(data=st.data(), dtype=DTYPES)
def test_an_op_of_rows_along_any_axis(op: Op, data: Any, dtype: Any) -> None:
    """What it does along an axis is what it does along the last, with that axis moved there."""
    shape = data.draw(arrays.array_shapes(min_dims=1, max_dims=4, min_side=2, max_side=2))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = numbers(shape, dtype)
    t, moved = ta.Tensor(x), ta.Tensor(np.moveaxis(x, axis, -1))
    y, expected = op(t, axis=axis), op(moved, axis=-1)
    reduces = y.ndim < x.ndim
    weights = numbers(y.shape, dtype)
    y.backward(weights)
    expected.backward(weights if reduces else np.moveaxis(weights, axis, -1))
    to = {"rtol": 2e-2, "atol": 2e-3} if dtype == np.float16 else {"rtol": 1e-5, "atol": 1e-6}
    there = expected.data if reduces else np.moveaxis(expected.data, -1, axis)
    np.testing.assert_allclose(y.data.astype(float), there, **to)
    np.testing.assert_allclose(t.grad.astype(float), np.moveaxis(moved.grad, -1, axis), **to)
    assert_like(t, x)


@pytest.mark.parametrize("sample", SAMPLES, ids=repr)
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_every_op_works_in_narrower_floats(sample: Any, dtype: Any) -> None:
    """Close to what it is in double: nothing overflows on the way, and no constant widens it."""
    given = [x.astype(dtype) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x for x in sample.inputs]
    if sample.op.name == "astype" or (dtype == np.float16 and type(sample.op).__module__.endswith(NO_HALVES)):
        return
    y = np.asarray(sample.op(*given))
    wide = [x.astype(float) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x for x in given]
    expected = np.asarray(sample.op(*wide))
    assert y.dtype == dtype
    to = 2e-2 if dtype == np.float16 else 1e-5
    np.testing.assert_allclose(y.astype(float), expected, rtol=to, atol=to * max(1, np.abs(expected).max(initial=0)))
