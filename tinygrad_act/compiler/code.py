"""What code reads, and whose code it is."""

from __future__ import annotations

import dis
import functools
import linecache
import sys
import types
import weakref
from pathlib import Path
from typing import Any

import numpy as np

PACKAGE = str(Path(__file__).parent.parent)
NUMPY, PYTHON = str(Path(np.__file__).parent), str(Path(weakref.__file__).parent)


def is_the_users(code: types.CodeType) -> bool:
    """Whether code is neither ours, nor NumPy's, nor Python's."""
    file = code.co_filename
    inside = file.startswith(PYTHON) and "site-packages" not in file
    return not inside and not file.startswith((PACKAGE, NUMPY, "<frozen", "<__array_function__"))


def users_place() -> tuple[str, int]:
    """The file and the innermost line of the user's that is being run."""
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None and not is_the_users(frame.f_code):
        frame = frame.f_back
    return ("", 0) if frame is None else (frame.f_code.co_filename, frame.f_lineno)


def in_words(file: str, line: int, short: bool = False) -> str:
    """A place in a file, or in a cell of a notebook, as its user calls it; in short, without the folders."""
    shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    cell = shell.compile.format_code_name(file) if shell else None  # ("Cell", "In[3]")
    name = " ".join(cell) if cell else Path(file).name if short else file
    return f"{name}, line {line}" if file else ""


def users_line(place: tuple[str, int] | None = None) -> str:
    """That line, or another one, to be read."""
    file, line = place or users_place()
    return f"{in_words(file, line)}: {linecache.getline(file, line).strip()}" if file else "(no line of yours)"


def of_the_user(module: str | None) -> bool:
    """Whether what is defined there may hold what a step reads: all but Python's own modules and NumPy's."""
    root = (module or "").partition(".")[0]
    return root not in sys.stdlib_module_names - {"__main__"} and root != "numpy"


def is_data(cls: type, name: str) -> bool:
    """Whether a class has something of this name that an attribute of an object may hide."""
    return not name.startswith("__") and hasattr(cls, name) and not hasattr(getattr(cls, name), "__get__")


def attributes_of(ran: set[types.CodeType]) -> set[str]:
    """The names of all attributes that this code may read; none if it asks for some in a way that does not show."""
    ours = str(Path(PACKAGE) / "compiler")
    names = {name for code in ran if not code.co_filename.startswith(ours) for name in code.co_names}
    users = {name for code in ran if is_the_users(code) for name in code.co_names}
    looks_around = any(code.co_name == "_walk" and code.co_filename.startswith(PACKAGE) for code in ran)
    return set() if looks_around or users & {"getattr", "setattr", "vars", "__dict__", "dir"} else names


def is_ours(x: Any) -> bool:
    """Whether a class or a module belongs to this package."""
    module: str = getattr(x, "__module__", None) or x.__name__
    return module.partition(".")[0] == "tinygrad_act"


def slots_of(cls: type) -> list[str]:
    """The attributes that objects of a class have without a dict."""
    slots = [vars(base).get("__slots__", ()) for base in cls.__mro__]
    names = [name for some in slots for name in ([some] if isinstance(some, str) else some)]
    return [name for name in names if name not in ("__dict__", "__weakref__")]


@functools.lru_cache(1000)
def names_in(code: types.CodeType) -> tuple[set[str], set[str], set[str]]:
    """The globals and the attributes that a function's code, and the functions within it, read; what they import."""
    found: tuple[set[str], set[str], set[str]] = set(), set(), set()
    kinds = {"LOAD_GLOBAL": 0, "LOAD_NAME": 0, "LOAD_ATTR": 1, "LOAD_METHOD": 1, "IMPORT_FROM": 1, "IMPORT_NAME": 2}
    for instruction in dis.get_instructions(code):
        if instruction.opname in kinds:
            found[kinds[instruction.opname]].add(str(instruction.argval))
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            for names, inner in zip(found, names_in(constant), strict=True):
                names |= inner
    return found
