"""The reason for the package: every activation, a block each, by family.

An op is found by its name, its class by the class's name, here and in `tinygrad_act`: writing it is all it takes.
"""

from typing import Any

from ..op import OPS
from . import (
    gates,
    glu,
    learned,
    maxout,
    rational,
    rectifiers,
    shrink,
    sigmoidal,
    simplex,
    smooth,
    softmax,
    steps,
    waves,
)
from .names import activation, catalogue

FAMILIES = (
    rectifiers,
    smooth,
    gates,
    sigmoidal,
    shrink,
    waves,
    steps,
    learned,
    rational,
    glu,
    softmax,
    simplex,
    maxout,
)


def _members() -> dict[str, Any]:
    """Every op of the families by name, and their classes."""
    named: dict[str, Any] = {}
    for family in FAMILIES:
        ops = [op for op in OPS.values() if type(op).__module__ == family.__name__]
        named |= {op.name: op for op in ops} | {type(op).__name__: type(op) for op in ops}
    return named


def __getattr__(name: str) -> Any:
    try:
        return _members()[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


__all__ = ["activation", "catalogue", *_members()]
