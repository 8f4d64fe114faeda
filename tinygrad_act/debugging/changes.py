"""Whether arrays have changed between the op that used them and the rule that does."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np

from ..op import Array, Node

_prints: dict[int, list[int]] = {}  # by the id of a node, until it is gone: the fingerprints of all that its rules see


def note(node: Node) -> None:
    """Remember what the rules of a node will be given."""
    if node.op is not None:
        _prints[id(node)] = [_print_of(x) for x in _seen(node)]


def forget(node: int) -> None:
    """It is gone."""
    _prints.pop(node, None)


def changed(node: Node, g: Any, wanted: set[Node]) -> int | None:
    """Which array is another than it was: 0 for the result, then the inputs, then what the op itself holds.

    A constant among the inputs, which may be a buffer of the user's, only counts if a rule that will run reads it.
    """
    before = _prints.get(id(node), ())
    numbers = [i for i, (x, old) in enumerate(zip(_seen(node), before, strict=False)) if _print_of(x) != old]
    constants = {i for i, x in enumerate(node.inputs, 1) if not isinstance(x, Node)}
    return next((i for i in numbers if i not in constants or _reads(node, g, i, wanted)), None)


def _seen(node: Node) -> Iterator[Any]:
    op: Any = node.op
    yield node._array
    yield from (x._array if isinstance(x, Node) else x for x in node.inputs)
    for parameter in dataclasses.fields(op) if dataclasses.is_dataclass(op) else ():
        held = getattr(op, parameter.name) if parameter.compare else None
        yield from held if isinstance(held, tuple | list) else (held,)


def _print_of(x: Any) -> int:
    return zlib.crc32(np.ascontiguousarray(x).reshape(-1).view(np.uint8).data) if isinstance(x, np.ndarray) else 0


def _reads(node: Node, g: Any, number: int, wanted: set[Node]) -> bool:
    """Whether a rule that will run reads the numbers of this array: that of an addition, for one, does not."""
    op: Any = node.op
    arrays = [node._array, *(x._array if isinstance(x, Node) else x for x in node.inputs)]
    changed = arrays[number]
    y, *inputs = [Unread(x) if x is changed else x for x in arrays]
    for i, x in enumerate(node.inputs):
        if isinstance(x, Node) and x in wanted:
            try:
                op.vjp(i, g, y, *inputs)
            except Exception:  # whatever came of it: it was asked for more than its shape
                return True
    return False


class Unread:
    """Stands for an array, and has its shape and dtype, but no numbers."""

    def __init__(self, array: Array) -> None:
        self.shape, self.dtype, self.ndim, self.size = array.shape, array.dtype, array.ndim, array.size

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("its numbers are not there to be read")

    __array__ = __array_ufunc__ = __array_function__ = __getattr__ = __getitem__ = __iter__ = __bool__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __hash__ = None  # type: ignore[assignment]
