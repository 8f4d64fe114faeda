"""What can be called on a stand-in, and what is special about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .program import Target

# What tells of shapes and dtypes only, which are the same at every run.
STATIC = {np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj, np.broadcast_shapes}
STATIC_ATTRIBUTES = {"shape", "dtype", "ndim", "size", "itemsize", "nbytes"}
SIZED_BY_VALUES = {"nonzero", "flatnonzero", "argwhere", "unique", "compress", "extract", "trim_zeros", "repeat"}
ARRAY_ATTRIBUTES = {"T", "mT", "real", "imag"}
WRITING_METHODS = {"put", "fill", "sort", "partition"}
WRITING_FUNCTIONS = {np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis}
# fmt: off
METHODS = {
    "all", "any", "argmax", "argmin", "argsort", "astype", "clip", "copy", "cumprod", "cumsum", "diagonal", "dot",
    "flatten", "max", "mean", "min", "prod", "ravel", "repeat", "reshape", "round", "searchsorted",
    "squeeze", "std", "sum", "swapaxes", "take", "trace", "transpose", "var",
}
# fmt: on
TAKES_NUMBERS = {"np.where", "np.clip", "np.full_like", "clip", "put", "fill", "np.copyto", "setitem", "getitem"}


def ufunc_target(ufunc: np.ufunc, method: str) -> Target:
    """A ufunc, or a method of one, like np.add.reduce."""
    plain_call = method == "__call__"
    name = f"np.{ufunc.__name__}" if plain_call else f"np.{ufunc.__name__}.{method}"
    return Target("ufunc", name, ufunc if plain_call else getattr(ufunc, method))


def function_target(function: Callable[..., Any]) -> Target:
    """A function of NumPy's that is no ufunc."""
    module = (getattr(function, "__module__", None) or "numpy").replace("numpy", "np", 1)
    return Target("function", f"{module}.{function.__name__}", function)


def method_target(name: str) -> Target:
    """A method of arrays."""
    return Target("method", name, lambda a, *args, **kwargs: getattr(a, name)(*args, **kwargs))


def _set(a: Any, index: Any, x: Any) -> None:
    a[index] = x


GETITEM = Target("getitem", "getitem", lambda a, index: a[index])
SETITEM = Target("update", "setitem", _set, "setitem")
COMPARISONS = {"lt": np.less, "le": np.less_equal, "eq": np.equal, "ne": np.not_equal, "gt": np.greater}
BINARY = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "matmul": np.matmul}
BINARY |= {"floordiv": np.floor_divide, "mod": np.remainder, "pow": np.power}
BINARY |= {"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor}
