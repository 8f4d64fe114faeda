"""A thousand random graphs, of all kinds of ops, shared nodes, broadcasting and empty arrays, against other engines."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import pytest
from random_programs import ROWS, Program, random_program

import tinygrad_act as ta

try:
    import torch
except ImportError:
    torch = None

OURS = types.SimpleNamespace(**{name: getattr(ta, name) for name in ta.OPS})
OURS.kron = np.kron
TO = 1e-10


def gradients(program: Program) -> tuple[Any, list[np.ndarray]]:
    leaves = [ta.Tensor(x) for x in program.leaves]
    y = program(np, OURS, leaves)
    y.backward()
    return y.data, [np.zeros_like(x.data) if x.grad is None else x.grad for x in leaves]


def assert_equal(ours: np.ndarray, theirs: np.ndarray, program: Program) -> None:
    said = " ".join(f"{step.row.name}{step.inputs}" for step in program.steps)
    size = max(1.0, float(np.abs(theirs).max(initial=0)))
    np.testing.assert_allclose(ours, theirs, rtol=TO, atol=TO * size, err_msg=said)


@pytest.mark.parametrize("block", range(10))
def test_the_gradients_of_a_thousand_analytic_programs_are_those_of_the_complex_step(block: int) -> None:
    """f(x + ih) = f(x) + ih f'(x) + O(h²) along a random direction in all the leaves, which cancels nothing."""
    for seed in range(100 * block, 100 * block + 100):
        program = random_program(seed, np, OURS, analytic=True)
        _, found = gradients(program)
        rng = np.random.default_rng(seed)
        for _ in range(2):
            along = [rng.standard_normal(x.shape) for x in program.leaves]
            moved = [x + 1e-150j * v for x, v in zip(program.leaves, along, strict=True)]
            slope = program(np, OURS, moved).imag / 1e-150
            assert_equal(sum(np.sum(g * v) for g, v in zip(found, along, strict=True)), slope, program)


@pytest.mark.parametrize("block", range(4))
def test_derivatives_along_a_direction_and_second_ones_agree_by_every_way(block: int) -> None:
    """Forward mode is the complex step; the Hessian times a vector is that of four other compositions."""
    for seed in range(10 * block, 10 * block + 10):
        program = random_program(seed, np, OURS, analytic=True)
        xs, rng = tuple(np.asarray(x) for x in program.leaves), np.random.default_rng(seed)
        vs, numbers = tuple(rng.standard_normal(x.shape) for x in xs), tuple(range(len(xs)))

        def f(*xs: Any, program: Program = program) -> Any:
            return program(np, OURS, list(xs))

        def total(*xs: Any, f: Any = f) -> Any:
            return np.sum(f(*xs))

        _, dy = ta.jvp(f, xs, vs)
        assert_equal(dy, f(*(x + 1e-150j * v for x, v in zip(xs, vs, strict=True))).imag / 1e-150, program)
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


def test_the_programs_are_various() -> None:
    programs = [random_program(seed, np, OURS, analytic=False) for seed in range(1000)]
    used = {step.row.name for program in programs for step in program.steps}
    assert used == {row.name for row in ROWS}
    assert sum(any(x.size == 0 for x in program.leaves) for program in programs) > 30
    assert (
        sum(len({i for s in p.steps for i in s.inputs}) < sum(len(s.inputs) for s in p.steps) for p in programs) > 900
    )


def torch_functions() -> Any:
    f = torch.nn.functional
    hard = {"hard_swish": f.hardswish, "hard_tanh": f.hardtanh}
    hard["hard_sigmoid"] = lambda x: torch.clamp(x + 3, 0, 6) / 6  # PyTorch's own has the slope float32(1/6)
    names = ["relu", "sigmoid", "softplus", "gelu", "silu", "mish", "elu", "selu", "celu", "leaky_relu", "softsign"]
    return types.SimpleNamespace(
        **{name: getattr(f, name) for name in [*names, "tanhshrink", "softshrink", "relu6"]},
        **hard,
        gelu_tanh=lambda x: f.gelu(x, approximate="tanh"),
        log_sigmoid=f.logsigmoid,
        erf=torch.erf,
        softmax=lambda x: torch.softmax(x, -1),
        log_softmax=lambda x: torch.log_softmax(x, -1),
        logsumexp=lambda x: torch.logsumexp(x, -1),
        var=lambda x, axis: torch.var(x, axis, correction=0),
        prod=torch.prod,
        kron=lambda a, b: torch.kron(a.contiguous(), b.contiguous()),  # of a transposed one it raises
        cumprod=lambda x, axis: torch.cumprod(x, axis),
        max=torch.amax,
        min=torch.amin,
    )


@pytest.mark.skipif(torch is None, reason="PyTorch is not installed: pip install 'tinygrad_act[parity]'")
@pytest.mark.parametrize("block", range(10))
def test_the_gradients_of_a_thousand_programs_are_those_of_torch(block: int) -> None:
    theirs = torch_functions()
    for seed in range(100 * block, 100 * block + 100):
        program = random_program(seed, np, OURS, analytic=False)
        value, found = gradients(program)
        leaves = [torch.tensor(x, requires_grad=True) for x in program.leaves]
        y = program(torch, theirs, leaves)
        y.backward()
        assert_equal(value, y.detach().numpy(), program)
        for ours, leaf in zip(found, leaves, strict=True):
            expected = np.zeros_like(ours) if leaf.grad is None else leaf.grad.numpy()
            assert_equal(ours, expected, program)
