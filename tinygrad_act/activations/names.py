"""Activations by name, as people write them: "gelu", "Leaky-ReLU", "swish"."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterator
from typing import Any

from ..op import OPS, Op
from .slope import Slope

# elementary functions that serve as activations too, with the names that others have for them
ELEMENTARY: dict[str, tuple[str, ...]] = {
    "exp": ("exponential",),
    "arctan": ("atan",),
    "sin": (),
    "gaussian": ("rbf",),
    "erf": (),
}


def activation(op: str | Op, **settings: Any) -> Op:
    """The op of this name, or one of its other names, with these settings; an op is itself.

    Capitals, spaces, hyphens and underscores do not matter. ValueError for a name that is no activation's, with those
    that are like it; TypeError for a setting that the op has not.

    >>> activation("Leaky-ReLU", alpha=0.2)
    LeakyReLU(alpha=0.2)
    >>> activation("swish")
    SiLU()
    """
    if not isinstance(op, str | Op):
        raise TypeError(f"an activation is a name, such as 'gelu', or an op, such as ta.gelu, not {op!r}")
    found = op if isinstance(op, Op) else find(op)
    if found is None:
        raise ValueError(_unknown(str(op)))
    if not settings:
        return found
    fields = [f.name for f in dataclasses.fields(found) if f.repr] if dataclasses.is_dataclass(found) else list[str]()
    for name in settings:
        if name not in fields:
            raise TypeError(_no_setting(found, name, fields))
    dataclass: Any = found
    changed: Op = dataclasses.replace(dataclass, **settings)
    return changed


def find(name: str) -> Op | None:
    """The activation of this name, if there is one."""
    return next((op for op in catalogue().values() if _key(name) in map(_key, names_of(op))), None)


def catalogue() -> dict[str, Op]:
    """Every activation by name, at its defaults, a family after the other: those of this package, of the user, and a
    few elementary functions.

    >>> list(catalogue())[:2]
    ['identity', 'sigmoid']
    """
    families = list(dict.fromkeys(type(op).__module__ for op in _activations()))
    ordered = sorted(_activations(), key=lambda op: families.index(type(op).__module__))
    return {op.name: op for op in [*ordered, *(OPS[name] for name in ELEMENTARY)]}


def names_of(op: Op) -> tuple[str, ...]:
    """What an op can be called: its name, and its aliases."""
    return (op.name, *op.aliases, *ELEMENTARY.get(op.name, ()))


def _activations() -> Iterator[Op]:
    """Every registered op but the elementary ones, the losses, and those that are only somebody's derivative."""
    package = __name__.split(".")[0]
    others = tuple(f"{package}.{room}" for room in ("ops", "losses"))
    return (op for op in OPS.values() if not type(op).__module__.startswith(others) and not isinstance(op, Slope))


def _key(name: str) -> str:
    return re.sub(r"[\s_-]", "", name.lower())


def _unknown(name: str) -> str:
    """What to tell who asks for a name that no activation has."""
    known = {_key(other): other for op in catalogue().values() for other in names_of(op)}
    near = [repr(known[key]) for key in difflib.get_close_matches(_key(name), known)]
    refused = f"{name!r} is an op, but no activation." if name in OPS else f"no activation is called {name!r}."
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    if _key(name) == "rrelu":
        hint = " It draws its slopes, so it is a layer: nn.RReLU(rng=...)."
    return (
        f"{refused}{hint}\n  ta.activations.catalogue() has them all; an op of your own is one once it is registered."
    )


def _no_setting(op: Op, name: str, fields: list[str]) -> str:
    if name in op.learned:
        return f"{op.name} learns {name}: nn.Learned({op.name!r}, {name}=...) makes a layer that starts with it"
    learns = f"it learns {', '.join(op.learned)}, and " if op.learned else "it "
    has = f"has the settings {', '.join(fields)}" if fields else "has no settings"
    return f"{op.name} has no setting {name!r}: {learns}{has}"
