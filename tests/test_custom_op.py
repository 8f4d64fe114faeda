"""An op written outside the package as a function is as good as one of its own."""

from __future__ import annotations

import dataclasses
import importlib
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
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


def weighed() -> Any:
    @custom_op(
        vjp_a=lambda g, y, a, b: g * np.exp(b),
        vjp_b=lambda g, y, a, b: g * y,
        formula="y = a e^b",
        rule={"a": r"\bar a = \bar y e^b", "b": r"\bar b = \bar y y"},
    )
    def scaled(a: Any, b: Any) -> Any:
        """a times e to the power of b."""
        return a * np.exp(b)

    return scaled


def of_rows() -> Any:
    @custom_op(
        vjp_z=lambda g, y, z: g - np.exp(y) * np.sum(g, axis=-1, keepdims=True),
        formula=r"y_i = z_i - \ln \sum_j e^{z_j}",
        rule={"z": r"\bar z_i = \bar y_i - e^{y_i} \sum_j \bar y_j"},
    )
    def row_log_softmax(z: Any) -> Any:
        """The logarithm of the softmax of each row."""
        z = z - np.max(z, axis=-1, keepdims=True)
        return z - np.log(np.sum(np.exp(z), axis=-1, keepdims=True))

    return row_log_softmax


rows = np.array([[0.3, -1.2, 2.0], [1.1, 0.4, -0.6]])
OURS = [(bent, ()), (weighed, (rows, np.array([0.5, -0.3, 0.2]))), (of_rows, (rows,))]


@pytest.mark.parametrize(("make", "inputs"), OURS)
def test_it_obeys_the_laws_of_ops_and_is_shown_as_they_are(make: Any, inputs: Any) -> None:
    op = make()
    ta.testing.check_op(op, *inputs)
    y = np.sum(op(*map(Tensor, inputs or (x0,))))
    for seen in (ta.card(op), ta.draw(y), ta.explain(y), ta.step_through(y).html, ta.backward_source(y)):
        assert op.name in str(seen)
    if len(inputs) < 2:
        assert ta.nn.Sequential(op.name, op)(rows).shape == (2, 3)


def test_it_is_read_where_it_is_defined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "ops_of_mine.py").write_text(
        "from tinygrad_act import custom_op\n@custom_op(derivative=lambda y, x: 2.0)\ndef twice(x):\n    return 2 * x\n"
    )
    module = ta.nn.Sequential(importlib.import_module("ops_of_mine").twice, bent())
    written = pickle.dumps(module)
    del ta.OPS["twice"], sys.modules["ops_of_mine"]
    assert repr(pickle.loads(written)) == repr(module)
    del ta.OPS["leaky_cube"]
    with pytest.raises(LookupError, match=r"no op 'leaky_cube' yet: define it, as .*test_custom_op did"):
        pickle.loads(written)


def test_several_inputs_have_a_rule_each_and_broadcast() -> None:
    scaled = weighed()
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


def named(f: Any) -> Any:
    f.__name__ = "op_of_mine"
    return f


def of(*arguments: Any, **rules_and_facts: Any) -> Any:
    """What decorates f(x) = x², which is given a name."""
    return custom_op(*arguments, **rules_and_facts)(named(lambda x: x**2))


def product(**rules: Any) -> Any:
    return custom_op(**rules)(named(lambda a, b: a * b))


def square(y: Any, x: Any) -> Any:
    return 2 * x


WRONG = [
    (lambda: custom_op()(named(lambda x: x)), "needs either derivative"),
    (lambda: of(square, vjp_x=lambda g, y, x: g), "needs either derivative"),
    (lambda: custom_op(square)(named(lambda a, b: a)), "vjp_a, vjp_b"),
    (lambda: product(vjp_c=lambda *_: 1.0), "no input for vjp_c; its inputs are a, b"),
    (lambda: of(square, formla="x"), "no 'formla'; it has rules, vjp_<input>, and the facts .*formula"),
    (lambda: product(vpj_a=lambda g, y, a, b: g * b), "no 'vpj_a'; it has rules, vjp_<input>"),
    (lambda: custom_op(square)(named(lambda x, alpha=1.0: x)), "write a class"),
    (lambda: custom_op(square)(named(lambda *xs: xs)), "write a class"),
    (lambda: custom_op(lambda x: x**2), r"derivative is called with \(y, x\), and the one given takes \(x\)"),
    (lambda: custom_op(lambda x, y: 2 * x), r"derivative is called with \(y, x\), and the one given takes \(x, y\)"),
    (lambda: custom_op(2.0), r"derivative is a function of \(y, x\), not a float"),
    (
        lambda: product(vjp_a=lambda g, y, a: g),
        r"vjp_a of op_of_mine is called with \(g, y, a, b\), .* takes \(g, y, a\)",
    ),
    (lambda: product(vjp_a=lambda a, b, g, y: g), r"is called with \(g, y, a, b\), .* takes \(a, b, g, y\)"),
    (lambda: product(vjp_a=1.0), r"vjp_a of op_of_mine is a function of \(g, y, a, b\), not a float"),
    (lambda: custom_op(square)(lambda x: x), "a function with a name"),
    (lambda: custom_op(square)(np.exp), "a function with a name"),
    (lambda: of(square, kinks=Kink(0, 0, 1, 0, "")), "kinks of op_of_mine are a tuple"),
    (lambda: of(square, formula=2), "formula of op_of_mine is a string of LaTeX, and the rule too"),
    (lambda: of(square, rule={"x": "2 x"}), "string of LaTeX, and the rule too"),
    (lambda: product(vjp_a=lambda g, y, a, b: g * b, rule="g b"), "the rule a dict of such, by input"),
]


@pytest.mark.parametrize(("call", "says"), WRONG)
def test_what_is_wrong_is_told(call: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        call()
    assert "op_of_mine" not in ta.OPS


def in_use(f: Any, *arguments: Any, **rules: Any) -> Any:
    op = custom_op(*arguments, **rules)(named(lambda x: f(x)))
    return ta.grad(lambda x: np.sum(op(x)))(x0)


WRONG_IN_USE = [
    (lambda: in_use(lambda x: x[:2], square), r"function of op_of_mine gave an array of shape \(2,\) for .* \(4,\)"),
    (lambda: in_use(np.sum, square), "each element by itself"),
    (lambda: in_use(list, square), "function of op_of_mine gave a list"),
    (lambda: in_use(np.exp, lambda y, x: x[:, None] * x), r"derivative of op_of_mine gave an array of shape \(4, 4\)"),
    (lambda: in_use(np.exp, lambda y, x: [1.0] * 4), "derivative of op_of_mine gave a list"),
    (lambda: in_use(np.exp, lambda y, x: None), "derivative of op_of_mine gave a NoneType"),
    (
        lambda: in_use(lambda x: list(x), vjp_x=lambda g, y, x: g),
        "forward of op_of_mine returned a list; it is given arra",
    ),
    (lambda: in_use(lambda x: float(x[0]), vjp_x=lambda g, y, x: g), "forward of op_of_mine returned a float"),
    (lambda: in_use(Tensor, vjp_x=lambda g, y, x: g), "forward of op_of_mine returned a Tensor"),
    (
        lambda: in_use(np.sign, vjp_x=lambda g, y, x: 0.0),
        r"op_of_mine gave a float to an input of shape \(4,\): its rule for 'x'",
    ),
    (lambda: in_use(np.sign, vjp_x=lambda g, y, x: None), "op_of_mine gave a NoneType to"),
    (lambda: in_use(np.exp, vjp_x=lambda g, y, x: g * y * 1j), "an input of op_of_mine holds complex numbers"),
    (
        lambda: in_use(np.exp, vjp_x=lambda g, y, x: g[:3]),
        r"shape \(3,\) to an input of shape \(4,\): its rule for 'x'",
    ),
]


@pytest.mark.parametrize(("call", "says"), WRONG_IN_USE)
def test_what_goes_wrong_is_told(call: Any, says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        call()


def test_a_class_whose_rules_do_not_fit_is_refused() -> None:
    with pytest.raises(TypeError, match="Product has no input for vjp_c; forward has the inputs a, b"):

        class Product(ta.Op):
            def forward(self, a: Any, b: Any) -> Any:
                return a * b

            def vjp_c(self, g: Any, y: Any, a: Any, b: Any) -> Any:
                return g * b

    with pytest.raises(TypeError, match="Both has one derivative, which is for one input; forward has the inputs a, b"):

        class Both(ta.Elementwise):
            def forward(self, a: Any, b: Any) -> Any:
                return a * b

            def derivative(self, y: Any, a: Any, b: Any) -> Any:
                return b

    class Half(ta.Op):
        alpha: float = 0.5

        def forward(self, x: Any) -> Any:
            return self.alpha * x

        def derivative(self, y: Any, x: Any) -> Any:
            return self.alpha

    with pytest.raises(TypeError, match="A derivative alone is enough for an Elementwise op"):
        ta.grad(lambda x: np.sum(Half()(x)))(x0)
    with pytest.raises(TypeError, match=r"write register\(Half\(\)\)"):
        ta.register(Half)
    with pytest.raises(TypeError, match=r"write @dataclass\(frozen=True\) above class Half"):
        ta.register(dataclasses.dataclass(Half)())


def test_an_op_without_a_formula_can_be_looked_at() -> None:
    for op in (of(square), of(vjp_x=lambda g, y, x: 2 * g * x)):
        y = np.sum(op(Tensor(x0)))
        for seen in (ta.card(op), ta.draw(y), ta.explain(y), ta.step_through(y).html, ta.backward_source(y)):
            assert "op_of_mine" in str(seen)
        assert "op_of_mine" in ta.card(op)._repr_html_()
        assert ta.card(op)._repr_latex_() is None
