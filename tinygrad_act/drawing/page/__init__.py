"""The step-through page: one file, made here, that shows backpropagation step by step in a browser."""

from .page import StepThrough, step_through

__all__ = ["StepThrough", "step_through"]
