"""Single precision against double: what differs by more than rounding explains, and what is widened."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np

from ..op import Array, Node
from . import report
from .judge import in_order
from .places import written
from .problem import Arrays, Problem
from .rounding import by_rounding, rounded

TRIES = 4


def faults_of_precision(problem: Problem, atol: float | None) -> str:
    """What is wrong with a function in the precision that it was given, or nothing."""
    if all(dtype == np.float64 for dtype in problem.dtypes):
        return ""
    problem.straight = False
    return widened(problem) or imprecise(problem, atol)


def widened(problem: Problem) -> str:
    """Which op turns single precision into double, if one does that of itself."""
    outputs, _ = problem.run(problem.given(problem.arrays))
    for node in in_order(outputs):
        given = [x._array.dtype if isinstance(x, Node) else getattr(x, "dtype", None) for x in node.inputs]
        widest = np.result_type(*(dtype for dtype in given if dtype is not None and dtype.kind == "f"))
        op: Any = node.op
        if node._array.dtype != widest and op.name != "astype":
            return report.widened(op, widest, node._array.dtype)
    return ""


def imprecise(problem: Problem, atol: float | None) -> str:
    """Which value or gradient is further from that in double than rounding explains.

    How far that is, is measured: the function is run in double, with each result, forward and backward, off at random
    by roundings of the lower precision (Monte Carlo arithmetic; Parker, 1997).
    """
    here = problem.given(problem.arrays)
    to = max((np.finfo(dtype) for dtype in problem.dtypes), key=lambda info: float(info.eps))
    off = float(to.eps), float(to.smallest_subnormal), np.random.default_rng(23)
    exact = [a.astype(np.float64) for a in here]
    names, low = results(problem, here)
    _, high = results(problem, exact)
    spread = [np.zeros_like(h) for h in high]
    for _ in range(TRIES):
        args = [a if d == np.float64 else rounded(a, *off) for a, d in zip(exact, problem.dtypes, strict=True)]
        _, found = results(problem, args, by_rounding(*off))
        spread = [np.maximum(d, np.abs(x - h)) for d, x, h in zip(spread, found, high, strict=True)]
    for (what, name, dtype), g, h, d in zip(names, low, high, spread, strict=True):
        if dtype is not None and (g.dtype != dtype or g.shape != h.shape):
            return f"{what} is {g.dtype} of shape {g.shape}, and is to be {dtype} of shape {h.shape}"
        room = 64 * off[0] * np.abs(h).max(initial=0.0) + 16 * d + off[1] + (atol or 0.0)
        if bad := np.argwhere(~(np.abs(g - h) <= room)).tolist():
            return report.imprecise(what, written(name, bad[0]), *(x[tuple(bad[0])] for x in (g, h, room)))
    return ""


def results(problem: Problem, arrays: Arrays, within: Any = None) -> tuple[list[tuple[str, str, Any]], list[Array]]:
    """The values and the gradients, each with what it is, what it is called, and the dtype that it is to have."""
    with within or nullcontext():
        outputs, variables = problem.run(arrays)
    pulled = problem.pulled(outputs, variables, record=False)
    values = [f"value {i}" if len(outputs) > 1 else "value" for i in range(len(outputs))]
    names: list[tuple[str, str, Any]] = [(f"the {value}", value, None) for value in values]
    names += [(f"the gradient of {n}", n, a.dtype) for n, a in zip(problem.names, arrays, strict=True)]
    return names, [y._array for y in (*outputs, *pulled)]
