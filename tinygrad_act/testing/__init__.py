"""Are my gradients right? `check_grads` asks a function, `check_op` an op."""

from .check import check_grads

__all__ = ["check_grads"]
