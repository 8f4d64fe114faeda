"""NumPy functions that are not for Tensors, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import text
from ..op import IMPLEMENTS

NEW = "It changes its argument: make a new Tensor with np.where(mask, value, t) or np.concatenate([...])."
FOURIER = (
    "Its result is complex, and a Tensor holds real numbers: take real pairs, x @ np.cos(w) and -(x @ np.sin(w)) with\n"
    "  w = 2 * np.pi / n * np.outer(np.arange(n), np.arange(n))."
)
ROWS = (
    "It calls Python for each row: write the function for whole arrays, with axis=, or join rows with np.stack([...])."
)
COUNTS = "Its result only jumps: take it of t.data, as a constant."
# fmt: off
INSTEAD: dict[str, str] = {
    "linalg.eig": "Its result is complex for most matrices: take np.linalg.eigh, of a symmetric one.",
    "linalg.eigvals": "Its result is complex for most matrices: take np.linalg.eigvalsh, of a symmetric one.",
    **dict.fromkeys(("copyto", "put", "place", "putmask", "fill_diagonal", "put_along_axis"), NEW),
    **{f"fft.{name}": FOURIER for name in (
        "fft", "fft2", "fftn", "hfft", "ifft", "ifft2", "ifftn", "ihfft", "irfft", "irfft2", "irfftn", "rfft", "rfft2",
        "rfftn",
    )},
    **dict.fromkeys(("apply_along_axis", "apply_over_axes"), ROWS),
    "histogram": "It only counts, so it has no slope: take np.histogram(t.data), or a sum of smooth bumps.",
    **dict.fromkeys(("histogram2d", "histogramdd"), COUNTS),
    **dict.fromkeys(("save", "savez", "savez_compressed", "savetxt"), "Save t.data, which is the plain array."),
    **dict.fromkeys(("packbits", "unpackbits", "busday_count", "busday_offset", "is_busday"), COUNTS),
    **dict.fromkeys(("intersect1d", "setdiff1d", "setxor1d", "union1d", "unique_all", "unique_counts"), COUNTS),
    "roots": "Its result is complex: find a root by Newton's method, with np.polyval and gradients().",
    "poly": "Multiply the factors out with np.convolve.",
    "polyfit": "Solve it as np.linalg.lstsq(np.vander(x, degree + 1), y)[0].",
    "angle": "Of real numbers it is 0 or pi: write np.where(t < 0, np.pi, 0).",
    "require": "It makes an array of the Tensor: take t.data, or t.astype(dtype).",
}
# fmt: on


def _refusal(function: Callable[..., Any], instead: str) -> Callable[..., Any]:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise text.refused_function(function, instead)

    return refuse


def function_of(path: str) -> Any:
    """The function of NumPy's of a name like "linalg.eig"; None where this NumPy has none."""
    found: Any = np
    for name in path.split("."):
        found = getattr(found, name, None)
    return found


REFUSED = {function_of(path): instead for path, instead in INSTEAD.items() if function_of(path) is not None}
for _function, _instead in REFUSED.items():
    IMPLEMENTS.setdefault(_function, _refusal(_function, _instead))
