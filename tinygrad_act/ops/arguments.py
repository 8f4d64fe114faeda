"""What NumPy's functions can be asked for, and Tensors cannot."""

from __future__ import annotations

from typing import Any

INSTEAD = {
    "out": "an array cannot carry the gradient. Write y = ... for a new Tensor",
    "dtype": "write np.astype(t, dtype) before or after",
    "casting": "write np.astype(t, dtype) before or after",
    "order": "a Tensor has no order of memory to choose",
    "subok": "there are no subclasses of Tensor to keep",
    "copy": "leave it out, and write np.copy(t) for memory of its own",
    "like": "the result is a Tensor as it is",
    "overwrite_input": "a Tensor is never written to",
    "weights": "there is no rule for them. np.average has weights",
    "where": "there is no rule for it. Choose with np.where(mask, t, what changes nothing)",
}


def refuse(function: str, **given: Any) -> None:
    """TypeError for parameters of a NumPy function that a Tensor has no use for, where they are given."""
    for name, value in given.items():
        if value is not None and value is not False:
            raise TypeError(f"np.{function}({name}=...) cannot be used on Tensors: {INSTEAD[name]}")
