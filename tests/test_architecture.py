"""The plan of the package, as facts that cannot rot."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tinygrad_act as ta
import tinygrad_act.debugging
import tinygrad_act.drawing

PACKAGE = Path(__file__).parent.parent / "tinygrad_act"
ROOMS = [
    "text",
    "facts",
    "hooks",
    "op",
    "autodiff",
    "tensor",
    "ops",
    "activations",
    "losses",
    "trees",
    "transforms",
    "nn",
    "optim",
    "data",
]
ROOMS += ["training", "compiler", "drawing", "debugging", "catalogue", "testing"]


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    """The rooms of this package that a file imports, wherever in it the import stands."""
    package = ("tinygrad_act", *path.relative_to(PACKAGE).parent.parts)
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = (*base, *(node.module.split(".") if node.module else ()))
            names = [(*module, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [tuple(alias.name.split(".")) for alias in node.names]
        else:
            continue
        rooms |= {name[1] for name in names if name[0] == "tinygrad_act" and len(name) > 1}
    return rooms


FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_room_imports_only_earlier_ones(path: Path) -> None:
    assert room_of(path) in ROOMS, "a new room has a place in the order"
    earlier = ROOMS[: ROOMS.index(room_of(path)) + 1]
    assert imported_rooms(path) <= set(earlier)


def test_the_engine_can_be_read_in_one_sitting() -> None:
    assert sum(len((PACKAGE / f"{name}.py").read_text().splitlines()) for name in ("op", "autodiff", "tensor")) <= 450


def test_no_room_hides_a_public_function() -> None:
    functions = {name for name in ta.__all__ if callable(getattr(ta, name))}
    assert not functions & set(ROOMS)


def public() -> dict[str, Any]:
    """Every public name of the package and of the rooms that a user imports from."""
    rooms = [ta, ta.nn, ta.optim, ta.data, ta.drawing, ta.debugging, ta.activations, ta.testing]
    named = {f"{room.__name__}.{name}": getattr(room, name) for room in rooms for name in room.__all__}
    return named | {
        f"nn.init.{name}": f for name, f in vars(ta.nn.init).items() if inspect.isfunction(f) and name[0] != "_"
    }


@pytest.mark.parametrize(("name", "thing"), public().items(), ids=public())
def test_every_public_name_is_documented_with_an_example(name: str, thing: Any) -> None:
    assert thing.__doc__
    examples_elsewhere = inspect.ismodule(thing) or name.endswith(
        (".Op", ".Elementwise", ".Kink", ".register", ".Split")
    )
    assert examples_elsewhere or ">>>" in thing.__doc__


def test_import_loads_numpy_and_little_else() -> None:
    """Extras are imported where they are used, so that importing the package stays cheap."""
    code = "import sys, tinygrad_act; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "numpy" in loaded
    assert not {"graphviz", "tqdm", "scipy", "matplotlib", "torch", "sympy", "unittest"} & set(loaded)


NUMPY_ERRORS = {"testing/complex.py": "raise", "testing/check.py": "ignore"}  # the latter at points of its own choice


def test_no_warning_is_silenced() -> None:
    """But by check_grads, which tries points that nobody has asked for, and looks at what comes out."""
    for path in FILES:
        text, place = path.read_text(), path.relative_to(PACKAGE).as_posix()
        for word in ("seterr", "simplefilter", "filterwarnings", "catch_warnings"):
            assert word not in text, f"{path.name} uses {word}"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("errstate"):
                assert {ast.unparse(keyword.value) for keyword in node.keywords} == {repr(NUMPY_ERRORS.get(place))}
