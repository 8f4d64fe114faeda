"""Hooks: functions that are called with what passes by, which they may replace."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self
from weakref import finalize

import numpy as np

HOOKED: set[int] = set()  # the ids of the nodes that have hooks: while there are none, a walk pays nothing for them
Key = tuple[Any, str]  # a class or a module, and the name of a function in it


class _Around(threading.local):
    """What this thread has put around functions."""

    def __init__(self) -> None:
        self.wrappers: dict[Key, list[Callable[..., Any]]] = {}


_around = _Around()
_lock = threading.Lock()
_swapped: dict[Key, tuple[Any, int]] = {}  # what was there before, and how many have put something around it


@contextmanager
def around(owner: Any, name: str, wrapper: Callable[..., Any]) -> Iterator[None]:
    """Within the `with`, and in this thread only, make `owner.name(*args)` what `wrapper(plain, *args)` gives.

    Several nest. When nobody is left, the function is back in its place, and costs what it did.

    >>> with around(np, "tanh", lambda plain, x: 2 * plain(x)):
    ...     float(np.tanh(np.inf))
    2.0
    """
    key, wrappers = (owner, name), _around.wrappers.setdefault((owner, name), [])
    with _lock:
        plain, users = _swapped.get(key, (None, 0))
        plain = plain if users else vars(owner)[name]
        if not users:
            setattr(owner, name, _dispatching(plain, key))
        _swapped[key] = plain, users + 1
    wrappers.append(wrapper)
    try:
        yield
    finally:
        wrappers.remove(wrapper)
        with _lock:
            plain, users = _swapped.pop(key)
            if users > 1:
                _swapped[key] = plain, users - 1
            else:
                setattr(owner, name, plain)


def _dispatching(plain: Any, key: Key) -> Any:
    function = getattr(plain, "__func__", plain)  # of a staticmethod

    def dispatch(*args: Any, **kwargs: Any) -> Any:
        call = function
        for wrapper in _around.wrappers.get(key, ()):
            call = functools.partial(wrapper, call)
        return call(*args, **kwargs)

    return staticmethod(dispatch) if isinstance(plain, staticmethod) else dispatch


class Handle:
    """What registering a hook returns: `remove()` takes the hook away, and so does the end of a `with` over it."""

    def __init__(self, hooks: dict[Handle, Callable[..., Any]], hook: Callable[..., Any]) -> None:
        self._hooks = hooks
        hooks[self] = hook

    def remove(self) -> None:
        """Take the hook away. Nothing happens if it is gone already."""
        self._hooks.pop(self, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def register(node: Any, hook: Callable[[Any], Any]) -> Handle:
    """Call `hook(g)` with the gradient of this Tensor in each `backward()` and `gradients()`, once it is complete.

    What the hook returns, of the same shape and dtype, takes the place of g, from here on back and in `grad`; None
    leaves it. g is an array that must not be written to, or a Tensor in `gradients()`. Hooks are called in the order of
    registration; the handle that is returned removes this one. Copies of the Tensor are without it; a compiled step is
    traced anew. RuntimeError for a Tensor that requires no gradient.

    >>> from tinygrad_act import Tensor
    >>> x = Tensor([1.0, 2.0])
    >>> with x.register_hook(lambda g: np.clip(g, -1, 1)):
    ...     (x**2).sum().backward()
    >>> x.grad
    array([1., 1.])
    """
    if not node.requires_grad:
        raise RuntimeError("register_hook() on a Tensor that requires no gradient, so none will ever arrive at it")
    if not hasattr(node, "hooks"):
        node.hooks = {}
        finalize(node, HOOKED.discard, id(node)).atexit = False
    HOOKED.add(id(node))
    return Handle(node.hooks, hook)


def taking(cotangents: dict[Any, Any]) -> Callable[[Any, Any], Any]:
    """Their `pop`, by way of the hooks."""

    def take(node: Any, default: Any) -> Any:
        g = cotangents.pop(node, default)
        if g is not None and id(node) in HOOKED:
            for hook in list(node.hooks.values()):
                g = _replaced(hook, g)
        return g

    return take


def _replaced(hook: Callable[[Any], Any], g: Any) -> Any:
    g = np.asarray(g) if isinstance(g, np.generic) else g
    seen = g
    if type(g) is np.ndarray:  # which others may hold too
        seen = g.view()
        seen.flags.writeable = False
    new = hook(seen)
    if new is None:
        return g
    of_a_kind = isinstance(new, np.generic | np.ndarray | type(g))
    if not of_a_kind or new.shape != g.shape or new.dtype != g.dtype:
        name, got = getattr(hook, "__name__", hook), (getattr(new, "shape", ""), getattr(new, "dtype", ""))
        raise ValueError(
            f"the hook {name} was given a gradient, {type(g).__name__} {g.shape} {g.dtype}, and returned "
            f"{type(new).__name__} {got[0]} {got[1]}.\n  Return the like of what it is given, or None to leave it."
        )
    return np.array(new) if type(new) is np.ndarray else new  # the user's array stays the user's
