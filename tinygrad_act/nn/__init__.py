"""Networks: modules, layers and initial weights."""

from typing import Any

from . import init
from .functional_call import functional_call
from .layers import Flatten, Linear, Maxout, Sequential
from .learned import Learned, missing
from .module import Module
from .random import GumbelSoftmax, RReLU


def __getattr__(name: str) -> Any:
    """Nothing, but a hint for who looks here for an activation."""
    raise AttributeError(missing(name))


__all__ = [
    "Flatten",
    "GumbelSoftmax",
    "Learned",
    "Linear",
    "Maxout",
    "Module",
    "RReLU",
    "Sequential",
    "functional_call",
    "init",
]
