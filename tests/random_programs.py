"""Random programs: straight-line code over arrays, that runs on arrays, Tensors, complex numbers or PyTorch's tensors.

A program is grown on real numbers. Every choice that depends on values (a scale that keeps them moderate) is made then
and written down, so that each run does the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Function = Callable[..., Any]


class Row(NamedTuple):
    """What a program may do: with `n` for NumPy or a room like it, `f` for the functions both have by other names."""

    name: str
    run: Function  # of n, f and the inputs
    inputs: int = 1
    analytic: bool = True  # it can be run on complex numbers
    fits: Callable[..., bool] = lambda *shapes: True


def broadcastable(*shapes: tuple[int, ...]) -> bool:
    try:
        return len(np.broadcast_shapes(*shapes)) <= 4
    except ValueError:
        return False


def is_matrix(*shapes: tuple[int, ...]) -> bool:
    return all(len(s) == 2 for s in shapes)


def multiplies(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return len(a) >= 1 and len(b) >= 1 and a[-1] == b[max(len(b) - 2, 0)] and broadcastable(a[:-2], b[:-2])


def has_axis(*shapes: tuple[int, ...]) -> bool:
    return all(len(s) >= 1 for s in shapes)


def is_filled(*shapes: tuple[int, ...]) -> bool:
    return has_axis(*shapes) and all(0 not in s for s in shapes)


def is_filled_matrix(*shapes: tuple[int, ...]) -> bool:
    return is_matrix(*shapes) and is_filled(*shapes)


def alike(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return len(a) >= 1 and a == b


def row(name: str, run: Function, inputs: int = 1, fits: Any = None, analytic: bool = True) -> Row:
    return Row(name, run, inputs, analytic, fits or (broadcastable if inputs == 2 else lambda *shapes: True))


ROWS = [
    row("add", lambda n, f, a, b: a + b, 2),
    row("subtract", lambda n, f, a, b: a - b, 2),
    row("multiply", lambda n, f, a, b: a * b, 2),
    row("divide", lambda n, f, a, b: a / (2 + b * b), 2),
    row("power", lambda n, f, a, b: (1.5 + n.sin(a)) ** b, 2),
    row("matmul", lambda n, f, a, b: a @ b, 2, multiplies),
    row("square", lambda n, f, a: n.square(a)),
    row("cube", lambda n, f, a: a**3),
    row("negative", lambda n, f, a: -a),
    row("reciprocal", lambda n, f, a: n.reciprocal(2 + n.cos(a))),
    row("exp", lambda n, f, a: n.exp(a)),
    row("expm1", lambda n, f, a: n.expm1(a)),
    row("log", lambda n, f, a: n.log(2 + n.sin(a))),
    row("log1p", lambda n, f, a: n.log1p(a * a)),
    row("sqrt", lambda n, f, a: n.sqrt(1 + a * a)),
    row("sin", lambda n, f, a: n.sin(a)),
    row("cos", lambda n, f, a: n.cos(a)),
    row("sinh", lambda n, f, a: n.sinh(a)),
    row("cosh", lambda n, f, a: n.cosh(a)),
    row("tan", lambda n, f, a: n.tan(a / 2)),
    row("tanh", lambda n, f, a: n.tanh(a)),
    row("arctan", lambda n, f, a: n.arctan(a)),
    row("sum", lambda n, f, a: n.sum(a)),
    row("sum_last", lambda n, f, a: n.sum(a, axis=-1, keepdims=True), fits=has_axis),
    row("sum_first", lambda n, f, a: n.sum(a, axis=0), fits=has_axis),
    row("mean", lambda n, f, a: n.mean(a, axis=-1), fits=is_filled),
    row("variance", lambda n, f, a: f.var(a, axis=-1), fits=is_filled),
    row("prod", lambda n, f, a: f.prod(a, axis=0), fits=has_axis),
    row("cumsum", lambda n, f, a: n.cumsum(a, axis=-1), fits=has_axis),
    row("reshape", lambda n, f, a: n.reshape(a, (-1, 1)), fits=is_filled),
    row("ravel", lambda n, f, a: n.ravel(a)),
    row("transpose", lambda n, f, a: a.T, fits=is_matrix),
    row("swapaxes", lambda n, f, a: n.swapaxes(a, 0, -1), fits=has_axis),
    row("expand", lambda n, f, a: a[None]),
    row("reverse", lambda n, f, a: n.flip(a, (0,)), fits=has_axis),
    row("first", lambda n, f, a: a[0], fits=is_filled),
    row("slice", lambda n, f, a: a[..., 1:], fits=has_axis),
    row("pick", lambda n, f, a: a[np.array([0, -1, 0])], fits=is_filled),
    row("broadcast", lambda n, f, a: n.broadcast_to(a, (2, *a.shape))),
    row("concatenate", lambda n, f, a, b: n.concatenate([a, b, a], axis=0), 2, alike),
    row("stack", lambda n, f, a, b: n.stack([a, b], axis=-1), 2, alike),
    row("einsum", lambda n, f, a, b: n.einsum("...i,...i->...", a, b), 2, alike),
    row("outer", lambda n, f, a, b: n.einsum("i,j->ij", a, b), 2, lambda a, b: len(a) == len(b) == 1),
    row("same", lambda n, f, a: a * a + a),  # a node that is used again
    row("exp2", lambda n, f, a: n.exp2(a)),
    row("log2", lambda n, f, a: n.log2(2 + n.sin(a))),
    row("log10", lambda n, f, a: n.log10(2 + n.cos(a))),
    row("arcsinh", lambda n, f, a: n.arcsinh(a)),
    row("arctanh", lambda n, f, a: n.arctanh(n.tanh(a) / 2)),
    row("diff", lambda n, f, a: n.diff(a, axis=-1), fits=has_axis),
    row("tile", lambda n, f, a: n.tile(a, (2,) * max(a.ndim, 1))),
    row("kron", lambda n, f, a, b: f.kron(a, b), 2, is_matrix),
    row("cumprod", lambda n, f, a: f.cumprod(a, axis=-1), fits=has_axis),
    row("det", lambda n, f, a: n.linalg.det(a @ a.T + 2 * n.eye(len(a))), fits=is_filled_matrix),
    row("inv", lambda n, f, a: n.linalg.inv(a @ a.T + 2 * n.eye(len(a))), fits=is_filled_matrix),
    row("solve", lambda n, f, a: n.linalg.solve(a @ a.T + 2 * n.eye(len(a)), a), fits=is_filled_matrix),
    # not analytic, or not written so
    row("absolute", lambda n, f, a: n.abs(a), analytic=False),
    row("maximum", lambda n, f, a, b: n.maximum(a, b), 2, analytic=False),
    row("minimum", lambda n, f, a, b: n.minimum(a, b), 2, analytic=False),
    row("clip", lambda n, f, a: n.clip(a, -0.7, 0.9), analytic=False),
    row("where", lambda n, f, a, b: n.where(a > b, a * 2, b), 2, analytic=False),
    row("max", lambda n, f, a: f.max(a, axis=-1), fits=is_filled, analytic=False),
    row("min", lambda n, f, a: f.min(a, axis=0), fits=is_filled, analytic=False),
    row("hypot", lambda n, f, a, b: n.hypot(a, 1 + b * b), 2, analytic=False),  # at (0, 0) PyTorch has nan
    *(
        row(name, lambda n, f, a, name=name: getattr(f, name)(a), analytic=False)
        for name in ("relu", "sigmoid", "softplus", "gelu", "silu", "mish", "elu", "selu", "celu", "leaky_relu")
    ),
    *(
        row(name, lambda n, f, a, name=name: getattr(f, name)(a), analytic=False)
        for name in ("gelu_tanh", "softsign", "tanhshrink", "softshrink", "hard_swish", "hard_sigmoid", "hard_tanh")
    ),
    *(
        row(name, lambda n, f, a, name=name: getattr(f, name)(a), fits=is_filled, analytic=False)
        for name in ("softmax", "log_softmax", "logsumexp", "relu6", "log_sigmoid", "erf")
    ),
]


class Step(NamedTuple):
    """One line of a program: a row, the numbers of the values it is given, and what its result is multiplied by."""

    row: Row
    inputs: tuple[int, ...]
    scale: float


class Program(NamedTuple):
    """Arrays to start from, and steps, whose last results are summed up."""

    leaves: list[np.ndarray]
    steps: list[Step]

    def __call__(self, n: Any, f: Any, leaves: list[Any]) -> Any:
        values = list(leaves)
        for run, inputs, scale in self.steps:
            values.append(run.run(n, f, *(values[i] for i in inputs)) * scale)
        used = {i for step in self.steps for i in step.inputs}
        ends = [v for i, v in enumerate(values) if i not in used]
        return sum((n.sum(v * 0.7) for v in ends[1:]), start=n.sum(ends[0]))


def random_program(seed: int, n: Any, f: Any, analytic: bool) -> Program:
    """A program of 4 to 14 steps over two to four arrays, of which now and then one is empty."""
    rng = np.random.default_rng(seed)
    rows = [r for r in ROWS if r.analytic or not analytic]
    d = [int(k) for k in rng.integers(1, 4, 3)]
    if rng.random() < 0.1:
        d[int(rng.integers(3))] = 0
    shapes = [(), (d[0],), (d[1], d[0]), (1, d[0]), (d[2], 1, d[0]), (d[0], d[1]), (d[0], d[0])]
    leaves = [rng.uniform(-1.5, 1.5, shapes[int(k)]) for k in rng.integers(0, len(shapes), rng.integers(2, 5))]
    values, steps = list(leaves), []
    while len(steps) < 4 + seed % 11:
        row = rows[int(rng.integers(len(rows)))]
        inputs = tuple(int(i) for i in rng.integers(0, len(values), row.inputs))
        given = [values[i] for i in inputs]
        if not row.fits(*(v.shape for v in given)):
            continue
        y = np.asarray(row.run(n, f, *given))
        if y.size > 500 or y.ndim > 4:
            continue
        scale = float(2.0 ** -np.ceil(np.log2(max(1.0, float(np.abs(y).max(initial=0))))))
        steps.append(Step(row, inputs, scale))
        values.append(np.asarray(y * scale))
    return Program(leaves, steps)
