"""The arrays that the calls name. Floats are differentiated, so they are far from kinks, ties and each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from samples import other, positive, smooth

rng = np.random.default_rng(11)

ARRAYS: dict[str, Any] = {
    "x": smooth(3, 4),
    "y": other(3, 4),
    "z": smooth(2, 3, 4),
    "v": smooth(5),
    "w": other(5),
    "a": smooth(),  # of no axes
    "p": positive(3, 4),
    "q": positive(5),
    "u": rng.permutation(np.linspace(-0.9, 0.9, 12)).reshape(3, 4),  # within (-1, 1)
    "m": smooth(3, 3) + 4 * np.eye(3),  # a matrix that can be inverted
    "n": smooth(3, 2),
    "i": np.array([2, 0, 1, 1]),  # whole numbers and truths are constants
    "b": np.array([[True, False, True, False], [False, True, True, True], [False, False, True, False]]),
}
