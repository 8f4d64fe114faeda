"""What went wrong in a program that runs within `ta.debug()`, and where."""

from .findings import ChangedInPlaceError, NotFiniteError
from .units import Report
from .watch import debug

__all__ = ["ChangedInPlaceError", "NotFiniteError", "Report", "debug"]
