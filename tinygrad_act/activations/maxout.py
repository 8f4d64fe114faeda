"""Maxout: the greatest of several pieces."""

from __future__ import annotations

from dataclasses import dataclass

from ..op import OfFloats, register
from ..ops.reduce import Axis, Max


@dataclass(frozen=True)
class Maxout(Max, OfFloats):
    """The greatest of the pieces along `axis` (Goodfellow et al., 2013, arXiv:1302.4389; document, section Maxout).

    The document prints no derivative: ours goes to the winner, and ties share it evenly.

    >>> maxout([[1.0, 5.0], [3.0, 4.0]])
    array([5., 4.])
    """

    axis: Axis = -1
    formula = r"\max\{x_1, \dots, x_n\}"
    range = "(−∞, ∞); one of the pieces"


maxout = register(Maxout())
