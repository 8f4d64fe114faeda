"""Checkpoints: the same derivatives to the bit, in less memory."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act import Tensor, checkpoint, grad, nn

x0 = np.random.default_rng(0).normal(size=(6, 3))


def network() -> nn.Sequential:
    rng = np.random.default_rng(1)
    return nn.Sequential(nn.Linear(3, 4, rng=rng), "tanh", "prelu", nn.Linear(4, 3, rng=rng), "softmax")


def test_values_and_gradients_of_a_network_are_the_same_to_the_bit() -> None:
    model, x = network(), Tensor(x0)
    np.sum(model(x) ** 2).backward()
    expected = [x.grad, *(t.grad for t in model.parameters())]
    model.zero_grad()
    again = Tensor(x0)
    y = checkpoint(model)(again)
    assert y.op.name == "checkpoint"
    assert y.inputs == (again, *y.inputs[1:])
    np.sum(y**2).backward()
    for a, b in zip(expected, [again.grad, *(t.grad for t in model.parameters())], strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_function_runs_once_forward_and_once_a_walk() -> None:
    runs = []

    def f(a: Any, b: Any) -> Any:
        runs.append(1)
        return np.tanh(a) * b

    a, b = Tensor(2.0), Tensor(3.0)
    y = checkpoint(f)(a, b)
    assert len(runs) == 1
    y.backward()
    assert len(runs) == 2
    ta.gradients(y, b)
    ta.gradients(y, [a, b])
    assert len(runs) == 4
    with ta.no_grad():
        checkpoint(f)(a, b)
    assert len(runs) == 5


def test_higher_derivatives_and_transforms_go_through() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.tanh(x) * np.exp(x / 2))

    kept = checkpoint(f)
    x, v = x0[0], np.array([1.0, -2.0, 3.0])
    np.testing.assert_array_equal(grad(kept)(x), grad(f)(x))
    np.testing.assert_allclose(ta.hessian(kept)(x), ta.hessian(f)(x), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(ta.hvp(kept, x, v), ta.hvp(f, x, v), rtol=1e-13)
    np.testing.assert_allclose(ta.jvp(kept, x, v)[1], ta.jvp(f, x, v)[1], rtol=1e-13)
    third = grad(grad(grad(checkpoint(np.exp))))
    np.testing.assert_allclose(third(1.5), np.exp(1.5), rtol=1e-15)
    assert grad(lambda x: checkpoint(lambda z: z * x)(1.0))(2.0) == 1
    assert grad(lambda x: grad(checkpoint(lambda z: z * z * x))(x))(3.0) == 12
    nested = checkpoint(lambda x: checkpoint(np.sin)(x) * x)
    np.testing.assert_allclose(grad(grad(nested))(0.5), 2 * np.cos(0.5) - 0.5 * np.sin(0.5), rtol=1e-15)
    step = ta.compile(lambda x: grad(kept)(x))
    np.testing.assert_array_equal(step(x), grad(f)(x))


def test_tensors_that_it_uses_get_their_gradients_even_if_one_is_made_of_another() -> None:
    def graph(wrap: Any) -> list[Any]:
        w, x = Tensor(2.0), Tensor(3.0)
        h = w * w
        k = np.exp(h)
        y = wrap(lambda p: p["x"] * w + h * k * p["x"] + p["s"])({"x": x, "s": 1.0, "none": None})
        first = ta.gradients(y, [w, x, h, k])
        second = ta.gradients(first[0], [w, x, h])
        y.backward()
        return [y.data, w.grad, x.grad, h.grad, k.grad, *(g.data for g in first + second)]

    for a, b in zip(graph(lambda f: f), graph(checkpoint), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)


@pytest.mark.parametrize("times", [1, 2])
def test_an_argument_that_is_used_besides_counts_twice(times: int) -> None:
    x = Tensor(3.0)
    y = checkpoint(lambda *zs: sum(zs) * x)(*[x] * times)
    first = ta.gradients(y, x)
    assert (first.data, ta.gradients(first, x).data) == (6.0 * times, 2.0 * times)
    y.backward()
    assert x.grad == 6 * times


def test_constants_and_what_comes_back_as_it_is() -> None:
    assert type(checkpoint(np.sum)(x0)) is np.float64
    t, w = Tensor(2.0), Tensor(3.0)
    assert grad(checkpoint(lambda x: x))(2.0) == 1
    assert ta.gradients(checkpoint(lambda x: w)(t), w).data == 1
    assert ta.gradients(checkpoint(lambda x: np.ones(()))(t), t).data == 0
    assert checkpoint(lambda x: (x.shape, {"n": 3.0, "none": None}))(t) == ((), {"n": 3.0, "none": None})
    assert np.isnan(ta.gradients(checkpoint(lambda x: x * np.nan)(t), t).data)


def test_another_value_or_no_array_is_refused() -> None:
    rng = np.random.default_rng(0)
    y = checkpoint(lambda x: x * rng.normal())(Tensor(2.0))
    with pytest.raises(RuntimeError, match="another value when it was run again"):
        y.backward()
    for f in (lambda x: nn.Linear(1, 1), lambda x: (x, {x})):
        with pytest.raises(TypeError, match=r"returned a (Linear|set), and is to return arrays"):
            checkpoint(f)(Tensor(2.0))


def test_results_may_be_nested_containers() -> None:
    w, constant, runs = Tensor(x0[0].astype(np.float32)), np.ones(2), []

    def f(x: Any) -> Any:
        runs.append(1)
        return {"a": (np.tanh(x), [w * 2, None]), "b": np.sum(x) * np.sum(w), "c": constant, "n": 3, "e": x[:0]}

    def loss(wrap: Any) -> Any:
        found = wrap(f)(x)
        assert found["c"] is constant
        assert found["a"][1][1] is None
        assert found["n"] == 3
        assert (found["a"][1][0].dtype, found["e"].shape) == (np.float32, (0, 3))
        return np.sum(found["a"][0] @ found["a"][1][0]) * found["b"]

    x = Tensor(x0)
    expected = [g.data for g in ta.gradients(loss(lambda f: f), [x, w])]
    runs.clear()
    y = loss(checkpoint)
    for a, b in zip(ta.gradients(y, [x, w]), expected, strict=True):
        np.testing.assert_allclose(a.data, b, rtol=1e-14)
        assert a.dtype == b.dtype
    assert len(runs) == 2
    assert checkpoint(f)(x0)["a"][0].shape == x0.shape


def test_hooks_outside_are_called_once() -> None:
    for wrap in (lambda f: f, checkpoint):
        w = Tensor(2.0)
        h, seen = w * w, []
        w.register_hook(lambda g, seen=seen: seen.append("w") or g * 2)
        h.register_hook(lambda g, seen=seen: seen.append("h") or g * 2)
        wrap(lambda x, h=h, w=w: x * h + h * w)(Tensor(3.0)).backward()
        assert (w.grad, seen) == (2 * (2 * 5 * 4 + 4), ["h", "w"])


@pytest.mark.parametrize("number", [0, 1])
def test_a_gradient_that_is_not_asked_for_is_not_computed(number: int) -> None:
    asked = []

    def f(a: Any, b: Any) -> Any:
        a.register_hook(lambda g: asked.append("a"))
        b.register_hook(lambda g: asked.append("b"))
        return a * a * b

    inputs = [Tensor(2.0), Tensor(3.0)]
    slope = ta.gradients(checkpoint(f)(*inputs) ** 2, inputs[number])
    assert slope.data == (2 * 2**3 * 3**2 * 2, 2 * 2**4 * 3)[number]
    assert asked == ["ab"[number]]


def test_nothing_is_left_behind() -> None:
    """Of a walk that asks for one gradient of two: it would keep its graph alive."""
    gc.collect()
    gc.disable()
    try:
        a, b = Tensor(2.0), Tensor(3.0)
        slope = ta.gradients(checkpoint(lambda a, b: a * a * b)(a, b) ** 2, b)
        graph = weakref.ref(slope)
        del slope
        assert graph() is None
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_its_source_and_its_picture_can_be_had() -> None:
    y = np.sum(checkpoint(lambda x: np.tanh(x) * 2)(Tensor(x0, name="x")))
    assert "np.tanh(x)" in ta.backward_source(y)
    assert "checkpoint" in str(ta.draw(y))
    assert "checkpoint" in ta.step_through(y).html
    w = Tensor(2.0)
    with pytest.raises(RuntimeError, match="uses Tensors besides its arguments"):
        ta.backward_source(checkpoint(lambda x: x * w)(Tensor(3.0)))


def peak(layer: Any) -> int:
    def chain(x: Any) -> Any:
        for _ in range(10):
            x = np.tanh(x) * 0.9
        return x

    gc.collect()
    tracemalloc.start()
    try:
        y = Tensor(np.ones(20_000))
        for _ in range(10):
            y = layer(chain)(y)
        np.sum(y).backward()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_deep_chain_needs_a_fraction_of_the_memory() -> None:
    assert peak(checkpoint) < peak(lambda f: f) / 4
