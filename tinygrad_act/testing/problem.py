"""What is checked: a function of a list of arrays, made of any function of Tensors, containers and parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from ..nn import Module
from ..op import Array, Node
from ..tensor import Tensor, no_grad
from ..transforms.linear import Pullback
from ..trees import flatten, unflatten
from .surrogates import by_surrogates

Arrays: TypeAlias = list[Array]


@dataclass
class Problem:
    """A function of `arrays`, which are the floats among its arguments, and the parameters of a module."""

    f: Callable[..., Any]
    args: tuple[Any, ...]
    names: list[str]
    arrays: Arrays  # in double
    dtypes: list[Any]
    parameters: list[Tensor]
    weights: Arrays = field(default_factory=list)  # what the outputs are contracted with, to one number
    is_weighted: bool = True
    straight: bool = False  # whether an op in it has a surrogate
    offsets: Arrays = field(default_factory=list)

    def given(self, arrays: Arrays) -> Arrays:
        """These arrays in the dtypes that the caller's have."""
        return [a.astype(dtype) for a, dtype in zip(arrays, self.dtypes, strict=True)]

    def run(self, arrays: Arrays, record: bool = True) -> tuple[list[Tensor], list[Tensor]]:
        """The outputs that are floats, and the Tensors that they are a function of."""
        names = iter(self.names)
        many = len(arrays) - len(self.parameters)
        variables = [Tensor(a, requires_grad=record, name=next(names)) for a in arrays[:many]]
        for parameter, a in zip(self.parameters, arrays[many:], strict=True):
            parameter._array = a
        tensors, leaves = iter(variables), [x for _, x in flatten(self.args)]
        constants = (x.copy() if isinstance(x, np.ndarray) else x for x in leaves if not is_variable(x))
        args = unflatten(self.args, (next(tensors if is_variable(x) else constants) for x in leaves))
        with nullcontext() if record else no_grad(), by_surrogates(self.offsets) if self.straight else nullcontext():
            found = self.f(*args)
        outputs = [y for _, y in flatten(found) if isinstance(y, Tensor) and y.dtype.kind in "fc"]
        return outputs, [*variables, *self.parameters]

    def value(self, arrays: Arrays, record: bool = True) -> Any:
        outputs, _ = self.run(arrays, record)
        return sum(np.sum(w * y._array) for w, y in zip(self.weights, outputs, strict=True))

    def pulled(self, outputs: list[Tensor], variables: list[Tensor], record: bool = True) -> list[Tensor]:
        """The gradients of the contracted outputs, by the rules on Tensors, or on arrays as in backward()."""
        seeds = [w.astype(y.dtype) for w, y in zip(self.weights, outputs, strict=True)]
        found = Pullback(outputs, variables)(seeds, record)
        return [g if isinstance(g, Tensor) else Tensor(g, requires_grad=False) for g in found]

    def slopes(self, arrays: Arrays, record: bool = True) -> tuple[list[Tensor], list[Tensor]]:
        """These gradients at some arrays, and what they are with respect to."""
        outputs, variables = self.run(arrays)
        return self.pulled(outputs, variables, record), variables

    @contextmanager
    def borrowed(self) -> Iterator[None]:
        """Give the parameters back as they were."""
        before = [p._array for p in self.parameters]
        try:
            yield
        finally:
            for parameter, data in zip(self.parameters, before, strict=True):
                parameter._array = data


def problem_of(f: Callable[..., Any], args: tuple[Any, ...]) -> Problem:
    """Sort the arguments into those to differentiate with respect to, and constants. TypeError if there are none."""
    found = [(path, x) for i, arg in enumerate(args) for path, x in flatten(arg, argument_name(f, i)) if is_variable(x)]
    parameters = list(f.parameters()) if isinstance(f, Module) else []
    found += [(p.name or "parameter", p) for p in parameters]
    if not found:
        raise TypeError(
            "check_grads has nothing to differentiate with respect to: none of the arguments is of floats.\n"
            f"  Given: {', '.join(kind_of(a) for a in args) or 'no arguments'}.  Write 3.0 for 3, and x.astype(float)."
        )
    arrays = [np.asarray(x._array if isinstance(x, Node) else x) for _, x in found]
    doubles = [a.astype(np.float64) for a in arrays]
    return Problem(f, args, [path for path, _ in found], doubles, [a.dtype for a in arrays], parameters)


def is_variable(x: Any) -> bool:
    """Whether to differentiate with respect to it: floats, but not a Tensor that is a constant."""
    if isinstance(x, Node):
        return x.requires_grad and x._array.dtype.kind == "f"
    return isinstance(x, float) or (isinstance(x, np.ndarray | np.generic) and x.dtype.kind == "f")


def kind_of(x: Any) -> str:
    """What an argument is, in short."""
    return f"{x.dtype} of shape {x.shape}" if hasattr(x, "dtype") else type(x).__name__


def argument_name(f: Callable[..., Any], i: int) -> str:
    """What f calls its argument number i."""
    try:
        parameters = list(inspect.signature(f.forward if isinstance(f, Module) else f).parameters.values())
    except (TypeError, ValueError):
        return f"args[{i}]"
    several = [p.name for p in parameters if p.kind is p.VAR_POSITIONAL]
    first = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return first[i] if i < len(first) else f"{several[0] if several else 'args'}[{i - len(first)}]"
