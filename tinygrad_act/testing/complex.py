"""Complex numbers for functions written for real ones: where they do not serve, that is an error and no warning."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import Array


class Complex(np.ndarray[Any, Any]):
    """A complex array that will not be cast to a real one."""

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        if self.dtype.kind == "c" and np.dtype(dtype).kind != "c":
            raise TypeError("a cast to real numbers loses the complex step")
        return super().astype(dtype, *args, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        result = super().__array_function__(function, types, args, kwargs)
        return as_complex(result) if type(result) is np.ndarray and result.dtype.kind == "c" else result


def as_complex(x: Array) -> Array:
    """An array that minds its imaginary part; real ones as they are."""
    return x.view(Complex) if isinstance(x, np.ndarray) and x.dtype.kind == "c" else x


def in_complex() -> np.errstate:
    """Raise FloatingPointError for what would be a warning."""
    return np.errstate(divide="raise", over="raise", invalid="raise")
