"""From the LaTeX of our formulas to SymPy: what the documentation says, in a form that can be differentiated.

A name means what the caller says it means: a symbol, a number, an index, or a vector (a NumPy array of symbols). A
function that SymPy has is that one; any other is the op of that name, expanded by its own formula.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import sympy
from exact import NATIVE, Absolute, Floor, fields, indicator, on_each, related
from sympy import S

from tinygrad_act.op import OPS, Op

PIECE = re.compile(
    r"\\(?:mathrm|operatorname|text)\{(?P<word>[^{}]*)\}|(?P<environment>\\(?:begin|end)\{\w+\})"
    r"|(?P<blank>\s+|\\[,;:! ]|\\q?quad(?![a-zA-Z])|\\(?:left|right|[bB]igg?[lr]?)(?![a-zA-Z])|~)"
    r"|(?P<number>\d+(?:\.\d+)?|\.\d+)|(?P<command>\\[a-zA-Z]+|\\\\|\\[{}])|(?P<sign>[^\\])"
)
SAME = {r"\dfrac": r"\frac", r"\tfrac": r"\frac", r"\cfrac": r"\frac", r"\lvert": "|", r"\rvert": "|", r"\le": r"\leq"}
SAME |= {r"\leqslant": r"\leq", r"\geqslant": r"\geq", r"\ge": r"\geq", r"\ne": r"\neq", r"\ldots": r"\dots"}
SAME |= {r"\land": r"\wedge", r"\lor": r"\vee", r"\lnot": r"\neg"}
RELATIONS = {"<": sympy.Lt, ">": sympy.Gt, r"\leq": sympy.Le, r"\geq": sympy.Ge, "=": sympy.Eq, r"\neq": sympy.Ne}
JOINTS = {r"\wedge": sympy.And, "'and'": sympy.And, ",": sympy.And, r"\vee": sympy.Or, "'or'": sympy.Or}
CONSTANTS = {r"\pi": S.Pi, r"\infty": S.Infinity, "e": S.Exp1}
AFTER_A_FACTOR = {
    *RELATIONS,
    *JOINTS,
    *[")", "]", "}", "+", "-", "/", "&", "^", "_", "'"],
    r"\}",
    r"\\",
    r"\rfloor",
    r"\dots",
    r"\end{cases}",
}
AFTER_A_FACTOR |= {"", "'d'", "'if'", "'otherwise'"}


class UnreadableError(ValueError):
    """A formula that is not in our notation; the message shows where it stops."""


def sides(latex: str, names: Mapping[str, Any], shorthand: Mapping[str, str] = {}) -> list[Any]:
    """The values of the forms of a formula, which it joins by " = "; a name given to the value itself is no form."""
    label = re.match(r"\s*\\?((?:bar )?[a-z])(?:_\w|_\{\w+\})?\s*=", latex)
    if label and label[1] not in names:
        latex = latex[label.end() :]
    return Reader(latex, names, shorthand).sides()


def formula(op: Op, inputs: Mapping[str, Any]) -> Any:
    """The value of an op by its own formula, in its first form: a vector, if the formula has a free index."""
    names = {**fields(op), **inputs}
    vectors = [v for v in inputs.values() if isinstance(v, np.ndarray)]
    free = re.match(r"\s*[a-z]_(\w)\s*=", op.formula)
    if not free or not vectors:
        return sides(op.formula, names, op.shorthand)[0]
    each = range(1, len(vectors[0]) + 1)
    return np.array([sides(op.formula, {**names, free[1]: S(k)}, op.shorthand)[0] for k in each], object)


def key(text: str) -> str:
    r"""The name of \alpha, \mathrm{low} or x, in Python."""
    word = re.fullmatch(r"\\\w+\{(.*)\}|'(.*)'", text)
    return ((word[1] or word[2]) if word else text).lstrip("\\").replace(r"\_", "_")


class Reader:
    """Reads a formula from left to right, and gives its value. Only sums go back, for each term."""

    def __init__(self, latex: str, names: Mapping[str, Any], shorthand: Mapping[str, str]) -> None:
        self.latex, self.names, self.shorthand = latex, dict(names), shorthand
        found = [m for m in PIECE.finditer(latex) if m.lastgroup != "blank"]
        self.pieces = [f"'{m['word'].strip()}'" if m["word"] is not None else SAME.get(m[0], m[0]) for m in found]
        self.places = [*(m.start() for m in found), len(latex)]
        self.i = 0
        self.bars = 0  # how many |...| are open here
        self.meanings = {key(re.sub(r"\((\w)\)$|[{} ]", "", s)): m for s, m in shorthand.items()}
        self.variables = {key(s[:-3].strip()): s[-2] for s in shorthand if s[-3:-2] == "("}  # \varphi(x) is a function

    @property
    def next(self) -> str:
        return self.pieces[self.i] if self.i < len(self.pieces) else ""

    def take(self, *texts: str) -> str:
        """The next piece, if it is one of these, or any; else nothing is read."""
        text = self.next
        if texts and text not in texts:
            return ""
        self.i += bool(text)
        return text

    def expect(self, text: str) -> None:
        if not self.take(text):
            raise self.error(f"expected {text}")

    def error(self, why: str) -> UnreadableError:
        place = self.places[self.i]
        return UnreadableError(f"{why} at {self.latex[place:][:30]!r}, after {self.latex[:place][-50:]!r}")

    # sums, products and powers

    def sides(self) -> list[Any]:
        values = [self.sum()]
        while self.take("="):
            values.append(self.sum())
        if self.next:
            raise self.error("cannot read on")
        return values

    def sum(self) -> Any:
        sign = self.take("+", "-")
        value = -self.product() if sign == "-" else self.product()
        while sign := self.take("+", "-"):
            value = value + self.product() if sign == "+" else value - self.product()
        return value

    def product(self) -> Any:
        value = self.power()
        while True:
            if self.take("/"):
                value = value / self.power()
            elif self.take(r"\cdot", r"\times", r"\odot") or self.starts_factor():
                value = value * self.power()
            else:
                return value

    def starts_factor(self) -> bool:
        return self.next not in AFTER_A_FACTOR and not (self.next == "|" and self.bars)

    def power(self) -> Any:
        is_e = self.next == "e" and "e" not in self.names
        base = self.atom()
        if self.take("^"):
            exponent = self.argument()
            base = on_each(sympy.exp, exponent) if is_e else base**exponent
        return base

    def argument(self) -> Any:
        """What is given to ^ or to a command: in braces, or one piece without."""
        return self.listed("}")[0] if self.take("{") else self.atom()

    def listed(self, end: str) -> list[Any]:
        """One or more, with commas, and the end of the list."""
        bars, self.bars = self.bars, 0
        values = [self.sum()]
        while self.take(","):
            if self.take(r"\dots"):  # x_1, ..., x_n: all of the vector
                self.expect(",")
                values = list(self.names[key(self.take())])
                self.expect("_")
                self.take()
            else:
                values.append(self.sum())
        self.expect(end)
        self.bars = bars
        return values

    def atom(self) -> Any:
        text = self.next
        if not text:
            raise self.error("the formula ends too early")
        if text[0].isdigit() or text[0] == ".":
            return sympy.Rational(self.take())
        kinds = {"(": self.group, "{": self.group, "|": self.absolute, "[": self.iverson, r"\frac": self.fraction}
        kinds |= {r"\sqrt": self.root, r"\sum": self.sigma, r"\int": self.integral, r"\lfloor": self.floor}
        kinds |= {r"\begin{cases}": self.cases}
        if text not in kinds:
            return self.name()
        self.take()
        return kinds[text]()

    def group(self) -> Any:
        values = self.listed({"(": ")", "{": "}"}[self.pieces[self.i - 1]])
        return values[0] if len(values) == 1 else np.array(values, object)

    def absolute(self) -> Any:
        self.bars += 1
        value = self.sum()
        self.bars -= 1
        self.expect("|")
        return on_each(Absolute, value)

    def floor(self) -> Any:
        return on_each(Floor, self.listed(r"\rfloor")[0])

    def fraction(self) -> Any:
        above = self.argument()
        return above / self.argument()

    def root(self) -> Any:
        degree = self.listed("]")[0] if self.take("[") else 2
        return on_each(lambda x: sympy.root(x, degree), self.argument())

    # conditions

    def iverson(self) -> Any:
        condition = self.condition("]")
        self.expect("]")
        return on_each(indicator, condition)

    def cases(self) -> Any:
        rows, bars, self.bars = [], self.bars, 0
        while not self.take(r"\end{cases}"):
            value = self.sum()
            self.take(",")
            self.expect("&")
            rows.append((value, self.condition(r"\\", r"\end{cases}")))
            self.take(r"\\")
        self.bars = bars
        return sympy.Piecewise(*rows)

    def condition(self, *ends: str) -> Any:
        """A chain of relations, or several of them, or a name that is true or false."""
        value = self.relation()
        while joint := self.take(*JOINTS):
            if joint != "," or self.next not in ends:
                value = on_each(JOINTS[joint], value, self.relation())
        if self.next not in ends:
            raise self.error("cannot read on in a condition")
        return value

    def relation(self) -> Any:
        self.take("'if'")
        if self.take("'otherwise'"):
            return S.true
        if self.take(r"\neg"):
            return sympy.Not(self.relation())
        left, holds = self.sum(), []
        while sign := self.take(*RELATIONS):
            right = self.sum()
            holds.append(on_each(related, RELATIONS[sign], left, right))
            left = right
        if not holds and not isinstance(left, sympy.Symbol):
            raise self.error("expected a relation")
        return on_each(sympy.And, *holds) if holds else left

    # sums over an index, and integrals

    def sigma(self) -> Any:
        r"""\sum_j and \sum_{s \ne i} over all elements, \sum_{k=1}^3 over a range: the body is read once for each."""
        self.expect("_")
        braced, place = self.take("{"), self.i
        index = self.take()
        first = int(self.sum()) if braced and self.take("=") else 1
        choosy = braced and self.next != "}"
        while braced and self.take() not in ("}", ""):
            pass
        last = int(self.argument()) if self.take("^") else self.size()
        body, total = self.i, S.Zero
        for _ in self.each(index, first, last):
            self.i = place
            holds = not choosy or self.condition("}") == S.true
            self.i = body
            term = self.product()
            total = total + term if holds else total
        return total

    def each(self, index: str, first: int, last: int) -> Iterator[None]:
        """An index as each number of a range, and then as what it was."""
        outer = self.names.get(index)
        for k in range(first, last + 1):
            self.names[index] = S(k)
            yield
        self.names[index] = outer

    def size(self) -> int:
        return max((len(v) for v in self.names.values() if isinstance(v, np.ndarray)), default=0)

    def integral(self) -> Any:
        ends = {}
        while mark := self.take("_", "^"):
            ends[mark] = self.argument()
        if "'d'" not in self.pieces[self.i :]:
            raise self.error(r"expected \mathrm{d}t after an integrand")
        letter = self.pieces[self.pieces.index("'d'", self.i) + 1]
        variable = sympy.Dummy(letter, real=True)
        self.names[letter] = variable
        integrand = self.sum()
        self.expect("'d'")
        self.take()
        del self.names[letter]
        return sympy.integrate(integrand, (variable, ends["_"], ends["^"]))

    # names

    def name(self) -> Any:
        """A symbol, with its mark and its index, or a function with what it is given."""
        place, text = self.i, self.take()
        called = key(text)
        if text in (r"\bar", r"\hat", r"\tilde"):
            braced = self.take("{")
            called = f"{called} {key(self.take())}"
            self.take("}" if braced else "no brace")
        if called not in NATIVE and self.take("_"):
            index = self.index()
            vector, at = self.names.get(called), self.names.get(index) or index
            if isinstance(vector, np.ndarray) and str(at).isdigit():
                return vector[int(at) - 1]
            called = f"{called}_{index}"
        if self.names.get(called) is not None:
            return self.names[called]
        if called in self.meanings and called not in self.variables:
            return sides(self.meanings[called], self.names, self.shorthand)[0]
        if called in self.variables or called in NATIVE or (text[0] == "'" and self.op(called)):
            return self.call(called)
        if text == "n" and self.size():
            return S(self.size())
        if text in CONSTANTS:
            return CONSTANTS[text]
        self.i = place
        raise self.error(f"who is {called!r}?")

    def index(self) -> str:
        braced, pieces = self.take("{"), [self.take()]
        while braced and not self.take("}"):
            pieces.append(self.take() or "}")
        return "".join(pieces).replace("'", "")

    def op(self, called: str) -> Op | None:
        return next((op for op in OPS.values() if called == op.name or called in op.aliases), None)

    def call(self, called: str) -> Any:
        """A function, perhaps with a prime and a power: of what follows in parentheses, or of the next factors."""
        index = self.index() if self.take("_") else ""
        prime = self.take("'")
        power = self.argument() if self.take("^") else S.One
        if opening := self.take("(", r"\{"):
            args = self.listed({"(": ")"}.get(opening, r"\}"))
        else:
            args = self.all_of(index) if index else [self.bare_argument()]
        if prime:
            x = sympy.Dummy("x", real=True)
            return sympy.diff(self.value(called, [x]), x).subs(x, args[0]) ** power
        return self.value(called, args) ** power

    def all_of(self, index: str) -> list[Any]:
        start, values = self.i, []
        for _ in self.each(index, 1, self.size()):
            self.i = start
            values.append(self.power())
        return values

    def bare_argument(self) -> Any:
        """In sin 2 x, ln x and sin x cos y: up to the next function, parenthesis or sign."""
        value = self.power()
        while self.starts_factor() and self.next not in ("(", "[", r"\sum", r"\int", r"\begin{cases}"):
            called = key(self.next)
            if called in NATIVE or called in self.variables or (self.next[0] == "'" and called not in self.names):
                break
            value = value * self.power()
        return value

    def value(self, called: str, args: list[Any]) -> Any:
        if called in self.variables:
            return sides(self.meanings[called], {**self.names, self.variables[called]: args[0]}, self.shorthand)[0]
        if called in NATIVE:
            return on_each(NATIVE[called], *args)
        op = self.op(called)
        if op is None or len(args) != len(op.arguments):
            raise self.error(f"{called} takes other arguments")
        return formula(op, dict(zip(op.arguments, args, strict=True)))
