"""A program as NumPy source that a person would have written, or nearly."""

from __future__ import annotations

import builtins
import keyword
import math
import re
from typing import Any, Literal

import numpy as np

from .memory import Memory, plan, viewed
from .notation import explained, literal, recognised, shape_text, wrapped
from .number import BINDS
from .program import RESERVED, Call, Expression, Origin, Program, Value, uses
from .tiles import IMPORTS, IN_TILES, Tiled

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

    def __init__(
        self,
        program: Program,
        style: Style,
        function: str,
        taken: set[str] | None = None,
        within: Writer | None = None,
    ) -> None:
        self.within = within  # the writer of the program of which this one is a loop
        self.program, self.style, self.function = program, style, function
        self.memory: Memory = plan(program, reuse=style == "fast")
        self.uses = uses(program)
        self.names: dict[Value, str] = {v: v.name for v in program.inputs}
        if within is not None:
            self.names |= {v: name for v, name in within.names.items() if v.constant is not None}
        self.taken = {*(taken or ()), *RESERVED, function, *keyword.kwlist, *dir(builtins)}
        self.taken |= {*program.numbers, *self.names.values()}
        self.inline: dict[Value, tuple[str, int]] = {}  # expressions that stand for values that have no name
        self.constants: dict[str, np.ndarray[Any, Any]] = within.constants if within else {}
        for home in self.memory.buffers:
            home.name = self.fresh(home.name)
        self.packs = {call: self.fresh(f"pack_{n}") for n, call in enumerate(self.memory.packs, 1)}
        for call, pack in self.packs.items():
            for i, home in enumerate(self.memory.packs[call], 1):
                home.name = self.fresh(f"{pack}_{i}")
        self.loops: list[str] = []  # the functions for tiles, and what runs them
        self.tiles = 0
        self.lines = self.definition()  # which finds the constants, and the loops

    def file(self, title: str) -> str:
        """A file with nothing but this function."""
        return "\n".join([f'"""{title}"""', "", *self.head(), "", "", *self.lines, ""])

    def head(self) -> list[str]:
        """All that stands before the function."""
        return [*(IMPORTS if self.loops else []), "import numpy as np", *self.preamble()]

    def preamble(self) -> list[str]:
        """The constants and the buffers, which are made once."""
        lines = [f"{name} = {literal(a)}" for name, a in self.constants.items()]
        for home in self.memory.buffers:
            order = ', order="F"' if home.first.order == "F" else ""
            lines.append(f"{home.name} = np.empty({shape_text(home.first.shape)}, np.{home.first.dtype}{order})")
        for call, pack in self.packs.items():
            homes = self.memory.packs[call]
            size = sum(home.first.size for home in homes)
            lines.append(f"{pack} = np.empty({size}, np.{homes[0].first.dtype})")
            start = 0
            for home in homes:
                stop = start + int(np.prod(home.first.shape))
                lines.append(f"{home.name} = {pack}[{start}:{stop}].reshape({shape_text(home.first.shape)})")
                start = stop
        lines += self.loops
        return ["", *lines] if lines else []

    def definition(self) -> list[str]:
        """The function itself."""
        given = [*(v.name for v in self.program.inputs), *self.program.numbers]
        given += [home.name for home in self.memory.buffers] if self.within else []
        head = f"def {self.function}({', '.join(given)}):"
        if len(head) > WIDTH:
            head = f"def {self.function}(\n    {wrapped(given, WIDTH - 4)},\n):"
        return [head, *(f"    {line}".rstrip() for line in self.body())]

    def body(self) -> list[str]:
        lines: list[str] = []
        before = Origin("")
        helped: set[str] = set()
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
                helped.clear()
            if origin.helper and origin.helper not in helped:
                lines.append(re.sub(r"^(\(.*?\): )?", "# ", origin.helper))
                helped.add(origin.helper)
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
        shape = f"  # {shape_text(v.shape)}" if v.shape else ""
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
        if isinstance(call, Tiled):
            return self.loop(call)
        if call in self.memory.packs:
            homes = self.memory.packs[call]
            pack = self.packs[call]
            self.names.update({r: home.name for r, home in zip(call.results, homes, strict=True)})
            return [f"{target.name}({self.text(call.args[0])}, {pack}, out={pack})"]
        if len(call.results) > 1:
            return [f"{', '.join(self.new_name(r) for r in call.results)} = {self.expression(call)[0]}"]
        out, cast = self.memory.out.get(call), target.name == "astype"
        if out is not None and out.kind == "given":
            self.names[v] = name = out.first.name
            symbol = INFIX.get(target.name)
            first = call.args[0] if isinstance(call.args[0], Value) else None
            if symbol in BINDS and first is not None and self.memory.homes.get(first) is out and not call.kwargs:
                return [f"{name} {symbol}= {self.text(call.args[1])}"]
            return [f"np.copyto({name}, {self.text(call.args[0])})" if cast else self.expression(call, out=name)[0]]
        if out is not None:
            where = out.name if out.name else self.name(out.members[0])
            if cast:
                source = self.text(call.args[0])
                return [f"{self.new_name(v)} = {where}{shape}", f"np.copyto({self.name(v)}, {source})"]
            return [f"{self.new_name(v)} = {self.expression(call, out=where)[0]}{shape}"]
        text, binds = self.expression(call)
        if self.goes_inline(i, call, text):
            self.inline[v] = (text, binds)
            return []
        return [f"{self.new_name(v)} = {text}{shape}"]

    def loop(self, call: Tiled) -> list[str]:
        """A call of `in_tiles`, with the function for a tile, which is written above this one."""
        self.tiles += 1
        taken = {"np", *self.constants, *keyword.kwlist, *dir(builtins)}
        for v in call.tile.inputs:
            v.name = unused(re.sub(r"\W", "_", v.name), taken)
            taken.add(v.name)
        function, scratch = self.fresh(f"tile_{self.tiles}"), self.fresh(f"scratch_{self.tiles}")
        tile = Writer(call.tile, "fast", function, self.taken, within=self)
        self.names.update({v: name for v, name in tile.names.items() if v.constant is not None})
        self.taken |= set(self.constants)
        kinds = [f"{shape_text(home.first.shape)}, np.{home.first.dtype}" for home in tile.memory.buffers]
        self.loops += [] if self.loops else ["", "", *IN_TILES]
        self.loops += ["", "", *tile.lines[:-1], "", "", f"{scratch} = ["]
        self.loops += ["    (", *(f"        np.empty({kind})," for kind in kinds), "    )"]
        self.loops += ["    for _ in range(threads)", "]"]
        lines = []
        for v in call.results:
            home = self.memory.homes[v]
            made = home.name or f"np.empty({shape_text(v.shape)}, np.{v.dtype})"
            lines.append(f"{self.new_name(v)} = {made}")
        arguments = [call.args[: call.cut], call.args[call.cut :], tuple(call.results)]
        given = ", ".join([tile.function, str(call.rows), *map(self.text, arguments), scratch])
        return [*lines, f"in_tiles({given})"]

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
            if later.target.kind in ("update", "tiled", "packed") or later in self.memory.out:
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
        flat = target.name in ("np.dot", "dot") and all(isinstance(a, Value) and len(a.shape) <= 2 for a in args)
        symbol = "@" if flat and self.style == "teaching" else INFIX.get(target.name)
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
        text = f'"{x}"' if isinstance(x, str) and x.isprintable() and not {'"', "\\"} & {*x} else repr(x)
        return f"({text})" if binds > 13 and text.startswith("-") else text

    def name(self, v: Value) -> str:
        if v not in self.names:
            if v.constant is None:
                return self.new_name(v)
            if v.constant.ndim == 0 and not v.constant.flags.writeable and v.weight < 4:
                return self.text(v.constant[()])
            self.constants[self.new_name(v, "constant")] = v.constant
        return self.names[v]

    def fresh(self, hint: str) -> str:
        """A name that nothing has yet."""
        name = unused(hint, self.taken)
        self.taken.add(name)
        return name

    def new_name(self, v: Value, default: str = "t") -> str:
        """A new variable, called as the step calls it if that is known."""
        hint = (
            f"d_{self.names[v.of]}" if v.of in self.names and v.weight == 3 else re.sub(r"\W", "_", v.name) or default
        )
        if v.constant is not None and v.weight < 3:
            hint = next(
                (word for word in ("arange", "ones", "zeros") if word in (recognised(v.constant) or "")), default
            )
        self.names[v] = name = self.fresh(hint)
        return name


def unused(hint: str, taken: set[str]) -> str:
    """The name, or one like it."""
    name, n = hint, 1
    while name in taken or name == "t":
        n += 1
        name = f"{hint}_{n - (hint == 't')}"
        name = f"{hint}_" if n == 2 and hint in dir(builtins) else name
    return name
