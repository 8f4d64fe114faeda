"""Derivatives of functions, as functions: reverse mode, forward mode, and those of second order."""

from .forward import hessian, hvp, jacobian, jvp
from .reverse import elementwise_grad, grad, gradients, value_and_grad, vjp

__all__ = ["elementwise_grad", "grad", "gradients", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]
