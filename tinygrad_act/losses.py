"""Losses. The fused ones are ops, with the rule that makes them worth fusing; the others are composed."""

from __future__ import annotations

import functools
import math
import warnings
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from .activations.sigmoidal import sigmoid
from .activations.softmax import Softmax, float_type, gap_below_top, logsumexp, softmax, split_off_top
from .op import Array, Node, Op, register

Reduction = Literal["mean", "sum", "none"]


@dataclass(frozen=True)
class Loss(Op):
    """What the fused losses share: one number from many, by `reduction` "mean", "sum" or "none"."""

    reduction: Reduction = "mean"

    def __post_init__(self) -> None:
        if self.reduction not in ("mean", "sum", "none"):
            raise ValueError(f"{self.name}: reduction is 'mean', 'sum' or 'none', not {self.reduction!r}")

    def reduce(self, losses: Array, dtype: np.dtype[Any]) -> Array:
        """The losses, their sum or their mean, in this dtype; the mean of none is nan."""
        if self.reduction != "none":
            losses = losses.sum() / (losses.size or math.nan) if self.reduction == "mean" else losses.sum()
        if dtype == np.float64:
            return losses
        return np.where(losses > _largest(dtype), np.inf, losses).astype(dtype)[()]  # too large is infinite

    def spread(self, g: Array, count: int) -> Array:
        """The cotangent of each single loss."""
        return g / (count or math.nan) if self.reduction == "mean" else g


class Odds(NamedTuple):
    """What stands for and against the label of each row of logits z, all relative to the greatest of the row.

    The loss is log1p(others + (chosen - 1)) - (z - max z), without cancellation: at the top it is of exactly 1 and 0.
    """

    axis: int  # that of the classes in e: 0 if they are few, else 1
    e: Array  # exp(z - max z), but 0 at the label
    at: Array  # where the labels are in e, raveled
    chosen: Array  # exp(z - max z) at the label
    others: Array  # the sum of e
    loss: Array  # of each row


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Softmax and cross-entropy in one: logits and targets in, loss out (document, section softmax + cross_entropy).

    The logits `z` have a class axis, the last by default; `reduction` is over all the others. The targets `y` are
    class indices (integers, in the shape of z without its class axis) or distributions (in the shape of z). The
    document drops an exponential: its 1^T z means 1^T exp(z). Its result softmax(z) - y holds when y sums to 1.

    Raises ValueError or TypeError for targets that do not fit; warns where z holds probabilities instead of logits.

    >>> cross_entropy(np.array([[2.0, 0.0], [0.0, 0.0]]), np.array([0, 1]))
    np.float64(0.4100375958014589)
    """

    axis: int = -1
    memo: list[Odds] | None = field(default=None, repr=False, compare=False)  # of one call, for its rule
    formula = r"-y^\top \ln \cfrac{e^z}{1^\top e^z} = -y^\top z + \ln(1^\top e^z)"
    rule = {"z": r"\bar l\, ((1^\top y)\, \mathrm{softmax}(z) - y)", "y": r"-\bar l \ln \mathrm{softmax}(z)"}

    def __call__(self, *args: Any, **fields: Any) -> Any:
        op, (z, y) = self._bind(args, fields) if fields or len(args) != 2 else (self, args)
        _warn_of_probabilities(z, op.axis)
        once = object.__new__(CrossEntropy)  # each call has its own, to be forgotten with its graph
        once.__dict__.update(op.__dict__, memo=[])
        return super(CrossEntropy, once).__call__(z, np.asarray(y) if isinstance(y, int) else y)

    def forward(self, z: Array, y: Array) -> Array:
        last = _last_axis(z, self.axis)
        rows = last.reshape((-1, last.shape[-1]))
        if _is_labels(z, y, self.axis):
            losses = _odds(rows, y, self.memo).loss
        else:
            _, rest, top = split_off_top(rows)
            t = _last_axis(y, self.axis).reshape(rows.shape)
            most = np.broadcast_to(rows.take(top)[:, np.newaxis], rows.shape)
            gaps = _gap(most, rows) + np.log1p(rest)[:, np.newaxis]
            losses = (t * np.where(t == 0, 0, gaps)).sum(axis=1)
        return self.reduce(losses.reshape(last.shape[:-1]), float_type(z))

    def vjp_z(self, g: Array, loss: Array, z: Array, y: Array) -> Array:
        return self._per_row(g, z) * SoftmaxResidual(self.axis, self.memo)(z, y)

    def vjp_y(self, g: Array, loss: Array, z: Array, y: Array) -> Array:
        return self._per_row(g, z) * (logsumexp(z, axis=self.axis, keepdims=True) - z)

    def _per_row(self, g: Array, z: Array) -> Array:
        """The cotangent of each row's loss, in a shape that broadcasts with z."""
        return (
            np.expand_dims(g, self.axis) if self.reduction == "none" else self.spread(g, z.size // z.shape[self.axis])
        )


@dataclass(frozen=True)
class SoftmaxResidual(Op):
    """The document's result for softmax and cross-entropy together, a - y; targets y as `cross_entropy` takes them.

    At a label, a - 1 is minus the sum of the other a, which keeps its digits when a rounds to 1.

    >>> softmax_residual(np.array([[0.0, 0.0]]), np.array([0]))
    array([[-0.5,  0.5]])
    """

    axis: int = -1
    memo: list[Odds] | None = field(default=None, repr=False, compare=False)  # of one call, for its rule
    formula = r"(1^\top y)\, \mathrm{softmax}(z) - y"
    rule = {"z": r"(1^\top y)\, a \odot (\bar r - \bar r^\top a)", "y": r"1\, \bar r^\top a - \bar r"}

    def forward(self, z: Array, y: Array) -> Array:
        last = _last_axis(z, self.axis)
        rows = last.reshape((-1, last.shape[-1]))
        if self.memo or _is_labels(z, y, self.axis):
            odds = _odds(rows, y, self.memo)
            total = odds.chosen + odds.others
            r = odds.e / (total if odds.axis == 0 else total[:, np.newaxis])
            r.put(odds.at, -odds.others / total)
            r = r.T if odds.axis == 0 else r
        else:  # (1ᵀy) a - y = a (1ᵀy - y) - y (1 - a), and 1 - a at the top is the sum of the other a
            t = _last_axis(y, self.axis).reshape(rows.shape)
            e, rest, top = split_off_top(rows)
            e.put(top, 1)
            a = e / (1 + rest)[:, np.newaxis]
            complement = 1 - a
            complement.put(top, rest / (1 + rest))
            r = a * (t.sum(axis=1, keepdims=True) - t) - t * complement
        r = r.astype(float_type(z)).reshape(last.shape)
        return r if last is z else np.moveaxis(r, -1, self.axis)

    def vjp_z(self, g: Array, r: Array, z: Array, y: Array) -> Array:
        total = 1.0 if _is_labels(z, y, self.axis) else y.sum(axis=self.axis, keepdims=True)
        return Softmax(self.axis).vjp_z(g * total, softmax(z, axis=self.axis), z)

    def vjp_y(self, g: Array, r: Array, z: Array, y: Array) -> Array:
        return (g * softmax(z, axis=self.axis)).sum(axis=self.axis, keepdims=True) - g


def _lost_in_running_sum(e: Array) -> Array:
    """What rounding takes from the sum of e over its first axis, one after the other (Knuth's TwoSum)."""
    total = np.add.accumulate(e, axis=0)
    before, after = total[:-1], total[1:]
    added = after - before
    return ((before - (after - added)) + (e[1:] - added)).sum(axis=0)


@functools.cache
def _largest(dtype: np.dtype[Any]) -> float:
    """The largest float of a type."""
    return float(np.finfo(dtype).max)


def _is_labels(z: Array, y: Array, axis: int) -> bool:
    """Whether the targets y are class indices, rather than distributions."""
    if y.shape == z.shape:
        return False
    if y.shape != (rows := z.shape[: axis % z.ndim] + z.shape[axis % z.ndim + 1 :]):
        raise ValueError(f"y has shape {y.shape}, but takes {rows} as class indices or {z.shape} as distributions")
    if y.dtype.kind not in "iu":
        raise TypeError(f"y of shape {y.shape} must hold class indices, which are integers, not {y.dtype}")
    return True


def _odds(rows: Array, y: Array, memo: list[Odds] | None) -> Odds:
    """The odds of the labels y. With a memo they are computed once: a loss hands its own to its rule."""
    if memo:
        return memo[0]
    n, classes = rows.shape
    axis = 0 if classes < 30 else 1  # NumPy is quicker along a long axis; running sums are inaccurate along one
    gap, lost = gap_below_top(rows.T if axis == 0 else rows, axis)
    places = (y.reshape(-1), np.arange(n))
    try:
        at = np.ravel_multi_index(places if axis == 0 else places[::-1], gap.shape)
    except ValueError:
        raise ValueError(f"a class index in y lies outside 0 ... {classes - 1}, the classes of z") from None
    gap_at_label = gap.take(at)
    e = np.exp(gap, out=gap)
    chosen = e.take(at)
    e.put(at, 0)
    others = e.sum(axis=axis)
    odds_against = others + (chosen - 1)
    loss = np.log1p(odds_against) - gap_at_label
    if lost is not None:  # doubles get back what rounding took from the gaps, and from a running sum
        chosen_lost = chosen * lost.take(at)
        lost *= e
        others_lost = lost.sum(axis=axis)
        if axis == 0:
            others_lost += _lost_in_running_sum(e)
        loss += (chosen_lost + others_lost) / (1 + odds_against)
        e += lost
        chosen += chosen_lost
        others += others_lost
    odds = Odds(axis, e, at, chosen, others, loss)
    if memo is not None:
        memo.append(odds)
    return odds


@dataclass(frozen=True)
class BCEWithLogits(Loss):
    """Sigmoid and binary cross-entropy in one: logits z and targets y between 0 and 1 in, of one shape; loss out.

    >>> bce_with_logits(np.array([0.0, 100.0]), np.array([1.0, 1.0]), reduction="none")
    array([6.93147181e-01, 3.72007598e-44])
    """

    name = "bce_with_logits"
    formula = r"\max(z, 0) - z y + \ln(1 + e^{-|z|})"
    rule = {"z": r"\bar l\, (\mathrm{sigmoid}(z) - y)", "y": r"-\bar l\, z"}

    def forward(self, z: Array, y: Array) -> Array:
        _check_shapes(self.name, z, y)
        far = np.where(z >= 0, 1 - y, y)  # max(z, 0) - z y is |z| times the target's share on the other side
        size = np.abs(z)
        return self.reduce(np.where(far == 0, 0, size) * far + np.log1p(np.exp(-size)), float_type(z))

    def vjp_z(self, g: Array, loss: Array, z: Array, y: Array) -> Array:
        gap = np.where(z >= 0, (1 - y) - sigmoid(-z), sigmoid(z) - y)  # the same, from the side where sigmoid is small
        return self.spread(g, z.size) * gap

    def vjp_y(self, g: Array, loss: Array, z: Array, y: Array) -> Array:
        return self.spread(g, z.size) * -z


cross_entropy = register(CrossEntropy())
softmax_residual = register(SoftmaxResidual())
bce_with_logits = register(BCEWithLogits())


def mse(prediction: Any, target: Any, reduction: Reduction = "mean") -> Any:
    """The squared error.

    >>> mse(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
    np.float64(2.0)
    """
    return _reduced(np.square(_error("mse", prediction, target)), reduction)


def l1(prediction: Any, target: Any, reduction: Reduction = "mean") -> Any:
    """The absolute error; its gradient where there is none is 0.

    >>> l1(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
    np.float64(1.0)
    """
    return _reduced(np.abs(_error("l1", prediction, target)), reduction)


def huber(prediction: Any, target: Any, delta: float = 1.0, reduction: Reduction = "mean") -> Any:
    """Half the squared error up to `delta`, and on from there as a line (Huber, 1964, doi:10.1214/aoms/1177703732).

    >>> huber(np.array([0.5, 3.0]), np.array([0.0, 0.0]), reduction="none")
    array([0.125, 2.5  ])
    """
    error = _error("huber", prediction, target)
    near = np.clip(error, -delta, delta)
    return _reduced(near * (error - 0.5 * near), reduction)


def hinge(score: Any, sign: Any, margin: float = 1.0, reduction: Reduction = "mean") -> Any:
    """max(0, margin - sign * score), for targets of -1 and 1; at the corner the slope is half of that beside it.

    >>> hinge(np.array([2.0, -0.5]), np.array([1.0, 1.0]), reduction="none")
    array([0. , 1.5])
    """
    _check_shapes("hinge", score, sign)
    return _reduced(np.maximum(margin - sign * score, 0), reduction)


def _error(name: str, prediction: Any, target: Any) -> Any:
    _check_shapes(name, prediction, target)
    return prediction - target


def _check_shapes(name: str, prediction: Any, target: Any) -> None:
    """Refuse different shapes: (n, 1) minus (n,) would broadcast to (n, n), which nobody means."""
    if np.shape(prediction) != np.shape(target):
        raise ValueError(
            f"{name}: the prediction has shape {np.shape(prediction)}, the target {np.shape(target)}; they must agree"
        )


def _reduced(losses: Any, reduction: Reduction) -> Any:
    if reduction == "none":
        return losses
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction is 'mean', 'sum' or 'none', not {reduction!r}")
    return np.mean(losses) if reduction == "mean" else np.sum(losses)


def _gap(a: Array, b: Array) -> Array:
    """a - b in double, but 0 where they are equal, infinite ones too."""
    return np.subtract(a, b, out=np.zeros_like(a, np.float64), where=a != b, dtype=np.float64)


def _last_axis(x: Array, axis: int) -> Array:
    return x if axis in (-1, x.ndim - 1) else np.moveaxis(x, axis, -1)


def _warn_of_probabilities(z: Any, axis: int) -> None:
    """Tell of logits whose rows already sum to 1. The first row, which rarely does, is looked at first."""
    z = z._array if isinstance(z, Node) else z
    if type(z) is not np.ndarray or z.size == 0 or z.shape[axis] < 2:
        return
    rows = _last_axis(z, axis)
    first = rows[(0,) * (z.ndim - 1)].tolist()
    if min(first) < 0 or abs(sum(first) - 1) > 1e-4:
        return
    if rows.min() >= 0 and np.all(np.abs(rows.sum(axis=-1) - 1) < 1e-4):
        warnings.warn(
            "cross_entropy takes logits, but every row of z is positive and sums to 1, as after softmax.\n"
            "  It applies softmax itself: give it what went into yours.",
            stacklevel=3,
        )
