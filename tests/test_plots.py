"""What the plots show is what was computed: each law reads it back from the figure."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import matplotlib.colors
import numpy as np
import pytest
from matplotlib.figure import Figure
from samples import ELEMENTWISE, Sample

import tinygrad_act as ta
from tinygrad_act import Tensor, nn
from tinygrad_act.drawing.plot_models import MOST_ROWS, MOST_UNITS, plot_activations, plot_decision_boundary
from tinygrad_act.drawing.plots import gradient_rms, plot_activation, plot_gradient_flow, plot_history
from tinygrad_act.drawing.style import GREY, VERMILION
from tinygrad_act.op import Array, Elementwise, Kink


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def network(*layers: Any) -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 5, rng=rng()), *layers)


def curve(figure: Figure, row: int) -> Any:
    """The line of f, f′ or f″, which is drawn first."""
    return figure.axes[row].lines[0]


def gaps(figure: Figure, row: int) -> list[float]:
    line = curve(figure, row)
    return list(line.get_xdata()[np.isnan(line.get_ydata())])


def dots(figure: Figure, row: int, open_ones: bool) -> set[tuple[float, float]]:
    found = set()
    for line in figure.axes[row].lines:
        if line.get_marker() == "o" and (line.get_markerfacecolor() == "white") == open_ones:
            found |= {(round(float(x), 6), round(float(y), 6)) for x, y in zip(*line.get_data(), strict=True)}
    return found


def patches(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


@dataclass(frozen=True)
class Clipped(Elementwise):
    """Two corners, whose derivative is taken between its limits."""

    kinks = (Kink(-1.0, 0.0, 1.0, 0.5, why="the middle"), Kink(2.0, 1.0, 0.0, 0.5, why="the middle"))

    def forward(self, x: Array) -> Array:
        return np.clip(x, -1, 2)

    def derivative(self, y: Array, x: Array) -> Array:
        inside, at = np.greater(x, -1) & np.less(x, 2), np.equal(x, -1) | np.equal(x, 2)
        return np.where(at, 0.5, np.where(inside, 1.0, 0.0))


# Every plot


CALLS = {
    "activation": lambda: plot_activation("relu"),
    "history": lambda: plot_history({"loss": [1.0, 0.5]}),
    "gradient_flow": lambda: plot_gradient_flow([{"w": 1.0}]),
    "activations": lambda: plot_activations(network(ta.relu), rng().normal(size=(20, 2))),
    "decision_boundary": lambda: plot_decision_boundary(network(ta.relu, nn.Linear(5, 2)), *ta.data.moons(20)),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_plot_is_a_figure_with_labels_that_a_notebook_shows(name: str) -> None:
    figure = CALLS[name]()
    assert isinstance(figure, Figure)
    assert figure.axes[-1].get_xlabel() or figure.axes[0].get_xlabel()
    assert figure.axes[0].get_ylabel() or figure.get_supylabel()
    assert figure._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", CALLS)
def test_without_matplotlib_a_plot_names_the_extra(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'tinygrad_act\[plot\]'"):
        CALLS[name]()


def test_no_plot_needs_pyplot_and_importing_them_needs_no_matplotlib() -> None:
    code = (
        "import sys, tinygrad_act.drawing.plot_models, tinygrad_act.drawing.plots as p;"
        "print('matplotlib' in sys.modules);"
        "p.plot_history({'loss': [1.0]})._repr_png_(); print('matplotlib.pyplot' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]


# Activations as functions


@pytest.mark.parametrize("sample", ELEMENTWISE, ids=repr)
def test_every_elementwise_op_is_drawn_with_its_own_values_and_rule(sample: Sample) -> None:
    """Its limits are finite, and between them, away from jumps, the curves are f and f′."""
    op: Any = sample.op
    figure = plot_activation(op)
    if not op.kinks:  # no remarks of its own for which there has to be room
        figure.set_layout_engine("none")
    figure.draw_without_rendering()
    x = curve(figure, 0).get_xdata()
    f = op.forward(x)
    for row, expected in enumerate((f, np.broadcast_to(op.derivative(f, x), x.shape))):
        y = curve(figure, row).get_ydata()
        drawn = ~np.isnan(y)
        assert drawn.sum() >= 1200
        np.testing.assert_allclose(y[drawn], expected[drawn], rtol=1e-12)
        low, high = figure.axes[row].get_ylim()
        assert np.mean((y[drawn] >= low) & (y[drawn] <= high)) > 0.9
    assert figure.get_suptitle() == repr(op).removesuffix("()")


def test_the_second_derivative_is_that_of_the_first() -> None:
    line = curve(plot_activation(ta.tanh, -3, 3), 2)
    x, y = line.get_data()
    assert -3 < x.min() < -2.99
    assert 2.99 < x.max() < 3
    np.testing.assert_allclose(y, -2 * np.tanh(x) / np.cosh(x) ** 2, atol=1e-14)


def test_the_derivative_of_relu_has_no_segment_across_0() -> None:
    figure = plot_activation("relu")
    assert [gaps(figure, row) for row in range(3)] == [[], [0.0], []]
    x, y = curve(figure, 1).get_data()
    np.testing.assert_array_equal(y[x < 0], 0)
    np.testing.assert_array_equal(y[x > 0], 1)
    assert dots(figure, 1, open_ones=True) == {(0, 0)}
    assert dots(figure, 1, open_ones=False) == {(0, 1)}
    assert "0 from the left, 1 from the right, chosen 1\n(the document" in figure.get_supxlabel()


def test_a_jump_of_the_value_is_a_gap_too() -> None:
    figure = plot_activation("sign")
    assert gaps(figure, 0) == [0.0]
    assert dots(figure, 0, open_ones=True) == {(0, -1), (0, 1)}
    assert dots(figure, 0, open_ones=False) == {(0, 0)}


def test_each_kink_in_sight_has_its_limits_and_what_was_chosen() -> None:
    figure = plot_activation(Clipped())
    assert gaps(figure, 1) == [-1.0, 2.0]
    assert dots(figure, 1, open_ones=True) == {(-1, 0), (-1, 1), (2, 1), (2, 0)}
    assert dots(figure, 1, open_ones=False) == {(-1, 0.5), (2, 0.5)}
    assert gaps(plot_activation(Clipped(), low=0), 1) == [2.0]
    assert gaps(plot_activation(Clipped(), low=0, high=1), 1) == []


def test_a_jump_of_the_second_derivative_is_found_though_no_kink_tells_of_it() -> None:
    figure = plot_activation("elu")
    assert ta.elu.kinks == ()
    assert [gaps(figure, row) for row in range(3)] == [[], [], [0.0]]
    assert dots(figure, 2, open_ones=True) == {(0, 1)}
    assert dots(figure, 2, open_ones=False) == {(0, 0)}


def test_what_is_steep_is_no_jump() -> None:
    figure = plot_activation("tanh", -500, 500)
    assert [gaps(figure, row) for row in range(3)] == [[], [], []]


@pytest.mark.parametrize(
    ("op", "error", "message"),
    [
        ("eluu", ValueError, "no op is registered as 'eluu'; did you mean 'elu'"),
        ("?", ValueError, r"did you mean a name in tinygrad_act\.OPS"),
        ("softmax", TypeError, "no function of a single number: pass an elementwise op, as ta.relu"),
        (ta.softmax, TypeError, "pass an elementwise op"),
        (math.tanh, TypeError, "pass an elementwise op"),
    ],
    ids=str,
)
def test_what_cannot_be_drawn_is_refused_with_what_to_pass(op: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        plot_activation(op)


def test_nothing_is_drawn_outside_the_domain() -> None:
    assert curve(plot_activation("log"), 0).get_xdata().min() > 0
    with pytest.raises(ValueError, match=r"nothing of log, on \(1e-30, inf\), lies between low=-2 and high=-1"):
        plot_activation("log", -2, -1)


# History


def test_history_puts_losses_above_and_the_rest_below() -> None:
    history = {"loss": [9.0, 2.0, 0.5], "accuracy": [0.1, 0.4, 0.9], "validation Loss": [9.0, 3.0], "lr": [1, 1, 1]}
    above, below = plot_history(history, unit="step").axes
    assert [text.get_text() for text in above.texts] == ["loss", "validation Loss"]
    assert [text.get_text() for text in below.texts] == ["accuracy", "lr"]
    assert [above.get_ylabel(), below.get_ylabel(), below.get_xlabel()] == ["loss", "value", "step"]
    for axes, names in ((above, ["loss", "validation Loss"]), (below, ["accuracy", "lr"])):
        for line, text, name in zip(axes.lines, axes.texts, names, strict=True):
            np.testing.assert_array_equal(line.get_xdata(), np.arange(1, len(history[name]) + 1))
            np.testing.assert_array_equal(line.get_ydata(), history[name])
            assert line.get_color() == text.get_color(), "a label has the colour of its line"


@pytest.mark.parametrize(
    ("losses", "scale"),
    [([1.0, 0.09], "log"), ([1.0, 0.11], "linear"), ([1.0, 0.0], "linear"), ([1.0, -9.0], "linear")],
)
def test_a_loss_is_logarithmic_if_it_is_positive_and_spans_a_factor_of_10(losses: list[float], scale: str) -> None:
    figure = plot_history({"loss": losses})
    assert [axes.get_yscale() for axes in figure.axes] == [scale]


def test_labels_stand_at_the_ends_and_do_not_cover_each_other() -> None:
    figure = plot_history({"a": [0.0, 10.0], "b": [0.0, 9.99], "c": [0.0, 0.0], "d": [0.0, 5.0]})
    heights = {text.get_text(): text.get_position()[1] for text in figure.axes[0].texts}
    assert heights["c"] == pytest.approx(0.5 / 11, abs=1e-6), "the limits are 5 % wider than the lines"
    assert heights["d"] == pytest.approx(0.5, abs=1e-6)
    assert heights["a"] - heights["b"] == pytest.approx(0.09)
    assert heights["a"] <= 1.0
    figure = plot_history({name: [10.0, 0.0] for name in "abc"})
    low, middle, high = (text.get_position()[1] for text in figure.axes[0].texts)
    assert 0 < low < middle - 0.089 < high - 0.178


def test_values_that_are_not_finite_are_gaps_and_counted() -> None:
    figure = plot_history({"loss": [1.0, math.nan, math.inf, 0.5], "gone": [math.nan], "accuracy": []})
    figure.draw_without_rendering()
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert texts == ["loss\n(2 not finite)", "gone\n(1 not finite)"]
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), [1.0, math.nan, math.nan, 0.5])


@pytest.mark.parametrize("history", [{}, {"loss": []}], ids=str)
def test_an_empty_history_is_refused(history: Any) -> None:
    with pytest.raises(ValueError, match="the history is empty: give a list"):
        plot_history(history)


# Gradient flow


def test_gradient_rms_is_of_each_parameter_and_None_without_a_gradient() -> None:
    model = network(ta.tanh)
    assert gradient_rms(model) == {"layers.0.weight": None, "layers.0.bias": None}
    model(rng(1).normal(size=(7, 2))).sum().backward()
    expected = {name: np.sqrt(np.mean(p.grad**2)) for name, p in model.named_parameters()}
    assert gradient_rms(model) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("scale", [1e-300, 1e-3, 1e300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_heat_map_is_log10_of_the_rms_at_any_scale(scale: float, dtype: Any) -> None:
    scale = 1e-40 if dtype == np.float32 and scale < 1e-40 else min(scale, 1e30) if dtype == np.float32 else scale
    g = (np.array([[3.0, -4.0], [0.0, 5.0]]) * scale).astype(dtype)
    figure = plot_gradient_flow([{"w": g, "b": 2.0}, {"w": 10 * g, "b": np.full(3, 0.2)}])
    expected = [[math.log10(math.sqrt(12.5)) + math.log10(scale) + k for k in (0, 1)], np.log10([2.0, 0.2])]
    np.testing.assert_allclose(figure.axes[0].images[-1].get_array(), expected, rtol=1e-5)
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["w", "b"]
    assert figure.axes[0].get_xlim() == (0.5, 2.5)
    assert "log₁₀ RMS" in figure.axes[1].get_ylabel()
    assert patches(figure) == []


def test_gradients_without_a_logarithm_have_colours_of_their_own_and_a_note() -> None:
    steps: list[Any] = [{"w": 1.0, "b": 0.0}, {"w": None, "b": np.zeros(2)}, {"b": [math.inf]}, {"b": math.nan, "w": 0}]
    figure = plot_gradient_flow(steps)
    figure.draw_without_rendering()
    *marks, heat = figure.axes[0].images
    assert np.ma.getmaskarray(heat.get_array()).tolist() == [[False, True, True, True], [True] * 4]
    assert patches(figure) == ["no gradient", "gradient 0", "gradient not finite"]
    shown = [mark.get_array()[..., 3] > 0 for mark in marks]
    expected = [[[0, 1, 1, 0], [0] * 4], [[0, 0, 0, 1], [1, 1, 0, 0]], [[0] * 4, [0, 0, 1, 1]]]
    np.testing.assert_array_equal(shown, expected)
    colours = {tuple(mark.get_array()[where][0]) for mark, where in zip(marks, shown, strict=True)}
    assert len(colours) == 3
    assert colours == {matplotlib.colors.to_rgba(c) for c in (GREY, VERMILION, "black")}


def test_nothing_but_zeros_has_no_scale() -> None:
    figure = plot_gradient_flow([{"w": 0.0}])
    figure.draw_without_rendering()
    assert len(figure.axes) == 1
    assert patches(figure) == ["gradient 0"]


def test_a_little_noise_around_0_does_not_take_the_colours() -> None:
    steps = [{"w": 1e-17 if i == 50 else 10.0 ** (-i / 100)} for i in range(100)]
    image = plot_gradient_flow(steps).axes[0].images[-1]
    assert -1 < image.norm.vmin < -0.9
    assert image.colorbar.extend == "min", "an arrow tells that there is less"
    assert image.get_array()[0, 50] == pytest.approx(-17)


@pytest.mark.parametrize("steps", [[], [{}]], ids=str)
def test_no_gradients_at_all_are_refused(steps: Any) -> None:
    with pytest.raises(ValueError, match=r"append gradient_rms\(model\) to a list after each backward"):
        plot_gradient_flow(steps)


# Activations of a model


def facts(axes: Any) -> dict[str, str]:
    names, values = axes.texts[-2:]
    return dict(zip(names.get_text().split("\n"), values.get_text().split("\n"), strict=True))


def test_dead_units_and_saturated_values_are_counted() -> None:
    """Of four units, one is never above 0 and one never below; one has a third of its values there."""
    x = np.array([[-1.0], [1.0], [2.0]])
    layer = nn.Linear(1, 4, rng=rng())
    layer.weight.data, layer.bias.data = np.array([[1.0, 1.0, 0.0, 1.0]]), np.array([-5.0, 5.0, -1e-9, 0.0])
    (axes,) = plot_activations(nn.Sequential(layer, ta.relu), x).axes
    y = np.maximum(x @ layer.weight.data + layer.bias.data, 0)
    assert facts(axes) == {
        "mean": f"{y.mean():.3g}",
        "std": f"{y.std():.3g}",
        "saturated": f"{7 / 12:.1%}",
        "dead units": "2 of 4",
    }


def test_a_histogram_shows_every_value_once_and_saturated_ones_apart() -> None:
    x = np.concatenate([rng(3).normal(size=(200, 2)), np.full((50, 2), 9.0)])
    figure = plot_activations(ta.tanh, x)
    normal, saturated = (sum(bar.get_height() for bar in bars) for bars in figure.axes[0].containers)
    assert saturated == pytest.approx(np.mean(1 / np.cosh(x) ** 2 < 1e-3), abs=1e-12)
    assert normal + saturated == pytest.approx(1)
    assert patches(figure) == ["|f′| ≥ 0.001", "saturated: |f′| < 0.001"]


def test_the_zeros_of_relu_are_cut_with_a_note() -> None:
    axes = plot_activations(ta.relu, np.concatenate([-np.ones(900), np.linspace(0, 1, 100)])[:, None]).axes[0]
    assert axes.get_ylim()[1] < 0.1
    assert axes.texts[0].get_text() == " ↑ 90%"


@pytest.mark.parametrize("op", [sample.op for sample in ELEMENTWISE if "activations" in type(sample.op).__module__])
def test_every_activation_has_its_statistics_in_float32_frozen_or_not(op: Any) -> None:
    model = network(op).astype(np.float32)
    for parameter in model.parameters():
        parameter.requires_grad = False
    figure = plot_activations(model, rng(1).normal(size=(30, 2)).astype(np.float32))
    assert [axes.get_title("left") for axes in figure.axes] == [f"1. {op.name}"]


def test_rows_are_in_the_order_of_the_forward_pass_and_not_endless() -> None:
    model = network(ta.tanh, np.negative, nn.Linear(5, 3), ta.relu, ta.softmax)
    figure = plot_activations(model, rng().normal(size=(9, 2)))
    assert [axes.get_title("left") for axes in figure.axes] == ["1. tanh", "2. relu"]
    long = plot_activations(nn.Sequential(*[ta.tanh] * 50), rng().normal(size=(9, 2)))
    titles = [axes.get_title("left") for axes in long.axes]
    assert (len(titles), titles[0], titles[-1]) == (MOST_ROWS, "1. tanh", "50. tanh")
    assert long.axes[-1].get_xlabel() == f"value ({MOST_ROWS} of 50 shown)"


def test_numpy_functions_count_only_where_there_are_no_others() -> None:
    figure = plot_activations(network(np.sin, np.negative), rng().normal(size=(9, 2)))
    assert [axes.get_title("left") for axes in figure.axes] == ["1. sin", "2. negative"]


def test_values_that_are_not_finite_are_told() -> None:
    figure = plot_activations(ta.relu, np.array([1.0, math.inf, 2.0, 3.0]))
    assert facts(figure.axes[0])["not finite"] == "25.0%"
    assert facts(figure.axes[0])["mean"] == "2"


def test_a_model_of_integers_is_given_integers() -> None:
    table = Tensor(rng().normal(size=(10, 3)))
    figure = plot_activations(lambda i: ta.tanh(table[i]), np.array([1, 2, 3]))
    assert facts(figure.axes[0])["dead units"] == "0 of 3"


@pytest.mark.parametrize("model", [network(), lambda x: 1.0, network(ta.softmax)], ids=["linear", "number", "softmax"])
def test_a_model_without_activations_is_refused(model: Any) -> None:
    with pytest.raises(ValueError, match="no activation is recorded on the way"):
        plot_activations(model, np.ones((2, 2)))


# Decision boundary


SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
SIDES = [0, 1, 0, 1]


def borders(axes: Any) -> Array:
    """The points of the lines where the leading class changes."""
    lines = [c for c in axes.collections if hasattr(c, "levels") and list(c.levels) == [0]]
    return np.concatenate([path.vertices for line in lines for path in line.get_paths()])


def fields(axes: Any) -> list[Any]:
    return [c for c in axes.collections if hasattr(c, "levels") and len(c.levels) == 2]


@pytest.mark.parametrize("threshold", [0.0, 0.25])
def test_one_score_has_its_boundary_where_it_is_the_threshold(threshold: float) -> None:
    figure = plot_decision_boundary(lambda x: x[:, :1] - 0.5, SQUARE, SIDES, 30, threshold)
    axes = figure.axes[0]
    np.testing.assert_allclose(borders(axes)[:, 0], 0.5 + threshold, atol=1e-12)
    left, right = (field.get_paths()[0].vertices for field in fields(axes))
    assert left[:, 0].max() == pytest.approx(0.5 + threshold)
    assert right[:, 0].min() == pytest.approx(0.5 + threshold)


def test_several_scores_have_a_field_for_each_class_that_leads_somewhere() -> None:
    def model(x: Array) -> Array:
        return np.stack([x[:, 0], x[:, 1], 0 * x[:, 0] - 9], axis=1)

    axes = plot_decision_boundary(model, SQUARE, [0, 1, 0, 2], resolution=30).axes[0]
    assert len(fields(axes)) == 2
    np.testing.assert_allclose(*borders(axes).T, atol=1e-12)


def test_the_points_are_drawn_by_class_darker_than_the_field() -> None:
    y = np.array([[-1.0], [1.0], [-1.0], [1.0]])
    figure = plot_decision_boundary(network(ta.tanh, nn.Linear(5, 1)), SQUARE, y, resolution=20)
    points = [c for c in figure.axes[0].collections if len(c.get_offsets()) > 1]
    np.testing.assert_array_equal([np.asarray(c.get_offsets()) for c in points], [SQUARE[::2], SQUARE[1::2]])
    assert patches(figure) == ["class -1", "class 1"]
    assert all(field.get_alpha() < 0.5 for field in fields(figure.axes[0]))
    (left, right), (bottom, top) = figure.axes[0].get_xlim(), figure.axes[0].get_ylim()
    assert left < 0 < 1 < right
    assert bottom < 0 < 1 < top


def test_hidden_maps_are_the_units_over_the_plane() -> None:
    model = network(ta.relu, nn.Linear(5, 1))
    figure = plot_decision_boundary(model, SQUARE, SIDES, resolution=25, hidden=True)
    figure.draw_without_rendering()
    units = [axes for axes in figure.axes if axes.get_title().startswith("unit")]
    assert [axes.get_title() for axes in units] == [f"unit {i}" for i in range(1, 6)]
    columns = np.linspace(-0.15, 1.15, 25)
    grid = np.stack(np.meshgrid(columns, columns), axis=-1)
    expected = np.maximum(grid @ model[0].weight.data + model[0].bias.data, 0)
    for i, axes in enumerate(units):
        np.testing.assert_allclose(axes.images[0].get_array(), expected[..., i], atol=1e-14)
        assert axes.images[0].norm.vmax == expected.max(), "all units are on one scale"
        assert axes.images[0].origin == "lower"


def test_hidden_maps_of_maxout_and_of_many_units_fit() -> None:
    model = nn.Sequential(nn.Maxout(2, 40, rng=rng()), nn.Linear(40, 2, rng=rng()))
    figure = plot_decision_boundary(model, SQUARE, SIDES, resolution=10, hidden=True)
    assert sum(axes.get_title().startswith("unit") for axes in figure.axes) == MOST_UNITS
    assert figure.subfigs[1].get_suptitle() == "16 of 40 units of the first hidden layer"


@pytest.mark.parametrize("x", [SQUARE * [1000, 1], SQUARE[:1], SQUARE.astype(np.float32)], ids=["wide", "one", "f32"])
def test_any_points_can_be_drawn(x: Array) -> None:
    model = network(ta.tanh, nn.Linear(5, 3)).astype(x.dtype)
    figure = plot_decision_boundary(model, x, SIDES[: len(x)], resolution=10)
    figure.draw_without_rendering()
    assert patches(figure) == ["class 0", "class 1", "class 2"]


def test_a_model_that_cannot_decide_has_no_field() -> None:
    axes = plot_decision_boundary(lambda x: 0 * x, SQUARE, SIDES, resolution=10).axes[0]
    assert fields(axes) == []


@pytest.mark.parametrize(
    ("x", "y", "model", "message"),
    [
        (np.ones((4, 3)), SIDES, np.abs, r"points \(n, 2\) with labels y \(n,\), but they are \(4, 3\), \(4,\)"),
        (SQUARE, [0, 1], np.abs, r"\(4, 2\), \(2,\)"),
        (np.ones((0, 2)), [], np.abs, r"\(0, 2\), \(0,\)"),
        (SQUARE, [0, 1, 2, 0], lambda x: x[:, 0], "tells 2 classes apart, but the labels are"),
        (SQUARE, [0, 1, 2, 0], np.abs, "tells 2 classes apart"),
        (SQUARE, SIDES, lambda x: x * math.nan, "scores are not finite"),
    ],
)
def test_data_and_models_that_do_not_fit_are_refused(x: Any, y: Any, model: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plot_decision_boundary(model, x, y, resolution=5)
