"""Initial weights: how far from zero they start decides whether a signal lives through many layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from ..op import Array
from .auto import auto as auto
from .gain import gain as gain

Initializer: TypeAlias = "Callable[[np.random.Generator, tuple[int, ...]], Array]"
"""From a generator and the shape of the weights, (..., in, out), to their values, in float64."""


def uniform(rng: np.random.Generator, shape: tuple[int, ...], bound: float = 1.0) -> Array:
    """Evenly between -bound and bound.

    >>> uniform(np.random.default_rng(0), (2,), bound=0.1).round(3)
    array([ 0.027, -0.046])
    """
    return rng.uniform(-bound, bound, shape)


def normal(rng: np.random.Generator, shape: tuple[int, ...], std: float = 1.0) -> Array:
    """Gaussian around 0, with this standard deviation.

    >>> normal(np.random.default_rng(0), (2,), std=0.1).round(3)
    array([ 0.013, -0.013])
    """
    return rng.normal(0.0, std, shape)


def zeros(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """All 0: for biases. Weights that start alike stay alike.

    >>> zeros(np.random.default_rng(0), (2,))
    array([0., 0.])
    """
    return np.zeros(shape)


def he_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Variance 2 / in, which a ReLU halves back to 1 / in (He et al., 2015, arXiv:1502.01852).

    >>> he_normal(np.random.default_rng(0), (200, 300)).var().round(4)  # 2 / 200
    np.float64(0.01)
    """
    return normal(rng, shape, math.sqrt(2 / _fan_in(shape)))


def he_uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """As `he_normal`, evenly distributed.

    >>> he_uniform(np.random.default_rng(0), (200, 300)).var().round(4)
    np.float64(0.01)
    """
    return uniform(rng, shape, math.sqrt(6 / _fan_in(shape)))


def lecun_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Variance 1 / in, which keeps that of the input (LeCun et al., 1998, Efficient BackProp).

    >>> lecun_normal(np.random.default_rng(0), (200, 300)).var().round(4)  # 1 / 200
    np.float64(0.005)
    """
    return normal(rng, shape, math.sqrt(1 / _fan_in(shape)))


def lecun_uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """As `lecun_normal`, evenly distributed.

    >>> lecun_uniform(np.random.default_rng(0), (200, 300)).var().round(4)
    np.float64(0.005)
    """
    return uniform(rng, shape, math.sqrt(3 / _fan_in(shape)))


def glorot_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Variance 2 / (in + out): 1 / in would keep that of the values, 1 / out that of the gradients
    (Glorot and Bengio, 2010, AISTATS).

    >>> glorot_normal(np.random.default_rng(0), (200, 300)).var().round(4)  # 2 / 500
    np.float64(0.004)
    """
    return normal(rng, shape, math.sqrt(2 / (_fan_in(shape) + shape[-1])))


def glorot_uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """As `glorot_normal`, evenly distributed.

    >>> glorot_uniform(np.random.default_rng(0), (200, 300)).var().round(4)
    np.float64(0.004)
    """
    return uniform(rng, shape, math.sqrt(6 / (_fan_in(shape) + shape[-1])))


def _fan_in(shape: tuple[int, ...]) -> int:
    if len(shape) < 2:
        raise ValueError(f"weights of shape {shape} have no input axis: use uniform, normal or zeros")
    return shape[-2]
