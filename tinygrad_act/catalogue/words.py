"""Formulas and texts in the signs of a terminal, in Markdown and in HTML."""

from __future__ import annotations

import itertools
import re
import textwrap
import unicodedata
from functools import cache
from html import escape, unescape
from typing import Any

from ..drawing.wording import readable

GREEK = {"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "theta": "θ", "lambda": "λ", "omega": "ω", "tau": "τ"}
SIGNS = {rf"\{name}": sign for name, sign in GREEK.items()} | {r"\quad": " ", r"\;": " ", r"\wedge": "∧", r"\vee": "∨"}
GROUP = r"\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"


def in_text(latex: str) -> str:
    r"""A formula in plain text.

    >>> in_text(r"\frac{x}{\sqrt{1 + \alpha x^2}} e^{-x / 2}")
    'x/√(1 + α x²) e^(-x / 2)'
    >>> in_text(r"\begin{cases} 1 & x > 0 \\ 0 & \mathrm{otherwise} \end{cases}")
    '1 if x > 0; 0 otherwise'
    """
    text = re.sub(r"\\(left|right)(?![a-z])", "", latex).replace(r"\_", "_")
    for sign, plain in SIGNS.items():
        text = re.sub(re.escape(sign) + ("(?![a-zA-Z])" if sign[-1].isalpha() else ""), plain, text)
    text = re.sub(r"\^" + GROUP, lambda m: _raised(m[1]), text)
    for _ in range(3):
        text = re.sub(r"\\sqrt" + GROUP, lambda m: "√" + _grouped(m[1]), text)
    for _ in range(3):
        text = re.sub(r"\\[ctd]?frac" + GROUP + GROUP, lambda m: f"{_grouped(m[1])}/{_grouped(m[2])}", text)
    return readable(text).replace("if otherwise", "otherwise")


def _raised(power: str) -> str:
    return "^2" if power == "2" else f"^{_grouped(power)}"


def _grouped(latex: str) -> str:
    """In brackets, unless it is a single number, letter, or name."""
    inner = latex.strip()
    single = re.fullmatch(r"\\?\w+|√\w+|\\mathrm\{\w*\}", inner)
    if bracket := re.match(r"(√|e\^)\(", inner):
        depths = list(itertools.accumulate((c == "(") - (c == ")") for c in inner))
        return inner if 0 not in depths[bracket.end() - 1 : -1] and depths[-1] == 0 else f"({inner})"
    return inner if single else f"({inner})"


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Lines of at most this width, all but the first indented."""
    lines = []
    for part in text.split("\n"):
        lines += textwrap.wrap(part, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return lines


def columns_of(text: str) -> int:
    """How many columns of a terminal a text takes: bars above letters take none."""
    return sum(not unicodedata.combining(c) for c in text)


def in_markdown(text: str) -> str:
    """A docstring as Markdown: code stays code, other signs stand for themselves, papers are links."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else _marked(part) for part in parts).replace("\n", "<br>")


def _marked(text: str) -> str:
    return re.sub(PAPER, r"[\g<0>](https://arxiv.org/abs/\1)", re.sub(r"([\\*_<|\[\]])", r"\\\1", text))


PAPER = r"arXiv:(\d{4}\.\d{4,5})"


def in_html(text: str) -> str:
    """A docstring as HTML.

    >>> in_html("`a` < 1 (arXiv:1511.07289)")
    '<code>a</code> &lt; 1 (<a href="https://arxiv.org/abs/1511.07289">arXiv:1511.07289</a>)'
    """
    text = re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text, quote=False))
    return re.sub(PAPER, r'<a href="https://arxiv.org/abs/\1">\g<0></a>', text).replace("\n", "<br>")


@cache
def in_mathml(latex: str) -> str:
    """A formula as MathML, if the library for that is installed (the extra `page`), or else as plain text."""
    try:
        from latex2mathml.converter import convert
    except ImportError:
        return f"<code>{escape(in_text(latex))}</code>"
    made: Any = convert(latex)
    found = re.sub(r"&#x0*(?!26;|3C;|3E;)([0-9A-F]+);", lambda m: unescape(m[0]), made)
    return found.replace(' xmlns="http://www.w3.org/1998/Math/MathML" display="inline"', ' displaystyle="true"')
