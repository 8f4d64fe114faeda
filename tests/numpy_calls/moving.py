"""Calls, written as people write them."""

from __future__ import annotations

import numpy as np

from numpy_calls.arrays import smooth

k = np.array([[3, 0], [1, 1], [2, 3]])  # positions in rows of x
mask = np.array([True, False, True])

ARRAYS = {"empty": np.zeros((0, 3)), "one": smooth(1, 4)}

CALLS = [
    # picking
    "x[1]",
    "x[-1, 2]",
    "x[..., None, ::-2]",
    "x[np.int64(1), [0, 0, -1]]",
    "x[[2, 0, 2]]",
    "x[:, i]",
    "z[1, :, i]",
    "z[:, mask, 1:]",
    "x[b]",
    "z[:, b]",
    "z[[0, 1], mask, :2]",
    "x[np.ix_([2, 0, 0], [1, 3])]",
    "x[[]]",
    "x[True]",
    "empty[:, 1:]",
    "empty[:, [1, 1]]",
    "np.take(x, [[0, 5], [11, 5]])",
    "np.take(x, i, axis=-1)",
    "np.take(x, [-9, 1, 7], axis=1, mode='clip')",
    "np.take(x, [-9, 1, 7], axis=1, mode='wrap')",
    "np.take(x, 2, 0)",
    "x.take([1, 1], axis=0)",
    "np.take_along_axis(x, k, axis=1)",
    "np.take_along_axis(x, i[None], axis=0)",
    "np.take_along_axis(x, i, axis=None)",
    "np.repeat(x, 2)",
    "np.repeat(x, 3, axis=0)",
    "np.repeat(x, [2], axis=-1)",
    "np.repeat(x, [0, 2, 1], axis=0)",
    "np.repeat(x, 0, axis=1)",
    "np.repeat(a, 3)",
    "np.repeat(empty, 2, axis=1)",
    "np.stack([x, y], axis=1)",
    "np.split(v, [2, 3])",
]
