"""NumPy functions whose results are constants, as these never change or only jump: from Tensors to arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..op import IMPLEMENTS, Node


def plain(x: Any) -> Any:
    """The array of a Tensor, and anything else as it is; lists and tuples with those of what is in them."""
    if isinstance(x, list | tuple):
        return (list if isinstance(x, list) else tuple)(map(plain, x))
    return x._array if isinstance(x, Node) else x


class Constant:
    """A function of what Tensors hold."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*map(plain, args), **{k: plain(a) for k, a in kwargs.items()})


# fmt: off
IMPLEMENTS |= {f: Constant(f) for f in (
    np.less, np.less_equal, np.equal, np.not_equal, np.greater, np.greater_equal,
    np.isnan, np.isinf, np.isfinite, np.signbit, np.floor, np.ceil, np.trunc, np.rint, np.round,
    np.argsort, np.isin, np.argmax, np.argmin, np.nonzero, np.argwhere, np.count_nonzero, np.all, np.any,
    np.logical_and, np.logical_or, np.logical_not, np.isclose, np.allclose, np.array_equal, np.searchsorted,
    np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.empty_like, np.result_type,
    np.fix, np.imag, np.spacing, np.logical_xor, np.isreal, np.iscomplex, np.isrealobj, np.iscomplexobj,
    np.isneginf, np.isposinf, np.array_equiv, np.isscalar, np.digitize, np.nanargmax,
    np.nanargmin, np.flatnonzero, np.argpartition,
    np.around, getattr(np, "in1d", np.isin), np.lexsort, np.can_cast, np.common_type, np.min_scalar_type,
    np.diag_indices_from, np.tril_indices_from, np.triu_indices_from, np.ix_, np.einsum_path,
    np.unravel_index, np.ravel_multi_index,
    np.array2string, np.array_repr, np.array_str, np.may_share_memory, np.shares_memory,
)}
# fmt: on
