"""Plots of functions, training and gradients, by matplotlib, which the extra `plot` brings.

Each is a matplotlib Figure: `figure.savefig("name.svg")` writes it to a file, and a notebook shows it as it is.
Without matplotlib each raises ImportError, and names the extra.
"""

from __future__ import annotations

import difflib
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from ..nn.module import Module
from ..op import OPS, Array, Elementwise, Op
from ..tensor import Tensor
from ..transforms import gradients
from .steps import rms
from .style import GREY, INK, PALETTE, VERMILION, Figure, new_figure, plain


def plot_activation(op: Op | str, low: float = -6, high: float = 6) -> Figure:
    """f, f′ and f″ of an elementwise op, given as an object or by its registered name, for x between `low` and `high`.

    The derivatives are those of the op's own rule. Where a curve jumps it has a gap: a full dot is the value returned
    there, open dots are the limits. ValueError if no op has that name, or it has no value between `low` and `high`;
    TypeError if the op is not elementwise.

    >>> figure = plot_activation("relu", low=-2, high=2)
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['$f(x)$', "$f'(x)$", "$f''(x)$"]
    """
    if isinstance(op, str):
        if op not in OPS:
            near = " or ".join(map(repr, difflib.get_close_matches(op, OPS))) or "a name in tinygrad_act.OPS"
            raise ValueError(f"no op is registered as {op!r}; did you mean {near}?")
        op = OPS[op]
    if not isinstance(op, Elementwise):
        raise TypeError(f"{op!r} is no function of a single number: pass an elementwise op, as ta.relu, or its name")
    first, last = max(low, op.domain[0]), min(high, op.domain[1])
    if not first < last:
        raise ValueError(f"nothing of {op.name}, on {op.domain}, lies between low={low} and high={high}")

    def curves(x: Array) -> Array:
        t, ones = Tensor(x), np.ones_like(x)
        y = op(t)
        slope = gradients(y, t, ones)
        return np.stack([y.data, slope.data, gradients(slope, t, ones).data])

    x = first + (last - first) * (np.arange(1200) + 0.5) / 1200  # midpoints, as a domain is open
    kinks = [kink for kink in op.kinks if first < kink.at < last]
    jumps = np.array(sorted({*(kink.at for kink in kinks), *jumps_in(lambda x: curves(x)[2], x)}))
    left, value, right = (curves(jumps + shift) for shift in (-1e-9, 0, 1e-9))
    torn = np.abs(left - right) > 1e-6 * (1 + np.abs(left))
    x = np.sort(np.concatenate([x, jumps - 1e-9, jumps, jumps + 1e-9]))

    figure = new_figure(5.6, 6.2)
    figure.suptitle(repr(op).removesuffix("()"), family="monospace")
    rows = figure.subplots(3, 1, sharex=True)
    for i, (axes, y, colour) in enumerate(zip(rows, curves(x), PALETTE, strict=False)):
        axes.plot(x, np.where(np.isin(x, jumps[torn[i]]), np.nan, y), color=colour, lw=2, zorder=3)
        for at, a, b, c in np.stack([jumps, left[i], value[i], right[i]], axis=1)[torn[i]]:
            limits = [v for v in (a, c) if abs(v - b) > 1e-6 * (1 + abs(v))]
            axes.plot([at] * len(limits), limits, "o", ms=6, mfc="white", mec=colour, mew=1.5, zorder=4)
            axes.plot(at, b, "o", ms=6, color=colour, zorder=5)
        plain(axes)
        axes.axhline(0, color=INK, lw=0.6)
        axes.set(ylabel=("$f(x)$", "$f'(x)$", "$f''(x)$")[i], ylim=axis_limits(y))
    rows[-1].set(xlabel="$x$", xlim=(first, last))
    told = "f′ at {0.at:g}: {0.left:g} from the left, {0.right:g} from the right, chosen {0.chosen:g}\n({0.why})"
    figure.supxlabel("\n".join(map(told.format, kinks)), fontsize="small", color=INK)
    figure.align_ylabels()
    return figure


def jumps_in(f: Callable[[Array], Array], x: Array) -> Array:
    """Where f may jump between neighbours of x: wide steps, narrowed down by halving the interval around them."""
    steps = np.abs(np.diff(f(x)))
    wide = steps > 0.05 * np.ptp(f(x))
    a, b = x[:-1][wide], x[1:][wide]
    for _ in range(32):
        middle = (a + b) / 2
        in_left = np.abs(f(middle) - f(a)) > np.abs(f(b) - f(middle))
        a, b = np.where(in_left, a, middle), np.where(in_left, middle, b)
    found: Array = a.round(9) + 0.0  # which is never -0
    return found


def axis_limits(y: Array) -> tuple[float, float]:
    """Limits for an axis: all values, but of a curve that runs off to a pole the part that can be seen."""
    low, high = y.min(), y.max()
    inner, outer = np.quantile(y, [0.03, 0.97])
    if high - low > max(50, 4 * (outer - inner)):
        low, high = inner, outer
    pad = 0.08 * (high - low) or 1.0
    return float(low - pad), float(high + pad)


def plot_history(history: Mapping[str, Sequence[float]], unit: str = "epoch") -> Figure:
    """What was measured in each epoch, or another `unit`: names with "loss" above, all others below.

    Losses that are positive and span more than a factor of 10 get a logarithmic axis. Values that are not finite leave
    gaps, and are counted in the label. ValueError if there is nothing to draw.

    >>> figure = plot_history({"loss": [2.3, 0.4, 0.1], "accuracy": [0.2, 0.7, 0.9]})
    >>> [(axes.get_ylabel(), axes.get_yscale()) for axes in figure.axes]
    [('loss', 'log'), ('accuracy', 'linear')]
    """
    series = {name: np.asarray(values, dtype=np.float64) for name, values in history.items() if len(values)}
    if not series:
        raise ValueError("the history is empty: give a list of numbers for each name, as in {'loss': [0.9, 0.5]}")
    losses = [name for name in series if "loss" in name.lower()]
    groups = [group for group in (losses, [name for name in series if name not in losses]) if group]
    figure = new_figure(6.4, 0.8 + 2.4 * len(groups))
    rows = figure.subplots(len(groups), 1, sharex=True, squeeze=False)[:, 0]
    for axes, names in zip(rows, groups, strict=True):
        curves = {name: np.where(np.isfinite(series[name]), series[name], np.nan) for name in names}
        for y, colour in zip(curves.values(), itertools.cycle(PALETTE), strict=False):
            axes.plot(np.arange(1, len(y) + 1), y, color=colour, lw=1.8, marker="o" if len(y) <= 30 else "", ms=3.5)
        finite = np.concatenate([y[np.isfinite(y)] for y in curves.values()])
        if names is losses and 0 < 10 * finite.min(initial=math.inf) < finite.max(initial=0):
            axes.set_yscale("log")
        short = "loss" if names is losses else min(names, key=len)
        axes.set_ylabel(short if all(short in name.lower() for name in names) else "value")
        plain(axes)
        _label_ends(axes, curves)
    rows[-1].set_xlabel(unit)
    rows[-1].xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    figure.align_ylabels()
    return figure


def _label_ends(axes: Any, curves: dict[str, Array]) -> None:
    """Each name at the right end of its line, moved where it would cover another."""
    axes.get_ylim()  # which fits the limits to the lines
    ends = []
    for (name, y), colour in zip(curves.items(), itertools.cycle(PALETTE), strict=False):
        finite = y[np.isfinite(y)]
        note = f"\n({len(y) - len(finite)} not finite)" if len(finite) < len(y) else ""
        end = (axes.transScale + axes.transLimits).transform((1.0, finite[-1]))[1] if len(finite) else 0.0
        ends.append((end, name + note, colour))
    ends.sort()
    heights = itertools.accumulate((end for end, *_ in ends), lambda below, end: max(end, below + 0.09))
    heights = itertools.accumulate(reversed([*heights]), lambda above, end: min(end, above - 0.09), initial=1.09)
    for height, (_, text, colour) in zip([*heights][:0:-1], ends, strict=True):
        axes.text(1.02, height, text, transform=axes.transAxes, va="center", color=colour)


def gradient_rms(model: Module) -> dict[str, float | None]:
    """The root mean square of each parameter's gradient, by name; None where there is no gradient.

    Append one to a list after every `backward()`, for `plot_gradient_flow`.

    >>> from tinygrad_act import nn
    >>> model = nn.Linear(1, 1, rng=np.random.default_rng(0))
    >>> (model(np.array([[3.0], [4.0]])) * 2).sum().backward()
    >>> gradient_rms(model)
    {'weight': 14.0, 'bias': 4.0}
    """
    return {name: None if p.grad is None else rms(p.grad) for name, p in model.named_parameters()}


def plot_gradient_flow(steps: Sequence[Mapping[str, Array | float | None]]) -> Figure:
    """How large the gradient of each parameter was at each step, as a heat map of log₁₀ RMS.

    A step maps names to gradients of any shape, or to what `gradient_rms` made of them. What has no logarithm has
    colours of its own: a gradient of 0, none at all (None, or a name left out), and one that is not finite.
    ValueError if there is nothing to draw.

    >>> figure = plot_gradient_flow([{"w": np.array([3.0, -4.0]), "b": 0.01}, {"w": 0.0, "b": None}])
    >>> figure.axes[0].images[-1].get_array().round(2).tolist()
    [[0.55, None], [-2.0, None]]
    """
    names = list(dict.fromkeys(name for step in steps for name in step))
    if not names:
        raise ValueError("there are no gradients to draw: append gradient_rms(model) to a list after each backward()")
    given = [[step.get(name) for step in steps] for name in names]
    missing = np.array([[g is None or np.size(g) == 0 for g in row] for row in given])
    sizes = np.array([[0.0 if g is None else rms(g) for g in row] for row in given])
    logs = np.log10(sizes, where=np.isfinite(sizes) & (sizes > 0), out=np.full(sizes.shape, np.nan))
    logs = np.ma.masked_invalid(logs)

    figure = new_figure(7.0, min(1.6 + 0.3 * len(names), 10.0))
    axes = figure.subplots()
    place = {"aspect": "auto", "interpolation": "nearest", "extent": (0.5, len(steps) + 0.5, len(names) - 0.5, -0.5)}
    rgba = import_module("matplotlib.colors").to_rgba
    for what, colour, where in (
        ("no gradient", GREY, missing),
        ("gradient 0", VERMILION, (sizes == 0) & ~missing),
        ("gradient not finite", "black", ~np.isfinite(sizes)),
    ):
        if where.any():
            axes.imshow(where[..., None] * rgba(colour), **place)
            axes.scatter([], [], marker="s", s=60, color=colour, label=what)
    if logs.count():
        least = np.quantile(logs.compressed(), 0.02, method="lower")  # else noise around 0 takes most of the colours
        image = axes.imshow(logs, cmap="viridis", vmin=least, **place)
        extend = "min" if least > logs.min() else "neither"
        figure.colorbar(image, label="log₁₀ RMS of ∂L/∂θ", pad=0.02, aspect=30, extend=extend)
    every = math.ceil(len(names) / 40)
    axes.set_yticks(range(0, len(names), every), names[::every])
    axes.set(xlabel="step", ylabel="parameter θ", title="gradient flow")
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside lower center", ncols=3, frameon=False, handletextpad=0.2)
    return figure
