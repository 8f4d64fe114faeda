"""An op of your own, in one block: checked, trained, drawn and compiled: python examples/own_op.py"""

import argparse

import numpy as np

import tinygrad_act as ta
from tinygrad_act import nn, testing
from tinygrad_act.op import Array

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--steps", type=int, default=300)
options = parser.parse_args()


# One with parameters is a class in place of the function: see "Add an activation" in CONTRIBUTING.md.
@ta.custom_op(
    derivative=lambda y, x: -2 * x * y * y,  # in operators, NumPy functions and other ops, which take Tensors too
    formula=r"\frac{1}{1 + x^2}",
    rule=r"-2 x y^2",
)
def bump(x: Array) -> Array:
    """The Lorentzian 1 / (1 + x²): a bump over 0 with heavy tails."""
    return 1 / (1 + x * x)


testing.check_op(bump)
print(f"{bump!r} obeys all {len(testing.laws.LAWS)} laws.\n")


@ta.custom_op(derivative=lambda y, x: 2 * x * y * y)  # the sign is forgotten, to see what is said then
def wrong_bump(x: Array) -> Array:
    return 1 / (1 + x * x)


try:
    testing.check_grads(lambda x: (wrong_bump(x) * x).sum(), np.array([0.5, -2.0]))
except AssertionError as report:
    print(report, "\n")

rng = np.random.default_rng(0)
model = nn.Sequential(nn.Linear(2, 8, rng=rng), "bump", nn.Linear(8, 1, rng=rng))
x, y = ta.data.xor()
optimizer = ta.optim.Adam(model.parameters(), lr=0.05)


@ta.compile
def step(inputs: Array, targets: Array) -> None:  # compiled, it is plain NumPy
    loss = ta.bce_with_logits(model(inputs), targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


for _ in range(options.steps):
    step(x, y[:, None].astype(float))
print(ta.draw(model(x)), "\n\n a  b   network")
for (a, b), p in zip(x, ta.sigmoid(model(x)).data[:, 0], strict=True):
    print(f" {a:.0f}  {b:.0f}    {p:.3f}")
