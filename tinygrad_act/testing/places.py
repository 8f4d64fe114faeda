"""Where a function is differentiated: at which elements, and in which directions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..op import Array
from .problem import Arrays

DIRECTIONS = 2  # at random, of each argument of which not all elements are looked at


@dataclass
class Place:
    """A direction in which to differentiate: that of one element of one argument, or of several at once."""

    along: dict[int, Array]  # by the number of the argument
    step: float
    kind: str = ""
    own: float = 0.1  # the step in proportion to the number, however small or large that is

    @property
    def count(self) -> int:
        return sum(int(np.count_nonzero(d)) for d in self.along.values())

    @property
    def weight(self) -> float:
        return sum(float(np.abs(d).sum()) for d in self.along.values())

    @property
    def length(self) -> float:
        return max((float(np.abs(d).max()) for d in self.along.values() if d.size), default=0.0)

    def of(self, arrays: Arrays) -> float:
        """The derivative in this direction, by a gradient."""
        return float(sum(np.sum(arrays[k] * d) for k, d in self.along.items()))

    def smaller(self, parts: int) -> Iterator[Place]:
        """Parts of it, and it without each of them."""
        members = np.concatenate([np.flatnonzero(d) + 1j * k for k, d in self.along.items()])
        chosen = np.array_split(members, parts)
        for some in [*chosen, *(np.setdiff1d(members, part) for part in chosen if parts > 2)]:
            along = {k: np.zeros_like(d) for k, d in self.along.items()}
            for k, d in along.items():
                flat = some.real[some.imag == k].astype(int)
                d.flat[flat] = self.along[k].flat[flat]
            yield replace(self, along={k: d for k, d in along.items() if d.any()})


def places(arrays: Arrays, most: int) -> Iterator[Place]:
    """Every element, if they are not many; else a sample of them, and random directions. And all elements alike."""
    rng, total = np.random.default_rng(11), sum(a.size for a in arrays)
    for k, a in enumerate(arrays):
        share = a.size if total <= most else min(a.size, max(2, most * a.size // (2 * total)))
        for flat in sorted(rng.choice(a.size, share, replace=False)) if a.size else ():
            yield element(a, k, int(flat))
        if share < a.size:
            for _ in range(DIRECTIONS):
                yield Place({k: rng.choice([-1.0, 1.0], a.shape) * reach(a)}, 0.1, "in a random direction")
    if total > 1:
        far = max(float(reach(a).max()) for a in arrays if a.size)
        own = min(float(np.abs(a).min()) for a in arrays if a.size) / far
        yield Place(
            {k: np.full_like(a, far) for k, a in enumerate(arrays) if a.size}, 0.1, "all elements alike", 0.1 * own
        )


def element(a: Array, k: int, flat: int) -> Place:
    """The direction of one element."""
    direction = np.zeros_like(a)
    direction.flat[flat] = 1.0
    return Place({k: direction}, 0.1 * float(reach(a).flat[flat]), own=0.1 * float(abs(a.flat[flat])))


def reach(a: Array) -> Array:
    """How far one may go from each number: in proportion to it, so as not to leave the domain; but 1 from 0."""
    return np.where(a == 0, 1.0, np.clip(np.abs(a), 1e-6, 10.0))


def written(name: str, index: Any) -> str:
    """An element as one would write it."""
    return f"{name}[{', '.join(map(str, index))}]" if len(index) else name
