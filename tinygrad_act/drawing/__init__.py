"""Pictures and explanations of the graph that the engine walks, and plots of what networks do."""

from .explain import explain
from .export import RenderError
from .lines import lines_noted
from .page import StepThrough, step_through
from .picture import Drawing, draw
from .plot_models import plot_activations, plot_decision_boundary
from .plots import gradient_rms, plot_activation, plot_gradient_flow, plot_history

__all__ = [
    "Drawing",
    "RenderError",
    "StepThrough",
    "draw",
    "explain",
    "gradient_rms",
    "lines_noted",
    "plot_activation",
    "plot_activations",
    "plot_decision_boundary",
    "plot_gradient_flow",
    "plot_history",
    "step_through",
]
