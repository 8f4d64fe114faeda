"""What `activations.py` measures of ops of rows: softmax and its kin, gated units, maxout.

Errors are those of each value and of each entry of the Jacobian by itself, but near roots of logsumexp and of gates'
slopes, on the rows of tests/truth_rows.py: rows of normal numbers, those of other spreads and offsets, and rows of
equal, huge, tiny and infinite numbers; normal numbers whose gates are of every exponent. In brackets they are those on
normal numbers only. The derivative that is timed is the rule, for a cotangent of ones.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from peers import ROOMS, Function, jax, slope_of_peer, tf, torch, value_of_peer
from timing import best_of
from truth_rows import hard_inputs, ordinary_inputs, with_noise, worst_of_rows

import tinygrad_act as ta
from tinygrad_act.op import Op

COLUMNS = 100


def softmax(x: Any) -> Any:
    e = np.exp(x)
    return e / e.sum(axis=-1, keepdims=True)


def log_sum(x: Any) -> Any:
    return np.log(np.exp(x).sum(axis=-1))


def gated(gate: Callable[[Any], Any]) -> Function:
    def unit(x: Any) -> Any:
        a, b = np.split(x, 2, axis=-1)
        return a * gate(b)

    return unit


def gelu(x: Any) -> Any:
    return 0.5 * x * (1 + ta.OPS["erf"](x * np.sqrt(0.5).item()))


def sparsemax(x: Any) -> Any:
    z = -np.sort(-x, axis=-1)
    sums, k = z.cumsum(axis=-1), np.arange(1, x.shape[-1] + 1)
    n = (1 + k * z > sums).sum(axis=-1, keepdims=True)
    return np.maximum(x - (np.take_along_axis(sums, n - 1, axis=-1) - 1) / n, 0)


def entmax15(x: Any) -> Any:
    x = (x - x.max(axis=-1, keepdims=True)) / 2
    z, k = -np.sort(-x, axis=-1), np.arange(1, x.shape[-1] + 1)
    mean = z.cumsum(axis=-1) / k
    tau = mean - np.sqrt(np.maximum((1 - k * ((z * z).cumsum(axis=-1) / k - mean**2)) / k, 0))
    n = (tau <= z).sum(axis=-1, keepdims=True)
    return np.maximum(x - np.take_along_axis(tau, n - 1, axis=-1), 0) ** 2


# What one writes down first: fast, and often wrong far from 0.
NAIVE: dict[str, Callable[..., Any]] = {
    "softmax": softmax,
    "tempered_softmax": softmax,
    "softmin": lambda x: softmax(-x),
    "log_softmax": lambda x: np.log(softmax(x)),
    "logsumexp": log_sum,
    "logmeanexp": lambda x: np.log(np.exp(x).mean(axis=-1)),
    "sparsemax": sparsemax,
    "entmax15": entmax15,
    "gumbel_softmax": lambda x, noise: softmax(x + noise),
    "hardmax": lambda x: (np.arange(x.shape[-1]) == x.argmax(axis=-1)[..., np.newaxis]).astype(x.dtype),
    "maxout": lambda x: x.max(axis=-1),
    "glu": gated(lambda b: 1 / (1 + np.exp(-b))),
    "reglu": gated(lambda b: np.maximum(b, 0)),
    "geglu": gated(gelu),
    "swiglu": gated(lambda b: b / (1 + np.exp(-b))),
    "bilinear": gated(lambda b: b),
    "crelu": lambda x: np.concatenate([np.maximum(x, 0), np.maximum(-x, 0)], axis=-1),
}
SHARES = "float32 goes through double, and of doubles the differences are taken with twice the digits"
GATE = "its gate keeps digits that the naive one loses"
WHY = {
    **dict.fromkeys(("softmax", "tempered_softmax", "softmin", "log_softmax", "gumbel_softmax"), SHARES),
    **dict.fromkeys(("logsumexp", "logmeanexp", "sparsemax", "entmax15"), SHARES),
    **dict.fromkeys(("glu", "geglu", "swiglu"), GATE),
    "hardmax": "a row with nan is nan, where the naive one chooses it",
}


def gated_torch(gate: Function) -> Function:
    def unit(x: Any) -> Any:
        a, b = x.chunk(2, -1)
        return a * gate(b)

    return unit


def peers() -> dict[str, dict[str, Function]]:
    """The functions of those installed, for their own arrays."""
    found: dict[str, dict[str, Function]] = {who: {} for who in ROOMS}
    if torch is not None:
        f = torch.nn.functional
        found["torch"] = {name: partial(getattr(f, name), dim=-1) for name in ("softmax", "log_softmax", "softmin")}
        found["torch"] |= {"glu": f.glu, "reglu": gated_torch(f.relu), "geglu": gated_torch(f.gelu)}
        found["torch"] |= {"swiglu": gated_torch(f.silu), "bilinear": gated_torch(lambda b: b)}
        found["torch"] |= {"maxout": lambda x: torch.amax(x, -1), "logsumexp": lambda x: torch.logsumexp(x, -1)}
    if jax is not None:
        found["jax"] = {name: getattr(jax.nn, name) for name in ("softmax", "log_softmax", "glu")}
        found["jax"] |= {
            "logsumexp": lambda x: jax.scipy.special.logsumexp(x, axis=-1),
            "maxout": lambda x: jax.numpy.max(x, axis=-1),
        }
    if tf is not None:
        found["tf"] = {name: getattr(tf.nn, name) for name in ("softmax", "log_softmax")}
        found["tf"] |= {
            "logsumexp": lambda x: tf.reduce_logsumexp(x, -1),
            "maxout": lambda x: tf.reduce_max(x, -1),
        }
    return found


PEERS = peers()


def errors(op: Op, dtype: Any) -> dict[str, tuple[float, ...]]:
    """The worst errors of values and of the Jacobian, and those on ordinary rows, ours and those of peers."""
    ordinary, hard = ordinary_inputs(op, dtype), hard_inputs(op, dtype)
    who: dict[str, tuple[Any, Any]] = {"ours": (op, None), "naive": (NAIVE[op.name], None)}
    for name, functions in PEERS.items():
        if f := functions.get(op.name):
            slope = slope_of_peer(name, f)
            who[name] = value_of_peer(name, f), lambda g, x, slope=slope: slope(x, g)
    found = {}
    for name, (value, pullback) in who.items():
        near, far = (worst_of_rows(op, blocks, value, pullback) for blocks in (ordinary, hard))
        found[name] = (*map(max, near, far), *near)
    found["naive"] = (found["naive"][0], 0.0, found["naive"][2], 0.0)  # its derivative is not asked for
    return found


def times(op: Op, dtype: Any, elements: int, seconds: float) -> tuple[dict[str, float], dict[str, float]]:
    """The best times of the values and of the pullback, ours, relu's, the naive formula's and those of peers."""
    shape = (elements // COLUMNS, COLUMNS)
    given = with_noise(op, np.asarray(np.random.default_rng(0).standard_normal(shape) * 2, dtype))
    x, y, relu, naive = given[0], op(*given), ta.relu, NAIVE[op.name]
    g, ones, up = np.ones_like(y), np.ones_like(x), relu(x)
    values = {"ours": partial(op, *given), "relu": partial(relu, x), "naive": partial(naive, *given)}
    slopes = {"ours": partial(op.vjp, 0, g, y, *given), "relu": partial(relu.vjp, 0, ones, up, x)}
    for who, functions in PEERS.items():
        if f := functions.get(op.name):
            values[who] = partial(value_of_peer(who, f), x)
            slopes[who] = partial(slope_of_peer(who, f), x)
    for step in (*values.values(), *slopes.values()):
        step()
    return best_of(values, seconds), best_of(slopes, seconds)
