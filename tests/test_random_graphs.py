"""A thousand random graphs, of all ops, shared nodes, broadcasting and empty arrays, against two other engines."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np
import pytest
from meanings import NUMPY, TORCH, H
from random_programs import CALLS, Ours, Program, random_program

import tinygrad_act as ta
from tinygrad_act.op import OPS

TO = 1e-10
a_hundred = pytest.mark.parametrize("block", range(10))


def gradients(program: Program) -> tuple[Any, list[np.ndarray]]:
    leaves = [ta.Tensor(x) for x in program.leaves]
    y = program(Ours(), leaves)
    y.backward()
    return y.data, [np.zeros_like(x.data) if x.grad is None else x.grad for x in leaves]


def assert_equal(ours: Any, theirs: Any, program: Program) -> None:
    size = max(1.0, float(np.abs(theirs).max(initial=0)))
    assert np.shape(ours) == np.shape(theirs)
    assert np.allclose(ours, theirs, rtol=TO, atol=TO * size), f"{ours} is not {theirs}:\n" + "\n".join(
        f"{step.op!r} of {step.inputs}" for step in program.steps
    )


@a_hundred
def test_a_thousand_programs_have_the_values_and_slopes_of_complex_numbers(block: int) -> None:
    """f(x + ih) = f(x) + ih f'(x) + O(h²) along a random direction in all the leaves, which cancels nothing."""
    for seed in range(100 * block, 100 * block + 100):
        program = random_program(seed)
        value, found = gradients(program)
        rng = np.random.default_rng(seed)
        for _ in range(2):
            along = [rng.standard_normal(x.shape) for x in program.leaves]
            y = program(NUMPY, [x + 1j * H * v for x, v in zip(program.leaves, along, strict=True)])
            assert_equal(value, y.real, program)
            assert_equal(sum(np.sum(g * v) for g, v in zip(found, along, strict=True)), y.imag / H, program)


@pytest.mark.skipif(TORCH is None, reason="PyTorch is not installed: pip install 'tinygrad_act[parity]'")
@pytest.mark.filterwarnings("ignore:.*degrees of freedom is <= 0:UserWarning")  # of the variances of no rows
@a_hundred
def test_a_thousand_programs_have_the_values_and_gradients_of_torch(block: int) -> None:
    for seed in range(100 * block, 100 * block + 100):
        program = random_program(seed)
        value, found = gradients(program)
        leaves = [TORCH.array(x).requires_grad_() for x in program.leaves]
        y = program(TORCH, leaves)
        y.backward()
        assert_equal(value, y.detach().numpy(), program)
        for ours, leaf in zip(found, leaves, strict=True):
            assert_equal(ours, np.zeros_like(ours) if leaf.grad is None else leaf.grad.numpy(), program)


@pytest.mark.parametrize("block", range(4))
def test_derivatives_along_a_direction_and_second_ones_agree_by_every_way(block: int) -> None:
    """Forward mode is the complex step; the Hessian times a vector is that of four other compositions."""
    for seed in range(10 * block, 10 * block + 10):
        program = random_program(seed)
        xs, rng = tuple(np.asarray(x) for x in program.leaves), np.random.default_rng(seed)
        vs, numbers = tuple(rng.standard_normal(x.shape) for x in xs), tuple(range(len(xs)))

        def f(*xs: Any, program: Program = program) -> Any:
            return program(Ours(), list(xs))

        def total(*xs: Any, f: Any = f) -> Any:
            return np.sum(f(*xs))

        _, dy = ta.jvp(f, xs, vs)
        assert_equal(dy, program(NUMPY, [x + 1j * H * v for x, v in zip(xs, vs, strict=True)]).imag / H, program)
        assert_equal(ta.jvp(ta.checkpoint(f), xs, vs)[1], dy, program)
        expected = ta.hvp(total, xs, vs)
        for again in (
            ta.jvp(ta.grad(total, numbers), xs, vs)[1],
            ta.jvp(ta.grad(ta.checkpoint(total), numbers), xs, vs)[1],
            ta.hvp(ta.checkpoint(total), xs, vs),
            ta.grad(lambda *xs, total=total, vs=vs: ta.jvp(total, xs, vs)[1], numbers)(*xs),
        ):
            for a, b in zip(again, expected, strict=True):
                assert_equal(a, b, program)


def test_the_programs_are_of_all_ops_and_various() -> None:
    programs = [random_program(seed) for seed in range(1000)]
    times = collections.Counter(step.op.name for program in programs for step in program.steps)
    assert set(times) == {*OPS, *(call.name for call in CALLS)}
    assert min(times.values()) >= 20
    assert sum(len(p.uses()) - len({*p.uses()}) >= 3 for p in programs) > 500, "values are used again"

    class Watching(Ours):
        def __call__(self, op: Any, *inputs: Any) -> Any:
            y, shapes = op(*inputs), {np.shape(x) for x in inputs}
            seen.update(["empty"] * (y.size == 0), ["stretched"] * (np.shape(y) in shapes and len(shapes) > 1))
            return y

    found = []
    for program in programs:
        seen: set[str] = set()
        program(Watching(), program.leaves)
        found.extend(seen)
    assert found.count("empty") > 150
    assert found.count("stretched") > 400
