"""Initial weights: how far from zero they start decides whether a signal lives through many layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from ..op import Array

Initializer: TypeAlias = "Callable[[np.random.Generator, tuple[int, ...]], Array]"
"""From a generator and the shape of the weights, (..., in, out), to their values, in float64."""


def uniform(rng: np.random.Generator, shape: tuple[int, ...], bound: float = 1.0) -> Array:
    """Evenly between -bound and bound.

    >>> uniform(np.random.default_rng(0), (2,), bound=0.1).round(3)
    array([ 0.027, -0.046])
    """
    return rng.uniform(-bound, bound, shape)


def normal(rng: np.random.Generator, shape: tuple[int, ...], std: float = 1.0) -> Array:
    """Gaussian around 0, with this standard deviation."""
    return rng.normal(0.0, std, shape)


def zeros(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """All 0: for biases. Weights that start alike stay alike."""
    return np.zeros(shape)


def he_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Variance 2 / in, which a ReLU halves back to 1 / in (He et al., 2015, arXiv:1502.01852)."""
    return normal(rng, shape, math.sqrt(2 / _fan_in(shape)))


def he_uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """As `he_normal`, evenly distributed."""
    return uniform(rng, shape, math.sqrt(6 / _fan_in(shape)))


def lecun_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Variance 1 / in, which keeps that of the input (LeCun et al., 1998, Efficient BackProp)."""
    return normal(rng, shape, math.sqrt(1 / _fan_in(shape)))


def lecun_uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """As `lecun_normal`, evenly distributed."""
    return uniform(rng, shape, math.sqrt(3 / _fan_in(shape)))


def glorot_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Variance 2 / (in + out), between what forward and backward want (Glorot and Bengio, 2010, AISTATS)."""
    return normal(rng, shape, math.sqrt(2 / (_fan_in(shape) + shape[-1])))


def glorot_uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """As `glorot_normal`, evenly distributed."""
    return uniform(rng, shape, math.sqrt(6 / (_fan_in(shape) + shape[-1])))


def _fan_in(shape: tuple[int, ...]) -> int:
    if len(shape) < 2:
        raise ValueError(f"weights of shape {shape} have no input axis: use uniform, normal or zeros")
    return shape[-2]
