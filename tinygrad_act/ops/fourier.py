"""Of numpy.fft, what only moves elements: the transforms themselves are complex, and so refused."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..op import IMPLEMENTS


def _shifted(x: Any, axes: Any, back: bool) -> Any:
    """Along each axis, its second half before its first; the longer half is the first one, or `back` the second."""
    for axis in normalize_axis_tuple(range(x.ndim) if axes is None else axes, x.ndim):
        n = x.shape[axis]
        first, second = np.split(x, [n // 2 if back else n - n // 2], axis=axis)
        x = np.concatenate([second, first], axis=axis)
    return x


def fftshift(x: Any, axes: Any = None) -> Any:
    """The element of frequency 0 moved to the middle."""
    return _shifted(x, axes, back=False)


def ifftshift(x: Any, axes: Any = None) -> Any:
    """What undoes `fftshift`."""
    return _shifted(x, axes, back=True)


IMPLEMENTS |= {np.fft.fftshift: fftshift, np.fft.ifftshift: ifftshift}
