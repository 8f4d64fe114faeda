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
        # mean 0.25 * 1.5 + 0.5 * 1.8 over 1 - 0.25; square 0.1875 * 4 + 0.25 * 3.24 over 1 - 0.5625
        (Adam, {"lr": 0.1, "eps": 0.0, "betas": (0.5, 0.75)}, square, [0.9, 0.9 - 0.1 * (1.4 / 0.75) / 3.5657142857**0.5]),
        # gradients 3 + 0.5 * 1 and 3 + 0.5 * 0.9, each a step of lr only if the averages forget at once
        (Adam, {"lr": 0.1, "eps": 0.0, "betas": (0.0, 0.0), "weight_decay": 0.5}, slope, [0.9, 0.8]),
        # 1 * (1 - 0.1 * 0.5) - 0.1, then 0.85 * 0.95 - 0.1
        (AdamW, {"lr": 0.1, "eps": 0.0, "weight_decay": 0.5}, slope, [0.85, 0.7075]),
    ],
    ids=str,
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
