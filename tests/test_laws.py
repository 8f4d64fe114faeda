"""Laws that hold for every op in the registry, on every sample of it."""

from __future__ import annotations

import dataclasses
import inspect

import numpy as np
import pytest
from samples import ELEMENTWISE, SAMPLES, Sample

import tinygrad_act as ta
from tinygrad_act.op import OPS, Elementwise, Op
from tinygrad_act.testing import laws

every_sample = pytest.mark.parametrize("sample", SAMPLES, ids=repr)
every_op = pytest.mark.parametrize("op", OPS.values(), ids=list(OPS))
every_elementwise = pytest.mark.parametrize("sample", ELEMENTWISE, ids=repr)

# fmt: off
ANALYTIC = [
    "exp", "expm1", "log", "sqrt", "sin", "cos", "tan", "sinh",
    "cosh", "arctan", "square", "reciprocal", "negative", "positive", "tanh", "add",
    "subtract", "multiply", "divide", "sum", "mean", "prod", "cumsum", "reshape",
    "transpose", "broadcast_to", "concatenate", "pad", "getitem", "scatter", "matmul", "affine",
    "tensordot", "einsum", "where",
]
# fmt: on
EXEMPT = [("astype", "the_dtype_is_kept"), ("getitem", "a_copy_equals_its_op"), ("scatter", "a_copy_equals_its_op")]


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.op.name in ANALYTIC], ids=repr)
def test_gradient_equals_the_complex_step_everywhere(sample: Sample) -> None:
    """Of all that are analytic, to the last places; the law itself passes over what is not."""
    laws.the_gradient_equals_the_complex_step(*sample, everywhere=True)


@pytest.mark.parametrize("law", laws.OF_ALL, ids=lambda law: law.__name__)
@every_sample
def test_every_op_obeys(sample: Sample, law: laws.Law) -> None:
    if (sample.op.name, law.__name__) not in EXEMPT:
        law(*sample)


@pytest.mark.parametrize("law", laws.OF_ELEMENTWISE, ids=lambda law: law.__name__)
@every_elementwise
def test_every_elementwise_op_obeys(sample: Sample, law: laws.Law) -> None:
    law(*sample)


def test_every_law_is_among_those_that_check_op_knows() -> None:
    public = {f for n, f in vars(laws).items() if n[0] != "_" and getattr(f, "__module__", "") == laws.__name__}
    asked = {f for f in public if callable(f) and list(inspect.signature(f).parameters)[:2] == ["op", "inputs"]}
    assert set(laws.LAWS) == asked - {laws.differentiable, laws.as_tensors, laws.pulled_back}


@every_op
def test_every_op_says_what_it_is(op: Op) -> None:
    laws.it_says_what_it_is(op, ())
    if type(op).__module__.startswith(("tinygrad_act.activations", "tinygrad_act.losses")):
        assert ">>>" in (type(op).__doc__ or ""), "an activation or a loss has an example"


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
    weights = laws.cotangent_like(y)
    y.backward(weights)
    for i, t in enumerate((ta_, tb)):
        assert t.grad.shape == t.shape
        numeric = laws.numeric_gradient(lambda *x: np.sum(OPS[name](*x) * weights), [a, b], i)
        np.testing.assert_allclose(t.grad, numeric, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    "name", ["sum", "prod", "cumsum", "reshape", "transpose", "softmax", "relu", "sigmoid", "square"]
)
def test_empty_arrays_have_empty_gradients(name: str) -> None:
    t = ta.Tensor(np.zeros((0, 3)))
    y = OPS[name](t)
    y.backward(np.ones(y.shape))
    assert t.grad.shape == (0, 3)


@pytest.mark.parametrize(
    "shapes", [((2, 3, 0), (0, 4), (4,)), ((2, 3, 4), (4, 0), (0,)), ((0,), (0, 2), (2,))], ids=str
)
def test_a_linear_layer_of_no_features_has_gradients(shapes: tuple[tuple[int, ...], ...]) -> None:
    tensors = [ta.Tensor(np.ones(shape)) for shape in shapes]
    y = ta.affine(*tensors)
    y.backward(np.ones(y.shape))
    assert [t.grad.shape for t in tensors] == [*shapes]
    np.testing.assert_array_equal(tensors[2].grad, np.full(shapes[2], y.size / max(1, shapes[2][0])))


def test_an_empty_axis_is_stretched_by_einsum_too() -> None:
    """With an axis of length 1, which is the one that is summed back."""
    a, b = ta.Tensor(np.zeros((2, 0))), ta.Tensor(np.ones((2, 1)))
    np.einsum("ij,ij->i", a, b).sum().backward()
    assert a.grad.shape == (2, 0)
    np.testing.assert_array_equal(b.grad, np.zeros((2, 1)))


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


@pytest.mark.parametrize("op", [op for op in OPS.values() if op.name not in ("getitem", "scatter")], ids=repr)
def test_a_copy_equals_its_op(op: Op) -> None:
    """But for those that hold indices, which may be arrays."""
    laws.a_copy_equals_its_op(op, ())
    assert all(op != other for other in OPS.values() if other is not op)


def test_ops_that_keep_something_else_are_only_equal_to_themselves() -> None:
    class Times(Elementwise):
        def __init__(self, by: float) -> None:
            self.by = by

    one = Times(2.0)
    assert one == one
    assert one != Times(2.0)
