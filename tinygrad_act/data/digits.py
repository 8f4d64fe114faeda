"""The handwritten digits that come with the package."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Split(NamedTuple):
    """Inputs and labels to train on, and others to test on."""

    x_train: NDArray[np.float64]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.float64]
    y_test: NDArray[np.int64]


def digits(flat: bool = True) -> Split:
    """1,797 real handwritten digits, two thirds to train on and one third held out; the split is always the same.

    Images have 64 pixels between 0 and 1, as one row or, if not `flat`, as 8 by 8. Labels are 0 to 9. They are from
    Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, 1998, doi:10.24432/C50P49), CC BY 4.0, as packaged
    by scikit-learn.

    >>> split = digits()
    >>> split.x_train.shape, split.x_test.shape, split.y_train[:5]
    ((1198, 64), (599, 64), array([6, 6, 6, 2, 5]))
    """
    with np.load(Path(__file__).with_name("digits.npz")) as stored:
        images, labels = stored["images"] / 16, stored["labels"].astype(np.int64)
    order = np.random.default_rng(0).permutation(len(images))
    train, test = order[: len(order) * 2 // 3], order[len(order) * 2 // 3 :]
    x = images.reshape((len(images), -1)) if flat else images
    return Split(x[train], labels[train], x[test], labels[test])
