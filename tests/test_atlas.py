"""The atlas tells the truth of the frameworks: each cell is measured again, where its version of one is installed."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import os
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from tinygrad_act.catalogue import atlas
from tinygrad_act.catalogue.atlas import is_legal, is_true, kink, our_op, ours, page, same
from tinygrad_act.catalogue.conventions import KINKS, TIES, VERSIONS, Row
from tinygrad_act.catalogue.traps import DEFAULTS, EXTREMES, JUMPS
from tinygrad_act.op import OPS

TABLES = {"kinks": KINKS, "ties": TIES, "jumps": JUMPS, "defaults": DEFAULTS, "extremes": EXTREMES}
ROWS = [(table, row) for table, rows in TABLES.items() for row in rows]
POINTS = [(table, row, i) for table, row in ROWS for i in range(len(row.at))]
SLOPES = [(row, i) for table, row, i in POINTS if row.slope]


def label(thing: Any) -> str:
    return f"{thing.op}@{thing.at}" if isinstance(thing, Row) else str(thing)


# How a call is measured in each framework: (call, row, point) -> the value, or the slope of its sum.
Measure = Callable[[str, Row, Any], Any]


def with_torch(call: str, row: Row, point: Any) -> Any:
    import torch

    x = torch.tensor(point, dtype=getattr(torch, row.dtype), requires_grad=row.slope)
    y = eval(call, {"torch": torch, "F": torch.nn.functional, "x": x})
    return torch.autograd.grad(y.sum(), x)[0] if row.slope else y.detach()


def with_jax(call: str, row: Row, point: Any, **names: Any) -> Any:
    import jax
    import jax.numpy as jnp

    def f(x: Any) -> Any:
        return eval(call, {"jax": jax, "nn": jax.nn, "jnp": jnp, **names, "x": x})

    with jax.enable_x64(row.dtype == "float64"):
        x = jnp.asarray(point, row.dtype)
        return jax.grad(lambda x: jnp.sum(f(x)))(x) if row.slope else f(x)


def with_keras(call: str, row: Row, point: Any) -> Any:
    import keras

    names = {"activations": keras.activations, "ops": keras.ops, "layers": keras.layers}
    return with_jax(call, row, point, **names, Constant=keras.initializers.Constant)


def with_tensorflow(call: str, row: Row, point: Any) -> Any:
    import tensorflow as tf

    x = tf.Variable(point, dtype=row.dtype)
    with tf.GradientTape() as tape:
        y = eval(call, {"tf": tf, "x": x})
        total = tf.reduce_sum(y)
    return tf.convert_to_tensor(tape.gradient(total, x)) if row.slope else y


class Operators(dict[str, Any]):
    """ONNX's operators by name, each as a function that makes a model of it and runs that."""

    def __missing__(self, operator: str) -> Any:
        if not operator[0].isupper():
            raise KeyError(operator)
        return functools.partial(self.run, operator)

    def run(self, operator: str, x: Any, **attributes: Any) -> Any:
        from onnx import helper
        from onnx.reference import ReferenceEvaluator

        kind = helper.np_dtype_to_tensor_dtype(x.dtype)
        ends = [helper.make_tensor_value_info(name, kind, None) for name in ("x", "y")]
        node = helper.make_node(operator, ["x"], ["y"], **attributes)
        model = helper.make_model(helper.make_graph([node], operator, ends[:1], ends[1:]))
        return ReferenceEvaluator(model).run(None, {"x": x})[0]


def with_onnx(call: str, row: Row, point: Any) -> Any:
    return eval(call, {}, Operators(x=np.array(point, row.dtype)))


def with_mygrad(call: str, row: Row, point: Any) -> Any:
    import mygrad

    x = mygrad.tensor(np.array(point, row.dtype))
    y = eval(call, {"mygrad": mygrad, "x": x})
    mygrad.sum(y).backward()
    return x.grad if row.slope else y.data


def with_autograd(call: str, row: Row, point: Any) -> Any:
    import autograd
    import autograd.numpy

    def f(x: Any) -> Any:
        return eval(call, {"np": autograd.numpy, "x": x})

    x = np.array(point, row.dtype)
    return autograd.grad(lambda x: autograd.numpy.sum(f(x)))(x) if row.slope else f(x)


def with_tinygrad(call: str, row: Row, point: Any) -> Any:
    from tinygrad import Tensor

    x = Tensor(np.array([point], row.dtype))  # of numbers alone tinygrad has no slopes
    y = eval(call, {"Tensor": Tensor, "x": x if np.ndim(point) == 0 else x[0]})
    return y.sum().gradient(x)[0][0].numpy() if row.slope else y.numpy()


MEASURES: dict[str, Measure] = {
    "torch": with_torch,
    "jax": with_jax,
    "keras": with_keras,
    "tensorflow": with_tensorflow,
    "onnx": with_onnx,
    "mygrad": with_mygrad,
    "autograd": with_autograd,
    "tinygrad": with_tinygrad,
}


@functools.cache
def absent(framework: str) -> str:
    """Why a framework cannot be measured here, or nothing."""
    pinned = VERSIONS[framework]
    try:
        version = importlib.metadata.version(framework)
    except importlib.metadata.PackageNotFoundError:
        return f"{framework} is not installed; the atlas is pinned to {framework} {pinned}"
    if version.split(".")[:2] != pinned.split(".")[:2]:
        return f"the atlas is pinned to {framework} {pinned}; here is {version}"
    os.environ.setdefault("KERAS_BACKEND", "jax")
    os.environ.setdefault("DEV", "PYTHON")  # tinygrad's device that needs no compiler
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    module = importlib.import_module(framework)
    if framework == "keras" and module.backend.backend() != "jax":
        return f"the atlas is of Keras on JAX; here it runs on {module.backend.backend()}"
    return ""


def measure(framework: str, row: Row, i: int) -> Any:
    """A number, a tuple of slopes, or the name of the error."""
    try:
        with np.errstate(all="ignore"):  # some of them are made of NumPy, and warn where they make a nan
            found = np.asarray(MEASURES[framework](row.theirs[framework][0], row, row.at[i]), float)
    except TypeError as error:
        return type(error).__name__
    return tuple(found.tolist()) if row.slope and found.size > 1 else float(found.ravel()[0])


CELLS = [(framework, row) for framework in VERSIONS for _, row in ROWS if framework in row.theirs]


@pytest.mark.parametrize(("framework", "row"), CELLS, ids=label)
def test_every_cell_is_measured_as_it_is_written(framework: str, row: Row) -> None:
    if reason := absent(framework):
        pytest.skip(reason)
    for i in range(len(row.at)):
        assert same(measure(framework, row, i), row.measured(framework, i), 1e-12 if row.dtype == "float64" else 5e-7)


@pytest.mark.parametrize("row", [row for _, row in ROWS], ids=label)
def test_a_row_has_a_number_for_each_point(row: Row) -> None:
    assert all(len(cell) == 1 + len(row.at) for cell in row.theirs.values())
    assert set(row.theirs) <= set(VERSIONS)
    assert len(row.truth) in (0, len(row.at))


@pytest.mark.parametrize(("table", "row", "i"), POINTS, ids=label)
def test_ours_is_the_same_in_both_dtypes(table: str, row: Row, i: int) -> None:
    if row.dtype == "float64":
        return  # of digits that float32 has not
    narrow, wide = ours(row, i, np.float32), ours(row, i, np.float64)
    assert same(narrow, wide)
    assert ours(row, i) == narrow


@pytest.mark.parametrize(("row", "i"), SLOPES, ids=label)
def test_ours_is_legal_and_what_the_op_declares(row: Row, i: int) -> None:
    if not row.truth:
        assert is_legal(row, i, ours(row, i))
    if declared := kink(row, i):
        assert same(ours(row, i), declared.chosen)


@pytest.mark.parametrize("row", KINKS, ids=label)
def test_every_kink_of_a_compared_op_is_compared(row: Row) -> None:
    assert {k.at for k in our_op(row).kinks} <= {
        at for other in KINKS if our_op(other) == our_op(row) for at in other.at
    }


EXACT = {
    "relu": lambda x: mpmath.mpf(max(x, 0)),
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "gelu": lambda x: x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2,
    "gelu_tanh": lambda x: x / (1 + mpmath.exp(-2 * mpmath.sqrt(2 / mpmath.pi) * (x + 0.044715 * x**3))),
    "mish": lambda x: x * mpmath.tanh(mpmath.log1p(mpmath.exp(x))),
    "hard_swish": lambda x: x * min(max(x + 3, 0), 6) / 6,
    "softsign": lambda x: x / (1 + abs(x)),
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "tanh": mpmath.tanh,
    "elu": lambda x: x if x >= 0 else mpmath.expm1(x),
    "selu": lambda x: 1.0507009873554805 * (x if x >= 0 else 1.6732632423543772 * mpmath.expm1(x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "log_sigmoid": lambda x: -mpmath.log1p(mpmath.exp(-x)),
    "tanhshrink": lambda x: x - mpmath.tanh(x),
    "squareplus": lambda x: (x + mpmath.sqrt(x * x + 4)) / 2,
    "sparse_plus": lambda x: 0 if x <= -1 else x if x >= 1 else (x + 1) ** 2 / 4,
    "logsumexp": lambda *x: mpmath.log(sum(map(mpmath.exp, x))),
    "log_softmax": lambda *x: -mpmath.log(sum(mpmath.exp(z - x[0]) for z in x)),
    "cross_entropy": lambda *x: mpmath.log(sum(mpmath.exp(z - x[0]) for z in x)),
}


def exact(row: Row, i: int) -> Any:
    """The value or the slopes by mpmath; at infinity those at a number so far out that they are the limit."""
    f = EXACT[row.op]
    at = row.at[i] if isinstance(row.at[i], tuple) else (row.at[i],)
    with mpmath.workdps(60):
        x = [mpmath.mpf(z) if np.isfinite(z) else mpmath.sign(z) * mpmath.mpf(10) ** 9 for z in at]
        if not row.slope:
            return float(f(*x))
        orders = [tuple(int(j == k) for j in range(len(x))) for k in range(len(x))]
        slopes = tuple(float(mpmath.diff(f, tuple(x), n) if len(x) > 1 else mpmath.diff(f, x[0])) for n in orders)
        return slopes if len(x) > 1 else slopes[0]


@pytest.mark.parametrize("row", EXTREMES, ids=label)
def test_what_the_page_calls_true_is(row: Row) -> None:
    for i, at in enumerate(row.at):
        if np.isinf(row.truth[i]).any():
            assert exact(row, i) * np.sign(row.truth[i]) >= 1e9
        else:
            far = np.isinf(at).any()
            np.testing.assert_allclose(
                row.truth[i], exact(row, i), rtol=1e-14 if row.dtype == "float64" else 5e-7, atol=1e-8 * far
            )
        assert is_true(row, i, ours(row, i))


def test_the_page_is_fresh() -> None:
    assert atlas.PAGE.read_text(encoding="utf-8") == page(), "run python -m tinygrad_act.catalogue --write"


def test_every_kink_of_every_op_is_on_the_page() -> None:
    lines = page().splitlines()
    for name, op in OPS.items():
        for k in op.kinks:
            assert any(line.startswith((f"| `{name}` | {k.at:g} |", f"| `{name}(")) for line in lines), (name, k)


def test_marks_say_what_differs_and_what_is_not_legal() -> None:
    lines = {tuple(line.split(" | ")[:2]): line for line in page().split("\n## ")[1].splitlines()}
    assert "mygrad **0** ✗" in lines["| `leaky_relu`", "0"]
    assert "| **1** |" in lines["| `leaky_relu`", "0"]
    assert "✗" not in lines["| `relu`", "0"]
