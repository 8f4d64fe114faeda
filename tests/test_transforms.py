"""Transforms of functions: against differences of each other, at any depth, in any container, through any op."""

from __future__ import annotations

import collections
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from samples import SAMPLES, Sample

import tinygrad_act as ta
from tinygrad_act import Tensor, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from tinygrad_act.trees import flatten

Pair = collections.namedtuple("Pair", "left right")
x0 = np.array([0.3, -0.7, 1.1])
w0 = np.arange(12.0).reshape(3, 4) / 10 - 0.5


def same(a: Any, b: Any, **kwargs: Any) -> None:
    """Equal trees of close arrays."""
    for (path, x), (other, y) in zip(flatten(a), flatten(b), strict=True):
        assert path == other
        np.testing.assert_allclose(x, y, **({"rtol": 1e-12, "atol": 1e-12} | kwargs))


def seeded(*arrays: Any) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [np.asarray(rng.normal(size=np.shape(a))).astype(np.asarray(a).dtype) for a in arrays]


def of_the_floats(sample: Sample) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The op of a sample as a function of its arrays of floats."""
    free = [i for i, x in enumerate(sample.inputs) if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
    if not sample.op.variadic:
        free = [i for i in free if type(sample.op).vjp is not ta.Op.vjp or sample.op.rules[i] is not None]

    def f(*floats: Any) -> Any:
        inputs = list(sample.inputs)
        for i, x in zip(free, floats, strict=True):
            inputs[i] = x
        return sample.op(*inputs)

    return f, tuple(np.asarray(sample.inputs[i]) for i in free)


@pytest.mark.parametrize("sample", SAMPLES, ids=repr)
def test_jvp_and_vjp_of_every_op_are_transposes(sample: Sample) -> None:
    f, xs = of_the_floats(sample)
    vs = tuple(seeded(*xs))
    y, dy = jvp(f, xs, vs)
    assert np.shape(dy) == np.shape(y) == np.shape(f(*xs))
    u = seeded(y)[0] + 0.5
    y_again, pullback = vjp(f, *xs)
    np.testing.assert_array_equal(y, y_again)
    there = sum(np.sum(g * v) for g, v in zip(pullback(u), vs, strict=True))
    np.testing.assert_allclose(np.sum(u * dy), there, rtol=1e-10, atol=1e-11)


SMOOTH = [s for s in SAMPLES if not s.op.kinks and s.op.surrogate is None]


@pytest.mark.parametrize("sample", SMOOTH, ids=repr)
def test_hvp_of_every_smooth_op_is_the_difference_of_gradients(sample: Sample) -> None:
    f, xs = of_the_floats(sample)
    weight = seeded(f(*xs))[0]
    vs, h = tuple(seeded(*xs)), 1e-5
    slope = grad(lambda *x: np.sum(f(*x) * weight), tuple(range(len(xs))))
    above, below = (slope(*(x + s * h * v for x, v in zip(xs, vs, strict=True))) for s in (1, -1))
    found = hvp(lambda *x: np.sum(f(*x) * weight), xs, vs)
    for a, b, c in zip(above, below, found, strict=True):
        scale = 1 + np.max(np.abs(c), initial=0) + np.max(np.abs(a), initial=0)
        np.testing.assert_allclose(c, (a - b) / (2 * h), atol=2e-7 * scale, rtol=1e-5)


def test_transforms_nest_without_confusing_perturbations() -> None:
    assert grad(lambda x: x * grad(lambda z: x * z)(x))(3.0) == 6
    assert grad(lambda x: grad(lambda z: x * z)(1.0))(2.0) == 1
    assert grad(lambda x: x * grad(lambda z: z * z)(1.0))(2.0) == 2
    assert grad(lambda x: x * jvp(lambda z: x + z, 1.0, 1.0)[1])(2.0) == 1
    assert grad(lambda x: jvp(lambda z: z * z * x, x, 1.0)[1])(3.0) == 12
    assert jvp(lambda x: x * jvp(lambda z: x * z, 5.0, 1.0)[1], 3.0, 1.0)[1] == 6
    assert grad(lambda t: jvp(lambda z: z**3, 2.0, t)[1])(1.0) == 12
    assert grad(lambda u: vjp(lambda z: z**3, 2.0)[1](u)[0])(1.0) == 12
    assert vjp(lambda x: x * vjp(lambda z: x * z, 5.0)[1](1.0)[0], 3.0)[1](1.0) == (6,)

    def f(x: Any) -> Any:
        return x**5

    for n, expected in enumerate([5 * 16, 20 * 8, 60 * 4, 120 * 2, 120, 0], start=1):
        derivative: Any = f
        for _ in range(n):
            derivative = grad(derivative)
        assert derivative(2.0) == expected


T = np.polynomial.Polynomial([0, 1])
TRANSFORMS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {  # of a function of a number; of a polynomial p
    "grad": (grad, lambda p: p.deriv()),
    "value_and_grad": (
        lambda f: lambda x: sum(value_and_grad(lambda z, y: f(z) * y, -1)(x, x * x)),
        lambda p: p * T**2 + p,
    ),
    "vjp": (lambda f: lambda x: vjp(lambda z: f(z) * x, x)[1](x)[0], lambda p: p.deriv() * T**2),
    "vjp at a constant": (lambda f: lambda x: vjp(lambda z: f(z * x), 0.5)[1](1.0)[0], lambda p: p.deriv()(T / 2) * T),
    "jvp": (lambda f: lambda x: jvp(lambda z: f(z) * x, 0.5, x)[1], lambda p: p.deriv()(0.5) * T**2),
    "jvp of two": (lambda f: lambda x: jvp(lambda a, b: f(a) * b, (x, x), (1.0, x))[1], lambda p: T * (p.deriv() + p)),
    "jacobian by rows": (
        lambda f: lambda x: np.sum(jacobian(lambda v: np.stack([f(v[0]) * v[1], v[1] * x]))(np.stack([x, x]))),
        lambda p: p.deriv() * T + p + T,
    ),
    "jacobian by columns": (
        lambda f: lambda x: np.sum(jacobian(lambda z: {"a": f(z), "b": [np.stack([z * x, z])]})(x)["b"][0]) * f(x),
        lambda p: (T + 1) * p,
    ),
    "hessian": (lambda f: lambda x: hessian(lambda z: f(z) * x)(x), lambda p: p.deriv(2) * T),
    "hvp": (lambda f: lambda x: hvp(lambda z: f(z) * z, x, x), lambda p: (p * T).deriv(2) * T),
    "elementwise_grad": (
        lambda f: lambda x: np.sum(ta.elementwise_grad(lambda v: v * f(x))(np.stack([x, x]))) + f(x),
        lambda p: 3 * p,
    ),
    "checkpoint": (lambda f: ta.checkpoint(lambda x: f(x)), lambda p: p),
    "checkpoint of a closure": (lambda f: lambda x: ta.checkpoint(lambda z: (f(z) * x, x))(x)[0], lambda p: p * T),
}


def assert_transformed(*names: str) -> None:
    """On numbers, on Tensors and under no_grad, transforms of transforms of a polynomial are what they should be."""
    f, p = (lambda x: 0.5 * x**3 - x**2 + x), np.polynomial.Polynomial([0, 1, -1, 0.5])
    for name in names:
        transform, of_polynomial = TRANSFORMS[name]
        f, p = transform(f), of_polynomial(p)
    to = 1e-11 * sum(abs(c) for c in p.coef) + 1e-13
    value, constant, x = f(0.7), f(Tensor(0.7, requires_grad=False)), Tensor(0.7)
    with ta.no_grad():
        assert not isinstance(f(0.7), Tensor)
    y = f(x)
    assert not isinstance(value, Tensor)
    assert not getattr(constant, "requires_grad", False)
    np.testing.assert_allclose([value, np.asarray(constant), y.data], p(0.7), rtol=0, atol=to)
    if y.requires_grad:
        y.backward()
    np.testing.assert_allclose(0.0 if x.grad is None else x.grad, p.deriv()(0.7), rtol=0, atol=30 * to)


@pytest.mark.parametrize("outer", TRANSFORMS)
def test_every_transform_of_every_transform_is_right(outer: str) -> None:
    for inner in TRANSFORMS:
        assert_transformed(inner, outer)


@pytest.mark.parametrize(("depth", "times"), [(3, 100), (5, 10)])
def test_transforms_nest_to_any_depth(depth: int, times: int) -> None:
    rng = np.random.default_rng(0)
    for _ in range(times):
        assert_transformed(*rng.choice(list(TRANSFORMS), depth))


def test_second_derivatives_agree_however_they_are_taken() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.tanh(x @ w0) ** 2) + np.prod(x)

    v = np.array([1.0, -2.0, 0.5])
    h = hessian(f)(x0)
    same(jacobian(jacobian(f))(x0), h)
    same(jacobian(lambda x: jvp(grad(f), x, v)[1])(x0), jacobian(lambda x: hvp(f, x, v))(x0))
    same(hvp(f, x0, v), h @ v)
    same(jvp(grad(f), x0, v)[1], h @ v)
    same(grad(lambda x: jvp(f, x, v)[1])(x0), h @ v)
    same(grad(lambda x: np.sum(grad(f)(x) * v))(x0), h @ v)
    assert hvp(f, (x0,), (v,))[0].shape == (3,)


@pytest.mark.parametrize("f", [lambda x: np.tanh(x @ w0), lambda x: np.sum(x) * x[:2], lambda x: x[:, None] * x])
def test_a_jacobian_is_the_same_by_rows_and_by_columns(f: Any) -> None:
    j = jacobian(f)(x0)
    y, pullback = vjp(f, x0)
    assert j.shape == y.shape + x0.shape
    for i in np.ndindex(*y.shape):
        unit = np.zeros_like(y)
        unit[i] = 1
        same(pullback(unit)[0], j[i])
    for k, unit in enumerate(np.eye(3)):
        same(jvp(f, x0, unit)[1], j[..., k])


@pytest.mark.parametrize("shape", [(3, 1), (1, 3)])
def test_a_jacobian_takes_no_more_walks_than_it_must(shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    walks = []
    walk = ta.transforms.linear.walk
    monkeypatch.setattr(ta.transforms.linear, "walk", lambda *args: walks.append(1) or walk(*args))
    matrix = np.ones((50, 50))[: 50 if shape[0] == 3 else 1, : 50 if shape[1] == 3 else 1]
    assert jacobian(lambda x: matrix @ x)(np.ones(matrix.shape[1])).shape == matrix.shape
    assert len(walks) <= 2


def test_a_jacobian_has_the_dtype_of_the_argument_by_rows_and_by_columns() -> None:
    x, matrix = np.ones(2, np.float32), np.ones((3, 2))
    assert grad(lambda x: np.sum(matrix @ x))(x).dtype == np.float32
    assert jacobian(lambda x: matrix @ x)(x).dtype == np.float32
    assert jacobian(lambda x: matrix[:1] @ x)(x).dtype == np.float32


def test_a_derivative_along_a_direction_does_not_overflow_on_the_way() -> None:
    for dtype in (np.float16, np.float32, np.float64, np.longdouble):
        large = np.full(10, np.finfo(dtype).max / 2, dtype)
        np.testing.assert_array_equal(jvp(lambda x, a=large: a * x, dtype(0.5), dtype(1))[1], large)
        np.testing.assert_array_equal(jacobian(lambda x, a=large: a * x)(dtype(0.5)), large)
    for dtype in (np.float16, np.float32, np.float64, np.longdouble):
        assert jvp(np.square, dtype(np.inf), dtype(1))[1] == np.inf


def test_transforms_in_a_loop_take_time_in_proportion(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transform looks at the graph that its own function makes, and at none that was there before."""
    seen: list[int] = []
    toposort = ta.transforms.linear.toposort
    monkeypatch.setattr(
        ta.transforms.linear, "toposort", lambda *a, **k: [seen.append(len(found := toposort(*a, **k))), found][1]
    )

    def descended(rate: Any, steps: int) -> Any:
        w = x0
        for _ in range(steps):
            w = w - rate * grad(lambda w: np.sum(np.tanh(w) ** 2))(w)
            w = w - rate * jvp(np.tanh, w, w)[1]
        return np.sum(w)

    counts = []
    for steps in (10, 20, 40):
        seen.clear()
        grad(descended)(0.1, steps)
        counts.append(sum(seen))
    assert counts[2] - counts[1] == 2 * (counts[1] - counts[0])


def test_results_of_other_kinds_keep_their_kind() -> None:
    class Named(dict):  # type: ignore[type-arg]
        pass

    for kind in (collections.Counter, Named, lambda p: collections.defaultdict(list, p)):
        p = kind({"a": 2.0, "b": 3.0})
        g = grad(lambda p: p["a"] * p["b"])(p)
        assert type(g) is type(p)
        assert g == {"a": 3.0, "b": 2.0}


def test_a_transform_has_the_signature_of_its_function() -> None:
    def f(weights: Any, *, rate: float) -> Any:
        return weights * rate

    for transform in (grad, value_and_grad, jacobian, hessian, ta.elementwise_grad, ta.checkpoint):
        assert inspect.signature(transform(f)) == inspect.signature(f)
    assert hessian(f).__name__ == "hessian(f)"


def test_compiled_functions_are_differentiated_as_what_they_are() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.tanh(x) ** 2)

    compiled = ta.compile(f)
    for x in (x0, Tensor(x0)):
        compiled(x)
        assert "np.tanh" in compiled.source
    same(grad(compiled)(x0), grad(f)(x0))
    same(hessian(compiled)(x0), hessian(f)(x0))
    same(jvp(compiled, x0, x0), jvp(f, x0, x0))
    same(grad(ta.checkpoint(compiled))(x0), grad(f)(x0))
    assert ta.gradients(ta.checkpoint(compiled)(t := Tensor(2.0)), t).data == grad(f)(2.0)
    assert grad(lambda x: ta.compile(lambda z: z * x)(2.0))(3.0) == 2
    same(grad(lambda x: np.sum(ta.compile(grad(f))(x)))(x0), np.diag(hessian(f)(x0)))
    same(ta.compile(grad(compiled))(x0), grad(f)(x0))
    np.testing.assert_array_equal(compiled(x0), f(x0))
    with ta.debug():
        same(grad(compiled)(x0), grad(f)(x0))


def test_containers_nest_in_arguments_and_results() -> None:
    def f(p: Any, rest: Any) -> Any:
        return np.sum(p["w"].left ** 2 * p["b"][0]) + rest[0]["k"] * 3

    args = ({"w": Pair(x0, None), "b": (2.0,)}, [{"k": np.float32(1.0)}, None])
    _, (first, second) = value_and_grad(f, (0, 1))(*args)
    same(first, {"w": Pair(4 * x0, None), "b": (np.sum(x0**2),)})
    assert isinstance(first["w"], Pair)
    assert isinstance(first["b"], tuple)
    assert second == [{"k": 3.0}, None]
    assert second[0]["k"].dtype == np.float32
    blocks = jacobian(lambda p: (p["a"] * p["b"], {"s": np.sum(p["a"])}))({"a": x0, "b": 2.0})
    same(blocks, ({"a": 2 * np.eye(3), "b": x0}, {"s": {"a": np.ones(3), "b": 0.0}}))
    h = hessian(lambda a, b: np.sum(a**2) * b, (0, 1))(x0, 3.0)
    same(h, ((6 * np.eye(3), 2 * x0), (2 * x0, 0.0)))
    y, dy = jvp(lambda p: [p["a"] * p["b"], None], {"a": x0, "b": 2.0}, {"b": 1.0, "a": np.ones(3)})
    same((y, dy), ([2 * x0, None], [x0 + 2, None]))
    ordered = grad(lambda p: p["z"] * p["y"])(collections.OrderedDict(z=2.0, y=3.0))
    assert ordered == collections.OrderedDict(z=3.0, y=2.0)
    assert isinstance(ordered, collections.OrderedDict)


def test_arrays_give_arrays_and_tensors_give_tensors() -> None:
    def f(x: Any) -> Any:
        return np.sum(x**3)

    g = grad(f)(x0)
    assert type(g) is np.ndarray
    assert type(value_and_grad(f)(x0)[0]) is np.float64
    assert type(grad(f)(np.float32(2))) is np.float32
    assert grad(f)(x0.astype(np.float32)).dtype == hessian(f)(x0.astype(np.float32)).dtype == np.float32
    t = Tensor(x0)
    slope = grad(f)(t)
    assert isinstance(slope, Tensor)
    np.sum(slope).backward()
    same(t.grad, 6 * x0)
    constant = grad(f)(Tensor(x0, requires_grad=False))
    assert isinstance(constant, Tensor)
    assert not constant.requires_grad
    assert isinstance(grad(np.sum)(t), Tensor)


def test_what_depends_on_a_closed_over_tensor_is_a_tensor_unless_under_no_grad() -> None:
    w = Tensor([1.0, 2.0, 3.0])
    slope = ta.elementwise_grad(lambda x: w * x**2)(x0)
    assert isinstance(slope, Tensor)
    np.sum(slope).backward()
    same(w.grad, 2 * x0)
    with ta.no_grad():
        assert type(ta.elementwise_grad(lambda x: w * x**2)(x0)) is np.ndarray
        derivative = jvp(lambda x: w * x**2, x0, x0)[1]
    assert type(derivative) is np.ndarray
    same(derivative, 2 * w.data * x0**2)
    assert type(ta.elementwise_grad(lambda x: w + x**2)(x0)) is np.ndarray  # it does not depend on w


def test_no_grad_of_anything_changes_and_results_own_their_memory() -> None:
    w, x, v = Tensor(2.0), np.ones(3), np.ones(3)
    first, second = grad(lambda a, b: np.sum(a + b) * w, (0, 1))(Tensor(x0), x)
    assert w.grad is None
    first, second = grad(lambda a, b: np.sum(a + b), (0, 1))(x, x)
    first += 1
    same(second, np.ones(3))
    y, pullback = vjp(lambda x: x, x)
    (back,) = pullback(v)
    y += 1
    back += 1
    same((x, v, pullback(v)[0]), (np.ones(3), np.ones(3), np.ones(3)))
    y, pullback = vjp(np.exp, x)
    y[...] = 0
    same(pullback(v)[0], np.exp(x))


def test_aux_is_handed_through_without_a_graph() -> None:
    def f(x: Any) -> Any:
        return (np.sum(x**2), {"h": 2 * x, "name": "aux", "none": None})

    g, aux = grad(f, has_aux=True)(x0)
    same(g, 2 * x0)
    assert type(aux["h"]) is np.ndarray
    assert aux["name"] == "aux"
    (value, _), g_again = value_and_grad(f, has_aux=True)(x0)
    assert value == np.sum(x0**2)
    same(g, g_again)


def test_what_the_value_does_not_depend_on_gets_zeros() -> None:
    assert grad(lambda a: a, ())(1.0) == jacobian(lambda a: a, ())(1.0) == ()
    assert jacobian(lambda a: np.ones(2))({}) == {}
    same(grad(lambda a, b: np.sum(a), (0, 1))(x0, w0), (np.ones(3), np.zeros((3, 4))))
    same(grad(lambda a: 3.0)(x0), np.zeros(3))
    same(grad(lambda a: np.sum(a.data))(x0), np.zeros(3))
    same(jvp(lambda a: np.ones(2), x0, x0)[1], np.zeros(2))
    assert jacobian(lambda x: x * 2)(np.zeros((0, 2))).shape == (0, 2, 0, 2)


REFUSED = [
    (lambda: grad(lambda x: x * 2)(x0), ValueError, "ta.elementwise_grad"),
    (lambda: grad(np.sum)(3), TypeError, "argument 0 holds integers"),
    (lambda: grad(lambda p: p["a"])({"a": 1.0, "b": [True]}), TypeError, r"argument 0\['b'\]\[0\] holds booleans"),
    (lambda: grad(lambda p: p["a"])({"a": 1.0, "b": "s"}), TypeError, "objects"),
    (lambda: grad(lambda x: None)(x0), TypeError, "returned None"),
    (lambda: grad(lambda x: x > 0)(1.0), TypeError, "returned holds booleans"),
    (lambda: grad(lambda x: (x, x))(1.0), TypeError, "has_aux=True"),
    (lambda: grad(lambda x: x, has_aux=True)(1.0), TypeError, "return \\(value, aux\\)"),
    (lambda: grad(lambda m: m)(ta.nn.Linear(2, 2)), TypeError, "functional_call"),
    (lambda: grad(lambda x: x, 2)(1.0), IndexError, "1 positional"),
    (lambda: grad(lambda x: x)(x=1.0), IndexError, "by keyword are not differentiated"),
    (lambda: jacobian(lambda a, b: a * b, (0, 0))(1.0, 2.0), ValueError, r"jacobian: argnums is \(0, 0\), .* twice"),
    (lambda: grad(lambda a, b: a * b, (1, -1))(1.0, 2.0), ValueError, "names an argument twice"),
    (lambda: grad(lambda a: a, "a")(1.0), TypeError, "argnums is 'a', not the number of an argument"),
    (lambda: grad(lambda p: 1.0)({1.0, 2.0}), TypeError, "argument 0 is a set, and objects of that kind have no deriv"),
    (
        lambda: jacobian(lambda x: [x, ta.relu])(1.0),
        TypeError,
        r"returned at \[1\] is a ReLU, and objects of that kind",
    ),
    (lambda: hessian(lambda x: np.array([x.data, None]))(1.0), TypeError, "hessian: .* holds objects of object"),
    (lambda: vjp(np.exp, x0)[1](x0 * 1j), TypeError, "vjp: the cotangent holds complex numbers"),
    (lambda: jvp(np.exp, 1.0, "1"), TypeError, r"jvp: the tangent\[0\] is a str"),
    (lambda: hvp(np.exp, x0, x0), ValueError, "hvp: the function returned an array of shape \\(3,\\)"),
    (lambda: hvp(np.sum, x0, np.ones(4)), ValueError, r"hvp: the tangent\[0\] has shape \(4,\)"),
    (lambda: jvp(np.sum, x0, np.ones(4)), ValueError, r"tangent\[0\] has shape \(4,\)"),
    (lambda: jvp(np.sum, (x0,), (x0, x0)), ValueError, "a tuple of 1, as it is there, but is a tuple of 2"),
    (lambda: jvp(lambda p: p["a"], {"a": 1.0}, {"b": 1.0}), ValueError, "keys"),
    (lambda: jvp(lambda p: p[0], [1.0], [None]), ValueError, "is None"),
    (lambda: vjp(np.exp, x0)[1](np.ones(4)), ValueError, "cotangent has shape"),
    (lambda: ta.gradients(np.sum(x0), Tensor(x0)), TypeError, "is of a Tensor, and was given a float64"),
]


@pytest.mark.parametrize(("call", "error", "says"), REFUSED)
def test_refusals_say_what_to_write(call: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        call()


@pytest.mark.parametrize("requires_grad", [True, False])
def test_a_pullback_knows_that_a_leaf_has_changed(requires_grad: bool) -> None:
    w = Tensor(2.0, requires_grad)
    _, pullback = vjp(lambda x: w * x, 3.0)
    w.data = np.array(5.0)
    with pytest.raises(RuntimeError, match="changed after"):
        pullback(1.0)


def loss(p: Any) -> Any:
    return np.sum(np.tanh(p["x"] @ w0) ** 2 * p["s"])


def vector(x: Any) -> Any:
    return np.tanh(x @ w0)


COMPILED = [
    (value_and_grad(loss), {"x": x0, "s": np.array(2.0)}),
    (grad(grad(lambda x: np.sum(np.sin(x)))), np.array(0.5)),
    (hessian(lambda x: np.sum(np.tanh(x) ** 2)), x0),
    (jacobian(vector), x0),
    (jacobian(lambda x: x[:2] * np.sum(x)), x0),
    (lambda x: jvp(vector, x, x), x0),
    (lambda x: vjp(vector, x)[1](np.ones(4)), x0),
    (lambda x: hvp(lambda z: np.sum(np.exp(z) * z), x, x), x0),
]


@pytest.mark.parametrize(("f", "x"), COMPILED)
def test_transforms_compile_to_the_bit(f: Any, x: Any) -> None:
    step = ta.compile(lambda x: f(x))
    for (_, a), (_, b) in zip(flatten(step(x)), flatten(f(x)), strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.asarray(a).dtype == np.asarray(b).dtype


PARITY = [
    lambda np, x: np.sum(np.tanh(np.dot(x, w0)) ** 2),
    lambda np, x: np.log(np.sum(np.exp(x))) * np.prod(x),
    lambda np, x: np.sum(np.where(x > 0, np.sqrt(np.abs(x)), x**3)) / np.mean(np.cosh(x)),
    lambda np, x: np.linalg.norm(np.outer(x, x) @ np.ones(3) + 1) if hasattr(np, "jit") else np.max(np.sin(x) * x),
]


@pytest.mark.parametrize("f", PARITY)
def test_autograd_agrees(f: Any) -> None:
    autograd = pytest.importorskip("autograd", reason="HIPS autograd is not installed")
    theirs, ours = (lambda x: f(autograd.numpy, x)), (lambda x: f(np, x))
    same(grad(ours)(x0), autograd.grad(theirs)(x0))
    same(hessian(ours)(x0), autograd.hessian(theirs)(x0), rtol=1e-10)
    same(hvp(ours, x0, x0), autograd.hessian_vector_product(theirs)(x0, x0), rtol=1e-10)


@pytest.mark.parametrize("f", PARITY)
def test_jax_agrees(f: Any) -> None:
    jax = pytest.importorskip("jax", reason="jax is not installed")
    with jax.enable_x64(True):
        theirs, ours = (lambda x: f(jax.numpy, x)), (lambda x: f(np, x))
        same(grad(ours)(x0), jax.grad(theirs)(x0))
        same(hessian(ours)(x0), jax.hessian(theirs)(x0), rtol=1e-10)
        same(jvp(ours, x0, x0), jax.jvp(theirs, (x0,), (x0,)))
        same(jacobian(jacobian(ours))(x0), jax.jacfwd(jax.jacrev(theirs))(x0), rtol=1e-10)


def test_derivatives_nest_as_those_of_jax() -> None:
    """Of functions of containers that return containers: form, shapes and numbers."""
    jax = pytest.importorskip("jax", reason="jax is not installed")

    def f(np: Any, p: Any, y: Any) -> Any:
        z = np.tanh(p["w"].left @ y) * p["w"].right[0]
        return {"a": (np.sum(z), [z, None]), "b": Pair(z[:, None] * p["s"], y * 2.0)}

    p = {"s": np.array(0.5), "w": Pair(w0.T, (np.array([2.0]), None))}
    with jax.enable_x64(True):
        theirs, ours = (lambda p, y: f(jax.numpy, p, y)), (lambda p, y: f(np, p, y))
        for argnums in (0, 1, -1, (0, 1), (1,), (-1, 0)):
            same(jacobian(ours, argnums)(p, x0), jax.jacrev(theirs, argnums)(p, x0))
            same(jacobian(ours, argnums)(p, x0), jax.jacfwd(theirs, argnums)(p, x0))
            same(hessian(ours, argnums)(p, x0), jax.hessian(theirs, argnums)(p, x0))


def test_an_output_returned_twice_gets_both_cotangents() -> None:
    def twice(x: Any) -> Any:
        y = x * x
        return y, y

    _, pull = vjp(twice, np.array([3.0]))
    np.testing.assert_array_equal(pull((np.array([1.0]), np.array([10.0])))[0], [66.0])


def test_arguments_are_counted_from_the_end_to_the_first() -> None:
    def f(a: Any, b: Any) -> Any:
        return (a * b).sum()

    np.testing.assert_array_equal(grad(f, -2)(np.ones(2), np.full(2, 3.0)), [3.0, 3.0])
    np.testing.assert_array_equal(grad(f, -1)(np.full(2, 5.0), np.ones(2)), [5.0, 5.0])
    for number in (-3, 2):
        with pytest.raises(IndexError, match="given 2 positional arguments"):
            grad(f, number)(np.ones(2), np.ones(2))


def test_a_tangent_that_is_a_tensor_gives_tensors() -> None:
    y, dy = jvp(lambda x: x * x, np.array([3.0]), Tensor([1.0], requires_grad=False))
    assert isinstance(y, Tensor)
    assert isinstance(dy, Tensor)
    assert dy.data.tolist() == [6.0]


def test_what_a_function_makes_for_itself_can_be_differentiated_by() -> None:
    made = []

    def f(x: Any) -> Any:
        made.append(Tensor([2.0]))
        return (made[-1] * x * x).sum()

    slope = grad(f)(np.ones(1))  # 2 w x
    assert ta.gradients(slope.sum(), made[0]).item() == 2.0


@pytest.mark.parametrize("x", [np.ones(2), np.ones(1), np.ones((1, 1))], ids=lambda x: str(x.shape))
def test_one_output_or_one_row_has_the_shape_of_many(x: np.ndarray) -> None:
    assert jacobian(lambda x: x * x)(x).shape == x.shape * 2
    assert jacobian(lambda x: (x * x).sum())(x).shape == x.shape
    assert jacobian(lambda x: x.ravel()[0] * np.ones(3))(x).shape == (3, *x.shape)


def test_cotangents_that_are_tensors_are_not_recorded_where_nothing_is() -> None:
    with ta.no_grad():
        _, pull = vjp(lambda x: x * x, np.ones(2))
        (gx,) = pull(Tensor([1.0, 2.0]))
    assert type(gx) is np.ndarray
    assert gx.tolist() == [2.0, 4.0]


def test_an_older_pullback_is_differentiated_by_newer_variables() -> None:
    """Which are no variables of its own, for they still belong to the transform that runs around it."""
    _, pull = vjp(lambda x: x**3, np.array([2.0, 3.0]))
    slopes = grad(lambda g: (pull(g)[0] ** 2).sum())(np.array([1.0, 10.0]))
    np.testing.assert_array_equal(slopes.data, [288.0, 14580.0])  # a Tensor, as what it depends on was there before


def test_cotangents_that_a_rule_passes_on_are_each_an_array_of_their_own() -> None:
    a, b = np.ones(3), np.ones(3)
    y, pull = vjp(lambda a, b: a + b, a, b)
    cotangent = np.array([1.0, 2.0, 3.0])
    found = [cotangent, y, *pull(cotangent)]
    found += [*grad(lambda a, b: (1.0 * a + b)[0], (0, 1))(a, b)]
    for i, g in enumerate(found):
        for other in found[:i]:
            assert not np.shares_memory(g, other)
