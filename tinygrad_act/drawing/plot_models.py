"""Plots of what a model makes of its data: its activations, and its decisions. They are like those in plots.py."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..activations.maxout import Maxout
from ..autodiff import toposort
from ..op import Array, Elementwise, Op
from ..ops.elementary import Ufunc
from ..tensor import Tensor
from .style import BLUE, INK, MARKERS, ORANGE, PALETTE, Figure, new_figure, plain

MOST_ROWS, MOST_UNITS = 8, 16  # what a figure has room for


def plot_activations(model: Callable[[Any], Any], x: Array) -> Figure:
    """What each activation in the model gives for the batch `x`: the distribution of its values, a row each.

    A value is saturated where |f′| < 0.001, and a unit, an entry of the last axis, is dead where f′ is 0 for the whole
    batch: no gradient passes it. f′ is the op's own rule. NumPy's functions count as activations only if the model has
    no others. ValueError if it has none, or gives no Tensor.

    >>> from tinygrad_act import nn, relu, tanh
    >>> rng = np.random.default_rng(0)
    >>> model = nn.Sequential(nn.Linear(2, 8, rng=rng), relu, nn.Linear(8, 3, rng=rng), tanh)
    >>> figure = plot_activations(model, rng.normal(size=(50, 2)))
    >>> [axes.get_title("left") for axes in figure.axes]
    ['1. relu', '2. tanh']
    """
    layers = _activations(_record(model, x)[1], Elementwise)
    shown = np.unique(np.linspace(0, len(layers) - 1, MOST_ROWS).round().astype(int))
    figure = new_figure(6.4, 0.9 + 1.35 * len(shown))
    rows = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
    for axes, i in zip(rows, shown, strict=True):
        op, y = layers[i].op, layers[i].data
        slope = np.abs(np.broadcast_to(op.derivative(y, layers[i].inputs[0].data), y.shape))
        dead = (slope.reshape(-1, y.shape[-1] if y.ndim > 1 else 1) == 0).all(axis=0)
        finite, flat = np.isfinite(y), slope < 1e-3
        parts = [y[finite & ~flat], y[finite & flat]]
        counts, bins = np.histogram(y[finite], bins=40)
        labels = ["|f′| ≥ 0.001", "saturated: |f′| < 0.001"]
        weights = [np.full(part.shape, 1 / y.size) for part in parts]
        axes.hist(parts, bins=bins, weights=weights, stacked=True, color=[BLUE, ORANGE], label=labels)
        second, tallest = np.sort(counts)[-2:] / y.size
        if tallest > 4 * second > 0:  # cut it, such as the zeros of relu, or nothing else can be seen
            axes.set_ylim(0, 2.5 * second)
            axes.text(bins[counts.argmax() + 1], 2.25 * second, f" ↑ {tallest:.0%}", va="center", fontsize="small")
        facts = {
            "mean": f"{y[finite].mean():.3g}",
            "std": f"{y[finite].std():.3g}",
            "saturated": f"{flat.mean():.1%}",
            "dead units": f"{dead.sum()} of {dead.size}",
        } | ({} if finite.all() else {"not finite": f"{np.mean(~finite):.1%}"})
        for place, lines in ((1.03, facts), (1.2, facts.values())):
            axes.text(place, 0.5, "\n".join(lines), transform=axes.transAxes, va="center", fontsize="small")
        axes.set_title(f"{i + 1}. {op.name}", loc="left", family="monospace", fontsize="medium")
        axes.locator_params(axis="x", nbins=7)
        axes.locator_params(axis="y", nbins=3)
        plain(axes)
    rows[-1].set_xlabel("value" if len(shown) == len(layers) else f"value ({len(shown)} of {len(layers)} shown)")
    figure.supylabel("share of the values", fontsize="medium")
    figure.legend(*rows[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)
    return figure


def plot_decision_boundary(
    model: Callable[[Any], Any], x: Array, y: Array, resolution: int = 200, threshold: float = 0.0, hidden: bool = False
) -> Figure:
    """Which class the model sees where in the plane, and the data: `x` of shape (n, 2), labels `y` of shape (n,).

    A model with one score per point tells the lesser label from the greater, whose score is above `threshold` (0.5
    after a sigmoid); with several, the greatest score is the label. `hidden` adds what each unit of the first hidden
    layer gives. ValueError if shapes or labels do not fit, or scores are not finite.

    >>> from tinygrad_act import data, nn, tanh
    >>> rng = np.random.default_rng(0)
    >>> model = nn.Sequential(nn.Linear(2, 4, rng=rng), tanh, nn.Linear(4, 3, rng=rng))
    >>> figure = plot_decision_boundary(model, *data.blobs(30, rng=rng), resolution=20)
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['class 0', 'class 1', 'class 2']
    """
    points, labels = np.asarray(x), np.asarray(y, dtype=np.float64).ravel()
    if points.ndim != 2 or points.shape[1] != 2 or labels.shape != points.shape[:1] or not labels.size:
        raise ValueError(f"x has to be points (n, 2) with labels y (n,), but they are {points.shape}, {np.shape(y)}")
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.15 * np.where(high > low, high - low, 1)
    (left, bottom), (right, top) = low - margin, high + margin
    columns, rows = np.linspace(left, right, resolution), np.linspace(bottom, top, resolution)
    grid = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2).astype(points.dtype)
    output, nodes = _record(model, grid)
    scores, classes = _scores(output, len(grid), labels, threshold)

    ratio = (top - bottom) / (right - left)
    square = 1 / 3 < ratio < 3  # else equal units would make a strip of it
    frame = {"xlim": (left, right), "ylim": (bottom, top), "aspect": "equal" if square else "auto"}
    figure = new_figure(10.6 if hidden else 5.6, 1.0 + 4.6 * (min(ratio, 1.2) if square else 0.8))
    main, side = figure.subfigures(1, 2, wspace=0.03) if hidden else (figure, None)
    axes = main.subplots()
    for i, label in enumerate(classes):
        lead = (scores[:, i] - np.delete(scores, i, axis=1).max(axis=1)).reshape(resolution, resolution)
        colour, marker = PALETTE[i % len(PALETTE)], MARKERS[i % len(MARKERS)]
        if lead.max() > 0:  # a light field, or the points do not show
            axes.contourf(columns, rows, lead, levels=[0, lead.max()], colors=[colour], alpha=0.25)
        _line_at_zero(axes, columns, rows, lead, INK)
        style = {"marker": marker, "s": 34, "edgecolor": "white", "linewidth": 0.6, "zorder": 3}
        axes.scatter(*points[labels == label].T, color=colour, label=f"class {label:g}", **style)
    axes.set(xlabel="$x_1$", ylabel="$x_2$", title="decision boundary", **frame)
    main.legend(loc="outside lower center", ncols=5, frameon=False, handletextpad=0.1, columnspacing=1.2)
    if side is not None:
        _plot_units(side, _activations(nodes, (Elementwise, Maxout))[0], columns, rows, frame)
    return figure


def _scores(output: Any, n: int, labels: Array, threshold: float) -> tuple[Array, Array]:
    """The score of each class for each of n points, and the labels of the classes."""
    scores = (output.data if isinstance(output, Tensor) else np.asarray(output)).reshape(n, -1).astype(np.float64)
    if not np.isfinite(scores).all():
        raise ValueError("the model's scores are not finite everywhere in the plane, so there is no boundary to draw")
    classes = np.arange(scores.shape[1])
    if scores.shape[1] == 1:
        scores, classes = np.concatenate([threshold - scores, scores - threshold], axis=1), np.unique(labels)
    if len(classes) != scores.shape[1] or not np.isin(labels, classes).all():
        raise ValueError(f"the model tells {scores.shape[1]} classes apart, but the labels are {np.unique(labels)}")
    return scores, classes


def _plot_units(figure: Figure, layer: Tensor, columns: Array, rows: Array, frame: dict[str, Any]) -> None:
    """A map of each unit of a layer over the plane, all on one scale."""
    values, kinked = layer.data.reshape(len(rows), len(columns), -1), isinstance(layer.op, Elementwise)
    count = min(values.shape[-1], MOST_UNITS)
    across = math.ceil(math.sqrt(count))
    panels = figure.subplots(math.ceil(count / across), across, squeeze=False).ravel()
    scale = {"vmin": values.min(), "vmax": values.max(), "cmap": "cividis", "origin": "lower"}
    for i, axes in enumerate(panels[:count]):
        image = axes.imshow(values[..., i], extent=(*frame["xlim"], *frame["ylim"]), **scale)
        if kinked:
            _line_at_zero(axes, columns, rows, layer.inputs[0].data.reshape(values.shape)[..., i], "white")
        axes.set(xticks=[], yticks=[], **frame)
        axes.set_title(f"unit {i + 1}", fontsize="small")
    for axes in panels[count:]:
        axes.set_axis_off()
    figure.colorbar(image, ax=panels, label=f"value after {layer.op.name if layer.op else ''}", shrink=0.8)
    few = f"{count} of {values.shape[-1]} " if count < values.shape[-1] else ""
    figure.suptitle(f"{few}units of the first hidden layer")
    figure.supxlabel("white: where the input of the unit is 0" if kinked else "", fontsize="small")


def _line_at_zero(axes: Any, columns: Array, rows: Array, z: Array, colour: str) -> None:
    if z.min() < 0 < z.max():  # else matplotlib warns that there is none
        axes.contour(columns, rows, z, levels=[0], colors=[colour], linewidths=1.2)


def _record(model: Callable[[Any], Any], x: Array) -> tuple[Any, list[Any]]:
    """The model's output, and the Tensors on the way to it, oldest first."""
    x = np.asarray(x)
    output = model(Tensor(x) if x.dtype.kind == "f" else x)  # a Tensor, so that frozen models are recorded too
    return output, toposort(output)[::-1] if isinstance(output, Tensor) else []


def _activations(nodes: list[Any], kinds: type[Op] | tuple[type[Op], ...]) -> list[Any]:
    """The results of activations; of NumPy's functions if there are no others, as in a network of sines."""
    found = [node for node in nodes if isinstance(node.op, kinds)]
    if not found:
        raise ValueError(
            "no activation is recorded on the way to the model's output: the model has to use an elementwise op, such\n"
            "  as ta.relu, and give a Tensor, outside no_grad()"
        )
    return [node for node in found if not isinstance(node.op, Ufunc)] or found
