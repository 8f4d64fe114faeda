"""Batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np


def batches(*arrays: np.ndarray[Any, Any], size: int, rng: np.random.Generator | None = None) -> Iterator[Any]:
    """Go once through arrays of one length, `size` rows of each at a time, in a random order if there is an `rng`.

    The last batch has what is left. Raises ValueError for arrays of different lengths, or a size below 1.

    >>> for x, y in batches(np.arange(3.0), np.array([4, 5, 6]), size=2):
    ...     print(x, y)
    [0. 1.] [4 5]
    [2.] [6]
    """
    lengths = [len(a) for a in arrays]
    if len(set(lengths)) != 1:
        raise ValueError(f"batches takes arrays of one length, not of {lengths}")
    if size < 1:
        raise ValueError(f"a batch has at least 1 row, not {size}")
    order = np.arange(lengths[0]) if rng is None else rng.permutation(lengths[0])
    return (tuple(a[order[i : i + size]] for a in arrays) for i in range(0, lengths[0], size))
