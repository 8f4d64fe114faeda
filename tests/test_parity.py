"""The same numbers as PyTorch, where it is installed, except for the differences that we choose, which are listed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act import Tensor
from tinygrad_act.ops.special import erf

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'tinygrad_act[parity]'")

x0 = np.array([[-3.0, -0.5, 0.25, 1.5], [2.0, -1.25, 0.75, -0.1]])
w0 = np.array([[0.5, -1.0], [2.0, 0.25], [-0.75, 1.5], [1.0, -0.5]])

PAIRS: list[tuple[Callable[[Any], Any], Callable[[Any], Any]]] = [
    (ta.sigmoid, torch.sigmoid),
    (ta.tanh, torch.tanh),
    (ta.relu, torch.relu),
    (ta.LeakyReLU(0.2), lambda t: torch.nn.functional.leaky_relu(t, 0.2)),
    (ta.ELU(1.5), lambda t: torch.nn.functional.elu(t, 1.5)),
    (ta.softmax, lambda t: torch.softmax(t, -1)),
    (ta.Softmax(0), lambda t: torch.softmax(t, 0)),
    (ta.logsumexp, lambda t: torch.logsumexp(t, -1)),
    (ta.maxout, lambda t: torch.amax(t, -1)),
    (erf, torch.erf),
    (lambda t: np.var(t, axis=0, ddof=1), lambda t: torch.var(t, 0)),
    (lambda t: np.std(t), lambda t: torch.std(t, correction=0)),
    (lambda t: np.prod(t, axis=1), lambda t: torch.prod(t, 1)),
    (lambda t: np.cumsum(t, axis=1), lambda t: torch.cumsum(t, 1)),
    (lambda t: np.linalg.norm(t, axis=1), lambda t: torch.linalg.norm(t, dim=1)),
    (lambda t: t @ w0, lambda t: t @ torch.tensor(w0)),
    (lambda t: np.einsum("ij,jk,ij->k", t, w0, t), lambda t: torch.einsum("ij,jk,ij->k", t, torch.tensor(w0), t)),
    (lambda t: t[:, [0, 0, 3]] ** 2, lambda t: t[:, [0, 0, 3]] ** 2),
    (lambda t: np.abs(t) ** t, lambda t: torch.abs(t) ** t),
    (lambda t: np.max(t * [1, 0, 0, 0], axis=1), lambda t: torch.amax(t * torch.tensor([1, 0, 0, 0]), 1)),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_values_and_first_and_second_derivatives_agree(ours: Any, theirs: Any) -> None:
    x, t = Tensor(x0), torch.tensor(x0, requires_grad=True)
    y, u = ours(x), theirs(t)
    np.testing.assert_allclose(y.data, u.detach().numpy(), rtol=1e-13, atol=1e-15)
    weights = np.random.default_rng(0).normal(size=y.shape)
    first = ta.gradients(y, x, weights)
    (slope,) = torch.autograd.grad(u, t, torch.tensor(weights), create_graph=True)
    np.testing.assert_allclose(first.data, slope.detach().numpy(), rtol=1e-12, atol=1e-13)
    if slope.requires_grad:
        (curvature,) = torch.autograd.grad((slope * slope).sum(), t, allow_unused=True)
        second = ta.gradients((first * first).sum(), x)
        expected = np.zeros_like(x0) if curvature is None else curvature.numpy()
        np.testing.assert_allclose(second.data, expected, rtol=1e-10, atol=1e-10)


# Where we differ on purpose: the point, our derivative there, PyTorch's, and our reason.
DIFFERENCES = [
    (ta.relu, torch.relu, 0.0, 1.0, 0.0, "the document prints 1 for z >= 0"),
    (ta.ELU(2.0), lambda t: torch.nn.functional.elu(t, 2.0), 0.0, 1.0, 2.0, "0 is in the document's branch x >= 0"),
]


@pytest.mark.parametrize(
    ("ours", "theirs", "point", "here", "there", "why"), DIFFERENCES, ids=[row[-1] for row in DIFFERENCES]
)
def test_the_differences_we_choose_are_as_listed(
    ours: Any, theirs: Any, point: float, here: float, there: float, why: str
) -> None:
    x, t = Tensor(point), torch.tensor(point, dtype=torch.float64, requires_grad=True)
    ours(x).backward()
    theirs(t).backward()
    assert (x.grad, t.grad.item()) == (here, there)
    assert ours.kinks[0].why == why


def test_a_saturated_sigmoid_keeps_the_gradient_that_pytorch_loses() -> None:
    x, t = Tensor(np.float32([20.0])), torch.tensor([20.0], requires_grad=True)
    ta.sigmoid(x).backward([1.0])
    torch.sigmoid(t).backward(torch.ones(1))
    assert t.grad.item() == 0.0
    np.testing.assert_allclose(x.grad, [2.0611536e-09], rtol=1e-6)
