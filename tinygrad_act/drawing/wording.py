"""How values and formulas are told in plain text and in tables."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from ..compiler.notation import plain_text
from .graph import Vertex, in_short, number, shape_and_dtype
from .steps import rms

T = TypeVar("T")
WHOLE = 12  # elements, up to which an array is printed whole


def called(v: Vertex) -> str:
    """What a value is called: its name, or its op and number."""
    return v.name or f"{v.title} #{v.number}"


def arguments(v: Vertex) -> list[tuple[str, Vertex]]:
    """What the op calls each of its inputs, and these."""
    many = v.op is not None and v.op.variadic
    return [(v.argument(i) + f"[{i}]" * many, x) for i, x in enumerate(v.inputs)]


def shown(x: Any) -> str:
    """A small array whole, a larger one in short."""
    values = np.asarray(x)
    if values.dtype.kind not in "biuf" or values.size == 0:
        return str(x) if values.ndim == 0 else f"{shape_of(values)} {in_short(x)}"
    if values.size <= WHOLE:
        return _nested(values.tolist())
    if values.dtype.kind == "f" and rms(values) > 1e300:  # whose mean may overflow
        return f"{shape_and_dtype(values)}: RMS {number(rms(values))}"
    return f"{shape_and_dtype(values)}: {in_short(values)}"


def _nested(values: Any) -> str:  # as deep as an array has axes
    return f"[{', '.join(map(_nested, values))}]" if isinstance(values, list) else number(values)


def shape_of(x: Any) -> str:
    """`32×10`."""
    return "×".join(map(str, np.shape(x))) or "a number"


def span(x: Any) -> str:
    """The least and the greatest."""
    values = np.asarray(x)
    if values.dtype.kind not in "biuf" or not values.size:
        return str(x)
    low, high = values.min(), values.max()
    return number(low, 3) if low == high or np.isnan(low) else f"{number(low, 3)} … {number(high, 3)}"


LEFT = re.compile(r"\\bar\s*\{?\w\}?(_\w|_\{[^=]*?\})?\s*(\\mathrel\{\+\})?=")  # what a rule is for, if it says so


def bar(name: str) -> str:
    """The gradient with respect to a letter, or to a name."""
    return rf"\bar {name}" if len(name) == 1 else rf"\overline{{\mathrm{{{name}}}}}"


def result_of(v: Vertex) -> str:
    """The letter that the rules of an op have for its result."""
    op: Any = v.op
    rules = [op.rule] if isinstance(op.rule, str) else op.rule.values()
    letters = [x for rule in rules for x in re.findall(r"\\bar\s*\{?(\w)", LEFT.sub("", rule, count=1))]
    return next((x for x in letters if x not in op.arguments), "y")


def equation(v: Vertex, y: str) -> str:
    """The formula of an op, with the letter of its result on the left."""
    op: Any = v.op
    formula = op.formula or rf"\mathrm{{{op.name}}}({', '.join(a for a, _ in arguments(v))})"
    complete = re.match(rf"{y}(_\w|_\{{.*?\}}+)?\s*(\\mathrel\{{\+\}})?=", formula)
    return formula if complete else f"{y} = {last_form(formula)}"


def in_full(rule: str, argument: str) -> str:
    """A rule, with the gradient that it gives on the left."""
    if LEFT.match(rule):
        return rule
    return f"{bar(argument)} = {last_form(rule)}" if rule else bar(argument)


def last_form(formula: str) -> str:
    """Of a formula that is written in several forms, one equal to the other, the last."""
    last = ""
    for part in formula.split(" = "):
        last = part if all(last.count(a) == last.count(b) for a, b in ("[]", "{}", "()")) else f"{last} = {part}"
    return last


def readable(latex: str) -> str:
    r"""A formula in plain text.

    >>> readable(r"\bar y\, \lfloor a / b \rfloor e^{-x}")
    'ȳ ⌊ a / b ⌋ e^(-x)'
    """
    for sign, plain in PLAIN.items():
        latex = latex.replace(sign, plain)
    latex = re.sub(r"\\overline\{\\mathrm\{(.*?)\}\}", "∂\\1", latex)
    latex = re.sub(r"\^\{(-[^{}]*)\}", r"^(\1)", latex)
    return plain_text(re.sub(r"_\{([^{}]*[ =][^{}]*)\}", r"_(\1)", latex))


PLAIN = {r"\lfloor": "⌊", r"\rfloor": "⌋", r"\tfrac": r"\frac", r"\mathrel{+}": "+", r"\neg": "not", r"\mu": "μ"}
PLAIN |= {r"\int_0^x": "∫₀ˣ", r"\mathrm{index}": "index"}


def escaped(said: str) -> str:
    """As Markdown takes it word for word."""
    return re.sub(r"([_*|<`])", r"\\\1", said)


def shortened(items: Sequence[T], limit: int | None) -> Sequence[T | str]:
    """All items, or the first and the last, with a line between them about those left out."""
    if limit is not None and limit < 0:
        raise ValueError(f"limit={limit}: it is how many to print at most, or None for all")
    if limit is None or len(items) <= limit:
        return items
    first, left_out = (limit + 1) // 2, len(items) - limit
    said = f"… {left_out:,} of {len(items):,} are left out here; limit=None prints all …"
    return [*items[:first], said, *items[first + left_out :]]


def columns(table: list[tuple[str, ...]], widest: int = 34) -> list[str]:
    """Lines of a table. A cell that is wider than most pushes its line to the right, and no other."""
    widths = [max((w for w in map(_width, cells) if w <= widest), default=0) for cells in zip(*table, strict=True)]
    lines = []
    for cells in table:
        padded = (cell + " " * (w - _width(cell)) for cell, w in zip(cells, widths, strict=True))
        lines.append("   ".join(padded).rstrip() if any(cells[:-1]) else cells[-1])
    return lines


def _width(s: str) -> int:
    return sum(not unicodedata.combining(c) for c in s)
