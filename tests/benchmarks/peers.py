"""PyTorch, JAX and TensorFlow, those installed: values and derivatives by their functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    import torch
except ImportError:
    torch = None
try:
    import jax
except ImportError:
    jax = None
try:
    import tensorflow as tf
except ImportError:
    tf = None

Function = Callable[[Any], Any]
ROOMS: dict[str, Any] = {who: room for who, room in {"torch": torch, "jax": jax, "tf": tf}.items() if room is not None}


def value_of_peer(who: str, f: Function) -> Function:
    """From an array to f of it, in the peer's arrays."""
    if who == "torch":
        return lambda x: f(torch.from_numpy(x))
    if who == "jax":
        compiled = jax.jit(f)
        return lambda x: compiled(x).block_until_ready()
    return tf.function(f, jit_compile=False)


def slope_of_peer(who: str, f: Function) -> Callable[..., Any]:
    """From an array, and a cotangent if it is not all ones, to the gradient, by the peer's backward pass."""
    if who == "torch":

        def slope(x: Any, g: Any = None) -> Any:
            t = torch.from_numpy(x).requires_grad_()
            y = f(t)
            return torch.autograd.grad(y, t, torch.ones_like(y) if g is None else torch.from_numpy(g))[0]

        return slope
    if who == "jax":

        def pullback(x: Any, g: Any) -> Any:
            y, back = jax.vjp(f, x)
            return back(jax.numpy.ones_like(y) if g is None else g)[0]

        compiled = jax.jit(pullback)
        return lambda x, g=None: compiled(x, g).block_until_ready()

    @tf.function
    def gradient(t: Any, g: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(t)
            y = f(t)
        return tape.gradient(y, t, g)

    return lambda x, g=None: gradient(tf.constant(x), g)
