"""Which units of an activation are dead or saturated, on all that they were given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..drawing.diagnosis import CURES
from ..drawing.graph import number
from ..drawing.wording import columns
from ..op import Array, Elementwise

FLAT, MOST = 1e-3, 0.99  # a unit is saturated if its slope is below FLAT for at least this share of the samples


def is_activation(op: Any) -> bool:
    """Whether an op is an activation, of the catalogue or the user's, and none of NumPy's functions."""
    return isinstance(op, Elementwise) and ".ops." not in type(op).__module__


def axis_of(y: Array) -> int:
    """The axis whose places are units."""
    return 1 if y.ndim == 4 else max(y.ndim - 1, 0)


@dataclass
class Units:
    """The units of one call of an activation: those of the last axis, or of images (4 axes) the channels, axis 1."""

    op: Elementwise
    place: str  # module, file and line
    samples: int = 0
    zero: Array = 0  # the number of samples for which the slope of each unit is 0
    flat: Array = 0  # or below FLAT

    def add(self, y: Array, x: Array) -> None:
        """Count some more samples."""
        slope = np.abs(np.broadcast_to(np.asarray(self.op.derivative(y, x), np.float64), y.shape))
        rows = (
            np.moveaxis(slope, axis_of(y), -1).reshape((-1, y.shape[axis_of(y)])) if y.ndim else slope.reshape((1, 1))
        )
        self.samples += len(rows)
        self.zero = self.zero + (rows == 0).sum(axis=0)
        self.flat = self.flat + (rows < FLAT).sum(axis=0)

    @property
    def dead(self) -> float:
        """The share of units whose slope is 0 for every sample: they do not learn."""
        return float(np.mean(np.equal(self.zero, self.samples)))

    @property
    def saturated(self) -> float:
        """The share of the others whose slope is next to 0 for nearly all samples."""
        flat = np.greater_equal(self.flat, MOST * self.samples) & np.less(self.zero, self.samples)
        return float(np.mean(flat))

    @property
    def cure(self) -> str:
        """What helps, or nothing if nothing has to be done."""
        if not (self.dead or self.saturated):
            return ""
        return CURES["dead" if self.dead and self.op.kinks else "saturated"]


@dataclass(eq=False, repr=False)
class Report:
    """What `ta.debug()` saw of the activations: `units`, one of each call in the program, which it prints as a table.

    >>> from tinygrad_act import Tensor, relu
    >>> from tinygrad_act.debugging import debug
    >>> with debug() as report:
    ...     y = relu(Tensor([[-1.0, 1.0], [-2.0, 2.0]]))
    >>> report.units[0].dead, report.units[0].samples
    (0.5, 2)
    """

    _found: dict[Any, Units] = field(default_factory=dict)

    @property
    def units(self) -> list[Units]:
        """In the order of their first calls."""
        return list(self._found.values())

    def add(self, key: Any, op: Elementwise, place: str, y: Array, x: Array) -> None:
        """Count the samples of one call."""
        if not y.size:
            return
        self._found.setdefault((key, y.ndim, y.shape[axis_of(y) :][:1]), Units(op, place)).add(y, x)

    def __str__(self) -> str:
        if not self.units:
            return "no activation ran"
        rows: list[tuple[str, ...]] = [("activation", "units", "samples", "dead", "saturated", "where")]
        for u in self.units:
            shares = (f"{number(100 * share, 3)} %" for share in (u.dead, u.saturated))
            rows.append((u.op.name, f"{np.size(u.zero):,}", f"{u.samples:,}", *shares, u.place))
        cures = [f"{u.op.name}, {u.place}\n  Cure: {u.cure}" for u in self.units if u.cure]
        return "\n".join([*columns(rows), *([""] if cures else []), *cures])

    __repr__ = __str__
