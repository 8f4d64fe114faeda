"""Which of NumPy's functions a Tensor takes: `python -m tinygrad_act.ops` prints the page, `--write` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..op import IMPLEMENTS
from ..tensor import Tensor
from ..text import INSTEAD_OF_SCIPY
from .constant import Constant
from .methods import IN_PLACE
from .refused import REFUSED
from .scipy_special import JUMP, OURS, SLOPES

PAGE = Path(__file__).with_name("NUMPY.md")
ROOMS = {"numpy": np, "numpy.linalg": np.linalg, "numpy.fft": np.fft, "numpy.emath": np.emath}
ROOMS |= {"numpy.lib.stride_tricks": np.lib.stride_tricks}
HEAD = """# NumPy on Tensors

Which functions a Tensor can be given, as `np.exp(t)`, `np.linalg.solve(a, t)` or `t.sum()`. This page is written by
`python -m tinygrad_act.ops --write`, with NumPy {version}.
**{count} functions differentiate, {methods} of them also as methods, and {special} more are of `scipy.special`.**
"""
GROUPS = {
    "yes": "Differentiate",
    "constant": "Give constants, as they never change or only jump",
    "no": "Refused, with what to write instead",
    "unknown": "Not asked, as they are given no Tensors: they make arrays, or are about memory, files, dtypes or text",
}


def functions(room: Any) -> Iterator[tuple[str, Any]]:
    """The public functions of a room of NumPy's, under each of their names."""
    for name in sorted(getattr(room, "__all__", None) or dir(room)):
        thing = getattr(room, name)
        if callable(thing) and not isinstance(thing, type) and name[0] != "_":
            yield name, thing


def kind(function: Any) -> str:
    """The group of a function."""
    if function in REFUSED and getattr(IMPLEMENTS.get(function), "__name__", "") == "refuse":
        return "no"
    if function not in IMPLEMENTS:
        return "unknown"
    return "constant" if isinstance(IMPLEMENTS[function], Constant) else "yes"


def methods() -> dict[str, list[str]]:
    """The methods of arrays, by group."""
    found: dict[str, list[str]] = {group: [] for group in GROUPS}
    for name in dir(np.ndarray):
        function = np.ravel if name == "flatten" else getattr(np, name, None)
        if name in IN_PLACE:
            found["no"].append(name)
        elif hasattr(Tensor, name) and not name.startswith("_") and callable(function):
            found[kind(function)].append(name)
    return found


def row(names: list[str]) -> str:
    """Names, side by side."""
    return " ".join(f"`{name}`" for name in names)


def page() -> str:
    """The page, in Markdown."""
    differentiate, parts = set(), []
    for title, room in ROOMS.items():
        known = dict(functions(room))
        parts.append(f"## {title}")
        for group, heading in GROUPS.items():
            names = [name for name, f in known.items() if kind(f) == group]
            if group == "yes":
                differentiate |= {known[name] for name in names}
            if names and group == "no":
                by_advice: dict[str, list[str]] = {}
                for name in names:
                    by_advice.setdefault(" ".join(REFUSED[known[name]].split()), []).append(name)
                parts.append(f"### {heading}\n\n" + "\n".join(f"- {row(n)}: {a}" for a, n in by_advice.items()))
            elif names:
                parts.append(f"### {heading} ({len(names)})\n\n{row(names)}")
    of_arrays = methods()
    parts += ["## Methods", f"### {GROUPS['yes']} ({len(of_arrays['yes'])})\n\n{row(of_arrays['yes'])}"]
    parts.append(f"### {GROUPS['constant']}\n\n{row(of_arrays['constant'])}")
    parts.append(
        "### Refused, as they change their array\n\n" + "\n".join(f"- `{n}`: {w}" for n, w in IN_PLACE.items())
    )
    special = sorted([*OURS, *SLOPES])
    parts.append(f"## scipy.special, where it is installed\n\n### {GROUPS['yes']} ({len(special)})\n\n{row(special)}")
    parts.append(f"By other names also {row(['digamma', 'jn', 'sinc', 'softplus'])}. {row([*JUMP])} give constants.")
    refused = "\n".join(f"- `{n}`: Write `{w}`." for n, w in INSTEAD_OF_SCIPY.items())
    parts.append(f"### {GROUPS['no']}\n\n{refused}\n- Other functions of it have no rule here: give them `t.data`.")
    numbers = {"count": len(differentiate), "methods": len(of_arrays["yes"]), "special": len(special)}
    head = HEAD.format(version=np.__version__.rpartition(".")[0], **numbers)
    return "\n\n".join([head.rstrip(), *parts]) + "\n"


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        print(page(), end="")
