"""What of NumPy works on a Tensor: what is refused says what to write, and the page of it is not stale."""

from __future__ import annotations

import re

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act.op import IMPLEMENTS
from tinygrad_act.ops.__main__ import PAGE, page
from tinygrad_act.ops.refused import INSTEAD, REFUSED, function_of

x0 = np.array([[2.0, 1.0], [1.0, 3.0]])


@pytest.mark.parametrize("path", INSTEAD)
def test_a_refused_function_says_what_to_write(path: str) -> None:
    function = function_of(path)
    assert function in REFUSED
    with pytest.raises(TypeError, match=rf"np\.{path} is not for a Tensor") as caught:
        IMPLEMENTS[function](ta.Tensor(x0))
    assert INSTEAD[path] in str(caught.value)


def test_a_function_that_is_not_known_is_given_near_names() -> None:
    def nanargmux() -> None:
        """A function that nobody has heard of."""

    nanargmux.__module__, nanargmux.__qualname__ = "numpy", "argmux"
    with pytest.raises(TypeError, match=r"np\.argmux has no derivative rule here[^$]*Near: .*np\.argmax"):
        IMPLEMENTS[nanargmux]


def test_the_page_is_not_stale() -> None:
    written, version = PAGE.read_text(encoding="utf-8"), np.__version__.rpartition(".")[0]
    if f"with NumPy {version}." not in written:
        pytest.skip("the page is of another version of NumPy")
    assert written == page(), "write it again: python -m tinygrad_act.ops --write"


def test_the_page_counts_what_differentiates() -> None:
    """Each function once, whatever names it has."""
    count = int(re.findall(r"\*\*(\d+) functions differentiate", page())[0])
    assert count >= 150
