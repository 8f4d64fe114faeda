"""Data to learn from: real digits, toy sets whose boundaries can be drawn, and batches."""

from .batches import batches
from .digits import Split, digits
from .toys import blobs, circles, curve, moons, spirals, xor

__all__ = ["Split", "batches", "blobs", "circles", "curve", "digits", "moons", "spirals", "xor"]
