"""Toy sets in the plane, whose boundaries can be drawn, and a curve.

Each gives inputs of shape (n, 2) and labels of shape (n,), reproducibly if `rng` is given; the classes take turns.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Labelled = tuple[NDArray[np.float64], NDArray[np.int64]]


def moons(n: int = 100, noise: float = 0.1, rng: np.random.Generator | None = None) -> Labelled:
    """Two half circles, each with its end in the other's hollow.

    >>> x, y = moons(4, noise=0.0, rng=np.random.default_rng(0))
    >>> x.shape, y
    ((4, 2), array([0, 1, 0, 1]))
    """
    rng, y, along = _start(n, 2, rng)
    upper = np.stack([np.cos(np.pi * along), np.sin(np.pi * along)], axis=1)
    return _noisy(np.where(y[:, None] == 0, upper, [1.0, 0.5] - upper), noise, rng), y


def circles(n: int = 100, noise: float = 0.1, rng: np.random.Generator | None = None) -> Labelled:
    """A circle of radius 1, and one of radius 1/2 within it.

    >>> x, y = circles(4, noise=0.0, rng=np.random.default_rng(0))
    >>> np.hypot(x[:, 0], x[:, 1]).round(6)
    array([1. , 0.5, 1. , 0.5])
    """
    rng, y, along = _start(n, 2, rng)
    x = np.stack([np.cos(2 * np.pi * along), np.sin(2 * np.pi * along)], axis=1)
    return _noisy(x * np.where(y == 0, 1.0, 0.5)[:, None], noise, rng), y


def spirals(
    n: int = 100, noise: float = 0.05, rng: np.random.Generator | None = None, arms: int = 2, turns: float = 1.0
) -> Labelled:
    """Spiral arms around the origin, a class each.

    >>> x, y = spirals(6, arms=3, rng=np.random.default_rng(0))
    >>> y
    array([0, 1, 2, 0, 1, 2])
    """
    rng, y, along = _start(n, arms, rng)
    angle = 2 * np.pi * (turns * along + y / arms)
    return _noisy(along[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1), noise, rng), y


def xor(n: int = 4, noise: float = 0.0, rng: np.random.Generator | None = None) -> Labelled:
    """The corners of a square in turn, of class 1 where exactly one coordinate is 1.

    >>> xor()
    (array([[0., 0.], [0., 1.], [1., 0.], [1., 1.]]), array([0, 1, 1, 0]))
    """
    rng = np.random.default_rng() if rng is None else rng
    corner = np.arange(n) % 4
    x = np.stack([corner // 2, corner % 2], axis=1)
    return _noisy(x.astype(np.float64), noise, rng), x[:, 0] ^ x[:, 1]


def blobs(n: int = 100, noise: float = 0.3, rng: np.random.Generator | None = None, classes: int = 3) -> Labelled:
    """Gaussian clouds around points evenly spread on the unit circle.

    >>> x, y = blobs(3, noise=0.0, rng=np.random.default_rng(0))
    >>> x.round(3) + 0.0
    array([[ 1.   ,  0.   ], [-0.5  ,  0.866], [-0.5  , -0.866]])
    """
    rng, y, _ = _start(n, classes, rng)
    angle = 2 * np.pi * y / classes
    return _noisy(np.stack([np.cos(angle), np.sin(angle)], axis=1), noise, rng), y


def curve(
    n: int = 100, noise: float = 0.1, rng: np.random.Generator | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A curve to regress on: y = sin(3x) + x/2 for x between -2 and 2, both of shape (n, 1).

    >>> x, y = curve(3, noise=0.0)
    >>> x[:, 0], y[:, 0].round(3)
    (array([-2.,  0.,  2.]), array([-0.721,  0.   ,  0.721]))
    """
    rng = np.random.default_rng() if rng is None else rng
    x = np.linspace(-2.0, 2.0, n)[:, None]
    return x, _noisy(np.sin(3 * x) + x / 2, noise, rng)


def _start(
    n: int, classes: int, rng: np.random.Generator | None
) -> tuple[np.random.Generator, NDArray[np.int64], NDArray[np.float64]]:
    """A generator, labels in turn, and for each sample where along its shape it lies, between 0 and 1."""
    rng = np.random.default_rng() if rng is None else rng
    return rng, np.arange(n) % classes, rng.uniform(0.0, 1.0, n)


def _noisy(x: NDArray[np.float64], noise: float, rng: np.random.Generator) -> NDArray[np.float64]:
    return x + noise * rng.standard_normal(x.shape)
