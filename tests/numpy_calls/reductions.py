"""Calls, written as people write them."""

from __future__ import annotations

from typing import Any

import numpy as np

from numpy_calls.arrays import ARRAYS as SHARED

holes = np.where(SHARED["b"], SHARED["x"], np.nan)
ARRAYS: dict[str, Any] = {"h": holes, "holes": np.isnan(holes), "ones": np.ones((3, 1))}

CALLS = [
    "np.sum(x, axis=0)",
    "np.std(z, axis=(0, 2), ddof=1)",
    "np.sum(x, 1, None, None, True)",
    "np.sum(x, axis=-1, where=b, initial=2.0)",
    "np.sum(x, dtype=np.float64)",
    "np.prod(x, axis=1, where=b)",
    "np.prod(x, axis=(0, 1), keepdims=True, initial=3.0)",
    "np.max(z, axis=(0, -1), initial=0.3)",
    "np.max(x, axis=1, where=b, initial=-9.0)",
    "np.amin(x, where=b, initial=9.0, keepdims=True)",
    "np.mean(x, axis=0, where=b)",
    "np.mean(z, (0, 2), None, None, True)",
    "np.var(x, axis=1, where=b, correction=0.5)",
    "np.var(x, correction=1)",
    "np.var(x, axis=1, mean=np.mean(x, axis=1, keepdims=True))",
    "np.std(x, axis=1, where=b, keepdims=True)",
    "np.std(v)",
    "np.cumsum(z, axis=1, dtype=np.float64)",
    "np.cumprod(x, axis=1)",
    "np.cumprod(x)",
    "np.cumulative_sum(x, axis=-1, include_initial=True)",
    "np.cumulative_prod(v)",
    "np.ptp(x)",
    "np.ptp(z, axis=(0, 1), keepdims=True)",
    "np.nansum(h, axis=0)",
    "np.nansum(x)",
    "np.nanprod(h, axis=1, keepdims=True)",
    "np.nanmean(h, axis=1)",
    "np.nanmean(h, 0, where=b)",
    "np.nanvar(h, axis=1, ddof=0)",
    "np.nanstd(h)",
    "np.nanmax(h, axis=0)",
    "np.nanmin(h)",
    "np.nancumsum(h, axis=1)",
    "np.nancumprod(h)",
    "np.median(x)",
    "np.median(z, axis=1)",
    "np.median(z, axis=(0, 2), keepdims=True)",
    "np.nanmedian(h, axis=1)",
    "np.quantile(x, 0.3)",
    "np.quantile(x, [0.0, 0.25, 1.0], axis=1)",
    "np.quantile(z, [0.1, 0.7], axis=(0, -1), keepdims=True)",
    "np.percentile(v, 40)",
    'np.percentile(x, [20, 65], axis=0, method="midpoint")',
    'np.quantile(v, 0.3, method="lower")',
    'np.quantile(v, 0.3, method="nearest")',
    'np.quantile(v, 0.37, method="hazen")',
    'np.quantile(v, [0.37, 0.6], method="median_unbiased")',
    'np.quantile(v, 0.37, method="averaged_inverted_cdf")',
    "np.nanquantile(h, 0.3, axis=0)",
    "np.nanquantile(h, [0.3, 0.9], axis=1, keepdims=True)",
    "np.nanpercentile(h, 75)",
    "np.average(x, axis=1)",
    "np.average(x, weights=p)",
    "np.average(z, axis=1, weights=np.array([0.2, 0.3, 0.1]))",
    "np.average(v, weights=q, returned=True)",
    "np.average(z, axis=(2, 0), weights=np.arange(8.0).reshape(4, 2) + 1, keepdims=True)",
    "np.cov(x)",
    "np.cov(x, y, rowvar=False)",
    "np.cov(v, bias=True)",
    "np.cov(x, ddof=0, aweights=np.array([0.2, 0.3, 0.1, 0.4]))",
    "np.cov(x, fweights=np.array([2, 3, 1, 4]))",
    "np.corrcoef(x)",
    "np.corrcoef(v, w)",
]
