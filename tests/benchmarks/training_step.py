"""One training step of three networks, by hand in NumPy, by us, and by whichever other engines are installed.

    python tests/benchmarks/training_step.py

All run interleaved in one process on one thread, in float32, with SGD, from the same weights; the losses after 20 steps
must agree to 5 digits. Printed is the best time of each and its ratio to the hand-written step.
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import argparse
import itertools
import time
from collections.abc import Callable

import numpy as np

import tinygrad_act as ta

Step = Callable[[], float]
LR = 0.1
NETWORKS = {"2-16-16-2 x 100": ([2, 16, 16, 2], 100), "64-128-64-10 x 32": ([64, 128, 64, 10], 32)}
NETWORKS["784-512-256-10 x 256"] = ([784, 512, 256, 10], 256)


def problem(sizes: list[int], samples: int) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Weights and biases in turn, inputs, and labels."""
    rng = np.random.default_rng(0)
    parameters = []
    for fan_in, fan_out in itertools.pairwise(sizes):
        parameters.append(rng.normal(0, np.sqrt(2 / fan_in), (fan_in, fan_out)).astype(np.float32))
        parameters.append(np.zeros(fan_out, np.float32))
    x = rng.standard_normal((samples, sizes[0])).astype(np.float32)
    return parameters, x, rng.integers(0, sizes[-1], samples)


def by_hand(parameters: list[np.ndarray], x: np.ndarray, labels: np.ndarray) -> Step:
    """The step as one would write it for just this network."""
    W1, b1, W2, b2, W3, b3 = (p.copy() for p in parameters)
    rows = np.arange(len(x))

    def step() -> float:
        a1 = x @ W1
        a1 += b1
        np.maximum(a1, 0, out=a1)
        a2 = a1 @ W2
        a2 += b2
        np.maximum(a2, 0, out=a2)
        z = a2 @ W3
        z += b3
        z -= z.max(axis=1, keepdims=True)
        p = np.exp(z)
        p /= p.sum(axis=1, keepdims=True)
        loss = -np.log(p[rows, labels]).mean()
        p[rows, labels] -= 1
        p /= len(x)
        d2 = p @ W3.T
        d2 *= a2 > 0
        d1 = d2 @ W2.T
        d1 *= a1 > 0
        for W, b, a, d in ((W3, b3, a2, p), (W2, b2, a1, d2), (W1, b1, x, d1)):
            W -= LR * (a.T @ d)
            b -= LR * d.sum(axis=0)
        return float(loss)

    return step


def by_us(parameters: list[np.ndarray], x: np.ndarray, labels: np.ndarray) -> Step:
    step = our_step(parameters)
    return lambda: step(x, labels).item()


def compiled(parameters: list[np.ndarray], x: np.ndarray, labels: np.ndarray) -> Step:
    step = ta.compile(our_step(parameters))
    return lambda: step(x, labels).item()


def our_step(parameters: list[np.ndarray]) -> Callable[[np.ndarray, np.ndarray], ta.Tensor]:
    layers: list[object] = []
    for W, b in zip(parameters[::2], parameters[1::2], strict=True):
        layers += [ta.nn.Linear(*W.shape, dtype=np.float32), ta.relu]
        layers[-2].weight.data, layers[-2].bias.data = W.copy(), b.copy()
    model = ta.nn.Sequential(*layers[:-1])
    optimizer = ta.optim.SGD(model.parameters(), lr=LR)

    def step(x: np.ndarray, labels: np.ndarray) -> ta.Tensor:
        loss = ta.cross_entropy(model(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def by_torch(parameters: list[np.ndarray], x: np.ndarray, labels: np.ndarray) -> Step:
    import torch

    torch.set_num_threads(1)
    layers: list[torch.nn.Module] = []
    for W, b in zip(parameters[::2], parameters[1::2], strict=True):
        layers += [torch.nn.Linear(*W.shape), torch.nn.ReLU()]
        layers[-2].weight.data, layers[-2].bias.data = torch.tensor(W.T.copy()), torch.tensor(b)
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    inputs, targets = torch.tensor(x), torch.tensor(labels)

    def step() -> float:
        loss = torch.nn.functional.cross_entropy(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def by_jax(parameters: list[np.ndarray], x: np.ndarray, labels: np.ndarray) -> Step:
    import jax
    import jax.numpy as jnp

    def loss_of(p: list[jax.Array], x: jax.Array, labels: jax.Array) -> jax.Array:
        for W, b in zip(p[:-2:2], p[1:-2:2], strict=True):
            x = jnp.maximum(x @ W + b, 0)
        z = jax.nn.log_softmax(x @ p[-2] + p[-1])
        return -z[jnp.arange(len(labels)), labels].mean()

    @jax.jit
    def update(p: list[jax.Array], x: jax.Array, labels: jax.Array) -> tuple[jax.Array, list[jax.Array]]:
        loss, gradients = jax.value_and_grad(loss_of)(p, x, labels)
        return loss, [a - LR * g for a, g in zip(p, gradients, strict=True)]

    state = [[jnp.asarray(p) for p in parameters]]
    inputs, targets = jnp.asarray(x), jnp.asarray(labels)

    def step() -> float:
        loss, state[0] = update(state[0], inputs, targets)
        return float(loss)

    return step


def by_autograd(parameters: list[np.ndarray], x: np.ndarray, labels: np.ndarray) -> Step:
    import autograd.numpy as anp
    from autograd import value_and_grad

    rows = np.arange(len(x))

    def loss_of(p: list[np.ndarray]) -> np.ndarray:
        a = x
        for W, b in zip(p[:-2:2], p[1:-2:2], strict=True):
            a = anp.maximum(anp.dot(a, W) + b, 0)
        z = anp.dot(a, p[-2]) + p[-1]
        z = z - anp.max(z, axis=1, keepdims=True)
        return anp.mean(anp.log(anp.sum(anp.exp(z), axis=1)) - z[rows, labels])

    of = value_and_grad(loss_of)
    state = [p.copy() for p in parameters]

    def step() -> float:
        loss, gradients = of(state)
        for p, g in zip(state, gradients, strict=True):
            p -= LR * g
        return float(loss)

    return step


def by_mygrad(parameters: list[np.ndarray], x: np.ndarray, labels: np.ndarray) -> Step:
    import mygrad as mg
    from mygrad.nnet.losses import softmax_crossentropy

    state = [mg.tensor(p.copy()) for p in parameters]

    def step() -> float:
        a = x
        for W, b in zip(state[:-2:2], state[1:-2:2], strict=True):
            a = mg.maximum(mg.matmul(a, W) + b, 0)
        loss = softmax_crossentropy(mg.matmul(a, state[-2]) + state[-1], labels)
        loss.backward()
        for p in state:
            p.data -= LR * p.grad
        loss.null_gradients()
        return float(loss)

    return step


ENGINES = {
    "by hand": by_hand,
    "tinygrad_act": by_us,
    "compiled": compiled,
    "PyTorch": by_torch,
    "jax.jit": by_jax,
    "autograd": by_autograd,
    "MyGrad": by_mygrad,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long to time each network")
    parser.add_argument("--only", nargs="+", choices=ENGINES, default=list(ENGINES))
    options = parser.parse_args()
    for name, (sizes, samples) in NETWORKS.items():
        steps: dict[str, Step] = {}
        for engine in dict.fromkeys(["by hand", *options.only]):
            try:
                steps[engine] = ENGINES[engine](*problem(sizes, samples))
            except ImportError as error:
                print(f"{engine}: not installed ({error.name})")
        losses = {engine: [step() for _ in range(20)][-1] for engine, step in steps.items()}
        for engine, loss in losses.items():
            assert abs(loss / losses["by hand"] - 1) < 1e-5, f"{engine} ends at {loss}, by hand at {losses['by hand']}"
        best = dict.fromkeys(steps, float("inf"))
        end = time.perf_counter() + options.seconds
        while time.perf_counter() < end:
            for engine, step in steps.items():
                for _ in range(100 if samples < 256 else 2):  # warm after the switch
                    start = time.perf_counter()
                    step()
                    best[engine] = min(best[engine], time.perf_counter() - start)
        print(f"\n{name}, loss after 20 steps {losses['by hand']:.5f}")
        for engine, seconds in best.items():
            print(f"  {engine:<14}{seconds * 1e6:10.1f} us {seconds / best['by hand']:6.2f}")


if __name__ == "__main__":
    main()
