"""What check_grads says when it fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .judge import Fault

STEPS = [10.0**-k for k in range(1, 11)]
MODES = {
    "reverse": "{order} derivative, reverse mode against numeric",
    "forward": "forward mode (a vjp differentiated by its seed) against reverse mode",
    "arrays": "backward(), whose rules see arrays, against gradients(), whose rules see Tensors",
    "written": "a rule writes into an array that it is given, and others hold: compute a new one (g * 2, not g *= 2)",
    "not finite": "the {order} derivative is not finite",
}
SIDES = {"forward": ("forward", "reverse")} | dict.fromkeys(("arrays", "written"), ("backward()", "gradients()"))
ORDERS = {1: "first", 2: "second"}


def called(f: Any) -> str:
    """What a function is called."""
    return getattr(f, "__name__", None) or type(f).__name__


@dataclass
class Suspect:
    """The op whose own rule is wrong, on what it was given: a fault, or what to say of it. Or none of many."""

    op: Any
    shapes: tuple[str, ...] = ()
    line: str = ""
    fault: Fault | str = ""
    searched: int = 0
    of: int = 0


def of(f: Any, fault: Fault, suspect: Suspect, weighted: bool) -> str:
    """The whole report on one fault, the worst, and on the op that is most likely the cause."""
    what = MODES[fault.mode].format(order=ORDERS[fault.order])
    lines = [f"check_grads({called(f)}): {what}", "", f"  at             {fault.where}", *numbers(fault)]
    whole = "all that it gives" if weighted else "the result"
    if fault.order == 2:
        lines.append(f"  of             the gradient of {whole}, its elements added with random weights")
    elif weighted:
        lines.append(f"  of             the sum of {whole}, with weights from 0.5 to 1.5")
    if fault.checked > 1:
        lines.append(f"  off            {fault.off} of {fault.checked} places checked")
    lines += ["", *blame(suspect, fault)]
    if fault.line:
        lines += ["", *table(fault)]
    return "\n".join(lines)


def numbers(fault: Fault) -> list[str]:
    """What the derivative is, and what it should be."""
    one, other = SIDES.get(fault.mode, ("analytic", "numeric"))
    lines = [f"  {one:14} {fault.analytic:.12g}"]
    if fault.mode == "not finite":
        again = "   (where it is so indeed, order=1 checks the first alone)" if fault.order == 2 else ""
        return [lines[0] + again]
    if fault.legal:
        low, high = fault.legal
        return [*lines, f"  legal          from {low:.7g} to {high:.7g}, the slopes around this point: it is at a kink"]
    if not np.isfinite(fault.numeric.value):
        return [*lines, "  numeric        none: beside this point, the function gives nan or inf, or raises an error"]
    if fault.mode == "written" and not fault.relative:
        return []
    error = f" ± {fault.numeric.error:.1g}   ({fault.numeric.way})" if fault.numeric.error else ""
    lines.append(f"  {other:14} {fault.numeric.value:.12g}{error}")
    ratio = fault.analytic / fault.numeric.value if fault.numeric.value else np.nan
    hint = f"   {one} / {other} = {ratio:.6g}" if np.isfinite(ratio) and ratio else ""
    return [*lines, f"  relative error {fault.relative:.3g}{hint}"]


def blame(suspect: Suspect, fault: Fault | None = None) -> list[str]:
    """The op that is most likely at fault, and its rule."""
    own, op = suspect.fault, suspect.op
    if op is None and suspect.searched < suspect.of:
        return [f"Of {suspect.of} ops, the first {suspect.searched} were looked at: none of them is wrong by itself."]
    if op is None:
        return [
            "No op is wrong by itself, so it is how they are put together: .data, .detach(), no_grad() and a new",
            "Tensor of an array each cut the graph, and what is behind them counts as a constant. Kinks may do it too:",
            "relu(x) - relu(-x) is x, but each relu takes its own slope at 0.",
        ]
    place = "" if isinstance(own, str) else f", at {own.where}"
    lines = [f"Most likely at fault: {op!r}, which is wrong by itself too{place}"]
    if suspect.line:
        lines.append(f"  used in        {suspect.line}")
    several = len(suspect.shapes) > 1
    lines.append(f"  inputs         {', '.join(op.arguments)} of shape{'s' * several} {', '.join(suspect.shapes)}")
    if isinstance(own, str):
        return lines + ([f"  {line.strip()}" for line in own.splitlines()] if fault else [])
    rule = op.rule.get(own.name.partition("[")[0], "") if isinstance(op.rule, dict) else op.rule
    if rule:
        lines.append(f"  its rule       {rule}")
    lines += numbers(own) if own.analytic != getattr(fault, "analytic", None) else []
    if own.order == 2 and own.mode == "reverse":
        lines.append(
            "  Its first derivative is right, so its rule is not differentiated: .data, float() and a branch on"
        )
        lines.append(
            "  isinstance(x, Tensor) leave the graph. Write rules in operators, NumPy functions and other ops."
        )
    return lines


def table(fault: Fault) -> list[str]:
    """Difference quotients by step: truncation makes them wrong at the top, rounding at the bottom."""
    assert fault.line
    steps = [10 * step * fault.step for step in STEPS]
    if fault.legal:
        f, middle = fault.line, fault.line(0.0)
        rows = [(h, (f(-h) - middle) / -h, (f(h) - middle) / h) for h in steps]
        return ["      step     quotient below     quotient above"] + [
            f"  {h:8.1e}   {below:16.10g}   {above:16.10g}" for h, below, above in rows
        ]
    lines = ["      step   difference quotient   from analytic   from numeric"]
    for h in steps:
        q = (fault.line(h) - fault.line(-h)) / (2 * h)
        lines.append(
            f"  {h:8.1e}   {q:19.12g}   {abs(q - fault.analytic):13.1e}   {abs(q - fault.numeric.value):12.1e}"
        )
    lines.append("  (from numeric: smallest in the middle, above it the step is too long, below it rounding shows;")
    lines.append("   from analytic: if it stays the same from step to step, the rule is wrong and not the difference)")
    return lines


def no_tensor(name: str) -> str:
    """Of a function that left the graph."""
    return (
        f"check_grads: {name} gave no Tensor of floats, so there is nothing to differentiate.\n"
        "  .data, .numpy(), float() and .item() leave the graph: return the Tensor itself."
    )


def mutated(name: str, path: str) -> str:
    """Of one that changes what it was given."""
    return (
        f"check_grads: {name} changes {path} in place, so each run starts elsewhere than the one before.\n"
        "  Compute new arrays (x = x + 1, np.where) rather than x.data += 1 or x[i] = 0, or copy first."
    )


def not_deterministic(name: str, y: Any, z: Any) -> str:
    """Of one that draws random numbers, or remembers."""
    apart = f"by up to {np.abs(y - z).max():.3g}" if y.shape == z.shape else f"in shape, {y.shape} and {z.shape}"
    return (
        f"check_grads: {name} is not deterministic: two runs on the same arguments differ {apart}.\n"
        "  Draw its random numbers outside and pass them in, seed a new generator in it, or call model.eval()."
    )


def not_finite_at(name: str, path: str, a: Any) -> str:
    """Of an argument beside which there are no numbers to try."""
    bad = tuple(np.argwhere(~np.isfinite(a))[0].tolist())
    return (
        f"check_grads({name}): {path}{list(bad) or ''} is {a[bad]}, beside which there are no numbers to try.\n"
        "  Check at finite numbers."
    )


def not_finite_value(name: str, y: Any) -> str:
    """Of a result that has no derivative."""
    bad = tuple(np.argwhere(~np.isfinite(y))[0].tolist())
    return (
        f"check_grads({name}): it gives {y[bad]}{f' at index {list(bad)}' if bad else ''}, which has no derivative.\n"
        "  Check at other points, or leave that out of what it returns. ta.debug() names the op that made it."
    )


def widened(op: Any, given: Any, result: Any) -> str:
    """Of an op that does not keep its dtype."""
    return (
        f"the op {op!r} turns {given} into {result}.\n"
        "  Python numbers are weak (2 * x keeps the dtype of x), np.float64 and arrays are not: write 2.0, or\n"
        "  array.astype(x.dtype)."
    )


def imprecise(what: str, where: str, low: Any, high: Any, room: Any) -> str:
    """Of a value or a gradient that loses digits."""
    return (
        f"{what} in {low.dtype} is further from that in double than rounding explains.\n"
        f"  at             {where}\n  {low.dtype!s:14} {low:.9g}\n"
        f"  in double      {high:.12g}\n  expected within {room:.2g}"
    )
