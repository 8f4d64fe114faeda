"""What all plots share: how a figure is made, and its colours."""

from __future__ import annotations

import io
from importlib import import_module
from typing import Any, TypeAlias

Figure: TypeAlias = Any  # a matplotlib.figure.Figure; matplotlib need not be there to check the types

# Okabe and Ito's palette (2008): apart for the colour-blind, and in print
BLUE, VERMILION, ORANGE = "#0072B2", "#D55E00", "#E69F00"
PALETTE = (BLUE, VERMILION, "#009E73", "#CC79A7", ORANGE, "#56B4E9", "#000000", "#F0E442")
MARKERS = "os^DvX<"  # seven to eight colours, so that no two of 56 classes are drawn alike
INK, GREY = "#333333", "#D9D9D9"


def new_figure(width: float, height: float) -> Figure:
    """An empty Figure, apart from pyplot, that a notebook shows."""
    try:
        figure = import_module("matplotlib.figure").Figure(figsize=(width, height), layout="constrained")
    except ImportError:
        raise ImportError("a plot needs matplotlib: pip install 'tinygrad_act[plot]'") from None

    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.06)

    def png() -> bytes:
        figure.savefig(file := io.BytesIO(), format="png")
        return file.getvalue()

    figure._repr_png_ = png  # by itself a notebook shows only what pyplot made
    return figure


def plain(axes: Any) -> None:
    """Without a frame, on a light grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=GREY, lw=0.6)
    axes.set_axisbelow(True)
