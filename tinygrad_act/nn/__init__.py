"""Networks: modules, layers and initial weights."""

from . import init
from .layers import Flatten, Linear, Maxout, Sequential
from .module import Module

__all__ = ["Flatten", "Linear", "Maxout", "Module", "Sequential", "init"]
