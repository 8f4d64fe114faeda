"""How NumPy's functions may be called on a Tensor: by their own parameters, and if not, then told what to write."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act import text
from tinygrad_act.op import IMPLEMENTS
from tinygrad_act.ops.__main__ import ROOMS, functions, kind
from tinygrad_act.ops.refused import REFUSED

UFUNCS = sorted({f for f in vars(np).values() if isinstance(f, np.ufunc)}, key=lambda f: f.__name__)
OURS = {
    f"{room}.{name}": f
    for room, module in ROOMS.items()
    for name, f in functions(module)
    if kind(f) == "yes" and not isinstance(f, np.ufunc)
}
OLD = {("numpy.reshape", "newshape"), ("numpy.corrcoef", "bias"), ("numpy.corrcoef", "ddof")}  # which NumPy had once
OLD |= {(f"numpy.{name}", "interpolation") for name in ("quantile", "percentile", "nanquantile", "nanpercentile")}
x = ta.Tensor([[0.5, 1.5, 2.0], [3.0, 0.25, 0.75]], name="x")


def parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except ValueError:  # older versions of NumPy do not tell
        return []


@pytest.mark.parametrize("name", OURS)
def test_a_function_has_the_parameters_of_numpys(name: str) -> None:
    """By the same names, in the same order; one that a Tensor has no use for is refused in words."""
    theirs, ours = parameters(OURS[name]), parameters(IMPLEMENTS[OURS[name]])
    theirs = [p for p in theirs if (name, p.name) not in OLD]
    by_name = {p.name for p in theirs if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    if not any(p.kind == p.VAR_KEYWORD for p in ours):
        assert by_name <= {p.name for p in ours}
    if not any(p.kind == p.VAR_POSITIONAL for p in ours):
        by_place = [(i, p.name) for i, p in enumerate(theirs) if p.kind == p.POSITIONAL_OR_KEYWORD]
        assert [(i, ours[i].name) for i, _ in by_place] == by_place


def test_each_function_that_numpy_lets_a_tensor_take_has_a_rule_or_an_answer() -> None:
    for module in ROOMS.values():
        for name, f in functions(module):
            if isinstance(f, np.ufunc) or hasattr(f, "_implementation"):  # it asks its arguments
                assert f in IMPLEMENTS, name


def asked() -> Iterator[tuple[str, Callable[[], Any], str]]:
    yield "where of a ufunc", lambda: np.exp(x, where=x > 0), "np.where(mask, t"
    yield "dtype of a ufunc", lambda: np.add(x, x, dtype=np.float32), "np.astype(t, dtype)"
    yield "casting of a ufunc", lambda: np.add(x, x, casting="no"), "np.astype(t, dtype)"
    yield "order of a ufunc", lambda: np.add(x, x, order="F"), "no order of memory"
    yield "axes of a ufunc", lambda: np.matmul(x, x, axes=[(0, 1), (1, 0), (0, 1)]), "np.moveaxis"
    yield "dtype of modf", lambda: np.modf(x, dtype=np.float32), "np.astype(t, dtype)"
    yield "where of vecdot", lambda: np.vecdot(x, x, axis=0, keepdims=True), "np.expand_dims"
    yield "dtype of a method", lambda: np.add.outer(x, x, dtype=float), "np.astype(t, dtype)"
    yield "out", lambda: np.dot(x, x.T, out=np.zeros((2, 2))), "Write y ="
    yield "out of clip", lambda: np.clip(x, 0, 1, out=np.zeros((2, 3))), "Write y ="
    yield "order of astype", lambda: x.astype(float, order="F"), "no order of memory"
    yield "dtype of linalg.trace", lambda: np.linalg.trace(x, dtype=float), "np.astype(t, dtype)"
    yield "out of multi_dot", lambda: np.linalg.multi_dot([x, x.T], out=np.zeros((2, 2))), "Write y ="
    yield "out of outer", lambda: np.outer(x, x, out=np.zeros((6, 6))), "Write y ="
    yield "subclasses", lambda: np.broadcast_arrays(x, 1.0, subok=True), "no subclasses of Tensor"
    yield "subclasses of one", lambda: np.broadcast_to(x, (2, 2, 3), subok=True), "no subclasses of Tensor"
    yield "a mask of a reduction", lambda: np.fmax.reduce(x, where=False, initial=0.0), "np.where(mask, t"
    yield "a mask of divmod", lambda: np.divmod(x, 2.0, where=False), "np.where(mask, t"
    yield "out of median", lambda: np.median(x, out=np.zeros(())), "Write y ="
    yield "order of partition", lambda: np.partition(x, 1, order="a"), "order"
    yield "weights of quantiles", lambda: np.quantile(x, 0.5, weights=np.ones((2, 3))), "np.average"
    yield "device", lambda: np.linspace(x, x, 3, device="cpu"), "memory"


@pytest.mark.parametrize(("call", "instead"), [c[1:] for c in asked()], ids=[c[0] for c in asked()])
def test_what_a_tensor_has_no_use_for_is_refused_with_what_to_write(call: Callable[[], Any], instead: str) -> None:
    with pytest.raises(TypeError, match=r"=\.\.\.\) cannot be used on Tensors") as refusal:
        call()
    assert instead in str(refusal.value)


@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda f: f.__name__)
def test_each_method_of_a_ufunc_has_a_rule_or_says_what_to_write(ufunc: np.ufunc) -> None:
    for name in ("reduce", "accumulate", "reduceat", "outer", "at"):
        method = IMPLEMENTS[getattr(ufunc, name)]
        if getattr(method, "__name__", "") == "refused":
            with pytest.raises(TypeError, match=rf"^np\.{ufunc.__name__}\.{name} of a Tensor .* write \w"):
                method(x)


def test_what_the_methods_of_ufuncs_say_to_write_is_right() -> None:
    with pytest.raises(TypeError, match=r"functools\.reduce\(np\.subtract, t\)"):
        np.subtract.reduce(x)
    with pytest.raises(TypeError, match=r"np\.stack\(list\(itertools\.accumulate\(t, np\.divide\)\)\)"):
        np.divide.accumulate(x)
    for ufunc in (np.less, np.logical_and, np.not_equal):
        np.testing.assert_array_equal(ufunc.outer(x, x), ufunc.outer(x.data, x.data))
    np.testing.assert_array_equal(np.logical_and.reduce(x, axis=1), [True, True])


def test_an_unknown_function_is_called_by_its_name() -> None:
    halve = np.frompyfunc(lambda v: v / 2, 1, 1)
    with pytest.raises(TypeError, match=r"the ufunc <lambda> .* has no derivative rule here"):
        halve(x)
    assert text.spelled(np.add.reduce) == "np.add.reduce"
    assert text.spelled(np.linalg.solve) == "np.linalg.solve"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: np.linalg.matrix_power(x @ x.T, 0.5), TypeError, "whole number, not 0.5"),
        (lambda: np.linalg.norm(x, "fro", axis=1), ValueError, "order 'fro'"),
        (lambda: np.linalg.pinv(x, rcond=1e-5, rtol=1e-5), ValueError, "not both"),
        (lambda: np.linalg.pinv(np.stack([x, x]), rcond=[1e-5, 1e-6]), TypeError, "one number"),
        (lambda: np.block([[x], x]), ValueError, "different depths, 1 and 2"),
        (lambda: np.block([[x], []]), ValueError, "a list in it is empty"),
        (lambda: np.interp(x, [0.0, 1.0], [1.0, 2.0, 3.0]), ValueError, "rows of one length"),
        (lambda: np.interp(x, [], []), ValueError, "rows of one length"),
        (lambda: np.percentile(x, 101), ValueError, r"np\.percentile: q is a number from 0 to 100"),
        (lambda: np.cov(x, aweights=[1.0, -1.0, 2.0]), ValueError, "not negative"),
        (lambda: np.cov(x, fweights=[1.5, 1.0, 2.0]), TypeError, "whole numbers"),
        (lambda: np.cov(np.stack([x, x])), ValueError, "at most two axes, not 3"),
        (lambda: np.swapaxes(x, 0, 5), np.exceptions.AxisError, "out of bounds"),
        (lambda: x.astype(int), TypeError, r"only jumps[^$]*Write t\.data\.astype\(int64\)"),
        (lambda: np.sum(x, dtype=np.int32), TypeError, r"Write t\.data\.astype\(int32\)"),
        (lambda: x.astype(complex), TypeError, "complex numbers"),
        (lambda: int(x), ValueError, "one element"),
        (lambda: np.nextafter(x, 1.0), TypeError, r"np\.spacing\(t\)"),
        (lambda: np.histogram_bin_edges(x), TypeError, r"np\.linspace\(np\.min\(t\)"),
    ],
)
def test_what_is_not_known_is_refused(call: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_what_is_said_to_be_written_gives_the_same() -> None:
    """The alternatives that are formulas."""
    p, q, u = ta.Tensor([1.0, 2.0, -0.5]), np.array([3.0, 1.0]), ta.Tensor([0.5, 1.5, 0.5, 2.0])
    for got, expected in (
        (np.convolve(p, q), np.polymul(p.data, q)),
        (np.pad(q, (1, 0)) + p, np.polyadd(p.data, q)),
        (p[:-1] * np.arange(len(p) - 1, 0, -1), np.polyder(p.data)),
        (np.append(p / np.arange(len(p), 0, -1), 0.0), np.polyint(p.data)),
        (np.exp(np.linspace(np.log(1.0), np.log(u), 4)), np.geomspace(1.0, u.data, 4)),
        (10.0 ** np.linspace(0.0, p, 4), np.logspace(0.0, p.data, 4)),
        (np.unique(u)[np.isin(np.unique(u), q)], np.intersect1d(u.data, q)),
        (np.unique(u)[~np.isin(np.unique(u), [2.0])], np.setdiff1d(u.data, [2.0])),
        (np.unique(np.concatenate([u, q])), np.union1d(u.data, q)),
        (np.where(p < 0, np.pi, 0), np.angle(p.data)),
        (
            np.bincount(np.digitize([0.2, 0.7, 0.9], [0.0, 0.5, 1.0]), p)[1:],
            np.histogram([0.2, 0.7, 0.9], [0.0, 0.5, 1.0], weights=p.data)[0],
        ),
    ):
        np.testing.assert_allclose(getattr(got, "data", got), expected, rtol=1e-14)


def test_a_tensor_of_one_element_is_a_whole_number_by_int() -> None:
    assert int(ta.Tensor([-2.7])) == -2
    assert x.detach().astype(int).dtype.kind == "i"


def test_fills_with_a_tensor_are_no_constants() -> None:
    a = ta.Tensor(2.0)
    np.full_like(x, a).sum().backward()
    assert a.grad == 6
    assert type(np.full_like(x, 3.0)) is np.ndarray


def test_a_condition_that_is_a_tensor_is_a_constant() -> None:
    c = ta.Tensor([0.0, 2.0])
    y = np.where(c, c * 3, 1.0)
    y.sum().backward()
    np.testing.assert_array_equal(y.data, [1, 6])
    np.testing.assert_array_equal(c.grad, [0, 3])


def test_the_points_of_interp_are_no_constants() -> None:
    points = ta.Tensor([0.0, 1.0, 3.0])
    np.interp(0.25, points, [1.0, 5.0, 2.0]).backward()
    np.testing.assert_allclose(points.grad, [-3.0, -1.0, 0.0])


def test_infinity_has_nothing_after_the_point() -> None:
    x = ta.Tensor([-np.inf, -1.5, np.inf])
    rest, whole = np.modf(x)
    np.testing.assert_array_equal(rest.data, [0, -0.5, 0])
    np.testing.assert_array_equal(whole, [-np.inf, -1, np.inf])


def test_interp_beyond_the_points_is_what_it_is_told_and_at_the_last_one_is_that() -> None:
    x, heights = ta.Tensor([-np.inf, -1.0, 0.0, 3.0, 4.0, np.inf]), ta.Tensor([1.0, 5.0, 2.0])
    y = np.interp(x, [0.0, 1.0, 3.0], heights, left=-8.0, right=9.0)
    np.testing.assert_array_equal(y.data, [-8, -8, 1, 2, 9, 9])
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [0, 0, 4, 0, 0, 0])
    np.testing.assert_array_equal(heights.grad, [1, 0, 1])


def test_weights_that_sum_to_0_and_constant_rows_give_nan_without_a_warning() -> None:
    t = ta.Tensor([1.0, 2.0])
    y = np.average(t, weights=[1.0, -1.0])
    y.backward()
    assert np.isnan(y.data)
    r = np.corrcoef(np.stack([t * 0, t]))
    np.testing.assert_array_equal(np.isnan(r.data), [[True, True], [True, False]])
    r.sum().backward()


@pytest.mark.parametrize("f", [np.median, np.nanmedian])
def test_the_median_of_nothing_is_nan(f: Callable[..., Any]) -> None:
    t = ta.Tensor(np.zeros((0, 2)))
    np.testing.assert_array_equal(f(t, axis=0).data, [np.nan, np.nan])
    assert f(t, axis=1).shape == (0,)
    np.testing.assert_array_equal(f(ta.Tensor(np.zeros((2, 0, 3))), axis=1).data, np.full((2, 3), np.nan))


def test_the_condition_of_a_singular_matrix_is_infinite() -> None:
    for a, least in ((np.zeros((2, 2)), np.inf), (np.diag([2.0, 0.0]), 0)):
        assert [np.linalg.cond(ta.Tensor(a), p).item() for p in (None, 2, -2)] == [np.inf, np.inf, least]


def test_counts_without_weights_are_constants() -> None:
    i = ta.Tensor(np.array([0, 2, 2]), requires_grad=False)
    np.testing.assert_array_equal(np.bincount(i), [1, 0, 2])
    np.testing.assert_array_equal(np.bincount(i, minlength=4), [1, 0, 2, 0])
    assert np.count_nonzero(ta.Tensor(np.eye(3)), axis=(0, 1)) == 3
    assert np.bincount(np.zeros(0, int), weights=ta.Tensor(np.zeros(0))).shape == (0,)


def test_refused_functions_are_spelled_as_people_write_them() -> None:
    assert all(text.spelled(f).startswith("np.") for f in REFUSED)


def test_numbers_at_equal_distances_are_fifty_and_end_where_they_are_told_to() -> None:
    stops = np.random.default_rng(0).uniform(1, 9, 100)
    y = np.linspace(ta.Tensor(-7.3), stops)
    assert y.shape == (50, 100)
    np.testing.assert_array_equal(y.data[-1], stops)
    assert np.linspace(ta.Tensor(np.float32(1)), 5).dtype == np.float32
    np.testing.assert_array_equal(np.linspace(ta.Tensor(-7.3), stops, 2).data[-1], stops)
