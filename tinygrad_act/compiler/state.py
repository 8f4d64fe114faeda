"""What a step reads besides its arguments: the arrays, numbers and generators that its variables lead to.

They are found by walking its closure, its globals, and the attributes and items of what these hold. During a trace
stand-ins take their places; at every run they are read anew.
"""

from __future__ import annotations

import collections
import contextvars
import copy
import enum
import functools
import random
import sys
import threading
import types
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..hooks import HOOKED
from ..op import Node, Op
from .code import PACKAGE, is_data, is_ours, names_in, of_the_user, slots_of
from .gradient import UnreadGradient
from .number import Number
from .places import Place, Places
from .program import Expression, Value
from .tracer import Draws, Tracer

LONG = 64  # lists of more numbers than this are not read number by number, but compared as a whole
UNTRACED = (random.Random, np.random.RandomState, contextvars.ContextVar, threading.local)
OPAQUE = (types.ModuleType, types.BuiltinFunctionType, np.ufunc, np.dtype, Op, str, bytes, bool, type(None))


@dataclass
class State(Places):
    """The walk that finds the places."""

    ran: set[types.CodeType] | None = None  # the code that the step runs, if that is known,
    attributes_read: set[str] | None = None  # and all the attributes that this reads
    read_gradients: bool = False
    walked: set[str] = field(default_factory=set)  # the attributes that were looked into
    unhooked: set[int] = field(default_factory=set)  # the ids of Tensors that have no hooks
    doubtful: bool = False  # whether there is something that the step must not use

    def lift(self, x: Any, read: str, name: str) -> Any:
        """What takes the place of `x` during the trace; `read` is the Python that reads it again at each run."""
        if isinstance(x, Number | Tracer | Draws | UnreadGradient):  # lifted before
            return x
        if isinstance(x, np.ndarray) and x.dtype != object:
            if id(x) in self.seen:
                self.conditions.append(f"{read} is {self.seen[id(x)].read}")
                return self.seen[id(x)].standin
            return self.array(x, read, name, None)
        if type(x) in (int, float) or isinstance(x, np.number):
            place = Place(read, name if name == read else self.unique(name), x, None)
            place.standin = Number(Expression(place.name), x, self.trace.guards)
            self.numbers.append(place)
            return place.standin
        if isinstance(x, tuple) and (type(x) is tuple or hasattr(x, "_make")):
            self.conditions.append(f"_len({read}) == {len(x)}")
            lifted = [self.lift(item, f"{read}[{i}]", f"{name}_{i}") for i, item in enumerate(x)]
            same = all(a is b for a, b in zip(lifted, x, strict=True))
            return x if same else getattr(type(x), "_make", type(x))(lifted)
        if hasattr(type(x), "__next__") or isinstance(x, UNTRACED) or (isinstance(x, np.ndarray) and x.dtype == object):
            if self.attributes_read is None:
                self.doubtful = True
                return x
            self.trace.refuse(
                f"what {name}, of the type {type(x).__name__}, gives next cannot be traced; pass it to the step as an "
                "argument, or draw from a np.random.Generator"
            )
        self.same(x, read)
        if isinstance(x, Op):
            self.kind(type(x))  # whose methods may read globals
        if id(x) in self.seen or isinstance(x, OPAQUE):
            return x if not isinstance(x, np.random.Generator) else self.seen[id(x)].standin
        self.seen[id(x)] = x
        if isinstance(x, np.random.Generator):
            place = Place(read, name if name == read else self.unique(name), x, None)
            place.value = Value((), np.dtype(object), place.name, weight=4)
            place.standin = Draws(self.trace, place.value, copy.deepcopy(x))
            self.generators.append(place)
            self.seen[id(x)] = place
            return place.standin
        if isinstance(x, Node):
            self.tensor(x, name)
        elif isinstance(x, types.FunctionType):
            self.function(x)
        elif isinstance(x, types.MethodType):
            self.lift(x.__self__, f"{read}.__self__", name)
            function: Any = x.__func__
            self.function(function)
        elif isinstance(x, functools.partial):
            c = self.container(x)
            self.lift(x.func, f"{c}.func", name)
            if self.lift(x.args, f"{c}.args", name) is not x.args:
                self.trace.refuse(f"{name} binds arrays or numbers by functools.partial; bind them by name")
            for key, item in x.keywords.items():
                self.put(x.keywords, f"{c}.keywords", key, item, key)
        elif type(x).__name__ == "Compiled" and is_ours(type(x)):
            self.lift(x.step, f"{self.container(x)}.step", name)
        elif isinstance(x, type):
            self.kind(x)
        elif isinstance(x, set) or (isinstance(x, list) and len(x) > LONG and all(type(i) in (int, float) for i in x)):
            self.wholes.append((x, copy.copy(x), name))
            self.conditions.append(f"{self.container(x)} == {self.container(self.wholes[-1][1])}")
        elif isinstance(x, list | collections.deque):
            c = self.container(x)
            self.conditions.append(f"_len({c}) == {len(x)}")
            for i, item in enumerate(list(x)):
                self.put(x, c, i, item, f"{name}_{i}")
            self.snapshots.append((x, list(x), name))
        elif isinstance(x, dict):
            self.dictionary(x, name)
        elif isinstance(x, collections.UserDict | collections.UserList):
            self.lift(x.data, f"{self.container(x)}.data", name)
        elif of_the_user(type(x).__module__) or type(x).__name__.endswith("Namespace"):
            self.instance(x)
        if isinstance(x, list | dict) and of_the_user(type(x).__module__):  # of a kind that has attributes too
            self.instance(x)
        return x

    def instance(self, x: Any) -> None:
        """What an object has for attributes, and its class."""
        self.kind(type(x))
        if hasattr(x, "__dict__"):
            self.dictionary(vars(x), "", x)
        for slot in slots_of(type(x)):
            if hasattr(x, slot) and self.reads(slot):
                self.attribute(x, slot)

    def kind(self, cls: type) -> None:
        """What the classes of the user hold for all their objects, and what their methods refer to."""
        for base in cls.__mro__:
            if (id(base) in self.seen and base is not cls) or not of_the_user(base.__module__) or is_ours(base):
                continue
            self.seen[id(base)] = base
            for name, item in list(vars(base).items()):
                for f in (item, *(getattr(item, part, None) for part in ("__func__", "fget", "fset"))):
                    runs = isinstance(f, types.FunctionType) and (self.ran is None or f.__code__ in self.ran)
                    if runs and id(f) not in self.seen:
                        self.seen[id(f)] = f
                        self.function(f)
                data = not name.startswith("__") and not hasattr(item, "__get__")
                if data and not isinstance(base, enum.EnumType) and self.reads(name):
                    self.attribute(base, name)

    def attribute(self, x: Any, name: str) -> None:
        """Lift what an object or a class holds in its place."""
        item = getattr(x, name)
        lifted = self.lift(item, f"{self.container(x)}.{name}", name)
        assign = setattr if isinstance(x, type) else object.__setattr__  # which a frozen dataclass has too
        if lifted is not item:
            assign(x, name, lifted)
        self.attributes.append((x, name, lifted))
        self.undo.append(lambda: assign(x, name, item) if getattr(x, name, None) is not item else None)

    def reads(self, attribute: str) -> bool:
        """Whether the step may read an attribute of this name."""
        self.walked.add(attribute)
        return self.attributes_read is None or attribute in self.attributes_read

    def dictionary(self, d: dict[Any, Any], name: str, owner: Any = None) -> None:
        """Lift what a dict holds; of the attributes of an `owner`, only those that the step reads."""
        c = self.container(d)
        some = owner is not None and self.attributes_read is not None
        if some:
            absent = sorted(key for key in (self.attributes_read or set()) - d.keys() if is_data(type(owner), key))
            self.conditions += [f"{key!r} not in {c}" for key in absent]
        else:
            self.conditions.append(f"_len({c}) == {len(d)}")
            if owner is not None:  # what its class has for it, until it has one of its own
                self.walked |= {key for key in dir(type(owner)) if is_data(type(owner), key)}
        for key, item in list(d.items()):
            if owner is not None and not self.reads(key):
                continue
            plain = type(key) in (str, int)
            label = str(key) if plain else getattr(key, "name", None) or type(key).__name__
            self.put(d, c, key, item, f"{name}_{label}" if name else label, repr(key) if plain else self.container(key))
        self.snapshots.append((d, dict(d), name))

    def put(self, container: Any, c: str, key: Any, item: Any, name: str, written_key: str = "") -> None:
        """Lift what a list or a dict holds, in its place."""
        lifted = self.lift(item, f"{c}[{written_key or repr(key)}]", name)
        if lifted is not item:
            container[key] = lifted
            self.undo.append(lambda: container.__setitem__(key, item))

    def function(self, f: types.FunctionType) -> None:
        """What a function's code refers to: its closure and its globals."""
        for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            try:
                item = cell.cell_contents
            except ValueError:  # not assigned yet
                continue
            if isinstance(item, types.ModuleType):
                self.module(item, names_in(f.__code__)[1])
            lifted = self.lift(item, f"{self.container(cell)}.cell_contents", name)
            if lifted is not item:
                cell.cell_contents = lifted
                self.undo.append(functools.partial(setattr, cell, "cell_contents", item))
        if f.__code__.co_filename.startswith(PACKAGE) or not of_the_user(f.__module__):
            return
        if vars(f):
            self.dictionary(vars(f), "", f)
        if f.__defaults__:
            defaults = f.__defaults__
            f.__defaults__ = self.lift(defaults, f"{self.container(f)}.__defaults__", f.__name__)
            self.undo.append(lambda: setattr(f, "__defaults__", defaults))
        for name, item in (f.__kwdefaults__ or {}).items():
            self.put(f.__kwdefaults__, f"{self.container(f)}.__kwdefaults__", name, item, name)
        names, attributes, modules = names_in(f.__code__)
        for imported in sorted(modules & sys.modules.keys()):
            self.module(sys.modules[imported], attributes)
        for name in sorted(names & f.__globals__.keys()):
            item = f.__globals__[name]
            if not isinstance(item, types.ModuleType):
                self.put(f.__globals__, self.container(f.__globals__), name, item, name)
            else:
                self.module(item, attributes)

    def module(self, module: types.ModuleType, attributes: set[str]) -> None:
        """What a module of the user's holds under names that the step mentions."""
        if of_the_user(module.__name__) and not is_ours(module) and id(module) not in self.seen:
            self.seen[id(module)] = module
            for attribute in sorted(attributes & vars(module).keys()):
                item = vars(module)[attribute]
                if isinstance(item, types.ModuleType):
                    self.module(item, attributes)
                else:
                    self.put(vars(module), self.container(vars(module)), attribute, item, attribute)

    def tensor(self, t: Node, name: str, read: str = "") -> None:
        if t.op is not None:
            return
        c = read or self.container(t)
        self.conditions.append(f"{c}.requires_grad is {t.requires_grad}")
        self.hooks(t, read)
        data, gradient = t._array, t.grad
        lifted = self.array(data, f"{c}._array", t.name or name, t)
        if read == name:  # an argument, whose name its array has in the program
            self.arrays[-1].value.name = name
        t._array = lifted
        self.undo.append(lambda: setattr(t, "_array", data))
        if t.requires_grad and self.read_gradients:
            if gradient is None:
                self.conditions.append(f"{c}.grad is None")
            else:
                t.grad = self.array(gradient, f"{c}.grad", "d_" + (t.name or name), None)
            self.gradients.append(Place(f"{c}.grad", "", gradient, t.grad, t))
            self.undo.append(lambda: setattr(t, "grad", gradient))
        elif t.requires_grad:
            standin = UnreadGradient(lifted) if self.ran is not None else None  # it must not matter which
            place = Place(f"{c}.grad", "d_" + (t.name or name), gradient, standin, t)
            t.grad = place.standin
            self.gradients.append(place)
            self.undo.append(lambda: setattr(t, "grad", gradient))

    def hooks(self, t: Node, read: str) -> None:
        """The hooks of a Tensor are a part of the step; of one without any, the program is good until it has some."""
        hooked = self.container(HOOKED)
        if hasattr(t, "hooks"):
            if read:  # an argument, which may be another one the next time
                self.conditions.append(f"{read} is {self.container(t)}")
            self.dictionary(t.hooks, "hooks")
        elif read:
            self.conditions.append(f"id({read}) not in {hooked}")
        else:
            self.conditions.append(f"{hooked}.isdisjoint({self.container(self.unhooked)})")
            self.unhooked.add(id(t))

    def lift_argument(self, x: Any, read: str, name: str) -> Any:
        """As `lift`, for an argument, which is another object at each call."""
        if isinstance(x, Node):
            if x.op is not None:
                self.trace.refuse(f"{name} is a result of {x.op.name}, which began outside the step: pass its data")
            if id(x) in self.seen:
                self.conditions.append(f"{read} is {self.container(x)}")
            else:
                self.seen[id(x)] = x
                self.conditions.append(f"_isinstance({read}, Tensor) and {read}.op is None")
                self.tensor(x, name, read)
            return x
        if type(x) in (list, tuple):
            kind = self.container(type(x))
            self.conditions.append(f"_type({read}) is {kind} and _len({read}) == {len(x)}")
            items = [self.lift_argument(item, f"{read}[{i}]", f"{name}_{i}") for i, item in enumerate(x)]
            lifted: Any = items if type(x) is list else tuple(items)
        elif type(x) is dict:
            self.conditions.append(f"_type({read}) is {self.container(dict)} and _tuple({read}) == {tuple(x)!r}")
            lifted = {k: self.lift_argument(item, f"{read}[{k!r}]", f"{name}_{k}") for k, item in x.items()}
        else:
            return self.lift(x, read, name)
        if type(x) is not tuple:
            self.snapshots.append((lifted, copy.copy(lifted), name))
        return lifted
