"""A program as NumPy source that a person would have written, or nearly."""

from __future__ import annotations

import builtins
import keyword
import math
import re
import unicodedata
from typing import Any, Literal

import numpy as np

from ..op import Op
from .memory import Memory, plan, viewed
from .number import BINDS
from .program import Call, Expression, Origin, Program, Value, uses

Style = Literal["fast", "teaching"]
WIDTH = 100
INFIX = {
    "np.add": "+", "np.subtract": "-", "np.multiply": "*", "np.divide": "/", "np.floor_divide": "//",
    "np.remainder": "%", "np.power": "**", "np.matmul": "@", "np.bitwise_and": "&", "np.bitwise_or": "|",
    "np.less": "<", "np.less_equal": "<=", "np.equal": "==", "np.not_equal": "!=", "np.greater": ">",
    "np.greater_equal": ">=",
}  # fmt: skip
BINDING = BINDS | {"@": 12, "&": 9, "|": 7} | dict.fromkeys(("<", "<=", "==", "!=", ">", ">="), 6)
REDUCTIONS = {"np.add.reduce": "sum", "np.maximum.reduce": "max", "np.minimum.reduce": "min"}


class Writer:
    """Writes one program, as a function of this name."""

    def __init__(self, program: Program, style: Style, function: str, taken: set[str] | None = None) -> None:
        self.program, self.style, self.function = program, style, function
        self.memory: Memory = plan(program, reuse=style == "fast")
        self.uses = uses(program)
        self.names: dict[Value, str] = {v: v.name for v in program.inputs}
        self.taken = (taken or set()) | {
            "np",
            function,
            *keyword.kwlist,
            *dir(builtins),
            *program.numbers,
            *self.names.values(),
        }
        self.inline: dict[Value, tuple[str, int]] = {}  # expressions that stand for values that have no name
        self.constants: dict[str, np.ndarray[Any, Any]] = {}
        for n, homes in enumerate(self.memory.packs.values(), 1):
            for i, home in enumerate(homes, 1):
                home.name = f"pack_{n}_{i}"
        self.lines = self.definition()  # which finds the constants

    def file(self, title: str) -> str:
        """A file with nothing but this function."""
        return "\n".join([f'"""{title}"""', "", "import numpy as np", *self.preamble(), "", "", *self.lines, ""])

    def preamble(self) -> list[str]:
        """The constants and the buffers, which are made once."""
        lines = [f"{name} = {literal(a)}" for name, a in self.constants.items()]
        for home in self.memory.buffers:
            order = ', order="F"' if home.first.order == "F" else ""
            lines.append(f"{home.name} = np.empty({_shape(home.first.shape)}, np.{home.first.dtype}{order})")
        for n, homes in enumerate(self.memory.packs.values(), 1):
            size = sum(int(np.prod(home.first.shape)) for home in homes)
            lines.append(f"pack_{n} = np.empty({size}, np.{homes[0].first.dtype})")
            start = 0
            for home in homes:
                stop = start + int(np.prod(home.first.shape))
                lines.append(f"{home.name} = pack_{n}[{start}:{stop}].reshape({_shape(home.first.shape)})")
                start = stop
        return ["", *lines] if lines else []

    def definition(self) -> list[str]:
        """The function itself."""
        given = [v.name for v in self.program.inputs] + self.program.numbers
        head = f"def {self.function}({', '.join(given)}):"
        if len(head) > WIDTH:
            head = f"def {self.function}(\n    {_wrapped(given, WIDTH - 4)},\n):"
        return [head, *(f"    {line}".rstrip() for line in self.body())]

    def body(self) -> list[str]:
        lines: list[str] = []
        before = Origin("")
        for i, call in enumerate(self.program.calls):
            written_lines = self.statement(i, call)
            if not written_lines:
                continue
            origin = call.origin
            if origin.section != before.section:
                lines += ["", f"# {origin.section}"] if lines else [f"# {origin.section}"]
            if (origin.op, origin.rule_for, origin.parameter, origin.section) != (
                before.op, before.rule_for, before.parameter, before.section,
            ) and (said := explained(origin)):  # fmt: skip
                lines.append(f"# {said}")
            before = origin
            lines += written_lines
        moved = {place for place, _ in self.memory.at_the_end}
        for _, v in self.memory.at_the_end:
            if v in moved:  # a place that is itself about to change
                lines.append(f"{self.name(v)}_before = {self.name(v)}.copy()")
                self.names[v] = f"{self.name(v)}_before"
        lines += [f"{place.name}[...] = {self.text(v)}" for place, v in self.memory.at_the_end]
        returned, extras = self.program.outputs
        lines.append(
            "return " + ", ".join(self.text(x) for x in [returned, *extras])
            if extras
            else f"return {self.text(returned)}"
        )
        return lines

    def statement(self, i: int, call: Call) -> list[str]:
        """The lines for one call; none, if it goes into the expression of the one that reads it."""
        v, target = call.result, call.target
        shape = f"  # {_shape(v.shape)}" if v.shape else ""
        if target.kind == "own":
            if call in self.memory.copying:
                return [f"{self.new_name(v)} = {self.text(call.args[0], 100)}.copy(){shape}"]
            if call.args[0] in self.inline:
                return [f"{self.new_name(v)} = {self.text(call.args[0])}{shape}"]
            self.names[v] = self.name(call.args[0])
            return []
        if target.kind == "update":
            base = call.args[0]
            lines = []
            if call in self.memory.copying:
                lines.append(f"{self.new_name(v)} = {self.text(base)}.copy(){shape}")
            else:
                self.names[v] = self.name(base)
            return [*lines, self.update(call, self.names[v])]
        if call in self.memory.packs:
            homes = self.memory.packs[call]
            pack = homes[0].name.removesuffix("_1")
            self.names.update({r: home.name for r, home in zip(call.results, homes, strict=True)})
            return [f"{target.name}({self.text(call.args[0])}, {pack}, out={pack})"]
        if len(call.results) > 1:
            return [f"{', '.join(self.new_name(r) for r in call.results)} = {self.expression(call)[0]}"]
        out = self.memory.out.get(call)
        if out is not None and out.kind == "given":
            self.names[v] = name = out.first.name
            symbol = INFIX.get(target.name)
            first = call.args[0] if isinstance(call.args[0], Value) else None
            if symbol in BINDS and first is not None and self.memory.homes.get(first) is out and not call.kwargs:
                return [f"{name} {symbol}= {self.text(call.args[1])}"]
            return [self.expression(call, out=name)[0]]
        if out is not None:
            where = out.name if out.name else self.name(out.members[0])
            return [f"{self.new_name(v)} = {self.expression(call, out=where)[0]}{shape}"]
        text, binds = self.expression(call)
        if self.goes_inline(i, call, text):
            self.inline[v] = (text, binds)
            return []
        return [f"{self.new_name(v)} = {text}{shape}"]

    def goes_inline(self, i: int, call: Call, text: str) -> bool:
        """Whether a value is better read within the expression that it is part of."""
        v = call.result
        if (
            self.uses.get(v, 0) != 1
            or (v.name and self.style == "teaching")
            or call.target.kind == "draw"
            or len(text) > 60
        ):
            return False
        for later in self.program.calls[i + 1 :]:
            if v in later.inputs():
                if later.target.kind == "update" and v is later.args[0]:
                    return False
                return self.style == "teaching" or viewed(call) is not None or not v.shape
            if later.target.kind == "update" or later in self.memory.out:
                return False  # which might write over what it reads
        return self.style == "teaching" and len(text) < 30

    def update(self, call: Call, name: str) -> str:
        args = [self.text(a) for a in call.args[1:]]
        if call.target.writes == "setitem":
            return f"{name}[{self.index(call.args[1])}] = {self.text(call.args[2])}"
        named = [f"{k}={self.text(a)}" for k, a in call.kwargs.items()]
        if call.target.writes == "method":
            return f"{name}.{call.target.name}({', '.join([*args, *named])})"
        if call.target.writes == "out":
            return f"{call.target.name}({', '.join([*args, f'out={name}', *named])})"
        return f"{call.target.name}({', '.join([name, *args, *named])})"

    def expression(self, call: Call, out: str = "") -> tuple[str, int]:
        """The call in Python, and how tightly it binds."""
        target, args = call.target, call.args
        if target.kind == "conditional":
            condition, yes, no = (self.text(a, 2) for a in args)
            return f"{yes} if {condition} else {no}", 1
        if target.kind == "attribute":
            return f"{self.text(args[0], 100)}.{target.name}", 100
        if target.kind == "getitem":
            return f"{self.text(args[0], 100)}[{self.index(args[1])}]", 100
        symbol = INFIX.get(target.name)
        if symbol and not out and not call.kwargs and len(args) == 2:
            binds = BINDING[symbol]
            left, right = self.text(args[0], binds + (symbol == "**")), self.text(args[1], binds + (symbol != "**"))
            return f"{left} {symbol} {right}", binds
        if target.name == "np.negative" and not out and not call.kwargs:
            return f"-{self.text(args[0], 13)}", 13
        given = {k: a for k, a in call.kwargs.items() if (k, a) != ("keepdims", False)}
        if target.kind == "method" and given.get("axis", 0) is None:
            del given["axis"]
        named = [f"{k}={self.text(a)}" for k, a in given.items()] + ([f"out={out}"] if out else [])
        if target.kind in ("method", "draw"):
            return f"{self.text(args[0], 100)}.{target.name}({', '.join([*map(self.text, args[1:]), *named])})", 100
        name = "np.abs" if target.name == "np.absolute" else target.name
        return f"{name}({', '.join([*map(self.text, args), *named])})", 100

    def index(self, index: Any) -> str:
        if isinstance(index, tuple) and index:
            return ", ".join(self.index(i) for i in index) + ("," if len(index) == 1 else "")
        if isinstance(index, slice):
            parts = [index.start, index.stop, index.step]
            text = ":".join("" if p is None else self.text(p) for p in parts)
            return text[:-1] if index.step is None else text
        return "..." if index is Ellipsis else self.text(index)

    def text(self, x: Any, binds: int = 0) -> str:
        """An argument in Python, in brackets if it binds less tightly than that."""
        if isinstance(x, Value):
            if x in self.inline:
                text, own = self.inline[x]
                return f"({text})" if own < binds else text
            return self.name(x)
        if isinstance(x, Expression):
            return f"({x.source})" if x.binds < binds else x.source
        if isinstance(x, tuple):
            return f"({', '.join(map(self.text, x))}{',' if len(x) == 1 else ''})"
        if isinstance(x, list):
            return f"[{', '.join(map(self.text, x))}]"
        if isinstance(x, dict):
            return f"{{{', '.join(f'{k!r}: {self.text(a)}' for k, a in x.items())}}}"
        if isinstance(x, slice):
            return f"slice({self.text(x.start)}, {self.text(x.stop)}, {self.text(x.step)})"
        if isinstance(x, float) and not isinstance(x, np.floating) and not math.isfinite(x):
            return "np.nan" if math.isnan(x) else "np.inf" if x > 0 else "-np.inf"
        if isinstance(x, np.dtype):
            return f"np.{x.name}"
        if isinstance(x, type):
            return f"np.{x.__name__}" if issubclass(x, np.generic) else x.__name__
        if isinstance(x, np.generic):
            return f"np.{x.dtype}({self.text(float(str(x))) if x.dtype.kind == 'f' else x})"
        text = f'"{x}"' if isinstance(x, str) else repr(x)
        return f"({text})" if binds > 13 and text.startswith("-") else text

    def name(self, v: Value) -> str:
        if v not in self.names:
            if v.constant is None:
                return self.new_name(v)
            if v.constant.ndim == 0 and not v.constant.flags.writeable and v.weight < 4:
                return self.text(v.constant[()])
            self.constants[self.new_name(v, "constant")] = v.constant
        return self.names[v]

    def new_name(self, v: Value, default: str = "t") -> str:
        """A new variable, called as the step calls it if that is known."""
        hint = (
            f"d_{self.names[v.of]}" if v.of in self.names and v.weight == 3 else re.sub(r"\W", "_", v.name) or default
        )
        if v.constant is not None and v.weight < 4:
            hint = next(
                (word for word in ("arange", "ones", "zeros") if word in (_recognised(v.constant) or "")), default
            )
        name, n = hint, 1
        while name in self.taken or name == "t":
            n += 1
            name = f"{hint}_{n - (hint == 't')}"
            name = f"{hint}_" if n == 2 and hint in dir(builtins) else name
        self.taken.add(name)
        self.names[v] = name
        return name


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


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _wrapped(names: list[str], width: int) -> str:
    lines = [""]
    for name in names:
        if lines[-1] and len(lines[-1]) + len(name) + 3 > width:
            lines.append("")
        lines[-1] += (", " if lines[-1] else "") + name
    return ",\n    ".join(lines)


def _recognised(a: np.ndarray[Any, Any]) -> str | None:
    """The call that makes a well-known array."""
    kind = f"np.{a.dtype}"
    if a.size and (a == a.flat[0]).all() and a.dtype.kind in "fiub":
        made = {0: "np.zeros", 1: "np.ones"}.get(a.flat[0].item())
        return (
            f"{made}({_shape(a.shape)}, {kind})"
            if made
            else f"np.full({_shape(a.shape)}, {a.flat[0].item()!r}, {kind})"
        )
    if a.ndim == 1 and a.dtype.kind == "i" and a.size > 1 and (np.diff(a) == a[1] - a[0]).all():
        start, step = int(a[0]), int(a[1] - a[0])
        if start == 0 and step == 1:
            return f"np.arange({a.size})"
        return f"np.arange({start}, {start + step * a.size}, {step})"
    return None


def literal(a: np.ndarray[Any, Any]) -> str:
    """An array in Python."""
    text = _recognised(a) or f"np.array({a.tolist()!r}, np.{a.dtype})" + (
        f".reshape({_shape(a.shape)})" if not a.size else ""
    )
    return re.sub(r"(?<![\w.])(nan|inf)\b", r"np.\1", text)
