"""ta.compile: trace a step, shorten the trace, print it as NumPy source, run that."""

from .compiled import Compiled, compile
from .graph import backward_source
from .trace import TraceError

__all__ = ["Compiled", "TraceError", "backward_source", "compile"]
