"""A module as a function of its parameters."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MethodType
from typing import Any

import numpy as np

from ..autodiff import toposort
from ..tensor import Tensor, _clock
from ..trees import flatten, parts, rebuilt
from .module import Module


def functional_call(module: Module, parameters: Mapping[str, Any], *inputs: Any) -> Any:
    """What `module(*inputs)` is with these parameters, arrays or Tensors by path, in place of its own.

    The module is not changed, and threads may share it: what runs is a copy of it and of the modules in it, with the
    same arrays and generators, and what `forward` makes an attribute is lost with the copy. So a network is a function
    of a dict, which `grad` takes.

    KeyError for names that are missing or unknown, ValueError for a parameter of another shape; RuntimeError, unless
    under `no_grad()`, if `forward` came to a parameter of the module by a way that the copy does not have.

    >>> from tinygrad_act import grad, nn
    >>> model = nn.Linear(2, 1)
    >>> p = {"weight": np.array([[1.0], [2.0]]), "bias": np.array([0.5])}
    >>> functional_call(model, p, np.array([3.0, 4.0]))
    array([11.5])
    >>> grad(lambda p: np.sum(functional_call(model, p, np.array([3.0, 4.0]))))(p)["weight"]
    array([[3.],
           [4.]])
    """
    if not isinstance(module, Module) or not isinstance(parameters, Mapping):
        kinds = f"a {type(module).__name__} and a {type(parameters).__name__}"
        raise TypeError(f"functional_call takes a Module and a dict of its parameters by name, not {kinds}")
    own = dict(module.named_parameters())
    wrong = sorted(own.keys() ^ parameters.keys())
    if wrong:
        raise KeyError(_said(wrong, list(own), list(parameters)))
    for name, tensor in own.items():
        if np.shape(parameters[name]) != tensor.shape:
            raise ValueError(
                f"{name} has shape {tensor.shape} in the module, but was given {np.shape(parameters[name])}"
            )
    copied: dict[int, Any] = {id(tensor): parameters[name] for name, tensor in own.items()}
    given = {x for _, x in flatten([list(parameters.values()), inputs]) if isinstance(x, Tensor)}
    replaced = {tensor: name for name, tensor in own.items() if tensor not in given}
    since = next(_clock)
    result = _copy(module, copied)(*inputs)
    for name in _used(result, since, replaced):
        raise RuntimeError(
            f"functional_call: forward used the module's own {name!r}, and not the one given, as something that it\n"
            "  holds leads back to the module, like a lambda that names self. Make that a method, or a Module."
        )
    return result


def _copy(x: Any, copied: dict[int, Any]) -> Any:
    """Modules and containers anew, each once, with the leaves that they have, or those in their places."""
    if id(x) in copied:
        return copied[id(x)]
    if isinstance(x, MethodType):
        return MethodType(x.__func__, _copy(x.__self__, copied))
    if isinstance(x, Module):
        module = copied[id(x)] = object.__new__(type(x))
        vars(module).update((name, _copy(value, copied)) for name, value in vars(x).items())
        return module
    inner = parts(x)
    return x if inner is None else rebuilt(x, [_copy(value, copied) for _, value in inner])


def _used(result: Any, since: int, names: dict[Tensor, str]) -> list[str]:
    """The names of those Tensors that a result was made of after a time."""
    made = [x for _, x in flatten(result) if isinstance(x, Tensor) and x.requires_grad]
    used = (x for node in toposort(*made, since=since) for x in node.inputs)
    return [names[x] for x in (*made, *used) if isinstance(x, Tensor) and x in names]


def _said(wrong: list[str], own: list[str], given: list[str]) -> str:
    missing = [name for name in wrong if name in own]
    lines = [f"no parameter {name!r} was given" for name in missing]
    for name in sorted(set(wrong) - set(missing)):
        near = difflib.get_close_matches(name, own, 1)
        lines.append(f"the module has no parameter {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return "functional_call: " + ", and ".join(lines) + f". Its parameters are {', '.join(own) or 'none'}."
