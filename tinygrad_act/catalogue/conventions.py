"""How frameworks decide where a derivative has a choice: at kinks and at ties, a row for each op, measured in float32.

A row names what is called in each framework, `x` being the point, and then what was measured, a number for each point.
Our own side is never written here: it is read from the op. `traps` has more rows, of defaults and extremes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import nan
from typing import Any

# What was measured; only the first two numbers of a version are held to, as conventions rarely change in between.
VERSIONS = {
    "torch": "2.13.0",
    "jax": "0.10.2",
    "keras": "3.15.1",
    "tensorflow": "2.21.0",
    "onnx": "1.23.2",
    "mygrad": "2.5.0",
    "autograd": "1.9.1",
    "tinygrad": "0.14.0",
}


@dataclass(frozen=True)
class Row:
    """Our op by name, at some points, and by framework a call with what it gives at each.

    >>> Row("relu6", (0, 6), {"torch": ("F.relu6(x)", 0, 0)}).measured("torch", 1)
    0
    """

    op: str
    at: tuple[Any, ...]  # numbers; or tuples, which are arrays, or the inputs of an op of several
    theirs: dict[str, tuple[Any, ...]]
    given: dict[str, Any] = field(default_factory=dict)  # our op's parameters, and its inputs that are not the point
    slope: bool = True  # what is measured: the derivative, or else the (first) number of the value
    dtype: str = "float32"
    legal: str | tuple[float, float] = ""  # what may be chosen, where the op has no `kinks` to say so
    truth: tuple[float, ...] = ()  # where it can be missed, at each point
    note: str = ""

    def measured(self, framework: str, i: int) -> Any:
        """What a framework gives at point number i: a number, a tuple, or the name of an error."""
        return self.theirs[framework][1 + i]


def row(op: str, at: Any, *, given: Any = None, legal: Any = "", note: str = "", **theirs: tuple[Any, ...]) -> Row:
    """A row of slopes, with the frameworks as keywords."""
    return Row(op, at, theirs, given or {}, legal=legal, note=note)


KINKS = [
    row(
        "relu",
        (0,),
        torch=("F.relu(x)", 0),
        jax=("nn.relu(x)", 0),
        keras=("activations.relu(x)", 0),
        tensorflow=("tf.nn.relu(x)", 0),
        mygrad=("mygrad.nnet.relu(x)", 0),
        tinygrad=("x.relu()", 0),
    ),
    row(
        "relu6",
        (0, 6),
        torch=("F.relu6(x)", 0, 0),
        jax=("nn.relu6(x)", 0, 0),
        keras=("activations.relu6(x)", 0, 0),
        tensorflow=("tf.nn.relu6(x)", 0, 0),
        tinygrad=("x.relu6()", 0, 1),
    ),
    row(
        "leaky_relu",
        (0,),
        torch=("F.leaky_relu(x, 0.01)", 0.01),
        jax=("nn.leaky_relu(x, 0.01)", 1),
        keras=("activations.leaky_relu(x, 0.01)", 1),
        tensorflow=("tf.nn.leaky_relu(x, 0.01)", 0.01),
        mygrad=("mygrad.nnet.leaky_relu(x, 0.01)", 0),
        tinygrad=("x.leaky_relu(0.01)", 1),
    ),
    row(
        "prelu",
        (0,),
        torch=("F.prelu(x, torch.tensor(0.25))", 0.25),
        keras=("layers.PReLU(alpha_initializer=Constant(0.25))(x)", 0),
    ),
    row(
        "prelu",
        (0,),
        given={"a": 11 / 48},
        legal=(11 / 48, 1),
        torch=("F.rrelu(x)", 0.2291667),
        note="rrelu when not training: the slope below, as of leaky_relu",
    ),
    row(
        "elu",
        (0,),
        given={"alpha": 2.0},
        torch=("F.elu(x, 2.0)", 2),
        jax=("nn.elu(x, 2.0)", 2),
        keras=("activations.elu(x, 2.0)", 2),
        mygrad=("mygrad.nnet.elu(x, 2.0)", 1),
        tinygrad=("x.elu(2.0)", 0),
    ),
    row(
        "celu",
        (0,),
        given={"alpha": 2.0},
        torch=("F.celu(x, 2.0)", 1),
        jax=("nn.celu(x, 2.0)", 1),
        keras=("activations.celu(x, 2.0)", 1),
        tinygrad=("x.celu(2.0)", 1),
    ),
    row(
        "selu",
        (0,),
        torch=("F.selu(x)", 1.758099),
        jax=("nn.selu(x)", 1.758099),
        keras=("activations.selu(x)", 1.758099),
        tensorflow=("tf.nn.selu(x)", 1.050701),
        mygrad=("mygrad.nnet.selu(x)", 1.050701),
        tinygrad=("x.selu()", 1.0507),
    ),
    row(
        "hard_tanh",
        (-1, 1),
        torch=("F.hardtanh(x)", 0, 0),
        jax=("nn.hard_tanh(x)", 1, 1),
        keras=("activations.hard_tanh(x)", 1, 1),
        mygrad=("mygrad.nnet.hard_tanh(x)", 0, 0),
        tinygrad=("x.hardtanh()", 1, 1),
    ),
    row(
        "hard_sigmoid",
        (-3, 3),
        torch=("F.hardsigmoid(x)", 0, 0),
        jax=("nn.hard_sigmoid(x)", 0, 0),
        keras=("activations.hard_sigmoid(x)", 0, 0),
        tinygrad=("x.hardsigmoid()", 0, 0),
    ),
    row(
        "hard_swish",
        (-3, 3),
        torch=("F.hardswish(x)", 0, 1),
        jax=("nn.hard_swish(x)", 0, 1),
        keras=("activations.hard_swish(x)", 0, 1),
        tinygrad=("x.hardswish()", 0, 1.5),
        note="torch 2.6 and before: -0.5 and 1.5",
    ),
    row("softshrink", (-0.5, 0.5), torch=("F.softshrink(x)", 0, 0), keras=("activations.soft_shrink(x)", 0, 0)),
    row("hardshrink", (-0.5, 0.5), torch=("F.hardshrink(x)", 0, 0), keras=("activations.hard_shrink(x)", 0, 0)),
    row(
        "threshold",
        (0.5,),
        given={"theta": 0.5, "value": 20.0},
        torch=("F.threshold(x, 0.5, 20)", 0),
        keras=("activations.threshold(x, 0.5, 20)", 0),
    ),
    row("sparse_plus", (-1, 1), jax=("nn.sparse_plus(x)", 0, 1), keras=("activations.sparse_plus(x)", 0, 1)),
    row(
        "sparse_sigmoid",
        (-1, 1),
        jax=("nn.sparse_sigmoid(x)", 0.25, 0.25),
        keras=("activations.sparse_sigmoid(x)", 0.25, 0.25),
    ),
    row(
        "softsign",
        (0,),
        torch=("F.softsign(x)", 1),
        jax=("nn.soft_sign(x)", 1),
        keras=("activations.softsign(x)", 1),
        tensorflow=("tf.nn.softsign(x)", 1),
        mygrad=("mygrad.nnet.soft_sign(x)", 1),
        tinygrad=("x.softsign()", 1),
    ),
    row(
        "crelu",
        ((0,),),
        legal=(-1, 1),
        tensorflow=("tf.nn.crelu(x)", 0),
        note="the slope of the sum of both halves, of |x|",
    ),
    row(
        "absolute",
        (0,),
        torch=("torch.abs(x)", 0),
        jax=("jnp.abs(x)", 1),
        keras=("ops.abs(x)", 1),
        tensorflow=("tf.abs(x)", 0),
        mygrad=("mygrad.abs(x)", 0),
        autograd=("np.abs(x)", 0),
        tinygrad=("x.abs()", 0),
    ),
    row(
        "sign",
        (0,),
        torch=("torch.sign(x)", 0),
        jax=("jnp.sign(x)", 0),
        keras=("ops.sign(x)", 0),
        tensorflow=("tf.sign(x)", 0),
    ),
    row(
        "clip",
        (-1, 1),
        given={"low": -1.0, "high": 1.0},
        legal=(0, 1),
        torch=("torch.clamp(x, -1, 1)", 1, 1),
        jax=("jnp.clip(x, -1, 1)", 0.5, 0.5),
        keras=("ops.clip(x, -1, 1)", 0.5, 0.5),
        tensorflow=("tf.clip_by_value(x, -1, 1)", 1, 1),
        mygrad=("mygrad.clip(x, -1, 1)", 0, 0),
        autograd=("np.clip(x, -1, 1)", 0, 0),
        tinygrad=("x.clamp(-1, 1)", 1, 1),
        note="the bound takes the gradient; torch from 2.14: 0",
    ),
    row(
        "norm",
        ((0, 0),),
        legal="ball",
        torch=("torch.linalg.vector_norm(x)", (0, 0)),
        jax=("jnp.linalg.norm(x)", (nan, nan)),
        keras=("ops.norm(x)", (nan, nan)),
        tensorflow=("tf.norm(x)", (nan, nan)),
        mygrad=("mygrad.linalg.norm(x)", (nan, nan)),
        autograd=("np.linalg.norm(x)", (nan, nan)),
        note="the tip of a cone; least norm",
    ),
    row(
        "std",
        ((1, 1),),
        legal="ball",
        torch=("torch.std(x, correction=0)", (0, 0)),
        jax=("jnp.std(x)", (nan, nan)),
        keras=("ops.std(x)", (nan, nan)),
        tensorflow=("tf.math.reduce_std(x)", (nan, nan)),
        mygrad=("mygrad.std(x)", (nan, nan)),
        autograd=("np.std(x)", (nan, nan)),
        note="the tip of a cone; least norm",
    ),
]

TIES = [
    row(
        "maximum",
        ((1, 1),),
        legal="weights",
        torch=("torch.maximum(x[0], x[1])", (0.5, 0.5)),
        jax=("jnp.maximum(x[0], x[1])", (0.5, 0.5)),
        keras=("ops.maximum(x[0], x[1])", (0.5, 0.5)),
        tensorflow=("tf.maximum(x[0], x[1])", (1, 0)),
        mygrad=("mygrad.maximum(x[0], x[1])", (0, 0)),
        autograd=("np.maximum(x[0], x[1])", (0.5, 0.5)),
        tinygrad=("x[0].maximum(x[1])", (0.5, 0.5)),
    ),
    row(
        "maximum",
        (1,),
        legal=(1, 1),
        torch=("torch.maximum(x, x)", 1),
        jax=("jnp.maximum(x, x)", 1),
        keras=("ops.maximum(x, x)", 1),
        tensorflow=("tf.maximum(x, x)", 1),
        mygrad=("mygrad.maximum(x, x)", 0),
        autograd=("np.maximum(x, x)", 1),
        tinygrad=("x.maximum(x)", 1),
        note="d/dx maximum(x, x), the total derivative",
    ),
    row(
        "minimum",
        ((1, 1),),
        legal="weights",
        torch=("torch.minimum(x[0], x[1])", (0.5, 0.5)),
        jax=("jnp.minimum(x[0], x[1])", (0.5, 0.5)),
        keras=("ops.minimum(x[0], x[1])", (0.5, 0.5)),
        tensorflow=("tf.minimum(x[0], x[1])", (1, 0)),
        mygrad=("mygrad.minimum(x[0], x[1])", (0, 0)),
        autograd=("np.minimum(x[0], x[1])", (0.5, 0.5)),
        tinygrad=("x[0].minimum(x[1])", (0.5, 0.5)),
    ),
    row(
        "minimum",
        (1,),
        legal=(1, 1),
        torch=("torch.minimum(x, x)", 1),
        jax=("jnp.minimum(x, x)", 1),
        keras=("ops.minimum(x, x)", 1),
        tensorflow=("tf.minimum(x, x)", 1),
        mygrad=("mygrad.minimum(x, x)", 0),
        autograd=("np.minimum(x, x)", 1),
        tinygrad=("x.minimum(x)", 1),
        note="d/dx minimum(x, x), the total derivative",
    ),
    row(
        "max",
        ((1, 1),),
        legal="weights",
        torch=("torch.amax(x)", (0.5, 0.5)),
        jax=("jnp.max(x)", (0.5, 0.5)),
        keras=("ops.max(x)", (0.5, 0.5)),
        tensorflow=("tf.reduce_max(x)", (0.5, 0.5)),
        mygrad=("mygrad.max(x)", (1, 0)),
        autograd=("np.max(x)", (0.5, 0.5)),
        tinygrad=("x.max()", (0.5, 0.5)),
        note="torch.max(x, dim) gives all to one of them",
    ),
    row(
        "min",
        ((1, 1),),
        legal="weights",
        torch=("torch.amin(x)", (0.5, 0.5)),
        jax=("jnp.min(x)", (0.5, 0.5)),
        keras=("ops.min(x)", (0.5, 0.5)),
        tensorflow=("tf.reduce_min(x)", (0.5, 0.5)),
        mygrad=("mygrad.min(x)", (1, 0)),
        autograd=("np.min(x)", (0.5, 0.5)),
        tinygrad=("x.min()", (0.5, 0.5)),
        note="torch.min(x, dim) gives all to one of them",
    ),
    row(
        "maxout",
        ((1, 1),),
        legal="weights",
        torch=("torch.max(x, dim=0).values", (1, 0)),
        jax=("jax.lax.top_k(x, 1)[0]", (1, 0)),
        tensorflow=("tf.math.top_k(x, 1).values", (1, 0)),
        note="torch's max along an axis, jax's and tensorflow's top_k",
    ),
]
