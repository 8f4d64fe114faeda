"""The catalogue as a whole: a table, a page of Markdown, and a page that is one file."""

from __future__ import annotations

import re
import shutil
import sys
from functools import cache
from html import escape
from pathlib import Path
from typing import NamedTuple

from ..activations import names
from ..drawing.wording import readable
from ..op import Op
from . import words
from .card import accuracy, cost, measured, range_text
from .line import plain
from .plot import icon
from .views import STYLE, Card, card

HERE = Path(__file__).parent
ACTIVATIONS = HERE.parent / "activations"
COLUMNS = ("name", "formula", "at kinks", "gain", "range", "ulp", "cost", "year")
SAID = (
    "At kinks: the slope that is chosen. Gain: what initial weights make up for, 1/√E f². Ulp: the worst errors of f "
    "and f′ in float32, in units in the last place; of ops of rows those of each value and each entry of the Jacobian. "
    "Cost: the times of f and f′, as multiples of those of relu. Year: of the paper."
)


class Family(NamedTuple):
    """The activations of one file, and what that says about them."""

    name: str
    about: str
    cards: list[Card]


def families(ops: dict[str, Op] | None = None) -> list[Family]:
    """The cards of these activations, or of all that this package has, file by file.

    >>> [family.name for family in families({"relu": names.activation("relu"), "tanh": names.activation("tanh")})]
    ['rectifiers', 'sigmoidal']
    """
    return _ours() if ops is None else _by_file(ops)


@cache
def _ours() -> list[Family]:
    every = names.catalogue().items()
    return _by_file({name: op for name, op in every if type(op).__module__.startswith("tinygrad_act.")})


def _by_file(ops: dict[str, Op]) -> list[Family]:
    found: dict[str, Family] = {}
    for op in ops.values():
        module = type(op).__module__
        if module not in found:
            about = (sys.modules[module].__doc__ or "").partition("\n\n")[0]
            found[module] = Family(module.rpartition(".")[2], " ".join(about.split()), [])
        found[module].cards.append(card(op))
    return list(found.values())


def row(one: Card) -> tuple[str, ...]:
    """What the table says of it, in the order of COLUMNS."""
    found = one.facts
    kinks = ", ".join(f"{plain(kink.at, 3)}: {plain(kink.chosen, 3)}" for kink in found.op.kinks)
    gain = one.rows.get("init gain", "").partition(",")[0]
    span = range_text(found.measures) if found.measures else found.op.range.partition(";")[0]
    name = found.op.name
    return (name, _short(one), kinks, gain, span, accuracy(name), cost(name), found.year)


def _short(one: Card) -> str:
    """The shortest form of the formula."""
    value = one.facts.equations[0]
    forms = re.split(r" = (?![^\[]*\])", readable(value.right))  # but not an equation in brackets
    return min(forms if value.left else forms[1:], key=len)


def table(some: list[Family], width: int = 0) -> str:
    """All cards in a table that fits the terminal: the formula gets what the others leave it."""
    width = width or shutil.get_terminal_size((120, 24)).columns
    rows = [COLUMNS, *(row(one) for family in some for one in family.cards)]
    widths = [max(map(words.columns_of, column)) for column in zip(*rows, strict=True)]
    shown = list(range(len(COLUMNS)))
    for least in (6, 7, 2, 5):  # leave out a column where the formula would have no room
        room = width - sum(widths[i] + 2 for i in shown if i != 1)
        if room < 20 and least in shown:
            shown.remove(least)
    room = max(12, width - sum(widths[i] + 2 for i in shown if i != 1))
    widths[1] = min(widths[1], room)
    lines = ["  ".join(_cell(cells[i], widths[i]) for i in shown).rstrip() for cells in rows]
    return "\n".join([lines[0], "─" * min(width, max(map(words.columns_of, lines))), *lines[1:]])


def _cell(text: str, width: int) -> str:
    """The text, padded, or cut off."""
    if words.columns_of(text) > width:
        text = text[: width - 1] + "…"
    return text + " " * (width - words.columns_of(text))


def gallery_markdown(some: list[Family]) -> str:
    """GALLERY.md: a table of contents, the overview, and the cards."""
    lines = ["# The activations", "", f"{_count(some)}. {SAID}", "", _made_by(), ""]
    lines += [f"- [{_title(family)}](#{_anchor(family)}): {_links(family)}" for family in some]
    lines += ["", f"| {' | '.join(c for c in COLUMNS if c != 'formula')} |", "|---" * (len(COLUMNS) - 1) + "|"]
    for family in some:
        for one in family.cards:
            name, _, *cells = row(one)
            lines.append(f"| {' | '.join([f'[{name}](#{name})', *cells])} |")
    for family in some:
        lines += ["", f"## {_title(family)} ({family.name}.py)", "", words.in_markdown(family.about), ""]
        lines += [one.markdown(f"gallery/{one.facts.op.name}.svg") for one in family.cards]
    return "\n".join(lines).rstrip() + "\n"


def _made_by() -> str:
    return f"Made by `python -m tinygrad_act.catalogue --write` from the ops. {measured()['']}"


def _count(some: list[Family]) -> str:
    return f"{sum(len(family.cards) for family in some)} activations in {len(some)} families"


def _title(family: Family) -> str:
    return family.name.upper() if len(family.name) < 4 else family.name.capitalize()


def _anchor(family: Family) -> str:
    return f"{family.name}-{family.name}py"


def _links(family: Family) -> str:
    return ", ".join(f"[{one.facts.op.name}](#{one.facts.op.name})" for one in family.cards)


def gallery_html(some: list[Family]) -> str:
    """gallery.html: one file, which asks for nothing else."""
    head = "".join(f'<th scope="col"><button type="button">{name}</button></th>' for name in COLUMNS)
    rows, sections = [], []
    for family in some:
        for one in family.cards:
            rows.append(_html_row(one))
        about = words.in_html(family.about)
        cards = "".join(
            f'<article class="ta-card" id="{one.facts.op.name}">{one.html()}</article>' for one in family.cards
        )
        sections.append(f'<section><h2 id="{_anchor(family)}">{_title(family)}</h2><p>{about}</p>{cards}</section>')
    links = "".join(f'<a href="#{_anchor(family)}">{_title(family)}</a>' for family in some)
    parts = {
        "said": f"{_count(some)}. {escape(SAID)}",
        "made": words.in_html(_made_by()),
        "families": links,
        "head": f"<tr><th></th>{head}</tr>",
        "rows": "\n".join(rows),
        "cards": "\n".join(sections),
        "style": STYLE.strip() + "\n" + (HERE / "gallery.css").read_text(encoding="utf-8").strip(),
        "script": (HERE / "gallery.js").read_text(encoding="utf-8").strip(),
    }
    text = (HERE / "gallery.page").read_text(encoding="utf-8")
    for name, part in parts.items():
        text = text.replace(f"<!--{name}-->", part)
    return text


def _html_row(one: Card) -> str:
    name, formula, *cells = row(one)
    found = one.facts
    small = icon(found.line, found.jumps, found.points) if found.line else ""
    link = f'<a href="#{name}">{name}</a>'
    return f"<tr><td>{small}</td><td>{link}</td><td>{escape(formula)}</td>{''.join(map(_td, cells))}</tr>"


def _td(text: str) -> str:
    return f"<td>{escape(text)}</td>"


@cache
def pages() -> dict[str, str]:
    """All that is written: the text of each file, by its path in the folder of the activations."""
    some = families()
    drawn = {f"gallery/{one.facts.op.name}.svg": one.svg for family in some for one in family.cards if one.facts.line}
    return {"GALLERY.md": gallery_markdown(some), "gallery.html": gallery_html(some), **drawn}


def write(folder: Path = ACTIVATIONS) -> list[Path]:
    """Write the pages, and remove pictures of ops that are gone."""
    (folder / "gallery").mkdir(exist_ok=True)
    for path in (folder / "gallery").glob("*.svg"):
        if f"gallery/{path.name}" not in pages():
            path.unlink()
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in pages()]
