"""Calls, written as people write them."""

from __future__ import annotations

import functools
import itertools

reduce, accumulate = functools.reduce, itertools.accumulate

CALLS = [
    "np.add.reduce(x)",
    "np.add.reduce(z, axis=(0, 2), keepdims=True)",
    "np.add.reduce(x, 1, where=b)",
    "np.fmax.accumulate(x, axis=-1)",
    "np.multiply.reduce(x, axis=-1)",
    "np.multiply.reduce(x, None)",
    "np.maximum.reduce(x)",
    "np.minimum.reduce(z, axis=1, initial=0.3)",
    "np.logaddexp.reduce(x)",
    "np.logaddexp.reduce(z, axis=(0, -1), keepdims=True, initial=0.5)",
    "np.logaddexp2.reduce(v)",
    "np.fmax.reduce(x, axis=None)",
    "np.hypot.reduce(z, axis=(0, 1))",
    "np.hypot.accumulate(x, axis=1)",
    "x * np.less.outer(a, y)",
    "x * np.logical_or.reduce(x > 0.2)",
    "reduce(np.subtract, x)",
    "np.stack(list(accumulate(x, np.divide)))",
    "np.add.accumulate(x)",
    "np.add.accumulate(z, axis=-1)",
    "np.multiply.accumulate(x, axis=1)",
    "np.maximum.accumulate(x, axis=1)",
    "np.minimum.accumulate(v)",
    "np.logaddexp.accumulate(z, axis=1)",
    "np.add.outer(x, v)",
    "np.subtract.outer(a, v)",
    "np.multiply.outer(v, w)",
    "np.divide.outer([1.0, 2.0], v)",
    "np.hypot.outer(v, 2.0)",
    "np.power.outer(q, [1, 2])",
    "np.maximum.outer(v, w)",
]
