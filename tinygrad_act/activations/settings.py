"""What the parameters of activations must be."""

from __future__ import annotations

from ..op import Op


def require(op: Op, holds: bool, what: str) -> None:
    """ValueError if a parameter is one for which the op is no such function any more."""
    if not holds:
        raise ValueError(f"{op!r}: {what}")
