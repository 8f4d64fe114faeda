"""A card: what there is to say about one op, on paper of three kinds."""

from __future__ import annotations

from html import escape

from ..activations.names import activation, catalogue
from ..drawing.wording import readable
from ..op import OPS, Op
from . import words
from .card import Equation, Facts, facts, is_activation
from .plot import svg, text_plots

WIDTH = 88  # of a card in a terminal
STYLE = """
.ta-card{max-width:60rem;font:14px/1.45 system-ui,sans-serif}
.ta-card h3{margin:.2rem 0;font:bold 1.15rem ui-monospace,monospace}
.ta-card p{margin:.3rem 0}
.ta-card .ta-body{display:flex;flex-wrap:wrap;gap:.2rem 1.5rem;align-items:flex-start}
.ta-card figure{margin:0;flex:0 1 360px;min-width:min(260px,100%)}
.ta-card figure svg{display:block;width:100%;height:auto}
.ta-card figcaption{opacity:.75;font-size:.85em;text-align:center}
.ta-card .ta-facts{flex:1 1 20rem;min-width:0}
.ta-card dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem .8rem;margin:.4rem 0}
.ta-card dt{opacity:.7}
.ta-card dd{margin:0;min-width:0;overflow-wrap:anywhere}
.ta-card .ta-formula{overflow:auto hidden;padding:.3rem 0 .5rem}
.ta-card math{font-size:1.15em}
.ta-card mtd{text-align:left;padding-right:.8em}
.ta-card mo:has(+mtable){display:none}
.ta-card mo+mtable{border-left:1.5px solid;border-radius:.45em;padding-left:.4em}
"""


def card(op: Op | str) -> Card:
    """All there is to know about an op, given as an object or by its name, as a page to look at.

    `print` shows it in a terminal, and a notebook shows it by itself: formula and rule, f, f′ and f″ drawn, kinks and
    limits, where no gradient comes through, what it does to a random signal, accuracy, cost, use, and the paper.
    ValueError for a name that no op has, with those that are like it.

    >>> print(str(card("relu")).splitlines()[0])
    relu
    >>> card("gelu").rows["init gain"]
    '1.5335, as E f(x)² = 0.4252 for x ~ N(0, 1)'
    """
    if not isinstance(op, str | Op):
        raise TypeError(f"a card is of an op or of its name, such as ta.gelu or 'gelu', not of {op!r}")
    return Card(facts(_named(op) if isinstance(op, str) else op))


def _named(name: str) -> Op:
    """The op of this name, be it an activation or not."""
    return OPS[name] if name in OPS and name not in catalogue() else activation(name)


class Card:
    """An op's card, as made by `card`; `facts` is all that it shows, and `rows` the part of it that is in sentences.

    >>> card("tanh").rows["saturates"]
    '|f′| < 0.001 for x < −4.147 and x > 4.147'
    """

    def __init__(self, found: Facts) -> None:
        self.facts = found
        self.rows = dict(found.rows)

    def __str__(self) -> str:
        found, lines = self.facts, [self.facts.name, "═" * len(self.facts.name)]
        for paragraph in (found.summary, *found.notes):
            lines += [*words.wrapped(paragraph.replace("`", ""), WIDTH), ""]
        for equation in found.equations:
            lines += words.wrapped("  " + readable(equation.latex), WIDTH, " " * 6)
        for i, short in enumerate(found.shorthand):
            lines += words.wrapped(("    where " if not i else "      and ") + readable(short.latex), WIDTH, " " * 12)
        if found.line:
            lines += ["", *(f"  {line}".rstrip() for line in text_plots(found.line, found.points))]
            if found.line.said:
                lines.append(f"  {found.line.said}")
        lines.append("")
        for label, said in found.rows:
            first, *rest = words.wrapped(said, WIDTH - 15, "  ")
            lines += [f"  {label:<13}{first}", *(" " * 15 + line for line in rest)]
        return "\n".join(lines)

    __repr__ = __str__

    @property
    def svg(self) -> str:
        """f, f′ and f″ drawn, or an empty text where there is nothing to draw.

        >>> card("tanh").svg[:4], card("matmul").svg
        ('<svg', '')
        """
        found = self.facts
        return svg(found.line, found.jumps, found.op.name, found.points) if found.line else ""

    def html(self, title: str = "h3") -> str:
        """The card as a piece of a page, without a style.

        >>> card("tanh").html().startswith("<h3>tanh</h3>")
        True
        """
        found = self.facts
        parts = [f"<{title}>{escape(found.name)}</{title}>"]
        parts += [f"<p>{words.in_html(paragraph)}</p>" for paragraph in (found.summary, *found.notes)]
        if found.line:
            said = f"<figcaption>{escape(found.line.said)}</figcaption>" if found.line.said else ""
            figure = f"<figure>{self.svg.strip()}{said}</figure>"
        else:
            figure = ""
        formulas = "".join(map(_formula, found.equations))
        if found.shorthand:
            formulas += "<p>where</p>" + "".join(map(_formula, found.shorthand))
        rows = "".join(f"<dt>{label}</dt><dd>{words.in_html(said)}</dd>" for label, said in found.rows)
        body = f'<div class="ta-body">{figure}<div class="ta-facts">{formulas}<dl>{rows}</dl></div></div>'
        return "".join(parts) + body

    def _repr_html_(self) -> str:
        return f'<style>{STYLE}</style><div class="ta-card">{self.html()}</div>'

    def _repr_latex_(self) -> str | None:
        if not self.facts.equations:
            return None
        rows = r" \\ ".join(equation.latex.replace(" = ", " &= ", 1) for equation in self.facts.equations)
        return rf"$\displaystyle \begin{{aligned}} {rows} \end{{aligned}}$"

    def markdown(self, picture: str = "") -> str:
        """The card as GitHub's Markdown, with a picture from this path.

        >>> card("relu").markdown().splitlines()[0]
        '### relu'
        """
        found = self.facts
        lines = [f"### {words.in_markdown(found.name)}", ""]
        for paragraph in (found.summary, *found.notes):
            lines += [words.in_markdown(paragraph), ""]
        lines += [f"- {_maths(equation)}" for equation in found.equations]
        if found.shorthand:
            lines.append(f"- where {', '.join(map(_maths, found.shorthand))}")
        lines.append("")
        if picture and found.line:
            alt = f"f, f′ and f″ of {found.op.name} {found.line.said}".strip()
            lines += [f'<img src="{picture}" alt="{escape(alt)}" width="360">', ""]
            if found.line.said:
                lines += [f"Drawn: {words.in_markdown(found.line.said)}.", ""]
        lines += [f"- **{label}**: {words.in_markdown(said)}" for label, said in found.rows]
        return "\n".join([*lines, ""])


def _formula(equation: Equation) -> str:
    return f'<div class="ta-formula">{words.in_mathml(equation.latex)}</div>'


def _maths(equation: Equation) -> str:
    """A formula as GitHub takes it word for word."""
    return f"$`{equation.latex}`$"


def shown_in_notebooks(op: Op) -> Card | None:
    """The card that a notebook shows for an op, if it is an activation."""
    return card(op) if is_activation(op) else None
