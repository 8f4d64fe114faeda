"""What the laws for calls do not say of moving, picking and sorting: refusals, ties, many dimensions, compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act.ops.indexing import Scatter

x = ta.Tensor(np.arange(6.0).reshape(2, 3), name="x")

REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], list[str]]] = {
    "index of floats": (lambda: x[ta.Tensor([0.0])], TypeError, ["whole numbers", "floats", "astype(int)"]),
    "index out of bounds": (lambda: x[5], IndexError, ["getitem", "out of bounds"]),
    "take out": (lambda: np.take(x, 0, out=np.zeros(2)), TypeError, ["take", "out", "Write y ="]),
    "take mode": (lambda: np.take(x, 0, mode="near"), ValueError, ["take", "near"]),
    "take out of bounds": (lambda: np.take(x, 6), IndexError, ["out of bounds"]),
    "sort order": (lambda: np.sort(x, order="name"), TypeError, ["sort", "order"]),
    "topk": (lambda: ta.topk(x, 4), ValueError, ["topk", "0 to 3", "not 4"]),
    "reshape order": (lambda: np.reshape(x, 6, order="A"), ValueError, ["'C'", "'F'", "'A'"]),
    "ravel order": (lambda: np.ravel(x, "K"), ValueError, ["'C'", "'F'", "'K'"]),
    "matrix_transpose": (lambda: np.matrix_transpose(x[0]), ValueError, ["at least 2 axes", "has 1"]),
    "casting": (
        lambda: np.concatenate([x, x], dtype=np.float32, casting="safe"),
        TypeError,
        ["concatenate", "float64", "safe"],
    ),
    "concatenate out": (lambda: np.concatenate([x, x], out=np.zeros((4, 3))), TypeError, ["concatenate", "out"]),
    "stack of two shapes": (lambda: np.stack([x, x[0]]), ValueError, ["stack", "(2, 3)", "(3,)"]),
    "split": (lambda: np.split(x, 2, axis=1), ValueError, ["equal"]),
    "dsplit": (lambda: np.dsplit(x, 1), ValueError, ["dsplit", "3 axes", "has 2"]),
    "meshgrid": (lambda: np.meshgrid(x[0], indexing="yx"), ValueError, ["meshgrid", "'yx'"]),
    "trim_zeros": (lambda: np.trim_zeros(x, "q"), ValueError, ["trim_zeros", "'q'"]),
    "trace": (lambda: np.trace(x, out=np.zeros(())), TypeError, ["trace", "out"]),
    "pad of odd reflection": (lambda: np.pad(x, 1, "reflect", reflect_type="odd"), NotImplementedError, ["odd"]),
    "pad parameter": (lambda: np.pad(x, 1, end_values=3), ValueError, ["constant", "end_values"]),
    "select": (lambda: np.select([x > 0], [x, x]), ValueError, ["1 conditions", "2 choices"]),
    "choose": (lambda: np.choose([2, 0, 0], [x[0], x[1]]), IndexError, ["out of bounds"]),
    "choose out": (lambda: np.choose([1, 0, 0], x, out=np.zeros(3)), TypeError, ["choose", "out"]),
    "piecewise": (lambda: np.piecewise(x, [x > 0], [1.0, 2.0, 3.0]), ValueError, ["3 functions", "1 conditions"]),
    "compress": (lambda: np.compress([True], x, out=np.zeros(1)), TypeError, ["compress", "out"]),
    "einsum out": (lambda: np.einsum("ij->", x, out=np.zeros(())), TypeError, ["einsum", "out"]),
    "einsum dtype": (lambda: np.einsum("ij->", x, dtype=np.float32), TypeError, ["einsum", "dtype", "astype"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_name_the_function_and_what_was_given(case: str) -> None:
    call, error, words = REFUSED[case]
    with pytest.raises(error) as refusal:
        call()
    assert all(word in str(refusal.value) for word in words)


def test_topk_gives_the_greatest_and_where_they_are() -> None:
    t = ta.Tensor([[1.0, 3.0, 3.0, 2.0], [np.nan, 0.0, -np.inf, 5.0]])
    values, places = ta.topk(t, 3)
    np.testing.assert_array_equal(values.data, [[3, 3, 2], [np.nan, 5, 0]])
    np.testing.assert_array_equal(places, [[1, 2, 3], [0, 3, 1]])
    values.backward([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    np.testing.assert_array_equal(t.grad, [[0, 1, 2, 3], [4, 6, 0, 5]])
    values, places = ta.topk(t, 0, axis=0)
    assert values.shape == places.shape == (0, 4)
    np.testing.assert_array_equal(ta.topk(np.array([1, 4, 4]), 2)[1], [1, 2])


def test_tied_elements_keep_their_gradients_apart() -> None:
    t = ta.Tensor([2.0, 1.0, 2.0, 1.0])
    np.sort(t).backward([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(t.grad, [3, 1, 4, 2])


@pytest.mark.parametrize("shape", [(7,), (5, 4), (2, 3, 4)])
@pytest.mark.parametrize("picked", [3, 500])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_picked_often_is_added_as_often(shape: tuple[int, ...], picked: int, dtype: Any) -> None:
    """Few or many, along the first axis or at points: as adding one by one."""
    rng = np.random.default_rng(3)
    points = tuple(rng.integers(-n, n, picked) for n in shape)
    for index in (points[0], points, (Ellipsis, points[-1]), (points[0], slice(None), *points[2:])[: len(shape)]):
        expected = np.zeros(shape, dtype)
        x = rng.normal(size=expected[index].shape).astype(dtype)
        np.add.at(expected, index, x)
        got = Scatter(index, shape)(x)
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, expected)


def test_a_list_used_as_index_may_change_afterwards() -> None:
    t, places = ta.Tensor([1.0, 2.0, 3.0]), [0, 0]
    y = t[places]
    places[:] = [2, 2]
    y.sum().backward()
    np.testing.assert_array_equal(t.grad, [2, 0, 0])


def test_tensors_are_indices_and_conditions_as_what_they_hold() -> None:
    t, places = ta.Tensor([1.0, 2.0, 3.0]), ta.Tensor(np.array([2, 0, 2]), requires_grad=False)
    np.testing.assert_array_equal(t[places].data, [3, 1, 3])
    assert t[None, places].shape == (1, 3)
    np.testing.assert_array_equal(np.take(t, places).data, [3, 1, 3])
    np.testing.assert_array_equal(np.lexsort((t, -t)), [2, 1, 0])
    np.testing.assert_array_equal(np.digitize(t, [1.5, 2.5]), [0, 1, 2])


def test_memory_of_any_order_is_read_aright() -> None:
    data = np.arange(24.0).reshape(4, 3, 2).T[::-1, :, ::2]
    for f in (np.ravel, np.sort, lambda a: np.tile(a, (2, 1)), lambda a: np.roll(a, 3), lambda a: np.pad(a, 2, "wrap")):
        t = ta.Tensor(data)
        np.testing.assert_array_equal(f(t).data, f(data))
        (f(t) * f(t)).sum().backward()
        assert t.grad.shape == data.shape


def test_a_copy_is_not_changed_with_its_leaf() -> None:
    t = ta.Tensor([1.0, 2.0])
    y = np.copy(t)
    t.data += 1
    np.testing.assert_array_equal(y.data, [1, 2])


def test_each_function_of_piecewise_sees_only_its_own_elements() -> None:
    t = ta.Tensor([-1.0, 0.0, 4.0])
    y = np.piecewise(t, [t > 0], [np.log, 0.0])
    y.sum().backward()
    np.testing.assert_array_equal(t.grad, [0, 0, 0.25])


PLACES = np.array([0, 2, 2, 1])
CALLS = [
    lambda t: np.sort(t, axis=0),
    lambda t: t[:, PLACES] * np.take(t, PLACES, axis=1),
    lambda t: np.median(t, axis=1) + np.take_along_axis(t, PLACES[:3, None], axis=1)[:, 0],
    lambda t: ta.topk(t, 2)[0],
    lambda t: np.tile(t, (2, 1)) * np.repeat(t, 2, axis=0),
    lambda t: np.pad(np.roll(t, 1, axis=1), 2, "reflect"),
    lambda t: np.select([t > 0.5, t > 0], [t, t * t], -1.0),
    lambda t: np.einsum("ij,kj->ik", t, np.tril(t)),
    lambda t: np.block([[t, t], [np.rot90(t, 2), np.kron(t[:1, :1], t)]]),
    lambda t: np.take(t, [0, 0, -1], axis=1) + np.diagflat(t[0, :3])[:3],
]


@pytest.mark.parametrize("call", CALLS)
def test_compiled_is_as_run(call: Callable[[Any], Any]) -> None:
    def step(a: Any) -> Any:
        t = ta.Tensor(a)
        loss = (call(t) ** 2).sum()
        loss.backward()
        return loss.data, t.grad

    compiled = ta.compile(step)
    for seed in (1, 2):
        a = np.random.default_rng(seed).normal(size=(3, 4))
        for got, expected in zip(compiled(a), step(a), strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("widths", "pairs"), [({1: 2}, ((0, 0), (2, 2))), ({0: (1, 2), -1: 3}, ((1, 2), (3, 3))), ({}, ((0, 0), (0, 0)))]
)
def test_pad_takes_widths_by_axis(widths: Any, pairs: Any) -> None:
    x = ta.Tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    for mode in ("constant", "edge"):
        np.testing.assert_array_equal(np.pad(x, widths, mode=mode).data, np.pad(x.data, pairs, mode=mode))
