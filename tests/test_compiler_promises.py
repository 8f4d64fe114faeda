"""Nothing is baked in silently: steps as people write them, eager against compiled, or refused in words."""

from __future__ import annotations

import collections
import copy
import cProfile
import dataclasses
import enum
import functools
import math
import queue
import random
import sys
import threading
import time
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.random import default_rng

import tinygrad_act as ta
from tinygrad_act import Tensor, nn, optim
from tinygrad_act.compiler import Compiled, TraceError

X = np.linspace(-1, 1, 6).reshape(2, 3)
Wrap = Callable[[Any], Any]


def plain(tree: Any) -> Any:
    """The numbers in what a step returned."""
    if isinstance(tree, dict):
        return {key: plain(item) for key, item in tree.items()}
    if isinstance(tree, list | tuple):
        return [plain(item) for item in tree]
    return np.array(tree.data if isinstance(tree, Tensor) else tree)


def taking_turns(*functions: Any) -> Any:
    """A step that does one after the other: its place in the queue is not Python's to see."""
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for function in functions:
        waiting.put(function)
    return lambda x: waiting.get()(x)


def target_network(wrap: Wrap) -> Any:
    live, target = Tensor(np.ones(3)), Tensor(np.zeros(3))

    def sync() -> None:
        target.data = live.data

    wrap(sync)()
    live.data -= 0.5
    return target.data


def history_of_weights(wrap: Wrap) -> Any:
    w = Tensor(np.ones(3))

    def step(x: Any) -> Any:
        w.data -= 0.1 * x
        return w.data.copy()

    do = wrap(step)
    return [do(np.ones(3)) for _ in range(3)]


def two_states_of_one_value(wrap: Wrap) -> Any:
    state = SimpleNamespace(m=np.zeros(3), v=np.zeros(3))

    def start(x: Any) -> Any:
        state.m = x * 0.5
        state.v = x * 0.5
        return x * 2, x * 2

    a, _ = wrap(start)(np.ones(3))
    state.m += 1
    a += 1
    return state.v, wrap(start)(np.ones(3))[1]


def an_array_refilled(wrap: Wrap) -> Any:
    def step(x: Any) -> Any:
        mask, out = np.zeros(3), 0
        for t in range(3):
            mask[:] = 0
            mask[t] = t + 1
            out = out + x * mask
        return out

    return wrap(step)(np.ones(3))


def a_reset_state(wrap: Wrap) -> Any:
    state = SimpleNamespace(h=np.ones(3))

    def reset(x: Any) -> Any:
        state.h = np.zeros_like(state.h)
        return x * 2

    def add(x: Any) -> Any:
        state.h += x
        return state.h.sum()

    clear, more, seen = wrap(reset), wrap(add), []
    for _ in range(3):
        clear(np.ones(3))
        seen.append(more(np.ones(3)))
    return seen


def a_constant_returned(wrap: Wrap) -> Any:
    do = wrap(lambda x: (x * 2, np.zeros(3)))
    _, zeros = do(X)
    zeros += 1
    return do(X)


def forgotten_zero_grad(wrap: Wrap) -> Any:
    w = Tensor(np.ones(3))
    optimizer = optim.SGD([w], lr=0.1)

    def step(x: Any) -> Any:
        loss = np.sum(w * x)
        loss.backward()
        optimizer.step()
        return loss

    do = wrap(step)
    for _ in range(4):
        do(np.arange(3.0))
    return w.data


def a_tensor_as_argument(wrap: Wrap) -> Any:
    w = Tensor(np.ones(3))

    def step(w: Any, x: Any) -> Any:
        w.zero_grad()
        loss = np.sum(w * w * x)
        loss.backward()
        return loss

    do = wrap(step)
    do(w, np.ones(3))
    other = Tensor(np.full(3, 2.0))
    do(other, np.ones(3))
    return w.grad, other.grad


def a_tensor_as_two_arguments(wrap: Wrap) -> Any:
    p = Tensor(np.ones(3))

    def step(a: Any, b: Any) -> Any:
        loss = np.sum(a * b)
        p.zero_grad()
        loss.backward()
        a.data -= 0.1 * a.grad
        return loss

    do = wrap(step)
    return [do(p, p), do(p, p), p.data]


def questions_of_type(wrap: Wrap) -> Any:
    state = SimpleNamespace(lr=0.1)

    def step(x: Any) -> Any:
        if isinstance(x, np.ndarray):
            x = x / 255.0
        return x * (state.lr if isinstance(state.lr, float) else 7.0)

    return wrap(step)(X)


class Mode(enum.IntEnum):
    TRAIN = 1
    EVAL = 2


def modes(wrap: Wrap) -> Any:
    state = SimpleNamespace(mode=Mode.TRAIN)
    do = wrap(lambda x: x * 2 if state.mode is Mode.TRAIN else x * (3 if state.mode == Mode.EVAL else 4))
    first = do(X)
    state.mode = Mode.EVAL
    return first, do(X)


def state_by_tensor(wrap: Wrap) -> Any:
    p = Tensor(np.ones(3), name="p")
    state: dict[Any, Any] = {p: {"m": np.zeros(3), "t": 0}}

    def step(x: Any) -> Any:
        mine = state[p]
        mine["t"] += 1
        mine["m"] = 0.9 * mine["m"] + x
        p.data -= 0.1 * mine["m"] / mine["t"]
        return p.data.sum()

    do = wrap(step)
    return [do(np.ones(3)) for _ in range(4)], state[p]["m"], state[p]["t"]


def keys_of_arguments(wrap: Wrap) -> Any:
    has = wrap(lambda d: d["a"] * (2 if "b" in d else 3))
    weighted = wrap(lambda d: sum(k * v for k, v in zip((1, 2), d.values(), strict=True)))
    return (
        has({"a": X, "b": X}),
        has({"a": X, "c": X}),
        weighted({"a": X, "b": 2 * X}),
        weighted({"b": 2 * X, "a": X}),
    )


def without_recording(wrap: Wrap) -> Any:
    w = Tensor(np.ones(3))

    def step(x: Any) -> Any:
        y = np.sum(w * x)
        if y.requires_grad:
            w.zero_grad()
            y.backward()
            w.data -= 0.1 * w.grad
        return y

    do = wrap(step)
    with ta.no_grad():
        first = do(np.ones(3))
    return first, do(np.ones(3)), do(np.ones(3))


def methods(wrap: Wrap) -> Any:
    class Trainer:
        def __init__(self) -> None:
            self.model = nn.Linear(3, 2, rng=np.random.default_rng(0))
            self.optimizer = optim.SGD(self.model.parameters(), lr=0.1)
            self.step = wrap(self.one_step)

        def one_step(self, x: Any) -> Any:
            loss = np.sum(self.model(x) ** 2)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            return loss

    trainer = Trainer()
    return [trainer.step(X) for _ in range(3)]


def a_decorated_method(wrap: Wrap) -> Any:
    class Scaled:
        def __init__(self, by: float) -> None:
            self.by = by

        @wrap
        def step(self, x: Any) -> Any:
            return x * self.by

    a, b = Scaled(2.0), Scaled(3.0)
    return a.step(X), b.step(X), a.step(X)


def a_transposed_weight(wrap: Wrap) -> Any:
    w = Tensor(np.ones((4, 3)))
    optimizer = optim.SGD([w], lr=0.1)

    def step(x: Any) -> Any:
        loss = np.sum((x @ w.T) ** 2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    do = wrap(step)
    return [do(X) for _ in range(3)], w.data


def nothing_done(wrap: Wrap) -> Any:
    return wrap(lambda x: x)(X), wrap(lambda: 3.0)()


def infinite_numbers(wrap: Wrap) -> Any:
    state = SimpleNamespace(clip=math.inf, t=0.5, lr=np.float32(0.1))

    def step(x: Any) -> Any:
        y = x * 2 if state.clip == math.inf else np.minimum(x, state.clip)
        y = y * 2 if np.sqrt(state.t) > 0.1 else -y
        return np.maximum(y * math.sqrt(state.lr), -np.inf) + np.where(y > 5, np.full(3, -np.inf), 0.0)

    return wrap(step)(X)


def awkward_names(wrap: Wrap) -> Any:
    w, v = Tensor(np.ones(3), name="lambda"), Tensor(np.ones(3))
    do = wrap(lambda c1, _c2, len: c1 * w + _c2 * v + len)
    return do(X, X, X), do(2 * X, X, X)


def a_gradient_averaged_first(wrap: Wrap) -> Any:
    p = Tensor(np.ones(3))
    p.grad = np.ones(3)

    def step(x: Any) -> Any:
        p.data -= 0.1 * (p.grad / 4)
        return p.data * x

    do = wrap(step)
    return [do(np.ones(3)), do(np.ones(3))]


@dataclasses.dataclass(frozen=True, slots=True)
class Config:
    rate: float = 0.5


class Attributes(dict):
    __getattr__ = dict.__getitem__


def odd_containers(wrap: Wrap) -> Any:
    config, attributes = Config(), Attributes(rate=2.0)
    do = wrap(lambda x: x * config.rate * attributes.rate * attributes["rate"])
    first = do(X)
    attributes["rate"] = 3.0
    return first, do(X)


def bound_arguments(wrap: Wrap) -> Any:
    table = np.ones(3)

    def scaled(x: Any, *, by: Any = table) -> Any:
        return x * by

    do = wrap(functools.partial(scaled))
    first = do(X)
    table[:] = 2
    return first, do(X)


def ring_buffer(wrap: Wrap) -> Any:
    state = SimpleNamespace(buffer=np.zeros(3), i=0)

    def step(x: Any) -> Any:
        state.buffer[state.i % 3] = x.sum()
        state.i += 1
        return state.buffer.copy()

    do = wrap(step)
    return [do(k * X) for k in range(5)]


def lists_with_attributes(wrap: Wrap) -> Any:
    class Scales(list):
        by = 1.0

    class Meta(type):
        pass

    class Hyper(metaclass=Meta):
        rate = 1.0

    scales, settings = Scales([2.0]), collections.UserDict(rate=3.0)
    do = wrap(lambda x: x * scales[0] * scales.by * settings["rate"] * Hyper.rate)
    first = do(X)
    scales.by, settings["rate"], Hyper.rate = 5.0, 7.0, 11.0
    return first, do(X)


def long_lists_and_sets(wrap: Wrap) -> Any:
    table, skipped = [float(i) for i in range(100)], {1}
    do = wrap(lambda x: sum(x * table[i] for i in range(3) if i not in skipped))
    first = do(X)
    table[2] = 50.0
    second = do(X)
    skipped.clear()
    return first, second, do(X)


def function_attributes(wrap: Wrap) -> Any:
    def scaled(x: Any) -> Any:
        scaled.calls += 1
        return x * scaled.rate + scaled.calls

    scaled.calls, scaled.rate = 0, 2.0
    do = wrap(lambda x: scaled(x))
    first = do(X)
    scaled.rate = 3.0
    return first, do(X), scaled.calls


def imports_inside(wrap: Wrap) -> Any:
    module = ModuleType("hyperparameters")
    module.rate = 2.0
    sys.modules["hyperparameters"] = module

    def step(x: Any) -> Any:
        import hyperparameters
        from hyperparameters import rate

        return x * hyperparameters.rate + rate

    do = wrap(step)
    first = do(X)
    module.rate = 3.0
    return first, do(X)


SAME = [
    lists_with_attributes, long_lists_and_sets, function_attributes, imports_inside,
    target_network, history_of_weights, two_states_of_one_value, an_array_refilled, a_reset_state, a_constant_returned,
    forgotten_zero_grad, a_tensor_as_argument, a_tensor_as_two_arguments, questions_of_type, modes, state_by_tensor,
    keys_of_arguments, without_recording, methods, a_decorated_method, a_transposed_weight, nothing_done,
    infinite_numbers, awkward_names, a_gradient_averaged_first, odd_containers, bound_arguments, ring_buffer,
]  # fmt: skip


@pytest.mark.parametrize("style", ["fast", "teaching"])
@pytest.mark.parametrize("run", SAME, ids=lambda f: f.__name__)
def test_is_the_same_compiled(run: Callable[[Wrap], Any], style: str) -> None:
    eager, compiled = plain(run(lambda f: f)), plain(run(lambda f: ta.compile(f, style=style)))
    np.testing.assert_equal(compiled, eager)


def appended() -> None:
    kept: list[Any] = []

    def step(hidden: Any, x: Any) -> Any:
        hidden.append(x * 2)
        return x + 1

    ta.compile(step)(kept, X)


def shared(x: np.ndarray) -> None:
    def step(a: Any, b: Any) -> Any:
        u = b * 2
        a += 1
        return u, b * 2

    ta.compile(step)(x[:1], x)


def result_of_another_graph() -> None:
    features = ta.tanh(Tensor(X))
    ta.compile(lambda h: np.sum(h * h))(features)


def result_of_another_graph_in_the_place_of_a_leaf() -> None:
    step = ta.compile(lambda h: np.sum(h * h))
    step(Tensor(X))
    step(ta.tanh(Tensor(X)))


objects = np.array([1.0, None], dtype=object)
older, youngest = np.random.RandomState(0), random.Random(0)
batches = iter([X, 2 * X])
REFUSED = {
    "no seed": (lambda: ta.compile(lambda x: x + np.random.default_rng().random())(X), "something else each time"),
    "no seed, by its name": (lambda: ta.compile(lambda x: x + default_rng().random())(X), "something else each time"),
    "no seed, by its class": (
        lambda: ta.compile(lambda x: x + np.random.Generator(np.random.PCG64()).random())(X),
        "something else each time",
    ),
    "the time": (lambda: ta.compile(lambda x: x * time.perf_counter())(X), "test_compiler_promises.py, line"),
    "the time, returned": (lambda: ta.compile(lambda x: (x * 2, time.perf_counter()))(X), "what the step returns"),
    "a queue": (lambda: ta.compile(taking_turns(np.tanh, np.sin))(X), "np.tanh, and then with np.sin"),
    "a shorter queue": (lambda: ta.compile(taking_turns(np.tanh, lambda x: x))(X), "np.tanh, and then with ."),
    "objects": (lambda: ta.compile(lambda x: x * objects[0])(X), "cannot be traced"),
    "mask": (lambda: ta.compile(lambda x: x[x > 0].sum())(X), "depends on the numbers"),
    "nonzero": (lambda: ta.compile(lambda x: np.flatnonzero(x > 0))(X), "depends on the numbers"),
    "order": (lambda: ta.compile(lambda x: x.ravel(order="K"))(X), "lies in memory"),
    "append": (appended, "changes how much hidden holds"),
    "shared memory": (lambda: shared(np.ones((2, 3))), "shares memory"),
    "another graph": (result_of_another_graph, "began outside the step"),
    "another graph, later": (result_of_another_graph_in_the_place_of_a_leaf, "began outside the step"),
    "iterator": (lambda: ta.compile(lambda: next(batches) * 2)(), "cannot be traced"),
    "RandomState": (lambda: ta.compile(lambda x: x * older.rand())(X), "cannot be traced"),
    "random.Random": (lambda: ta.compile(lambda x: x * youngest.random())(X), "cannot be traced"),
}


@pytest.mark.parametrize(("act", "said"), REFUSED.values(), ids=list(REFUSED))
def test_is_refused_in_words(act: Callable[[], None], said: str) -> None:
    with pytest.raises(TraceError, match=said):
        act()


def asks_in_the_condition(w: Any) -> Any:
    return 2 if w.grad is None else 1


def asks_of_a_variable(w: Any) -> Any:
    g = w.grad
    return 1 if g is not None else 2


def asks_in_a_comprehension(w: Any) -> Any:
    return 2 - len([p for p in [w] if p.grad is not None])


@pytest.mark.parametrize("ask", [asks_in_the_condition, asks_of_a_variable, asks_in_a_comprehension])
def test_whether_there_is_a_gradient_is_asked_anew(ask: Any) -> None:
    def run(wrap: Wrap) -> list[float]:
        w = Tensor(np.ones(3))

        def step(x: Any) -> Any:
            factor = ask(w)
            w.zero_grad()
            loss = np.sum(w * x)
            loss.backward()
            return loss * factor

        do = wrap(step)
        return [float(plain(do(np.ones(3)))) for _ in range(3)]

    assert run(ta.compile) == run(lambda step: step) == [6.0, 3.0, 3.0]


def test_a_step_is_traced_while_a_profiler_runs() -> None:
    profiler = cProfile.Profile()
    profiler.enable()
    try:
        assert ta.compile(lambda x: x + 1)(1.0) == 2.0
        sum(abs(i) for i in range(3))
    finally:
        profiler.disable()
    profiler.create_stats()
    called = [name for _, _, name in vars(profiler)["stats"]]
    assert any("abs" in name for name in called)  # it was still running afterwards


def test_arguments_that_come_to_share_memory_are_noticed() -> None:
    def step(a: Any, b: Any) -> Any:
        a += 1
        return b * 2

    compiled = ta.compile(step)
    compiled(np.ones(3), np.ones(3))
    x = np.ones(3)
    np.testing.assert_array_equal(compiled(x, x), np.full(3, 4.0))
    with pytest.raises(TraceError, match="shares memory"):
        compiled(x, x[::-1])


def test_a_step_that_is_always_another_one_is_warned_of() -> None:
    state = SimpleNamespace(t=0)

    def step(x: Any) -> Any:
        state.t += 1
        return x * math.cos(state.t)

    compiled = ta.compile(step)

    def many() -> None:
        for _ in range(40):
            np.testing.assert_array_equal(compiled(X), X * math.cos(state.t))

    with pytest.warns(UserWarning, match=r"step was traced 16 times.*\n.*np\.cos"):
        many()
    assert len(compiled.variants) <= 32


def test_threads_may_call_one_step() -> None:
    w = Tensor(np.random.default_rng(0).normal(size=(100, 100)))
    compiled = ta.compile(lambda x: np.sum(ta.tanh(np.exp(0.1 * x) @ w) * x))
    inputs = [np.random.default_rng(i).normal(size=(100, 100)) for i in range(4)]
    wanted, wrong = [float(compiled(x)) for x in inputs], []

    def work(i: int) -> None:
        wrong.extend(1 for _ in range(30) if float(compiled(inputs[i])) != wanted[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_compiled_step_is_copied_with_its_owner() -> None:
    owner = SimpleNamespace(step=ta.compile(np.tanh), log=collections.deque([1.0]))
    again = copy.deepcopy(owner)
    assert isinstance(again.step, Compiled)
    np.testing.assert_array_equal(again.step(X), np.tanh(X))


def test_saving_before_the_first_call_is_refused(tmp_path: Any) -> None:
    with pytest.raises(RuntimeError, match="call the step once"):
        ta.compile(np.tanh).save(tmp_path / "step.py")


def test_what_the_step_does_not_read_may_change() -> None:
    """A trainer that keeps its losses and walks through its batches outside the step is not traced anew."""

    class Trainer:
        def __init__(self) -> None:
            self.rate, self.losses, self.best = 0.5, [], None
            self.batches, self.message = iter([X, 2 * X, 3 * X]), "nothing yet"
            self.step = ta.compile(self.one_step)

        def one_step(self, x: Any) -> Any:
            return np.sum(x) * self.rate

        def run(self) -> None:
            for x in self.batches:
                self.losses.append(float(self.step(x)))
                self.best, self.message = {"loss": min(self.losses)}, f"{len(self.losses)} steps"

    trainer = Trainer()
    trainer.run()
    assert trainer.losses == [float(np.sum(k * X) * 0.5) for k in (1, 2, 3)]
    assert len(trainer.step.variants) == 1
    trainer.rate = 0.25
    assert trainer.step(np.ones(3)) == 0.75


def test_an_attribute_that_comes_to_hide_that_of_the_class_is_noticed() -> None:
    class Scaled:
        by: float = 2.0
        unread: int = 0

    scaled = Scaled()
    scaled.note = "this makes a second look worth while"
    step = ta.compile(lambda x: x * scaled.by)
    np.testing.assert_array_equal(step(X), 2 * X)
    scaled.by = 3.0
    np.testing.assert_array_equal(step(X), 3 * X)


def test_an_iterator_is_refused_however_it_is_asked_for() -> None:
    owner = SimpleNamespace(batches=iter([X, X, X, X]))
    with pytest.raises(TraceError, match="what batches, of the type list_iterator"):
        ta.compile(lambda: next(getattr(owner, "batches")) * 2)()  # noqa: B009
    with pytest.raises(TraceError, match="what batches, of the type list_iterator"):
        ta.compile(lambda: next(owner.batches) * 2)()
