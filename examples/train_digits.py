"""A network learns real handwritten digits, in seconds: python examples/train_digits.py"""

import argparse

import numpy as np

import tinygrad_act as ta
from tinygrad_act import nn
from tinygrad_act.training import progress

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--activation", choices=["sigmoid", "tanh", "relu", "leaky_relu", "elu", "maxout"], default="relu")
parser.add_argument("--epochs", type=int, default=40)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--dtype", choices=["float32", "float64"], default="float32")
parser.add_argument("--compile", action="store_true", help="run each step as the NumPy program that it is")
options = parser.parse_args()
rng = np.random.default_rng(options.seed)
# 1,198 images to learn from, 599 that the network never sees; 8×8 pixels each, between 0 and 1
x, y, x_test, y_test = ta.data.digits()
x, x_test = x.astype(options.dtype), x_test.astype(options.dtype)

if options.activation == "maxout":
    model = nn.Sequential(nn.Maxout(64, 64, pieces=3, rng=rng), nn.Linear(64, 10, rng=rng))
else:
    model = nn.Sequential(nn.Linear(64, 128, rng=rng), ta.OPS[options.activation], nn.Linear(128, 10, rng=rng))
model.astype(options.dtype)
print(model)
optimizer = ta.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1)


def step(images, labels):
    loss = ta.cross_entropy(model(images), labels)  # forward: the graph is recorded
    optimizer.zero_grad()
    loss.backward()  # the graph is walked back, rule by rule
    optimizer.step()
    return loss


def predict(images):
    with ta.no_grad():  # nothing to learn from these
        return model(images).argmax(axis=1)


step = ta.compile(step) if options.compile else step
for epoch in (epochs := progress(range(1, options.epochs + 1), "training")):
    optimizer.lr = 0.01 * (1 - (epoch - 1) / options.epochs)  # ever smaller steps
    losses = [step(*batch).item() for batch in ta.data.batches(x, y, size=32, rng=rng)]
    right = np.mean(predict(x_test) == y_test)
    epochs.write(f"epoch {epoch:3}   loss {np.mean(losses):.4f}   held-out accuracy {right:.1%}")
confusion = np.zeros((10, 10), int)
np.add.at(confusion, (y_test, predict(x_test)), 1)
print("\nrows: the digit, columns: what the network saw in it\n\n     ", "".join(f"{digit:4}" for digit in range(10)))
for digit, row in enumerate(confusion):
    print(f"{digit:4}  ", "".join(f"{count:4}" if count else "   ·" for count in row))

loss = ta.cross_entropy(model(x[:32]), y[:32])
loss.backward()
print("\nthe graph of one step, with its gradients, is in", ta.draw(loss).save("digits.svg"))
