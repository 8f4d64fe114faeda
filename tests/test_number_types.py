"""What activations make of numbers other than float32 and float64."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act import Tensor
from tinygrad_act.activations import catalogue
from tinygrad_act.op import OPS, Elementwise, OfFloats, Op

LEARNED = [op for op in OPS.values() if op.learned]
EVERY = [*{**catalogue(), **{name: op for name, op in OPS.items() if isinstance(op, Elementwise)}}.values()]
every_op = pytest.mark.parametrize("op", EVERY, ids=lambda op: op.name)
every_learned = pytest.mark.parametrize("op", LEARNED, ids=lambda op: op.name)
INTEGERS = [np.int8, np.uint8, np.int64, np.bool_]
integers = pytest.mark.parametrize("dtype", INTEGERS, ids=lambda dtype: dtype.__name__)


def others(op: Op, like: Any) -> list[Any]:
    """The inputs after the first: what it learns, at the start, or noise."""
    if op.name == "gumbel_softmax":
        return [np.zeros_like(like)]
    return [np.asarray(start, np.result_type(like)) for start in op.learned.values()]


def test_every_activation_takes_floats() -> None:
    assert all(isinstance(op, OfFloats) for op in catalogue().values())


@integers
@every_op
def test_integers_count_as_double(op: Op, dtype: Any) -> None:
    x = np.array([1, 3, 2, 100 if op.name not in ("exp", "expm1", "cosh", "sinh", "symexp") else 4])
    x = (x[(x > op.domain[0]) & (x < op.domain[1])] if isinstance(op, Elementwise) else x).astype(dtype)
    floats = x.astype(np.float64)
    y = op(x, *others(op, floats))
    assert y.dtype == np.float64
    np.testing.assert_array_equal(y, op(floats, *others(op, floats)))


@integers
@every_learned
def test_integers_count_as_double_beside_what_is_learned(op: Op, dtype: Any) -> None:
    x = np.array([-3, -1, 0, 2, 3]).astype(dtype)

    def run(x: Any) -> list[Any]:
        parameters = [Tensor(start) for start in op.learned.values()]
        y = op(x, *parameters)
        y.sum().backward()
        return [y.data, *(p.grad for p in parameters)]

    for found, expected in zip(run(x), run(x.astype(np.float64)), strict=True):
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, expected, rtol=1e-15)


@every_learned
def test_integers_count_as_double_beside_narrower_parameters_too(op: Op) -> None:
    x = np.array([-3, -1, 0, 2, 3], np.int8)
    y = op(x, *(Tensor(np.float16(start)) for start in op.learned.values()))
    assert y.dtype == np.float64
    np.testing.assert_array_equal(y.data, op(x, *(np.float16(start) for start in op.learned.values())))


@pytest.mark.parametrize("types", ["".join(p) for p in itertools.product("efd", repeat=2)])
@every_learned
def test_floats_of_two_sizes_meet_in_the_wider_one(op: Op, types: tuple[str, str]) -> None:
    """Values and gradients are those of doubles, as far as the narrower floats tell."""

    def run(types: Any) -> tuple[Any, list[Tensor]]:
        x = np.float16([-3, -1.5, -0.5, 0.25, 2]).astype(types[0])
        inputs = [Tensor(x), *(Tensor(np.asarray(np.float16(v + 0.25), types[1])) for v in op.learned.values())]
        y = op(*inputs)
        y.backward(np.ones(y.shape))
        return y, inputs

    (y, found), (expected, wide) = run(types), run("dd")
    assert y.dtype == np.result_type(*types)
    to = 8 * max(np.finfo(t).eps for t in types)
    np.testing.assert_allclose(y.data, expected.data, rtol=to, atol=to)
    for t, w in zip(found, wide, strict=True):
        np.testing.assert_allclose(t.grad, w.grad, rtol=to, atol=to * np.abs(w.grad).max())


@every_op
def test_complex_numbers_are_refused(op: Op) -> None:
    for x in (np.array([1 + 1j, 2 - 1j]), [1j, 2.0], np.complex64(1)):
        with pytest.raises(TypeError, match=f"^{op.name} is a function of real numbers, and was given .* complex"):
            op(x, *others(op, np.zeros(2)))


def test_texts_are_refused() -> None:
    with pytest.raises(TypeError, match=r"^relu is a function of real numbers, and was given an array of <U3"):
        ta.relu("3.5")


@every_op
def test_long_doubles_have_the_limits_of_doubles(op: Op) -> None:
    x = np.array([-3, -1e-30, 0, 2, 5, 80.0])
    if isinstance(op, Elementwise) or op.learned:
        x = np.concatenate([x, [-np.inf, np.inf, np.nan]])
    if isinstance(op, Elementwise):
        x = x[~(x <= op.domain[0])] if op.domain[0] > -2 else x
        x = x[~(x >= op.domain[1])] if op.domain[1] < 2 else x
        x = x[~np.isinf(x)] if op.name in ("sin", "cos", "tan", "sinc", "sine", "gcu") else x  # which have no limit

    def run(x: Any) -> tuple[Any, Any]:
        t = Tensor(x)
        y = op(t, *others(op, x))
        y.backward(np.ones(y.shape))
        return y.data, t.grad

    for long, double in zip(run(x.astype(np.longdouble)), run(x), strict=True):
        assert long.dtype == np.longdouble
        np.testing.assert_allclose(long.astype(np.float64), double, rtol=1e-12, atol=1e-300)
