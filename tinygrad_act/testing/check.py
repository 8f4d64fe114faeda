"""check_grads: whether the gradients of a function of yours are right, and if not, whose fault it is."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..autodiff import toposort
from ..drawing.lines import line_of, lines_noted
from ..op import Node
from ..tensor import Tensor
from ..trees import flatten
from . import report
from .judge import Fault, Judge, allows_complex
from .problem import Problem, is_variable, problem_of

MOST_OPS = 200  # of a graph that are searched for the one at fault


class Suspect(NamedTuple):
    """The op whose own rule is wrong, on what it was given."""

    op: Any
    shapes: str
    line: str
    fault: Fault


def check_grads(
    f: Callable[..., Any], *args: Any, order: int = 2, rtol: float | None = None, atol: float | None = None
) -> None:
    """Compare the derivatives of `f` at `args` with numeric ones; AssertionError, with a report, if they differ.

    `f` takes and gives Tensors, or containers of them, or it is a Module, whose parameters are checked too. The floats
    among `args` (arrays, Tensors, numbers, in lists, tuples and dicts) are what it is differentiated with respect to.
    Checked are the gradient and, up to `order` 2, its derivative, in reverse mode against numeric ones, and forward
    mode against reverse. Numeric are a complex step (Squire and Trapp, 1998) where the function allows it, else central
    differences in Ridders' table (1982), in double; single precision is compared with double, as far as its rounding
    goes. At a kink the derivative may be any between the slopes to the left and the right of it (Clarke, 1983). An op
    with a surrogate is judged by that. Of more than 100 elements, some and random directions are checked.

    `rtol` (1e-6) and `atol` (1e-9 of the largest derivative) come on top of the error that the numeric one has.
    TypeError if no argument is of floats, or if `f` gives no Tensor.

    >>> check_grads(lambda x: (x**2 * np.sin(x)).sum(), np.array([0.5, 2.0]))
    """
    problem = problem_of(f, args)
    with problem.borrowed():
        operations = tried(problem)
        if faults := faults_of(problem, order, rtol, atol):
            raise AssertionError(
                report.of(f, worst_of(faults), suspect_of(problem, faults[0], rtol, atol), problem.is_weighted)
            )
        if wrong := wrong_dtype(problem, operations) or of_low_precision(problem, atol):
            raise AssertionError(f"check_grads({report.called(f)}): {wrong}")


def tried(problem: Problem) -> list[Node]:
    """What a function computed, in order, run twice: it gives the same Tensors and leaves its arguments alone."""
    name, seen = report.called(problem.f), [y for _, y in flatten(problem.args) if isinstance(y, np.ndarray)]
    before = [x.copy() for x in seen]
    outputs, variables = problem.run(problem.arrays)
    if not outputs:
        raise TypeError(report.no_tensor(name))
    for path, t, a in zip(problem.names, variables, problem.arrays, strict=True):
        if not np.array_equal(t._array, a, equal_nan=True):
            raise AssertionError(report.mutated(name, path))
    if any(not np.array_equal(x, old, equal_nan=x.dtype.kind == "f") for x, old in zip(seen, before, strict=True)):
        raise AssertionError(report.mutated(name, "an argument"))
    again, _ = problem.run(problem.arrays)
    for y, z in zip(outputs, again, strict=True):
        if y.shape != z.shape or not np.array_equal(y._array, z._array, equal_nan=True):
            raise AssertionError(report.not_deterministic(name, y._array, z._array))
    rng = np.random.default_rng(3)
    problem.is_weighted = [y.size for y in outputs] != [1]
    problem.weights = [rng.uniform(0.5, 1.5, y.shape) if problem.is_weighted else np.ones(y.shape) for y in outputs]
    operations = in_order(outputs)
    if any(node.op is not None and node.op.surrogate is not None for node in operations):
        problem.straight = True
    return operations


def in_order(outputs: list[Tensor]) -> list[Node]:
    """Every op of the graphs of these, the first first."""
    nodes = {node: None for y in outputs if y.requires_grad for node in toposort(y) if node.op is not None}
    return sorted(nodes, key=lambda node: node.stamp)


def faults_of(problem: Problem, order: int, rtol: float | None, atol: float | None) -> list[Fault]:
    """What is wrong, of the lowest order and the first kind that anything is wrong of."""
    judge = Judge(problem, 1e-6 if rtol is None else rtol, atol, allows_complex(problem))
    faults = judge.faults(1) or judge.forward_faults()
    return faults or (judge.faults(2) if order > 1 else [])


def suspect_of(problem: Problem, fault: Fault, rtol: float | None, atol: float | None) -> Suspect | None:
    """The first op in the graph whose own derivative is wrong."""
    problem.straight = False
    with lines_noted():
        outputs, _ = problem.run(problem.arrays)
    for node in itertools.islice(in_order(outputs), MOST_OPS):
        op: Any = node.op
        alone = problem_of(op, tuple(map(as_argument, node.inputs)))
        tried(alone)
        if found := faults_of(alone, fault.order, rtol, atol):
            shapes = ", ".join(str(np.shape(x._array if isinstance(x, Node) else x)) for x in node.inputs)
            return Suspect(op, shapes, line_of(node), worst_of(found))
    return None


def as_argument(x: Any) -> Any:
    """What the op was given, so that it is differentiated with respect to the same."""
    if isinstance(x, Node) and x.requires_grad:
        return x._array
    return Tensor(x, requires_grad=False) if is_variable(x) else x


def worst_of(faults: list[Fault]) -> Fault:
    """That which is furthest off."""
    return max(faults, key=lambda fault: abs(fault.analytic - fault.numeric.value))


def wrong_dtype(problem: Problem, operations: list[Node]) -> str:
    """Which op turns single precision into double, if one does that of itself."""
    if all(dtype == np.float64 for dtype in problem.dtypes):
        return ""
    problem.straight = False
    outputs, _ = problem.run(problem.given(problem.arrays))
    for node in in_order(outputs):
        given = [x._array.dtype if isinstance(x, Node) else getattr(x, "dtype", None) for x in node.inputs]
        floats = [dtype for dtype in given if dtype is not None and dtype.kind == "f"]
        widest = np.result_type(*floats)
        op: Any = node.op
        if node._array.dtype != widest and op.name != "astype":
            return report.wrong_dtype(op, widest, node._array.dtype)
    return ""


def of_low_precision(problem: Problem, atol: float | None) -> str:
    """Whether gradients in the precision of the arguments are off by more than its rounding explains.

    How much that is, is measured: by how much the gradient changes if each argument is off by one rounding.
    """
    if all(dtype == np.float64 for dtype in problem.dtypes):
        return ""
    here = problem.given(problem.arrays)
    low = [g._array for g in problem.slopes(here, low_weights(problem, here))[0]]
    exact = [a.astype(np.float64) for a in here]
    high = [g._array for g in problem.slopes(exact)[0]]
    spread, rng = [np.zeros_like(g) for g in high], np.random.default_rng(23)
    for _ in range(4):
        signs = [rng.choice([-1.0, 1.0], a.shape) for a in exact]
        steps = [0.0 if dtype == np.float64 else float(np.finfo(dtype).eps) for dtype in problem.dtypes]
        moved = [a * (1 + s * e) for a, s, e in zip(exact, signs, steps, strict=True)]
        spread = [
            np.maximum(d, np.abs(g._array - h)) for d, g, h in zip(spread, problem.slopes(moved)[0], high, strict=True)
        ]
    for name, a, g, h, d in zip(problem.names, here, low, high, spread, strict=True):
        if g.dtype != a.dtype or g.shape != a.shape:
            return f"the gradient of {name} is {g.dtype} of shape {g.shape}, and {name} {a.dtype} of shape {a.shape}"
        eps = max(float(np.finfo(dtype).eps) for dtype in problem.dtypes)
        room = 64 * eps * np.abs(h).max(initial=0.0) + 16 * d + (atol or 0.0)
        if bad := np.argwhere(~(np.abs(g - h) <= room)).tolist():
            return report.imprecise(name, tuple(bad[0]), g, h, room)
    return ""


def low_weights(problem: Problem, here: list[Any]) -> list[Any]:
    """The weights in the dtypes of the outputs."""
    outputs, _ = problem.run(here)
    return [w.astype(y.dtype) for w, y in zip(problem.weights, outputs, strict=True)]
