"""Methods of Tensors by one rule: where arrays have a method and NumPy a function of one name, that is what it does."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import text
from ..op import IMPLEMENTS
from ..tensor import Tensor, _numpy

CHANGE = "new = t.data.copy(), change that, and give it to a leaf between graphs: t.data = new"
IN_PLACE = {  # methods that change their array, and what to write instead
    "sort": "np.sort(t) for a new Tensor",
    "partition": "np.partition(t, k) for a new Tensor",
    "resize": "np.resize(t, shape), or t.reshape(shape), for a new Tensor",
    "fill": f"np.full_like(t, value) for a new array, or {CHANGE}",
    "put": f"np.where(mask, value, t) for a new Tensor, or {CHANGE}",
    "setfield": CHANGE,
    "setflags": "t.data.setflags(...), which is about memory",
}
ON_DATA = ("tolist", "itemsize", "nbytes")


def _refusal(name: str, instead: str) -> Any:
    def refuse(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        raise text.method_in_place(self, name, instead)

    return refuse


def _read(name: str) -> property:
    """What is read off the data, as `shape` is."""
    return property(lambda self: getattr(self._array, name))


OTHERWISE: dict[str, Any] = {"flatten": _numpy(np.ravel), "mT": property(_numpy(np.matrix_transpose))}
OTHERWISE |= {name: property(_numpy(getattr(np, name))) for name in ("real", "imag")}  # which are no calls
OTHERWISE |= {"__divmod__": _numpy(np.divmod), "__rdivmod__": lambda self, x: IMPLEMENTS[np.divmod](x, self)}
OTHERWISE |= {"__int__": lambda self: int(float(self))}

for _method in dir(np.ndarray):
    _function = getattr(np, _method, None)
    if _method in IN_PLACE:
        setattr(Tensor, _method, _refusal(_method, IN_PLACE[_method]))
    elif _method in ON_DATA:
        setattr(Tensor, _method, _read(_method))
    elif _method in OTHERWISE:
        setattr(Tensor, _method, OTHERWISE[_method])
    elif callable(_function) and not hasattr(Tensor, _method) and not _method.startswith("_"):
        setattr(Tensor, _method, _numpy(_function))
