"""What goes around a training loop."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any


def progress(iterable: Iterable[Any], label: str, unit: str = "epoch") -> Any:
    """Tqdm's progress bar around an iterable: on a terminal or in a notebook, and nothing in a pipe or a file.

    Lines printed with its `.write(...)` stand above the bar. Raises ImportError, naming the extra, without tqdm.

    >>> for epoch in progress(range(2), "training"):
    ...     pass
    """
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError("a progress bar needs tqdm: pip install 'tinygrad_act[examples]'") from None
    shown = sys.stderr.isatty() or "ipykernel" in sys.modules
    return tqdm(iterable, desc=label, unit=unit, disable=not shown)
