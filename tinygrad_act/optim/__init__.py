"""Optimisers: how a gradient becomes a step. Plain NumPy, in place, as PyTorch's step for step."""

from .adam import Adam, AdamW
from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer"]
