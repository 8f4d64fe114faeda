"""ta.compile: a step that is traced once, and from then on run as the NumPy program it is."""

from __future__ import annotations

import functools
import linecache
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .faster import FASTER
from .passes import EXACT, shortened
from .program import Program
from .source import Style, written
from .state import GradientReadError
from .traced import MISS, Traced


class Compiled:
    """A step, with the programs it has become: one for each shape and dtype of what it is given."""

    def __init__(self, step: Callable[..., Any], style: Style = "fast", verbose: bool = False) -> None:
        self.step, self.style, self.verbose = step, style, verbose
        self.variants: list[Variant] = []
        functools.update_wrapper(self, step, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        for variant in self.variants:
            if variant.called == (len(args), *kwargs):
                result = variant.entry(*args, **kwargs)
                if result is not MISS:
                    return result
        variant = Variant(self.step, args, kwargs, self.style)
        self.variants.insert(0, variant)
        if self.verbose:
            print(f"compiled {variant.summary}")
        result = variant.entry(*args, **kwargs)
        if result is MISS:
            raise RuntimeError("the step is given something else each time it is looked at; this is a bug of ours")
        return result

    @property
    def source(self) -> str:
        """The newest program, as plain NumPy."""
        if not self.variants:
            raise RuntimeError("nothing is compiled yet: call the step once, for it to see shapes and dtypes")
        return self.variants[0].source

    def save(self, path: str | Path) -> Path:
        """Write the newest program to a file that needs nothing but NumPy."""
        path = Path(path)
        path.write_text(self.source)
        return path


class Variant:
    """One program of a step, good for the shapes, the dtypes and the conditions that it was traced with."""

    def __init__(self, step: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], style: Style) -> None:
        self.called = (len(args), *kwargs)
        try:
            traced = Traced(step, args, kwargs, read_gradients=False)
        except GradientReadError:
            traced = Traced(step, args, kwargs, read_gradients=True)
        passes = EXACT if style == "teaching" else (*EXACT, *FASTER)
        self.program = with_needed_inputs(shortened(traced.program, passes))
        given = ", ".join(f"{v.name} {v.dtype}{list(v.shape)}" for v in self.program.inputs if v.dtype != object)
        name = getattr(step, "__name__", type(step).__name__)
        self.summary = f"{name}: {len(self.program.calls)} calls of NumPy, for {given}"
        self.source, namespace = written(self.program, style, f"{name}, as plain NumPy.")
        file = f"<compiled {name} {id(self)}>"
        linecache.cache[file] = (len(self.source), None, self.source.splitlines(True), file)  # for tracebacks
        namespace = dict(namespace)
        exec(compile(self.source, file, "exec"), namespace)
        self.entry = traced.entry(self.program, namespace["step"])


def with_needed_inputs(program: Program) -> Program:
    """Ask only for what is read or written."""
    read = {v for call in program.calls for v in call.inputs()} | set(program.wanted()) | set(program.writes)
    text = repr([(call.args, call.kwargs) for call in program.calls] + [program.outputs])
    inputs = [v for v in program.inputs if v in read]
    numbers = [n for n in program.numbers if n in text]
    return Program(inputs, numbers, program.calls, program.outputs, program.writes)


__all__ = ["Compiled", "np"]
