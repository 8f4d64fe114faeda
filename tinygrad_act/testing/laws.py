"""The laws that every op obeys. Each is a function of an op and inputs to try it on, and raises AssertionError."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from ..compiler import compile
from ..debugging.findings import names_of
from ..drawing import draw
from ..op import Array, Elementwise, Op
from ..tensor import Tensor
from ..transforms import gradients
from .complex import as_complex, in_complex

Inputs: TypeAlias = tuple[Any, ...]
Law: TypeAlias = Callable[[Op, Inputs], None]
EXTREMES = [0.0, -0.0, 1e-300, -1e-300, 40.0, -40.0, 1000.0, -1000.0]
FAR = np.geomspace(1e-3, 1e3, 601)
SCANNED = np.unique(np.concatenate([np.linspace(-8, 8, 1601), FAR, -FAR]))  # between which kinks are looked for


def same(found: Any, wanted: Any, rtol: float = 0.0, atol: float = 0.0, what: str = "it") -> None:
    """AssertionError, which names the element that is furthest off, unless both are the same, as near as told."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.shape == wanted.shape, f"{what} has shape {found.shape}, and is to have {wanted.shape}"
    wrong = ~np.isclose(found, wanted, rtol, atol, equal_nan=True)
    if wrong.any():
        far = np.where(wrong, np.nan_to_num(np.abs(found * 1.0 - wanted), nan=np.inf), -1.0)
        index = np.unravel_index(int(far.argmax()), far.shape)
        place = f" at [{', '.join(map(str, index))}]" if index else ""
        count = f" ({np.count_nonzero(wrong)} of {wrong.size} are wrong)" if wrong.size > 1 else ""
        raise AssertionError(f"{what}{place} is {found[index]!s}, and is to be {wanted[index]!s}{count}")


def differentiable(op: Op, inputs: Inputs) -> list[int]:
    """Which inputs are float arrays that the op has a rule for."""
    has_rule = [op.variadic or isinstance(op, Elementwise) or op.rules[i] is not None for i in range(len(inputs))]
    return [i for i, x in enumerate(inputs) if isinstance(x, np.ndarray) and x.dtype.kind == "f" and has_rule[i]]


def as_tensors(op: Op, inputs: Inputs, dtype: Any = np.float64) -> list[Any]:
    """Those as Tensors, the others as they are."""
    chosen = differentiable(op, inputs)
    return [Tensor(x.astype(dtype)) if i in chosen else x for i, x in enumerate(inputs)]


def cotangent_like(y: Any) -> Array:
    """Weights for what an op gives, the same ones every time."""
    return np.random.default_rng(3).uniform(0.5, 1.5, np.shape(y))


def pulled_back(op: Op, inputs: Inputs, dtype: Any = np.float64) -> tuple[Tensor, dict[int, Tensor]]:
    """The result, and the inputs by number with the gradients that backward() leaves in them."""
    tensors = as_tensors(op, inputs, dtype)
    y = op(*tensors)
    y.backward(cotangent_like(y))
    return y, {i: tensors[i] for i in differentiable(op, inputs)}


def gradient_of(t: Tensor) -> Array:
    """What backward() has left in it."""
    assert t.grad is not None, "every input has a gradient"
    return t.grad


def numeric_gradient(f: Callable[..., Any], inputs: list[Any], i: int) -> Array:
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


def the_gradient_equals_the_difference_quotient(op: Op, inputs: Inputs) -> None:
    """Of the op itself, or of the surrogate that a straight-through op names."""
    function = op.surrogate or op
    y, leaves = pulled_back(op, inputs)
    weights = cotangent_like(y)
    for i, leaf in leaves.items():
        numeric = numeric_gradient(lambda *x: np.sum(function(*x) * weights), list(inputs), i)
        same(gradient_of(leaf), numeric, 1e-7, 1e-8, _of_input(op, i))


def the_gradient_equals_the_complex_step(op: Op, inputs: Inputs, everywhere: bool = False) -> None:
    """f(x + ih) = f(x) + ih f'(x) + O(h²): no cancellation, so the derivative is exact to the last places.

    Where an op is not analytic, as a difference shows, it says nothing; but it has to be analytic `everywhere`, if so.
    """
    function = op.surrogate or op
    y, leaves = pulled_back(op, inputs)
    weights = cotangent_like(y)
    for i, leaf in leaves.items():
        slopes = np.full(leaf.shape, np.nan)
        try:
            for index in np.ndindex(leaf.shape):
                moved = [as_complex(x.astype(complex)) if j == i else x for j, x in enumerate(inputs)]
                moved[i][index] += 1e-150j
                with in_complex():
                    slopes[index] = np.sum(function.forward(*moved) * weights).imag / 1e-150
        except Exception:  # whatever the op makes of numbers that it was not written for
            if everywhere:
                raise
            continue
        rough = numeric_gradient(lambda *x: np.sum(function(*x) * weights), list(inputs), i)
        analytic = everywhere | np.isclose(slopes, rough, rtol=1e-5, atol=1e-7)
        expected = np.where(analytic, slopes, gradient_of(leaf))
        to = (1e-13, 1e-14) if everywhere else (1e-11, 1e-12)
        same(gradient_of(leaf), expected, *to, _of_input(op, i))


def the_second_derivative_equals_the_difference_quotient(op: Op, inputs: Inputs) -> None:
    """The derivative of the derivative, which nobody wrote: the rule is differentiated."""
    _equals_the_difference_quotient_of_the_one_below(op, inputs, 1)


def the_third_derivative_equals_the_difference_quotient(op: Op, inputs: Inputs) -> None:
    """And once more, of the second."""
    _equals_the_difference_quotient_of_the_one_below(op, inputs, 2)


def _equals_the_difference_quotient_of_the_one_below(op: Op, inputs: Inputs, order: int) -> None:
    chosen = differentiable(op, inputs)

    def scalar(*inputs: Any) -> tuple[Any, list[Any]]:
        """A scalar that contracts the derivative of the given order with fixed weights, and its inputs."""
        tensors = [Tensor(x) if i in chosen else x for i, x in enumerate(inputs)]
        y = op(*tensors)
        s = (y * cotangent_like(y)).sum()
        for _ in range(order):
            derivatives = gradients(s, [tensors[i] for i in chosen])
            s = sum(((d * np.cos(np.arange(d.size).reshape(d.shape))).sum() for d in derivatives), start=0.0 * s)
        return s, [tensors[i] for i in chosen]

    s, tensors = scalar(*inputs)
    for i, gradient in zip(chosen, gradients(s, tensors), strict=True):
        numeric = numeric_gradient(lambda *x: scalar(*x)[0].item(), list(inputs), i)
        atol = 1e-6 * max(1, np.abs(numeric).max(initial=0))
        same(gradient.data, numeric, 1e-6, atol, _of_input(op, i, f"derivative of order {order + 1}"))


def _of_input(op: Op, i: int, what: str = "derivative") -> str:
    return f"the {what} by input {op.arguments[0 if op.variadic else i]}"


def broadcasting_is_undone(op: Op, inputs: Inputs) -> None:
    """The gradient of an input that was stretched along an axis is summed over it."""
    for i in differentiable(op, inputs) if len(inputs) > 1 else ():
        for axis in range(inputs[i].ndim):
            thin = tuple(np.take(x, [0], axis) if j == i else x for j, x in enumerate(inputs))
            try:
                stretched = np.shape(op(*thin)) == np.shape(op(*inputs))
            except ValueError:  # it does not broadcast
                continue
            if stretched:
                the_gradient_equals_the_difference_quotient(op, thin)


def values_and_gradients_are_the_same_by_either_road(op: Op, inputs: Inputs) -> None:
    """A Tensor holds what the op gives for arrays, and backward() and gradients() agree to the bit."""
    y, leaves = pulled_back(op, inputs)
    plain = op(*inputs)
    assert isinstance(plain, np.ndarray | np.generic), "for arrays it gives an array"
    assert type(y) is Tensor, "for Tensors it gives a Tensor"
    same(y.data, plain, what="the value of a Tensor")
    recorded = gradients(y, list(leaves.values()), cotangent_like(y))
    for leaf, gradient in zip(leaves.values(), recorded, strict=True):
        same(gradient_of(leaf), gradient.data, what="what backward() leaves")


def the_dtype_is_kept(op: Op, inputs: Inputs) -> None:
    """float32 gives float32, values and gradients, and gradients have the shapes of their inputs."""
    for dtype in (np.float32, np.float64):
        cast = tuple(x.astype(dtype) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x for x in inputs)
        y, leaves = pulled_back(op, cast, dtype)
        assert y.dtype == dtype, f"of {np.dtype(dtype)} it makes {y.dtype}"
        for i, leaf in leaves.items():
            found = gradient_of(leaf)
            told = f"the gradient of {op.arguments[0 if op.variadic else i]} is {found.dtype} of shape {found.shape}"
            assert (found.dtype, found.shape) == (dtype, cast[i].shape), told


def it_leaves_what_it_is_given_alone(op: Op, inputs: Inputs) -> None:
    """Neither forward nor a rule writes into an array that it is given: others hold it too."""
    given = [x.copy() if isinstance(x, np.ndarray) else x for x in inputs]
    y = np.array(op.forward(*given))
    g = cotangent_like(y)
    arrays = dict(zip(("y", "g", *names_of(op, inputs)), (y, g, *given), strict=True))
    before = copy.deepcopy(arrays)

    def check(what: str) -> None:
        for name, x in arrays.items():
            same(x, before[name], what=f"{what} writes into what it is given: {name}")

    op.forward(*given)
    check("forward")
    for i in differentiable(op, inputs):
        op.vjp(i, g, y, *given)
        check(f"the rule for {names_of(op, inputs)[i]}")


def gradients_own_their_memory(op: Op, inputs: Inputs) -> None:
    """Whoever changes a gradient in place changes neither another gradient nor any value."""
    y, leaves = pulled_back(op, inputs)
    before = [gradient_of(leaf).copy() for leaf in leaves.values()]
    for leaf in leaves.values():
        grad = gradient_of(leaf)
        grad += 1
    for leaf, grad in zip(leaves.values(), before, strict=True):
        same(gradient_of(leaf), grad + 1, what="a gradient, when 1 is added to each in place,")
    same(y.data, op(*inputs), what="the value, when the gradients were changed,")


def it_compiles_to_the_bit(op: Op, inputs: Inputs) -> None:
    """A compiled step has the values and gradients of the step itself, in both styles."""
    for dtype in (np.float32, np.float64):
        cast = [x.astype(dtype) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x for x in inputs]

        def step(*arrays: Any, dtype: Any = dtype) -> Any:
            tensors = [Tensor(a) if hasattr(a, "dtype") and a.dtype.kind == "f" else a for a in arrays]
            y = op(*tensors)
            weights = np.linspace(0.5, 1.5, y.size, dtype=dtype).reshape(y.shape)
            return y, *gradients(np.sum(y * weights), [tensors[i] for i in differentiable(op, inputs)])

        expected = [t.data for t in step(*cast)]
        for style in ("teaching", "fast"):
            compiled = compile(step, style=style)
            for _ in range(2):
                for found, wanted in zip(compiled(*cast), expected, strict=True):
                    assert np.asarray(found).dtype == wanted.dtype, f"compiled, {wanted.dtype} becomes {found.dtype}"
                    same(found, wanted, what="what the compiled step gives")


def it_is_drawn_by_its_name(op: Op, inputs: Inputs) -> None:
    """In a picture of its graph."""
    assert op.name in str(draw(op(*as_tensors(op, inputs)))), "the picture names it"


def it_says_what_it_is(op: Op, inputs: Inputs) -> None:
    """A formula, a rule for each input that has one, and a docstring."""
    assert op.formula, "an op has a formula"
    assert type(op).__doc__ or op.__doc__, "an op has a docstring"
    if isinstance(op, Elementwise):
        assert isinstance(op.rule, str), "an elementwise op has one rule"
        assert op.rule, "an elementwise op has one rule"
    else:
        assert isinstance(op.rule, dict), "an op of several inputs has a rule for each"
        with_rule = [a for a, rule in zip(op.arguments, op.rules, strict=True) if rule is not None or op.variadic]
        assert list(op.rule) == with_rule, f"it has rules for {with_rule}, and tells those for {list(op.rule)}"


def a_copy_equals_its_op(op: Op, inputs: Inputs) -> None:
    """By copy, and by pickle if it is not written in a function, of which nothing can be pickled."""
    copies = [copy.copy(op), copy.deepcopy(op)]
    if "<locals>" not in type(op).__qualname__:
        copies.append(pickle.loads(pickle.dumps(op)))
    for again in copies:
        is_equal = again == op and hash(again) == hash(op)
        assert is_equal, (
            f"a copy of {op!r} is not equal to it: make the class a dataclass(frozen=True), of its parameters"
        )


def it_is_finite_and_silent_at_the_extremes(op: Elementwise, inputs: Inputs) -> None:
    """Value, first and second derivative, from the tiniest numbers to large ones, within its domain."""
    for dtype in (np.float32, np.float64):
        points: Array = np.array(EXTREMES).astype(dtype)
        t = Tensor(points[(points > op.domain[0]) & (points < op.domain[1])])
        first = gradients(op(t).sum(), t)
        second = gradients(first.sum(), t)
        for what, values in (("value", op(t.data)), ("derivative", first.data), ("second derivative", second.data)):
            assert np.isfinite(values).all(), f"the {what} is not finite at {t.data[~np.isfinite(values)]}"


def the_slope_bends_at_zero_as_beside_it(op: Elementwise, inputs: Inputs) -> None:
    """A rule that goes through |x| or a comparison is easily right around 0 and wrong on it. ELU's bend jumps there."""
    if not op.domain[0] < 0 < op.domain[1] or any(kink.at == 0 for kink in op.kinks):
        return
    t = Tensor(np.array([-1e-4, 0.0, 1e-4]))
    left, middle, right = gradients(gradients(op(t).sum(), t).sum(), t).data
    assert min(left, right) - 1e-6 <= middle <= max(left, right) + 1e-6


def nan_stays_nan(op: Elementwise, inputs: Inputs) -> None:
    """What is not known before is not known after."""
    assert np.isnan(op(np.array([np.nan]))).all(), "the value of nan is a number"


def kinks_are_where_they_are_declared(op: Elementwise, inputs: Inputs) -> None:
    """The slopes left and right of a kink are as declared; the one chosen is returned, and lies between them."""
    for kink in op.kinks:
        x = np.array([kink.at - 1e-6, kink.at, kink.at + 1e-6])
        left, chosen, right = op.derivative(op(x), x) * np.ones(3)
        what = f"the slope left of, on and right of {kink.at}"
        same([left, chosen, right], [kink.left, kink.chosen, kink.right], 1e-7, 3e-6, what)
        between = min(kink.left, kink.right) <= kink.chosen <= max(kink.left, kink.right)
        assert between, f"the slope chosen at {kink.at}, {kink.chosen}, is not between those on both sides of it"
        assert kink.why, "a kink says why that slope was chosen"


def there_is_no_kink_where_none_is_declared(op: Elementwise, inputs: Inputs) -> None:
    """The slope jumps nowhere else: between points where it differs, a jump stays when they move together."""

    def slope(x: Array) -> Array:
        return np.broadcast_to(op.derivative(op(x), x), x.shape) * 1.0

    points = SCANNED[(op.domain[0] < SCANNED) & (op.domain[1] > SCANNED)]
    below, above = points[:-1], points[1:]
    for _ in range(70):
        middle = below / 2 + above / 2
        low, at, high = slope(below), slope(middle), slope(above)
        jumps = np.abs(high - low) > 1e-6 * np.maximum(1, np.maximum(np.abs(low), np.abs(high)))
        first = (np.abs(at - low) >= np.abs(high - at))[jumps]
        below, middle, above = below[jumps], middle[jumps], above[jumps]
        below, above = np.where(first, below, middle), np.where(first, middle, above)
    found = [x for x in above if not any(abs(x - kink.at) <= 1e-12 * max(1, abs(x)) for kink in op.kinks)]
    told = list(dict.fromkeys(f"{x:.9g}" for x in found))[:5]
    assert not told, f"the slope jumps at {', '.join(told)}, where no kink is declared"


def numbers_lists_and_integers_are_taken_as_floats(op: Elementwise, inputs: Inputs) -> None:
    """A number gives the value of that number, and float32 stays what it is."""
    inside = [n for n in (0, 1, 2, 3) if op.domain[0] < n < op.domain[1]]
    floats = np.array(inside, float)
    expected = op(floats)
    same([op(n) for n in inside], expected, 1e-14, what="of Python's numbers, the value")
    same(op(floats.tolist()), expected, 1e-14, what="of a list, the value")
    if op.name != "reciprocal":  # which NumPy rounds to integers
        same(op(np.array(inside)), expected, 1e-14, what="of integers, the value")
    one = np.float32(inside[-1])
    assert op(one).dtype == op(np.array([one])).dtype == np.float32, "of one number of float32 it makes another dtype"


OF_ALL: tuple[Law, ...] = (
    it_leaves_what_it_is_given_alone,
    it_says_what_it_is,
    the_gradient_equals_the_difference_quotient,
    the_gradient_equals_the_complex_step,
    the_second_derivative_equals_the_difference_quotient,
    the_third_derivative_equals_the_difference_quotient,
    broadcasting_is_undone,
    values_and_gradients_are_the_same_by_either_road,
    the_dtype_is_kept,
    gradients_own_their_memory,
    a_copy_equals_its_op,
    it_is_drawn_by_its_name,
    it_compiles_to_the_bit,
)
OF_ELEMENTWISE: tuple[Callable[[Any, Inputs], None], ...] = (
    it_is_finite_and_silent_at_the_extremes,
    the_slope_bends_at_zero_as_beside_it,
    nan_stays_nan,
    kinks_are_where_they_are_declared,
    there_is_no_kink_where_none_is_declared,
    numbers_lists_and_integers_are_taken_as_floats,
)
LAWS = OF_ALL + OF_ELEMENTWISE
