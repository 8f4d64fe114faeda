"""What one takes for granted: memory that stays flat, threads that do not meet, copies that are as new."""

from __future__ import annotations

import contextlib
import copy
import gc
import pickle
import random
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act import nn

OPTIMISERS = [
    lambda p: ta.optim.SGD(p, lr=0.1),
    lambda p: ta.optim.SGD(p, lr=0.05, momentum=0.9),
    ta.optim.Adam,
    ta.optim.AdamW,
]

TRAINING = """
    import gc, os, sys
    import numpy as np
    import tinygrad_act as ta

    rng = np.random.default_rng(0)
    model = ta.nn.Sequential(ta.nn.Linear(8, 16, rng=rng), "gelu", ta.nn.Linear(16, 3, rng=rng))
    optimiser = ta.optim.Adam(model.parameters(), lr=1e-3)
    x, labels = rng.normal(size=(32, 8)), rng.integers(0, 3, 32)

    def step(x, labels):
        model.zero_grad()
        loss = ta.cross_entropy(model(x), labels)
        loss.backward()
        optimiser.step()
        return loss

    if "compiled" in sys.argv:
        step = ta.compile(step)

    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    for _ in range(10):
        step(x, labels)
    gc.collect()
    gc.disable()
    for _ in range(3000):  # until Python's own stocks of small objects are filled
        step(x, labels)
    before, blocks = resident(), sys.getallocatedblocks()
    for _ in range(10000):
        step(x, labels)
    print(resident() - before, sys.getallocatedblocks() - blocks, gc.collect())
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the size of a process is read from Linux's /proc")
@pytest.mark.parametrize("how", ["eager", "compiled"])
def test_ten_thousand_steps_take_no_memory_and_leave_no_cycles(how: str) -> None:
    """With the garbage collector off: all that a step makes is freed when its loss is dropped, to the last number."""
    command = [sys.executable, "-c", textwrap.dedent(TRAINING), how]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    grown, blocks, cycles = map(int, done.stdout.split())
    assert grown < 1_000_000, f"{grown} bytes in 10,000 steps"
    assert blocks < 100, f"{blocks} Python objects in 10,000 steps"
    assert cycles == 0


def f(x: Any) -> Any:
    return np.sum(np.tanh(x) ** 2 * x)


def with_a_hook(t: ta.Tensor) -> None:
    y = np.tanh(t)
    with y.register_hook(lambda g: 2 * g):
        y.sum().backward()


def watched(t: ta.Tensor) -> None:
    with ta.debug(), ta.debug() as report:
        f(t).backward()
    str(report)


def twice(t: ta.Tensor) -> None:
    slope = ta.gradients(f(t), t)
    ta.gradients((slope * slope).sum(), t)


def failing(t: ta.Tensor) -> None:
    for call in (lambda: t @ np.ones(2), lambda: np.linalg.inv(t * np.zeros((3, 3))), lambda: np.histogram(t)):
        with contextlib.suppress(ValueError, TypeError):
            call()


CALLS: dict[str, Callable[[ta.Tensor], Any]] = {
    **{g.__name__: lambda t, g=g: g(f)(t.data) for g in (ta.grad, ta.value_and_grad, ta.hessian)},
    "jacobian": lambda t: ta.jacobian(np.tanh)(t.data),
    "hvp": lambda t: ta.hvp(f, t.data, t.data),
    "jvp": lambda t: ta.jvp(np.tanh, (t.data,), (t.data,)),
    "vjp": lambda t: ta.vjp(np.tanh, t.data)[1](t.data),
    "checkpoint": lambda t: ta.checkpoint(np.tanh)(t).sum().backward(),
    "explain": lambda t: str(ta.explain(f(t))),
    "check_grads": lambda t: ta.testing.check_grads(f, t.data),
    **{g.__name__: g for g in (with_a_hook, watched, twice, failing)},
}


@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
def test_nothing_is_left_for_the_collector(call: Callable[[ta.Tensor], Any]) -> None:
    """Neither by transforms, nor by what looks on, nor by an error."""
    t = ta.Tensor([0.3, -1.0, 2.0])
    call(t)  # once for what is kept from then on
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            call(t)
        assert gc.collect() == 0
    finally:
        gc.enable()


def train(seed: int, optimiser: Callable[..., Any], compiled: bool = False) -> list[bytes]:
    """The bits of a network's parameters after some steps, each watched under no_grad()."""
    rng = np.random.default_rng(seed)
    model = nn.Sequential(nn.Linear(4, 9, rng=rng), "mish", nn.RReLU(rng=rng), nn.Linear(9, 2, rng=rng))
    optimiser = optimiser(model.parameters())
    x, labels = rng.normal(size=(20, 4)), rng.integers(0, 2, 20)

    def step(x: Any, labels: Any) -> Any:
        model.zero_grad()
        loss = ta.cross_entropy(model(x), labels) + 0.1 * np.mean(model(x) ** 2)
        loss.backward()
        optimiser.step()
        return loss

    run = ta.compile(step) if compiled else step
    for _ in range(6 if compiled else 40):
        run(x, labels)
        with ta.no_grad():
            assert not model(x).requires_grad
        a, b = ta.Tensor(x), ta.Tensor(x)
        c = a + b  # which hands its gradient on as it is
        (2 * c).sum().backward()
        assert not any(np.shares_memory(t.grad, g) for t, g in ((a, b.grad), (a, c.grad), (b, c.grad)))
    return [p.data.tobytes() for p in model.parameters()]


def dawdling(seed: int, *rooms: str) -> Callable[..., Any]:
    """A trace function that pauses before some lines of these modules, while other threads come far."""
    draw = random.Random(seed).random

    def trace(frame: Any, event: str, arg: Any) -> Any:
        if not frame.f_globals.get("__name__", "").startswith(tuple(f"tinygrad_act.{room}" for room in rooms)):
            return None
        if draw() < 0.01:
            time.sleep(1e-3)
        return trace

    return trace


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_threads_train_to_the_same_bits_as_alone(compiled: bool) -> None:
    jobs = [(seed, kind) for seed, kind in enumerate(OPTIMISERS)]
    alone = [train(seed, kind, compiled) for seed, kind in jobs]
    assert len({tuple(bits) for bits in alone}) == len(jobs)
    together: list[Any] = [None] * len(jobs)
    make = np.random.default_rng  # which is another while a step is traced
    rooms = ["compiler.traced", "compiler.compiled"] if compiled else [""]
    start = threading.Barrier(len(jobs), timeout=30)

    def work(i: int) -> None:
        start.wait()
        sys.settrace(dawdling(i, *rooms))
        together[i] = train(*jobs[i], compiled)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone
    assert np.random.default_rng is make


class Centred(nn.Module):
    """A layer with a constant, which is no parameter."""

    def __init__(self) -> None:
        self.mean = ta.Tensor([0.1, 0.2, 0.3], requires_grad=False)

    def forward(self, x: Any) -> Any:
        return x - self.mean


def network() -> nn.Sequential:
    rng = np.random.default_rng(3)
    layers = [nn.Linear(3, 4, rng=rng), nn.Learned("prelu"), "tanh", nn.RReLU(rng=rng), nn.Linear(4, 2, rng=rng)]
    return nn.Sequential(Centred(), *layers)


COPIES = [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("again", COPIES, ids=["deepcopy", "pickle"])
def test_a_copied_network_computes_the_same_and_learns_for_itself(again: Any, dtype: Any) -> None:
    model, x = network().astype(dtype), np.random.default_rng(0).normal(size=(5, 3)).astype(dtype)
    model(x).sum().backward()
    other = again(model)
    for _ in range(2):  # each draws for itself, and the same
        np.testing.assert_array_equal(other(x).data, model(x).data)
    assert not any(module.training for module in again(model.eval()).modules())
    assert [n for n, _ in other.named_parameters()] == [n for n, _ in model.named_parameters()]
    for mine, theirs in zip(model.parameters(), other.parameters(), strict=True):
        assert theirs is not mine
        assert theirs.dtype == theirs.grad.dtype == dtype
        np.testing.assert_array_equal(theirs.grad, mine.grad)
        assert not np.shares_memory(theirs.data, mine.data)
        assert not np.shares_memory(theirs.grad, mine.grad)
    before = [p.data.copy() for p in model.parameters()]
    optimiser = ta.optim.SGD(other.parameters(), lr=0.5)
    other(x).sum().backward()
    optimiser.step()
    for mine, theirs, old in zip(model.parameters(), other.parameters(), before, strict=True):
        np.testing.assert_array_equal(mine.data, old)
        assert (theirs.data != old).any()


@pytest.mark.parametrize("again", COPIES, ids=["deepcopy", "pickle"])
def test_tied_weights_stay_tied_in_a_copy(again: Any) -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model.tied = model.parameters()[0]
    other = again(model)
    assert other.tied is other.parameters()[0]


@pytest.mark.parametrize("again", COPIES, ids=["deepcopy", "pickle"])
def test_training_goes_on_from_a_copy_of_model_and_optimiser(again: Any) -> None:
    """Copied together, as they share the parameters."""
    x, t = np.random.default_rng(0).normal(size=(5, 3)), np.ones((5, 2))

    def steps(model: Any, optimiser: Any) -> list[float]:
        losses = []
        for _ in range(5):
            model.zero_grad()
            loss = ta.mse(model(x), t)
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        return losses

    model = network()
    optimiser = ta.optim.Adam(model.parameters(), lr=0.1)
    steps(model, optimiser)
    other = again((model, optimiser))
    assert steps(*other) == steps(model, optimiser)


def test_a_shallow_copy_shares_what_it_holds() -> None:
    model = network()
    other = copy.copy(model)
    assert [id(p) for p in other.parameters()] == [id(p) for p in model.parameters()]
    t = ta.Tensor([1.0, 2.0], name="t")
    twin = copy.copy(t)
    assert twin.name == "t"
    assert not np.shares_memory(twin.data, t.data)  # two leaves never share: an update of one would be unseen
