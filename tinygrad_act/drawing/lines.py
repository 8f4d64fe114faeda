"""Which line of yours ran each op: noted on request, as it takes time that training would miss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import finalize

from ..compiler.code import in_words, users_place
from ..hooks import around
from ..op import Node
from ..tensor import Tensor

_noted: dict[int, tuple[str, int]] = {}  # by the id of the node, until that is gone


@contextmanager
def lines_noted() -> Iterator[None]:
    """Note, for every op that this thread runs within the `with`, the file and the line of yours that ran it.

    `explain(y, wrt=p)` names them in its reasons. They are forgotten with the graph.

    >>> w = Tensor([-1.0, -2.0], name="w")
    >>> with lines_noted():
    ...     y = (w * 2).sum()
    >>> line_of(y).startswith("<doctest")
    True
    """
    with around(Tensor, "_record", _noting):
        yield


def _noting(record: Callable[..., Tensor], op: Any, inputs: tuple[Any, ...]) -> Tensor:
    result = record(op, inputs)
    _noted[id(result)] = users_place()
    finalize(result, _noted.pop, id(result), None)
    return result


def line_of(node: Node | None) -> str:
    """`train.py, line 12`, if it was noted."""
    return in_words(*_noted.get(id(node), ("", 0)), short=True)
