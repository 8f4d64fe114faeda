"""What one takes for granted: memory that stays flat, threads that do not meet, copies that are as new."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import textwrap
import threading
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

    for _ in range(1000):
        step(x, labels)
    gc.collect()
    gc.disable()
    before, objects = resident(), len(gc.get_objects())
    for _ in range(10000):
        step(x, labels)
    grown = resident() - before
    print(grown, len(gc.get_objects()) - objects, gc.collect())
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the size of a process is read from Linux's /proc")
@pytest.mark.parametrize("how", ["eager", "compiled"])
def test_ten_thousand_steps_take_no_memory_and_leave_no_cycles(how: str) -> None:
    """With the garbage collector off: all that a step makes is freed when its loss is dropped."""
    command = [sys.executable, "-c", textwrap.dedent(TRAINING), how]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    grown, objects, cycles = map(int, done.stdout.split())
    assert grown < 1_000_000, f"{grown} bytes in 10,000 steps"
    assert objects < 100
    assert cycles == 0


def train(seed: int, optimiser: Callable[..., Any], compiled: bool = False) -> list[bytes]:
    """The bits of a network's parameters after 60 steps, some of them watched under no_grad()."""
    rng = np.random.default_rng(seed)
    model = nn.Sequential(nn.Linear(4, 9, rng=rng), "mish", nn.RReLU(rng=rng), nn.Linear(9, 2, rng=rng))
    optimiser = optimiser(model.parameters())
    x, t = rng.normal(size=(20, 4)), rng.normal(size=(20, 2))

    def step(x: Any, t: Any) -> Any:
        model.zero_grad()
        loss = ta.mse(model(x), t)
        loss.backward()
        optimiser.step()
        return loss

    run = ta.compile(step) if compiled else step
    for i in range(60):
        run(x, t)
        if i % 7 == 0:
            with ta.no_grad():
                assert not model(x).requires_grad
    return [p.data.tobytes() for p in model.parameters()]


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_threads_train_to_the_same_bits_as_alone(compiled: bool) -> None:
    jobs = [(seed, kind) for seed, kind in enumerate(OPTIMISERS)]
    alone = [train(seed, kind, compiled) for seed, kind in jobs]
    assert len({tuple(bits) for bits in alone}) == len(jobs)
    together: list[Any] = [None] * len(jobs)
    start = threading.Barrier(len(jobs), timeout=30)

    def work(i: int) -> None:
        start.wait()
        together[i] = train(*jobs[i], compiled)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # so that they do take turns within a step
    try:
        threads = [threading.Thread(target=work, args=(i,)) for i in range(len(jobs))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert together == alone


def network() -> nn.Sequential:
    rng = np.random.default_rng(3)
    return nn.Sequential(nn.Linear(3, 4, rng=rng), nn.Learned("prelu"), "tanh", nn.Linear(4, 2, rng=rng))


COPIES = [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))]


@pytest.mark.parametrize("again", COPIES, ids=["deepcopy", "pickle"])
def test_a_copied_network_computes_the_same_and_learns_for_itself(again: Any) -> None:
    model, x = network(), np.random.default_rng(0).normal(size=(5, 3))
    model(x).sum().backward()
    other = again(model)
    np.testing.assert_array_equal(other(x).data, model(x).data)
    assert [n for n, _ in other.named_parameters()] == [n for n, _ in model.named_parameters()]
    for mine, theirs in zip(model.parameters(), other.parameters(), strict=True):
        assert theirs is not mine
        assert theirs.name == mine.name
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
