"""The places that a step reads and writes: where they are, what stands in them during a trace, and what was there."""

from __future__ import annotations

import builtins
import keyword
import types
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..op import Node
from .program import RESERVED, Value
from .trace import Trace


@dataclass(eq=False)
class Place:
    """Where something is kept: `read` is the Python that reads it, in terms of the containers by their names."""

    read: str
    name: str
    original: Any
    standin: Any
    tensor: Node | None = None  # whose data or gradient it is
    value: Any = None  # what stands for it in the program


@dataclass
class Places:
    """All of them, the conditions under which they are all there is, and how to put everything back."""

    trace: Trace
    containers: dict[str, Any] = field(default_factory=dict)
    arrays: list[Place] = field(default_factory=list)
    numbers: list[Place] = field(default_factory=list)
    generators: list[Place] = field(default_factory=list)
    gradients: list[Place] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)
    undo: list[Any] = field(default_factory=list)
    seen: dict[int, Any] = field(default_factory=dict)
    names: set[str] = field(default_factory=lambda: {*RESERVED, *keyword.kwlist, *dir(builtins)})
    container_names: dict[int, str] = field(default_factory=dict)
    snapshots: list[tuple[Any, Any, str]] = field(default_factory=list)  # what lists and dicts held, and whose they are
    wholes: list[tuple[Any, Any, str]] = field(default_factory=list)  # and what is compared as a whole
    attributes: list[tuple[Any, str, Any]] = field(default_factory=list)  # the same of classes and slots
    overlaps: list[tuple[Place, Place]] = field(default_factory=list)  # arrays that share memory

    def unique(self, name: str) -> str:
        """An identifier like this name that nothing else has."""
        name = "".join(c if c.isalnum() and c.isascii() else "_" for c in name).strip("_") or "x"
        name = f"x_{name}" if name[0].isdigit() else name
        found, n = name, 2
        while found in self.names:
            found, n = f"{name}_{n}", n + 1
        self.names.add(found)
        return found

    def container(self, x: Any) -> str:
        """A name by which generated code knows a container."""
        if id(x) not in self.container_names:
            self.container_names[id(x)] = name = f"_holder_{len(self.containers)}"
            self.containers[name] = x
        return self.container_names[id(x)]

    def array(self, x: np.ndarray[Any, Any], read: str, name: str, tensor: Node | None) -> Any:
        place = Place(read, name if name == read else self.unique(name), x, None, tensor)
        flags = x.flags
        order = "C" if flags.c_contiguous else "F" if flags.f_contiguous else "K"
        place.value = Value(x.shape, x.dtype, place.name, weight=4, order=order)
        for other in self.arrays:
            if np.may_share_memory(x, other.original):
                self.overlaps.append((place, other))
        place.standin = self.trace.tracer(x.copy(order="K"), place.value)
        self.seen[id(x)] = place
        self.arrays.append(place)
        return place.standin

    def same(self, x: Any, read: str) -> None:
        """The trace is good as long as this very object stands here."""
        if not isinstance(x, types.ModuleType):
            if isinstance(x, str):
                self.conditions.append(f"{read} == {x!r}")
            else:
                constant = repr(x) if x is None or isinstance(x, bool) else self.container(x)
                self.conditions.append(f"{read} is {constant}")

    def check_structure(self) -> None:
        """Refuse a step that changes more than arrays and numbers."""
        for a, b in self.overlaps:
            for place, other in ((a, b), (b, a)):
                if place.standin.value is not place.value:
                    self.trace.refuse(f"{place.name}, which is written to, shares memory with {other.name}; copy one")
        lifted = {id(place.standin) for place in (*self.arrays, *self.numbers, *self.generators)}
        for x, name, before in self.attributes:
            if getattr(x, name, None) is not before and id(before) not in lifted:
                self.trace.refuse(f"the step replaces {name}, which is no array and no number; return it instead")
        for whole, before, name in self.wholes:
            if whole != before:
                whole.clear()
                whole.update(before) if isinstance(whole, set) else whole.extend(before)
                self.trace.refuse(f"the step changes what {name} holds, which a compiled one cannot; return it instead")
        for container, before, name in self.snapshots:
            items = list(container.items() if isinstance(container, dict) else enumerate(container))
            known = dict(before.items() if isinstance(before, dict) else enumerate(before))
            if len(items) != len(known):
                self.trace.refuse(
                    f"the step changes how much {name or 'an object'} holds, which a compiled one cannot: "
                    f"{[key for key, _ in items if key not in known]!r} is new; return it from the step instead"
                )
            for key, item in items:
                if item is not known[key] and id(known[key]) not in lifted:
                    self.trace.refuse(
                        f"the step replaces {name + '.' if name else ''}{key}, which is no array and no number, so a "
                        "compiled one cannot; return the new value from the step instead"
                    )

    def restore(self) -> None:
        """Put everything back."""
        for container, before, _ in self.snapshots:
            if len(container) != len(before):
                container.clear()
                container.update(before) if isinstance(container, dict) else container.extend(before)
        for undo in reversed(self.undo):
            undo()
        self.undo.clear()
        self.snapshots.clear()

    def forget(self) -> None:
        """Let go of the stand-ins, and of the copies of arrays that they hold."""
        self.seen.clear()
        for place in (*self.arrays, *self.numbers, *self.generators, *self.gradients):
            place.standin = None
