"""A program as a file that runs with NumPy alone, and that can check itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from .notation import literal
from .passes import EXACT, needed, shortened
from .program import Program
from .source import Style, Writer
from .traced import Traced

CHECK = '''

def example():
    """What to call the functions with: as large as what the step was traced with, and much like it."""
    rng = np.random.default_rng(0)
    return {
        @EXAMPLE@
    }


def check():
    """Compare the gradients with central differences along one direction each."""
    given = example()
    loss, *gradients = loss_and_gradients(**example())
    wrong = []
    for name, gradient in zip([@NAMES@], gradients):
        eps = float(np.finfo(gradient.dtype).eps)
        size = float(np.linalg.norm(gradient))
        direction = np.random.default_rng(1).standard_normal(gradient.shape)
        direction = (direction / np.linalg.norm(direction) + gradient / (size or 1)).astype(gradient.dtype)
        h = eps ** (1 / 3)
        ahead = loss_and_gradients(**{**example(), name: given[name] + h * direction})[0]
        behind = loss_and_gradients(**{**example(), name: given[name] - h * direction})[0]
        numeric, analytic = (float(ahead) - float(behind)) / (2 * h), float((gradient * direction).sum())
        allowed = 300 * eps ** (2 / 3) * size + 20 * eps * abs(float(loss)) / h
        print(f"{name}: along one direction {analytic:.6g}, by differences {numeric:.6g}")
        if not abs(numeric - analytic) <= allowed:
            wrong.append(name)
    if wrong:
        raise SystemExit(f"the gradient is wrong of: {', '.join(wrong)}")
    print("the gradients agree")


if __name__ == "__main__":
    check()
'''


def script(traced: Traced, program: Program, style: Style) -> str:
    """The step, and if it walks back also its loss and gradients, with a check of these."""
    step = Writer(program, style, "step")
    parts = ['"""A training step in plain NumPy. Run as a script, the file checks its own gradients."""', ""]
    parts += [*step.head(), "", "", *step.lines]
    roots = list(traced.trace.roots)
    gradients = {v: g for v, g in traced.gradients.items() if v.name}
    if len(roots) != 1 or not gradients:  # gradients of several losses cannot be told apart
        return "\n".join([*parts, ""])
    whole = traced.program
    alone = Program(whole.inputs, whole.numbers, whole.calls, (roots[0], list(gradients.values())), {})
    alone = needed(shortened(alone, EXACT))
    check = Writer(alone, "teaching", "loss_and_gradients", set(step.constants) | {h.name for h in step.memory.buffers})
    values = {place.name: place.original for place in (*traced.state.arrays, *traced.state.numbers)}
    given = [f'"{v.name}": {_example(values.get(v.name))},' for v in alone.inputs]
    given += [f'"{name}": {_number(values[name])},' for name in alone.numbers]
    text = CHECK.replace("@EXAMPLE@", "\n        ".join(given))
    text = text.replace("@NAMES@", ", ".join(f'"{v.name}"' for v in gradients))
    return "\n".join([*parts, *check.preamble(), "", "", *check.lines, text])


def _number(x: Any) -> str:
    text = repr(x)
    return f'float("{text}")' if text in ("inf", "-inf", "nan") else text


def _example(a: Any) -> str:
    """An array that is much like this one, in Python; a generator, if it was one."""
    if not isinstance(a, np.ndarray):
        return "np.random.default_rng(2)"
    if a.size > 4096 and a.dtype.kind in "iu":
        return f"rng.integers({a.min()}, {a.max() + 1}, {a.shape}).astype(np.{a.dtype})"
    if a.size <= 64 or a.dtype.kind != "f":
        return literal(a)
    return f"rng.normal({a.mean():.4g}, {a.std() or 1:.4g}, {a.shape}).astype(np.{a.dtype})"
