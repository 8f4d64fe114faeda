"""Pictures of the graph that the engine walks."""

from .dot import to_graphviz

__all__ = ["to_graphviz"]
