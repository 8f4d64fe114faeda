"""Laws for every NumPy call in `numpy_calls`: its value is that for arrays, and its derivatives are right."""

from __future__ import annotations

import gc
import importlib
import pkgutil
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy_calls
import pytest
from numpy_calls.arrays import ARRAYS

import tinygrad_act as ta

ROOMS = [importlib.import_module(f"numpy_calls.{room.name}") for room in pkgutil.iter_modules(numpy_calls.__path__)]
ROOMS = [room for room in ROOMS if hasattr(room, "CALLS")]
CALLS = [(room, call) for room in ROOMS for call in room.CALLS]
every_call = pytest.mark.parametrize(("room", "call"), CALLS, ids=[call for _, call in CALLS])


def arrays_of(room: Any, call: str) -> dict[str, Any]:
    """The arrays that a call names, from its own room or from those of all."""
    known = ARRAYS | getattr(room, "ARRAYS", {})
    return {name: known[name] for name in dict.fromkeys(re.findall(r"(?<![\w.\"'])[a-zA-Z]\w*", call)) if name in known}


def run(room: Any, call: str, arrays: dict[str, Any]) -> list[Any]:
    """What the call gives, several results as several."""
    result = eval(call, {"np": np, **vars(room)}, arrays)
    return list(result) if isinstance(result, tuple | list) else [result]


def is_float(x: Any) -> bool:
    return getattr(getattr(x, "dtype", None), "kind", "") == "f"


def scalar(room: Any, call: str, arrays: dict[str, Any]) -> Any:
    """The results that are floats, contracted to one number with fixed weights."""
    parts = [r for r in run(room, call, arrays) if is_float(r)]
    weights = [np.random.default_rng(k).uniform(0.5, 1.5, r.shape) for k, r in enumerate(parts)]
    return sum(((r * w).sum() for r, w in zip(parts, weights, strict=True)), start=0.0)


def difference_quotient(f: Callable[..., Any], inputs: list[Any], i: int, h: float) -> np.ndarray:
    """The gradient of a scalar function of arrays with respect to input i, to the fourth order in h."""
    gradient = np.zeros_like(inputs[i])
    for place in np.ndindex(gradient.shape):
        values = []
        for step in (h, -h, 2 * h, -2 * h):
            moved = inputs[i].copy()
            moved[place] += step
            values.append(f(*inputs[:i], moved, *inputs[i + 1 :]))
        gradient[place] = (8 * (values[0] - values[1]) - (values[2] - values[3])) / (12 * h)
    return gradient


def derivatives(room: Any, call: str, arrays: dict[str, Any], order: int) -> tuple[Any, dict[str, Any]]:
    """A scalar that contracts the derivatives of this order, and the Tensors it is a function of."""
    tensors = {name: ta.Tensor(x) if is_float(x) else x for name, x in arrays.items()}
    variables = [t for t in tensors.values() if isinstance(t, ta.Tensor)]
    s = scalar(room, call, tensors)
    for _ in range(order):
        slopes = ta.gradients(s, variables)
        s = sum(((d * np.cos(np.arange(d.size).reshape(d.shape))).sum() for d in slopes), start=0.0 * s)
    return s, tensors


def assert_slopes(f: Callable[..., Any], s: Any, tensors: dict[str, Any], arrays: dict[str, Any], to: float) -> None:
    """The derivatives of s, recorded, are those of f by differences."""
    names = [name for name, t in tensors.items() if isinstance(t, ta.Tensor)]
    found = ta.gradients(s, [tensors[name] for name in names])
    for name, slope in zip(names, found, strict=True):
        i = list(arrays).index(name)
        numeric = difference_quotient(f, list(arrays.values()), i, 1e-4)
        np.testing.assert_allclose(slope.data, numeric, rtol=to, atol=to * max(1, np.abs(numeric).max(initial=0)))


@every_call
def test_the_result_is_that_for_arrays(room: Any, call: str) -> None:
    arrays = arrays_of(room, call)
    assert any(map(is_float, arrays.values())), "it names an array of floats"
    expected = run(room, call, arrays)
    got = run(room, call, {name: ta.Tensor(x) if is_float(x) else x for name, x in arrays.items()})
    assert len(got) == len(expected)
    assert any(isinstance(t, ta.Tensor) and t.requires_grad for t in got), "it can be differentiated"
    for t, e in zip(got, expected, strict=True):
        data = t.data if isinstance(t, ta.Tensor) else t
        np.testing.assert_allclose(data, e, rtol=1e-13, atol=1e-14)
        assert np.shape(data) == np.shape(e)
        assert np.asarray(data).dtype == np.asarray(e).dtype


@every_call
def test_the_gradient_is_the_difference_quotient(room: Any, call: str) -> None:
    arrays = arrays_of(room, call)
    s, tensors = derivatives(room, call, arrays, 0)
    assert_slopes(lambda *x: scalar(room, call, dict(zip(arrays, x, strict=True))), s, tensors, arrays, 1e-7)


@every_call
def test_the_second_derivative_is_the_difference_quotient_of_the_first(room: Any, call: str) -> None:
    arrays = arrays_of(room, call)
    s, tensors = derivatives(room, call, arrays, 1)

    def first(*x: Any) -> float:
        return float(derivatives(room, call, dict(zip(arrays, x, strict=True)), 1)[0].item())

    assert_slopes(first, s, tensors, arrays, 1e-6)


def test_no_call_leaves_anything_for_the_collector() -> None:
    """A graph is freed the moment its root is dropped, whatever the calls it is made of."""

    def run_all() -> None:
        for room, call in CALLS:
            derivatives(room, call, arrays_of(room, call), 0)[0].backward()

    run_all()  # once for what is kept from then on
    gc.collect()
    gc.disable()
    try:
        run_all()
        assert gc.collect() == 0
    finally:
        gc.enable()


@every_call
def test_float32_stays_float32(room: Any, call: str) -> None:
    arrays = {k: x.astype(np.float32) if is_float(x) else x for k, x in arrays_of(room, call).items()}
    expected = run(room, call, arrays)
    tensors = {name: ta.Tensor(x) if is_float(x) else x for name, x in arrays.items()}
    for t, e in zip(run(room, call, tensors), expected, strict=True):
        assert t.dtype == e.dtype
    s, tensors = derivatives(room, call, arrays, 0)
    s.backward()
    assert all(t.grad is None or t.grad.dtype == np.float32 for t in tensors.values() if isinstance(t, ta.Tensor))
