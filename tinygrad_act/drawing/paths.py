"""The paths that a gradient takes, and why each op on them passes on less or more than it is given."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..op import Array
from .graph import Vertex, number, share
from .steps import Passed, Step, rms, worst
from .wording import arguments, shape_of, span

MANY = 1_000_000  # paths, above which nobody counts
PRODUCTS = ("multiply", "divide", "matmul", "affine", "tensordot", "einsum")
CHOICES = ("clip", "maximum", "minimum", "where", "max", "min", "maxout")
LOSSES = ("cross_entropy", "bce_with_logits", "softmax_residual")


@dataclass
class Factor:
    """What an op on the path does to the size of the gradient: a row of the table of `explain(y, wrt=p)`."""

    op: str
    vertex: Vertex
    before: float  # the RMS of the gradient that arrives
    after: float  # the RMS of what it passes on along the path
    kind: str = ""  # of the reason, which the cure depends on
    note: str = ""

    @property
    def factor(self) -> float:
        return self.after / self.before if self.before else 1.0 if not self.after else math.inf


def paths_to(target: Vertex, steps: list[Step]) -> dict[Vertex, int]:
    """How many paths lead to the target, from each vertex from which any does; those beyond MANY are not counted."""
    count = {target: 1}
    for step in reversed(steps):
        n = sum(count.get(p.to, 0) for p in step.outgoing)
        if n and step.vertex is not target:
            count[step.vertex] = min(n, MANY)
    return count


def strongest_path(target: Vertex, steps: list[Step]) -> list[Factor]:
    """From the root to the target by way of the strongest contribution to each, which is found going back from it.

    Where several uses of a value are added up, their sum is a row of its own; so the factors multiply to the whole.
    """
    uses: dict[Vertex, list[tuple[Step, Passed]]] = {}
    for step in steps:
        for passed in step.outgoing:
            uses.setdefault(passed.to, []).append((step, passed))
    rows: list[Factor] = []
    v = target
    while v in uses:
        step, passed = max(uses[v], key=lambda use: _strength(*use)) if len(uses[v]) > 1 else uses[v][0]
        brought, total = rms(passed.gradient), uses[v][-1][1].after
        if len(uses[v]) > 1:
            kind, note = "", f"{len(uses[v])} uses of it are added up"
            if rms(total) < 1e-3 * brought:
                said = " and ".join(number(p.gradient.flat[np.abs(passed.gradient).argmax()]) for _, p in uses[v][:3])
                kind, note = "cancels", f"{len(uses[v])} contributions cancel: {said}{' …' * (len(uses[v]) > 3)}"
            rows.append(Factor("sum of uses", v, brought, rms(total), kind, note))
        rows.append(Factor(step.op, step.vertex, rms(step.incoming), brought, *reason(step, passed)))
        v = step.vertex
    return rows[::-1]


def _strength(step: Step, passed: Passed) -> tuple[int, float, float]:
    size, arrived = rms(passed.gradient), rms(step.incoming)
    bad = ("", "-inf", "inf", "nan").index(worst(passed.gradient))
    return bad, size if size < math.inf else 0.0, arrived if arrived < math.inf else 0.0


def _not_chosen(step: Step, passed: Passed) -> float:
    """The share of an input that a choice like maximum does not return, by what its rule makes of ones."""
    v = step.vertex
    inputs = [x.value for x in v.inputs]
    op: Any = v.op
    raw = op.vjp(passed.index, np.ones_like(np.asarray(step.incoming)), v.value, *inputs)
    return float(np.count_nonzero(np.equal(raw, 0)) / max(raw.size, 1))


def reason(step: Step, passed: Passed) -> tuple[str, str]:
    """(kind, what it is) of why an op passes on less or more than it is given; nothing, where it does neither."""
    op: Any = step.vertex.op
    x, given, gives = passed.to.value, rms(step.incoming), rms(passed.gradient)
    bad, arrived = worst(passed.raw), worst(step.incoming)
    if bad and bad != arrived:
        made = [f"the {arrived} that arrives"] if arrived else []
        made += [f"{a} = {span(v.value)}" for a, v in arguments(step.vertex)]
        return f"not finite {op.name}", f"{bad} begins here, from {' and '.join(made)}"
    if passed.summed and 1e-3 * rms(passed.raw) > gives:
        return "cancels", f"parts of opposite sign cancel in the sum over axis {', '.join(map(str, passed.summed))}"
    if passed.rule == "0":
        return "flat", "it only jumps: its slope is 0 everywhere"
    if step.local is not None:
        return _of_slope(step, passed, step.local)
    if op.name in PRODUCTS and not (op.name == "affine" and passed.argument == "b"):
        return _of_product(step, passed)
    if op.name in CHOICES and (blocked := _not_chosen(step, passed)):
        return "chosen", f"{share(blocked)} of {passed.argument} ({span(x)}) is not what it returns, and gets nothing"
    if op.name == "mean":
        return "mean", f"divides by n = {x.size // max(step.vertex.value.size, 1):,}"
    if op.name in LOSSES:
        if gives < 1e-3 * given and np.abs(step.vertex.value).max(initial=0) < 1e-2:
            return "fitted", f"the loss is {number(np.max(step.vertex.value))}: the prediction is right already"
        mean = getattr(op, "reduction", "") == "mean"
        return "", f"the mean of {x.size // (x.shape[op.axis] if hasattr(op, 'axis') else 1):,} losses" if mean else ""
    if op.name == "softmax" and gives < 0.1 * given:
        g: Any = step.incoming
        if np.all(np.abs(g - g.max(axis=op.axis, keepdims=True)) <= 1e-6 * np.abs(g).max()):
            return "cancels", "the same gradient arrives at all of its probabilities, whose sum is always 1"
        top = number(step.vertex.value.max(), 6)
        return "certain", f"its largest probability is {top}, and the slope a(1 - a) near 0"
    return "", ""


def _of_slope(step: Step, passed: Passed, local: Array) -> tuple[str, str]:
    """Why of an elementwise op: for how many elements the slope is 0, or small, and where these are."""
    slope, z, a = np.abs(local), passed.to.value, passed.argument
    off = slope < 1e-2
    if not off.any():
        least, most = (float(slope.min()), float(slope.max())) if slope.size else (1.0, 1.0)
        said = f"slope {number(least, 3)}" + (f" … {number(most, 3)}" if most > least else "")
        return "squashes" if most < 0.9 else "steep" if least > 1.1 else "", said
    flat, nothing = not slope[off].any(), not np.any(passed.raw)
    said = f"{share(off.mean())} of its elements have slope {'0' if flat else 'below 0.01'}: {_where(a, z[off])}"
    rest = _of_the_rest(step, slope) if nothing else ""
    if step.op != "relu":
        level = _is_level(step.vertex.op, z[off], step.vertex.value[off])
        kind = "saturated" if level else "stationary"
        return kind if nothing or off.mean() >= 0.5 else "", said + rest
    said = f"{share(off.mean())} of its elements are off: {a} < 0"
    units = off.reshape((-1, off.shape[-1])).all(axis=0) if off.ndim > 1 else off
    if units.any() and off.ndim > 1:
        said += f"; {np.count_nonzero(units)} of {units.size} units are dead, off for each row"
    return "dead" if nothing or off.mean() >= 0.9 or units.mean() >= 0.5 else "", said + rest


def _is_level(op: Any, z: Array, y: Array) -> bool:
    """Whether an elementwise op has about reached a limit at most of z, rather than a minimum, say."""
    low, high = op.domain
    far = [max(-1e4, low), max(-1e3, low), min(1e3, high), min(1e4, high)]
    ends = [np.inf if x in op.domain else float(op(np.float64(x))) for x in far]
    limits = [end if abs(end - before) < 0.01 else np.inf for end, before in (ends[:2], ends[:1:-1])]
    near = np.where(z > 0, limits[1], limits[0])
    return bool(np.mean(np.abs(y - near) < 0.2) > 0.5)


def _of_the_rest(step: Step, slope: Array) -> str:
    """Why nothing is passed on where the slope is not 0."""
    g: Any = step.incoming
    if not slope.any() or not g.any():
        return ""
    lost = np.any((g != 0) & (slope != 0))
    return f"; the rest is too small for {slope.dtype}" if lost else "; no gradient arrives at the others"


def _of_product(step: Step, passed: Passed) -> tuple[str, str]:
    """Why of a product: what the other factors are."""
    others = [(a, v) for i, (a, v) in enumerate(arguments(step.vertex)) if i != passed.index]
    if step.op == "affine":
        others = [o for o in others if o[0] == ("x" if passed.argument == "W" else "W")]
    kind, said = "", []
    for a, v in others:
        many = np.size(v.value) > 1
        called = f"{a} = {v.name}" if v.name and v.name != a else a if v.kind == "constant" else f"{a} ({v.title})"
        if not rms(v.value):
            return "zero factor", f"{called} is {'all 0' if many else '0'}"
        if not np.any(passed.raw) and np.any(step.incoming):
            return _of_nothing(step, v, called)
        rough = f"has RMS {number(rms(v.value), 3)} ({shape_of(v.value)})"
        said.append(f"{called} {rough}" if many else f"{called} is {number(np.max(v.value), 5)}")
        grows = rms(passed.gradient) > rms(step.incoming)
        kind = f"{'large' if grows else 'small'} {'weights' if v.kind == 'parameter' and many else 'factor'}"
    return kind, ", ".join(said)


def _of_nothing(step: Step, other: Vertex, called: str) -> tuple[str, str]:
    """Why a product passes on nothing, though neither the gradient nor the other factor is 0."""
    g: Any = step.incoming
    if step.op not in ("multiply", "divide"):
        return "cancels", f"parts of opposite sign cancel in the product with {called}"
    if np.any((g != 0) & np.not_equal(other.value, 0)):
        return "small factor", f"the product with {called} is too small for {step.vertex.value.dtype}"
    return "zero factor", f"{called} is 0 wherever a gradient arrives"


def _where(name: str, z: Array) -> str:
    """Where in an input something is so."""
    low, high, nearest = z.min(), z.max(), np.abs(z).min()
    if low == high:
        return f"{name} = {number(low, 3)}"
    if nearest > 1:
        return f"|{name}| ≥ {number(nearest, 3)}"
    return f"{name} < 0" if high < 0 else f"{number(low, 3)} ≤ {name} ≤ {number(high, 3)}"
