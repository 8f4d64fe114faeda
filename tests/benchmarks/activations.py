"""Accuracy and speed of activations, beside PyTorch, JAX and TensorFlow (those installed) and the naive formula.

    python tests/benchmarks/activations.py [NAME ...] [--write]

Errors are the worst of f and f' in ULP at the points of tests/truth, but near roots; in brackets for |x| <= 5. Times
are of f and of f' given f, in one interleaved run on one thread: as multiples of relu's, of the naive NumPy formula's,
and of the peers', whose f' is a backward pass with its forward. `<` marks where a peer is more accurate,
`!` where f takes more than twice as long as the naive formula, and why.
What f and f' are of an op of rows, such as softmax, is said in rows.py.
With --write the cards are told what was measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # read when NumPy is imported
    os.environ[variable] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_ENABLE_X64"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import rows
import truth_tables as truth
from peers import ROOMS, Function, slope_of_peer, torch, value_of_peer
from timing import best_of

import tinygrad_act as ta
from tinygrad_act.activations.names import catalogue
from tinygrad_act.op import Elementwise, Op

DATA = Path(ta.__file__).parent / "catalogue" / "measured.json"
N = 100_000


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softplus(x: Any) -> Any:
    return np.log1p(np.exp(x))


# What one writes down first: fast, and often wrong far from 0. Constants are those of the defaults.
NAIVE: dict[str, Function] = {
    "identity": lambda x: x.copy(),
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "log_sigmoid": lambda x: np.log(sigmoid(x)),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "elliott": lambda x: 0.5 * x / (1 + np.abs(x)) + 0.5,
    "isru": lambda x: x / np.sqrt(1 + x * x),
    "hard_sigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "softplus": softplus,
    "squareplus": lambda x: (x + np.sqrt(x * x + 4)) / 2,
    "sparse_plus": lambda x: np.where(x <= -1, 0, np.where(x >= 1, x, (x + 1) ** 2 / 4)),
    "isrlu": lambda x: np.where(x >= 0, x, x / np.sqrt(1 + x * x)),
    "bent_identity": lambda x: (np.sqrt(x * x + 1) - 1) / 2 + x,
    "silu": lambda x: x * sigmoid(x),
    "e_swish": lambda x: 1.25 * x * sigmoid(x),
    "mish": lambda x: x * np.tanh(softplus(x)),
    "tanh_exp": lambda x: x * np.tanh(np.exp(x)),
    "serf": lambda x: x * ta.OPS["erf"](softplus(x)),
    "logish": lambda x: x * np.log1p(sigmoid(x)),
    "smish": lambda x: x * np.tanh(np.log1p(sigmoid(x))),
    "gelu": lambda x: 0.5 * x * (1 + ta.OPS["erf"](x * np.sqrt(0.5).item())),
    "gelu_tanh": lambda x: 0.5 * x * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x**3))),
    "quick_gelu": lambda x: x * sigmoid(1.702 * x),
    "phish": lambda x: x * np.tanh(0.5 * x * (1 + ta.OPS["erf"](x * np.sqrt(0.5).item()))),
    "lisht": lambda x: x * np.tanh(x),
    "hard_swish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "hard_mish": lambda x: x / 2 * np.clip(x + 2, 0, 2),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "brelu": lambda x: np.clip(x, 0, 1),
    "threshold": lambda x: np.where(x > 1, x, 0),
    "squared_relu": lambda x: np.maximum(x, 0) ** 2,
    "star_relu": lambda x: 0.8944 * np.maximum(x, 0) ** 2 - 0.4472,
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "celu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * (np.exp(x) - 1)),
    "tanhshrink": lambda x: x - np.tanh(x),
    "softshrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    "hardshrink": lambda x: np.where(np.abs(x) > 0.5, x, 0),
    "step": lambda x: np.where(x >= 0, 1, 0).astype(x.dtype),
    "binarize": lambda x: np.where(x >= 0, 1, -1).astype(x.dtype),
    "sine": lambda x: np.sin(30 * x),
    "gcu": lambda x: x * np.cos(x),
    "symlog": lambda x: np.sign(x) * np.log1p(np.abs(x)),
    "symexp": lambda x: np.sign(x) * np.expm1(np.abs(x)),
    "gaussian": lambda x: np.exp(-x * x),
    "exp": np.exp,
    "arctan": np.arctan,
    "sin": np.sin,
}

# Why f takes more than twice the naive formula's time, or is less accurate than a peer's.
TAIL = "a second factor keeps the digits where e^x underflows, and 0 at -inf, where the naive one is nan"
TWICE = "the argument is kept with twice the digits, which the naive one rounds"
WHY = {
    # A table of tanh(k/16) in two floats and a short series reached 0.60 ULP in float64, in 6 to 10 times the time.
    "tanh": "float32 goes through double, to be no less accurate than PyTorch's; of float64 it is NumPy's own",
    "identity": "a ufunc, which is slower than the copying of memory",
    "log_sigmoid": "float32 goes through double, to be no less accurate than PyTorch's",
    "softplus": "float32 goes through double, to be no less accurate than PyTorch's",
    "elu": "float32 goes through double, to be no less accurate than PyTorch's",
    "celu": "float32 goes through double, to be no less accurate than PyTorch's",
    "selu": "float32 goes through double, to be no less accurate than PyTorch's",
    "softsign": "it has a limit at infinity, where the naive one is nan",
    "squareplus": "nothing cancels below 0, nor overflows",
    "hard_swish": "it is 0 at -inf, where the naive one is nan",
    "hard_mish": "it is 0 at -inf, where the naive one is nan",
    "tanhshrink": "a rational function near 0, where the naive one cancels to 0",
    "relu6": "two calls, where np.clip is one, but slower on small arrays",
    "gcu": "it is silent at infinity, where the naive one warns",
    "phish": TAIL,
    **dict.fromkeys(("silu", "e_swish", "mish", "tanh_exp", "serf", "logish", "smish"), TAIL),
    **dict.fromkeys(("quick_gelu", "sine", "gaussian", "gelu"), TWICE),
}

# Where a peer has it by another name, or needs an argument.
OTHERS: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {
    "torch": {
        "sigmoid": ("sigmoid", {}),
        "tanh": ("tanh", {}),
        "log_sigmoid": ("logsigmoid", {}),
        "hard_sigmoid": ("hardsigmoid", {}),
        "hard_tanh": ("hardtanh", {}),
        "hard_swish": ("hardswish", {}),
        "gelu_tanh": ("gelu", {"approximate": "tanh"}),
        "threshold": ("threshold", {"threshold": 1.0, "value": 0.0}),
    },
    "jax": {
        "gelu": ("gelu", {"approximate": False}),
        "gelu_tanh": ("gelu", {"approximate": True}),
        "softsign": ("soft_sign", {}),
    },
    "tf": {
        "gelu_tanh": ("gelu", {"approximate": True}),
        "leaky_relu": ("leaky_relu", {"alpha": 0.01}),
    },
}
SAME = {
    "sigmoid",
    "tanh",
    "softsign",
    "softplus",
    "squareplus",
    "sparse_plus",
    "sparse_sigmoid",
    "silu",
    "mish",
    "gelu",
}
SAME |= {"hard_sigmoid", "hard_tanh", "hard_swish", "relu", "relu6", "leaky_relu", "elu", "celu", "selu", "log_sigmoid"}
SAME |= {"tanhshrink", "softshrink", "hardshrink", "gelu_tanh", "threshold"}


def peer(who: str, name: str) -> Function | None:
    """The function of this name that a peer has for its own arrays."""
    room = ROOMS.get(who)
    if room is None or name not in SAME:
        return None
    functions = room.nn.functional if who == "torch" else room.nn
    theirs, settings = OTHERS[who].get(name, (name, {}))
    function = getattr(functions, theirs, None)
    return None if function is None else lambda x: function(x, **settings)


def errors(op: Op, dtype: Any) -> dict[str, tuple[float, ...]]:
    """The worst errors of f and f', and those for |x| <= 5, ours and those of peers; nothing without a table of truth.

    At a kink a peer may choose another slope, which is no error.
    """
    try:
        x, *known = truth.table(op, dtype)
    except LookupError:
        return {}
    places = [[kink.at for kink in op.kinks if float(dtype(kink.at)) != kink.at], []]  # no float: either side is right
    got = {"ours": [truth.value(op, x), truth.slope(op, x)]}
    for who in OTHERS:
        f = peer(who, op.name)
        if f is not None:
            got[who] = [np.asarray(f(x)).astype(dtype) for f in (value_of_peer(who, f), slope_of_peer(who, f))]
            at_kink = np.isin(x, [kink.at for kink in op.kinks])
            got[who][1] = np.where(at_kink, known[2], got[who][1])
    if naive := NAIVE.get(op.name):
        got["naive"] = [naive(x).astype(dtype), known[2]]  # its derivative is not asked for
    found = {}
    for who, ys in got.items():
        both = [truth.compare(x, y, *known[2 * i : 2 * i + 2], places[i]) for i, y in enumerate(ys)]
        found[who] = (*(of.worst() for of in both), *(of.worst(within=5) for of in both))
    return found


def times(op: Op, dtype: Any, seconds: float) -> tuple[dict[str, float], dict[str, float]]:
    """The best times of f and of f', ours, relu's, the naive formula's and those of peers."""
    rng = np.random.default_rng(0)
    x = np.asarray(rng.standard_normal(N) * 2, dtype)
    if getattr(op, "domain", (-np.inf,))[0] >= 0:
        x = np.abs(x) + dtype(0.01)
    given = truth.inputs(op, x)
    ones, y, relu = np.ones_like(x), op(*given), ta.relu
    up = relu(x)
    values: dict[str, Callable[[], Any]] = {"ours": lambda: op(*given), "relu": lambda: relu(x)}
    slopes: dict[str, Callable[[], Any]] = {
        "ours": (lambda: op.derivative(y, x)) if isinstance(op, Elementwise) else lambda: op.vjp(0, ones, y, *given),
        "relu": lambda: relu.derivative(up, x),
    }
    if naive := NAIVE.get(op.name):
        values["naive"] = lambda: naive(x)
    for who in OTHERS:
        f = peer(who, op.name)
        if f is not None:
            f_of_peer, slope = value_of_peer(who, f), slope_of_peer(who, f)
            values[who] = lambda f=f_of_peer: f(x)
            slopes[who] = lambda f=slope: f(x)
    for step in (*values.values(), *slopes.values()):
        step()
    return best_of(values, seconds), best_of(slopes, seconds)


def rounded(x: float, digits: int = 2) -> float | None:
    return float(f"{x:.{digits}g}") if np.isfinite(x) else None


def measure(op: Op, seconds: float) -> dict[str, Any]:
    """Print what is measured of one op, and return what its card is told."""
    said: dict[str, Any] = {}
    of_numbers = isinstance(op, Elementwise) or op.learned
    why = (WHY | rows.WHY).get(op.name, "")
    print(f"{op.name}")
    for dtype in (np.float32, np.float64):
        kind = np.dtype(dtype).name
        worst = errors(op, dtype) if of_numbers else rows.errors(op, dtype)
        if worst:
            mine = worst["ours"]
            said[kind] = [rounded(ulp) for ulp in mine[:2]]
            flags = "".join(
                "<" for who in OTHERS if who in worst and any(worst[who][i] < mine[i] - 0.05 for i in (0, 1))
            )
            parts = [
                f"{who} {f:.3g}, {slope:.3g} ({near:.3g}, {nearer:.3g})"
                for who, (f, slope, near, nearer) in worst.items()
            ]
            print(f"  {kind}  ulp   {'   '.join(parts)} {f'{flags} {why}' if flags else ''}")
        value, slope = times(op, dtype, seconds) if of_numbers else rows.times(op, dtype, N, seconds)
        if dtype == np.float32:
            said["cost"] = [rounded(t["ours"] / t["relu"]) for t in (value, slope)]
        for what, t in (("f ", value), ("f'", slope)):
            parts = [f"{t['ours'] / u:.2f} × {who}" for who, u in t.items() if who != "ours"]
            slow = what == "f " and t["ours"] > 2 * t.get("naive", np.inf)
            print(f"  {kind}  {what} {t['ours'] / N * 1e9:6.2f} ns   {'   '.join(parts)} {f'! {why}' if slow else ''}")
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="of activations; without any, all of them")
    parser.add_argument("--write", action="store_true", help="write what the cards tell to measured.json")
    parser.add_argument("--seconds", type=float, default=0.2, help="for each group of times")
    options = parser.parse_args()
    if torch is not None:
        torch.set_num_threads(1)
    np.empty(3_000_000)  # once freed, the C library keeps arrays of this size, and no time goes into fetching pages
    every = catalogue()
    ops = [every[name] for name in options.names] or list(every.values())
    peers = [f"{room.__name__} {room.__version__}" for room in ROOMS.values()]
    print(f"{N:,} elements, one thread, NumPy {np.__version__}, {', '.join(peers)}")
    found = json.loads(DATA.read_text(encoding="utf-8")) if DATA.exists() else {}
    for op in ops:
        found[op.name] = measure(op, options.seconds)
    if options.write:
        found = {name: found[name] for name in every if name in found}
        where = (
            f"Costs were measured with NumPy {np.__version__} on {platform.machine()}, on {N:,} elements of float32, "
        )
        where += f"of ops of rows in rows of {rows.COLUMNS}."
        lines = [f"{json.dumps(name)}: {json.dumps(said)}" for name, said in ({"": where} | found).items()]
        DATA.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
