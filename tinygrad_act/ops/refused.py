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
ARRAY = (
    "It makes an array of what it is given, which a Tensor is already: t.data is its array, np.stack([...]) joins some."
)
COUNTS = "Its result only jumps: take it of t.data, as a constant."
WHOLE = "It is of whole numbers: take it of t.data.astype(int), as a constant."
COMPLEX = "Its result is complex: "
# fmt: off
INSTEAD: dict[str, str] = {
    "linalg.eig": "Its result is complex for most matrices: take np.linalg.eigh, of a symmetric one.",
    "linalg.eigvals": "Its result is complex for most matrices: take np.linalg.eigvalsh, of a symmetric one.",
    **dict.fromkeys(("copyto", "put", "place", "putmask", "fill_diagonal", "put_along_axis"), NEW),
    **{f"fft.{name}": FOURIER for name in (
        "fft", "fft2", "fftn", "hfft", "ifft", "ifft2", "ifftn", "ihfft", "irfft", "irfft2", "irfftn", "rfft", "rfft2",
        "rfftn",
    )},
    **{f"emath.{name}": f"Its result may be complex: take np.{name}, where that is real." for name in (
        "sqrt", "log", "log2", "log10", "power", "arccos", "arcsin", "arctanh",
    )},
    "emath.logn": "Its result may be complex: write np.log(t) / np.log(n).",
    **dict.fromkeys(("array", "asarray", "asanyarray", "asarray_chkfinite", "ascontiguousarray", "asfortranarray",
                     "asmatrix", "require"), ARRAY),
    "lib.stride_tricks.as_strided": "Take sliding_window_view, from the same place, or t[index].",
    **dict.fromkeys(("apply_along_axis", "apply_over_axes"), ROWS),
    "histogram": "Its counts only jump: take np.histogram(t.data), or a sum of smooth bumps. Weights that are a\n"
                 "  Tensor are summed by np.bincount(np.digitize(x, edges), weights).",
    "histogram_bin_edges": "Even ones are np.linspace(np.min(t), np.max(t), n + 1); take those of t.data as constants.",
    **dict.fromkeys(("histogram2d", "histogramdd"), COUNTS),
    **dict.fromkeys(("save", "savez", "savez_compressed", "savetxt"), "Save t.data, which is the plain array."),
    **dict.fromkeys(("packbits", "unpackbits"), COUNTS),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor", "invert", "bitwise_count", "left_shift",
                     "right_shift", "gcd", "lcm"), WHOLE),
    **dict.fromkeys(("busday_count", "busday_offset", "is_busday", "datetime_as_string", "isnat"),
                    "It is of dates, which a Tensor does not hold: give it an array of these."),
    "intersect1d": "Write np.unique(t)[np.isin(np.unique(t), other)].",
    "setdiff1d": "Write np.unique(t)[~np.isin(np.unique(t), other)].",
    **dict.fromkeys(("setxor1d", "union1d"), "Write np.unique(np.concatenate([t, other])), and np.isin to choose."),
    **dict.fromkeys(("unique_all", "unique_counts", "unique_inverse", "unique_values"),
                    "Write np.unique(t), with return_index=, return_inverse= or return_counts= as well."),
    "nextafter": "Its slope is 1: write t + np.spacing(t), or take it of t.data, as a constant.",
    "geomspace": "Write np.exp(np.linspace(np.log(start), np.log(stop), n)).",
    "logspace": "Write base ** np.linspace(start, stop, n).",
    "sort_complex": COMPLEX + "take np.sort.",
    "roots": COMPLEX + "find a root by Newton's method, with np.polyval and gradients().",
    "poly": "Multiply the factors out with np.convolve.",
    "polyfit": "Solve it as np.linalg.lstsq(np.vander(x, degree + 1), y)[0].",
    "polymul": "Write np.convolve(p, q).",
    "polyadd": "Write np.pad(p, (n, 0)) + q, with as many zeros before the shorter as it lacks.",
    "polysub": "Write np.pad(p, (n, 0)) - q, with as many zeros before the shorter as it lacks.",
    "polyder": "Write p[:-1] * np.arange(len(p) - 1, 0, -1).",
    "polyint": "Write np.append(p / np.arange(len(p), 0, -1), 0.0).",
    "polydiv": "Solve it as np.linalg.lstsq of a matrix with shifted rows of the divisor.",
    "angle": "Of real numbers it is 0 or pi: write np.where(t < 0, np.pi, 0).",
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
