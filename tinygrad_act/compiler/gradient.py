"""What stands where a gradient from before the step is, which most steps never look at."""

from __future__ import annotations

from typing import Any

import numpy as np


class UnreadGradient:
    """Stands where a gradient is from before the step, which a step that starts with zero_grad() never looks at."""

    vars()["__class__"] = property(lambda self: np.ndarray)  # what isinstance asks for

    def __init__(self, like: Any) -> None:
        self.like = like

    def __getattr__(self, name: str) -> Any:
        raise GradientReadError


def _gradient_is_read(*args: Any, **kwargs: Any) -> Any:
    raise GradientReadError


_BINARY = "add sub mul truediv floordiv mod pow matmul"
_OTHERS = "neg pos abs lt le eq ne gt ge getitem setitem len iter bool float array array_ufunc array_function"
for _operator in [prefix + name for name in _BINARY.split() for prefix in ("", "r", "i")] + _OTHERS.split():
    setattr(UnreadGradient, f"__{_operator}__", _gradient_is_read)


class GradientReadError(BaseException):
    """The step reads a gradient from before it, so the trace has to know it. No `except Exception` may swallow it."""
