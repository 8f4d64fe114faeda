"""What each op means, said once more: by its printed formula, in a line here, or by the equations that it solves.

It is said of NumPy's complex numbers, whose imaginary parts carry a derivative, and of PyTorch's tensors. Comparisons
are of real parts, so that each branch is analytic. Nothing here is careful with digits: numbers are to be moderate.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import latex
import numpy as np
import scipy.special
import sympy
from exact import indicator

from tinygrad_act.activations.glu import GatedUnit
from tinygrad_act.op import OPS, Elementwise, Op

try:
    import torch

    torch.set_num_threads(1)  # with which it is quicker on small arrays
except ImportError:
    torch = None

Function = Callable[..., Any]
H = 1e-150  # the step to the side, whose square is 0


class Room(NamedTuple):
    """NumPy, or a library like it."""

    n: Any
    special: Any  # where its error functions are
    array: Function  # from one of NumPy's
    constant: Function  # to one of NumPy's: the numbers as they are, of which no derivative is known
    own: dict[str, Function]  # what it has itself, by the name of an op: functions of the op and its inputs

    def __call__(self, op: Op, *inputs: Any) -> Any:
        """What an op gives; straight through the surrogate, if it has one."""
        if op.surrogate:
            there = self(op.surrogate, *inputs)
            return there + self.array(op(*map(self.constant, inputs)) - self.constant(there))
        if op.name in self.own and (op == OPS[op.name] or not isinstance(op, Elementwise)):
            return self.own[op.name](op, *inputs)
        return LINES.get(op.name, by_formula)(self, op, *inputs)


# By formula.


class Where(sympy.Function):
    """The second where the first is not 0, else the third."""


def without_cases(expression: Any) -> Any:
    def folded(*pairs: Any) -> Any:
        return functools.reduce(lambda rest, p: Where(indicator(p[1]), p[0], rest), pairs[-2::-1], pairs[-1][0])

    return sympy.sympify(expression).replace(sympy.Piecewise, folded)


@functools.cache
def expressions(op: Op, length: int) -> tuple[list[Any], list[Any]]:
    """Symbols for the inputs, numbers or vectors of a length, and what the formula makes of them."""
    inputs = {a: np.array([sympy.Symbol(f"{a}_{k}", real=True) for k in range(length or 1)]) for a in op.arguments}
    value = latex.formula(op, inputs if length else {a: v[0] for a, v in inputs.items()})
    return [s for v in inputs.values() for s in v], [without_cases(v) for v in np.ravel(value)]


def real(x: Any) -> Any:
    return getattr(x, "real", x)


@functools.cache
def words(n: Any, special: Any) -> dict[str, Any]:
    """What SymPy's names mean."""
    one = n.ones((), dtype=n.float64)
    names = ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh")
    names += ("asin", "acos", "atan", "asinh", "acosh", "atanh")
    return {name: functools.partial(lambda f, x: f(one * x), getattr(n, name)) for name in names} | {
        "pi": math.pi,
        "erf": special.erf,
        "erfc": special.erfc,
        "sech": lambda x: 1 / n.cosh(x),
        "atan2": lambda a, b: n.atan(a / b) + math.pi * n.sign(real(a)) * (real(b) < 0),
        "Less": lambda a, b: (real(a) < real(b)) * one,
        "Where": lambda c, a, b: n.where(c > 0, a, b),
        "Maximum": lambda a, b: n.where(real(a) > real(one * b), a, b),
        "Sign": lambda x: n.where(real(x) < 0, -one, one),
        "Absolute": lambda x: n.where(real(x) < 0, -x, x),
        "Floor": lambda x: n.floor(real(x)),
    }


@functools.cache
def code(n: Any, special: Any, op: Op, length: int) -> Function:
    return sympy.lambdify(*expressions(op, length), modules=[words(n, special)], cse=True)


def by_formula(room: Room, op: Op, *inputs: Any) -> Any:
    """Each number by itself; or each row along the op's axis as a vector, of whose elements the formula speaks."""
    n, special, *_ = room
    if not hasattr(op, "axis"):
        return code(n, special, op, 0)(*inputs)[0]
    columns = [column for x in inputs for column in n.moveaxis(x, op.axis, 0)]
    if not columns:
        return inputs[0]
    y = [v + 0 * columns[0] for v in code(n, special, op, len(columns) // len(inputs))(*columns)]
    return n.stack(y, op.axis) if op.formula[1:].startswith("_i =") or op.keepdims else y[0]


# In a line: of a room, an op, and its inputs.


def reduced(f: Function) -> Function:
    """By a function of NumPy or PyTorch, an op, and the elements to reduce as a last axis."""

    def line(room: Room, op: Any, x: Any) -> Any:
        axes = op._axes(x)
        rows = room.n.moveaxis(x, axes, tuple(range(x.ndim - len(axes), x.ndim)))
        y = f(room.n, op, rows.reshape((*rows.shape[: x.ndim - len(axes)], op.count(x))))
        return y.reshape(op._kept_shape(x)) if op.keepdims else y

    return line


def variance(n: Any, op: Any, r: Any) -> Any:
    return n.sum((r - n.mean(r, -1)[..., None]) ** 2, -1) / (r.shape[-1] - op.ddof)


def greatest(n: Any, op: Any, r: Any) -> Any:
    return functools.reduce(words(n, scipy.special)["Maximum"], n.moveaxis(r, -1, 0))


def cumulated(room: Room, op: Any, x: Any) -> Any:
    return getattr(room.n, op.name)(x.reshape(-1) if op.axis is None else x, op.axis or 0)


def moved(room: Room, op: Op, *inputs: Any) -> Any:
    """Numbered elements tell where each one goes; those that are 0 come from nowhere."""
    ends = np.cumsum([math.prod(x.shape) for x in inputs])
    numbered = [np.arange(e - math.prod(x.shape), e).reshape(x.shape) + 1 for e, x in zip(ends, inputs, strict=True)]
    elements = room.n.concatenate([room.array(np.zeros(1)), *(x.reshape(-1) for x in inputs)])
    return elements[op.forward(*numbered).astype(int)]


def scattered(room: Room, op: Any, x: Any) -> Any:
    size = math.prod(op.shape)
    places = np.arange(size).reshape(op.shape)[op.index].reshape(-1)
    return (x.reshape(-1) @ room.array(np.eye(size)[places])).reshape(op.shape)


def convolved(room: Room, op: Op, a: Any, v: Any) -> Any:
    i, j, k = np.ix_(*map(range, (len(a), len(v), len(a) + len(v) - 1)))
    return room.n.einsum("i,j,ijk->k", a, v, room.array((i + j == k) * 1.0))


def gated(room: Room, op: Any, x: Any) -> Any:
    both = room.n.moveaxis(x, op.axis, 0)
    a, b = both[: len(both) // 2], both[len(both) // 2 :]
    return room.n.moveaxis(a * room(op.gate, b), 0, op.axis)


def shares(room: Room, op: Any, z: Any, y: Any) -> tuple[Any, Any]:
    """Softmax of logits, and targets as distributions, with the classes as their last axis."""
    y = room.array(np.eye(z.shape[op.axis]))[y] if y.ndim < z.ndim else room.n.moveaxis(y, op.axis, -1)
    e = room.n.exp(room.n.moveaxis(z, op.axis, -1))
    return e / room.n.sum(e, -1)[..., None], y


def over_all(op: Any, losses: Any) -> Any:
    return losses if op.reduction == "none" else getattr(losses, op.reduction)()


def cross_entropy(room: Room, op: Any, z: Any, y: Any) -> Any:
    p, y = shares(room, op, z, y)
    return over_all(op, -room.n.sum(y * room.n.log(p), -1))


def residual(room: Room, op: Any, z: Any, y: Any) -> Any:
    p, y = shares(room, op, z, y)
    return room.n.moveaxis(room.n.sum(y, -1)[..., None] * p - y, -1, op.axis)


def turned(a: Any) -> Any:
    return a.swapaxes(-1, -2)


def symmetric(n: Any, a: Any, upper: bool) -> Any:
    """The symmetric matrix of which one triangle is given."""
    return n.triu(a) + turned(n.triu(a, 1)) if upper else n.tril(a) + turned(n.tril(a, -1))


def solved(room: Room, op: Op, a: Any) -> Any:
    """From the real solution of its equations by a step of Newton's to the complex one."""
    ys = op(a.real).astype(complex)
    for k in np.ndindex(a.shape[:-2] if ys.size else 0):

        def off(y: Any, a: Any, like: Any = ys[k]) -> np.ndarray:
            return np.concatenate([np.ravel(e) for e in EQUATIONS[op.name](op, y.reshape(like.shape), a)])

        y = ys[k].ravel()
        slopes = np.stack([off(y + 1j * H * e, a[k].real).imag / H for e in np.eye(y.size)], -1)
        now = off(y, a[k])
        step = np.linalg.lstsq(slopes, np.stack([now.real, now.imag / H], -1))[0]
        ys[k] -= (step @ [1, 1j * H]).reshape(ys[k].shape)
    return ys


def cholesky(op: Any, y: Any, a: Any) -> list[Any]:
    low = y.T if op.upper else y
    return [low @ low.T - symmetric(np, a, op.upper), np.triu(low, 1)]


def eigen(op: Any, y: Any, a: Any) -> list[Any]:
    w, v, zero = op.parts(y, a)
    return [v * w @ v.T - symmetric(np, a, op.uplo == "U"), v.T @ v - np.eye(len(w)), zero]


def qr(op: Any, y: Any, a: Any) -> list[Any]:
    q, r = op.parts(y, a)
    return [q @ r - a, q.T @ q - np.eye(len(r)), np.tril(r, -1)]


def svd(op: Any, y: Any, a: Any) -> list[Any]:
    u, s, vh, zero = op.parts(y, a)
    return [u * s @ vh - a, u.T @ u - np.eye(len(s)), vh @ vh.T - np.eye(len(s)), zero]


def pinv(op: Any, y: Any, a: Any) -> list[Any]:
    return [a @ y @ a - a, y @ a @ y - y, a @ y - (a @ y).T, y @ a - (y @ a).T]


EQUATIONS = {f.__name__: f for f in (cholesky, eigen, qr, svd, pinv)}

LINES: dict[str, Function] = {
    "erf": lambda room, op, x: room.special.erf(x),
    "erfc": lambda room, op, x: room.special.erfc(x),
    "i0": lambda room, op, x: sum((x * x / 4) ** k / float(math.factorial(k)) ** 2 for k in range(40)),
    "over_gap": lambda room, op, m, gap, closed: m / gap,
    "where": lambda room, op, c, a, b: room.n.where(c, a, b),
    "sum": reduced(lambda n, op, r: n.sum(r, -1)),
    "mean": reduced(lambda n, op, r: n.sum(r, -1) / r.shape[-1]),
    "var": reduced(variance),
    "std": reduced(lambda n, op, r: n.sqrt(variance(n, op, r))),
    "prod": reduced(lambda n, op, r: n.prod(r, -1)),
    "max": reduced(greatest),
    "min": reduced(lambda n, op, r: -greatest(n, op, -r)),
    "maxout": reduced(greatest),
    "norm": reduced(lambda n, op, r: n.sqrt(n.sum(r * r, -1))),
    "p_norm": reduced(lambda n, op, r: n.sum(n.where(real(r) < 0, -r, r) ** op.p, -1) ** (1 / op.p)),
    **dict.fromkeys(("cumsum", "cumprod"), cumulated),
    **dict.fromkeys(("getitem", "reshape", "transpose", "broadcast_to", "astype", "concatenate", "pad"), moved),
    "scatter": scattered,
    "matmul": lambda room, op, a, b: a @ b,
    "affine": lambda room, op, x, W, b: x @ W + b,
    "tensordot": lambda room, op, a, b: room.n.tensordot(a, b, op.axes),
    "einsum": lambda room, op, *arrays: room.n.einsum(f"{','.join(op.terms)}->{op.result}", *arrays),
    "convolve": convolved,
    "inv": lambda room, op, a: room.n.linalg.inv(a),
    "solve": lambda room, op, a, b: room.n.linalg.solve(a, b[(None,) * (a.ndim - b.ndim)]),
    "det": lambda room, op, a: room.n.linalg.det(a),
    "cofactors": lambda room, op, a: room.n.linalg.det(a)[..., None, None] * turned(room.n.linalg.inv(a)),
    "logabsdet": lambda room, op, a: 0.5 * room.n.log(room.n.linalg.det(a) ** 2),
    **dict.fromkeys(EQUATIONS, solved),
    **{name: gated for name, op in OPS.items() if isinstance(op, GatedUnit)},
    "crelu": lambda room, op, x: room.n.concatenate([room(OPS["relu"], x), room(OPS["relu"], -x)], op.axis),
    "cross_entropy": cross_entropy,
    "softmax_residual": residual,
    "bce_with_logits": lambda room, op, z, y: over_all(op, by_formula(room, op, z, y)),
}

NUMPY = Room(np, scipy.special, np.asarray, np.real, {})


# What PyTorch has itself: of an op, and its inputs.


def own_of_torch() -> dict[str, Function]:
    f, linalg = torch.nn.functional, torch.linalg
    alike = [op.name for op in OPS.values() if not hasattr(op, "axis") and op.name not in LINES]
    alike = [name for name in alike if name not in ("threshold", "prelu", "floor_divide", "clip")]
    found = {name: getattr(f, name, None) or getattr(torch, name, None) for name in alike}
    found |= {"hard_swish": f.hardswish, "hard_tanh": f.hardtanh, "log_sigmoid": f.logsigmoid, "power": torch.pow}
    found["gelu_tanh"] = functools.partial(f.gelu, approximate="tanh")

    def each(g: Function) -> Function:
        return lambda op, *inputs: g(*inputs)

    def along(g: Function) -> Function:
        return lambda op, x: g(x, op.axis)

    def over(g: Function, **fields: str) -> Function:
        return lambda op, x: g(
            x, dim=op._axes(x), keepdim=op.keepdims, **{k: getattr(op, v) for k, v in fields.items()}
        )

    def entropy(op: Any, z: Any, y: Any) -> Any:
        z, *ys = (t.moveaxis(op.axis, min(1, z.ndim - 1)) for t in (z, y) if t.ndim == z.ndim)
        return f.cross_entropy(z, *(ys or [y]), reduction=op.reduction)

    def factors(g: Function, vectors: int) -> Function:
        """One behind the other, with the columns of the one of these numbers turned as ours are, if need be."""

        def own(op: Any, a: Any) -> Any:
            parts = [*g(op, a)]
            ours = op.parts(op(a.detach().numpy()), a)[vectors]
            turn = torch.sign((parts[vectors] * torch.tensor(ours)).sum(-2, keepdim=True)).detach()
            parts[vectors] = parts[vectors] * turn
            if op.name != "eigen":  # where the rows of the last turn with them
                parts[-1] = turned(turn) * parts[-1]
            if op.name != "qr":  # behind which ours have a 0
                parts.append(torch.zeros((*a.shape[:-2], 1), dtype=a.dtype))
            return torch.cat([p.reshape((*a.shape[:-2], math.prod(p.shape[a.ndim - 2 :]))) for p in parts], -1)

        return own

    return {
        **{name: each(g) for name, g in found.items() if g},
        **{name: along(getattr(f, name)) for name in ("softmax", "log_softmax", "softmin", "glu")},
        "logsumexp": lambda op, x: torch.logsumexp(x, op.axis, op.keepdims),
        "mean": over(torch.mean),
        "var": over(torch.var, correction="ddof"),
        "std": over(torch.std, correction="ddof"),
        "max": over(torch.amax),
        "maxout": over(torch.amax),
        "min": over(torch.amin),
        "norm": over(linalg.vector_norm),
        "p_norm": over(linalg.vector_norm, ord="p"),
        "logabsdet": lambda op, a: linalg.slogdet(a)[1],
        "pinv": each(linalg.pinv),
        "cholesky": lambda op, a: linalg.cholesky(symmetric(torch, a, op.upper), upper=op.upper),
        "eigen": factors(lambda op, a: linalg.eigh(symmetric(torch, a, op.uplo == "U")), 1),
        "qr": factors(lambda op, a: linalg.qr(a), 0),
        "svd": factors(lambda op, a: linalg.svd(a, full_matrices=False), 0),
        "cross_entropy": entropy,
        "bce_with_logits": lambda op, z, y: f.binary_cross_entropy_with_logits(z, y, reduction=op.reduction),
    }


TORCH = torch and Room(torch, torch.special, torch.tensor, lambda x: x.detach().numpy(), own_of_torch())
