"""Functions of scipy.special on Tensors: their values, and their first and second derivatives by differences."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from test_numpy_calls import difference_quotient

import tinygrad_act as ta
from tinygrad_act.ops.scipy_special import OURS, SLOPES, find
from tinygrad_act.text import INSTEAD_OF_SCIPY

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
    "boxcox1p": (RIGHT, np.array([0.5, -1.0, 2.0, 0.3])),
    "inv_boxcox1p": (RIGHT, 0.7),
    "gammaincinv": (1.3, UNIT),
    "gammainccinv": (1.3, UNIT),
    "betainc": (1.3, 2.2, UNIT),
    "betaincinv": (1.3, 2.2, UNIT),
    "binom": (RIGHT + 3, RIGHT),
    "ndtri_exp": (-RIGHT,),
    "jve": (1.3, RIGHT),
    "yv": (1.3, RIGHT),
    "kv": (1.3, RIGHT),
    "kve": (1.3, RIGHT),
    "hyp0f1": (1.3, RIGHT),
    "hyp1f1": (1.3, 2.2, RIGHT),
    "hyp2f1": (1.3, 0.7, 2.2, UNIT),
}
ON_THE_LINE = {*OURS, "erfcx", "dawsn", "log_ndtr", "exprel", "exp10", "cosm1"}
ON_THE_LINE |= {"j0", "j1", "i0", "i1", "i0e", "i1e", "erfi", "wrightomega"}


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
    with pytest.raises(TypeError, match=r"^the ufunc ellipk has"):
        special.ellipk(ta.Tensor(0.5))


OF_PYTHON: dict[str, tuple[Any, Any]] = {  # each as it is called, and as the refusal says to write it
    "logsumexp": (lambda t: special.logsumexp(t), lambda t: ta.logsumexp(np.ravel(t))),
    "softmax": (lambda t: special.softmax(t, axis=0), lambda t: ta.softmax(t, 0)),
    "log_softmax": (lambda t: special.log_softmax(t, axis=0), lambda t: ta.log_softmax(t, 0)),
    "polygamma": (
        lambda t: special.polygamma(2, t),
        lambda t: (-1.0) ** 3 * special.gamma(3) * special.zeta(3.0, t),
    ),
    "multigammaln": (
        lambda t: special.multigammaln(t + 1, 2),
        lambda t: 2 * 1 / 4 * np.log(np.pi) + sum(special.gammaln(t + 1 - k / 2) for k in range(2)),
    ),
    "factorial": (lambda t: special.factorial(t), lambda t: special.gamma(t + 1)),
    "comb": (lambda t: special.comb(t + 2, 1.5), lambda t: special.binom(t + 2, 1.5)),
    "perm": (lambda t: special.perm(t + 2, 2), lambda t: special.poch(t + 2 - 2 + 1, 2)),
    "diric": (lambda t: special.diric(t, 3), lambda t: np.sin(3 * t / 2) / (3 * np.sin(t / 2))),
}


@pytest.mark.parametrize("name", INSTEAD_OF_SCIPY)
def test_what_scipy_makes_an_array_of_is_refused_with_what_to_write(name: str) -> None:
    call, instead = OF_PYTHON[name]
    t = ta.Tensor(RIGHT)
    with pytest.raises(TypeError, match=f"scipy.special.{name} makes an array of") as refusal:
        call(t)
    assert INSTEAD_OF_SCIPY[name] in str(refusal.value)
    y = instead(t)
    assert y.requires_grad
    np.testing.assert_allclose(y.data, call(RIGHT), rtol=1e-13)


def slope(f: Any, x: float, order: int = 1) -> float:
    t = y = ta.Tensor(x)
    y = f(t)
    for _ in range(order):
        y = ta.gradients(y, t)
    return y.item()


@pytest.mark.parametrize("x", [20.0, 49.0, 51.0, 1e3, 1e8, 1e150, np.inf])
def test_far_out_slopes_keep_their_digits(x: float) -> None:
    """Where they are the small difference of numbers near 1: as their series in 1 / x²."""
    v = 1 / x / x
    for sign, f, limit in ((1.0, special.dawsn, 0.5), (-1.0, special.erfcx, 1 / np.sqrt(np.pi))):
        series = 1 + 1.5 * sign * v + 3.75 * v**2 + 13.125 * sign * v**3 + 59.0625 * v**4 + 324.84375 * sign * v**5
        np.testing.assert_allclose(slope(f, x), -limit * v * series, rtol=1e-11)
    np.testing.assert_allclose(slope(special.dawsn, -x), slope(special.dawsn, x), rtol=1e-14)


def dawsn_slope(x: Any) -> Any:
    return 1 - x * mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x) * mpmath.erfi(x)


def erfcx_slope(x: Any) -> Any:
    return 2 * x * mpmath.exp(x * x) * mpmath.erfc(x) - 2 / mpmath.sqrt(mpmath.pi)


def exprel_slope(x: Any) -> Any:
    return (mpmath.exp(x) - mpmath.expm1(x) / x) / x


@pytest.mark.parametrize(
    ("f", "exact", "x", "rtol"),
    [
        (special.dawsn, dawsn_slope, 12.0, 3e-12),
        (special.erfcx, erfcx_slope, 12.0, 3e-12),
        (special.dawsn, dawsn_slope, 50.5, 1e-15),
        (special.erfcx, erfcx_slope, 50.5, 1e-15),
        (special.dawsn, dawsn_slope, np.float32(5), 1e-5),
        (special.erfcx, erfcx_slope, np.float32(5), 1e-5),
        (special.dawsn, dawsn_slope, np.float32(30), 2e-7),
        (special.erfcx, erfcx_slope, np.float32(30), 2e-7),
        *((special.exprel, exprel_slope, x, 2e-15) for x in (-1.4, -0.4, 0.2, 0.49, 0.6, 1.4)),
    ],
)
def test_slopes_keep_their_digits_on_both_sides_of_where_their_formulas_change(
    f: Any, exact: Any, x: Any, rtol: float
) -> None:
    with mpmath.workdps(500):
        np.testing.assert_allclose(slope(f, x), float(exact(mpmath.mpf(float(x)))), rtol=rtol)


def test_slopes_where_their_formulas_have_holes() -> None:
    assert slope(special.spence, 1.0) == -1
    np.testing.assert_allclose(slope(special.spence, 1.0, 2), 0.5, rtol=1e-14)
    log = np.log(3.0)
    for p in (0.0, 1e-12, 1e-8):
        np.testing.assert_allclose(slope(lambda p: special.boxcox(3.0, p), p), log**2 / 2, rtol=2e-8)
        np.testing.assert_allclose(slope(lambda p: special.boxcox1p(2.0, p), p), log**2 / 2, rtol=2e-8)
    np.testing.assert_allclose(slope(lambda p: special.boxcox(3.0, p), 0.0, 2), log**3 / 3, rtol=1e-14)
    for y in (0.0, 2.0):
        assert slope(lambda y: special.xlogy(0.0, y), y) == slope(lambda y: special.rel_entr(0.0, y), y) == 0
        assert slope(lambda y: special.kl_div(0.0, y), y) == 1
    assert slope(lambda y: special.xlog1py(0.0, y), -1.0) == 0
    assert [slope(lambda x, a=a: special.gammainc(a, x), 0.0) for a in (1.0, 2.0)] == [1, 0]


def test_what_only_jumps_gives_constants() -> None:
    np.testing.assert_array_equal(special.round(ta.Tensor([0.4, 1.6])), [0, 2])
    np.testing.assert_array_equal(special.gammasgn(ta.Tensor([-0.5, 1.6])), [-1, 1])


def test_another_ufunc_of_the_same_name_is_not_taken_for_scipys() -> None:
    assert find(special.cbrt) is ta.cbrt
    assert find(np.cbrt) is None


def test_a_compiled_step_is_refused_a_function_of_scipys() -> None:
    x = ta.Tensor(RIGHT)
    with pytest.raises(TypeError, match="gammaln is not NumPy's"):
        ta.compile(lambda: special.gammaln(x).sum())()
