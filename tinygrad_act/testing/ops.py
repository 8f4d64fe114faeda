"""check_op: whether an op of yours obeys the laws that ours do."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import OPS as OPS
from ..op import Array, Elementwise, Op
from . import laws


def check_op(op: Op, *inputs: Any) -> None:
    """Hold an op to the laws that guard every op of this package; AssertionError with all that it breaks.

    The float arrays among `inputs` are differentiated; choose some away from kinks and ties. An Elementwise op needs
    none, and is tried on points within its domain. The laws, in `testing.laws.LAWS`, are of its first three
    derivatives, dtype and memory, of the compiler, pictures and copies, and for an Elementwise op also of kinks, nan
    and the extremes. TypeError if there is nothing to try it on.

    >>> check_op(OPS["tanh"])
    >>> check_op(OPS["multiply"], np.array([[1.0], [2.0]]), np.array([3.0, 4.0]))
    """
    inputs = inputs or default_inputs(op)
    if not laws.differentiable(op, inputs):
        raise TypeError(
            f"check_op: none of the inputs to {op.name} is an array of floats that it has a rule for.\n"
            f"  Write check_op({op!r}, np.array([0.5, -1.2])), and vjp_<input> in the class for each input."
        )
    applying = laws.LAWS if isinstance(op, Elementwise) else laws.OF_ALL
    broken: dict[str, list[Any]] = {}  # by what is said, which of an error may be the same for many
    for law in applying:
        if told := said_by(law, op, inputs):
            broken.setdefault(told, []).append(law)
    if broken:
        count = sum(map(len, broken.values()))
        parts = "\n\n".join(part(told, some) for told, some in broken.items())
        raise AssertionError(f"{op!r} breaks {count} of {len(applying)} laws:\n\n{parts}")


def said_by(law: Any, op: Op, inputs: laws.Inputs) -> str:
    """What an op does against a law, which an error in it breaks too; nothing if it obeys."""
    try:
        law(op, inputs)
    except Exception as error:  # whatever the user's own code raises
        kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
        return f"{kind}{error}".strip() or "it does not hold"
    return ""


def part(told: str, broken: list[Any]) -> str:
    """The law that is broken, what is said of it, and of how many others the same is said."""
    law, *others = broken
    lines = [f"- {law.__name__.replace('_', ' ')} ({(law.__doc__ or '').partition(chr(10))[0]})"]
    lines += [f"    {line}" for line in told.splitlines() if line]
    return "\n".join([*lines, *([f"    The same of {len(others)} other laws."] if others else [])])


def default_inputs(op: Op) -> tuple[Array, ...]:
    """Points within the domain of an elementwise op, away from its kinks and from 0. TypeError for any other op."""
    if not isinstance(op, Elementwise):
        example = ", ".join(f"np.array([{0.5 + i}, {-1.2 - i}])" for i in range(len(op.arguments)))
        raise TypeError(
            f"check_op({op!r}) needs inputs to try it on, as only an Elementwise op has some by itself.\n"
            f"  Write check_op({op!r}, {example}), of the shapes it takes."
        )
    points = np.array([-2.713, -1.386, -0.917, -0.441, -0.173, 0.128, 0.319, 0.563, 0.871, 1.294, 1.873, 3.149])
    low, high = op.domain
    inside = points[(points > low + 0.05) & (points < high - 0.05)]
    return (inside[[all(abs(x - kink.at) > 0.01 for kink in op.kinks) for x in inside]],)
