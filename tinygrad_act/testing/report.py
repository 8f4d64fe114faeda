"""What check_grads says when it fails."""

from __future__ import annotations

from typing import Any

import numpy as np

from .judge import Fault

STEPS = [10.0**-k for k in range(1, 11)]
MODES = {
    "reverse": "{order} derivative, reverse mode against numeric",
    "forward": "forward mode (a vjp differentiated by its seed) against reverse mode",
    "not finite": "the {order} derivative is not finite",
}
ORDERS = {1: "first", 2: "second"}


def called(f: Any) -> str:
    """What a function is called."""
    return getattr(f, "__name__", None) or type(f).__name__


def of(f: Any, fault: Fault, suspect: Any, weighted: bool) -> str:
    """The whole report on one fault, the worst, and on the op that is most likely the cause."""
    what = MODES[fault.mode].format(order=ORDERS[fault.order])
    lines = [f"check_grads({called(f)}): {what}", "", *numbers(fault)]
    if weighted:
        lines.append("  of             the sum of all that it gives, with weights from 0.5 to 1.5")
    if fault.note:
        lines.append(f"  {fault.note}; a derivative there lies between these")
    if fault.checked > 1:
        lines.append(f"  off            {fault.off} of {fault.checked} places checked")
    lines += ["", *blame(fault, suspect)]
    if fault.line:
        lines += ["", *table(fault)]
    return "\n".join(lines)


def place(fault: Fault) -> str:
    """Where it is, as one would write it."""
    if fault.index is None:
        return f"{fault.name}, in a random direction"
    return f"{fault.name}[{', '.join(map(str, fault.index))}]" if fault.index else fault.name


def numbers(fault: Fault) -> list[str]:
    """What the derivative is, and what it should be."""
    lines = [f"  at             {place(fault)}", f"  analytic       {fault.analytic:.12g}"]
    if fault.mode == "not finite":
        return lines
    error = f" ± {fault.numeric.error:.1g}" if fault.numeric.error else ""
    lines.append(f"  numeric        {fault.numeric.value:.12g}{error}   ({fault.numeric.way})")
    ratio = fault.analytic / fault.numeric.value if fault.numeric.value else np.nan
    hint = f"   analytic / numeric = {ratio:.6g}" if np.isfinite(ratio) and ratio else ""
    return [*lines, f"  relative error {fault.relative:.3g}{hint}"]


def blame(fault: Fault, suspect: Any) -> list[str]:
    """The op that is most likely at fault, and its rule."""
    if suspect is None:
        return [
            "No op is wrong by itself, so it is how they are put together: .data, .detach(), no_grad() and a new",
            "Tensor of an array each cut the graph, and what is behind them counts as a constant.",
        ]
    rule = suspect.op.rule
    rule = rule.get(suspect.fault.name.partition("[")[0], "") if isinstance(rule, dict) else rule
    own = suspect.fault
    lines = [f"Most likely at fault: {suspect.op!r}, which is wrong by itself too, at {place(own)}"]
    if suspect.line:
        lines.append(f"  used in        {suspect.line}")
    lines.append(f"  inputs         {', '.join(suspect.op.arguments)} of shapes {suspect.shapes}")
    if rule:
        lines.append(f"  its rule       {rule}")
    return lines + (numbers(own)[1:] if own is not fault else [])


def table(fault: Fault) -> list[str]:
    """Difference quotients by step: truncation makes them wrong at the top, rounding at the bottom."""
    assert fault.line
    lines = ["      step   difference quotient   from analytic   from numeric"]
    for step in STEPS:
        h = step * 10 * fault.step
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


def wrong_dtype(op: Any, given: Any, result: Any) -> str:
    """Of an op that does not keep its dtype."""
    return (
        f"the op {op!r} turns {given} into {result}.\n"
        "  Python numbers are weak (2 * x keeps the dtype of x), np.float64 and arrays are not: write 2.0, or\n"
        "  array.astype(x.dtype)."
    )


def imprecise(name: str, index: tuple[int, ...], low: Any, high: Any, room: Any) -> str:
    """Of a gradient that loses digits."""
    return (
        f"the gradient in {low.dtype} is further from that in double than rounding explains.\n"
        f"  at             {name}{list(index) or ''}\n  {low.dtype!s:14} {low[index]:.9g}\n"
        f"  in double      {high[index]:.12g}\n  expected within {room[index]:.2g}"
    )
