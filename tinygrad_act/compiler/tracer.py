"""Stand-ins for arrays and for random generators, which hand over what NumPy is asked to do with them.

NumPy's own protocols (`__array_ufunc__`, `__array_function__`) do the handing over. A stand-in also has a real array,
on which each call is run, because NumPy itself knows best what shape and dtype come out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from ..op import Node
from .number import plain
from .program import Target, Value, map_tree
from .targets import (
    ARRAY_ATTRIBUTES,
    BINARY,
    COMPARISONS,
    GETITEM,
    METHODS,
    SETITEM,
    STATIC,
    STATIC_ATTRIBUTES,
    WRITING_FUNCTIONS,
    WRITING_METHODS,
    function_target,
    method_target,
    ufunc_target,
)

if TYPE_CHECKING:
    from .trace import Trace

ADVICE = "return it from the step, and do this with what the compiled step returns"
NEEDS = f"needs its numbers, and a trace is of no numbers in particular: {ADVICE}"


class Tracer:
    """A stand-in for an array."""

    __slots__ = ("__weakref__", "array", "stale", "trace", "value", "viewed")
    __hash__ = object.__hash__
    vars()["__class__"] = property(lambda self: np.ndarray)  # what isinstance asks for

    def __init__(self, trace: Trace, value: Value, array: Any) -> None:
        self.trace, self.value, self.array = trace, value, array
        self.viewed: tuple[Tracer, Any] | None = None  # of which other, and by which index, it is a view
        self.stale = False  # whether it is a view of an array that was written to since
        trace.alive.add(self)

    def current(self) -> Value:
        """What it stands for now."""
        if self.stale:
            self.trace.refuse("an array is used after another view of its memory was written to; take it after that")
        return self.value

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(isinstance(x, Node) for x in inputs):
            return NotImplemented
        if not hasattr(np, ufunc.__name__):
            self.trace.refuse(f"{ufunc.__name__} is not NumPy's, and a compiled step is a program of NumPy alone")
        if method == "at":
            name = f"np.{ufunc.__name__}.at"
            return self.trace.update(inputs[0], Target("update", name, ufunc.at, "function"), inputs[1:], kwargs)
        return self.trace.call(ufunc_target(ufunc, method), inputs, kwargs)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if any(issubclass(t, Node) for t in types):
            return NotImplemented
        self.trace.check_open()
        if function in STATIC:
            args, kwargs = map_tree(real, (args, kwargs))
            return function(*args, **kwargs)
        if function in (np.array2string, np.array_repr, np.array_str):
            return repr(self)
        if function in WRITING_FUNCTIONS:
            target = Target("update", function_target(function).name, function, "function")
            self.trace.update(args[0], target, args[1:], kwargs)
            return None
        return self.trace.call(function_target(function), args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name in STATIC_ATTRIBUTES:
            return getattr(self.array, name)
        if name == "base":
            return getattr(self.array, "base", None)
        if name in ARRAY_ATTRIBUTES:
            return self.trace.call(Target("attribute", name, lambda a: getattr(a, name)), (self,), {})
        if name in METHODS:
            return lambda *args, **kwargs: self.trace.call(method_target(name), (self, *args), kwargs)
        if name in WRITING_METHODS:
            target = Target("update", name, lambda a, *args, **kwargs: getattr(a, name)(*args, **kwargs), "method")

            def write(*args: Any, **kwargs: Any) -> None:
                self.trace.update(self, target, args, kwargs)

            return write
        if hasattr(np.ndarray, name) and not name.startswith("__"):
            self.trace.refuse(f".{name} needs the numbers themselves, and a trace has none: {ADVICE}")
        raise AttributeError(f"an array has no attribute {name!r}")

    def __getitem__(self, index: Any) -> Any:
        return self.trace.call(GETITEM, (self, index), {})

    def __setitem__(self, index: Any, x: Any) -> None:
        self.trace.update(self, SETITEM, (index, x), {})

    def __len__(self) -> int:
        return len(self.array)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        self.trace.refuse(f"np.asarray, or a function that calls it, {NEEDS}")

    def __bool__(self) -> NoReturn:
        self.trace.refuse(f"a branch (if, while, and, or, not) on a traced value {NEEDS}, or choose with np.where")

    def __float__(self) -> NoReturn:
        self.trace.refuse(f"float(), int() or an index made of a traced value {NEEDS}")

    __int__ = __index__ = __float__

    def __repr__(self) -> str:
        self.trace.refuse(f"printing a traced value {NEEDS}")

    def __format__(self, spec: str) -> str:
        return repr(self)


def real(leaf: Any) -> Any:
    """What a stand-in stands for."""
    return leaf.array if isinstance(leaf, Tracer) else plain(leaf)


def _operators(ufunc: np.ufunc) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """A binary operator, its reflected form, and the one that writes into its left side."""
    target = ufunc_target(ufunc, "__call__")

    def forward(self: Tracer, other: Any) -> Any:
        return NotImplemented if isinstance(other, Node) else self.trace.call(target, (self, other), {})

    def reflected(self: Tracer, other: Any) -> Any:
        return NotImplemented if isinstance(other, Node) else self.trace.call(target, (other, self), {})

    def in_place(self: Tracer, other: Any) -> Any:
        return self.trace.assign(self, self.trace.call(target, (self, other), {}))

    return forward, reflected, in_place


for _name, _ufunc in BINARY.items():
    _forward, _reflected, _in_place = _operators(_ufunc)
    setattr(Tracer, f"__{_name}__", _forward)
    setattr(Tracer, f"__r{_name}__", _reflected)
    setattr(Tracer, f"__i{_name}__", _in_place)
for _name, _ufunc in (COMPARISONS | {"ge": np.greater_equal}).items():
    setattr(Tracer, f"__{_name}__", _operators(_ufunc)[0])
for _name, _ufunc in {"neg": np.negative, "abs": np.absolute, "invert": np.invert, "pos": np.positive}.items():
    setattr(Tracer, f"__{_name}__", lambda self, ufunc=_ufunc: ufunc(self))


class Draws:
    """A stand-in for a random generator: what it draws is drawn anew at every run."""

    def __init__(self, trace: Trace, value: Value, generator: np.random.Generator) -> None:
        self.trace, self.value, self.generator = trace, value, generator

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name == "shuffle":
            self.trace.refuse("rng.shuffle writes into its array: write rng.permutation, which gives a new one")
        target = Target("draw", name, lambda _, *args, **kwargs: getattr(self.generator, name)(*args, **kwargs))
        return lambda *args, **kwargs: self.trace.call(target, (self.value, *args), kwargs)
