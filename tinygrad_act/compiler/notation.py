"""How things are written: formulas in plain text, arrays and shapes in Python."""

from __future__ import annotations

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
    """A formula in the signs of plain text."""
    text = re.sub(r"\\begin\{cases\}(.*?)\\end\{cases\}", _cases, latex, flags=re.S)
    for _ in range(4):
        text = re.sub(r"\\c?frac\{((?:[^{}]|\{[^{}]*\})*)\}\{((?:[^{}]|\{[^{}]*\})*)\}", r"(\1)/(\2)", text)
        text = re.sub(r"\\(?:mathrm|text|operatorname)\{([^{}]*)\}", r"\1", text)
    text = re.sub(r"\^\{(\w[^{}]*[-+][^{}]*)\}", r"^(\1)", text)
    text = re.sub(r"\\bar\{?\s*(\w)\}?", "\\1\u0304", text)
    for sign, plain in SIGNS.items():
        text = text.replace(sign, plain)
    text = re.sub(r"\((\w+)\)(?=/)|(?<=/)\((\w+)\)", r"\1\2", text)
    text = re.sub(r"\\(left|right|[,;! ])", " ", text)
    text = re.sub(r"\\([a-zA-Z]+)", r"\1", text).replace("{", "").replace("}", "")
    return unicodedata.normalize("NFC", re.sub(r"\s+", " ", text).strip())


def _cases(match: re.Match[str]) -> str:
    cases = [" if ".join(part.strip() for part in row.split("&")) for row in match[1].split(r"\\")]
    return "; ".join(case.strip() for case in cases if case.strip())


SIGNS = {r"\top": "ᵀ", r"^ᵀ": "ᵀ", r"\odot": "⊙", r"\sum": "Σ", r"\prod": "Π", r"\cdot": "·", r"\ge": "≥", r"\le": "≤"}
SIGNS |= {r"\ne": "≠", r"\alpha": "α", r"\beta": "β", r"\lambda": "λ", r"\pi": "π", r"\sqrt": "√", r"\times": "×"}
SIGNS |= {r"\dots": "…", "^2": "²", "^3": "³"}
SIGNS |= {r"\{": "(", r"\}": ")", r"\infty": "∞", r"\partial": "∂", r"\Phi": "Φ", r"\varphi": "φ", r"\sigma": "σ"}


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
