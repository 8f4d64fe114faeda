"""Inputs on which every op is tried: at its defaults, and wherever it has parameters also at unusual settings."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import tinygrad_act as ta
from tinygrad_act.op import OPS, Elementwise, Op
from tinygrad_act.ops.arithmetic import Clip
from tinygrad_act.ops.decompositions import Cholesky, Pinv
from tinygrad_act.ops.einsum import Einsum, Tensordot
from tinygrad_act.ops.indexing import Getitem, Scatter
from tinygrad_act.ops.linalg import Norm
from tinygrad_act.ops.norms import PNorm
from tinygrad_act.ops.reduce import Cumprod, Cumsum, Max, Mean, Min, Prod, Std, Sum, Var
from tinygrad_act.ops.shape import Astype, BroadcastTo, Concatenate, Pad, Reshape, Transpose
from tinygrad_act.ops.spectra import Eigen


class Sample(NamedTuple):
    """An op, and arrays to give it; the float ones are differentiated."""

    op: Op
    inputs: tuple[Any, ...]

    def __repr__(self) -> str:
        return f"{self.op!r} of {', '.join(str(np.shape(x)) for x in self.inputs)}"


rng = np.random.default_rng(7)


def smooth(*shape: int) -> np.ndarray:
    """Numbers that are far from each other and from 0, so that no finite difference crosses a kink or a tie."""
    n = int(np.prod(shape))
    signs = rng.choice([-1.0, 1.0], n)
    return (signs * (0.15 + 0.1 * rng.permutation(n) + rng.uniform(0, 0.03, n))).reshape(shape)


def other(*shape: int) -> np.ndarray:
    """As `smooth`, and far from all of those too."""
    x = smooth(*shape)
    return x + np.copysign(0.05, x)


def positive(*shape: int) -> np.ndarray:
    return np.abs(smooth(*shape))


def elementwise_inputs(op: Elementwise) -> np.ndarray:
    low, high = op.domain
    x = smooth(3, 4)
    if low >= 1:
        return low + np.abs(x)
    if high <= 1:
        return x / 1.5
    return np.abs(x) if low >= -1 else np.clip(x, max(low, -5), min(high, 5))


def elementwise(op: Elementwise) -> Sample:
    return Sample(op, (elementwise_inputs(op),))


UNUSUAL = [
    elementwise(ta.LeakyReLU(alpha=0.3)),
    elementwise(ta.LeakyReLU(alpha=-0.5)),
    elementwise(ta.LeakyReLU(alpha=2.0)),
    elementwise(ta.ELU(alpha=2.5)),
    elementwise(ta.CELU(alpha=2.5)),
    elementwise(ta.BReLU(t=0.4)),
    elementwise(ta.Threshold(theta=-0.3, value=-2.0)),
    elementwise(ta.StarReLU(s=2.0, b=0.5)),
    elementwise(ta.Softplus(beta=3.0)),
    elementwise(ta.Squareplus(b=0.3)),
    elementwise(ta.activations.SquareplusSlope(b=0.3)),
    elementwise(ta.ISRLU(alpha=3.0)),
    elementwise(ta.ISRU(alpha=3.0)),
    elementwise(ta.HardTanh(low=-0.4, high=0.7)),
    elementwise(ta.ESwish(beta=1.9)),
    elementwise(ta.QuickGELU(alpha=3.0)),
    elementwise(ta.Softshrink(lambd=0.3)),
    elementwise(ta.Hardshrink(lambd=0.3)),
    elementwise(ta.Sine(omega=1.7)),
]

ON_ROWS = ("log_softmax", "softmin", "tempered_softmax", "logmeanexp", "sparsemax", "entmax15", "hardmax")
GATED_UNITS = ("glu", "reglu", "geglu", "swiglu", "bilinear", "crelu")
LEARNED = ("prelu", "swish_beta", "snake", "pelu", "acon_c", "xielu", "dyt", "rational")
labels = np.array([2, 0, 3])
weights = positive(3, 4) / 2

OTHERS = [
    *(Sample(OPS[name], (smooth(3, 4), other(3, 4))) for name in ("add", "subtract", "multiply", "maximum", "minimum")),
    *(
        Sample(OPS[name], (smooth(3, 1), other(2, 1, 4)))
        for name in ("add", "subtract", "multiply", "maximum", "minimum")
    ),
    Sample(OPS["divide"], (smooth(3, 4), smooth(4))),
    Sample(OPS["hypot"], (smooth(3, 4), other(4))),
    Sample(OPS["power"], (positive(3, 4), smooth(4))),
    Sample(OPS["power"], (smooth(3, 4), 3)),
    Sample(OPS["power"], (smooth(3, 4), -2.0)),
    Sample(OPS["power"], (positive(3, 4), np.array([0.0, 1.0, 2.0, 3.0]))),
    Sample(OPS["power"], (smooth(3, 4), np.array([0, 1, 2, 3], np.int8))),
    Sample(OPS["power"], (2.0, smooth(3, 4))),
    Sample(OPS["remainder"], (smooth(3, 4), np.array([0.33, -0.45, 0.71, 3.0]))),
    Sample(OPS["floor_divide"], (smooth(3, 4), np.array([0.33, -0.45, 0.71, 3.0]))),
    Sample(OPS["where"], (smooth(3, 4) > 0, smooth(3, 4), smooth(4))),
    Sample(Clip(), (smooth(3, 4), -0.52, np.array([0.33, 0.54, 0.71, 0.86]))),
    Sample(Sum(), (smooth(3, 4),)),
    Sample(Sum((0, -1), True), (smooth(2, 3, 4),)),
    Sample(Mean(), (smooth(3, 4),)),
    Sample(Mean(-2), (smooth(2, 3, 4),)),
    Sample(Var(), (smooth(3, 4),)),
    Sample(Var(1, True, 1), (smooth(3, 4),)),
    Sample(Std(), (smooth(3, 4),)),
    Sample(Std((0, 2), False, 1), (smooth(2, 3, 2),)),
    Sample(Prod(), (smooth(5),)),
    Sample(Prod((0, 2)), (smooth(2, 3, 3),)),
    Sample(Prod(1, True), (np.array([[2.0, 0.0, 3.0], [0.0, 4.0, 0.0], [1.0, 2.0, 3.0]]),)),
    Sample(Max(), (smooth(3, 4),)),
    Sample(Max((0, 2), True), (smooth(2, 3, 4),)),
    Sample(Min(), (smooth(3, 4),)),
    Sample(Min(-1), (smooth(2, 3, 4),)),
    Sample(Cumsum(), (smooth(3, 4),)),
    Sample(Cumsum(-2), (smooth(2, 3, 4),)),
    Sample(Reshape(), (smooth(3, 4),)),
    Sample(Reshape((2, -1)), (smooth(3, 4),)),
    Sample(Transpose(), (smooth(2, 3, 4),)),
    Sample(Transpose((1, -1, 0)), (smooth(2, 3, 4),)),
    Sample(BroadcastTo((2, 3, 4)), (smooth(3, 1),)),
    Sample(BroadcastTo((3,)), (smooth(),)),
    Sample(Astype(np.float64), (smooth(3),)),
    Sample(Concatenate(), (smooth(2, 3), smooth(1, 3), smooth(2, 3))),
    Sample(Concatenate(-1), (smooth(2, 3), smooth(2, 1))),
    Sample(Pad(), (smooth(2, 3),)),
    Sample(Pad(((1, 2), (0, 3)), 5.0), (smooth(2, 3),)),
    Sample(Pad((1, 2), ((1.0, 2.0), (3.0, 4.0))), (smooth(2, 3),)),
    Sample(Getitem(), (smooth(2, 3),)),
    Sample(Getitem((slice(None, None, -1), None, 1)), (smooth(2, 3),)),
    Sample(Getitem((np.array([0, 1, 1]), np.array([2, 0, 0]))), (smooth(2, 3),)),
    Sample(Getitem(np.array([[True, False, True], [False, False, True]])), (smooth(2, 3),)),
    Sample(Scatter(), (smooth(),)),
    Sample(Scatter((slice(1, 3),), (4, 2)), (smooth(2, 2),)),
    Sample(Scatter(np.array([1, 1, 3]), (4, 2)), (smooth(3, 2),)),
    Sample(Getitem((np.array([2, 0]), slice(1, 3)), once=True), (smooth(3, 4),)),
    Sample(Scatter(np.array([2, 0]), (3, 2), once=True), (smooth(2, 2),)),
    Sample(OPS["matmul"], (smooth(2, 3), smooth(3, 4))),
    Sample(OPS["matmul"], (smooth(3), smooth(3))),
    Sample(OPS["matmul"], (smooth(2, 3), smooth(3))),
    Sample(OPS["matmul"], (smooth(3), smooth(3, 2))),
    Sample(OPS["matmul"], (smooth(3), smooth(2, 3, 2))),
    Sample(OPS["matmul"], (smooth(2, 2, 3), smooth(3))),
    Sample(OPS["matmul"], (smooth(2, 1, 2, 3), smooth(4, 3, 2))),
    Sample(OPS["affine"], (smooth(3, 2), smooth(2, 4), smooth(4))),
    Sample(OPS["affine"], (smooth(2, 3, 2), smooth(2, 4), smooth(4))),
    Sample(OPS["affine"], (smooth(2), smooth(2, 4), smooth(4))),
    Sample(Tensordot(), (smooth(2, 3), smooth(3, 2))),
    Sample(Tensordot(((0, -1), (1, 0))), (smooth(2, 3, 4), smooth(4, 2, 2))),
    Sample(Einsum(), (smooth(3),)),
    Sample(Einsum(("ij", "jk", "k"), "ki"), (smooth(2, 3), smooth(3, 2), smooth(2))),
    Sample(Einsum(("iij", "k"), "j"), (smooth(2, 2, 3), smooth(2))),
    Sample(Einsum(("iii",), "i"), (smooth(2, 2, 2),)),
    Sample(Norm(), (smooth(3, 4),)),
    Sample(Norm((0, 1), True), (smooth(2, 3, 2),)),
    *(
        Sample(OPS[name], (smooth(*shape, 3, 3) + 3 * np.eye(3),))
        for name in ("inv", "det", "cofactors", "logabsdet")
        for shape in ((), (2,))
    ),
    Sample(OPS["solve"], (smooth(3, 3) + 3 * np.eye(3), smooth(3, 2))),
    Sample(OPS["solve"], (smooth(2, 1, 3, 3) + 3 * np.eye(3), smooth(2, 3, 1))),
    *(Sample(Cholesky(upper), (0.1 * smooth(2, 3, 3) + np.eye(3),)) for upper in (False, True)),
    Sample(OPS["over_gap"], (smooth(3, 4), smooth(4), np.zeros(4, bool))),
    *(Sample(Eigen(uplo), (smooth(2, 3, 3) + np.diag([1, 3, 5]),)) for uplo in "LU"),
    *(
        Sample(OPS[name], (smooth(*shape) + 2 * np.eye(*shape[-2:]) * np.arange(1, shape[-1] + 1),))
        for name in ("qr", "svd", "pinv")
        for shape in ((3, 3), (2, 4, 2), (2, 3))
    ),
    Sample(Pinv(0.1), (smooth(3, 2) + 2 * np.eye(3, 2),)),
    Sample(PNorm(), (smooth(3, 4),)),
    Sample(PNorm((0, 2), True, 2.5), (smooth(2, 3, 2),)),
    Sample(OPS["softmax"], (smooth(3, 4),)),
    Sample(ta.Softmax(0), (smooth(3, 4),)),
    Sample(OPS["logsumexp"], (smooth(3, 4),)),
    Sample(ta.Logsumexp(-2, True), (smooth(2, 3, 2),)),
    *(Sample(OPS[n], (smooth(3, 4),)) for n in ON_ROWS),
    *(Sample(type(OPS[n])(axis=0), (smooth(4, 3),)) for n in ON_ROWS),
    Sample(ta.TemperedSoftmax(temperature=0.4), (smooth(3, 4),)),
    Sample(ta.Hardmax(temperature=0.4), (smooth(3, 4),)),
    Sample(OPS["gumbel_softmax"], (smooth(3, 4), other(3, 4))),
    Sample(ta.GumbelSoftmax(temperature=0.4, axis=0), (smooth(4, 3), other(4, 3))),
    *(Sample(OPS[n], (smooth(3, 4),)) for n in GATED_UNITS),
    *(Sample(type(OPS[n])(axis=0), (smooth(4, 3),)) for n in GATED_UNITS),
    *(Sample(OPS[n], (smooth(3, 4), *map(np.array, OPS[n].learned.values()))) for n in LEARNED),
    *(Sample(OPS[n], (smooth(3, 4), smooth(4))) for n in ("prelu", "swish_beta", "snake")),
    Sample(OPS["pelu"], (smooth(3, 4), positive(4), 0.5 + positive(3, 1))),
    Sample(OPS["srelu"], (smooth(3, 4), np.array(0.6), np.array(1.3), np.array(-0.4), np.array(0.2))),
    Sample(OPS["srelu"], (smooth(3, 4), positive(4), smooth(4), -positive(3, 1), other(4))),
    Sample(OPS["acon_c"], (smooth(3, 4), smooth(4), other(4), smooth(3, 1))),
    Sample(ta.XIELU(beta=0.2), (smooth(3, 4), smooth(4), other(4))),
    Sample(OPS["dyt"], (smooth(3, 4), smooth(), smooth(4), other(4))),
    Sample(OPS["rational"], (smooth(3, 4), *(smooth(4) for _ in range(9)), 2 + positive(4))),
    Sample(OPS["maxout"], (smooth(3, 4),)),
    Sample(ta.Maxout(axis=0), (smooth(3, 4),)),
    *(Sample(ta.CrossEntropy(reduction=r), (smooth(3, 4), labels)) for r in ("mean", "sum", "none")),
    *(Sample(ta.CrossEntropy(reduction=r), (smooth(3, 4), weights)) for r in ("mean", "sum", "none")),
    Sample(ta.CrossEntropy(axis=1), (smooth(2, 4, 3), np.array([[0, 1, 3], [2, 2, 0]]))),
    Sample(ta.CrossEntropy("none", axis=0), (smooth(4, 3), positive(4, 3))),
    Sample(ta.CrossEntropy(), (smooth(4), np.array(2))),
    Sample(OPS["softmax_residual"], (smooth(3, 4), labels)),
    Sample(ta.losses.SoftmaxResidual(0), (smooth(4, 3), labels)),
    Sample(ta.losses.SoftmaxResidual(0), (smooth(4, 3), positive(4, 3))),
    *(Sample(ta.losses.BCEWithLogits(r), (smooth(3, 4), positive(3, 4))) for r in ("mean", "sum", "none")),
    *(Sample(OPS[n], (smooth(3, 4), other(4))) for n in ("arctan2", "logaddexp", "logaddexp2", "fmax", "fmin")),
    Sample(OPS["fmod"], (smooth(3, 4), np.array([0.33, -0.45, 0.71, 3.0]))),
    Sample(OPS["copysign"], (smooth(3, 4), other(4))),
    Sample(OPS["convolve"], (smooth(5), other(3))),
    Sample(OPS["convolve"], (smooth(2), other(4))),
    Sample(Cumprod(), (smooth(2, 3),)),
    Sample(Cumprod(-2), (smooth(2, 5, 2),)),
    Sample(Cumprod(1), (np.array([[2.0, 0.0, 3.0, 0.5], [0.0, 4.0, 0.0, 1.5]]),)),
]

ELEMENTWISE = [elementwise(op) for op in OPS.values() if isinstance(op, Elementwise)] + UNUSUAL
SAMPLES = ELEMENTWISE + OTHERS
