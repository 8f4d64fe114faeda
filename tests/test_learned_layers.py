"""Layers that hold the parameters of activations that learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act import Tensor, nn, optim
from tinygrad_act.activations import learned
from tinygrad_act.nn.learned import Learned
from tinygrad_act.op import OPS, Op

LEARNED = [op for op in OPS.values() if op.learned]
every_learned = pytest.mark.parametrize("op", LEARNED, ids=lambda op: op.name)
x0 = np.array([-1000.0, -7.5, -1.0, -0.1, 0.0, 0.3, 2.0, 40.0])


@every_learned
@pytest.mark.parametrize("form", ["op", "name"])
def test_a_layer_starts_as_its_op_says(op: Op, form: str) -> None:
    layer = Learned(op if form == "op" else op.name.upper())
    assert {name: p.item() for name, p in layer.named_parameters()} == op.learned
    np.testing.assert_array_equal(layer(x0).data, op(x0, *op.learned.values()))
    assert repr(layer) == f"Learned({op!r})"


@every_learned
def test_a_layer_may_learn_for_each_feature(op: Op) -> None:
    layer = Learned(op, features=8)
    assert [p.shape for p in layer.parameters()] == [(8,)] * len(op.learned)
    y = layer(np.stack([x0, x0]) / 50)
    assert y.shape == (2, 8)
    y.sum().backward()
    assert all(p.grad.shape == (8,) for p in layer.parameters())
    assert repr(layer) == f"Learned({op!r}, features=8)"


def test_a_layer_may_learn_for_each_channel() -> None:
    layer = Learned("prelu", features=3, axis=-3, dtype=np.float32)
    assert layer.a.shape == (3, 1, 1)
    layer.a.data = np.array([0.1, 0.2, 0.3], np.float32).reshape(3, 1, 1)
    y = layer(-np.ones((2, 3, 4, 5), np.float32))
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y.data[1, :, 2, 3], np.float32([-0.1, -0.2, -0.3]))
    assert repr(layer) == "Learned(PReLU(), features=3, axis=-3)"


def test_what_is_given_is_where_it_starts() -> None:
    assert Learned("prelu", a=0.1).a.item() == 0.1
    np.testing.assert_array_equal(Learned("prelu", features=2, a=[0.1, 0.2]).a.data, [0.1, 0.2])
    np.testing.assert_array_equal(Learned("prelu", features=2, a=[0.5, 0.25])(-np.ones(2)).data, [-0.5, -0.25])
    layer = Learned("xielu", beta=0.25, alpha_p=1.0)
    assert layer.op == learned.XIELU(beta=0.25)
    assert [p.item() for p in layer.parameters()] == [1.0, learned.xielu.learned["alpha_n"]]


def test_a_layer_of_what_does_not_fit_is_refused() -> None:
    with pytest.raises(TypeError, match=r"ReLU\(\) learns nothing: it is a layer as it is"):
        Learned(ta.relu)
    with pytest.raises(TypeError, match="prelu has no setting 'alpha': it learns a, and has no settings"):
        Learned(ta.prelu, alpha=0.1)
    with pytest.raises(ValueError, match="Did you mean 'prelu'"):
        Learned("prelus")
    for axis in (0, 1):
        with pytest.raises(ValueError, match="axis counts from the end"):
            Learned("prelu", features=3, axis=axis)


def network() -> nn.Sequential:
    rng = np.random.default_rng(1)
    layers = [nn.Linear(2, 8, rng=rng), "prelu", nn.Linear(8, 8, rng=rng), Learned("snake", features=8)]
    return nn.Sequential(*layers, nn.Linear(8, 8, rng=rng), ta.acon_c, nn.Linear(8, 1, rng=rng), "tanh")


def test_a_sequential_takes_names() -> None:
    model = network()
    names = [name for name, _ in model.named_parameters()]
    assert [n for n in names if "weight" not in n and "bias" not in n] == [
        "layers.1.a",
        "layers.3.alpha",
        "layers.5.p_1",
        "layers.5.p_2",
        "layers.5.beta",
    ]
    assert model[7] is ta.tanh
    assert "5: Learned(ACONC())" in repr(model)
    assert "0: GELU()" in repr(nn.Sequential("gelu"))
    with pytest.raises(ValueError, match=r"no activation is called 'geluu'\. Did you mean 'gelu'"):
        nn.Sequential(nn.Linear(2, 2), "geluu")


def test_each_sequential_learns_for_itself() -> None:
    first, second = nn.Sequential("prelu"), nn.Sequential("prelu")
    first[0].a.data = np.array(0.5)
    assert second[0].a.item() == 0.25


def train(wrap: Callable[[Any], Any]) -> tuple[list[float], list[np.ndarray]]:
    model = network()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    x = np.random.default_rng(0).normal(size=(64, 2))
    target = np.sin(3 * x[:, :1])

    def step(x: np.ndarray, target: np.ndarray) -> Tensor:
        loss = ta.mse(model(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    do = wrap(step)
    return [float(do(x, target)) for _ in range(60)], [p.data for p in model.parameters()]


def test_a_network_with_learned_activations_trains_and_compiles_to_the_bit() -> None:
    losses, parameters = train(lambda step: step)
    assert losses[-1] < losses[0] / 2
    assert all((p != q.data).any() for p, q in zip(parameters, network().parameters(), strict=True))
    compiled_losses, compiled = train(ta.compile)
    np.testing.assert_array_equal(compiled_losses, losses)
    for ours, theirs in zip(compiled, parameters, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@every_learned
def test_a_layer_is_drawn(op: Op) -> None:
    loss = nn.Sequential(nn.Linear(2, 3), Learned(op, features=3))(np.ones((4, 2))).sum()
    loss.backward()
    assert f"{op.name}(affine, {', '.join(op.learned)})" in repr(ta.draw(loss))


def test_what_is_no_layer_is_refused_at_once() -> None:
    for wrong in (ta.LeakyReLU, None, [ta.relu]):
        with pytest.raises(TypeError, match="a layer is a module, an op, its name, or a function"):
            nn.Sequential(wrong)


@pytest.mark.parametrize(
    ("layer", "error", "told"),
    [
        ("gumbel_softmax", TypeError, r"gumbel_softmax is one of x, noise\.\n  Write nn\.GumbelSoftmax\(rng=\.\.\.\)"),
        (ta.gumbel_softmax, TypeError, r"Write nn\.GumbelSoftmax\(rng=\.\.\.\), which draws the noise"),
        ("rrelu", ValueError, r"It draws its slopes, so it is a layer: nn\.RReLU\(rng=\.\.\.\)"),
        (ta.cross_entropy, TypeError, "^a layer is a function of one array, but cross_entropy is one of z, y$"),
    ],
)
def test_what_is_no_function_of_one_array_is_refused_at_once(layer: Any, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        nn.Sequential(layer)


def test_features_of_another_number_are_refused() -> None:
    with pytest.raises(ValueError, match=r"got an array of shape \(2, 1\)"):
        nn.Learned("prelu", features=3)(np.ones((2, 1)))


def test_numbers_for_parameters_keep_the_dtype() -> None:
    assert ta.xielu(np.float32([-1.0, 2.0]), 0.2, -1.0).dtype == np.float32
