"""The micrograd demo: a small network tells two moons apart, with a hinge loss: python examples/moons.py"""

import argparse

import numpy as np

import tinygrad_act as ta
from tinygrad_act import nn

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--steps", type=int, default=100)
options = parser.parse_args()
rng = np.random.default_rng(1337)

x, y = ta.data.moons(100, noise=0.1, rng=rng)
side = 2.0 * y[:, None] - 1  # -1 for one moon, 1 for the other

model = nn.Sequential(
    nn.Linear(2, 16, rng=rng), ta.relu, nn.Linear(16, 16, rng=rng), ta.relu, nn.Linear(16, 1, rng=rng)
)
print(model, "\n")

optimizer = ta.optim.SGD(model.parameters(), lr=1.0)
for step in range(1, options.steps + 1):
    score = model(x)
    loss = ta.hinge(score, side) + 1e-4 * sum((p**2).sum() for p in model.parameters())
    optimizer.zero_grad()
    loss.backward()
    optimizer.lr = 1.0 - 0.9 * step / options.steps
    optimizer.step()
    if step % 10 == 0:
        accuracy = np.mean((score > 0) == (side > 0))
        print(f"step {step:4}   loss {loss:.4f}   accuracy {accuracy:.0%}")

print("\nthe plane as the network sees it, and the moons (o and x) in it:\n")
columns, rows = np.linspace(-1.5, 2.5, 64), np.linspace(1.5, -1.0, 22)
grid = np.stack(np.meshgrid(columns, rows), axis=-1)
with ta.no_grad():
    picture = np.where(model(grid)[..., 0] > 0, "░", " ")
nearest = np.abs(rows[:, None] - x[:, 1]).argmin(axis=0), np.abs(columns[:, None] - x[:, 0]).argmin(axis=0)
picture[nearest] = np.where(y == 1, "x", "o")
print("\n".join("".join(row) for row in picture))
