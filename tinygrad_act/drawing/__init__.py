"""Pictures and explanations of the graph that the engine walks."""

from .export import RenderError
from .picture import Drawing, draw

__all__ = ["Drawing", "RenderError", "draw"]
