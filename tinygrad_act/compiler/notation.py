"""How things are written: formulas in plain text, arrays and shapes in Python."""

from __future__ import annotations

import itertools
import re
import unicodedata
from typing import Any

import numpy as np

from ..op import Op
from .program import Origin


def explained(origin: Origin) -> str:
    """What an op or its rule is, in a line."""
    op = origin.op
    if isinstance(op, Op):
        if not origin.rule_for:
            return f"{op.name}: {plain_text(op.formula)}"
        rule = op.rule.get(origin.rule_for, "") if isinstance(op.rule, dict) else op.rule
        return f"{op.name}, rule for {origin.rule_for}: {plain_text(rule)}"
    if op is not None:
        return f"{type(op).__name__}{': ' + origin.parameter if origin.parameter else ''}"
    return ""


def plain_text(latex: str) -> str:
    r"""A formula in the signs of plain text.

    >>> plain_text(r"\frac{x}{\sqrt{1 + \alpha x^2}} e^{-x / 2}")
    'x/√(1 + α x²) e^(-x / 2)'
    >>> plain_text(r"\begin{cases} 1 & x > 0 \\ 0 & \mathrm{otherwise} \end{cases}")
    '1 if x > 0; 0 otherwise'
    """
    text = re.sub(r"\\(left|right)(?![a-z])", "", latex).replace(r"\_", "_")
    text = re.sub(r"\\begin\{cases\}(.*?)\\end\{cases\}", _cases, text, flags=re.S)
    for sign in GREEK:
        text = re.sub(rf"\\{sign}(?![a-zA-Z])", GREEK[sign], text)
    text = re.sub(r"\\bar\s*(?:\{\s*)?(\w)((?:_\w)?)\}?", "\\1\u0304\\2", text)
    text = re.sub(r"\^" + GROUP, lambda m: "^2" if m[1] == "2" else f"^{_grouped(m[1])}", text)
    for _ in range(3):
        text = re.sub(r"\\sqrt" + GROUP, lambda m: "√" + _grouped(m[1]), text)
    for _ in range(3):
        text = re.sub(r"\\[ctd]?frac" + GROUP + GROUP, lambda m: f"{_grouped(m[1])}/{_grouped(m[2])}", text)
    text = re.sub(r"\\(?:mathrm|text|operatorname)\{([^{}]*)\}", r"\1", text)
    for sign, plain in SIGNS.items():
        text = re.sub(re.escape(sign) + ("(?![a-zA-Z])" if sign[-1].isalpha() else ""), plain, text)
    text = re.sub(r"\\[,;! ]", " ", text)
    text = re.sub(r"\\([a-zA-Z]+)", r"\1", text).replace("{", "").replace("}", "")
    text = unicodedata.normalize("NFC", re.sub(r"\s+", " ", text).strip())
    return text.replace("if otherwise", "otherwise")


GROUP = r"\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"


def _grouped(latex: str) -> str:
    """In brackets, unless it is a single number, letter, or name."""
    inner = latex.strip()
    single = re.fullmatch(r"\\?[\w\u0304]+(\^\d)?|√\w+|\\mathrm\{\w*\}", inner)
    if bracket := re.match(r"(√|e\^)\(", inner):
        depths = list(itertools.accumulate((c == "(") - (c == ")") for c in inner))
        return inner if 0 not in depths[bracket.end() - 1 : -1] and depths[-1] == 0 else f"({inner})"
    return inner if single else f"({inner})"


def _cases(match: re.Match[str]) -> str:
    cases = [" if ".join(part.strip() for part in row.split("&")) for row in match[1].split(r"\\")]
    return "; ".join(case.strip() for case in cases if case.strip())


GREEK = {"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "theta": "θ", "lambda": "λ", "mu": "μ", "pi": "π"}
GREEK |= {"sigma": "σ", "tau": "τ", "varphi": "φ", "Phi": "Φ", "omega": "ω"}
SIGNS = {r"\top": "ᵀ", r"^ᵀ": "ᵀ", r"\odot": "⊙", r"\sum": "Σ", r"\prod": "Π", r"\cdot": "·", r"\ge": "≥", r"\le": "≤"}
SIGNS |= {r"\ne": "≠", r"\sqrt": "√", r"\times": "×", r"\quad": " ", r"\wedge": "∧", r"\vee": "∨", r"\dots": "…"}
SIGNS |= {"^2": "²", "^3": "³", r"\{": "(", r"\}": ")", r"\infty": "∞", r"\partial": "∂"}


def shape_text(shape: tuple[int, ...]) -> str:
    """A tuple in Python."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def wrapped(names: list[str], width: int) -> str:
    """Names in lines of at most this width, for within brackets."""
    lines = [""]
    for name in names:
        if lines[-1] and len(lines[-1]) + len(name) + 3 > width:
            lines.append("")
        lines[-1] += (", " if lines[-1] else "") + name
    return ",\n    ".join(lines)


WELL_KNOWN = {"0": "np.zeros", "0.0": "np.zeros", "False": "np.zeros"}  # but not -0.0
WELL_KNOWN |= {"1": "np.ones", "1.0": "np.ones", "True": "np.ones"}


def recognised(a: np.ndarray[Any, Any]) -> str | None:
    """The call that makes a well-known array."""
    kind = f"np.{a.dtype}"
    if a.size and a.dtype.kind in "fiub" and a.tobytes() == a.ravel()[:1].tobytes() * a.size:
        made = WELL_KNOWN.get(repr(a.flat[0].item()))
        return (
            f"{made}({shape_text(a.shape)}, {kind})"
            if made
            else f"np.full({shape_text(a.shape)}, {a.flat[0].item()!r}, {kind})"
        )
    if a.ndim == 1 and a.dtype.kind == "i" and a.size > 1 and (np.diff(a) == a[1] - a[0]).all():
        start, step = int(a[0]), int(a[1] - a[0])
        given = f"{a.size}" if start == 0 and step == 1 else f"{start}, {start + step * a.size}, {step}"
        return f"np.arange({given}{'' if a.dtype == np.int64 else f', dtype={kind}'})"
    return None


def literal(a: np.ndarray[Any, Any]) -> str:
    """An array in Python."""
    text = recognised(a) or f"np.array({a.tolist()!r}, np.{a.dtype})" + (
        f".reshape({shape_text(a.shape)})" if not a.size else ""
    )
    return re.sub(r"(?<![\w.])(nan|inf)\b", r"np.\1", text)
