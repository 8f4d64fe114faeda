"""Every op at any shape, dtype and order in memory that Hypothesis thinks of: empty, without axes, broadcast, mixed.

TINYGRAD_ACT_EXAMPLES is how many it tries of each op.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from inputs import Input, Pick, Shape, picked
from meanings import NUMPY, H
from samples import SAMPLES

import tinygrad_act as ta
from tinygrad_act.losses import Loss, SoftmaxResidual
from tinygrad_act.op import OPS, Elementwise, OfFloats, Op

FLOATS, INTEGERS = (np.float64, np.float32, np.float16), (np.int64, np.int8, np.bool_)
NO_HALVES = ("matrices", "decompositions", "spectra", "norms")  # NumPy's linear algebra has none
ORDERS: list[tuple[Callable[[Any], Any], Callable[[Any], Any]]] = [  # how numbers lie, and how they are seen from there
    (lambda x: x, lambda t: t),
    (lambda x: x.T, lambda t: t.T),
    (lambda x: x[::-1], lambda t: t[::-1]),
    (lambda x: np.repeat(x, 2, axis=-1), lambda t: t[..., ::2]),
]
few = settings(
    max_examples=int(os.environ.get("TINYGRAD_ACT_EXAMPLES", "20")),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class Drawn(Pick):
    """What Hypothesis picks."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw

    def number(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def shape(self, least: int = 0, most: int = 4) -> Shape:
        return self.draw(arrays.array_shapes(min_dims=least, max_dims=most, min_side=0, max_side=3))


class Case(NamedTuple):
    """An op, and what it is given: Tensors, of which not all lie in order, and plain arrays."""

    op: Any
    kinds: str  # what numbers are wanted, a letter for each input
    inputs: list[Any]

    @property
    def arrays(self) -> list[np.ndarray]:
        return [x.data if isinstance(x, ta.Tensor) else x for x in self.inputs]

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the result: NumPy's, but activations take integers as double, and a loss is of that of logits."""
        first, *others = [x.dtype for x, kind in zip(self.arrays, self.kinds, strict=True) if kind == "f"]
        if self.op.name == "astype":
            return np.dtype(self.op.dtype)
        first = np.dtype(float) if isinstance(self.op, OfFloats) and first.kind != "f" else first
        return first if isinstance(self.op, Loss | SoftmaxResidual) else np.result_type(first, *others)

    def truth(self, xs: list[np.ndarray], along: dict[int, np.ndarray], weights: np.ndarray) -> np.ndarray:
        """The values, by the meaning of the op, and behind them the slope of their weighted sum."""
        y = NUMPY(self.op, *(x + 1j * H * along[i] if i in along else x for i, x in enumerate(xs)))
        return np.append(np.real(y), np.sum(np.imag(y) * weights) / H)


def case_of(op: Op, pick: Pick) -> Case:
    op, wanted = picked(op, pick)
    rng = np.random.default_rng(pick.number(0, 2**32))
    certain = pick.one_of([i for i, x in enumerate(wanted) if x.kind == "f"])  # is a Tensor
    floats, inputs = pick.one_of((FLOATS[:1], FLOATS[:1], FLOATS[1:2], FLOATS[2:], FLOATS)), []
    if type(op).__module__.endswith(NO_HALVES):
        floats = floats[:2] if floats[0] != np.float16 else FLOATS[1:2]
    for i, x in enumerate(wanted):
        is_tensor = x.kind == "f" and (i == certain or pick.one_of((True, False)))
        values = numbers(op, x, pick.one_of(floats if is_tensor else types(op, i, x, floats)), rng)
        lie, seen = pick.one_of(ORDERS if values.ndim else ORDERS[:1])
        inputs.append(seen(ta.Tensor(lie(values)) if is_tensor else lie(values)))
    return Case(op, "".join(x.kind for x in wanted), inputs)


@st.composite
def cases(draw: Any, op: Op) -> Case:
    return case_of(op, Drawn(draw))


def types(op: Op, i: int, x: Input, floats: tuple[Any, ...]) -> tuple[Any, ...]:
    """Those that a plain array may have, as input number i of an op."""
    if x.kind != "f":
        return INTEGERS[2:] if x.kind == "b" else INTEGERS[:2]
    whole = i > 0 if isinstance(op, Loss | SoftmaxResidual) else not op.learned and op.name != "solve"
    return (*floats * 3, *INTEGERS[: 3 if x.low <= 0 <= x.high else 2]) if whole else floats


def numbers(op: Op, x: Input, dtype: Any, rng: np.random.Generator) -> np.ndarray:
    most = 3.0 if isinstance(op, Elementwise) else 1.2  # not even the product of all shall be beyond float16
    low, high = (-most, most) if x.low == -np.inf else (x.low, x.high)
    if np.dtype(dtype).kind == "f":
        return np.asarray(x.base + rng.uniform(low, high, x.shape), dtype)
    least = np.ceil(0 if dtype is np.bool_ else low)
    return np.asarray(np.rint(x.base) + rng.integers(least, max(np.floor(high), least) + 1, x.shape), dtype)


@pytest.mark.parametrize("op", OPS.values(), ids=list(OPS))
@few
@given(data=st.data())
def test_values_and_gradients_are_those_of_the_meaning(op: Op, data: Any) -> None:
    hold(data.draw(cases(op)))


def hold(case: Case) -> None:
    """To 1e-12 in double; of narrower floats, to what another rounding of the inputs would do."""
    op, inputs, xs = case.op, case.inputs, case.arrays
    y, rng = op(*inputs), np.random.default_rng(len(inputs))
    assert (y.shape, y.dtype) == (np.shape(op(*xs)), case.dtype)
    np.testing.assert_array_equal(y.data, op(*xs))
    if isinstance(op, Elementwise):  # which treats each number as if it were alone
        alone = np.array([op(v) for v in xs[0].ravel()[:9]], y.dtype)
        np.testing.assert_array_max_ulp(y.data.ravel()[:9], alone, 4)
    weights = rng.uniform(0.5, 1.5, y.shape).astype(y.dtype)
    y.backward(weights)
    eps = max(np.finfo(x.dtype).eps for x in (*xs, y) if x.dtype.kind == "f")
    tensors = {i: t for i, t in enumerate(inputs) if isinstance(t, ta.Tensor)}
    for t, g in zip(tensors.values(), ta.gradients(y, [*tensors.values()], weights), strict=True):
        assert (t.grad.shape, t.grad.dtype) == (g.shape, g.dtype) == (t.shape, t.dtype)
        np.testing.assert_allclose(g.data, t.grad, rtol=32 * eps, atol=32 * eps)

    along = {i: rng.standard_normal(t.shape) for i, t in tensors.items()}
    slopes = np.concatenate([np.ravel(t.grad * along[i]) for i, t in tensors.items()])
    wide = [x.astype(float) if kind == "f" else x for x, kind in zip(xs, case.kinds, strict=True)]
    truth = case.truth(wide, along, weights)
    off = (1e-12 + 32 * eps) * np.append(np.full(y.size, np.abs(truth).max(initial=1)), 1 + np.abs(slopes).sum())
    for _ in range(3):
        near = [x * (1 + 4 * eps * rng.uniform(-1, 1, x.shape)) if x.dtype.kind == "f" else x for x in wide]
        off += np.abs(case.truth(near, along, weights) - truth)
    assert (np.abs(np.append(y.data, slopes.sum()) - truth) <= off).all(), (y.data, slopes.sum(), truth, off)


OF_MATRICES = [  # and not of their parts or of vectors alone
    op for name, op in OPS.items() if type(op).__module__.endswith(NO_HALVES) and name not in ("over_gap", "p_norm")
]


@pytest.mark.parametrize("op", OF_MATRICES, ids=repr)
def test_matrices_of_halves_are_refused_as_by_numpy(op: Op) -> None:
    with pytest.raises(TypeError, match="float16"):
        op(*[ta.Tensor(np.eye(2, dtype=np.float16))] * len(op.arguments))


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
