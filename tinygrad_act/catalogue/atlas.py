"""The atlas of conventions: a page made from `conventions`, `traps` and the ops themselves.

python -m tinygrad_act.catalogue --write
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ..op import OPS, Array, Kink, Op
from ..tensor import Tensor
from ..transforms import gradients
from .conventions import KINKS, TIES, VERSIONS, Row
from .traps import DEFAULTS, EXTREMES, JUMPS

PAGE = Path(__file__).parent.parent / "activations" / "ATLAS.md"
TITLES = {"torch": "PyTorch", "jax": "JAX", "keras": "Keras", "tensorflow": "TensorFlow", "onnx": "ONNX"}
OTHERS = ("mygrad", "autograd", "tinygrad")  # they share a column

# What may be chosen for a vector, by the name that `Row.legal` has for it: how it is written, and the test.
LEGAL: dict[str, tuple[str, Callable[[Array], bool]]] = {
    "weights": ("weights ≥ 0, sum 1", lambda w: bool((w >= 0).all() and math.isclose(w.sum(), 1))),
    "ball": ("length ≤ 1", lambda s: bool(np.square(s).sum() <= 1)),
}

INTRODUCTION = """\
# Atlas of conventions

What we and others return where mathematics leaves a choice, and where floating point takes one away. This page is made
by `python -m tinygrad_act.catalogue --write` from its `conventions.py` and `traps.py`, and our numbers from the ops;
`tests/test_atlas.py` measures each cell again, in whichever of these versions are installed:

{versions}.

**How to read it.** Numbers are in float32, at six digits, unless the row says float64. A number that differs from ours
is **bold**; one that is not legal, or not true, has a ✗. A cell is empty where the framework has no such function.
Keras runs on JAX and shares many of its choices. ONNX defines no derivatives; its values are those of its reference
evaluator.

**How we choose.** The value that the document prints, where it prints one; else, of the legal ones, the one of least
norm; else that of PyTorch's side. The legal ones are the Clarke subdifferential: all between the slope from the left
and that from the right; at a tie, weights that are not negative and sum to 1.
"""
NOTES = {
    "Kinks": "The slope at a point where it jumps, or might seem to. Where one number alone is legal, it does not.",
    "Ties": "The slopes with respect to two equal numbers; at a single number x, d/dx of f(x, x).",
    "Values at a jump": "The value at a point where it jumps.",
    "Defaults": "The value of a call that sets no parameter; TypeError where one must.",
    "Extremes": "Values and slopes where a formula that is right on paper loses its digits.",
    "Kinks of ops that only we have": "Those of `binarize` and `step` are of the slope that they borrow.",
    "What was called": """\
`F` is torch.nn.functional, `nn` jax.nn, `jnp` jax.numpy and `np` autograd.numpy; `activations`, `ops` and `layers` are
of Keras. What ONNX calls is a model of this one operator.""",
}


def our_op(row: Row) -> Op:
    """Our op of a row, with the row's parameters."""
    op: Any = OPS[row.op]
    fields = {f.name for f in dataclasses.fields(op)} if dataclasses.is_dataclass(op) else set()
    given = {name: value for name, value in row.given.items() if name in fields}
    own: Op = dataclasses.replace(op, **given) if given else op
    return own


def ours(row: Row, i: int, dtype: Any = None) -> Any:
    """What we give at point number i of a row, in the row's dtype if no other is named.

    >>> from tinygrad_act.catalogue.conventions import KINKS
    >>> ours(KINKS[0], 0)
    1.0
    """
    op, x = our_op(row), np.asarray(row.at[i], dtype or row.dtype)
    t = Tensor(x)
    known = {**op.learned, **{name: value for name, value in row.given.items() if name in op.arguments}}
    free = [name for name in op.arguments if name not in known]
    points = iter([t] if len(free) == 1 else [t] * len(free) if x.ndim == 0 else [t[j] for j in range(len(free))])
    known = {name: np.asarray(value, x.dtype if isinstance(value, float) else None) for name, value in known.items()}
    y = op(*(known[name] if name in known else next(points) for name in op.arguments))
    if not row.slope:
        return float(y.data.ravel()[0])
    slope = gradients(y.sum(), t).data
    return float(slope.ravel()[0]) if slope.size == 1 else tuple(slope.tolist())


def kink(row: Row, i: int) -> Kink | None:
    """What our op declares at point number i of a row, if the slope jumps there and its inputs are the usual ones."""
    op = our_op(row)
    return None if set(row.given) & set(op.arguments) else next((k for k in op.kinks if k.at == row.at[i]), None)


def legal(row: Row, i: int) -> str | tuple[float, float]:
    """What may be chosen at point number i: an interval, or a name in LEGAL."""
    if row.legal:
        return row.legal
    declared = kink(row, i)
    if declared:
        return min(declared.left, declared.right), max(declared.left, declared.right)
    slope = ours(row, i)
    return slope, slope


def is_legal(row: Row, i: int, value: Any) -> bool:
    """Whether a slope may be chosen.

    >>> from tinygrad_act.catalogue.conventions import KINKS
    >>> is_legal(KINKS[0], 0, 0.5), is_legal(KINKS[0], 0, 2.0)
    (True, False)
    """
    choice, slope = legal(row, i), np.asarray(value, float)
    if isinstance(choice, str):
        return LEGAL[choice][1](slope)
    low, high = choice
    return same(value, low) or same(value, high) or bool(low < slope < high)


def is_true(row: Row, i: int, value: Any) -> bool:
    """Whether a value has three digits right, or in double, where a row is about the last ones, twelve."""
    return same(value, row.truth[i], 1e-12 if row.dtype == "float64" else 1e-3)


def same(a: Any, b: Any, tolerance: float = 1e-5) -> bool:
    """Whether two measurements are the same up to rounding; nan is nan, an error the same error."""
    if isinstance(a, str) or isinstance(b, str):
        return bool(a == b)
    shapes_agree = np.shape(a) == np.shape(b)
    return shapes_agree and bool(np.allclose(a, b, rtol=tolerance, atol=0, equal_nan=True))


def number(value: Any, digits: int = 6) -> str:
    """A measurement for people.

    >>> number(1 / 6), number((0.5, -0.0)), number("TypeError")
    ('0.166667', '(0.5, 0)', 'TypeError')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return f"({', '.join(number(part, digits) for part in value)})"
    return f"{value + 0.0:.{digits}g}"


def digits(row: Row) -> int:
    """How many digits of a row's numbers are shown."""
    return 14 if row.dtype == "float64" else 6


Column = Callable[[Row, int], str]
Judge = Callable[[Row, int, Any], bool]


def op_column(row: Row, i: int) -> str:
    """The op with what it was given, as one would write it."""
    given = ", ".join(f"{key}={value:g}" for key, value in row.given.items() if np.ndim(value) == 0)
    return f"`{row.op}({given})`" if given else f"`{row.op}`"


def at_column(row: Row, i: int) -> str:
    """The point, and the dtype if it is not float32."""
    return number(row.at[i]) + " in float64" * (row.dtype == "float64")


def legal_column(row: Row, i: int) -> str:
    """What may be chosen."""
    choice = legal(row, i)
    if isinstance(choice, str):
        return LEGAL[choice][0]
    low, high = (number(bound) for bound in choice)
    return f"[{low}, {high}]" if low != high else low


def our_column(judge: Judge | None, row: Row, i: int) -> str:
    """What we give."""
    value = ours(row, i)
    return number(value, digits(row)) + mark(judge, row, i, value)


def why_column(row: Row, i: int) -> str:
    """Why we chose it, and what else there is to say."""
    declared = kink(row, i)
    return "; ".join(part for part in (declared.why if declared else "", row.note) if part)


def mark(judge: Judge | None, row: Row, i: int, value: Any) -> str:
    """A cross after a number that is not legal, or not true."""
    return " ✗" if judge and not judge(row, i, value) else ""


def cell(framework: str, judge: Judge | None, row: Row, i: int) -> str:
    """What a framework gives at a point, marked where it is not ours, and where it is not right."""
    if framework not in row.theirs:
        return ""
    value = row.measured(framework, i)
    is_ours = same(value, ours(row, i), 1e-12 if row.dtype == "float64" else 1e-5)
    shown = number(value, digits(row))
    return (shown if is_ours else f"**{shown}**") + mark(judge, row, i, value)


def table(head: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    head = list(head)
    rows = [head, ["---"] * len(head), *lines]
    return "".join("| " + " | ".join(part.replace("|", "\\|") for part in line) + " |\n" for line in rows)


def note_column(row: Row, i: int) -> str:
    """What there is to say."""
    return row.note


def comparison(rows: list[Row], left: dict[str, Column], right: dict[str, Column], judge: Judge | None = None) -> str:
    """A table with a line for each point: columns of ours, one for each framework that has a cell, and the reasons."""
    frameworks = [f for f in TITLES if any(f in row.theirs for row in rows)]

    def others(row: Row, i: int) -> str:
        return ", ".join(f"{f} {cell(f, judge, row, i)}" for f in OTHERS if f in row.theirs)

    columns: dict[str, Column] = {
        **left,
        "ours": functools.partial(our_column, judge),
        **{TITLES[f]: functools.partial(cell, f, judge) for f in frameworks},
        "others": others,
        **right,
    }
    lines = [[column(row, i) for column in columns.values()] for row in rows for i in range(len(row.at))]
    return table(columns, lines)


def our_other_kinks() -> str:
    """A table of the kinks of those ops that are not compared."""
    compared = {row.op for row in KINKS}
    lines = []
    for name, op in sorted(OPS.items()):
        for k in op.kinks if name not in compared else ():
            interval = f"[{number(min(k.left, k.right))}, {number(max(k.left, k.right))}]"
            lines.append([f"`{name}`", number(k.at), interval, number(k.chosen), k.why])
    return table(["op", "at", "legal", "ours", "why"], lines)


def calls() -> str:
    """A table of what was called, by op and framework."""
    found: dict[str, dict[str, list[str]]] = {}
    for row in [*KINKS, *TIES, *JUMPS, *DEFAULTS, *EXTREMES]:
        for framework, (call, *_) in row.theirs.items():
            listed = found.setdefault(row.op, {}).setdefault(framework, [])
            if f"`{call}`" not in listed:
                listed.append(f"`{call}`")
    return table(
        ["op", *VERSIONS],
        ([f"`{name}`", *("<br>".join(found[name].get(f, [])) for f in VERSIONS)] for name in sorted(found)),
    )


def page() -> str:
    """The whole page.

    >>> page().splitlines()[0]
    '# Atlas of conventions'
    """
    op_and_point: dict[str, Column] = {"op": op_column, "at": at_column}
    with_legal: dict[str, Column] = {**op_and_point, "legal": legal_column}
    with_truth: dict[str, Column] = {
        "op": op_column,
        "of": lambda row, i: "slope" if row.slope else "value",
        "at": at_column,
        "truth": lambda row, i: number(row.truth[i], digits(row)),
    }
    sections = {
        "Kinks": comparison(KINKS, with_legal, {"why": why_column}, is_legal),
        "Ties": comparison(TIES, with_legal, {"why": why_column}, is_legal),
        "Values at a jump": comparison(JUMPS, op_and_point, {"note": note_column}),
        "Defaults": comparison(DEFAULTS, op_and_point, {"what differs": note_column}),
        "Extremes": comparison(EXTREMES, with_truth, {"note": note_column}, is_true),
        "Kinks of ops that only we have": our_other_kinks(),
        "What was called": calls(),
    }
    versions = ", ".join(f"{framework} {version}" for framework, version in VERSIONS.items())
    return INTRODUCTION.format(versions=versions) + "".join(
        f"\n## {title}\n\n{NOTES[title]}\n\n{text}" for title, text in sections.items()
    )


def write() -> None:
    """Write the page where it belongs."""
    PAGE.write_text(page(), encoding="utf-8")
