"""Activations by name: forgiving of how it is written, and helpful about what it does not know."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act import nn
from tinygrad_act.activations import learned
from tinygrad_act.activations.names import ELEMENTARY, activation, catalogue, find, names_of
from tinygrad_act.activations.slope import Slope
from tinygrad_act.nn.learned import missing
from tinygrad_act.op import OPS, Array, Elementwise, register


@pytest.mark.parametrize(
    ("name", "op"),
    [
        ("gelu", ta.gelu),
        ("GELU", ta.gelu),
        ("Leaky-ReLU", ta.leaky_relu),
        ("leakyrelu", ta.leaky_relu),
        (" leaky relu ", ta.leaky_relu),
        ("swish", ta.silu),
        ("linear", ta.identity),
        ("softmax", ta.softmax),
        ("GumbelSoftmax", ta.gumbel_softmax),
        ("gumbel softmax", ta.gumbel_softmax),
        ("Hardswish", ta.hard_swish),
        ("exponential", ta.ops.elementary.exp),
        ("arctan", ta.ops.elementary.arctan),
        ("PReLU", learned.prelu),
    ],
)
def test_a_name_is_found_however_it_is_written(name: str, op: Any) -> None:
    assert activation(name) is op


def test_an_op_is_itself() -> None:
    op = ta.LeakyReLU(alpha=0.3)
    assert activation(op) is op
    assert activation(ta.ops.arithmetic.add) is ta.ops.arithmetic.add


def test_settings_make_another_op() -> None:
    assert activation("leaky_relu", alpha=0.2) == ta.LeakyReLU(alpha=0.2)
    assert activation(ta.LeakyReLU(alpha=0.2), alpha=0.4) == ta.LeakyReLU(alpha=0.4)
    assert activation("leaky_relu") == ta.LeakyReLU()


@pytest.mark.parametrize(
    ("name", "setting", "told"),
    [
        ("leaky_relu", "slope", "leaky_relu has no setting 'slope': it has the settings alpha"),
        ("relu", "alpha", "relu has no setting 'alpha': it has no settings"),
        ("prelu", "a", r"prelu learns a: nn.Learned\('prelu', a=...\) makes a layer that starts with it"),
    ],
)
def test_a_setting_that_an_op_does_not_have_is_refused(name: str, setting: str, told: str) -> None:
    with pytest.raises(TypeError, match=told):
        activation(name, **{setting: 0.2})


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("geluu", "no activation is called 'geluu'. Did you mean 'gelu'"),
        ("swich", "Did you mean 'swish'"),
        ("liniar", "Did you mean 'linear'"),
        ("xyz", r"no activation is called 'xyz'\.\n"),
        ("", "no activation is called ''"),
        ("add", "'add' is an op, but no activation"),
        ("matmul", "'matmul' is an op, but no activation"),
        ("cross_entropy", "'cross_entropy' is an op, but no activation"),
        ("sech2", "'sech2' is an op, but no activation"),
    ],
)
def test_an_unknown_name_is_told_those_like_it(name: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        activation(name)


def test_what_is_neither_a_name_nor_an_op_is_refused() -> None:
    with pytest.raises(TypeError, match=r"an activation is a name, such as 'gelu', or an op, such as ta\.gelu, not 3"):
        activation(3)


def key(name: str) -> str:
    return name.lower().replace("_", "")


def test_no_name_means_two_ops() -> None:
    """Neither another activation, nor any other op of the registry."""
    names = {op.name: {key(name) for name in names_of(op)} for op in OPS.values()}
    for (one, ours), (other, theirs) in itertools.combinations(names.items(), 2):
        assert not ours & theirs, f"{one} and {other} are called alike"


def test_the_catalogue_is_of_activations_by_family() -> None:
    found = catalogue()
    assert all(op.name == name and op is OPS[name] for name, op in found.items())
    assert {"relu", "gelu", "softmax", "glu", "prelu", "maxout", *ELEMENTARY} <= set(found)
    assert not any(isinstance(op, Slope) for op in found.values())
    assert not {"add", "matmul", "sum", "where", "cross_entropy", "softmax_residual", "reshape"} & set(found)
    families = [type(op).__module__ for op in found.values()][: -len(ELEMENTARY)]
    assert len(list(itertools.groupby(families))) == len(set(families))


class Cube(Elementwise):
    """A user's own."""

    aliases = ("third_power",)
    formula, rule = "x^3", "3 x^2"

    def forward(self, x: Array) -> Array:
        return x**3

    def derivative(self, y: Array, x: Array) -> Array:
        return 3 * x**2


def test_an_op_of_ones_own_is_found_once_it_is_registered() -> None:
    assert find("third power") is None
    cube = register(Cube())
    try:
        assert activation("third power") is cube
        assert "cube" in catalogue()
        assert nn.Sequential("Cube")(np.array([2.0])) == 8
    finally:
        del OPS["cube"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("ReLU", "^nn has no ReLU, as activations are ops: write ta.relu, or 'relu' in a Sequential"),
        ("Hardswish", "^nn has no Hardswish, as activations are ops: write ta.hard_swish"),
        ("PReLU", r"^nn has no PReLU: write nn.Learned\(ta.prelu\), or 'prelu' in a Sequential"),
        ("Conv9d", r"^module 'tinygrad_act\.nn' has no attribute 'Conv9d'"),
    ],
)
def test_a_beginner_who_looks_for_a_layer_is_told_where_it_is(name: str, told: str) -> None:
    with pytest.raises(AttributeError, match=told):
        raise AttributeError(missing(name))
