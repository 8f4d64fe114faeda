"""Derivatives of functions, as functions: reverse mode, forward mode, and those of second order."""

from .forward import hessian, hvp, jacobian, jvp
from .recompute import checkpoint
from .reverse import elementwise_grad, grad, gradients, value_and_grad, vjp

__all__ = [
    "checkpoint",
    "elementwise_grad",
    "grad",
    "gradients",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "value_and_grad",
    "vjp",
]
