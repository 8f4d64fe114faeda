"""What an op is: a value, and a rule for its derivative.

An op is one block of plain NumPy. Everything else reads it: the engine, the pictures, the docs, the tests.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import re
from collections.abc import Callable
from typing import Any, ClassVar, Self, TypeAlias, TypeVar

import numpy as np

from . import text
from .facts import Facts
from .facts import Kink as Kink

# `forward` sees arrays. A rule is called with arrays by `y.backward()` and with Tensors by `gradients(y, xs)`,
# so it is written in operators, NumPy functions and other ops, which serve both.
Array: TypeAlias = Any
SomeOp = TypeVar("SomeOp", bound="Op")


class Table(dict[Callable[..., Any], Any]):
    """From a NumPy function to ours: what makes `np.tanh(t)`, `t.sum()` and `a @ t` work on a Tensor."""

    find: Any = None  # a function of what is not entered beforehand, which is asked for an op

    def __missing__(self, function: Callable[..., Any]) -> Any:
        if (op := self.find and self.find(function)) is None:
            raise text.no_rule_for_function(function, self)
        return op


IMPLEMENTS = Table()
OPS: dict[str, Op] = {}  # every op by name, at its default parameters: what the tests and the docs iterate over


def register(op: SomeOp, *functions: Callable[..., Any]) -> SomeOp:
    """Enter an op in the registry, and make it what the given NumPy functions do on a Tensor."""
    if error := text.cannot_register(op, OPS.get(op.name)):
        raise error
    OPS[op.name] = op
    IMPLEMENTS.update(dict.fromkeys(functions, op))
    return op


class Node:
    """A value in a computation graph, with the op and the inputs it came from. `Tensor` is the one kind there is."""

    __slots__ = ("__weakref__", "_array", "grad", "hooks", "inputs", "name", "op", "requires_grad", "stamp")
    _array: np.ndarray[Any, Any]
    grad: np.ndarray[Any, Any] | None
    op: Op | None  # None for a leaf
    hooks: dict[Any, Callable[[Any], Any]]  # not there until one is registered
    inputs: tuple[Any, ...]  # nodes, and the plain arrays and numbers that are constants
    name: str | None
    requires_grad: bool
    stamp: int  # when `_array` last changed, by the one logical clock
    _record: ClassVar[Any]  # (op, inputs) -> Node: run the op, and remember both


class Op(Facts):
    """A function of arrays that knows its derivative. Subclass it, give it `forward` and a `vjp_<input>` per input.

    The fields of the (frozen) class are the op's parameters. Calling the op with more than its inputs sets them
    for that call: `softmax(z, axis=0)` means `Softmax(axis=0)(z)`.
    """

    arguments: ClassVar[tuple[str, ...]]  # the names of forward's inputs
    rules: ClassVar[tuple[Callable[..., Array] | None, ...]]  # vjp_<input>; None for one like the condition of `where`
    variadic: ClassVar[bool]  # forward(self, *arrays) takes any number of inputs, and one `vjp` serves them all

    def __init_subclass__(cls) -> None:
        if "name" not in cls.__dict__:
            cls.name = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "_", cls.__name__).lower()
        _, *parameters = inspect.signature(cls.forward).parameters.values()
        cls.arguments = tuple(p.name for p in parameters)
        cls.rules = tuple(getattr(cls, f"vjp_{a}", None) for a in cls.arguments)
        cls.variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        super().__init_subclass__()

    def forward(self, *inputs: Any) -> Array:
        """The value, for arrays, in their own dtype."""
        raise NotImplementedError(f"{type(self).__name__} needs a forward(self, ...)")

    def vjp(self, i: int, g: Array, y: Array, *inputs: Any) -> Array:
        """The cotangent of input number `i`, given the cotangent `g` of the output `y`."""
        rule = self.rules[i]
        if rule is None:
            raise text.no_rule_for_input(self, self.arguments[i])
        return rule(self, g, y, *inputs)

    def __call__(self, *args: Any, **fields: Any) -> Any:
        if fields or (len(args) != len(self.arguments) and not self.variadic):
            self, args = self._bind(args, fields)
        if isinstance(self, OfFloats) and not isinstance(args[0], Node):
            args = (as_floats(args[0], self), *args[1:])
        for x in args:
            if isinstance(x, Node):
                return x._record(self, args)
        return self.forward(*(np.asarray(x) if isinstance(x, list | tuple) else x for x in args))

    def _bind(self, args: tuple[Any, ...], fields: dict[str, Any]) -> tuple[Self, tuple[Any, ...]]:
        """Split what a call was given into the op with those parameters, and its inputs."""
        try:
            given = self.__signature__.bind(*args, **fields).arguments
        except TypeError as error:
            raise text.wrong_call(self, fields, error) from None
        inputs = [given.pop(a) for a in self.arguments]
        op: Any = self  # a dataclass, if it has parameters
        return dataclasses.replace(op, **given) if given else op, tuple(inputs[0] if self.variadic else inputs)

    @functools.cached_property
    def __signature__(self) -> inspect.Signature:
        inputs = inspect.signature(self.forward).parameters.values()
        fields: Any = dataclasses.fields(self) if dataclasses.is_dataclass(self) else ()
        kind = inspect.Parameter.KEYWORD_ONLY if self.variadic else inspect.Parameter.POSITIONAL_OR_KEYWORD
        return inspect.Signature(
            [*inputs, *(inspect.Parameter(f.name, kind, default=getattr(self, f.name)) for f in fields if f.repr)]
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def as_floats(x: Array, op: Op) -> Array:
    """Numbers, lists and integers as double; an array of floats is itself. TypeError for all else."""
    x = x if hasattr(x, "dtype") else np.asarray(x)
    if x.dtype.kind not in "fbiu":
        raise text.no_real_numbers(op, x.dtype)
    return x if x.dtype.kind == "f" else x.astype(np.float64)


class OfFloats(Op):
    """An op that takes its first input as floats, as activations do: integers count as double."""


class Elementwise(OfFloats):
    """An op of one array that acts on each element by itself: its author owes f and f', nothing else."""

    domain: tuple[float, float] = (-math.inf, math.inf)  # an open interval where f and f' are finite, in float32 too

    def derivative(self, y: Array, x: Array) -> Array:
        """f'(x), given y = f(x) too; booleans count as 0 and 1."""
        raise NotImplementedError(f"{type(self).__name__} needs a derivative(self, y, x)")

    def vjp(self, i: int, g: Array, y: Array, *inputs: Any) -> Array:
        return g * self.derivative(y, *inputs)
