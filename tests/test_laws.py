"""Laws that hold for every op in the registry, on every sample of it."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import numpy as np
import pytest
from samples import ELEMENTWISE, SAMPLES, Sample

import tinygrad_act as ta
from tinygrad_act.op import OPS, Elementwise, Op

every_sample = pytest.mark.parametrize("sample", SAMPLES, ids=repr)
every_op = pytest.mark.parametrize("op", OPS.values(), ids=list(OPS))
every_elementwise = pytest.mark.parametrize("sample", ELEMENTWISE, ids=repr)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])

# fmt: off
ANALYTIC = [
    "exp", "expm1", "log", "sqrt", "sin", "cos", "tan", "sinh",
    "cosh", "arctan", "square", "reciprocal", "negative", "positive", "tanh", "add",
    "subtract", "multiply", "divide", "sum", "mean", "prod", "cumsum", "reshape",
    "transpose", "broadcast_to", "concatenate", "pad", "getitem", "scatter", "matmul", "affine",
    "tensordot", "einsum", "where",
]
# fmt: on


def differentiable(sample: Sample) -> list[int]:
    """Which inputs are float arrays that the op has a rule for."""
    op, inputs = sample
    has_rule = [op.variadic or isinstance(op, Elementwise) or op.rules[i] is not None for i in range(len(inputs))]
    return [i for i, x in enumerate(inputs) if isinstance(x, np.ndarray) and x.dtype.kind == "f" and has_rule[i]]


def as_tensors(sample: Sample, dtype: Any = np.float64) -> list[Any]:
    chosen = differentiable(sample)
    return [ta.Tensor(x.astype(dtype)) if i in chosen else x for i, x in enumerate(sample.inputs)]


def cotangent_like(y: Any) -> np.ndarray:
    return np.random.default_rng(3).uniform(0.5, 1.5, np.shape(y))


def numeric_gradient(f: Any, inputs: list[np.ndarray], i: int) -> np.ndarray:
    """Central differences of a scalar function of arrays, with respect to input i."""
    gradient, h = np.zeros_like(inputs[i]), 1e-5
    for index in np.ndindex(inputs[i].shape):
        values = []
        for step in (h, -h):
            moved = [x.copy() if isinstance(x, np.ndarray) else x for x in inputs]
            moved[i][index] += step
            values.append(f(*moved))
        gradient[index] = (values[0] - values[1]) / (2 * h)
    return gradient


def gradients_to_order(sample: Sample, order: int) -> tuple[Any, list[Any]]:
    """A scalar that contracts the derivative of the given order with fixed weights, and its inputs, as a function."""
    chosen = differentiable(sample)

    def scalar(*inputs: Any) -> tuple[Any, list[Any]]:
        tensors = [ta.Tensor(x) if i in chosen else x for i, x in enumerate(inputs)]
        y = sample.op(*tensors)
        s = (y * cotangent_like(y)).sum()
        for _ in range(order):
            derivatives = ta.gradients(s, [tensors[i] for i in chosen])
            s = sum(((d * np.cos(np.arange(d.size).reshape(d.shape))).sum() for d in derivatives), start=0.0 * s)
        return s, [tensors[i] for i in chosen]

    return scalar, chosen


@every_sample
def test_gradient_equals_the_difference_quotient(sample: Sample) -> None:
    """Of the op itself, or of the surrogate that a straight-through op names."""
    function = sample.op.surrogate or sample.op
    tensors = as_tensors(sample)
    y = sample.op(*tensors)
    weights = cotangent_like(y)
    y.backward(weights)
    for i in differentiable(sample):
        numeric = numeric_gradient(lambda *x: np.sum(function(*x) * weights), list(sample.inputs), i)
        np.testing.assert_allclose(tensors[i].grad, numeric, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.op.name in ANALYTIC], ids=repr)
def test_gradient_equals_the_complex_step(sample: Sample) -> None:
    """f(x + ih) = f(x) + ih f'(x) + O(h²): no cancellation, so the derivative is exact to the last places."""
    tensors = as_tensors(sample)
    y = sample.op(*tensors)
    weights = cotangent_like(y)
    y.backward(weights)
    for i in differentiable(sample):
        for index in np.ndindex(sample.inputs[i].shape):
            moved = [x.astype(complex) if j == i else x for j, x in enumerate(sample.inputs)]
            moved[i][index] += 1e-150j
            slope = np.sum(sample.op.forward(*moved) * weights).imag / 1e-150
            np.testing.assert_allclose(tensors[i].grad[index], slope, rtol=1e-13, atol=1e-14)


@every_sample
@pytest.mark.parametrize("order", [1, 2], ids=["second", "third"])
def test_higher_derivatives_equal_the_difference_quotient_of_lower_ones(sample: Sample, order: int) -> None:
    scalar, chosen = gradients_to_order(sample, order)
    s, tensors = scalar(*sample.inputs)
    exact = ta.gradients(s, tensors)
    for i, gradient in zip(chosen, exact, strict=True):
        numeric = numeric_gradient(lambda *x: scalar(*x)[0].item(), list(sample.inputs), i)
        np.testing.assert_allclose(
            gradient.data, numeric, rtol=1e-6, atol=1e-6 * max(1, np.abs(numeric).max(initial=0))
        )


@every_sample
def test_recorded_values_and_gradients_are_the_same_by_either_road(sample: Sample) -> None:
    """A Tensor holds what the op gives for arrays, and backward() and gradients() agree to the bit."""
    tensors = as_tensors(sample)
    y = sample.op(*tensors)
    plain = sample.op(*sample.inputs)
    assert isinstance(plain, np.ndarray | np.generic)
    assert type(y) is ta.Tensor
    np.testing.assert_array_equal(y.data, plain)
    weights = cotangent_like(y)
    y.backward(weights)
    chosen = [tensors[i] for i in differentiable(sample)]
    for leaf, gradient in zip(chosen, ta.gradients(y, chosen, weights), strict=True):
        np.testing.assert_array_equal(leaf.grad, gradient.data)


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.op.name != "astype"], ids=repr)
@both_dtypes
def test_dtype_is_kept(sample: Sample, dtype: Any) -> None:
    inputs = [x.astype(dtype) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x for x in sample.inputs]
    tensors = as_tensors(Sample(sample.op, tuple(inputs)), dtype)
    y = sample.op(*tensors)
    assert y.dtype == dtype
    y.backward(cotangent_like(y))
    for i in differentiable(sample):
        assert tensors[i].grad.dtype == dtype
        assert tensors[i].grad.shape == inputs[i].shape


@every_sample
def test_gradients_own_their_memory(sample: Sample) -> None:
    tensors = as_tensors(sample)
    y = sample.op(*tensors)
    y.backward(cotangent_like(y))
    leaves = [tensors[i] for i in differentiable(sample)]
    before = [leaf.grad.copy() for leaf in leaves]
    for leaf in leaves:
        leaf.grad += 1  # neither another gradient nor any value may notice
    for leaf, grad in zip(leaves, before, strict=True):
        np.testing.assert_array_equal(leaf.grad, grad + 1)
    np.testing.assert_array_equal(y.data, sample.op(*sample.inputs))


@every_elementwise
@both_dtypes
def test_is_finite_and_silent_at_the_extremes(sample: Sample, dtype: Any) -> None:
    op = sample.op
    assert isinstance(op, Elementwise)
    points = np.array([0.0, -0.0, 1e-300, -1e-300, 40.0, -40.0, 1000.0, -1000.0]).astype(dtype)
    x = points[(points > op.domain[0]) & (points < op.domain[1])]
    y = op(x)
    assert np.isfinite(y).all()
    t = ta.Tensor(x)
    first = ta.gradients(op(t).sum(), t)
    second = ta.gradients(first.sum(), t)
    assert np.isfinite(first.data).all()
    assert np.isfinite(second.data).all()


@every_elementwise
def test_the_slope_bends_at_zero_as_beside_it(sample: Sample) -> None:
    """A rule that goes through |x| or a comparison is easily right around 0 and wrong on it. ELU's bend jumps there."""
    op = sample.op
    assert isinstance(op, Elementwise)
    if not op.domain[0] < 0 < op.domain[1] or any(kink.at == 0 for kink in op.kinks):
        return
    t = ta.Tensor(np.array([-1e-4, 0.0, 1e-4]))
    bends = ta.gradients(ta.gradients(op(t).sum(), t).sum(), t).data
    assert min(bends[0], bends[2]) - 1e-6 <= bends[1] <= max(bends[0], bends[2]) + 1e-6


@every_elementwise
def test_nan_stays_nan(sample: Sample) -> None:
    assert np.isnan(sample.op(np.array([np.nan]))).all()


@every_elementwise
def test_kinks_are_where_they_are_declared(sample: Sample) -> None:
    """The slopes left and right of a kink are as declared; the one chosen is returned, and lies between them."""
    op = sample.op
    for kink in op.kinks:
        x = np.array([kink.at - 1e-6, kink.at, kink.at + 1e-6])
        left, chosen, right = op.derivative(op(x), x) * np.ones(3)
        np.testing.assert_allclose([left, chosen, right], [kink.left, kink.chosen, kink.right], atol=3e-6)
        assert min(kink.left, kink.right) <= kink.chosen <= max(kink.left, kink.right)
        assert kink.why


@every_elementwise
def test_there_is_no_kink_where_none_is_declared(sample: Sample) -> None:
    op = sample.op
    assert isinstance(op, Elementwise)
    x = np.concatenate([[0.0], np.linspace(-4, 4, 33)])
    x = x[(x > op.domain[0] + 0.05) & (x < op.domain[1] - 0.05)]
    x = x[[all(kink.at != point for kink in op.kinks) for point in x]]
    slopes = [np.broadcast_to(op.derivative(op(p), p), p.shape) * 1.0 for p in (x - 1e-9, x + 1e-9)]
    np.testing.assert_allclose(*slopes, rtol=1e-6, atol=1e-6)


@every_op
def test_every_op_says_what_it_is(op: Op) -> None:
    assert op.formula, "an op has a formula"
    if isinstance(op, Elementwise):
        assert isinstance(op.rule, str), "an elementwise op has one rule"
        assert op.rule
    else:
        assert isinstance(op.rule, dict), "an op of several inputs has a rule for each"
        with_rule = [a for a, rule in zip(op.arguments, op.rules, strict=True) if rule is not None or op.variadic]
        assert list(op.rule) == with_rule
    documented = type(op).__doc__ or ""
    if type(op).__module__.startswith(("tinygrad_act.activations", "tinygrad_act.losses")):
        assert ">>>" in documented, "an activation or a loss has an example"


@every_op
def test_every_op_is_tried(op: Op) -> None:
    tried = [sample.op for sample in SAMPLES if sample.op.name == op.name]
    assert tried, "tests/samples.py has no inputs for it"
    if dataclasses.is_dataclass(op):
        settings = {repr(t) for t in tried}
        assert len(settings) > 1 or op.name == "astype", "an op with parameters is tried at unusual ones too"


@every_op
def test_every_op_is_named_as_the_function_it_is(op: Op) -> None:
    assert callable(getattr(ta, op.name))
    assert op.name.isidentifier()
    assert op.name == op.name.lower()


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "maximum", "minimum", "power", "remainder"])
@pytest.mark.parametrize(
    "shapes",
    [
        ((), ()),
        ((), (3,)),
        ((3,), ()),
        ((1,), (4,)),
        ((2, 1), (3,)),
        ((0,), ()),
        ((0, 3), (3,)),
        ((2, 0, 1), (1, 4)),
        ((1,), (0,)),
    ],
    ids=str,
)
def test_broadcasting_is_undone(name: str, shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    rng = np.random.default_rng(5)
    a, b = (rng.uniform(1, 2, shape) for shape in shapes)
    ta_, tb = ta.Tensor(a), ta.Tensor(b)
    y = OPS[name](ta_, tb)
    weights = cotangent_like(y)
    y.backward(weights)
    for i, t in enumerate((ta_, tb)):
        assert t.grad.shape == t.shape
        numeric = numeric_gradient(lambda *x: np.sum(OPS[name](*x) * weights), [a, b], i)
        np.testing.assert_allclose(t.grad, numeric, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    "name", ["sum", "prod", "cumsum", "reshape", "transpose", "softmax", "relu", "sigmoid", "square"]
)
def test_empty_arrays_have_empty_gradients(name: str) -> None:
    t = ta.Tensor(np.zeros((0, 3)))
    y = OPS[name](t)
    y.backward(np.ones(y.shape))
    assert t.grad.shape == (0, 3)


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_ties_share_the_gradient(name: str) -> None:
    """Weights are not negative and sum to 1, and d/dx f(x, x) is the total derivative, 1."""
    a, b, x = ta.Tensor([1.0, 2.0]), ta.Tensor([1.0, 2.0]), ta.Tensor([1.0, 2.0])
    OPS[name](a, b).sum().backward()
    np.testing.assert_array_equal(a.grad, [0.5, 0.5])
    np.testing.assert_array_equal(b.grad, [0.5, 0.5])
    OPS[name](x, x).sum().backward()
    np.testing.assert_array_equal(x.grad, [1.0, 1.0])


@pytest.mark.parametrize("name", ["max", "min", "maxout"])
def test_tied_winners_share_the_gradient(name: str) -> None:
    x = ta.Tensor([[3.0, 3.0, 3.0, 3.0], [3.0, 3.0, 3.0, 3.0]])
    OPS[name](x, axis=1).sum().backward()
    np.testing.assert_array_equal(x.grad, np.full((2, 4), 0.25))


@every_elementwise
def test_numbers_lists_and_integers_are_taken_as_floats(sample: Sample) -> None:
    op = sample.op
    assert isinstance(op, Elementwise)
    inside = [n for n in (0, 1, 2, 3) if op.domain[0] < n < op.domain[1]]
    floats = np.array(inside, float)
    expected = op(floats)
    np.testing.assert_allclose([op(n) for n in inside], expected, rtol=1e-14)
    np.testing.assert_allclose(op(floats.tolist()), expected, rtol=1e-14)
    if op.name != "reciprocal":  # which NumPy rounds to integers
        np.testing.assert_allclose(op(np.array(inside)), expected, rtol=1e-14)
    one = np.float32(inside[-1])
    assert op(one).dtype == op(np.array([one])).dtype == np.float32


@pytest.mark.parametrize("op", [op for op in OPS.values() if op.name not in ("getitem", "scatter")], ids=repr)
def test_a_copy_equals_its_op(op: Op) -> None:
    """But for those that hold indices, which may be arrays."""
    for again in (copy.copy(op), copy.deepcopy(op), pickle.loads(pickle.dumps(op))):
        assert again == op
        assert hash(again) == hash(op)
    assert all(op != other for other in OPS.values() if other is not op)


def test_ops_that_keep_something_else_are_only_equal_to_themselves() -> None:
    class Times(Elementwise):
        def __init__(self, by: float) -> None:
            self.by = by

    one = Times(2.0)
    assert one == one
    assert one != Times(2.0)
