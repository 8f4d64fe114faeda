"""ta.compile: a step that is traced once, and from then on run as the NumPy program it is."""

from __future__ import annotations

import builtins
import functools
import linecache
import threading
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..transforms.linear import differentiating
from .faster import FASTER
from .gradient import GradientReadError
from .passes import EXACT, needed, shortened
from .saved import script
from .source import Style, Writer
from .trace import tracing
from .traced import MISS, Traced

MANY = 16  # programs of one step, from which on something is wrong


class Compiled:
    """A step, with the programs it has become: one for each shape and dtype of what it is given."""

    def __init__(self, step: Callable[..., Any], style: Style = "fast", verbose: bool = False) -> None:
        self.step, self.style, self.verbose = step, style, verbose
        self.variants: list[Variant] = []
        self.lock = threading.RLock()  # the buffers of a program serve one call at a time
        functools.update_wrapper(self, step, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if tracing.now or differentiating.now:  # called by another step, or a function, of which it becomes a part
            return self.step(*args, **kwargs)
        with self.lock:
            for variant in self.variants:
                if variant.called == (len(args), *kwargs):
                    result = variant.entry(*args, **kwargs)
                    if result is not MISS:
                        return result
            variant = Variant(self.step, args, kwargs, self.style)
            self.variants.insert(0, variant)
            if self.verbose:
                print(f"compiled {variant.summary}")
            if len(self.variants) == MANY:
                warnings.warn(
                    f"{variant.summary.partition(':')[0]} was traced {MANY} times, which is slow: something is other "
                    "at each call.\n  Write np.cos instead of math.cos, arrays instead of lists, and pad to one shape.",
                    stacklevel=2,
                )
            del self.variants[2 * MANY :]
            result = variant.entry(*args, **kwargs)
            if result is MISS:
                raise RuntimeError("the step changes what it depends on while it is traced, so it cannot be compiled")
            return result

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __reduce__(self) -> Any:  # a copy traces anew
        return Compiled, (self.step, self.style, self.verbose)

    @property
    def source(self) -> str:
        """The newest program, as plain NumPy."""
        if not self.variants:
            raise RuntimeError("nothing is compiled yet: call the step once, for it to see shapes and dtypes")
        return self.variants[0].source

    def save(self, path: str | Path) -> Path:
        """Write the newest program to a file that needs nothing but NumPy.

        Run as a script, the file checks the gradients in it against finite differences.
        """
        path, _ = Path(path), self.source
        path.write_text(script(self.variants[0].traced, self.variants[0].program, self.style))
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
        self.program = needed(shortened(traced.program, passes))
        given = ", ".join(f"{v.name} {v.dtype}{list(v.shape)}" for v in self.program.inputs if v.dtype != object)
        name = getattr(step, "__name__", type(step).__name__)
        self.summary = f"{name}: {len(self.program.calls)} calls of NumPy, for {given}"
        self.source = Writer(self.program, style, "step").file(f"{name}, as plain NumPy.")
        file = f"<compiled {name} {id(self)}>"
        linecache.cache[file] = (len(self.source), None, self.source.splitlines(True), file)  # for tracebacks
        namespace: dict[str, Any] = {}
        exec(builtins.compile(self.source, file, "exec"), namespace)
        self.traced = traced
        self.entry = traced.entry(self.program, namespace["step"])


def compile(step: Callable[..., Any] | None = None, *, style: Style = "fast", verbose: bool = False) -> Any:
    """The same step, traced once, and from then on run as the plain NumPy program that it is.

    `step` is any function of arrays, numbers and containers of such: a loss, or a whole training step with its
    optimiser. The first call with each new shape or dtype traces it, one line about which is printed if `verbose`.
    What it reads besides its arguments (parameters, the state of optimisers, numbers like `optimizer.lr`, random
    generators, flags) is read anew at each run. It returns arrays where the step returns Tensors. A step that updates a
    parameter leaves no gradient behind. Called in another step, or in a function that is differentiated, it runs as a
    part of that. Its `source` is the program; `style="teaching"` prints it as a book would.

    Raises TraceError, a TypeError, where the step needs the numbers themselves: a branch on a traced value, `.item()`,
    `print`. Without `step` it is a decorator.

    >>> from tinygrad_act import Tensor
    >>> w = Tensor([1.0, 2.0], name="w")
    >>> @compile(style="teaching")
    ... def step(x):
    ...     loss = np.sum((w * x) ** 2)
    ...     w.zero_grad()
    ...     loss.backward()
    ...     w.data -= 0.1 * w.grad
    ...     return loss
    >>> float(step(np.ones(2))), float(step(np.ones(2)))
    (5.0, 3.2000000000000006)
    >>> "w -= 0.1 * d_w" in step.source
    True
    """
    return functools.partial(compile, style=style, verbose=verbose) if step is None else Compiled(step, style, verbose)


__all__ = ["Compiled", "compile", "np"]
