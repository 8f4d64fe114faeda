"""When each module is called, noted while a picture is made of one: which tells for sure what was computed in which."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..hooks import around
from ..nn import Module
from ..nn.module import _walk
from ..tensor import _clock
from .graph import Call


@contextmanager
def calls_noted(outermost: Any) -> Iterator[list[Call]]:
    """A list of the calls of modules within the `with`, in this thread; `outermost` says where each of them is."""
    within = _walk(outermost) if isinstance(outermost, Module) else ()
    paths = {part: path for path, part in within if path and isinstance(part, Module)}
    calls: list[Call] = []

    def noting(plain: Callable[..., Any], module: Module, *inputs: Any) -> Any:
        start = next(_clock)
        try:
            return plain(module, *inputs)
        finally:
            if path := paths.get(module, "") if paths else _path_of(module):
                calls.append((tuple(path.split(".")), start, next(_clock)))

    with around(Module, "__call__", noting):
        yield calls


def _path_of(module: Module) -> str:
    """Where a module is, by the names of its parameters, which tell."""
    names = [parameter.name or "" for _, parameter in module.named_parameters()]
    own = [path for path, _ in module.named_parameters()]
    return names[0].removesuffix(own[0]).rstrip(".") if names and names[0].endswith(own[0]) else ""
