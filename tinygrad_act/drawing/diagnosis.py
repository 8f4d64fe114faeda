"""Why a gradient is missing, zero, tiny, huge or not finite, and what to do about it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ..op import Array, Node
from .graph import Graph, Vertex, number, shape_and_dtype
from .lines import line_of
from .paths import MANY, Factor, paths_to, reason, strongest_path
from .steps import Step, rms, steps_of, worst
from .wording import WHOLE, arguments, called, columns, escaped, shortened, shown, span

TINY, HUGE = 1e-6, 1e3  # the RMS of a gradient, relative to that of the seed
HEADS = ("op", "arrives", "passed on", "factor", "note")
EPSILON = "keep away from 0, as in np.sqrt(x + 1e-12) and a / (b + 1e-12)"
CURES = {
    "dead": "use leaky_relu or elu, a smaller learning rate, or He's initial weights (init.he_normal)",
    "saturated": "start with smaller weights, scale the inputs to mean 0 and variance 1, or use relu in hidden layers",
    "stationary": "none is needed at a minimum; else start elsewhere: the slope is 0 there, as that of x² is at 0",
    "squashes": "use relu with He's initial weights (init.he_normal) in deep networks, or fewer layers",
    "steep": "use an activation with slopes of at most 1, or a smaller input to it",
    "zero factor": "start from random weights, not from zeros, as Linear does; or see why that factor is 0",
    "small weights": "draw the weights with deviation 1/sqrt(fan_in), as init.lecun_normal and init.he_normal do",
    "large weights": "scale the weights by 1/sqrt(fan_in), as init.lecun_normal and init.he_normal do",
    "small factor": "bring that factor near 1; inputs, to mean 0 and variance 1",
    "large factor": "bring that factor near 1; inputs, to mean 0 and variance 1",
    "flat": "use a function with a slope in its place: tanh or clip for sign, no rounding within the graph",
    "chosen": "widen the bounds, or choose smoothly (softmax for max, leaky_relu for a hard zero)",
    "mean": "this is the share of one of n in a mean; reduction='sum' or a larger learning rate undoes it",
    "fitted": "none is needed: the loss is near 0, so there is nothing to learn from these samples",
    "certain": "use cross_entropy on the logits, which needs no softmax before it, or smaller logits",
    "cancels": "look at the signs: the result does not depend on it, as in x - x or the sum of a softmax",
    "not finite log": "use cross_entropy on the logits instead of log(softmax), or np.log1p(x); log of 0 is -inf",
    "not finite data": "clean the data, until np.isfinite(x).all() holds",
    "not finite update": "an update made it so: see its gradient; a smaller learning rate, or clip the gradients",
    "not finite": "look at the first place: keep what the op is given within its domain, and small enough",
    "seed": "give a seed that is finite, and not 0 everywhere",
    "": "look at the factors below; scaling the weights by 1/sqrt(fan_in) keeps each near 1",
}
CURES["not finite log1p"] = CURES["not finite log"]
CURES |= dict.fromkeys([f"not finite {op}" for op in ("sqrt", "divide", "power", "reciprocal", "norm")], EPSILON)
CURES |= dict.fromkeys(
    [f"not finite {op}" for op in ("exp", "expm1", "sinh", "cosh")],
    "subtract the maximum first, as softmax and logsumexp do; softplus is log(1 + exp(x)) without overflow",
)
CURES |= dict.fromkeys(
    [f"not finite {op}" for op in ("affine", "matmul")],
    f"{CURES['large weights']}; or a smaller learning rate, if they have grown",
)


@dataclass(repr=False)
class Diagnosis:
    """Why a gradient is as it is: a verdict, reasons, the weightiest first, a cure, and a path in factors.

    >>> from tinygrad_act import Tensor, relu
    >>> from tinygrad_act.drawing.explain import explain
    >>> z = Tensor([-1.0, -2.0], name="z")
    >>> explain(relu(z).sum(), wrt=z)
    The gradient of z is 0 everywhere: [0, 0]
    <BLANKLINE>
    WHY
      - relu #1: 100 % of its elements are off: z < 0
    <BLANKLINE>
    CURE
      use leaky_relu or elu, a smaller learning rate, or He's initial weights (init.he_normal)
    <BLANKLINE>
    THE PATH from the result to z, by the RMS of the gradient
    <BLANKLINE>
      op        arrives   passed on   factor   note
      sum #2    1         1           ×1
      relu #1   1         0           ×0       100 % of its elements are off: z < 0
    """

    of: str  # what the gradient is of
    verdict: Literal["no path", "not finite", "zero", "tiny", "huge", "ordinary"]
    summary: str
    reasons: list[str]
    cure: str
    gradient: Array | None = None
    factors: list[Factor] = field(default_factory=list)
    paths: int = 0
    limit: int | None = 30

    def _table(self) -> tuple[str, list[tuple[str, ...]]]:
        many = f"more than {MANY - 1:,}" if self.paths >= MANY else f"{self.paths:,}"
        title = "THE PATH" if self.paths == 1 else f"THE STRONGEST PATH of {many}"
        rows: list[tuple[str, ...]] = []
        for f in shortened(self.factors, self.limit):
            if isinstance(f, str):
                rows.append((f, "", "", "", ""))
                continue
            place = f"{f.op} at " * (not f.vertex.op or f.op != f.vertex.op.name) + _place(f.vertex)
            rows.append((place, number(f.before), number(f.after), _times(f.factor), f.note))
        return f"{title} from the result to {self.of}, by the RMS of the gradient", rows

    def __str__(self) -> str:
        lines = [self.summary, "", "WHY", *(f"  - {reason}" for reason in self.reasons), "", "CURE", f"  {self.cure}"]
        if self.factors:
            title, rows = self._table()
            lines += ["", title, "", *(f"  {line}" for line in columns([HEADS, *rows]))]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        lines = [f"**{escaped(self.summary)}**", "", *(f"- {escaped(r)}" for r in self.reasons), ""]
        lines += [f"*Cure:* {escaped(self.cure)}", ""]
        if self.factors:
            title, rows = self._table()
            cells = [HEADS, ("---",) * len(HEADS), *(tuple(map(escaped, row)) for row in rows)]
            lines += [title, "", *(f"| {' | '.join(row)} |" for row in cells)]
        return "\n".join(lines)


def diagnosed(graph: Graph, p: Node, seed: Any, limit: int | None) -> Diagnosis:
    """Why the gradient of `p` is what it is, in the graph of one root."""
    v = next((x for x in graph.vertices if x.node is p), None)
    name = called(v) if v else p.name or "this Tensor"
    root: Any = graph.roots[0].node
    if not (p.requires_grad and root.requires_grad and v):
        why, cure = _no_path(graph, p, name)
        return Diagnosis(name, "no path", f"No gradient reaches {name}.", [why], cure)
    steps = steps_of(graph, seed)
    backward = [s for s in steps if s.phase == "backward"]
    gradient: Any = next(s.incoming for s in backward if s.vertex is v)
    count, factors = paths_to(v, steps), strongest_path(v, steps)
    size, scale = rms(gradient), rms(backward[0].incoming)
    verdict: Any = "tiny" if size < TINY * scale else "huge" if size > HUGE * scale else "ordinary"
    verdict = verdict if gradient.size else "ordinary"
    found: list[tuple[str, str]]
    if bad := worst(gradient):
        verdict, found = "not finite", _origins(steps, count)
    elif size == 0 and gradient.size:
        verdict, found = "zero", _ends(backward, count, factors, scale)
    else:
        found = _weighty(factors, verdict)
    how = {"not finite": f"not finite, it holds {bad}", "zero": "0 everywhere", "ordinary": "of ordinary size"}
    told = f"The gradient of {name} is {how.get(verdict, verdict)}"
    if gradient.size <= WHOLE:
        told += f": {shown(gradient)}"
    else:
        told += f" ({shape_and_dtype(gradient)}" + (f", RMS {number(size)}, {span(gradient)})" if size else ")")
    kinds = [k for k, _ in found if k in CURES]
    if bad:  # what is not finite makes all after it so
        kinds = [found[0][0] if found[0][0] in CURES else "not finite"]
    cure = "none is needed" if verdict == "ordinary" and not any(kinds) else CURES[kinds[0] if kinds else ""]
    reasons = [why for _, why in found]
    return Diagnosis(name, verdict, told, reasons, cure, gradient, factors, count.get(graph.roots[0], 1), limit)


def _no_path(graph: Graph, p: Node, name: str) -> tuple[str, str]:
    """Why no path leads to a Tensor, and what to write."""
    root: Any = graph.roots[0].node
    if not p.requires_grad:
        return (
            f"{name} does not require a gradient: it is a constant, or made by detach() or no_grad()",
            "make it Tensor(data, requires_grad=True), and compute the result again from that",
        )
    if not root.requires_grad:
        return (
            "the result has no graph: it was computed under no_grad(), from .data or detach(), or is a constant itself",
            "compute it from Tensors that require a gradient, outside of no_grad()",
        )
    for x in graph.vertices:
        various = np.size(x.value) > 1 and np.unique(p._array).size > 1  # equal numbers may be equal by chance
        alike = (various and not x.name) or bool(x.name and x.name == p.name)
        if x.value is p._array or (x.op is None and alike and np.array_equal(x.value, p._array)):
            return (
                f"{name} is not part of the graph, but {_place(x)} holds the same numbers: "
                "it went in as a copy, by .data, detach() or a new Tensor",
                "compute with the Tensor itself, not with .data, .detach() or a copy of it",
            )
    return (
        f"{name} is not part of the graph: nothing that the result was computed from depends on it",
        "use it in the forward pass; of a module, look whether forward() calls every layer",
    )


def _origins(steps: list[Step], count: dict[Vertex, int]) -> list[tuple[str, str]]:
    """Where nan and inf come from: first forward, then backward."""
    found: list[tuple[str, str]] = []
    for v in (s.vertex for s in steps if s.phase == "forward"):
        if worst(v.value) and not any(worst(x.value) for x in v.inputs):
            said = f"forward, {_told(v)} {'gives' if v.op else 'holds'} {worst(v.value)}"
            given = ", ".join(f"{a} = {called(x)}: {span(x.value)}" for a, x in arguments(v))
            found.append((f"not finite {v.op.name if v.op else 'data'}", f"{said}{' from ' * bool(given)}{given}"))
            break
    for step in steps:
        for p in step.outgoing if step.vertex in count else ():
            kind, note = reason(step, p)
            if kind.startswith("not finite") and p.to in count and len(found) < 3:
                found.append((kind, f"backward, at {_told(step.vertex)}: {note}"))
    return found or [("seed", "the seed is not finite")]


def _ends(backward: list[Step], count: dict[Vertex, int], factors: list[Factor], scale: float) -> list[tuple[str, str]]:
    """Where a gradient that arrives goes no further on its way to the target."""
    found = [
        (f.kind, f"at {_place(f.vertex)}, {f.note}") for f in factors if f.kind == "cancels" and f.op == "sum of uses"
    ]
    for step in backward:
        for p in step.outgoing if step.vertex in count and rms(step.incoming) else ():
            if p.to in count and not rms(p.gradient) and len(found) < 3:
                kind, note = reason(step, p)
                found.append((kind, f"{_told(step.vertex)}: {note or 'what it passes on is 0'}"))
    return found if scale else [("seed", "the seed is 0 everywhere")]


def _weighty(factors: list[Factor], verdict: str) -> list[tuple[str, str]]:
    """The ops that change the size of the gradient most, those of a name together."""
    groups: dict[str, list[Factor]] = {}
    for f in factors:
        groups.setdefault(f.op, []).append(f)
    sign = -1 if verdict == "huge" else 1
    weights = {op: sum(math.log10(max(f.factor, 5e-324)) for f in fs) for op, fs in groups.items()}
    found: list[tuple[str, str]] = []
    for op in sorted(groups, key=lambda op: sign * weights[op]):
        fs, weight = groups[op], weights[op]
        if verdict == "ordinary":
            fs = [f for f in fs if f.kind in ("dead", "saturated")]
        elif sign * weight > -0.3:
            continue
        if fs and len(found) < 3:
            kinds = [f.kind for f in fs]
            usual = max(kinds, key=kinds.count)
            one = min((f for f in fs if f.kind == usual), key=lambda f: sign * f.factor)
            total = f"{_power(weight)} by {len(fs):,} × {op}, about {_times(10 ** (weight / len(fs)))} each; most by "
            said = total if len(fs) > 1 and verdict != "ordinary" else f"{_times(one.factor)} by "
            found.append((one.kind, f"{said}{_told(one.vertex)}{': ' * bool(one.note)}{one.note}"))
    if verdict == "ordinary":
        return found or [("", "on the path nothing is dead or saturated")]
    return found or [("", "no op by itself, but all on the path together")]


def _place(v: Vertex) -> str:
    """What a value is called, with the module whose parameters it is made of, or comes right after."""
    here, before = _module(v), next(filter(None, map(_module, v.inputs)), "")
    return f"{v.title} #{v.number}" + (f" in {here}" if here else f" after {before}" if before else "")


def _told(v: Vertex) -> str:
    """The same, with the line of the user's that computed it, if that was noted."""
    line = line_of(v.node)
    return f"{_place(v)} ({line})" if line else _place(v)


def _module(v: Vertex) -> str:
    return next((x.name.rpartition(".")[0] for x in v.inputs if x.op is None and "." in x.name), "")


def _times(factor: float) -> str:
    return f"×{number(factor, 6 if abs(factor - 1) < 1e-3 else 3)}"


def _power(exponent: float) -> str:
    """A power of ten that may be beyond floats."""
    return _times(10**exponent) if abs(exponent) < 300 else f"×1e{exponent:.0f}"
