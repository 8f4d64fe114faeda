"""A miniature reverse-mode autograd engine on NumPy, with every activation's rule as an op.

>>> import numpy as np
>>> import tinygrad_act as ta
>>> w = ta.Tensor([1.0, -2.0], name="w")
>>> loss = np.sum(ta.relu(3 * w))
>>> loss.backward()
>>> w.grad
array([3., 0.])
"""

import importlib
from typing import Any

from . import activations, data, losses, nn, op, ops, optim
from .activations import activation
from .losses import CrossEntropy, bce_with_logits, cross_entropy, hinge, huber, l1, mse
from .op import OPS, Elementwise, Kink, Op, register
from .ops.custom import custom_op
from .ops.sorting import topk
from .tensor import Tensor, no_grad
from .transforms import checkpoint, elementwise_grad, grad, gradients, hessian, hvp, jacobian, jvp, value_and_grad, vjp

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Any registered op by its name, so that to write one is to have it; and what not every program needs."""
    if name in OPS:
        return OPS[name]
    if name in ("backward_source", "compile"):
        from . import compiler

        return getattr(compiler, name)
    if name == "card":
        from .catalogue import card

        return card
    if name == "debug":
        from .debugging import debug

        return debug
    if name in ("draw", "explain", "step_through"):
        from . import drawing

        return getattr(drawing, name)
    if name == "testing":
        return importlib.import_module(".testing", __name__)
    if name in activations.__all__:
        return getattr(activations, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _view_of_card(view: str) -> Any:
    """What a notebook shows for an op: the card of an activation, in a room that no op may import."""

    def shown(op: Op) -> Any:
        from .catalogue.views import shown_in_notebooks

        card = shown_in_notebooks(op)
        return card and getattr(card, view)()

    return shown


for _view in ("_repr_html_", "_repr_latex_"):
    setattr(Op, _view, _view_of_card(_view))

__all__ = [
    "CrossEntropy",
    "Elementwise",
    "Kink",
    "Op",
    "Tensor",
    "activation",
    "activations",
    "backward_source",
    "bce_with_logits",
    "card",
    "checkpoint",
    "compile",
    "cross_entropy",
    "custom_op",
    "data",
    "debug",
    "draw",
    "elementwise_grad",
    "explain",
    "grad",
    "gradients",
    "hessian",
    "hinge",
    "huber",
    "hvp",
    "jacobian",
    "jvp",
    "l1",
    "losses",
    "mse",
    "nn",
    "no_grad",
    "op",
    "ops",
    "optim",
    "register",
    "step_through",
    "value_and_grad",
    "vjp",
    "topk",
    "testing",
    *activations.__all__,
]
