"""NumPy functions whose results are constants, as these never change or only jump: from Tensors to arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..op import IMPLEMENTS, Node


def _on_data(function: Callable[..., Any]) -> Callable[..., Any]:
    def on_data(*args: Any, **kwargs: Any) -> Any:
        plain = (a._data if isinstance(a, Node) else a for a in args)
        return function(*plain, **{k: a._data if isinstance(a, Node) else a for k, a in kwargs.items()})

    return on_data


# fmt: off
IMPLEMENTS |= {f: _on_data(f) for f in (
    np.less, np.less_equal, np.equal, np.not_equal, np.greater, np.greater_equal,
    np.isnan, np.isinf, np.isfinite, np.signbit, np.floor, np.ceil, np.trunc, np.rint, np.round,
    np.argmax, np.argmin, np.argsort, np.nonzero, np.argwhere, np.count_nonzero, np.all, np.any,
    np.logical_and, np.logical_or, np.logical_not, np.isclose, np.allclose, np.array_equal, np.searchsorted,
    np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.empty_like, np.full_like, np.result_type,
    np.array2string, np.array_repr, np.array_str, np.may_share_memory, np.shares_memory,
)}
# fmt: on
