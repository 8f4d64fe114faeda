"""Module: a part of a network that knows its parameters by the attributes they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np

from ..hooks import Handle
from ..tensor import Tensor


class Module:
    """Subclass it, make Tensors and other modules attributes, and write `forward`.

    Every Tensor that requires a gradient is a parameter, wherever it is an attribute: of the module, of a module in it,
    or in a list, tuple or dict of either. Its path is its name: `fc1.weight`.

    >>> class Scale(Module):
    ...     def __init__(self):
    ...         self.factor = Tensor(2.0)
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> Scale()(np.array([1.0, 2.0]))
    Tensor([2., 4.], from multiply)
    >>> [name for name, parameter in Scale().named_parameters()]
    ['factor']
    """

    training: bool = True
    _hooks: _Hooks | None = None  # none of the parts of the network

    def forward(self, *inputs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a forward(self, ...)")

    def __call__(self, *inputs: Any) -> Any:
        output = self.forward(*inputs)
        return output if self._hooks is None else self._hooks.passed(self, inputs, output)

    def register_forward_hook(self, hook: Callable[[Module, tuple[Any, ...], Any], Any]) -> Handle:
        """Call `hook(module, inputs, output)` after each forward; what it returns, unless None, replaces the output.

        Hooks are called in the order of registration; the handle that is returned removes this one. They stay with this
        module: copies of it, also by pickle, have none.

        >>> module = Module()
        >>> module.forward = lambda x: 2 * x
        >>> with module.register_forward_hook(lambda module, inputs, output: output + 1):
        ...     module(3.0)
        7.0
        """
        if self._hooks is None:
            self._hooks = _Hooks()
        return Handle(self._hooks.functions, hook)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_hooks"}

    def __setattr__(self, attribute: str, value: Any) -> None:
        super().__setattr__(attribute, value)
        if isinstance(value, Tensor | Module | list | tuple | dict):
            self.parameters()  # which names them

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Every parameter with its path, once, in the order of the attributes."""
        seen = set()
        for path, value in _walk(self):
            if isinstance(value, Tensor) and value.requires_grad and value.op is None and value not in seen:
                seen.add(value)
                yield path, value

    def parameters(self) -> list[Tensor]:
        """Every parameter, once; each is given its path for a name."""
        named = list(self.named_parameters())
        for name, parameter in named:
            parameter.name = name
        return [parameter for _, parameter in named]

    def modules(self) -> Iterator[Module]:
        """This module and all in it."""
        return (value for _, value in _walk(self) if isinstance(value, Module))

    def train(self, mode: bool = True) -> Self:
        """Switch this module and all in it to training."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Switch this module and all in it to evaluation."""
        return self.train(False)

    def astype(self, dtype: np.typing.DTypeLike) -> Self:
        """Turn every parameter into this float type, in place; gradients are forgotten."""
        for parameter in self.parameters():
            parameter.data = parameter.data.astype(dtype)
            parameter.zero_grad()
        return self

    def zero_grad(self) -> None:
        """Forget the gradient of every parameter."""
        for parameter in self.parameters():
            parameter.zero_grad()

    def __repr__(self) -> str:
        parts = [f"  {name}: {_indented(value)}" for name, value in self.__getstate__().items() if name != "training"]
        return "\n".join([f"{type(self).__name__}(", *parts, ")"]) if parts else f"{type(self).__name__}()"


class _Hooks:
    """The forward hooks of a module."""

    def __init__(self) -> None:
        self.functions: dict[Handle, Callable[..., Any]] = {}

    def passed(self, module: Module, inputs: tuple[Any, ...], output: Any) -> Any:
        for hook in list(self.functions.values()):
            new = hook(module, inputs, output)
            output = output if new is None else new
        return output


def _walk(module: Module) -> Iterator[tuple[str, Any]]:
    """The value and everything in it, each module once, with dotted paths."""
    seen: set[Module] = set()
    found: list[tuple[str, Any]] = [("", module)]
    while found:
        path, value = found.pop()
        if isinstance(value, Module):
            if value in seen:
                continue
            seen.add(value)
        yield path, value
        parts: Any = ()
        if isinstance(value, Module | dict):
            parts = (vars(value) if isinstance(value, Module) else value).items()
        elif isinstance(value, list | tuple):
            parts = enumerate(value)
        found += reversed([(f"{path}.{name}" if path else str(name), part) for name, part in parts])


def _indented(value: Any) -> str:
    text = f"{value.shape} {value.dtype}" if isinstance(value, Tensor) else repr(value)
    return text.replace("\n", "\n  ")
