"""Functions of scipy.special on Tensors: their values, and their first and second derivatives by differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_numpy_calls import difference_quotient

import tinygrad_act as ta
from tinygrad_act.ops.scipy_special import OURS, SLOPES

special = pytest.importorskip("scipy.special", reason="scipy is not installed")

LINE, RIGHT, UNIT = np.array([-2.3, -0.8, -0.2, 0.3, 1.7]), np.array([0.3, 0.8, 1.7, 2.4]), np.array([0.1, 0.3, 0.8])
OTHERS = {
    "logit": (UNIT,),
    "erfinv": (UNIT,),
    "erfcinv": (UNIT,),
    "ndtri": (UNIT,),
    "spence": (UNIT,),
    "zeta": (2.5, RIGHT),
    "gammainc": (1.3, RIGHT),
    "gammaincc": (1.3, RIGHT),
    "jv": (1.3, RIGHT),
    "iv": (1.3, RIGHT),
    "ive": (1.3, RIGHT),
    "huber": (np.array([0.5, 1.0, 2.5, 0.7]), np.array([-0.3, 1.9, 1.5, -1.1])),
    "pseudo_huber": (np.array([0.5, 1.0, 2.5, 0.7]), np.array([-0.3, 1.9, 1.5, -1.1])),
    "boxcox": (RIGHT, np.array([0.5, -1.0, 2.0, 0.3])),
    "inv_boxcox": (RIGHT, 0.7),
}
ON_THE_LINE = {*OURS, "erfcx", "dawsn", "log_ndtr", "exprel", "exp10", "cosm1"}
ON_THE_LINE |= {"j0", "j1", "i0", "i1", "i0e", "i1e"}


def inputs_of(name: str) -> tuple[Any, ...]:
    if name in OTHERS:
        return OTHERS[name]
    n = len(SLOPES.get(name, (None,)))
    if name == "log1p":
        return (RIGHT,)
    return ((LINE,) if name in ON_THE_LINE else (RIGHT,)) if n == 1 else (RIGHT, RIGHT[::-1] + 0.15)


@pytest.mark.parametrize("name", [*OURS, *SLOPES])
def test_its_derivatives_are_difference_quotients(name: str) -> None:
    function, inputs = getattr(special, name), inputs_of(name)
    places = [i for i, x in enumerate(inputs) if isinstance(x, np.ndarray)]

    def slopes(*x: Any) -> Any:
        tensors = [ta.Tensor(v) if i in places else v for i, v in enumerate(x)]
        y = function(*tensors)
        np.testing.assert_allclose(y.data, function(*x), rtol=1e-13)
        assert y.requires_grad
        return tensors, ta.gradients(y.sum(), [tensors[i] for i in places])

    tensors, first = slopes(*inputs)
    for k, i in enumerate(places):
        numeric = difference_quotient(lambda *x: function(*x).sum(), list(inputs), i, 1e-4)
        np.testing.assert_allclose(first[k].data, numeric, rtol=1e-8, atol=1e-9)
    total = sum((d.sum() for d in first), start=0.0)
    second = ta.gradients(total, [tensors[i] for i in places])
    for k, i in enumerate(places):
        numeric = difference_quotient(lambda *x: sum(d.data.sum() for d in slopes(*x)[1]), list(inputs), i, 1e-4)
        np.testing.assert_allclose(second[k].data, numeric, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", [*OURS, *SLOPES])
def test_it_keeps_float32(name: str) -> None:
    inputs = [np.asarray(x, np.float32) for x in inputs_of(name)]
    y = getattr(special, name)(*(ta.Tensor(x) if x.ndim else x for x in inputs))
    assert y.dtype == np.float32


def test_a_function_without_a_rule_is_refused() -> None:
    with pytest.raises(TypeError, match="ellipk has no derivative rule"):
        special.ellipk(ta.Tensor(0.5))
    with pytest.raises(TypeError, match="no rule here for its input number 1"):
        special.jv(ta.Tensor(0.5), 1.0).backward()
    with pytest.raises(TypeError, match="would drop the gradient"):
        special.logsumexp(ta.Tensor([0.5, 1.0]))


def test_a_compiled_step_is_refused_a_function_of_scipys() -> None:
    x = ta.Tensor(RIGHT)
    with pytest.raises(TypeError, match="gammaln is not NumPy's"):
        ta.compile(lambda: special.gammaln(x).sum())()
