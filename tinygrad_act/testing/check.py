"""check_grads: whether the gradients of a function of yours are right, and if not, whose fault it is."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..drawing.lines import line_of, lines_noted
from ..op import Node
from ..tensor import Tensor
from ..transforms.linear import recording
from ..transforms.recompute import Recomputed
from ..trees import flatten
from . import report
from .judge import Fault, Judge, allows_complex, in_order
from .precision import faults_of_precision
from .problem import Arrays, Problem, is_variable, problem_of

MOST_OPS = 200  # of a graph that are searched for the one at fault


def check_grads(
    f: Callable[..., Any], *args: Any, order: int = 2, rtol: float | None = None, atol: float | None = None
) -> None:
    """Compare the derivatives of `f` at `args` with numeric ones; AssertionError, with a report, if they differ.

    `f` takes and gives Tensors, or containers of them, or it is a Module, whose parameters are checked too. The floats
    among `args` (arrays, Tensors, numbers, in lists, tuples and dicts) are what it is differentiated with respect to.
    Checked are the gradient and, up to `order` 2, its derivative, in reverse mode against numeric ones, forward mode
    against reverse, and `backward()` against `gradients()`. Numeric are a complex step (Squire and Trapp, 1998) where
    the function allows it, else central differences in Ridders' table (1982), in double; single precision is compared
    with double, as far as its rounding goes. At a kink the derivative may be any between the slopes around it (Clarke,
    1983). An op with a surrogate is judged by that. Of more than 100 elements, some and random directions are checked.

    `rtol` (1e-6) and `atol` (1e-9 of the largest derivative) come on top of the error that the numeric one has.
    TypeError if no argument is of floats, or if `f` gives no Tensor; ValueError at numbers, or for results, that are
    not finite, and for another order.

    >>> check_grads(lambda x: (x**2 * np.sin(x)).sum(), np.array([0.5, 2.0]))
    """
    if order not in (1, 2):
        raise ValueError(f"check_grads checks derivatives up to order 1 or 2, not {order!r}")
    problem = problem_of(f, args)
    with problem.borrowed(), recording():
        tried(problem)
        with looking():
            if faults := faults_of(problem, order, rtol, atol):
                told = report.of(f, worst_of(faults), suspect_of(problem, faults[0], rtol, atol), problem.is_weighted)
                raise AssertionError(told)
            if wrong := faults_of_precision(problem, atol):
                raise AssertionError(f"check_grads({report.called(f)}): {wrong}{imprecise_op(problem, atol)}")


def looking() -> np.errstate:
    """What is not finite is looked for in results, and most points are ones that only the check has chosen."""
    return np.errstate(divide="ignore", over="ignore", invalid="ignore")


def tried(problem: Problem) -> None:
    """Run a function twice: it gives the same Tensors, of finite numbers, and leaves its arguments alone."""
    name, seen = report.called(problem.f), [y for _, y in flatten(problem.args) if isinstance(y, np.ndarray)]
    for path, a in zip(problem.names, problem.arrays, strict=True):
        if not np.isfinite(a).all():
            raise ValueError(report.not_finite_at(name, path, a))
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
    for y in outputs:
        if not np.isfinite(y._array).all():
            raise ValueError(report.not_finite_value(name, y._array))
    rng = np.random.default_rng(3)
    problem.is_weighted = [y.size for y in outputs] != [1]
    problem.weights = [rng.uniform(0.5, 1.5, y.shape) if problem.is_weighted else np.ones(y.shape) for y in outputs]
    problem.straight = any(node.op is not None and node.op.surrogate is not None for node in in_order(outputs))


def faults_of(problem: Problem, order: int, rtol: float | None, atol: float | None) -> list[Fault]:
    """What is wrong, of the lowest order and the first kind that anything is wrong of."""
    judge = Judge(problem, 1e-6 if rtol is None else rtol, atol, allows_complex(problem))
    faults = judge.faults(1) or judge.array_faults() or judge.forward_faults()
    return faults or (judge.faults(2) if order > 1 else [])


def suspect_of(problem: Problem, fault: Fault, rtol: float | None, atol: float | None) -> report.Suspect:
    """The first op in the graph whose own derivative is wrong."""

    def wrong(order: int, alone: Problem) -> Fault | str | None:
        try:
            tried(alone)
        except AssertionError as error:
            return str(error).replace("check_grads: ", "")
        found = faults_of(alone, order, rtol, atol)
        return worst_of(found) if found else None

    suspect = first_op(problem, problem.arrays, functools.partial(wrong, fault.order))
    if suspect.op is None and fault.order == 1 and suspect.searched == suspect.of:  # it may use gradients itself
        suspect = first_op(problem, problem.arrays, functools.partial(wrong, 2))
    return suspect


def imprecise_op(problem: Problem, atol: float | None) -> str:
    """The first op that loses digits, or widens them, by itself."""

    def wrong(alone: Problem) -> str:
        tried(alone)
        return faults_of_precision(alone, atol)

    suspect = first_op(problem, problem.given(problem.arrays), wrong)
    return "\n\n" + "\n".join(report.blame(suspect)) if suspect.op else ""


def first_op(problem: Problem, arrays: Arrays, wrong: Callable[[Problem], Any]) -> report.Suspect:
    """The first op in the graph of which, run alone, something is wrong: one of each kind, and then the others."""
    problem.straight = False
    with lines_noted():
        nodes = list(all_ops(problem.run(arrays)[0]))
    kinds: dict[Any, Node] = {}
    for node in nodes:
        kinds.setdefault((repr(node.op), *shapes_of(node)), node)
    chosen = list(dict.fromkeys([*kinds.values(), *nodes]))[:MOST_OPS]
    for node in chosen:
        op: Any = node.op
        try:
            found = wrong(problem_of(op, tuple(map(as_argument, node.inputs))))
        except Exception:  # it cannot be judged alone: at numbers that are not finite, or as a part of something else
            continue
        if found:
            return report.Suspect(op, shapes_of(node), line_of(node), found)
    return report.Suspect(None, searched=len(chosen), of=len(nodes))


def all_ops(outputs: list[Tensor]) -> Iterator[Node]:
    """Every op of a graph, the first first, and those within checkpoints."""
    for node in in_order(outputs):
        if isinstance(node.op, Recomputed):
            yield from in_order([node.op.run([Tensor(x._array) for x in node.inputs[: len(node.op.places)]])])
        else:
            yield node


def shapes_of(node: Node) -> tuple[str, ...]:
    """Of the inputs, as people write them."""
    return tuple(str(np.shape(x._array if isinstance(x, Node) else x)) for x in node.inputs)


def as_argument(x: Any) -> Any:
    """What the op was given, so that it is differentiated with respect to the same."""
    if isinstance(x, Node) and x.requires_grad:
        return x._array
    return Tensor(x, requires_grad=False) if is_variable(x) else x


def worst_of(faults: list[Fault]) -> Fault:
    """That which is furthest off."""
    return max(faults, key=lambda fault: abs(fault.analytic - fault.numeric.value))
