"""Modules, layers and initial weights: what counts as a parameter, what it is called, and what layers compute."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act import Tensor, nn


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


class Everywhere(nn.Module):
    """Parameters in every place a module may have them, and beside them what is none."""

    def __init__(self) -> None:
        self.scale = Tensor(2.0)
        self.offset = Tensor([1.0], requires_grad=False)
        self.array = np.ones(3)
        self.layer = nn.Linear(3, 2, rng=rng())
        self.parts = [nn.Linear(2, 2, bias=False, rng=rng()), (Tensor(1.0), nn.Flatten())]
        self.table = {"a": Tensor(3.0), "b": {"c": nn.Linear(2, 1, bias=False, rng=rng())}}
        self.same = self.scale
        self.twin = self.layer

    def forward(self, x: Any) -> Any:
        return self.layer(self.scale * x)


EVERYWHERE = ["scale", "layer.weight", "layer.bias", "parts.0.weight", "parts.1.0", "table.a", "table.b.c.weight"]


def deep(dtype: Any = None) -> nn.Sequential:
    inner = nn.Sequential(nn.Maxout(3, 4, pieces=2, dtype=dtype, rng=rng(1)), ta.tanh)
    return nn.Sequential(nn.Flatten(), inner, nn.Linear(4, 2, dtype=dtype, rng=rng(2)))


def test_parameters_are_found_wherever_they_are_and_counted_once() -> None:
    model = Everywhere()
    assert [name for name, _ in model.named_parameters()] == EVERYWHERE
    assert [id(p) for p in model.parameters()] == [id(p) for _, p in model.named_parameters()]


def test_a_parameter_is_named_by_its_path() -> None:
    assert [p.name for _, p in Everywhere().named_parameters()] == EVERYWHERE


def test_nesting_renames_by_the_outer_path() -> None:
    layer = nn.Linear(2, 2, rng=rng())
    assert (layer.weight.name, layer.bias.name) == ("weight", "bias")
    model = nn.Sequential(nn.Sequential(layer))
    assert (layer.weight.name, layer.bias.name) == ("layers.0.layers.0.weight", "layers.0.layers.0.bias")
    assert [p.name for p in model.parameters()] == [name for name, _ in model.named_parameters()]


def test_what_is_added_to_a_list_later_is_found_and_named() -> None:
    model = Everywhere()
    late = nn.Linear(1, 1, rng=rng())
    model.parts.append(late)
    assert any(p is late.weight for p in model.parameters())
    assert late.weight.name == "parts.2.weight"


def test_a_frozen_tensor_is_no_parameter() -> None:
    layer = nn.Linear(2, 1, rng=rng())
    layer.weight.requires_grad = False
    assert [name for name, _ in layer.named_parameters()] == ["bias"]


def test_a_module_that_contains_itself_is_walked_once() -> None:
    model = Everywhere()
    model.parts.append(model)
    assert len(list(itertools.islice(model.modules(), 9))) == 5
    assert [name for name, _ in model.named_parameters()] == EVERYWHERE


def test_train_and_eval_switch_every_module() -> None:
    model = Everywhere()
    modules = [model, model.layer, model.parts[0], model.parts[1][1], model.table["b"]["c"]]
    assert all(m.training for m in modules)
    assert model.eval() is model
    assert not any(m.training for m in modules)
    assert model.train() is model
    assert all(m.training for m in modules)
    assert nn.Linear(1, 1).training, "a module elsewhere is not switched"


@pytest.mark.parametrize("make", [lambda: deep().astype(np.float32), lambda: deep(np.float32)], ids=["astype", "dtype"])
def test_a_float32_model_stays_float32_all_the_way(make: Any) -> None:
    model = make()
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}
    y = model(np.ones((5, 3, 1), np.float32))
    assert y.dtype == np.float32
    y.sum().backward()
    assert {p.grad.dtype for p in model.parameters()} == {np.dtype(np.float32)}


def test_astype_keeps_the_values_in_place_and_forgets_gradients() -> None:
    model = deep()
    before = model.parameters()
    model(np.ones((5, 3))).sum().backward()
    assert model.astype(np.float32) is model
    for p, fresh in zip(model.parameters(), deep().parameters(), strict=True):
        assert any(p is b for b in before)
        assert p.grad is None
        np.testing.assert_array_equal(p.data, fresh.data.astype(np.float32))


def test_zero_grad_forgets_every_gradient() -> None:
    model = deep()
    model(np.ones((5, 3))).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())


def test_a_module_without_forward_says_so() -> None:
    with pytest.raises(NotImplementedError, match=r"Module needs a forward\(self"):
        nn.Module()(1.0)


def test_repr_shows_the_parts() -> None:
    assert repr(nn.Module()) == "Module()"
    assert repr(deep()).splitlines() == [
        "Sequential(",
        "  0: Flatten()",
        "  1: Sequential(",
        "    0: Maxout(3, 4, pieces=2)",
        "    1: Tanh()",
        "  )",
        "  2: Linear(4, 2)",
        ")",
    ]
    lines = repr(Everywhere().eval()).splitlines()
    assert lines[:2] == ["Everywhere(", "  scale: () float64"]
    assert "  layer: Linear(3, 2)" in lines
    assert "Linear(2, 2, bias=False)" in repr(Everywhere())
    assert not any("training" in line for line in lines)


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 4, 3), (0, 3)], ids=str)
@pytest.mark.parametrize("bias", [True, False])
def test_linear_is_x_W_plus_b(shape: tuple[int, ...], bias: bool) -> None:
    layer = nn.Linear(3, 2, bias=bias, rng=rng())
    if bias:
        layer.bias.data = np.array([10.0, 20.0])
    x, g = rng(1).normal(size=shape), rng(2).normal(size=(*shape[:-1], 2))
    y = layer(x)
    np.testing.assert_allclose(y.data, x @ layer.weight.data + (np.array([10.0, 20.0]) if bias else 0), rtol=1e-14)
    y.backward(g)
    rows, cotangents = x.reshape(-1, 3), g.reshape(-1, 2)
    np.testing.assert_allclose(layer.weight.grad, rows.T @ cotangents, rtol=1e-13)
    assert (layer.bias is None) == (not bias)
    if bias:
        np.testing.assert_allclose(layer.bias.grad, cotangents.sum(axis=0), rtol=1e-13)


@pytest.mark.parametrize("kind", [nn.Linear, nn.Maxout])
def test_a_layer_is_the_same_from_the_same_seed(kind: Any) -> None:
    first, second, other = (kind(4, 3, rng=rng(seed)).parameters()[0].data for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_weights_start_by_glorot_or_as_told_and_biases_at_zero() -> None:
    np.testing.assert_array_equal(nn.Linear(4, 3, rng=rng(5)).weight.data, nn.init.glorot_uniform(rng(5), (4, 3)))
    layer = nn.Linear(4, 3, rng=rng(5), initial=nn.init.he_normal)
    np.testing.assert_array_equal(layer.weight.data, nn.init.he_normal(rng(5), (4, 3)))
    np.testing.assert_array_equal(layer.bias.data, np.zeros(3))
    pieces = nn.Maxout(4, 3, pieces=2, rng=rng(5), initial=nn.init.lecun_normal).affine
    np.testing.assert_array_equal(pieces.weight.data, nn.init.lecun_normal(rng(5), (4, 6)))
    assert nn.Maxout(4, 3).affine.weight.shape == (4, 2 * 3)


def test_uniform_weights_are_within_1_of_0_and_normal_ones_of_standard_deviation_1() -> None:
    drawn = nn.init.uniform(rng(), (10_000,))
    assert -1 <= drawn.min() < -0.99
    assert 0.99 < drawn.max() < 1
    assert nn.init.normal(rng(), (10_000,)).std() == pytest.approx(1, rel=0.02)


def test_linear_names_itself_when_the_input_does_not_fit() -> None:
    with pytest.raises(ValueError, match=r"affine: (.|\n)*W: weight \(3, 2\)"):
        nn.Linear(3, 2)(np.ones((5, 4)))


@pytest.mark.parametrize("pieces", [1, 2, 5])
@pytest.mark.parametrize("shape", [(3,), (6, 3), (2, 4, 3)], ids=str)
def test_maxout_is_the_greatest_of_its_affine_pieces(pieces: int, shape: tuple[int, ...]) -> None:
    layer = nn.Maxout(3, 4, pieces=pieces, rng=rng())
    W, b = rng(1).normal(size=(3, 4 * pieces)), rng(2).normal(size=4 * pieces)
    layer.affine.weight.data, layer.affine.bias.data = W, b
    x = rng(3).normal(size=shape)
    lines = [x @ W[:, k::pieces] + b[k::pieces] for k in range(pieces)]
    np.testing.assert_allclose(layer(x).data, np.maximum.reduce(lines), rtol=1e-14)


@pytest.mark.parametrize("layer", [nn.Flatten(), nn.Maxout(3, 2, rng=rng()), nn.Linear(3, 2, rng=rng())], ids=repr)
def test_an_empty_batch_gives_an_empty_result(layer: nn.Module) -> None:
    assert layer(np.zeros((0, 3))).shape == (0, 3 if isinstance(layer, nn.Flatten) else 2)


def test_flatten_keeps_the_first_axis_and_passes_the_gradient() -> None:
    x = Tensor(rng().normal(size=(5, 2, 3, 4)))
    y = nn.Flatten()(x)
    np.testing.assert_array_equal(y.data, x.data.reshape(5, 24))
    y.backward(np.arange(120.0).reshape(5, 24))
    np.testing.assert_array_equal(x.grad, np.arange(120.0).reshape(5, 2, 3, 4))


def test_sequential_applies_modules_ops_and_any_functions_in_order() -> None:
    layers = (nn.Linear(3, 3, rng=rng()), ta.tanh, ta.Softmax(axis=0), np.square, lambda x: x + 1)
    model = nn.Sequential(*layers)
    x = rng(1).normal(size=(5, 3))
    expected = np.square(ta.softmax(np.tanh(x @ model[0].weight.data), axis=0)) + 1
    np.testing.assert_allclose(model(x).data, expected, rtol=1e-14)
    assert len(model) == 5
    assert [model[i] for i in range(5)] == list(layers)
    assert model[-1] is layers[-1]


@pytest.mark.parametrize(
    ("name", "variance"),
    [("he", lambda i, o: 2 / i), ("lecun", lambda i, o: 1 / i), ("glorot", lambda i, o: 2 / (i + o))],
)
@pytest.mark.parametrize("shape", [(200, 300), (7, 150, 60)], ids=str)
def test_initial_variance_is_the_one_in_the_paper(name: str, variance: Any, shape: tuple[int, ...]) -> None:
    """Within five standard errors, which are sqrt((kurtosis - 1) / n); uniform weights fill their interval."""
    v, n = variance(*shape[-2:]), math.prod(shape)
    normal, uniform = (getattr(nn.init, f"{name}_{kind}")(rng(3), shape) for kind in ("normal", "uniform"))
    for w, kurtosis in ((normal, 3.0), (uniform, 1.8)):
        assert w.shape == shape
        assert abs(w.mean()) < 5 * math.sqrt(v / n)
        assert abs(w.var() / v - 1) < 5 * math.sqrt((kurtosis - 1) / n)
    assert 0.999 * math.sqrt(3 * v) < np.abs(uniform).max() <= math.sqrt(3 * v)
    assert np.abs(normal).max() > 3.5 * math.sqrt(v)


def test_plain_initialisers_do_as_they_say() -> None:
    w = nn.init.uniform(rng(), (5000,), bound=0.3)
    assert 0.299 < w.max() <= 0.3
    assert -0.3 <= w.min() < -0.299
    assert nn.init.normal(rng(), (5000,), std=0.3).std() == pytest.approx(0.3, rel=0.05)
    np.testing.assert_array_equal(nn.init.zeros(rng(), (2, 3)), np.zeros((2, 3)))


NAMES = [f"{name}_{kind}" for name in ("he", "lecun", "glorot") for kind in ("normal", "uniform")]


@pytest.mark.parametrize("name", NAMES)
def test_weights_of_one_axis_have_no_fan_in(name: str) -> None:
    with pytest.raises(ValueError, match=r"weights of shape \(3,\) have no input axis: use uniform, normal or zeros"):
        getattr(nn.init, name)(rng(), (3,))


@pytest.mark.parametrize("name", [*NAMES, "uniform", "normal"])
def test_initial_weights_are_reproducible(name: str) -> None:
    initial = getattr(nn.init, name)
    np.testing.assert_array_equal(initial(rng(4), (2, 3)), initial(rng(4), (2, 3)))
    assert not np.array_equal(initial(rng(4), (2, 3)), initial(rng(5), (2, 3)))


def test_new_data_of_a_parameter_makes_its_graph_stale() -> None:
    layer = nn.Linear(2, 1, rng=rng())
    loss = layer(np.ones((3, 2))).sum()
    layer.weight.data = np.ones((2, 1))
    with pytest.raises(RuntimeError, match=r"weight \(shape \(2, 1\)\) changed after affine used it"):
        loss.backward()
    layer(np.ones((3, 2))).sum().backward()
    np.testing.assert_array_equal(layer.weight.grad, [[3.0], [3.0]])


def test_a_kept_result_is_no_parameter() -> None:
    class Keeps(nn.Module):
        def __init__(self) -> None:
            self.w = Tensor(2.0)

        def forward(self, x: float) -> Tensor:
            self.last = self.w * x
            return self.last

    model = Keeps()
    model(3.0)
    assert [name for name, _ in model.named_parameters()] == ["w"]
