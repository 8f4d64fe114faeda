"""Activations on large arrays, forward and backward: eager, compiled, and PyTorch on as many threads.

    python tests/benchmarks/large_arrays.py --threads 2

Each is run in float32 on rows of 100 elements, interleaved in one process. Printed is the best time of each, and how
many times that of PyTorch the compiled one takes.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from functools import partial
from typing import Any

parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("--threads", type=int, default=1, help="of PyTorch, and of compiled loops over tiles")
parser.add_argument("--elements", type=float, nargs="*", default=[1e4, 1e6, 1e7])
options = parser.parse_args()
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # read when NumPy is imported
    os.environ[variable] = str(options.threads)

import numpy as np
from timing import best_of

import tinygrad_act as ta

try:
    import torch
except ImportError:
    torch = None

COLUMNS = 100


def layer_norm(x: Any) -> Any:
    """(x - mean) / deviation of each row, Ba et al. (2016), arXiv 1607.06450."""
    d = x - np.mean(x, axis=-1, keepdims=True)
    return d / np.sqrt(np.mean(d * d, axis=-1, keepdims=True) + 1e-5)


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "gelu": ta.gelu,
    "silu": ta.silu,
    "softmax": ta.softmax,
    "layer_norm": layer_norm,
}


def ours(f: Callable[[Any], Any]) -> Callable[[Any, Any], tuple[Any, Any]]:
    """The value of f and its vjp, for one cotangent."""

    def step(x: Any, g: Any) -> tuple[Any, Any]:
        t = ta.Tensor(x)
        y = f(t)
        return y, ta.gradients(np.sum(y * g), t)

    return step


def torchs(name: str, x: np.ndarray, g: np.ndarray) -> Callable[[], tuple[Any, Any]]:
    """The same by PyTorch, in its own function of this name."""
    functional: Any = torch.nn.functional
    t, cotangent = torch.tensor(x, requires_grad=True), torch.tensor(g)
    arguments = {"softmax": (-1,), "layer_norm": ((COLUMNS,),)}.get(name, ())

    def step() -> tuple[Any, Any]:
        t.grad = None
        y = getattr(functional, name)(t, *arguments)
        y.backward(cotangent)
        return y.detach(), t.grad

    return step


def main() -> None:
    if torch is not None:
        torch.set_num_threads(options.threads)
    rng = np.random.default_rng(0)
    print(f"forward and backward, float32, {options.threads} thread(s); ratios to PyTorch, or to eager without it")
    for n in map(int, options.elements):
        x, g = rng.standard_normal((2, n // COLUMNS, COLUMNS)).astype(np.float32)
        for name, f in FUNCTIONS.items():
            eager = ours(f)
            compiled = ta.compile(eager)
            steps: dict[str, Callable[[], Any]] = {"eager": partial(eager, x, g), "compiled": partial(compiled, x, g)}
            wanted = [a.data if isinstance(a, ta.Tensor) else a for a in eager(x, g)]
            for a, b in zip(compiled(x, g), wanted, strict=True):
                np.testing.assert_array_equal(a, b)
            if torch is not None:
                steps["PyTorch"] = torchs(name, x, g)
                for a, b in zip(steps["PyTorch"](), wanted, strict=True):
                    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
            best = best_of(steps, seconds=1.0)
            unit = best["PyTorch" if torch is not None else "eager"]
            times = "   ".join(f"{who} {t * 1e3:9.3f} ms {t / unit:6.2f}" for who, t in best.items())
            print(f"{n:>9,} {name:10} {times}")


if __name__ == "__main__":
    main()
