"""Tensor: a NumPy array that remembers the op and the inputs it came from."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import attrgetter, getitem
from typing import Any

import numpy as np

from . import autodiff, hooks, text
from .op import IMPLEMENTS, Node, Op

_clock = itertools.count()  # next() is atomic, so threads may share it: only the order within one graph matters


class _Mode(threading.local):
    recording = True


_mode = _Mode()


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording, in this thread: no graph is built, and no memory kept for one.

    >>> with no_grad():
    ...     (Tensor(3.0) * 2).requires_grad
    False
    """
    before, _mode.recording = _mode.recording, False
    try:
        yield
    finally:
        _mode.recording = before


def _numpy(function: Callable[..., Any]) -> Callable[..., Any]:
    """A method, or an operator, that does what a NumPy function does."""
    return lambda self, *args, **kwargs: IMPLEMENTS[function](self, *args, **kwargs)


def _operators(ufunc: np.ufunc) -> tuple[Callable[[Tensor, Any], Tensor], Callable[[Tensor, Any], Tensor]]:
    """A binary operator and its reflected form."""
    return (
        lambda self, other: Tensor._record(IMPLEMENTS[ufunc], (self, other)),
        lambda self, other: Tensor._record(IMPLEMENTS[ufunc], (other, self)),
    )


class Tensor(Node):
    """An array of floats to differentiate with respect to, or one computed from such.

    `data` is copied. Operators, NumPy functions and this package's ops record on a Tensor; plain arrays and numbers
    beside it are constants, and so is a Tensor with `requires_grad=False`. TypeError for data that is not floats.

    >>> x = Tensor([1.0, 2.0, 3.0], name="x")
    >>> y = (x**2).sum()
    >>> y.backward()
    >>> y, x.grad
    (Tensor(14., from sum), array([2., 4., 6.]))
    """

    __slots__ = ()
    __hash__ = object.__hash__

    def __init__(self, data: Any, requires_grad: bool = True, name: str | None = None, dtype: Any = None) -> None:
        self.requires_grad, self.name, self.op, self.inputs, self.grad = requires_grad, name, None, (), None
        self.data = data if dtype is None else np.asarray(data, dtype)

    @property
    def data(self) -> np.ndarray[Any, Any]:
        """The plain array. A leaf may be given another one, which makes the graphs that used it stale."""
        return self._array

    @data.setter
    def data(self, value: Any) -> None:
        if self.op is not None:
            raise text.only_leaves_change(self)
        if value is not getattr(self, "_array", None):  # else it was updated in place
            value = np.asarray(value) if isinstance(value, Node) or not hasattr(value, "__array_function__") else value
            if self.requires_grad and value.dtype.kind != "f":
                raise text.not_differentiable("Tensor(data)", value.dtype.kind)
            self._array = value.copy()  # nothing else may change it
        self.stamp = next(_clock)

    @staticmethod
    def _record(op: Op, inputs: tuple[Any, ...]) -> Tensor:
        arrays: list[Any] = []
        requires_grad = False
        for x in inputs:
            if isinstance(x, Node):
                arrays.append(x._array)
                requires_grad = requires_grad or x.requires_grad
            elif isinstance(x, (list, tuple)):
                return Tensor._record(op, tuple(np.asarray(x) if isinstance(x, (list, tuple)) else x for x in inputs))
            else:
                arrays.append(x)
        try:
            data = op.forward(*arrays)
        except Exception as error:
            raise text.forward_failed(error, op, inputs) from text.cause_of(error)
        result: Tensor = object.__new__(Tensor)
        result._array = data if type(data) is np.ndarray else text.plain(data, op)
        result.grad = result.name = None
        result.requires_grad = requires_grad = requires_grad and _mode.recording
        if requires_grad and data.dtype.kind != "f":
            raise text.not_differentiable(f"the result of {op.name}", data.dtype.kind)
        result.op, result.inputs = (op, inputs) if requires_grad else (None, ())
        result.stamp = next(_clock)
        return result

    def backward(self, seed: Any = None) -> None:
        """Leave the derivative of this Tensor in the `grad` of every Tensor it was computed from.

        Leaves add it to what they have; the others show the last walk's. `seed` is the cotangent of this Tensor; only a
        scalar has a default, 1 (else ValueError). RuntimeError if a leaf has changed since it was used.
        """
        autodiff.backward(self, seed)

    def numpy(self) -> np.ndarray[Any, Any]:
        """The plain array, shared with this Tensor."""
        return self._array

    def __reduce__(self) -> Any:  # pickle and copy: a leaf is as new in its new place
        if self.op is not None:
            raise text.only_leaves_travel(self)
        return Tensor, (self._array, self.requires_grad, self.name), (None, {"grad": self.grad})

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self.grad = None

    def detach(self) -> Tensor:
        """A constant with this Tensor's data."""
        return Tensor(self._array, requires_grad=False, name=self.name)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if kwargs.get("out") is not None:
            raise text.array_in_place(ufunc)
        return IMPLEMENTS[ufunc if method == "__call__" else getattr(ufunc, method)](*inputs, **kwargs)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        return IMPLEMENTS[function](*args, **kwargs)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if self.requires_grad:
            raise text.array_would_drop_gradient(self)
        return np.array(self._array, dtype=dtype, copy=copy)

    shape, dtype = property(attrgetter("_array.shape")), property(attrgetter("_array.dtype"))
    ndim, size = property(attrgetter("_array.ndim")), property(attrgetter("_array.size"))
    T, register_hook = property(_numpy(np.transpose)), hooks.register

    def __getattr__(self, name: str) -> Any:  # those of ndarray's methods that are NumPy functions, ops/methods.py sets
        raise text.no_such_attribute(self, name)

    __add__, __radd__ = _operators(np.add)
    __sub__, __rsub__ = _operators(np.subtract)
    __mul__, __rmul__ = _operators(np.multiply)
    __truediv__, __rtruediv__ = _operators(np.divide)
    __floordiv__, __rfloordiv__ = _operators(np.floor_divide)
    __mod__, __rmod__ = _operators(np.remainder)
    __pow__, __rpow__ = _operators(np.power)
    __matmul__, __rmatmul__ = _operators(np.matmul)
    __neg__, __pos__, __abs__ = _numpy(np.negative), _numpy(np.positive), _numpy(np.absolute)
    __lt__, __le__, __eq__ = _numpy(np.less), _numpy(np.less_equal), _numpy(np.equal)
    __gt__, __ge__, __ne__ = _numpy(np.greater), _numpy(np.greater_equal), _numpy(np.not_equal)
    __getitem__ = _numpy(getitem)

    def __iadd__(self, other: Any) -> Any:
        raise text.in_place_operator(self)

    __isub__ = __imul__ = __itruediv__ = __ipow__ = __imatmul__ = __imod__ = __ifloordiv__ = __iadd__

    def __setitem__(self, index: Any, value: Any) -> None:
        raise text.in_place_assignment(self)

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        if self.size != 1:
            raise text.ambiguous_truth(self)
        return bool(self._array)

    def __float__(self) -> float:
        if self.size != 1:
            raise text.not_one_element(self)
        return float(self._array.item())

    item = __float__

    def __format__(self, spec: str) -> str:
        return format(float(self), spec) if spec else repr(self)

    def __repr__(self) -> str:
        return text.in_short(self)
