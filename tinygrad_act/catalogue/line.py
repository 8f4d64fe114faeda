"""An op as a function of one number, which can be drawn and measured."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..op import Array, Elementwise, Op
from ..tensor import Tensor
from ..transforms import gradients


@dataclass(frozen=True)
class Line:
    """`f` takes an array or a Tensor of numbers, each by itself; `said` is what of the op it shows, if not all."""

    f: Callable[[Any], Any]
    slope: Callable[[Array], Array]  # f' of an array, by the op's rule
    kinks: tuple[float, ...] = ()
    domain: tuple[float, float] = (-math.inf, math.inf)
    said: str = ""

    @property
    def near(self) -> float:
        """Up to where details are looked for: 20, or twice as far as the kinks are."""
        return max([20.0, *(2 * abs(kink) for kink in self.kinks)])

    def curves(self, x: Array, order: int = 2) -> Array:
        """f and its derivatives up to this order, by the op's own rule, in rows."""
        t = Tensor(x)
        found = [self.f(t)]
        for _ in range(order):
            found.append(gradients(found[-1], t, np.ones_like(x)))
        return np.stack([y.data for y in found])


def line_of(op: Op) -> Line | None:
    """The op at the start of what it learns, or of two numbers of which one is held; None if it is no such function.

    >>> from ..op import OPS
    >>> line_of(OPS["softmax"]).said
    'the first of softmax(x, 0)'
    >>> line_of(OPS["softmax"]).f(np.array([0.0]))
    array([0.5])
    """
    if not isinstance(op, Elementwise) and not op.learned:
        return _of_pairs(op) if hasattr(op, "axis") and len(op.arguments) == 1 and not op.variadic else None
    start = [np.asarray(op.learned[name], float) for name in op.arguments[1:]]
    said = ", ".join(f"{name} = {plain(value)}" for name, value in op.learned.items())
    if len(op.learned) > 4:
        said = "the start of what it learns"
    return Line(
        lambda x: op(x, *start),
        lambda x: op.vjp(0, np.ones_like(x), op(x, *start), x, *start),
        tuple(kink.at for kink in op.kinks if abs(kink.at) < 1e100),
        getattr(op, "domain", (-math.inf, math.inf)),
        said and f"at {said}",
    )


def _of_pairs(op: Op) -> Line | None:
    """An op of rows, as a function of one of two numbers."""
    if getattr(op, "axis", None) != -1:
        return None
    shape = np.shape(op(np.array([[1.0, 0.0], [2.0, 0.0]])))
    if shape == (2, 2):
        return _line(lambda x: op(_pairs(x, 0.0, 0))[..., 0], f"the first of {op.name}(x, 0)")
    if shape == (2,):
        return _line(lambda x: op(_pairs(x, 0.0, 0)), f"{op.name}(x, 0)")
    if shape == (2, 1):
        return _line(lambda x: op(_pairs(x, 1.0, 1))[..., 0], f"{op.name}(1, x), of two halves")
    return None


def _line(f: Callable[[Any], Any], said: str) -> Line:
    def slope(x: Array) -> Array:
        t = Tensor(x)
        found: Array = gradients(f(t), t, np.ones_like(x)).data
        return found

    return Line(f, slope, said=said)


def _pairs(x: Any, held: float, place: int) -> Any:
    """Rows of two, x at this place and what is held at the other."""
    parts = [np.reshape(x, (-1, 1)), np.full((x.size, 1), held)]
    return np.concatenate(parts if place == 0 else parts[::-1], axis=-1)


def plain(x: Any, digits: int = 4) -> str:
    """A number as it is printed in a text.

    >>> plain(-0.25), plain(1e-20), plain(math.inf)
    ('−0.25', '0', '∞')
    """
    if isinstance(x, list | tuple | np.ndarray):
        return f"({', '.join(plain(v, digits) for v in np.ravel(x))})"
    if isinstance(x, bool | str) or x is None:
        return str(x)
    if math.isnan(x):
        return "none"
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    if abs(x) < 1e-12:
        return "0"
    return f"{float(x):.{digits}g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e").replace("-", "−")
