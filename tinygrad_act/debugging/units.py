"""Which units of an activation are dead or saturated, on all that they were given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..activations.glu import CReLU, GatedUnit, halves
from ..activations.maxout import Maxout
from ..drawing.diagnosis import CURES
from ..drawing.graph import number
from ..drawing.wording import columns
from ..op import Array, Elementwise, Op

FLAT, MOST = 1e-3, 0.99  # a unit is saturated if its slope is below FLAT for at least this share of the samples
NEVER = "take fewer pieces, or other initial weights; as it is, some are never the greatest, and learn nothing"
CLOSED = "take a smoother gate (swiglu, geglu), a smaller learning rate or smaller initial weights; it is never open"


def slopes_of(op: Op, y: Array, inputs: list[Any]) -> tuple[Array, int] | None:
    """The slope of each unit of an activation at each sample, and the axis of the units; None for any other op.

    Of an op that learns it is the slope in x, of a gated unit that of its gate, and of maxout 0 for a piece that is not
    the greatest. NumPy's functions are no activations, and those of rows, as softmax is, have no units of their own.
    """
    if isinstance(op, GatedUnit):
        _, b = halves(op, inputs[0], op.axis)
        return np.broadcast_to(op.gate.derivative(op.gate(b), b), b.shape) * 1.0, op.axis
    elementwise = isinstance(op, Elementwise) and ".ops." not in type(op).__module__
    if not (elementwise or op.learned or isinstance(op, CReLU | Maxout)):
        return None
    i = next(i for i, argument in enumerate(op.arguments) if argument not in op.learned)
    slopes = np.asarray(op.vjp(i, np.ones_like(y), y, *inputs), np.float64)
    slopes = np.broadcast_to(slopes, y.shape) if elementwise else slopes
    return slopes, 1 if slopes.ndim == 4 and not isinstance(op, Maxout) else -1


@dataclass
class Units:
    """The units of one call of an activation: those of the last axis, or of images (4 axes) the channels, axis 1."""

    op: Op
    place: str  # module, file and line
    samples: int = 0
    zero: Array = 0  # the number of samples for which the slope of each unit is 0
    flat: Array = 0  # or below FLAT

    def add(self, rows: Array) -> None:
        """Count some more samples: a row for each, with the slopes of the units."""
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
        if isinstance(self.op, Maxout):
            return NEVER
        bent: Any = self.op.gate if isinstance(self.op, GatedUnit) else self.op
        if not (self.dead and bent.kinks) or _is_flat_on_both_sides(bent):
            return CURES["saturated"]
        return CLOSED if bent is not self.op else CURES["dead"]


def _is_flat_on_both_sides(op: Op) -> bool:
    """Whether it is cut off, as hard_tanh is, and not half open, as relu is."""
    far = np.array([-1e3, 1e3])
    return isinstance(op, Elementwise) and not np.any(op.derivative(op(far), far))


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

    def add(self, key: Any, op: Op, place: str, slopes: Array, axis: int) -> None:
        """Count the samples of one call. The pieces of a maxout are units of their own."""
        if not slopes.size:
            return
        rows = np.abs(np.moveaxis(slopes, axis, -1) if slopes.ndim else slopes.reshape(1))
        if isinstance(op, Maxout) and rows.ndim > 2:
            rows = rows.reshape((*rows.shape[:-2], -1))
        rows = rows.reshape((-1, rows.shape[-1]))
        self._found.setdefault((key, slopes.ndim, rows.shape[1]), Units(op, place)).add(rows)

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
