"""Two maxout units are enough for xor, which no single line can split: python examples/xor_maxout.py"""

import argparse

import numpy as np

import tinygrad_act as ta
from tinygrad_act import nn

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--steps", type=int, default=200)
options = parser.parse_args()
rng = np.random.default_rng(0)

x, y = ta.data.xor()
target = y[:, None].astype(float)

# A maxout unit is the greatest of some lines: a convex function, learned. One can be |a - b|, which is xor itself.
model = nn.Sequential(nn.Maxout(2, 2, pieces=2, rng=rng), nn.Linear(2, 1, rng=rng))
print(model, "\n")

optimizer = ta.optim.Adam(model.parameters(), lr=0.05)
for step in range(1, options.steps + 1):
    logits = model(x)
    loss = ta.bce_with_logits(logits, target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 20 == 0:
        print(f"step {step:4}   loss {loss:.4f}")

print("\n a  b   xor   network")
for (a, b), label, p in zip(x, y, ta.sigmoid(model(x)).data[:, 0], strict=True):
    print(f" {a:.0f}  {b:.0f}    {label}     {p:.4f}")

weight = model[0].affine.weight.data
print(
    "\nthe lines of the first unit: max of",
    " and ".join(f"{w1:.2f} a + {w2:.2f} b" for w1, w2 in weight.T[:2]),
    "(+ bias)",
)
