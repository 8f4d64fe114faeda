"""A signal goes through thirty layers, and a gradient back: do they survive? python examples/deep_signal.py"""

import argparse

import numpy as np

from tinygrad_act import nn

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--activations", nargs="+", metavar="NAME", default=["tanh", "relu", "elu", "gelu"])
parser.add_argument("--width", type=int, default=256)
options = parser.parse_args()
DEPTH, SHOWN = 30, [1, 5, 10, 20, 30]
INITIAL = {
    "default": lambda model, x, rng: model,
    "auto(model)": lambda model, x, rng: nn.init.auto(model, rng=rng),  # worked out from the activations
    "auto(model, x)": lambda model, x, rng: nn.init.auto(model, x, rng=rng),  # measured on these samples
}


def signals(activation, initial):
    """What goes into the activations of each layer, for 64 random samples, and what gradients come back there."""
    rng = np.random.default_rng(0)
    x, cotangent = rng.standard_normal((2, 64, options.width))
    layers = [nn.Sequential(nn.Linear(options.width, options.width, rng=rng), activation) for _ in range(DEPTH)]
    found, h = [], x
    for linear, f in INITIAL[initial](nn.Sequential(*layers), x, rng):
        found.append(linear(h))
        h = f(found[-1])
    h.backward(cotangent)
    return found


def rms(array, axis=None):
    return np.sqrt(np.mean(array**2, axis))


def table(title, head, cells):
    print(f"\n{title}\n\n{'':25}" + "".join(f"{name:>10}" for name in head))
    for (activation, initial), found in results.items():
        label = activation if initial == "default" else ""
        print(f"{label:10}{initial:15}" + "".join(f"{number:10.2g}" for number in cells(found)))


results = {(name, initial): signals(name, initial) for name in options.activations for initial in INITIAL}
layers = [f"layer {i}" for i in SHOWN]
table(
    "the signal: root mean square of what goes into the activations",
    layers,
    lambda f: [rms(f[i - 1].data) for i in SHOWN],
)
table("the gradient with respect to that", layers, lambda f: [rms(f[i - 1].grad) for i in SHOWN])
table(
    f"sample by sample: the signal at layer {DEPTH} that a tenth, half, nine tenths of the samples stay below",
    ["1/10", "1/2", "9/10"],
    lambda f: np.quantile(rms(f[-1].data, axis=1), [0.1, 0.5, 0.9]),
)
