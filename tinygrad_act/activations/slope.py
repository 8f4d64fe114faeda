"""Derivatives that are ops of their own, because composing them of other ops would lose digits."""

from __future__ import annotations

from ..op import Elementwise


class Slope(Elementwise):
    """What an activation's rule evaluates: an op like any, but none that people choose for their network."""
