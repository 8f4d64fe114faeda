"""What f, f' and f'' truly are, from tables that tests/truth/make.py computes with mpmath, and how far off we are.

A table holds, for each point, the correctly rounded value and what rounding took from it, in 1/256 of a unit in the
last place (ULP), so that errors are known to 0.004 ULP. Most points are the same for every op, and are not stored.
"""

from __future__ import annotations

import functools
import hashlib
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from samples import UNUSUAL

import tinygrad_act as ta
from tinygrad_act.op import OPS, Elementwise, Op
from tinygrad_act.ops.elementary import Ufunc

FOLDER = Path(__file__).parent / "truth"
DTYPES = (np.float32, np.float64)

# All ops of one array, but of NumPy's own only activations; and those whose other inputs are
# learned, at what these start from.
OPS_WITH_TRUTH = [op for op in OPS.values() if isinstance(op, Elementwise)]
OPS_WITH_TRUTH = [op for op in OPS_WITH_TRUTH if not isinstance(op, Ufunc) or op.name in ("exp", "arctan", "sin")]
OPS_WITH_TRUTH += [s.op for s in UNUSUAL if isinstance(s.op, Elementwise)]
OPS_WITH_TRUTH += [op for op in OPS.values() if op.learned and op.arguments == ("x", *op.learned)]


class Table(NamedTuple):
    """The points of an op in one dtype; at each the truth, rounded, and what is lacking in ULP; for f and for f'."""

    x: np.ndarray
    value: np.ndarray
    value_rest: np.ndarray
    slope: np.ndarray
    slope_rest: np.ndarray


def row(dtype: Any) -> np.dtype[Any]:
    """One point in a file: f, f', and in 1/256 ULP what the rounding of each lacks."""
    return np.dtype([("value", dtype), ("slope", dtype), ("value_rest", np.int8), ("slope_rest", np.int8)])


def spread(n: int, low: float, high: float) -> np.ndarray:
    """Numbers that fill an interval evenly and irregularly, and the same on every machine."""
    return low + (high - low) * (np.arange(1, n + 1) * 0.6180339887498949 % 1)


def shared_points(dtype: Any) -> np.ndarray:
    """Every few exponents, subnormals too, with both signs; dense around 0 and where exponentials have an end."""
    info = np.finfo(dtype)
    step, edge = (4, 110) if dtype == np.float32 else (24, 760)
    exponents = np.arange(info.minexp - info.nmant, info.maxexp, step)
    near = -30 + np.arange(72) // 2
    sizes = np.concatenate([
        np.ldexp(spread(len(exponents), 1, 2), exponents),
        np.ldexp(spread(len(near), 1, 2), near),
        [0.0, info.smallest_subnormal, 3 * float(info.smallest_subnormal), info.tiny, 1, 2, info.max, np.inf],
    ])  # fmt: skip
    return np.concatenate([sizes, -sizes, spread(120, -10, 10), spread(100, -edge, edge)]).astype(dtype)


def around(x: float, dtype: Any) -> list[Any]:
    """A number, the three floats on either side of it, and some farther off."""
    below, above = [dtype(x)], [dtype(x)]
    for _ in range(3):
        below.append(np.nextafter(below[-1], dtype(-np.inf)))
        above.append(np.nextafter(above[-1], dtype(np.inf)))
    size = max(abs(x), 0.1)
    far = [dtype(x + sign * size * step) for step in (1e-5, 1e-3, 0.03, 0.2) for sign in (-1, 1)]
    return below + above + far


def points(op: Any, dtype: Any, more: Any = ()) -> np.ndarray:
    """The points of an op, ascending: the shared ones, those around its kinks, and more, within its domain."""
    low, high = getattr(op, "domain", (-np.inf, np.inf))
    close = [p for kink in op.kinks for p in around(kink.at, dtype)]
    x = np.concatenate([shared_points(dtype), np.array(close, dtype), np.array(more, dtype)])
    x = np.unique(x + dtype(0))  # of -0.0 and 0.0 the one that unique() keeps would depend on the machine
    kept = ((x > low) | (low == -np.inf)) & ((x < high) | (high == np.inf))
    for kink in op.kinks:  # one that is no float is on neither side of the float that stands for it
        kept &= (x != dtype(kink.at)) | (float(dtype(kink.at)) == kink.at)
    return x[kept]


def bend_points(op: Any) -> np.ndarray:
    """About 100 points for f'', not on a kink: moderate ones, and some huge."""
    huge = np.array([1e3, 1e5, 1e8, 1e20, 1e30, 1e100, 1e150, 1e300])
    x = np.concatenate([spread(60, -50, 50), spread(36, -6, 6), [1e-3, -1e-3, 1e-9, -1e-9], huge, -huge])
    low, high = getattr(op, "domain", (-np.inf, np.inf))
    return np.sort(x[(x > low) & (x < high) & [all(v != k.at for k in op.kinks) for v in x]])


def words(op: Op, told: frozenset[str] = frozenset()) -> list[str]:
    """All that the truth of an op depends on: its formula and those of the ops it names, its kinks and parameters."""
    named = re.findall(r"\\mathrm\{(\w+)\}", f"{op.formula} {op.shorthand}".replace(r"\_", "_"))
    others = [OPS[name] for name in named if name in OPS and name not in {*told, op.name}]
    others += [op.surrogate] if op.surrogate else []
    kinks = [(k.at, k.chosen) for k in op.kinks]
    mine = [repr(op), op.formula, *(f"{k}: {v}" for k, v in op.shorthand.items()), repr(kinks), repr(op.learned)]
    return mine + [w for other in others for w in words(other, told | {op.name})]


def digest(op: Op) -> str:
    """A name for what a table was made from."""
    seen = hashlib.sha256("\n".join(words(op)).encode())
    for dtype in DTYPES:
        seen.update(points(op, dtype).tobytes())
    seen.update(bend_points(op).tobytes())
    return seen.hexdigest()[:16]


def file_of(op: Op) -> Path:
    """One file for the ops of one module."""
    return FOLDER / f"{type(op).__module__.rpartition('.')[2]}.npz"


@functools.cache
def read(path: Path) -> dict[str, np.ndarray]:
    if not path.exists():
        return {}
    with np.load(path) as file:
        return dict(file)


def is_current(op: Op) -> bool:
    """Is there a table of the op, of its present formula?"""
    return str(read(file_of(op)).get(f"{op!r} digest")) == digest(op)


def stored(op: Op, key: str) -> np.ndarray:
    if not is_current(op):
        raise LookupError(f"no table of what {op!r} is at present: run python tests/truth/make.py {op.name}")
    return read(file_of(op))[f"{op!r} {key}"]


def bend_table(op: Op) -> tuple[np.ndarray, np.ndarray]:
    """Points, and what f'' is there."""
    return bend_points(op), stored(op, "bend")


def table(op: Op, dtype: Any) -> Table:
    rows = stored(op, f"{np.dtype(dtype)}")
    x = points(op, dtype, stored(op, f"{np.dtype(dtype)} more"))
    most = np.finfo(dtype).max * (1 - 32 * np.finfo(dtype).eps)
    fits = ~np.isfinite(x) | (np.abs(rows["value"]) < most) & (np.abs(rows["slope"]) < most)  # the others overflow
    x, rows = x[fits], rows[fits]
    return Table(x, rows["value"], rows["value_rest"] / 256, rows["slope"], rows["slope_rest"] / 256)


def inputs(op: Op, x: np.ndarray) -> list[Any]:
    """An array, and the learned inputs as they start."""
    return [x, *(np.array(v, x.dtype) for v in op.learned.values())]


def value(op: Op, x: np.ndarray) -> np.ndarray:
    return op(*inputs(op, x))


def slope(op: Op, x: np.ndarray) -> np.ndarray:
    """f', as backward() gives it."""
    given = inputs(op, x)
    return np.broadcast_to(op.vjp(0, np.ones_like(x), op(*given), *given), x.shape)


def bend(op: Op, x: np.ndarray) -> np.ndarray:
    """f'', as gradients() of gradients() give it."""
    t = ta.Tensor(x)
    first = ta.gradients(op(t, *inputs(op, x)[1:]), t, np.ones_like(x))
    return ta.gradients(first, t, np.ones_like(x)).data


class Errors(NamedTuple):
    """How far off we are at each point. Within a quarter of a root of the truth, or of a kink that is no float, only
    the absolute error is of interest: in eps, or in eps of the greatest value there if this is greater than 1.
    """

    x: np.ndarray
    got: np.ndarray
    truth: np.ndarray
    ulp: np.ndarray
    near_root: np.ndarray
    eps: np.ndarray  # 0 elsewhere

    def worst(self, within: float = np.inf) -> float:
        """The greatest error in ULP, but near roots."""
        return float(self.ulp[~self.near_root & (np.abs(self.x) <= within)].max(initial=0))


def compare(x: np.ndarray, got: np.ndarray, truth: np.ndarray, rest: np.ndarray, places: list[float]) -> Errors:
    """In ULP of the correctly rounded result, never below the smallest subnormal. A wrong inf or nan is off by inf."""
    both, info = np.isfinite(truth) & np.isfinite(got), np.finfo(x.dtype)
    size = np.abs(np.where(both, truth, 1))
    shift = np.where(size > info.max / 2, 2, 1).astype(x.dtype)  # the greatest floats have no next one
    unit = np.spacing(size / shift) * np.longdouble(shift)
    lacking = np.subtract(got, truth, where=both, out=np.zeros(x.shape, np.longdouble), dtype=np.longdouble)
    ulp = np.abs(lacking / unit - rest)
    ulp = np.where(both, ulp, np.where((got == truth) | np.isnan(truth), 0, np.inf))  # nan: there is no limit
    near, eps = np.zeros(x.shape, bool), np.zeros(x.shape)
    for place in [*sign_changes(x, truth), *places]:
        here = zone(x, place) & np.isfinite(truth)
        scale = np.abs(truth[here]).max(initial=1)
        eps[here] = np.maximum(eps[here], (ulp * unit)[here] / (scale * info.eps))
        near |= here
    return Errors(x, got, truth, ulp.astype(float), near, eps)


def zone(x: np.ndarray, place: Any) -> np.ndarray:
    """Which points are within a quarter of a place."""
    return np.isfinite(x) & (np.abs(x / 2 - place / 2) <= 0.125 * np.abs(place))


def sign_changes(x: np.ndarray, truth: np.ndarray) -> list[Any]:
    finite = np.isfinite(truth[1:]) & np.isfinite(truth[:-1])
    jumps = np.flatnonzero(finite & (np.sign(truth[1:]) * np.sign(truth[:-1]) < 0))
    return [x[i] / 2 + x[i + 1] / 2 for i in jumps]


def errors(op: Op, dtype: Any) -> tuple[Errors, Errors]:
    """Those of f and those of f'."""
    x, *known = table(op, dtype)
    got = value(op, x), slope(op, x)
    for y in got:
        assert y.dtype == dtype, f"{op!r} of {np.dtype(dtype)} is {y.dtype}"
    rough = [k.at for k in op.kinks if float(dtype(k.at)) != k.at]
    return compare(x, got[0], *known[:2], rough), compare(x, got[1], *known[2:], [])


def worst(op: Op, dtype: Any) -> tuple[float, float]:
    """The greatest errors of f and f' in ULP, but near roots of them."""
    of_value, of_slope = errors(op, dtype)
    return of_value.worst(), of_slope.worst()
