"""What NumPy's functions are given: lists and numbers beside Tensors, and what these cannot be asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import text


def array(x: Any) -> Any:
    """Lists and numbers as arrays; arrays and Tensors as they are."""
    return x if hasattr(x, "dtype") else np.asarray(x)


def refuse(function: str, **given: Any) -> None:
    """TypeError for parameters of a NumPy function that a Tensor has no use for, where they are given."""
    for name, value in given.items():
        if value is not None and (value is not False or name == "where"):  # of which False is a mask
            raise text.not_for_tensors(f"np.{function}", name)
