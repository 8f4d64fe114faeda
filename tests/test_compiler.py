"""ta.compile: the compiled step does what the step does, and says so where it cannot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from samples import SAMPLES, Sample

import tinygrad_act as ta
from tinygrad_act import Tensor, nn, optim
from tinygrad_act.compiler import TraceError

both_styles = pytest.mark.parametrize("style", ["fast", "teaching"])
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
every_sample = pytest.mark.parametrize("sample", SAMPLES, ids=repr)


def equal(a: Any, b: Any) -> None:
    """The same numbers to the bit, in the same dtype."""
    a, b = np.asarray(a), np.asarray(b)
    assert a.dtype == b.dtype
    np.testing.assert_array_equal(a, b)


@every_sample
@both_dtypes
def test_every_op_compiles_to_its_own_value_and_gradients(sample: Sample, dtype: Any) -> None:
    def cast(x: Any) -> Any:
        return x.astype(dtype) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x

    inputs = [cast(x) for x in sample.inputs]

    def step(*arrays: Any) -> Any:
        tensors = [Tensor(a) if hasattr(a, "dtype") and a.dtype.kind == "f" else a for a in arrays]
        y = sample.op(*tensors)
        weights = np.linspace(0.5, 1.5, y.size, dtype=dtype).reshape(y.shape)
        variables = [t for t in tensors if isinstance(t, Tensor)]
        scalar = np.sum(y * weights)
        if sample.op.name == "where":
            variables = variables[-2:]
        return y, *ta.gradients(scalar, variables)

    expected = [t.data for t in step(*inputs)]
    for style in ("teaching", "fast"):
        compiled = ta.compile(step, style=style)
        for _ in range(2):
            for found, wanted in zip(compiled(*inputs), expected, strict=True):
                equal(found, wanted)


def digits_like(dtype: Any = np.float32) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    return rng.standard_normal((32, 8)).astype(dtype), rng.integers(0, 4, 32)


def network(activation: Any = ta.relu, dtype: Any = np.float32) -> nn.Sequential:
    rng = np.random.default_rng(1)
    return nn.Sequential(nn.Linear(8, 16, rng=rng), activation, nn.Linear(16, 4, rng=rng)).astype(dtype)


def training(make: Callable[[list[Tensor]], optim.Optimizer], schedule: bool = False) -> Callable[[Any], list[Any]]:
    """200 steps, with what becomes of the weights."""

    def run(wrap: Any) -> list[Any]:
        model = network()
        optimizer = make(model.parameters())
        x, labels = digits_like()

        def step(x: np.ndarray, labels: np.ndarray) -> Tensor:
            loss = ta.cross_entropy(model(x), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        do = wrap(step)
        losses = []
        for i in range(200):
            if schedule:
                optimizer.lr = 0.1 / (1 + i)
            losses.append(float(do(x, labels)))
        return [losses, *(p.data for p in model.parameters())]

    return run


OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.01),
    "nesterov": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "Adam": lambda p: optim.Adam(p, lr=0.01),
    "AdamW": lambda p: optim.AdamW(p, lr=0.01),
}


@both_styles
@pytest.mark.parametrize("schedule", [False, True], ids=["constant", "schedule"])
@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=list(OPTIMIZERS))
def test_training_is_the_same_to_the_bit(make: Any, schedule: bool, style: str) -> None:
    run = training(make, schedule)
    for found, wanted in zip(run(lambda step: ta.compile(step, style=style)), run(lambda step: step), strict=True):
        equal(found, wanted)


def test_a_schedule_does_not_trace_anew() -> None:
    made = []

    def wrap(step: Any) -> Any:
        made.append(ta.compile(step))
        return made[0]

    training(OPTIMIZERS["Adam"], schedule=True)(wrap)
    assert len(made[0].variants) == 1


def test_branching_on_a_traced_value_names_the_line() -> None:
    def step(x: Any) -> Any:
        return x if x.sum() > 0 else -x  # the line

    with pytest.raises(TraceError, match=r"branch.*\n.*the line"):
        ta.compile(step)(np.ones(3))
