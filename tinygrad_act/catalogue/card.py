"""What there is to say about an op, read from it, computed from it, or measured; and how it is shown."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import json
import math
import re
from pathlib import Path
from typing import Any, NamedTuple

from ..activations.names import catalogue, names_of
from ..drawing.wording import LEFT, bar
from ..op import Elementwise, Op
from .line import Line, line_of, plain
from .measures import SLIGHT, Jump, Measures, jumps_of, measures

NOT_MEASURED = "not measured: python tests/benchmarks/activations.py --write"


class Equation(NamedTuple):
    """In LaTeX: a left side, and what it is."""

    left: str
    right: str

    @property
    def latex(self) -> str:
        return f"{self.left} = {self.right}" if self.left else self.right


@functools.cache
def measured() -> dict[str, Any]:
    """What the benchmark wrote down: by op the worst errors and the costs, and under "" where that was."""
    found: dict[str, Any] = json.loads((Path(__file__).parent / "measured.json").read_text(encoding="utf-8"))
    return found


@dataclasses.dataclass(frozen=True)
class Facts:
    """All that the views show of an op: its text, its equations, and rows of a label and a sentence."""

    op: Op
    name: str
    summary: str
    notes: tuple[str, ...]
    equations: tuple[Equation, ...]
    shorthand: tuple[Equation, ...]
    rows: tuple[tuple[str, str], ...]
    line: Line | None
    jumps: list[Jump]
    measures: Measures | None

    @property
    def points(self) -> list[float]:
        """Where something happens that a plot has to show."""
        turns = [turn.x for turn in self.measures.turns] if self.measures else []
        return [*self.line.kinks, *turns] if self.line else []

    @property
    def year(self) -> str:
        """When the paper appeared that the text names first."""
        found = re.search(r"\b(19|20)\d\d\b", re.sub(r"\d{4}\.\d{4,5}", "", " ".join((self.summary, *self.notes))))
        return found[0] if found else ""


def facts(op: Op) -> Facts:
    """Read and compute them.

    >>> dict(facts(catalogue()["tanh"]).rows)["shape"]
    'strictly increasing, odd, range (−1, 1), smooth'
    """
    name = op.name + _settings(op, unusual=True)
    line = line_of(op) if is_activation(op) else None
    jumps = jumps_of(line) if line else []
    found = measures(line, jumps) if line and (isinstance(op, Elementwise) or op.learned) else None
    summary, *notes = _paragraphs(op)
    rows = [*_parameters(op), *_kinks(op)]
    if line and found:
        x = op.arguments[0]
        rows += [*_shape(found, x), *_ends(op, found), *_flat(found, x), *_moments(found, x)]
    elif op.range:
        rows.append(("range", op.range))
    rows += [*_measured(op, found is not None), *_use(op)]
    equations = tuple(e for e in _equations(op) if e.right)  # an op of the user's may have none
    return Facts(op, name, summary, tuple(notes), equations, _shorthand(op), tuple(rows), line, jumps, found)


def is_activation(op: Op) -> bool:
    """Whether the catalogue has it, perhaps with other parameters: not so a loss, or addition."""
    return type(catalogue().get(op.name)) is type(op)


def _paragraphs(op: Op) -> list[str]:
    """The docstring without its example."""
    text = inspect.cleandoc(op.__doc__ or "").partition(">>>")[0].strip()
    return [" ".join(part.split()) for part in text.split("\n\n")]


def _settings(op: Op, unusual: bool) -> str:
    """The parameters, as (alpha=0.3): all of them, or those that are not the default."""
    shown: list[Any] = [f for f in dataclasses.fields(op) if f.repr] if dataclasses.is_dataclass(op) else []
    if unusual:
        shown = [f for f in shown if getattr(op, f.name) != f.default]
    return f"({', '.join(f'{f.name}={getattr(op, f.name)!r}' for f in shown)})" if shown else ""


def _equations(op: Op) -> tuple[Equation, ...]:
    """The value and the rules, with what they are of on the left."""
    x = op.arguments[0] if op.arguments else "x"
    letters = ", ".join(_letter(a) for a in op.arguments)
    if isinstance(op, Elementwise):
        return Equation(f"f({x})", op.formula), Equation(f"f'({x})", str(op.rule))
    complete = re.match(r"[a-z](_\w|_\{[^=]*?\})?\s*=", op.formula)
    value = Equation("" if complete else f"f({letters})" if op.learned else "y", op.formula)
    rules = op.rule.items() if isinstance(op.rule, dict) else [("", op.rule)]
    return value, *(Equation("" if LEFT.match(rule) or not a else _bar(a), rule) for a, rule in rules)


def _letter(name: str, accent: str = "") -> str:
    """An argument in LaTeX: alpha is a Greek letter, t_l has an index, and words are words."""
    base, _, index = name.partition("_")
    sign = rf"\{base}" if base in GREEK else base if len(base) == 1 else rf"\mathrm{{{base}}}"
    return (rf"{accent}{{{sign}}}" if accent else sign) + (f"_{index}" if index else "")


GREEK = ("alpha", "beta", "gamma", "delta", "lambda", "omega", "theta", "tau")


def _bar(name: str) -> str:
    base = name.partition("_")[0]
    return _letter(name, r"\bar") if len(base) == 1 or base in GREEK else bar(name)


def _shorthand(op: Op) -> tuple[Equation, ...]:
    return tuple(Equation(short, long) for short, long in op.shorthand.items())


def _parameters(op: Op) -> list[tuple[str, str]]:
    rows = []
    if others := names_of(op)[1:]:
        rows.append(("also called", ", ".join(others)))
    if settings := _settings(op, unusual=False):
        rows.append(("parameters", settings[1:-1].replace("=", " = ")))
    if op.learned:
        said = ", ".join(f"{name} from {plain(value)}" for name, value in op.learned.items())
        rows.append(("learns", f"{said}; what follows is so at the start"))
    if op.surrogate is not None:
        rows.append(("rule", f"the derivative of {op.surrogate.name}, as its own is 0 wherever it has one"))
    return rows


def _kinks(op: Op) -> list[tuple[str, str]]:
    said = "at {}: slope {} on the left, {} on the right, {} chosen ({})"
    rows = [said.format(*map(plain, (k.at, k.left, k.right, k.chosen)), k.why) for k in op.kinks]
    return [("kinks" if len(rows) > 1 else "kink", "\n".join(rows))] if rows else []


def range_text(found: Measures) -> str:
    """The range as an interval, or as a set.

    >>> [range_text(facts(catalogue()[name]).measures) for name in ("relu", "step")]
    ['[0, ∞)', '{0, 1}']
    """
    if found.levels:
        return f"{{{', '.join(map(plain, found.levels))}}}"
    (low, high), (first, last) = found.range, found.reached
    return f"{'[' if first else '('}{plain(low)}, {plain(high)}{']' if last else ')'}"


def _shape(found: Measures, x: str) -> list[tuple[str, str]]:
    said = ", ".join(filter(None, (found.direction, found.symmetry, f"range {range_text(found)}", found.smoothness)))
    rows = [("shape", said)]
    turns = [turn for turn in found.turns if abs(turn.x) <= 10]
    if len(turns) > 4:
        nearest = min(turns, key=lambda turn: (round(abs(turn.x), 6), -turn.x))
        rows.append(("turns", f"{len(turns)} times between −10 and 10, nearest to 0 at {x} = {plain(nearest.x)}"))
    elif turns:
        words = ("greatest", "least")
        rows.append(("turns", ", ".join(f"{words[t.is_least]} {plain(t.y)} at {x} = {plain(t.x)}" for t in turns)))
    roots = [root for root in found.roots if abs(root) <= 10]
    if found.direction == "not monotone" and 0 < len(roots) <= 4 and roots != [0]:
        rows.append(("zeros", ", ".join(f"{x} = {plain(root)}" for root in roots)))
    return rows


def _ends(op: Op, found: Measures) -> list[tuple[str, str]]:
    some = [end for end in found.ends if not math.isnan(end[1])]
    values = ", ".join(f"f({plain(at)}) = {plain(y)}" for at, y, _ in some)
    slopes = ", ".join(f"f′({plain(at)}) = {plain(slope)}" for at, _, slope in some)
    lost = "" if len(some) == len(found.ends) else "\nno limit at ±∞"
    low, high = domain = getattr(op, "domain", (-math.inf, math.inf))
    within = [
        ("domain", f"{plain(low)} < {op.arguments[0]} < {plain(high)}, in which f and f′ are finite and accurate")
    ]
    return [("values", f"{values}\n{slopes}{lost}"), *(within if domain != (-math.inf, math.inf) else [])]


def _flat(found: Measures, x: str) -> list[tuple[str, str]]:
    """Where little or nothing of a gradient comes through."""
    if found.dead == ((-math.inf, math.inf),):
        return [("dead", "everywhere: f′ = 0")]
    rows = []
    (low, high), edges = found.saturated, [edge for interval in found.dead for edge in interval]
    near_dead = [any(abs(bound - edge) < 0.01 for edge in edges) for bound in (low, high)]
    bounds = [f"{x} < {plain(low)}"] if not (math.isnan(low) or near_dead[0]) else []
    bounds += [f"{x} > {plain(high)}"] if not (math.isnan(high) or near_dead[1]) else []
    if bounds:
        rows.append(("saturates", f"|f′| < {plain(SLIGHT)} for {' and '.join(bounds)}"))
    if found.dead:
        rows.append(("dead", f"f′ = 0 for {' and '.join(_interval(a, b, x) for a, b in found.dead)}"))
    return rows


def _interval(low: float, high: float, x: str) -> str:
    """An open interval, as a condition."""
    if math.isinf(low):
        return f"{x} < {plain(high)}"
    return f"{x} > {plain(low)}" if math.isinf(high) else f"{plain(low)} < {x} < {plain(high)}"


def _moments(found: Measures, x: str) -> list[tuple[str, str]]:
    """What it does to a signal of unit normal numbers, and to the gradient on its way back."""
    if not found.second_moment > 0:
        return []
    gain = 1 / math.sqrt(found.second_moment)
    said = f"{gain:.4f}, as E f({x})² = {plain(found.second_moment)} for {x} ~ N(0, 1)"
    back = plain(found.slope_moment / found.second_moment, 3)
    return [("init gain", said), ("gradients", f"with that gain each layer multiplies their variance by {back}")]


def accuracy(name: str) -> str:
    """The worst errors of value and derivative in float32, in units in the last place; empty if not measured."""
    worst = measured().get(name, {}).get("float32")
    return " / ".join("–" if ulp is None else plain(ulp) for ulp in worst) if worst else ""


def cost(name: str) -> str:
    """How many times those of relu value and derivative take; empty if not measured."""
    times = measured().get(name, {}).get("cost")
    return " / ".join(plain(t) for t in times) if times else ""


def _measured(op: Op, of_numbers: bool) -> list[tuple[str, str]]:
    if not is_activation(op):
        return []
    found = measured().get(op.name)
    if found is None:
        return [("accuracy", f"{NOT_MEASURED} {op.name}")]
    value, slope, cost = "f", "f′", "f takes {} times as long as relu, f′ {} times as long as relu′"
    if not of_numbers:
        value, slope = "each value", "each entry of the Jacobian"
        cost = "the values take {} times as long as relu, the rule {} times as long as relu's"
    parts = []
    for kind in ("float32", "float64"):
        if kind in found:
            ulps = ["unknown" if ulp is None else plain(ulp) for ulp in found[kind]]
            parts.append(f"{value} within {ulps[0]} ulp and {slope} within {ulps[1]} in {kind}")
    rows = [("accuracy", "; ".join(parts))] if parts else []
    return [*rows, ("cost", cost.format(*map(plain, found["cost"])))]


def _use(op: Op) -> list[tuple[str, str]]:
    rows = [("use", op.use)] if op.use else []
    if op.elsewhere:
        rows.append(("elsewhere", "\n".join(f"{where}: {what}" for where, what in op.elsewhere.items())))
    return rows
