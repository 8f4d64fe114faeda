"""An op written outside the package as a function is as good as one of its own."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act import Kink, Tensor, custom_op

x0 = np.array([-1.5, -0.25, 0.5, 2.0])


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    """The registry, as it was before."""
    before = dict(ta.OPS)
    yield
    ta.OPS.clear()
    ta.OPS.update(before)


def bent() -> Any:
    @custom_op(
        derivative=lambda y, x: np.where(x > 0, 3 * x**2, 0.5),
        formula=r"\begin{cases} x^3 & x > 0 \\ \frac{x}{2} & x \le 0 \end{cases}",
        rule=r"\begin{cases} 3 x^2 & x > 0 \\ \frac{1}{2} & x \le 0 \end{cases}",
        kinks=(Kink(0.0, 0.5, 0.0, 0.5, why="that of the left branch"),),
        use="A cube with a leak.",
    )
    def leaky_cube(x: Any) -> Any:
        """A cube with a leak (nobody, 2024)."""
        return np.where(x > 0, x**3, 0.5 * x)

    return leaky_cube


def test_it_computes_and_differentiates_to_any_order() -> None:
    op = bent()
    assert isinstance(op, ta.Elementwise)
    np.testing.assert_array_equal(op(x0), np.where(x0 > 0, x0**3, x0 / 2))
    assert op(x0.astype(np.float32)).dtype == np.float32
    np.testing.assert_array_equal(ta.elementwise_grad(op)(x0), np.where(x0 > 0, 3 * x0**2, 0.5))
    np.testing.assert_array_equal(ta.hvp(lambda x: np.sum(op(x)), x0, x0), np.where(x0 > 0, 6 * x0 * x0, 0))


def test_it_has_what_an_op_has() -> None:
    op = bent()
    assert ta.leaky_cube is op
    assert ta.activation("leaky_cube") is op
    assert op.__doc__ == "A cube with a leak (nobody, 2024)."
    assert pickle.loads(pickle.dumps(op)) is op
    assert "leaky_cube" in str(ta.card(op))
    y = np.sum(op(Tensor(x0, name="x")))
    assert "leaky_cube" in str(ta.explain(y))
    assert "leaky_cube" in repr(ta.nn.Sequential(op))
    step = ta.compile(lambda x: ta.value_and_grad(lambda x: np.sum(op(x)))(x))
    for a, b in zip(step(x0), ta.value_and_grad(lambda x: np.sum(op(x)))(x0), strict=True):
        np.testing.assert_array_equal(a, b)


def test_several_inputs_have_a_rule_each_and_broadcast() -> None:
    @custom_op(
        vjp_a=lambda g, y, a, b: g * np.exp(b), vjp_b=lambda g, y, a, b: g * y, formula="a e^b", rule={"a": "g e^b"}
    )
    def scaled(a: Any, b: Any) -> Any:
        return a * np.exp(b)

    a, b = np.array([[1.0], [2.0]]), np.array([0.5, -1.0, 2.0])
    da, db = ta.grad(lambda a, b: np.sum(scaled(a, b)), (0, 1))(a, b)
    np.testing.assert_allclose(da, np.full((2, 1), np.exp(b).sum()))
    np.testing.assert_allclose(db, 3 * np.exp(b))
    h = ta.hessian(lambda b: np.sum(scaled(a, b)))(b)
    np.testing.assert_allclose(h, np.diag(3 * np.exp(b)))

    @custom_op(vjp_a=lambda g, y, a, b: g)
    def half(a: Any, b: Any) -> Any:
        return a + b

    with pytest.raises(TypeError, match="no rule for its input 'b'"):
        ta.grad(lambda b: half(1.0, b))(1.0)


def test_it_may_be_written_again_but_not_take_a_name_of_another() -> None:
    assert bent() is not bent()
    assert ta.leaky_cube is ta.OPS["leaky_cube"]
    with pytest.raises(ValueError, match="an op 'tanh' already"):

        @custom_op(derivative=lambda y, x: 1 - y**2)
        def tanh(x: Any) -> Any:
            return np.tanh(x)


WRONG = [
    (lambda: custom_op()(lambda x: x), "needs either derivative"),
    (lambda: custom_op(lambda y, x: 1.0, vjp_x=lambda g, y, x: g)(lambda x: x), "needs either derivative"),
    (lambda: custom_op(lambda y, a: 1.0)(lambda a, b: a), "vjp_a, vjp_b"),
    (lambda: custom_op(vjp_c=lambda *_: 1.0)(lambda a, b: a), "no input for vjp_c; its inputs are a, b"),
    (lambda: custom_op(lambda y, x: 1.0, formla="x")(lambda x: x), "no 'formla'; its facts are .*formula"),
    (lambda: custom_op(lambda y, x: 1.0)(lambda x, alpha=1.0: x), "write a class"),
]


@pytest.mark.parametrize(("call", "says"), WRONG)
def test_what_is_wrong_is_told(call: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        call()
