"""A network learns real handwritten digits, in seconds: python examples/train_digits.py"""

import argparse

import numpy as np

import tinygrad_act as ta
from tinygrad_act import drawing, nn
from tinygrad_act.training import progress

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--activation", metavar="NAME", default="relu", help="such as gelu; maxout gets three pieces")
parser.add_argument("--epochs", type=int, default=40)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--dtype", choices=["float32", "float64"], default="float32")
parser.add_argument("--compile", action="store_true", help="run each step as the NumPy program that it is")
options = parser.parse_args()
rng = np.random.default_rng(options.seed)
x, y, x_test, y_test = ta.data.digits()  # 1,198 images of 8×8 to learn from, 599 that the network never sees
x, x_test = x.astype(options.dtype), x_test.astype(options.dtype)
try:
    op = ta.activation(options.activation)
    hidden = [nn.Maxout(64, 128, pieces=3, rng=rng)] if op is ta.maxout else [nn.Linear(64, 128, rng=rng), op]
    model = nn.Sequential(*hidden, nn.Linear(128, 10, rng=rng)).astype(options.dtype)
    model(x[:2])
except (TypeError, ValueError) as error:
    parser.error(f"{options.activation} does not fit in here: {error}")
print(model)
optimizer = ta.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1)


def step(images, labels):
    loss = ta.cross_entropy(model(images), labels)  # forward: the graph is recorded
    optimizer.zero_grad()
    loss.backward()  # the graph is walked back, rule by rule
    optimizer.step()
    return loss


@ta.no_grad()  # nothing to learn from these
def predict(images):
    return model(images).argmax(axis=1)


step = ta.compile(step) if options.compile else step
history = {"loss": [], "held-out accuracy": []}
for epoch in (epochs := progress(range(1, options.epochs + 1), "training")):
    optimizer.lr = 0.01 * (1 - (epoch - 1) / options.epochs)  # ever smaller steps
    history["loss"].append(np.mean([step(*batch).item() for batch in ta.data.batches(x, y, size=32, rng=rng)]))
    history["held-out accuracy"].append(right := np.mean(predict(x_test) == y_test))
    epochs.write(f"epoch {epoch:3}   loss {history['loss'][-1]:.4f}   held-out accuracy {right:.1%}")
print("\nrows: the digit, columns: what the network saw in it\n\n     ", "".join(f"{digit:4}" for digit in range(10)))
for digit, row in enumerate(np.histogram2d(y_test, predict(x_test), bins=range(11))[0].astype(int)):
    print(f"{digit:4}  " + "".join(f"{n:4}" if n else "   ·" for n in row))
(loss := ta.cross_entropy(model(images := x[:4]), labels := y[:4])).backward()
if options.epochs:
    drawing.plot_history(history).savefig("digits-training.png")
ta.draw(loss, names=True).save("digits.svg")
ta.step_through(loss, names=True).save("digits.html")
print("\nhow it learned: digits-training.png   the graph, with gradients: digits.svg   step through it: digits.html")
