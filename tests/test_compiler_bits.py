"""To the bit: compiled results hold the same bytes as eager ones, in the same dtype and the same order in memory."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.random import default_rng

import tinygrad_act as ta
from tinygrad_act import Tensor
from tinygrad_act.compiler import TraceError, tiles

RNG = default_rng(0)
SQUARE = RNG.standard_normal((100, 100))
NARROW = RNG.standard_normal(5).astype(np.float32)
EDGES = np.array([-0.0, 0.0, -np.inf, np.inf, np.nan, -1.0, 2.0, 0.3])
WIDE = RNG.standard_normal((300, 200))


def same_bytes(found: Any, wanted: Any) -> None:
    if isinstance(wanted, tuple | list):
        assert type(found) is type(wanted)
        for a, b in zip(found, wanted, strict=True):
            same_bytes(a, b)
        return
    a, b = np.asarray(found), np.asarray(wanted)
    assert (a.dtype, a.shape) == (b.dtype, b.shape)
    assert a.tobytes() == b.tobytes()


def above_its_mean(x: Any) -> Any:
    y = np.tanh(x)
    return (y > y.mean()).sum()


def names_of_the_sources_own(buffer_1: Any, pack_1: Any, in_tiles: Any) -> Any:
    tile_1 = np.sin(buffer_1) @ np.cos(pack_1).T
    scratch_1 = np.tanh(tile_1) + np.tanh(tile_1.sum(axis=0)) * in_tiles
    threads = np.exp(np.tanh(scratch_1) * tile_1)
    return (scratch_1 * tile_1).sum(), threads


def scalar_read_before_a_loop(x: Any, w: Any) -> Any:
    u = np.tanh(x) * 2 + 1
    m = u.sum() * 1e-2
    z = np.exp(np.tanh(w) * 2) + 1
    s = z.sum(axis=0)
    return s, (np.tanh(np.cumsum(z, axis=0) * 1e-1 * m) * 2 + 1).sum(axis=0)


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "a large mask of its own mean": (above_its_mean, (SQUARE,)),
    "names": (names_of_the_sources_own, (SQUARE[:4], SQUARE[4:8], SQUARE[8:12, :4])),
    "a scalar before a loop": (scalar_read_before_a_loop, (SQUARE[:40, :30], SQUARE[40:80, :30])),
    "where of numbers": (lambda c, y: np.where(c.sum() > 0, 1.0, 0.0) * y, (np.ones(3), NARROW)),
    "where of dtypes": (
        lambda c, a, b: np.where(c.sum() > 0, a.sum(), b.sum()) * a,
        (np.ones(3), NARROW, np.ones(5)),
    ),
    "a chosen scalar, indexed": (lambda c: np.where(c.sum() > 0, 1.0, 2.0)[np.newaxis] * c, (np.ones(3),)),
    "a copy of a transpose": (lambda x: np.tanh(x.T).copy().sum(axis=1), (WIDE,)),
    "a copy of a transpose, returned": (lambda x: np.tanh(x.T).copy(), (WIDE,)),
    "small integers": (lambda x: x * np.arange(5, dtype=np.int16), (NARROW,)),
    "counting in int32": (lambda x: x * np.arange(1, 11, 2, dtype=np.int32), (NARROW,)),
    "divided by -0": (lambda x: x / -0.0, (NARROW,)),
    "the sign of -0": (lambda x: np.copysign(x, np.array([-0.0] * 5)), (NARROW,)),
    "unsigned": (lambda x: np.abs(-x), (np.arange(5, dtype=np.uint8),)),
    "ldexp": (lambda x: np.ldexp(x, 2), (NARROW,)),
    "float_power": (lambda x: np.float_power(np.abs(x), 0.1), (NARROW,)),
    "clipped at 0": (lambda x: x.clip(0, 1), (EDGES,)),
    "clipped at -0": (lambda x: x.clip(-1, -0.0), (EDGES,)),
    "the sum of two -0": (lambda x: np.full_like(x, -0.0).sum(axis=0), (np.ones((2, 5)),)),
    "the maximum of two": (lambda x: (x.max(axis=0), x.max(axis=0, keepdims=True)), (EDGES.reshape(2, 4),)),
    "no rows of something large": (lambda a, b: np.tanh(a * b) * 2 + 1, (np.ones((1, 50)), np.ones((0, 1)))),
}


@pytest.mark.parametrize("small", [False, True], ids=["", "in small tiles"])
@pytest.mark.parametrize("style", ["fast", "teaching"])
@pytest.mark.parametrize("name", CASES)
@np.errstate(divide="ignore", invalid="ignore")
def test_the_same_bytes(name: str, style: Any, small: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if small:
        for setting, value in {"LARGE": 30, "LEAST": 1, "TILE": 1000}.items():
            monkeypatch.setattr(tiles, setting, value)
    step, given = CASES[name]
    compiled = ta.compile(step, style=style)
    for _ in range(2):
        same_bytes(compiled(*given), step(*given))


@pytest.mark.parametrize("first", ["C", "F"])
def test_sums_follow_the_order_in_memory(first: str) -> None:
    def step(x: Any) -> Any:
        return (np.tanh(x) * 2).sum(axis=1), (x + 1).sum(axis=0)

    compiled = ta.compile(step)
    both = {"C": np.ascontiguousarray(WIDE), "F": np.asfortranarray(WIDE), "K": np.repeat(WIDE, 2, axis=1)[:, ::2]}
    compiled(both[first])
    for x in both.values():
        same_bytes(compiled(x), step(x))


def test_a_fortran_array_is_not_cut_into_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "LARGE", 30)
    monkeypatch.setattr(tiles, "TILE", 1000)
    x = np.asfortranarray(RNG.standard_normal((8, 1000)))

    def step(x: Any) -> Any:
        return x.sum(axis=1), x.max(axis=1), x.min(axis=1)

    same_bytes(ta.compile(step)(x), step(x))


QUESTIONS: dict[str, Callable[[Any], Any]] = {
    "turned round": lambda w: 1.0 if None is w.grad else 2.0,
    "kept and asked": lambda w: 1.0 if (g := w.grad) is None or g is None else 2.0,
    "of a list": lambda w: 1.0 if any(g is None for g in [w.grad]) else 2.0,
    "of a dict": lambda w: 1.0 if {"g": w.grad}["g"] is None else 2.0,
    "of its type": lambda w: 1.0 if type(w.grad) is type(None) else 2.0,
    "of its class": lambda w: 2.0 if isinstance(w.grad, np.ndarray) else 1.0,
    "by its name": lambda w: 2.0 if getattr(w, "grad") is not None else 1.0,  # noqa: B009
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_any_question_about_a_gradient_is_asked_anew(question: str) -> None:
    def run(wrap: Callable[[Any], Any]) -> list[float]:
        w = Tensor(np.ones(3))

        def step(x: Any) -> Any:
            factor = QUESTIONS[question](w)
            w.zero_grad()
            loss = np.sum((w * x) ** 2) * factor
            loss.backward()
            return loss.data * 1

        do = wrap(step)
        return [float(do(np.ones(3))) for _ in range(3)]

    assert run(ta.compile) == run(lambda step: step) == [3.0, 6.0, 6.0]


def test_a_gradient_from_before_may_be_returned() -> None:
    def run(wrap: Callable[[Any], Any]) -> list[Any]:
        w = Tensor(np.ones(2))

        def step(x: Any) -> Any:
            old = w.grad
            w.zero_grad()
            np.sum(w * x).backward()
            return old

        do = wrap(step)
        return [None if g is None else g.tolist() for g in (do(np.full(2, float(i))) for i in range(3))]

    assert run(ta.compile) == run(lambda step: step) == [None, [0.0, 0.0], [1.0, 1.0]]


class Pair(NamedTuple):
    a: Any
    b: Any


REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a dtype": (lambda x: x.dtype, "returns or keeps a Float64DType"),
    "a function": (lambda x: (x * 1, len), "returns or keeps a builtin_function"),
    "other byte orders": (lambda x: x.astype(">f4") * 2, "dtype >f4"),
    "words": (lambda x: np.where(x > 0, np.array(["a"] * 5), "b"), "dtype <U1"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_source_cannot_say_is_refused(what: str) -> None:
    step, said = REFUSED[what]
    with pytest.raises(TraceError, match=said):
        ta.compile(step)(np.ones(5))


def test_named_tuples_and_kinds_of_dicts_come_back_as_such() -> None:
    found = ta.compile(lambda x: OrderedDict(one=Pair(x * 2, [x + 1]), two=3))(np.ones(2))
    assert type(found) is OrderedDict
    assert type(found["one"]) is Pair
    assert found["one"].a.tolist() == [2.0, 2.0]
    assert found["one"].b[0].tolist() == [2.0, 2.0]
    assert found["two"] == 3


@pytest.mark.parametrize("word", ['say "so"', "two\nlines", "back\\slash", "plain"])
def test_words_come_back_as_they_are(word: str) -> None:
    assert ta.compile(lambda x: (x * 1, word))(np.ones(1))[1] == word


def test_errors_are_handled_as_outside_the_step_or_not_at_all() -> None:
    def step(x: Any) -> Any:
        with np.errstate(divide="ignore"):
            return 1 / x

    with pytest.raises(TraceError, match="how NumPy handles errors"):
        ta.compile(step)(np.zeros(3))


def test_the_random_generators_are_as_before_after_traces_at_a_time() -> None:
    make = np.random.default_rng
    inside = threading.Barrier(2, timeout=10)

    def slow(x: Any) -> Any:
        if x.trace.places == []:
            inside.wait()
        return x * np.random.default_rng(3).random(2)

    threads = [threading.Thread(target=lambda: ta.compile(slow)(np.ones(2))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.random.default_rng is make


@pytest.mark.parametrize("threads", ["-1", "0", "abc", "4.0", "3,2", "1", ""])
def test_any_setting_of_threads_will_do(threads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "LARGE", 8)
    monkeypatch.setattr(tiles, "TILE", 13)
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    step = ta.compile(lambda x: np.exp(np.tanh(x) * 2) + 1)
    x = np.ones((40, 4))
    same_bytes(step(x), np.exp(np.tanh(x) * 2) + 1)
    assert "in_tiles(tile" in step.source


def test_a_loop_runs_even_when_the_program_ends(tmp_path: Any) -> None:
    program = """
import atexit, threading, time
import numpy as np, tinygrad_act as ta
step = ta.compile(lambda x: np.exp(np.tanh(x) * 2) + 1)
x = np.ones((1000, 1000))
step(x)
def late():
    time.sleep(0.2)
    print(step(x).sum() > 0)
threading.Thread(target=late).start()
atexit.register(lambda: print(step(x).sum() > 0))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ})
    assert (done.stdout, done.stderr) == ("True\nTrue\n", "")
