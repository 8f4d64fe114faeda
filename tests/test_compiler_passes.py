"""Each pass of the compiler, and all of them, on random programs: what comes out is what came in, to the bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act.compiler import tiles
from tinygrad_act.compiler.faster import FASTER
from tinygrad_act.compiler.passes import EXACT, Pass, needed
from tinygrad_act.compiler.program import Program, Value
from tinygrad_act.compiler.source import Writer
from tinygrad_act.compiler.trace import TraceError
from tinygrad_act.compiler.traced import Traced

SHAPE = (4, 4)  # square, so that a transpose or a product would fit into its own operand


class RandomStep:
    """A step that does things at random, but the same at every call: expressions, views, writes, its own state."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        rng = np.random.default_rng(seed)
        self.memory, self.other = rng.standard_normal(SHAPE), rng.standard_normal(SHAPE).astype(np.float32)
        self.rate, self.count = 0.5, 0

    def __call__(self, x: Any, y: Any) -> Any:
        rng = np.random.default_rng(int(self.seed) + 1)
        values = [x, y, x * 1.0, np.sin(y)]
        kept = []
        for _ in range(int(rng.integers(5, 25))):
            a, b = (values[int(i)] for i in rng.integers(len(values), size=2))
            values.append(MOVES[int(rng.integers(len(MOVES)))](self, a, b, rng))
            if rng.random() < 0.2:
                kept.append(values[int(rng.integers(len(values)))].copy())
        self.memory += 0.1 * values[-1]
        self.memory *= self.rate
        self.other[1] = values[-2][0]
        self.count += 1
        return values[-1], kept, np.sum(values[-2]), self.count


def in_place(step: Any, a: Any, b: Any, rng: Any) -> Any:
    c = a + 0.5
    c *= np.cos(b)
    return c


def partly(step: Any, a: Any, b: Any, rng: Any) -> Any:
    c = b.copy()
    c[int(rng.integers(3))] = a[1]
    if rng.random() < 0.5:
        c.put(np.array([0, 5]), 0.25)
    return c


def out_of_order(step: Any, a: Any, b: Any, rng: Any) -> Any:
    c = np.zeros_like(a)
    np.add(a, b, out=c, where=b > 0)
    return c


def through_a_view(step: Any, a: Any, b: Any, rng: Any) -> Any:
    c = np.tanh(a)
    c[:2] += b[2:]
    return c.T.reshape(SHAPE)


MOVES: list[Callable[[Any, Any, Any, Any], Any]] = [
    lambda step, a, b, rng: np.tanh(a) + b,
    lambda step, a, b, rng: np.sin(a) * np.sin(a) - b * 1.0,
    lambda step, a, b, rng: np.where(a > b, a, 0.5 * b),
    lambda step, a, b, rng: np.tanh(a - a.max(axis=0, keepdims=True)),
    lambda step, a, b, rng: a * np.tanh(b.sum(axis=1))[:, np.newaxis],
    lambda step, a, b, rng: np.tanh(a.T @ b),
    lambda step, a, b, rng: np.sin(a.T.T + step.memory),
    lambda step, a, b, rng: np.tanh(a.astype(np.float32) * step.other).astype(np.float64),
    lambda step, a, b, rng: np.clip(a, -1, 1) ** 2 / (1 + np.square(b)),
    lambda step, a, b, rng: np.sin(a) + np.cos(a).T,
    lambda step, a, b, rng: np.tanh(np.dot(a, 0.1 * a)),
    lambda step, a, b, rng: -np.abs(a) + (b.mean() + step.rate),
    lambda step, a, b, rng: a.reshape((2, 8)).T.copy().reshape(SHAPE) * np.ones_like(b),
    lambda step, a, b, rng: np.tanh(a) - b[1:3].sum(axis=0) * a[:2].max(axis=0, keepdims=True),
    lambda step, a, b, rng: np.maximum(a, b.take(np.array([1, 1, 2, 0]), axis=1)),
    in_place,
    partly,
    out_of_order,
    through_a_view,
]
SEEDS = range(150)


def example() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(99)
    return rng.standard_normal(SHAPE), rng.standard_normal(SHAPE)


def flat(tree: Any) -> list[Any]:
    return [leaf for item in tree for leaf in flat(item)] if isinstance(tree, tuple | list) else [np.asarray(tree)]


def same(found: Any, wanted: Any) -> None:
    for a, b in zip(flat(found), flat(wanted), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("style", ["teaching", "fast"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_step_compiles_to_itself(seed: int, style: Any) -> None:
    eager, other = RandomStep(seed), RandomStep(seed)
    compiled = ta.compile(other, style=style)
    x, y = example()
    for _ in range(3):
        same(compiled(x, y), eager(x, y))
        same([other.memory, other.other, other.count], [eager.memory, eager.other, eager.count])
    same([x, y], list(example()))


@pytest.fixture(params=[1, 2])
def small_tiles(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Tiles of three rows and a bit, of whatever has a few elements, on one thread and on two: how many these are."""
    monkeypatch.setattr(tiles, "LARGE", 8)
    monkeypatch.setattr(tiles, "LEAST", 2)
    monkeypatch.setattr(tiles, "TILE", 13)
    monkeypatch.setenv("OMP_NUM_THREADS", str(request.param))
    return int(request.param)


@pytest.mark.parametrize(
    "step",
    [
        lambda x, v: np.tanh(x) * np.exp(x).sum(axis=1),  # whose columns are as many as its rows
        lambda x, v: (np.tanh(x) * v, np.tanh(v) * np.cos(v) * np.exp(v)),
        lambda x, v: (np.tanh(v) * np.cos(v), np.tanh(x) * v * 2),
        lambda x, v: np.exp(2 * x) - np.exp(2 * x).sum(axis=0),
        lambda x, v: np.exp(x) - np.exp(x).sum(axis=-1, keepdims=True) * np.tanh(x).max(axis=(0,), keepdims=True),
        lambda x, v: np.exp(2 * x) / np.add.reduce(np.exp(2 * x), axis=None),
        lambda x, v: np.argmax(np.cos(x) * 2, axis=0) + np.argmax(np.cos(x) * 2, axis=1),
        lambda x, v: np.take_along_axis(np.cos(x) * 2, np.argmax(np.cos(x), axis=0)[np.newaxis], axis=0),
        lambda x, v: np.expand_dims(np.cos(x) * np.sin(x), 0) + np.expand_dims(np.cos(x) + np.sin(x), -1),
        lambda x, v: np.tanh(x) * 2 + (np.cos(x.T) * 2).astype(np.float32) / np.exp(x.T).sum(axis=1)[:, np.newaxis],
        lambda x, v: np.where(np.tanh(x) > v, np.cos(x) * 2, v[0]).clip(-1, 1),
        lambda x, v: np.cumsum(np.cos(x) * np.sin(x), axis=0) * np.roll(np.tanh(x) * 2, 1, axis=0),
    ],
)
def test_only_rows_that_stand_alone_are_cut(step: Any, small_tiles: int) -> None:
    rng = np.random.default_rng(5)
    compiled = ta.compile(step)
    for n in (4, 5, 12):
        x, v = rng.standard_normal((n, n)), rng.standard_normal(n)
        same(compiled(x, v), step(x, v))
        assert "in_tiles(tile" in compiled.source


def test_what_is_kept_aside_keeps_its_order(small_tiles: int) -> None:
    def step(x: Any, rng: Any) -> Any:
        a = np.tanh(x) * 2
        noise = rng.random(4)
        b = np.cos(a) * np.sin(x)
        y = x * 1.0
        y[0] = noise
        c = b * np.exp(x)
        return c + rng.random(4), y, c * noise

    compiled = ta.compile(step)
    x = example()[0]
    ours, theirs = np.random.default_rng(3), np.random.default_rng(3)
    for _ in range(3):
        same(compiled(x, ours), step(x, theirs))


def test_an_error_in_a_tile_arrives(small_tiles: int) -> None:
    compiled = ta.compile(lambda x: np.exp(x) * np.exp(x) + 1)
    x = np.zeros((40, 4))
    compiled(x)
    x[3:] = 1000.0  # in a tile that the second thread has, if there is one
    with np.errstate(over="raise"), pytest.raises(FloatingPointError, match="overflow"):
        compiled(x)
    with np.errstate(over="ignore"):
        assert np.isinf(compiled(x)[3:]).all()


def test_random_steps_tile_by_tile(small_tiles: int) -> None:
    """Every other step on one thread, and the rest on two: the program is the same."""
    loops = 0
    for seed in SEEDS[small_tiles - 1 :: 2]:
        eager, other = RandomStep(seed), RandomStep(seed)
        compiled = ta.compile(other)
        x, y = example()
        for _ in range(2):
            same(compiled(x, y), eager(x, y))
            same([other.memory, other.other], [eager.memory, eager.other])
        loops += compiled.source.count("in_tiles(tile")
    assert loops > 100


def results(program: Program, seed: int) -> list[Any]:
    """What the source of a random step returns, and what it leaves in its state."""
    namespace: dict[str, Any] = {}
    program = needed(program)
    exec(Writer(program, "teaching", "step").file("a random step"), namespace)
    state, (x, y) = RandomStep(seed), example()
    given = {"memory": state.memory, "other": state.other, "rate": 0.5, "count": 0, "seed": seed, "x": x, "y": y}
    names = [v.name for v in program.inputs] + program.numbers
    return [namespace["step"](*(given[name] for name in names)), state.memory, state.other]


@pytest.fixture(scope="module")
def programs() -> list[tuple[Program, list[Any], dict[Value, dict[str, Any]]]]:
    """Random steps as they are traced, what they give, and all of their values, which passes may rename or fold."""
    found = []
    for seed in SEEDS[:40]:
        program = Traced(RandomStep(seed), example(), {}, read_gradients=False).program
        values = {v for call in program.calls for v in (*call.results, *call.inputs())} | {*program.wanted()}
        as_traced = {v: {**vars(v)} for v in (*program.inputs, *values)}
        found.append((program, results(program, seed), as_traced))
    return found


@pytest.mark.parametrize("each", dict.fromkeys([*EXACT, *FASTER]), ids=lambda p: p.__name__)
def test_each_pass_alone_changes_no_bit(each: Pass, programs: Any) -> None:
    shorter = 0
    for seed, (program, wanted, values) in enumerate(programs):
        for v, as_traced in values.items():
            vars(v).update(as_traced)
        changed = each(program)
        shorter += len(changed.calls) != len(program.calls)
        same(results(changed, seed), wanted)
    assert shorter or each.__name__ not in ("without_dead_calls", "without_repeats", "without_detours")


def test_what_looks_alike_is_not_merged() -> None:
    rng = np.random.default_rng(0)
    draw = ta.compile(lambda: (rng.random(3), rng.random(3)))
    expected = np.random.default_rng(0).random((4, 3))
    same([*draw(), *draw()], list(expected))
    scaled = ta.compile(lambda n: (n * 2, n * 2.0, n + True, n + 1))
    same(
        scaled(np.arange(3)),
        tuple(f(np.arange(3)) for f in (lambda n: n * 2, lambda n: n * 2.0, *[lambda n: n + 1] * 2)),
    )


@pytest.mark.parametrize(("first", "second"), ["ab", "ba"])
def test_state_may_be_swapped(first: str, second: str) -> None:
    state = {"a": np.zeros(2), "b": np.ones(2)}

    def step() -> Any:
        before = state[first].copy()
        np.multiply(state[second], 1, out=state[first])
        np.multiply(before, 1, out=state[second])
        return state["a"].copy(), state["b"] + 0.0

    compiled = ta.compile(step)
    same(compiled(), (np.ones(2), np.zeros(2)))
    same([state["a"], state["b"]], [np.ones(2), np.zeros(2)])
    same(compiled(), (np.zeros(2), np.ones(2)))


def test_a_copy_of_state_is_of_before() -> None:
    state = np.ones(2)

    def step() -> Any:
        before = state.copy()
        state[...] = 2 * before
        return before

    compiled = ta.compile(step)
    same([compiled(), compiled(), state], [np.ones(2), np.full(2, 2.0), np.full(2, 4.0)])


def test_a_write_that_cannot_be_followed_is_refused() -> None:
    def step(x: Any) -> Any:
        y = x + 1
        turned = y.T
        turned += 1
        return y

    with pytest.raises(TraceError, match="another view of its memory"):
        ta.compile(step)(np.ones((2, 2)))
