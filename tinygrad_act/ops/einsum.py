"""Sums of products over indices, by pairs of axes or in Einstein's notation."""

from __future__ import annotations

import operator
import string
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..op import IMPLEMENTS, Array, Op, register
from .arguments import array, refuse


@dataclass(frozen=True)
class Tensordot(Op):
    """The sum of products over pairs of axes: `axes` of a, and as many of b.

    >>> tensordot(np.ones((2, 3)), np.ones((3, 4)), 1).shape
    (2, 4)
    """

    axes: tuple[tuple[int, ...], tuple[int, ...]] = ((-1,), (0,))
    formula = r"y_{ik} = \sum_j a_{ij} b_{jk}"
    rule = {"a": r"\bar a_{ij} = \sum_k \bar y_{ik} b_{jk}", "b": r"\bar b_{jk} = \sum_i a_{ij} \bar y_{ik}"}

    def forward(self, a: Array, b: Array) -> Array:
        return np.tensordot(a, b, self.axes)

    def _letters(self, a: Array, b: Array) -> tuple[str, str, str]:
        """The same product in the notation of einsum, for which the rules are written once."""
        first, second = list(string.ascii_lowercase[: a.ndim]), list(string.ascii_uppercase[: b.ndim])
        for i, j in zip(*self.axes, strict=True):
            second[j] = first[i]
        summed = {first[i] for i in self.axes[0]}
        return "".join(first), "".join(second), "".join(c for c in first + second if c not in summed)

    def vjp_a(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        first, second, result = self._letters(a, b)
        return np.einsum(f"{result},{second}->{first}", g, b)

    def vjp_b(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        first, second, result = self._letters(a, b)
        return np.einsum(f"{first},{result}->{second}", a, g)


@dataclass(frozen=True)
class Einsum(Op):
    """A sum of products in Einstein's notation, with every index named: `terms` of the arrays, and of the result.

    >>> Einsum(("ij", "jk"), "ik")(np.ones((2, 3)), np.ones((3, 4))).shape
    (2, 4)
    """

    terms: tuple[str, ...] = ("i",)
    result: str = "i"
    rule = {"arrays": r"\bar a_n = \sum \bar y \prod_{m \ne n} a_m"}

    def __post_init__(self) -> None:
        summed = "".join(sorted({*"".join(self.terms)} - {*self.result}))
        factors = " ".join(
            f"{letter}_{{{term}}}" for letter, term in zip(string.ascii_letters, self.terms, strict=False)
        )
        formula = f"y_{{{self.result}}} = " + rf"\sum_{{{summed}}} " * bool(summed) + factors
        object.__setattr__(self, "formula", formula)  # of these very subscripts

    def forward(self, *arrays: Array) -> Array:
        if optimize := len(arrays) > 2:  # one that is summed by itself first would be summed in its own type, as truths
            kind = np.result_type(*arrays)
            arrays = tuple(a.astype(kind) if hasattr(a, "dtype") and a.dtype.kind != "f" else a for a in arrays)
        return np.einsum(f"{','.join(self.terms)}->{self.result}", *arrays, optimize=optimize)

    def vjp(self, i: int, g: Array, y: Array, *arrays: Array) -> Array:
        terms, factors = [self.result, *self.terms], [g, *arrays]
        mine, x = terms.pop(i + 1), factors.pop(i + 1)
        target = ""
        for axis, c in enumerate(mine):
            if c in target:  # a repeated index reads a diagonal: write to it through an identity matrix
                fresh = next(letter for letter in string.ascii_letters if letter not in "".join([*terms, mine, target]))
                terms.append(c + fresh)
                factors.append(np.eye(x.shape[axis], dtype=x.dtype))
                c = fresh
            elif all(f.shape[t.index(c)] == 1 != x.shape[axis] for t, f in zip(terms, factors, strict=True) if c in t):
                terms.append(c)  # an index that only x has was summed: give it back its length
                factors.append(np.ones(x.shape[axis], x.dtype))
            target += c
        return Einsum(tuple(terms), target)(*factors)


_tensordot = register(Tensordot())
register(Einsum())


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """The sum of products over pairs of axes, given as `np.tensordot` takes them."""
    a, b = array(a), array(b)
    if isinstance(axes, int | np.integer):
        axes = (range(a.ndim - axes, a.ndim), range(axes))
    first, second = ((n,) if isinstance(n, int | np.integer) else tuple(n) for n in axes)
    return _tensordot(a, b, (first, second))


def einsum(*operands: Any, out: Any = None, optimize: Any = False, **how: Any) -> Any:
    """A sum of products in Einstein's notation, as `np.einsum`; "..." stands for the axes that broadcast.

    Subscripts are text before the arrays, or a list of numbers after each. `optimize` is taken for NumPy's sake: more
    than two arrays are always multiplied in a good order. TypeError for `out`, `dtype`, `order` and `casting`.
    """
    refuse("einsum", out=out, **how)
    subscripts, *arrays = operands if isinstance(operands[0], str) else _in_letters(operands)
    given, arrow, result = subscripts.replace(" ", "").partition("->")
    spare = [c for c in string.ascii_letters if c not in subscripts]
    terms = given.split(",")
    if len(terms) != len(arrays):
        raise ValueError(f"einsum {subscripts!r} names {len(terms)} arrays, and was given {len(arrays)}")
    widths = [np.ndim(a) - len(t.replace("...", "")) for t, a in zip(terms, arrays, strict=True)]
    dots = "".join(spare[: max(w for w, t in zip([*widths, 0], [*terms, "..."], strict=True) if "..." in t)])
    if not arrow:
        letters = given.replace(",", "").replace(".", "")
        result = "..." * ("..." in given) + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    expanded = (t.replace("...", dots[len(dots) - w :]) for t, w in zip(terms, widths, strict=True))
    return Einsum(tuple(expanded), result.replace("...", dots))(*arrays)


def _in_letters(operands: tuple[Any, ...]) -> tuple[Any, ...]:
    """From arrays that are each followed by a list of numbers, and maybe one list more for the result, to text."""

    def text(numbers: Any) -> str:
        return "".join("..." if n is Ellipsis else string.ascii_letters[operator.index(n)] for n in numbers)

    given = ",".join(map(text, operands[1::2]))
    return (f"{given}->{text(operands[-1])}" if len(operands) % 2 else given, *operands[: len(operands) // 2 * 2 : 2])


IMPLEMENTS |= {np.tensordot: tensordot, np.einsum: einsum}
