"""Cheaper ways to say the same to NumPy: for small arrays, how a call is written costs as much as what it does."""

from __future__ import annotations

from typing import Any

import numpy as np

from .memory import CACHE, elementwise, takes_out
from .passes import Pass, rewritten, without_dead_calls, without_repeats
from .program import Call, Expression, Origin, Program, Target, Value, uses
from .targets import GETITEM, method_target
from .tiles import with_tiles

REDUCTIONS = {"sum": np.add, "max": np.maximum, "min": np.minimum, "prod": np.multiply}
EXTREMES = {"np.maximum": np.maximum, "np.minimum": np.minimum}


def with_ufuncs_for_methods(program: Program) -> Program:
    """`x.sum()` is Python code of NumPy's around `np.add.reduce(x)`."""

    def rewrite(call: Call) -> Call:
        ufunc = REDUCTIONS.get(call.target.name)
        if ufunc is None or call.target.kind != "method" or len(call.args) != 1:
            return call
        axis = call.kwargs.get("axis")
        kwargs = call.kwargs if "axis" in call.kwargs and axis != 0 else call.kwargs | {"axis": axis}
        if kwargs.get("axis") is None and len(call.args[0].shape) == 1:
            kwargs = kwargs | {"axis": 0}
        kwargs = {k: x for k, x in kwargs.items() if (k, x) != ("axis", 0)}
        return Call(
            Target("ufunc", f"np.{ufunc.__name__}.reduce", ufunc.reduce), call.args, kwargs, call.results, call.origin
        )

    return rewritten(program, rewrite)


def with_methods_for_products(program: Program) -> Program:
    """`a.dot(b)` says what `np.dot(a, b)` does, without the dispatch."""

    def rewrite(call: Call) -> Call:
        if call.target.name != "np.dot" or call.kwargs or not isinstance(call.args[0], Value):
            return call
        return Call(method_target("dot"), call.args, {}, call.results, call.origin)

    return rewritten(program, rewrite)


def with_two_rows_named(program: Program) -> Program:
    """The maximum of `x[0]` and `x[1]` for that over an axis of two: the loop of a reduction starts up slowly.

    Not the sum, which is 0 where `x[0] + x[1]` is -0.
    """
    calls: list[Call] = []
    for call in program.calls:
        ufunc = EXTREMES.get(call.target.name.removesuffix(".reduce"))
        x, v = call.args[0] if call.args else None, call.result
        if ufunc is not None and call.target.name.endswith(".reduce") and isinstance(x, Value) and x.shape[:1] == (2,):
            keeps = call.kwargs.get("keepdims", False)
            if x.dtype == v.dtype and len(x.shape) == 2 and not set(call.kwargs) - {"keepdims"}:
                rows = [Value((1, *x.shape[1:]) if keeps else x.shape[1:], x.dtype) for _ in range(2)]
                parts = (slice(0, 1), slice(1, 2)) if keeps else (0, 1)
                calls += [
                    Call(GETITEM, (x, i), {}, [row], call.origin, view=0) for i, row in zip(parts, rows, strict=True)
                ]
                name = f"np.{ufunc.__name__}"
                call = Call(Target("ufunc", name, ufunc), tuple(rows), {}, [v], call.origin)
        calls.append(call)
    return Program(program.inputs, program.numbers, calls, program.outputs, program.writes)


def with_clips_in_two(program: Program) -> Program:
    """The two ufuncs that `clip` is, for arrays in the cache."""
    calls = []
    for call in program.calls:
        if call.target.name == "clip" and len(call.args) == 3 and not call.kwargs and call.result.nbytes <= CACHE:
            x, low, high = call.args
            v = call.result
            bounds = all(isinstance(bound, int | float) and bound != 0 for bound in (low, high))  # or -0 might be 0
            if x.dtype == v.dtype and bounds:
                above = v.like()
                calls.append(Call(Target("ufunc", "np.maximum", np.maximum), (x, low), {}, [above], call.origin))
                call = Call(Target("ufunc", "np.minimum", np.minimum), (above, high), {}, [v], call.origin)
        calls.append(call)
    return Program(program.inputs, program.numbers, calls, program.outputs, program.writes)


def with_scalars_in_python(program: Program) -> Program:
    """Choose between two scalars by Python's `if`, and cast one by its type: NumPy takes its time for both."""

    kept = set(program.wanted()) | {call.args[0] for call in program.calls if call.target.kind == "own"}
    readers: dict[Value, list[Call]] = {}
    for call in program.calls:
        for x in call.inputs():
            readers.setdefault(x, []).append(call)
    cast = {x for x, by in readers.items() if x not in kept and all(_casts_scalar(call) for call in by)}

    def rewrite(call: Call) -> Call | Value:
        v, name = call.result, call.target.name
        if v.shape or len(call.results) > 1 or any(x.shape for x in call.inputs()):
            return call
        x = call.args[0] if call.args else None
        wide = isinstance(x, Value) and x.dtype == np.float64
        if wide and name in COMPARISONS and len(call.args) == 2 and isinstance(call.args[1], np.floating):
            return Call(call.target, (call.args[0], float(call.args[1])), {}, call.results, call.origin)
        alike = all(isinstance(y, Value) and y.dtype == v.dtype for y in call.args[1:]) and v not in kept
        doubles = v.dtype == np.float64 and all(isinstance(y, Value) or type(y) is float for y in call.args[1:])
        alike = alike or (doubles and v in cast)  # and what is cast may be a number of Python's before
        if name == "np.where" and len(call.args) == 3 and not call.kwargs and alike:
            target = Target("conditional", "if", lambda c, a, b: a if c else b)
        elif _casts_scalar(call):
            target = Target("function", f"np.{v.dtype}", v.dtype.type)
            return Call(target, call.args[:1], {}, call.results, call.origin)
        else:
            return call
        return Call(target, call.args, {}, call.results, call.origin)

    return rewritten(program, rewrite)


def _casts_scalar(call: Call) -> bool:
    """Whether it is a cast to a float type, of a scalar, that the type itself can do."""
    plain = call.target.name == "astype" and len(call.args) == 2 and not call.kwargs
    return plain and not call.result.shape and call.result.dtype.kind == "f"


def with_numbers_as_arrays(program: Program) -> Program:
    """Arrays of no dimension for the numbers in ufuncs, which NumPy would make one of at each call."""
    constants: dict[Any, Value] = {}
    calls = []

    def constant(x: Any, dtype: np.dtype[Any]) -> Value:
        key = (repr(float(x)), dtype)
        if key not in constants:
            array = np.array(x, dtype)
            array.flags.writeable = False
            constants[key] = Value((), dtype, NAMES.get(float(x), "constant"), 4, constant=array)
        return constants[key]

    for call in program.calls:
        arrays = [x for x in call.args if isinstance(x, Value)]
        plain = call.target.kind == "ufunc" and call.target.name.count(".") == 1
        if plain and arrays and max(len(x.shape) for x in arrays) and all(x.dtype == arrays[0].dtype for x in arrays):
            dtype = arrays[0].dtype
            kinds = dtype.char * len(call.args) + "->"
            loops = getattr(call.target.function, "types", ())
            alike = any(loop.startswith(kinds) for loop in loops) and call.result.dtype in (dtype, bool)
            if not alike:  # a number is of another type there
                calls.append(call)
                continue
            args = []
            for x in call.args:
                if isinstance(x, Expression) and x.weak and dtype.kind == "f":
                    v = Value((), dtype, x.source if x.source.isidentifier() else "rate", 1)
                    calls.append(Call(Target("function", "np.array", np.array), (x, dtype), {}, [v], call.origin))
                    args.append(v)
                elif dtype.kind == "f" and (
                    type(x) in (int, float) or (isinstance(x, np.generic) and x.dtype == dtype)
                ):
                    args.append(constant(x, dtype))
                elif isinstance(x, Value) and x.constant is not None and not x.shape and not x.constant.flags.writeable:
                    args.append(constant(x.constant.item(), dtype))
                else:
                    args.append(x)
            call = Call(call.target, tuple(args), call.kwargs, call.results, call.origin)
        calls.append(call)
    return Program(program.inputs, program.numbers, calls, program.outputs, program.writes)


def with_large_masks_uncast(program: Program) -> Program:
    """Multiply a large array by its mask of booleans, which NumPy casts bit by bit, rather than by a cast copy."""
    made_by = {call.result: call for call in program.calls}
    calls = []
    for call in program.calls:
        if call.target.name == "np.multiply" and all(isinstance(x, Value) for x in call.args[:2]):
            x, y = call.args[:2]
            cast = made_by.get(y)
            if (
                cast is not None
                and cast.target.name == "astype"
                and not cast.kwargs
                and call.result.nbytes >= CACHE >> 2
            ):
                mask = cast.args[0]
                if mask.dtype == bool and x.dtype == y.dtype:
                    call = Call(call.target, (x, mask), call.kwargs, call.results, call.origin)
        calls.append(call)
    return Program(program.inputs, program.numbers, calls, program.outputs, program.writes)


def with_packed_gradients(program: Program) -> Program:
    """Scale all small gradients by one call: they are made one after the other in one array."""
    made_at = {call.result: i for i, call in enumerate(program.calls) if takes_out(call) and not elementwise(call)}
    counts = uses(program)
    fixed = set(program.wanted()) | {call.args[0] for call in program.calls if call.target.kind == "update"}
    groups: dict[Any, list[int]] = {}
    for i, call in enumerate(program.calls):
        v = call.result
        scale, g = (*call.args, None, None)[:2]
        both = isinstance(scale, Value) and isinstance(g, Value)
        if call.target.name == "np.multiply" and not call.kwargs and both and g in made_at:
            alike = not scale.shape and v.order == g.order == "C" and (v.shape, v.dtype) == (g.shape, g.dtype)
            if alike and v.nbytes <= CACHE >> 4 and counts[g] == 1 and v not in fixed:
                groups.setdefault((scale, v.dtype), []).append(i)
    calls: list[Call | None] = list(program.calls)
    for (scale, _), places in groups.items():
        packed = [program.calls[i] for i in places]
        if len(packed) > 1 and all(made_at[call.args[1]] < places[0] for call in packed):
            target = Target("packed", "np.multiply", lambda c, *gs: [np.multiply(c, g) for g in gs])
            args = (scale, *(call.args[1] for call in packed))
            calls[places[0]] = Call(target, args, {}, [call.result for call in packed], Origin("update"))
            for i in places[1:]:
                calls[i] = None
    kept = [call for call in calls if call is not None]
    return Program(program.inputs, program.numbers, kept, program.outputs, program.writes)


def with_masks_early(program: Program) -> Program:
    """Compare a large array as soon as it is there, if only the comparison needs it later: a mask is smaller."""
    calls = list(program.calls)
    for call in program.calls:
        arrays = [x for x in call.args if isinstance(x, Value) and x.shape]
        alone = len(arrays) == 1 and {v for v in call.inputs() if v.constant is None} == set(arrays)
        if not elementwise(call) or call.result.dtype != bool or not alone or arrays[0].nbytes < CACHE >> 2:
            continue
        readers = [i for i, other in enumerate(calls) if other is not call and arrays[0] in other.inputs()]
        made = [i for i, other in enumerate(calls) if arrays[0] in other.results]
        if made and readers and max(readers) < calls.index(call) and arrays[0] not in program.wanted():
            calls.remove(call)
            calls.insert(made[0] + 1, call)
    return Program(program.inputs, program.numbers, calls, program.outputs, program.writes)


COMPARISONS = {"np.less", "np.less_equal", "np.greater", "np.greater_equal"}
NAMES = {0: "zero", 1: "one", -1: "minus_one", 2: "two", 0.5: "half"}
FASTER: tuple[Pass, ...] = (
    with_ufuncs_for_methods,
    with_methods_for_products,
    with_two_rows_named,
    with_clips_in_two,
    with_scalars_in_python,
    with_numbers_as_arrays,
    with_large_masks_uncast,
    without_repeats,
    without_dead_calls,
    with_masks_early,
    with_packed_gradients,
    with_tiles,
)
