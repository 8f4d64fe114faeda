"""What a trace is: a list of NumPy calls, each of which makes new values out of earlier ones and changes none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

RESERVED = {"np", "os", "step", "asked", "threads", "in_tiles", "Thread", "copy_context"}  # names in the source


@dataclass(eq=False)
class Value:
    """An array that one call makes, or that the program is given. `constant` is set if it is the same at every run."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    name: str = ""  # what to call it, if anyone said
    weight: int = 0  # how much was meant by it: 1 a variable within an op, 2 the op, 3 a variable of the step
    of: Value | None = None  # the value that this is the cotangent of
    constant: np.ndarray[Any, Any] | None = None
    order: str = "C"  # how NumPy lays it out: C, F, or K for neither. It decides in which order a sum is taken

    def like(self) -> Value:
        """Another one of this kind."""
        return Value(self.shape, self.dtype, self.name, self.weight, order=self.order)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=int))

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize


@dataclass(frozen=True)
class Expression:
    """A Python number that is computed anew at every run, from the numbers that the step reads: `lr * 0.5`."""

    source: str
    binds: int = 100  # how tightly its outermost operator does; a name or a call, 100
    weak: bool = True  # whether it is Python's own, which takes on the dtype of an array beside it


@dataclass(frozen=True)
class Origin:
    """Where in the user's step a call comes from: which part of it, and which op."""

    section: str = "forward"  # or backward, or update
    op: Any = None
    rule_for: str = ""  # the input whose rule this is
    parameter: str = ""  # the parameter that is updated
    helper: str = ""  # what the function does that the op's own one calls
    of: Any = field(default=None, compare=False)  # the Node whose cotangent it is a part of


@dataclass(frozen=True)
class Target:
    """What is called. `kind` says how it is written:

    ufunc       np.add(a, b), np.add.reduce(a)
    function    np.where(a, b, c)
    method      a.reshape(shape)
    attribute   a.T
    getitem     a[i]
    draw        rng.normal(size=3)
    conditional a if c else b
    own         the same, in memory of its own
    packed      one ufunc call for several arrays that lie one after the other in memory
    update      one that writes into its first argument: a[i] = b, a.put(i, b), np.add.at(a, i, b)
    """

    kind: str
    name: str
    function: Callable[..., Any]
    writes: str = ""  # of an update: setitem, method or function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


OWN = Target("own", "copy", np.copy)  # the same numbers in memory of their own, by a copy if need be


@dataclass(eq=False)
class Call:
    """One line of the program. Among args and kwargs are Values, Expressions, and plain Python objects."""

    target: Target
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    results: list[Value]
    origin: Origin = field(default_factory=Origin)
    view: int | None = None  # the number of the argument with which the result shares memory

    @property
    def result(self) -> Value:
        return self.results[0]

    def inputs(self) -> Iterator[Value]:
        """The values it reads, as often as it does."""
        return values_in((self.args, self.kwargs))

    def replaced(self, mapping: dict[Value, Value]) -> Call:
        """The same call of other values."""
        if not any(v in mapping for v in self.inputs()):
            return self
        args, kwargs = replace_in((self.args, self.kwargs), mapping)
        return Call(self.target, args, kwargs, self.results, self.origin, self.view)


@dataclass(eq=False)
class Program:
    """Calls in order, what they start from, and what is wanted of them.

    `outputs` holds Values and Expressions: what the step returns, and then what it puts into its state as new objects.
    `writes` says which input, an array that outlives the step, ends up with which value. `numbers` are the Python
    numbers it is given, by name.
    """

    inputs: list[Value]
    numbers: list[str]
    calls: list[Call]
    outputs: tuple[Any, list[Any]]
    writes: dict[Value, Value]

    def wanted(self) -> list[Value]:
        """The values that the world sees when the program has run."""
        return [*values_in(self.outputs), *self.writes.values()]


def values_in(tree: Any) -> Iterator[Value]:
    """The Values in nested tuples, lists, dicts and slices."""
    if isinstance(tree, Value):
        yield tree
    elif isinstance(tree, (tuple, list)):
        for item in tree:
            yield from values_in(item)
    elif isinstance(tree, dict):
        for item in tree.values():
            yield from values_in(item)
    elif isinstance(tree, slice):
        yield from values_in((tree.start, tree.stop, tree.step))


def map_tree(f: Callable[[Any], Any], tree: Any) -> Any:
    """The same nest, with `f` of each leaf."""
    if type(tree) in (tuple, list):
        return type(tree)(map_tree(f, item) for item in tree)
    if isinstance(tree, tuple):  # a named one
        return type(tree)(*(map_tree(f, item) for item in tree))
    if isinstance(tree, dict):
        return {key: map_tree(f, item) for key, item in tree.items()}
    if isinstance(tree, slice):
        return slice(map_tree(f, tree.start), map_tree(f, tree.stop), map_tree(f, tree.step))
    return f(tree)


def replace_in(tree: Any, mapping: dict[Value, Value]) -> Any:
    """The same nest, with some Values exchanged."""
    return map_tree(lambda leaf: mapping.get(leaf, leaf) if isinstance(leaf, Value) else leaf, tree)


def uses(program: Program) -> dict[Value, int]:
    """How often each value is read, by calls and by the world."""
    counts: dict[Value, int] = {}
    for call in program.calls:
        for v in call.inputs():
            counts[v] = counts.get(v, 0) + 1
    for v in program.wanted():
        counts[v] = counts.get(v, 0) + 1
    return counts
