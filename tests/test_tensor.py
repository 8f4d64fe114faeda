"""The Tensor and the walk: what they record, what they give, and what they refuse."""

from __future__ import annotations

import copy
import gc
import itertools
import pickle
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act import Tensor

x0 = np.array([[0.5, -1.5, 2.0], [3.0, 0.25, -0.75]])


def test_a_tensor_copies_its_data() -> None:
    array = np.ones(3)
    t = Tensor(array)
    t.data += 1
    np.testing.assert_array_equal(array, np.ones(3))


@pytest.mark.parametrize(
    "f",
    [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a * b,
        lambda a, b: a / b,
        lambda a, b: a**b,
        lambda a, b: a // b,
        lambda a, b: a % b,
    ],
    ids=["+", "-", "*", "/", "**", "//", "%"],
)
@pytest.mark.parametrize("other", [2, 2.5, np.float64(2.5), np.array([1.0, 2.0, 3.0]), [1.0, 2.0, 3.0]], ids=repr)
def test_operators_and_their_reflections_do_as_numpy(f: Callable[[Any, Any], Any], other: Any) -> None:
    t = Tensor(np.abs(x0))
    for ours, plain in ((f(t, other), f(t.data, other)), (f(other, t), f(other, t.data))):
        assert type(ours) is Tensor
        assert ours.requires_grad
        np.testing.assert_array_equal(ours.data, plain)


def test_matmul_and_signs_do_as_numpy() -> None:
    t = Tensor(x0)
    for ours, plain in ((t @ x0.T, x0 @ x0.T), (x0.T @ t, x0.T @ x0), (-t, -x0), (+t, x0), (abs(t), abs(x0))):
        np.testing.assert_array_equal(ours.data, plain)


def test_comparisons_give_plain_booleans() -> None:
    t = Tensor(x0)
    pairs = [(t > 0, x0 > 0), (t <= x0, x0 <= x0), (t == 0.5, x0 == 0.5), (t != t, x0 != x0), (x0 < t, x0 < x0)]
    for ours, plain in [*pairs, (t >= 2, x0 >= 2)]:
        assert type(ours) is np.ndarray
        np.testing.assert_array_equal(ours, plain)


@pytest.mark.parametrize(
    "f",
    [
        lambda t: t.sum(),
        lambda t: t.sum(0),
        lambda t: t.sum(axis=1, keepdims=True),
        lambda t: t.mean(axis=0),
        lambda t: t.max(1),
        lambda t: t.min(),
        lambda t: t.var(axis=0, ddof=1),
        lambda t: t.std(),
        lambda t: t.prod(axis=1),
        lambda t: t.cumsum(axis=0),
        lambda t: t.cumsum(),
        lambda t: t.clip(-1, 1),
        lambda t: t.clip(None, 1.0),
        lambda t: t.dot(np.ones(3)),
        lambda t: t.take([0, 2, 2], axis=1),
        lambda t: t.take([0, 5]),
        lambda t: t.repeat(2, axis=0),
        lambda t: t.repeat([1, 2, 0], axis=1),
        lambda t: t.ravel(),
        lambda t: t.flatten(),
        lambda t: t.reshape(3, 2),
        lambda t: t.reshape((1, -1)).squeeze(),
        lambda t: t.reshape(1, 2, 3).squeeze(0),
        lambda t: t.swapaxes(0, -1),
        lambda t: t.transpose(),
        lambda t: t.transpose(1, 0),
        lambda t: t.transpose((1, 0)),
        lambda t: t.T,
        lambda t: t[0],
        lambda t: t[..., 1:],
        lambda t: t[:, [2, 0]],
        lambda t: t[t > 0],
        lambda t: t[None, :, 1],
        lambda t: np.exp(t),
        lambda t: np.add(t, 1),
        lambda t: np.sum(t, axis=0),
        lambda t: np.mean(t, 1),
        lambda t: np.amax(t, axis=0),
        lambda t: np.where(t > 0, t, 0.0),
        lambda t: np.clip(t, 0, 1),
        lambda t: np.clip(t, min=0),
        lambda t: np.clip(t, a_min=-1, a_max=None),
        lambda t: np.concatenate([t, x0], axis=1),
        lambda t: np.concatenate([t, x0], axis=None),
        lambda t: np.stack([x0, t], axis=-1),
        lambda t: np.split(t, 3, axis=1)[1],
        lambda t: np.split(t, [1], axis=0)[0],
        lambda t: np.expand_dims(t, (0, -1)),
        lambda t: np.squeeze(np.expand_dims(t, 1)),
        lambda t: np.moveaxis(np.expand_dims(t, 0), 0, -1),
        lambda t: np.broadcast_to(t, (4, 2, 3)),
        lambda t: np.flip(t),
        lambda t: np.flip(t, 1),
        lambda t: np.flip(t, (0, -1)),
        lambda t: np.pad(t, ((0, 1), (2, 0))),
        lambda t: np.pad(t, 1, constant_values=3.0),
        lambda t: np.take_along_axis(t, np.argmax(t, axis=1)[:, None], axis=1),
        lambda t: np.take_along_axis(t, np.argmin(t, axis=0)[None], axis=0),
        lambda t: np.matmul(t, x0.T),
        lambda t: np.dot(t, x0.T),
        lambda t: np.dot(t, 2.0),
        lambda t: np.dot(t, np.ones((2, 3, 4))),
        lambda t: np.inner(t, x0),
        lambda t: np.inner(t, 3.0),
        lambda t: np.outer(t, [1.0, 2.0]),
        lambda t: np.tensordot(t, x0, axes=2),
        lambda t: np.tensordot(t, x0, axes=([0], [0])),
        lambda t: np.tensordot(t, x0, axes=(1, 1)),
        lambda t: np.einsum("ij,kj->ik", t, x0),
        lambda t: np.einsum("ij,jk", t, x0.T),
        lambda t: np.einsum("...j,j->...", t, np.ones(3)),
        lambda t: np.einsum("i...,i...->...", t, np.ones((2, 1))),
        lambda t: np.einsum("ii", t[:, :2]),
        lambda t: np.linalg.norm(t),
        lambda t: np.linalg.norm(t, axis=1, keepdims=True),
        lambda t: np.linalg.norm(t, 2, 0),
    ],
)
def test_numpy_functions_and_methods_do_as_numpy_and_differentiate(f: Callable[[Any], Any]) -> None:
    t = Tensor(x0)
    y = f(t)
    np.testing.assert_allclose(y.data, f(x0), rtol=1e-14)
    assert y.shape == f(x0).shape
    direction = np.random.default_rng(1).normal(size=x0.shape)
    weights = np.random.default_rng(2).normal(size=y.shape)
    y.backward(weights)
    h = 1e-6
    numeric = np.sum((f(x0 + h * direction).astype(float) - f(x0 - h * direction)) * weights) / (2 * h)
    np.testing.assert_allclose(np.sum(t.grad * direction), numeric, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("f", "plain"),
    [(np.argmax, 3), (np.isfinite, np.ones((2, 3), bool)), (np.shape, (2, 3)), (np.zeros_like, np.zeros((2, 3)))],
)
def test_functions_that_cannot_be_differentiated_give_constants(f: Callable[[Any], Any], plain: Any) -> None:
    assert not isinstance(f(Tensor(x0)), Tensor)
    np.testing.assert_array_equal(f(Tensor(x0)), plain)


def test_one_element_becomes_a_number() -> None:
    t = Tensor([2.5])
    assert (float(t), t.item(), f"{t:.2f}", bool(t > 0)) == (2.5, 2.5, "2.50", True)
    assert bool(t)
    assert [len(row) for row in Tensor(x0)] == [3, 3]
    assert f"{t}" == repr(t)


def test_repr_tells_what_is_unusual_and_never_prints_a_million_numbers() -> None:
    assert repr(Tensor([1.0, 2.0])) == "Tensor([1., 2.])"
    assert repr(Tensor([1.0], dtype=np.float32, name="w")) == "Tensor([1.], dtype=float32, name='w')"
    assert repr(np.tanh(Tensor(0.0))) == "Tensor(0., from tanh)"
    assert repr(Tensor(1.0, requires_grad=False)) == "Tensor(1., requires_grad=False)"
    million = repr(Tensor(np.zeros((1000, 1000))))
    assert len(million) < 300
    assert "shape=(1000, 1000)" in million


def test_leaves_accumulate_and_interior_nodes_show_the_last_walk() -> None:
    x = Tensor(3.0)
    h = x * x
    y = h * 2
    y.backward()
    y.backward()
    assert x.grad == 24.0  # twice 12
    assert h.grad == 2.0
    assert y.grad == 1.0
    x.zero_grad()
    assert x.grad is None


def test_a_shared_node_is_visited_once() -> None:
    """Doubling 60 times through shared nodes has 2^60 paths, but 60 nodes."""
    x = Tensor(1.0)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad == 2.0**60


def test_a_chain_of_100_000_ops_works() -> None:
    x = Tensor(1.0)
    y = x
    for _ in range(100_000):
        y = y + 0.5
    y.backward()
    assert (y.item(), x.grad) == (50_001.0, 1.0)
    assert ta.gradients(y, x).item() == 1.0


def test_work_grows_linearly_with_the_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: one rule a node."""
    counted = []
    add = ta.op.OPS["add"]
    monkeypatch.setattr(type(add), "vjp_a", lambda self, g, y, a, b: counted.append(1) or g)
    monkeypatch.setattr(type(add), "rules", (type(add).vjp_a, type(add).vjp_b))
    for n in (10, 1000):
        counted.clear()
        y = Tensor(1.0)
        for _ in range(n):
            y = y + 1
        y.backward()
        assert len(counted) == n


def test_no_work_is_done_for_inputs_that_need_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    matmul = ta.op.OPS["matmul"]
    monkeypatch.setattr(type(matmul), "rules", (None, type(matmul).vjp_b))  # the rule of a would raise
    w = Tensor(np.ones((3, 2)))
    (x0 @ w).sum().backward()
    (Tensor(x0, requires_grad=False) @ w).sum().backward()
    np.testing.assert_array_equal(w.grad, 2 * np.repeat(x0.sum(axis=0)[:, None], 2, axis=1))


def test_a_failed_call_tells_its_cause_and_is_not_its_own() -> None:
    """An error that is its own cause is a cycle, which keeps the arrays of the call."""
    with pytest.raises(ValueError, match="matmul") as told:
        Tensor(np.ones(2)) @ np.ones(3)
    assert isinstance(told.value.__cause__, ValueError)
    with pytest.raises(np.linalg.LinAlgError) as passed_on:
        np.linalg.inv(Tensor(np.zeros((2, 2))))
    assert passed_on.value.__cause__ is None


def test_a_graph_is_freed_without_the_collector() -> None:
    gc.disable()
    try:
        x = Tensor(x0)
        h = np.tanh(x)
        y = (h * h).sum()
        y.backward()
        ghosts = [weakref.ref(h), weakref.ref(y)]
        del h, y
        assert [ghost() for ghost in ghosts] == [None, None]
    finally:
        gc.enable()


def test_no_grad_records_nothing_in_this_thread_alone() -> None:
    x = Tensor(1.0)
    seen: list[bool] = []
    with ta.no_grad():
        assert not (x * 2).requires_grad
        assert (x * 2).inputs == ()
        thread = threading.Thread(target=lambda: seen.append((x * 2).requires_grad))
        thread.start()
        thread.join()
        with ta.no_grad():
            pass
        assert not (x * 2).requires_grad
    assert seen == [True]
    assert (x * 2).requires_grad


def test_no_grad_ends_with_an_error_too() -> None:
    with pytest.raises(KeyError), ta.no_grad():
        raise KeyError
    assert (Tensor(1.0) * 2).requires_grad


def test_detach_and_constants_stop_the_gradient() -> None:
    x = Tensor(3.0, name="x")
    (x * x.detach()).backward()
    assert x.grad == 3.0
    assert x.detach().name == "x"
    constant = Tensor(2.0, requires_grad=False)
    (x * constant).backward()
    assert constant.grad is None


def test_python_scalars_are_weak_and_mixed_dtypes_follow_numpy() -> None:
    narrow, wide = Tensor([1.0], dtype=np.float32), Tensor([2.0])
    assert (narrow * 2.5 + 1).dtype == np.float32
    y = narrow * wide
    assert y.dtype == np.float64
    y.backward([1.0])
    assert (narrow.grad.dtype, wide.grad.dtype) == (np.float32, np.float64)


def test_a_seed_weighs_the_outputs() -> None:
    x = Tensor([1.0, 2.0])
    (x * x).backward([1.0, 10.0])
    np.testing.assert_array_equal(x.grad, [2.0, 40.0])


def test_the_gradient_of_a_leaf_itself_is_its_seed() -> None:
    seed = np.array([1.0, 2.0])
    x = Tensor([3.0, 4.0])
    x.backward(seed)
    seed[0] = 9.0
    np.testing.assert_array_equal(x.grad, [1.0, 2.0])


def test_gradients_differentiate_again_to_any_order() -> None:
    x = Tensor(0.5)
    y = np.sin(x)
    for derivative in (np.cos, lambda v: -np.sin(v), lambda v: -np.cos(v), np.sin):
        y = ta.gradients(y, x)
        np.testing.assert_allclose(y.item(), derivative(0.5), rtol=1e-15)
    assert x.grad is None


def test_gradients_of_interior_and_unrelated_tensors() -> None:
    x, other = Tensor([1.0, 2.0]), Tensor([[5.0]])
    h = x * 3
    y = (h * h).sum()
    dh, dx, none = ta.gradients(y, [h, x, other])
    np.testing.assert_array_equal(dh.data, 2 * h.data)
    np.testing.assert_array_equal(dx.data, 6 * h.data)
    np.testing.assert_array_equal(none.data, [[0.0]])
    assert ta.gradients(y, y).item() == 1.0
    assert ta.gradients(ta.gradients((2 * x).sum(), x).sum(), x).data.tolist() == [0.0, 0.0]


def test_gradients_can_be_differentiated_with_respect_to_the_seed() -> None:
    x, seed = Tensor([1.0, 2.0]), Tensor([0.0, 0.0])
    pulled = ta.gradients(x**3, x, seed)
    np.testing.assert_allclose(ta.gradients(pulled.sum(), seed).data, 3 * x.data**2)


def test_two_threads_compute_the_bits_they_compute_alone() -> None:
    def train(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        w = Tensor(rng.normal(size=(4, 4)))
        for _ in range(50):
            loss = np.tanh(rng.normal(size=(8, 4)) @ w).var()
            w.zero_grad()
            loss.backward()
            w.data = w.data - 0.1 * w.grad
        return w.data

    results: dict[int, np.ndarray] = {}
    threads = [threading.Thread(target=lambda s=s: results.update({s: train(s)})) for s in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, result in results.items():
        np.testing.assert_array_equal(result, train(seed))


# what is refused, and what the refusal says


def refusals() -> dict[str, tuple[Callable[[], Any], type[Exception], list[str]]]:
    x, w = Tensor(x0, name="x"), Tensor(np.ones((4, 5)), name="w")

    def stale() -> None:
        p = Tensor([1.0], name="p")
        y = p * 2
        y.backward([1.0])
        p.data = np.array([5.0])
        y.backward([1.0])

    def assign() -> None:
        x[0] = 1.0

    def add_in_place() -> None:
        y = x
        y += 1

    def into_an_array() -> None:
        a = np.zeros((2, 3))
        a += x

    return {
        "stale leaf": (stale, RuntimeError, ["p (shape (1,))", "multiply", "again"]),
        "integers": (lambda: Tensor([1, 2]), TypeError, ["integers", "1.0", "requires_grad=False"]),
        "booleans": (lambda: Tensor([True]), TypeError, ["booleans"]),
        "complex": (lambda: Tensor([1j]), TypeError, ["complex"]),
        "strings": (lambda: Tensor(["a"]), TypeError, ["Python objects"]),
        "shape mismatch": (lambda: x @ w, ValueError, ["matmul", "a: x (2, 3) float64", "b: w (4, 5) float64"]),
        "cannot broadcast": (lambda: x + np.ones(4), ValueError, ["add", "(2, 3)", "(4,)"]),
        "truth of many": (lambda: bool(x), ValueError, ["x (shape (2, 3))", "np.where", ".any()"]),
        "asarray": (lambda: np.asarray(x), TypeError, ["drop the gradient of x", "t.data", "t.detach()"]),
        "array of tensors": (lambda: np.array([x, x]), TypeError, ["np.stack"]),
        "number of many": (lambda: float(x), ValueError, ["one element", "x (shape (2, 3))"]),
        "item of many": (lambda: x.item(), ValueError, ["one element"]),
        "assignment": (assign, TypeError, ["x (shape (2, 3))", "np.where", "t.data = new"]),
        "floats as index": (lambda: x[x], TypeError, ["getitem", "whole numbers", "t > 0"]),
        "floats in an index": (lambda: x[0, x[0]], TypeError, ["getitem", "whole numbers", "t > 0"]),
        "in-place operator": (add_in_place, TypeError, ["t = t +", "t.data += "]),
        "into an array": (into_an_array, TypeError, ["np.add", "a = a + t"]),
        "no gradient": (
            lambda: x.detach().sum().backward(),
            RuntimeError,
            ["does not require a gradient", "no_grad()"],
        ),
        "no seed": (lambda: (x * 2).backward(), ValueError, ["multiply (shape (2, 3))", "y.sum().backward()", "seed"]),
        "wrong seed": (lambda: x.backward(np.ones(2)), ValueError, ["(2,)", "(2, 3)"]),
        "object array": (lambda: np.array([1.0, None, 2.0]) * x, TypeError, ["multiply", "unsupported operand"]),
        "object result": (lambda: np.array([1, 2, 3], object) * x, TypeError, ["multiply", "Python objects"]),
        "masked array": (lambda: np.ma.array(np.ones((2, 3)), mask=True) + x, TypeError, ["would drop the gradient"]),
        "masked on the right": (
            lambda: x * np.ma.array(np.ones((2, 3)), mask=True),
            TypeError,
            ["masked array", "np.where"],
        ),
        "no rule": (lambda: np.packbits(x), TypeError, ["np.packbits", "t.data"]),
        "no rule for a method": (lambda: np.add.reduceat(x, [0]), TypeError, ["np.add.reduceat", "no derivative rule"]),
        "no rule for an input": (
            lambda: ta.where(x, x, 0.0).sum().backward(),
            TypeError,
            ["where", "'condition'", "vjp_condition"],
        ),
        "data of a result": (lambda: setattr(x * 2, "data", x0), RuntimeError, ["only a leaf"]),
        "tensor as data": (lambda: setattr(Tensor(1.0), "data", x), TypeError, ["t.data"]),
        "integer data": (lambda: setattr(Tensor(1.0), "data", np.array(1)), TypeError, ["integers"]),
        "unknown parameter": (lambda: ta.softmax(x, dim=0), TypeError, ["softmax", "dim"]),
        "unknown keyword": (lambda: np.exp(x, dtype=float), TypeError, ["exp", "dtype"]),
        "missing input": (lambda: ta.cross_entropy(x), TypeError, ["cross_entropy", "y"]),
        "a place for a sum": (lambda: np.sum(x, out=np.zeros(())), TypeError, ["np.sum(out=...)", "Write y = ..."]),
        "where of a maximum": (lambda: np.max(x, where=[True, False]), ValueError, ["give it an initial value"]),
        "a quantile with weights": (
            lambda: np.quantile(x, 0.5, weights=[1, 2]),
            TypeError,
            ["(weights=...)", "no rule"],
        ),
        "a quantile past 1": (lambda: np.quantile(x, 5), ValueError, ["a number from 0 to 1"]),
        "a method of nanquantile": (lambda: np.nanquantile(x, 0.5, method="lower"), TypeError, ["np.quantile has all"]),
        "both ddof and correction": (lambda: np.var(x, ddof=1, correction=1), ValueError, ["which are the same"]),
        "average of other weights": (lambda: np.average(x, weights=np.ones(5)), ValueError, ["(5,)", "fit neither"]),
        "pad mode": (lambda: np.pad(x, 1, mode="mean"), NotImplementedError, ["constant", "np.concatenate"]),
        "a ufunc's where": (lambda: np.fmax.reduce(x, where=[True]), TypeError, ["np.fmax.reduce", "np.where(mask"]),
        "reduction of nothing": (lambda: np.fmax.reduce(x[:0]), ValueError, ["np.fmax.reduce of no elements"]),
        "cross of two": (lambda: np.cross(x[:, :2], x[:, :2]), ValueError, ["a[0] * b[1] - a[1] * b[0]"]),
        "cross of three and two": (lambda: np.cross(x, x[:, :2]), ValueError, ["vectors of three"]),
        "outer of a matrix": (lambda: np.linalg.outer(x, x[0]), ValueError, ["takes two vectors", "of 2 and 1 axes"]),
        "rows of interp": (lambda: np.interp(x, [0, 1], [0, 1, 2]), ValueError, ["one length", "(2,)", "(3,)"]),
        "histogram": (lambda: np.histogram(x), TypeError, ["np.histogram(t.data)"]),
        "mode of convolve": (lambda: np.convolve(x[0], x[0], "most"), ValueError, ["'full'", "'most'"]),
        "spacings of gradient": (lambda: np.gradient(x, 1.0, 2.0, 3.0), TypeError, ["2 axes", "as many spacings"]),
        "one row of spacings": (lambda: np.gradient(x, np.arange(3.0)), TypeError, ["one number for all of them"]),
        "a short axis": (lambda: np.gradient(x[:1]), ValueError, ["needs 2 elements along axis 0"]),
        "copy of nan_to_num": (lambda: np.nan_to_num(x, copy=False), TypeError, ["leave copy out"]),
        "order of a copy": (lambda: x.copy("F"), TypeError, ["np.copy(order=...)", "no order of memory"]),
        "copy of reshape": (lambda: np.reshape(x, -1, copy=False), TypeError, ["np.reshape(copy=...)", "np.copy(t)"]),
        "cumulative of axes": (lambda: np.cumulative_sum(x), ValueError, ["np.cumulative_sum", "axis=0"]),
        "norm order": (lambda: np.linalg.norm(Tensor(np.ones((2, 2))), 3), ValueError, ["'nuc'"]),
        "einsum count": (lambda: np.einsum("i,j->ij", x), ValueError, ["names 2 arrays", "given 1"]),
    }


@pytest.mark.parametrize("case", refusals())
def test_refusals_say_what_happened_and_what_to_write(case: str) -> None:
    action, error, words = refusals()[case]
    with pytest.raises(error) as refusal:
        action()
    for word in words:
        assert word in str(refusal.value)


def test_a_changed_leaf_is_noticed_however_it_was_changed() -> None:
    p = Tensor([1.0])
    y = p * 2
    p.data += 1
    with pytest.raises(RuntimeError, match="changed after multiply used it"):
        ta.gradients(y, p, [1.0])


def test_a_rule_of_the_wrong_shape_is_caught() -> None:
    class Wrong(ta.Op):
        def forward(self, x: Any) -> Any:
            return x.sum()

        def vjp_x(self, g: Any, y: Any, x: Any) -> Any:
            return np.ones(7)

    with pytest.raises(ValueError, match=r"Wrong\(\) gave a cotangent of shape \(7,\) to an input of shape \(2, 3\)"):
        Wrong()(Tensor(x0)).backward()


def test_an_unfinished_op_says_what_it_lacks() -> None:
    class Bare(ta.Elementwise):
        pass

    class Half(ta.Elementwise):
        def forward(self, x: Any) -> Any:
            return x * 1

    with pytest.raises(NotImplementedError, match="Bare needs a forward"):
        Bare()(x0)
    with pytest.raises(NotImplementedError, match="Half needs a derivative"):
        Half()(Tensor(1.0)).backward()


def test_an_error_inside_forward_keeps_its_type_and_tells_the_inputs() -> None:
    class Fails(ta.Elementwise):
        def forward(self, x: Any) -> Any:
            raise np.linalg.LinAlgError("singular")

    with pytest.raises(np.linalg.LinAlgError) as failure:
        Fails()(Tensor(x0, name="x"))
    assert "x (2, 3) float64" in failure.value.__notes__[0]


def test_an_op_is_called_with_parameters_by_place_or_name() -> None:
    z = np.array([[1.0, 2.0], [3.0, 5.0]])
    expected = ta.Softmax(axis=0)(z)
    np.testing.assert_array_equal(ta.softmax(z, 0), expected)
    np.testing.assert_array_equal(ta.softmax(z, axis=0), expected)
    np.testing.assert_array_equal(ta.softmax(z=z, axis=0), expected)
    assert repr(ta.LeakyReLU(alpha=0.1)) == "LeakyReLU(alpha=0.1)"
    assert repr(ta.relu) == "ReLU()"
    assert repr(ta.op.OPS["exp"]) == "exp"


def test_astype_changes_the_dtype_and_the_gradient_keeps_its_own() -> None:
    x = Tensor([1.0, 2.0])
    narrow = x.astype(np.float32)
    assert narrow.dtype == np.float32
    (narrow * narrow).sum().backward()
    assert x.grad.dtype == np.float64
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])


def test_a_changed_constant_tensor_is_noticed_too() -> None:
    p, c = Tensor([1.0]), Tensor([2.0], requires_grad=False, name="c")
    y = p * c
    c.data = np.array([3.0])
    with pytest.raises(RuntimeError, match=r"c \(shape \(1,\)\) changed"):
        y.backward([1.0])


def test_assigned_data_is_copied() -> None:
    p, array = Tensor([1.0]), np.array([2.0])
    p.data = array
    array[0] = 9.0
    assert p.item() == 2.0


def test_data_updated_in_place_keeps_its_array() -> None:
    p = Tensor([1.0])
    array = p.data
    p.data -= 0.5
    assert p.data is array


def test_a_pickled_or_copied_leaf_is_fit_for_use_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    model = ta.nn.Sequential(ta.nn.Linear(2, 3), ta.LeakyReLU(alpha=0.2))
    model(np.ones((1, 2))).sum().backward()
    packed = pickle.dumps(model)
    monkeypatch.setattr("tinygrad_act.tensor._clock", itertools.count())  # as in a new process
    for again in (pickle.loads(packed), copy.deepcopy(model)):
        for p, q in zip(model.parameters(), again.parameters(), strict=True):
            np.testing.assert_array_equal(p.data, q.data)
            np.testing.assert_array_equal(p.grad, q.grad)
            assert (q.name, q.data is p.data) == (p.name, False)
        again(np.ones((1, 2))).sum().backward()
    with pytest.raises(TypeError, match="cannot be pickled or copied"):
        pickle.dumps(model(np.ones((1, 2))))


def test_gradients_are_taken_with_respect_to_variables_only() -> None:
    x, c = Tensor([1.0]), Tensor([2.0], requires_grad=False, name="c")
    with pytest.raises(TypeError, match=r"not to c \(shape \(1,\)\), which does not require a gradient"):
        ta.gradients((x * c).sum(), [x, c])
    with pytest.raises(TypeError, match="not to a float"):
        ta.gradients((x * c).sum(), [3.0])
    with pytest.raises(ValueError, match="the seed has shape"):
        ta.gradients(x * 2, x, Tensor(np.ones((3, 1))))


def test_integers_that_are_made_to_require_a_gradient_later_are_refused() -> None:
    p = Tensor([1, 2, 3], requires_grad=False)
    p.requires_grad = True
    with pytest.raises(TypeError, match="an input of multiply holds integers"):
        (p * 0.5).sum().backward()


def test_ops_are_pickled_as_what_they_are() -> None:
    for op in (ta.op.OPS["exp"], ta.LeakyReLU(alpha=0.3), ta.relu):
        again = pickle.loads(pickle.dumps(op))
        assert repr(again) == repr(op)
        np.testing.assert_array_equal(again(x0), op(x0))


def test_a_matrix_is_refused_on_either_side() -> None:
    """Its * is @, so that either meaning would surprise someone."""
    with pytest.warns(PendingDeprecationWarning, match="matrix subclass"):
        m = np.matrix([[1.0, 2.0]])
    for product in (lambda: m * Tensor([3.0, 4.0]), lambda: Tensor([3.0, 4.0]) * m):
        with pytest.raises(TypeError, match="multiply of a Tensor and a NumPy matrix"):
            product()


def test_a_gradient_is_an_array_also_of_one_number() -> None:
    x = Tensor(2.0)
    for y in (x * x, np.sum(x), x * 3.0):
        x.grad = None
        y.backward()
        assert type(x.grad) is np.ndarray


def test_gradients_that_are_views_of_one_array_are_told_apart() -> None:
    a, b, c = Tensor(np.ones((4, 1))), Tensor(np.ones((2, 2))), Tensor(np.ones((1, 4)))
    (a.reshape(4) + b.reshape(4) + c.reshape(4)).backward(np.arange(4.0))
    pairs = itertools.combinations([t.grad for t in (a, b, c)], 2)
    assert not any(np.shares_memory(g, h) for g, h in pairs)
    a.grad += 1
    assert b.grad.tolist() == [[0.0, 1.0], [2.0, 3.0]]
