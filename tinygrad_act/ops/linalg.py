"""Products of matrices, and of arrays of them."""

from __future__ import annotations

import functools
import operator
import string
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..op import IMPLEMENTS, Array, Op, register
from .arguments import array, refuse
from .reduce import Reduction
from .shape import matrix_transpose


class Matmul(Op):
    """The product of matrices; of stacks of them, which broadcast; a vector counts as a row before, a column after.

    >>> matmul(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]))
    array([[11.]])
    """

    formula = "a b"
    rule = {"a": r"\bar y\, b^\top", "b": r"a^\top \bar y"}

    def forward(self, a: Array, b: Array) -> Array:
        return np.matmul(a, b)

    def vjp_a(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        if b.ndim == 1:
            return np.expand_dims(g, -1) * b
        if a.ndim == 1:
            return (np.expand_dims(g, -2) @ b.swapaxes(-1, -2)).reshape((*b.shape[:-2], *a.shape))
        return g @ b.swapaxes(-1, -2)

    def vjp_b(self, g: Array, y: Array, a: Array, b: Array) -> Array:
        if a.ndim == 1:
            return np.expand_dims(a, -1) * np.expand_dims(g, -2) if b.ndim > 1 else a * g
        if b.ndim == 1:
            return (a.swapaxes(-1, -2) @ np.expand_dims(g, -1)).reshape((*a.shape[:-2], *b.shape))
        return a.swapaxes(-1, -2) @ g


class Affine(Op):
    """A linear layer in one op: the product with the weights, and the bias added to every row.

    Shapes: x (..., in), W (in, out), b (out,), result (..., out).

    >>> affine(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([0.5]))
    array([[11.5]])
    """

    formula = r"x W + b"
    rule = {"x": r"\bar y\, W^\top", "W": r"x^\top \bar y", "b": r"1^\top \bar y"}

    def forward(self, x: Array, W: Array, b: Array) -> Array:
        product = x.dot(W)  # like @, in half the time for small matrices
        return np.add(product, b, out=product) if product.dtype == b.dtype else np.add(product, b)

    def vjp_x(self, g: Array, y: Array, x: Array, W: Array, b: Array) -> Array:
        return np.dot(g, W.T)

    def vjp_W(self, g: Array, y: Array, x: Array, W: Array, b: Array) -> Array:
        return np.dot(_rows(x).T, _rows(g))

    def vjp_b(self, g: Array, y: Array, x: Array, W: Array, b: Array) -> Array:
        rows = _rows(g)
        return np.dot(_ones(len(rows), g.dtype), rows)  # the sum over the rows, which BLAS does faster


@functools.lru_cache(maxsize=32)
def _ones(n: int, dtype: np.dtype[Any]) -> Array:
    """A row of ones, made once for the steps that all need it."""
    return np.ones(n, dtype)


def _rows(x: Array) -> Array:
    """x as a matrix, by its last axis."""
    return x if x.ndim == 2 else x.reshape((-1, x.shape[-1]))


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
        return np.einsum(f"{','.join(self.terms)}->{self.result}", *arrays, optimize=len(arrays) > 2)

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
            elif all(f.shape[t.index(c)] < x.shape[axis] for t, f in zip(terms, factors, strict=True) if c in t):
                terms.append(c)  # an index that only x has was summed: give it back its length
                factors.append(np.ones(x.shape[axis], x.dtype))
            target += c
        return Einsum(tuple(terms), target)(*factors)


class Norm(Reduction):
    """The Euclidean length over an axis, or axes; of all elements when there is none.

    At the origin, the tip of a cone, its gradient is 0, the legal subgradient of least norm.

    >>> Norm()(np.array([3.0, 4.0]))
    np.float64(5.0)
    """

    formula = r"\sqrt{\sum_i x_i^2}"
    rule = {"x": r"\bar y\, \frac{x}{y}"}

    def forward(self, x: Array) -> Array:
        return np.sqrt(np.square(x).sum(axis=self.axis, keepdims=self.keepdims))

    def vjp_x(self, g: Array, y: Array, x: Array) -> Array:
        return self.spread(g, x) * (x / self.spread(np.where(np.equal(y, 0), 1, y), x))


matmul = register(Matmul(), np.matmul)
affine = register(Affine())
_tensordot = register(Tensordot())
register(Einsum())
_norm = register(Norm())


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """The sum of products over pairs of axes, given as `np.tensordot` takes them."""
    a, b = array(a), array(b)
    if isinstance(axes, int | np.integer):
        axes = (range(a.ndim - axes, a.ndim), range(axes))
    first, second = ((n,) if isinstance(n, int | np.integer) else tuple(n) for n in axes)
    return _tensordot(a, b, (first, second))


def dot(a: Any, b: Any, out: Any = None) -> Any:
    """The sum of products over the last axis of a and the last but one of b; the product with a number."""
    refuse("dot", out=out)
    a, b = array(a), array(b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return tensordot(a, b, (-1, -1 if b.ndim == 1 else -2)) if b.ndim > 2 else a @ b


def inner(a: Any, b: Any) -> Any:
    """The sum of products over the last axis of both."""
    a, b = array(a), array(b)
    return a * b if a.ndim == 0 or b.ndim == 0 else tensordot(a, b, (-1, -1))


def outer(a: Any, b: Any, out: Any = None) -> Any:
    """Every element of a times every element of b, as a matrix."""
    refuse("outer", out=out)
    return tensordot(np.ravel(a), np.ravel(b), 0)


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


def vdot(a: Any, b: Any, /) -> Any:
    """The sum of products of all elements."""
    return np.dot(np.ravel(a), np.ravel(b))


def vecdot(a: Any, b: Any, /, *, axis: int = -1) -> Any:
    """The sum of products along an axis, by which vectors are laid; the others broadcast."""
    if axis != -1:
        a, b = np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1)
    return np.sum(np.multiply(a, b), axis=-1)


def matvec(a: Any, b: Any, /) -> Any:
    """Each matrix times its vector."""
    return (a @ array(b)[..., None])[..., 0]


def vecmat(a: Any, b: Any, /) -> Any:
    """Each vector times its matrix."""
    return (array(a)[..., None, :] @ b)[..., 0, :]


def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """The diagonal of the matrices in the last two axes, or one so far above it."""
    rows, columns = np.nonzero(np.eye(x.shape[-2], x.shape[-1], offset, dtype=bool))
    return x[..., rows, columns]


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """The sum of that diagonal."""
    refuse("linalg.trace", dtype=dtype)
    return np.sum(diagonal(x, offset=offset), axis=-1)


def outer_of_vectors(a: Any, b: Any, /) -> Any:
    """As `outer`, for vectors only."""
    if np.ndim(a) != 1 or np.ndim(b) != 1:
        raise ValueError(f"linalg.outer takes two vectors, not arrays of {np.ndim(a)} and {np.ndim(b)} axes")
    return outer(a, b)


IMPLEMENTS |= {
    np.tensordot: tensordot,
    np.dot: dot,
    np.inner: inner,
    np.outer: outer,
    np.einsum: einsum,
    np.vdot: vdot,
    np.vecdot: vecdot,
    np.linalg.matmul: matmul,
    np.linalg.tensordot: lambda a, b, /, *, axes=2: tensordot(a, b, axes),
    np.linalg.vecdot: vecdot,
    np.linalg.outer: outer_of_vectors,
    np.linalg.diagonal: diagonal,
    np.linalg.trace: trace,
    np.linalg.matrix_transpose: matrix_transpose,
    np.linalg.cross: lambda a, b, /, *, axis=-1: np.cross(a, b, axis=axis),
}
if hasattr(np, "matvec"):  # since NumPy 2.2
    IMPLEMENTS |= {np.matvec: matvec, np.vecmat: vecmat}
