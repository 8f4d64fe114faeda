"""Formulas and texts in the signs of a terminal, in Markdown and in HTML."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from functools import cache
from html import escape, unescape
from typing import Any

from ..drawing.wording import readable


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
        return f"<code>{escape(readable(latex))}</code>"
    made: Any = convert(latex)
    found = re.sub(r"&#x0*(?!26;|3C;|3E;)([0-9A-F]+);", lambda m: unescape(m[0]), made)
    return found.replace(' xmlns="http://www.w3.org/1998/Math/MathML" display="inline"', ' displaystyle="true"')
