"""Optimisers: their numbers by hand, their manners, and their agreement with PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_act import Tensor, nn
from tinygrad_act.optim import SGD, Adam, AdamW, Optimizer

SETTINGS: list[tuple[type[Optimizer], dict[str, Any]]] = [
    (SGD, {"lr": 0.1}),
    (SGD, {"lr": 0.05, "momentum": 0.9}),
    (SGD, {"lr": 0.05, "momentum": 0.8, "nesterov": True}),
    (SGD, {"lr": 0.1, "weight_decay": 0.05}),
    (SGD, {"lr": 0.05, "momentum": 0.7, "nesterov": True, "weight_decay": 0.02}),
    (Adam, {"lr": 0.01}),
    (Adam, {"lr": 0.02, "betas": (0.7, 0.95), "eps": 1e-2}),
    (Adam, {"lr": 0.01, "weight_decay": 0.1}),
    (AdamW, {"lr": 0.01}),
    (AdamW, {"lr": 0.02, "betas": (0.7, 0.95), "eps": 1e-2, "weight_decay": 0.5}),
]
every_setting = pytest.mark.parametrize(("kind", "settings"), SETTINGS, ids=lambda s: getattr(s, "__name__", str(s)))
every_kind = pytest.mark.parametrize("kind", [SGD, Adam, AdamW])


def square(w: Any) -> Any:
    return (w * w).sum()


def slope(w: Any) -> Any:
    return (3 * w).sum()


@pytest.mark.parametrize(
    ("kind", "settings", "loss", "path"),
    [
        # from 1: the gradient of w² is 2, then 1.6, then 1.28
        (SGD, {"lr": 0.1}, square, [0.8, 0.64, 0.512]),
        # velocity 2, then 0.9 * 2 + 1.6 = 3.4, then 0.9 * 3.4 + 0.92 = 3.98
        (SGD, {"lr": 0.1, "momentum": 0.9}, square, [0.8, 0.46, 0.062]),
        # steps 2 + 0.9 * 2 = 3.8, then velocity 1.8 + 1.24 = 3.04 and step 1.24 + 0.9 * 3.04 = 3.976
        (SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}, square, [0.62, 0.2224]),
        # 3 + 0.5 * 1, then 3 + 0.5 * 0.65
        (SGD, {"lr": 0.1, "weight_decay": 0.5}, slope, [0.65, 0.3175]),
        # velocity 3.5, then 0.5 * 3.5 + 3 + 0.5 * 0.65 = 5.075
        (SGD, {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.5}, slope, [0.65, 0.1425]),
        # a constant gradient has itself for mean and root mean square: steps of lr
        (Adam, {"lr": 0.1, "eps": 0.0}, slope, [0.9, 0.8, 0.7]),
        # eps stands outside the root: 3 / (3 + 1)
        (Adam, {"lr": 0.1, "eps": 1.0}, slope, [0.925, 0.85]),
        # mean 0.5 + 0.5 * 1.8 = 1.4 over 1 - 0.5²; square 0.75 + 0.25 * 3.24 = 1.56 over 1 - 0.75²
        (
            Adam,
            {"lr": 0.1, "eps": 0.0, "betas": (0.5, 0.75)},
            square,
            [0.9, 0.9 - 0.14 / 0.75 / (1.56 / 0.4375) ** 0.5],
        ),
        # gradient 3 + 0.5, then 3 + 0.5 * 0.9; mean 0.5 * 1.75 + 0.5 * 3.45 = 2.6 over 1 - 0.5²
        (
            Adam,
            {"lr": 0.1, "eps": 0.0, "betas": (0.5, 0.0), "weight_decay": 0.5},
            slope,
            [0.9, 0.9 - 0.26 / 0.75 / 3.45],
        ),
        # 1 * (1 - 0.1 * 0.5) - 0.1, then 0.85 * 0.95 - 0.1
        (AdamW, {"lr": 0.1, "eps": 0.0, "weight_decay": 0.5}, slope, [0.85, 0.7075]),
    ],
)
def test_steps_are_as_worked_out_by_hand(
    kind: Any, settings: dict[str, Any], loss: Callable[[Any], Any], path: list[float]
) -> None:
    w = Tensor([1.0, 1.0])
    optimizer = kind([w], **settings)
    for expected in path:
        optimizer.zero_grad()
        loss(w).backward()
        optimizer.step()
        np.testing.assert_allclose(w.data, [expected, expected], rtol=1e-10)


def trained(kind: Any, settings: dict[str, Any], dtype: Any = np.float64, steps: int = 20) -> list[Tensor]:
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(16, 3)).astype(dtype), rng.normal(size=(16, 1)).astype(dtype)
    model = nn.Sequential(nn.Linear(3, 5, rng=rng, dtype=dtype), np.tanh, nn.Linear(5, 1, rng=rng, dtype=dtype))
    optimizer = kind(model.parameters(), **settings)
    before = [p.data for p in optimizer.parameters]
    copies = [a.copy() for a in before]
    for _ in range(steps):
        optimizer.zero_grad()
        ((model(x) - target) ** 2).mean().backward()
        optimizer.step()
    for p, array, copy in zip(optimizer.parameters, before, copies, strict=True):
        assert p.data is array, "a step is in place"
        assert not np.array_equal(array, copy), "and moves every parameter"
    return optimizer.parameters


@every_setting
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_steps_are_in_place_in_their_dtype_and_the_same_to_the_bit(
    kind: Any, settings: dict[str, Any], dtype: Any
) -> None:
    for first, second in zip(trained(kind, settings, dtype), trained(kind, settings, dtype), strict=True):
        assert first.dtype == dtype
        np.testing.assert_array_equal(first.data, second.data)


@every_setting
def test_a_step_leaves_the_gradient_alone(kind: Any, settings: dict[str, Any]) -> None:
    w = Tensor([1.0, 2.0])
    optimizer = kind([w], **settings)
    for _ in range(2):
        optimizer.zero_grad()
        square(w).backward()
        before = w.grad.copy()
        optimizer.step()
        np.testing.assert_array_equal(w.grad, before)


@every_setting
def test_what_has_no_gradient_stays_where_it_is(kind: Any, settings: dict[str, Any]) -> None:
    used, unused, frozen = Tensor([1.0]), Tensor([1.0]), Tensor([1.0], requires_grad=False)
    optimizer = kind([used, unused, frozen], **settings)
    square(used * frozen).backward()
    optimizer.step()
    assert used.item() < 1.0
    assert (unused.item(), frozen.item()) == (1.0, 1.0)


@every_kind
def test_a_step_makes_the_graph_stale(kind: Any) -> None:
    w = Tensor([1.0], name="w")
    loss = square(w)
    loss.backward()
    kind([w], lr=0.1).step()
    with pytest.raises(RuntimeError, match=r"w .* changed after multiply used it"):
        loss.backward()


@every_kind
def test_zero_grad_forgets_every_gradient(kind: Any) -> None:
    w, v = Tensor([1.0]), Tensor([1.0])
    square(w * v).backward()
    kind([w, v], lr=0.1).zero_grad()
    assert w.grad is None
    assert v.grad is None


@every_kind
def test_the_learning_rate_may_change_between_steps(kind: Any) -> None:
    w = Tensor([1.0])
    optimizer = kind([w], lr=0.1)
    optimizer.lr = 0.0
    square(w).backward()
    optimizer.step()
    assert w.item() == 1.0


@every_kind
def test_a_step_without_gradients_is_refused_and_leaves_no_trace(kind: Any) -> None:
    w, fresh = Tensor([1.0]), Tensor([1.0])
    refused, other = kind([w], lr=0.1), kind([fresh], lr=0.1)
    with pytest.raises(RuntimeError, match=r"no parameter has a gradient: call loss.backward\(\) before step\(\)"):
        refused.step()
    for _ in range(2):
        for optimizer, p in ((refused, w), (other, fresh)):
            optimizer.zero_grad()
            square(p).backward()
            optimizer.step()
    assert w.item() == fresh.item()


@every_kind
def test_what_cannot_work_is_refused_at_once(kind: Any) -> None:
    with pytest.raises(ValueError, match=rf"{kind.__name__} was given no parameters: pass model.parameters\(\)"):
        kind([], lr=0.1)
    for lr in (-0.1, float("nan")):
        with pytest.raises(ValueError, match=rf"{kind.__name__}: the learning rate lr = {lr} is to be 0 or more"):
            kind([Tensor(1.0)], lr=lr)
    kind([Tensor(1.0)], lr=0.0)


def test_nesterov_needs_momentum() -> None:
    with pytest.raises(ValueError, match=r"set momentum=0\.9"):
        SGD([Tensor(1.0)], lr=0.1, nesterov=True)


def paths(kind: Any, settings: dict[str, Any], joins: int, steps: int = 100) -> tuple[Any, Any]:
    """Where a network's parameters go with our optimiser, and with PyTorch's; the bias is used from step `joins`."""
    torch = pytest.importorskip("torch", reason="parity with PyTorch needs the extra tinygrad_act[parity]")
    torch.set_num_threads(1)  # two would wait for each other most of the time
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(20, 3)), rng.normal(size=20)
    start = [rng.normal(size=shape) for shape in ((3, 6), (6,), (6,))]
    ours = [Tensor(a) for a in start]
    theirs = [torch.tensor(a, requires_grad=True) for a in start]

    def path(weights: list[Any], optimizer: Any, tanh: Any, x: Any, target: Any, values: Any) -> list[Any]:
        W, b, v = weights
        points = []
        for step in range(steps):
            optimizer.zero_grad()
            z = x @ W + b if step >= joins else x @ W
            ((tanh(z) @ v - target) ** 2).mean().backward()
            optimizer.step()
            points.append(np.concatenate([values(p).ravel() for p in weights]))
        return points

    their_optimizer = getattr(torch.optim, kind.__name__)(theirs, **settings)
    return (
        path(ours, kind(ours, **settings), np.tanh, x, target, lambda p: p.data),
        path(theirs, their_optimizer, torch.tanh, torch.tensor(x), torch.tensor(target), lambda p: p.detach().numpy()),
    )


@every_setting
def test_the_path_is_pytorchs(kind: Any, settings: dict[str, Any]) -> None:
    ours, theirs = paths(kind, settings, joins=0)
    assert not np.allclose(ours[0], ours[-1], rtol=0.05)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@every_setting
def test_the_path_is_pytorchs_where_a_parameter_joins_late(kind: Any, settings: dict[str, Any]) -> None:
    ours, theirs = paths(kind, settings, joins=10)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@pytest.mark.parametrize(("kind", "decay"), [(Adam, 0.0), (AdamW, 0.01)])
def test_the_defaults_are_those_of_the_paper(kind: Any, decay: float) -> None:
    """The first step of Adam is lr in size, whatever the gradient; AdamW takes lr times the decay of w besides."""
    w = Tensor(2.0)
    (5.0 * w).backward()
    kind([w]).step()
    np.testing.assert_allclose(2.0 - w.item(), 1e-3 * (1 + 2.0 * decay), rtol=1e-7)
