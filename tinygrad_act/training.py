"""What goes around a training loop."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any


def progress(iterable: Iterable[Any], label: str, unit: str = "epoch") -> Any:
    """Tqdm's progress bar around an iterable: on a terminal or in a notebook, and nothing in a pipe or a file.

    Lines printed with its `.write(...)` stand above the bar. Raises ImportError, naming the extra, without tqdm.

    >>> for epoch in progress(range(2), "training"):
    ...     pass
    """
    notebook = "ipykernel" in sys.modules
    widgets = notebook and find_spec("ipywidgets") is not None  # without them, a notebook shows the bar as text
    try:
        tqdm = import_module("tqdm.notebook" if widgets else "tqdm").tqdm
    except ImportError:
        raise ImportError("a progress bar needs tqdm: pip install 'tinygrad_act[examples]'") from None
    return tqdm(iterable, desc=label, unit=unit, disable=not (notebook or sys.stderr.isatty()))
