"""Are my gradients right? `check_grads` asks a function, `check_op` an op."""

from .check import check_grads
from .ops import check_op

__all__ = ["check_grads", "check_op"]
