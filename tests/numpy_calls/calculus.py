"""Calls, written as people write them."""

from __future__ import annotations

from typing import Any

import numpy as np

ARRAYS: dict[str, Any] = {"k": np.array([2, 0, 4, 2, 2])}

CALLS = [
    "np.diff(v)",
    "np.diff(x, n=2, axis=0)",
    "np.diff(x, prepend=0.0, append=y)",
    "np.diff(z, 1, 1, x[:2, None])",
    "np.ediff1d(x)",
    "np.ediff1d(v, to_end=w, to_begin=[1.0, 2.0])",
    "np.gradient(v)",
    "np.gradient(v, 0.5, edge_order=2)",
    "np.gradient(x)",
    "np.gradient(x, 2.0, axis=0)",
    "np.gradient(z, 0.3, 0.5, axis=(1, 2))",
    "np.gradient(v, np.array([0.0, 0.3, 0.5, 1.1, 1.2]))",
    "np.gradient(x, np.array([0.0, 0.3, 0.5]), np.array([1.0, 1.1, 1.5, 1.7]), edge_order=2)",
    "np.trapezoid(v)",
    "np.trapezoid(x, dx=0.2, axis=0)",
    "np.trapezoid(x, np.array([0.0, 0.3, 0.5]), axis=0)",
    "np.trapezoid(x, y)",
    "np.trapezoid(v, w)",
    "np.convolve(v, w)",
    'np.convolve(v, [1.0, 2.0], "same")',
    'np.convolve(w[:2], v, mode="valid")',
    'np.convolve(w[:2], v, mode="same")',
    'np.convolve(v, w[:4], mode="same")',
    "np.correlate(v, w[:3])",
    'np.correlate(w[:3], v, "full")',
    'np.correlate(w[:2], v, "same")',
    'np.correlate(w[:4], v, "same")',
    'np.correlate(v, w[:4], "same")',
    'np.correlate(w[:3], v, "valid")',
    "np.cross(m, n[:, 0])",
    "np.cross(x, y, axis=0)",
    "np.cross(x, z[0], axisa=0, axisb=0, axisc=0)",
    "np.vander(v, 3)",
    "np.vander(v[:3], increasing=True)",
    "np.polyval(v, x)",
    "np.polyval([1.0, 2.0, 3.0], a)",
    "np.bincount(k, weights=v)",
    "np.bincount(k, v, minlength=8)",
    "np.interp(x, [-0.9, -0.35, 0.01, 0.44, 1.05], v)",
    "np.interp(x, [-0.8, -0.35, 0.01, 0.44, 0.7], [1.0, 3.0, 2.0, 0.0, 5.0], left=-7.0, right=9.0)",
    "np.interp(0.2, [-0.8, -0.35, 0.01, 0.44, 0.7], v)",
]
