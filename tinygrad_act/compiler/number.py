"""Numbers of Python that the step reads, like `optimizer.lr`: they may be others at each run."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from .program import Expression


class Number:
    """A stand-in for a number. What is computed of it is written down as a Python expression.

    Where the step must know the number itself, for a branch or a shape, it is told, and the condition under which the
    answer stays the same becomes one of the `guards` of the trace.
    """

    __slots__ = ("expression", "guards", "value")

    def __init__(self, expression: Expression, value: Any, guards: dict[str, None]) -> None:
        self.expression = replace(expression, weak=type(value) in (int, float))
        self.value, self.guards = value, guards

    vars()["__class__"] = property(lambda self: type(self.value))  # what isinstance asks for

    def concrete(self) -> Any:
        """The number itself; the trace is then good for this one only."""
        source = self.expression.source
        self.guards[f"{source} == {self.value!r}" if self.value == self.value else f"{source} != {source}"] = None
        return self.value

    def decided(self, condition: str, answer: bool) -> bool:
        """The answer to a yes-or-no question; the trace is then good while it stays so."""
        self.guards[f"({condition})" if answer else f"not ({condition})"] = None
        return answer

    def __bool__(self) -> bool:
        return self.decided(self.expression.source, bool(self.value))

    def __float__(self) -> float:
        return float(self.concrete())

    def __int__(self) -> int:
        return int(self.concrete())

    def __index__(self) -> int:
        return operator.index(self.concrete())

    def __hash__(self) -> int:
        return hash(self.concrete())

    def __repr__(self) -> str:
        return repr(self.concrete())

    def __format__(self, spec: str) -> str:
        return format(self.concrete(), spec)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.concrete(), name)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.asarray(self.concrete(), dtype)

    def __abs__(self) -> Any:
        return abs(self.concrete())

    def __pos__(self) -> Any:
        return self

    def __round__(self, digits: int | None = None) -> Any:
        return round(self.concrete(), digits)

    def __neg__(self) -> Any:
        return self.__mul__(-1)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        others = [x for x in inputs if not isinstance(x, Number)]
        if method == "__call__" and not kwargs and all(isinstance(x, int | float) for x in others):
            sources = [x.expression.source if isinstance(x, Number) else repr(x) for x in inputs]
            value = ufunc(*(plain(x) for x in inputs))
            return Number(Expression(f"np.{ufunc.__name__}({', '.join(sources)})"), value, self.guards)
        if any(hasattr(x, "__array_ufunc__") and not issubclass(type(x), np.ndarray | np.generic) for x in others):
            return NotImplemented
        return getattr(ufunc, method)(*(x.concrete() if isinstance(x, Number) else x for x in inputs), **kwargs)


def plain(x: Any) -> Any:
    """The number that a Number stands for; anything else as it is."""
    return x.value if isinstance(x, Number) else x


def _arithmetic(symbol: str, binds: int, function: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
    """A binary operator on Numbers, and its reflected form."""

    def written(x: Any, on_its_side: bool) -> str:
        if not isinstance(x, Number):
            return f"({x!r})" if x < 0 else repr(x)
        e = x.expression
        return e.source if e.binds > binds or (e.binds == binds and on_its_side) else f"({e.source})"

    def combine(a: Any, b: Any, guards: dict[str, None]) -> Any:
        from_right = symbol == "**"
        source = f"{written(a, not from_right)} {symbol} {written(b, from_right)}"
        return Number(Expression(source, binds), function(plain(a), plain(b)), guards)

    def forward(self: Number, other: Any) -> Any:
        return combine(self, other, self.guards) if isinstance(other, int | float | Number) else NotImplemented

    def reflected(self: Number, other: Any) -> Any:
        return combine(other, self, self.guards) if isinstance(other, int | float | Number) else NotImplemented

    return forward, reflected


def _comparison(symbol: str, function: Callable[[Any, Any], bool]) -> Callable[[Number, Any], Any]:
    def compare(self: Number, other: Any) -> Any:
        if not isinstance(other, int | float | Number):
            return NotImplemented
        right = other.expression.source if isinstance(other, Number) else repr(other)
        return self.decided(f"{self.expression.source} {symbol} {right}", function(self.value, plain(other)))

    return compare


OPERATORS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**"}
BINDS = {"+": 11, "-": 11, "*": 12, "/": 12, "//": 12, "%": 12, "**": 14}  # as in Python's table of precedences
for _name, _symbol in OPERATORS.items():
    _forward, _reflected = _arithmetic(_symbol, BINDS[_symbol], getattr(operator, _name))
    setattr(Number, f"__{_name}__", _forward)
    setattr(Number, f"__r{_name}__", _reflected)
for _name, _symbol in {"lt": "<", "le": "<=", "eq": "==", "ne": "!=", "gt": ">", "ge": ">="}.items():
    setattr(Number, f"__{_name}__", _comparison(_symbol, getattr(operator, _name)))
