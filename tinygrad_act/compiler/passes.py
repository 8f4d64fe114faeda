"""What makes a trace shorter. Each pass takes a program and gives one that computes the same, to the bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .memory import elementwise, viewed
from .program import RESERVED, Call, Expression, Program, Value, replace_in

CREATIONS = {"np.ones_like", "np.zeros_like", "np.full_like"}
FIXED = {"draw", "update", "own"}  # calls that are not like others with the same arguments
SMALL = 64  # elements up to which a constant is worked out beforehand

Pass = Callable[[Program], Program]


def rewritten(program: Program, rewrite: Callable[[Call], Call | Value]) -> Program:
    """The program with each call replaced by another one with the same results, or by a value there already is."""
    mapping: dict[Value, Value] = {}
    calls = []
    for call in program.calls:
        found = rewrite(call.replaced(mapping))
        if isinstance(found, Call):
            calls.append(found)
        else:
            mapping[call.result] = found
            found.name = found.name or call.result.name
    outputs = replace_in(program.outputs, mapping)
    writes = {place: mapping.get(v, v) for place, v in program.writes.items()}
    return Program(program.inputs, program.numbers, calls, outputs, writes)


def without_dead_calls(program: Program) -> Program:
    """Drop what nobody reads. A random draw stays: the next one depends on it."""
    wanted = set(program.wanted())
    calls: list[Call] = []
    for call in reversed(program.calls):
        if call.target.kind == "draw" or any(v in wanted for v in call.results):
            wanted.update(call.inputs())
            calls.append(call)
    return Program(program.inputs, program.numbers, calls[::-1], program.outputs, program.writes)


def without_repeats(program: Program) -> Program:
    """Compute once what forward and backward both ask for."""
    known: dict[Any, Call] = {}

    def rewrite(call: Call) -> Call | Value:
        if call.target.kind in FIXED or len(call.results) > 1:
            return call
        key = (call.target.kind, call.target.name, _key(call.args), _key(call.kwargs))
        return known.setdefault(key, call).result if key in known else known.setdefault(key, call)

    return rewritten(program, rewrite)


def _key(tree: Any) -> Any:
    """Something hashable that is equal for equal arguments, as they are written: 1 and 1.0 and True are not."""
    if isinstance(tree, Value):
        return id(tree)
    if isinstance(tree, tuple | list):
        return (type(tree), *map(_key, tree))
    if isinstance(tree, dict):
        return tuple((k, _key(v)) for k, v in sorted(tree.items()))
    if isinstance(tree, slice):
        return ("slice", _key(tree.start), _key(tree.stop), _key(tree.step))
    return tree.source if isinstance(tree, Expression) else repr(tree)


def with_constants_folded(program: Program) -> Program:
    """Work out beforehand what is small and the same at every run, like the 1 that a walk starts from."""
    updated = {call.args[0] for call in program.calls if call.target.kind == "update"}

    def rewrite(call: Call) -> Call | Value:
        v = call.result
        if call.target.kind in FIXED or len(call.results) > 1 or v in updated or np.prod(v.shape) > SMALL:
            return call
        if any(isinstance(leaf, Expression) for leaf in _leaves((call.args, call.kwargs))):
            return call
        if call.target.name in CREATIONS:
            shape_only = np.empty(call.args[0].shape, call.args[0].dtype)
            v.constant = call.target(shape_only, *call.args[1:], **call.kwargs)
            return v
        inputs = list(call.inputs())
        if not inputs or any(x.constant is None or x.constant.flags.writeable for x in inputs):
            return call
        known: dict[Value, Any] = {x: x.constant for x in inputs}
        args, kwargs = replace_in((call.args, call.kwargs), known)
        v.constant = np.asarray(call.target(*args, **kwargs))
        return v

    def freeze(call: Call) -> Call | Value:
        found = rewrite(call)
        if isinstance(found, Value) and found.constant is not None:
            found.constant.flags.writeable = False  # which marks it as ours: nobody can change it
        return found

    return rewritten(program, freeze)


def _leaves(tree: Any) -> list[Any]:
    if isinstance(tree, tuple | list):
        return [leaf for item in tree for leaf in _leaves(item)]
    if isinstance(tree, dict):
        return _leaves(list(tree.values()))
    if isinstance(tree, slice):
        return _leaves([tree.start, tree.stop, tree.step])
    return [tree]


def without_detours(program: Program) -> Program:
    """Leave out calls that give back what they were given: copies that nobody writes into, casts to the same dtype,
    reshapes to the same shape, a transpose of a transpose, products with 1, the sign below an absolute value."""
    made_by: dict[Value, Call] = {}
    lasting = set(program.inputs) - set(program.writes)  # whose values are still there when the program ends

    def rewrite(call: Call) -> Call | Value:
        call = made_by[call.result] = _of_what_is_broadcast(call, made_by)
        x, name, v = call.args[0] if call.args else None, call.target.name, call.result
        if call.target.kind in FIXED:
            return call
        if name == "np.multiply" and not call.kwargs and _is_one(x) and _fits(call.args[1], v):
            product: Value = call.args[1]
            return product
        if not isinstance(x, Value):
            return call
        same = _fits(x, v)
        inner = made_by.get(x)
        if call.target.kind == "getitem" and call.args[1] == () and not x.shape:
            return x
        if same and name in ("reshape", "astype", "np.broadcast_to", "squeeze") and "order" not in call.kwargs:
            return x
        if name == "copy" and v.order == x.order and ((inner is not None and viewed(inner) is None) or x in lasting):
            return x
        if same and name in ("np.multiply", "np.divide", "np.power") and not call.kwargs and _is_one(call.args[1]):
            return x
        if name == "np.absolute" and x.dtype.kind != "u" and inner is not None and inner.target.name == "np.negative":
            return Call(call.target, inner.args, call.kwargs, call.results, call.origin)
        if name == "swapaxes" and call.args[1] == call.args[2]:
            return x
        if name == "np.bitwise_and" and any(type(y) in (bool, np.bool) and not y for y in call.args):
            v.constant = np.broadcast_to(np.False_, v.shape)
            return v
        if name == "np.where" and _is_constant(x) and not np.any(x.constant) and _fits(call.args[2], v):
            otherwise: Value = call.args[2]
            return otherwise
        if inner is not None and name == inner.target.name and name in ("T", "swapaxes"):
            twice: Value = inner.args[0]
            return twice if inner.args[1:] == call.args[1:] else call
        return call

    return rewritten(program, rewrite)


def _of_what_is_broadcast(call: Call, made_by: dict[Value, Call]) -> Call:
    """The call with operands that NumPy would broadcast anyway as they are: the ones that a sum's gradient is of."""
    if not elementwise(call) or call.result.order != "C":
        return call
    mapping = {}
    for v in call.inputs():
        made = made_by.get(v)
        if made is not None and made.target.name == "np.broadcast_to":
            rest = [x.shape for x in call.inputs() if x is not v]
            if call.result.shape in rest and all(x.order == "C" for x in call.inputs() if x is not v):
                mapping[v] = made.args[0]
    return call.replaced(mapping) if len(mapping) == 1 else call


def _is_one(x: Any) -> bool:
    if isinstance(x, Value):
        return _is_constant(x) and bool((np.asarray(x.constant) == 1).all())
    return isinstance(x, int | float) and x == 1


def _is_constant(x: Value) -> bool:
    """Whether a value is a constant that nobody can change."""
    return x.constant is not None and not x.constant.flags.writeable


def _fits(x: Any, v: Value) -> bool:
    return isinstance(x, Value) and (x.shape, x.dtype, x.order) == (v.shape, v.dtype, v.order)


EXACT: tuple[Pass, ...] = (
    without_dead_calls,
    with_constants_folded,
    without_detours,
    without_repeats,
    without_dead_calls,
)


def needed(program: Program) -> Program:
    """Ask only for what is read or written, by names that the source does not use itself."""
    read = {v for call in program.calls for v in call.inputs()} | set(program.wanted()) | set(program.writes)
    text = repr([(call.args, call.kwargs) for call in program.calls] + [program.outputs])
    inputs = [v for v in program.inputs if v in read]
    numbers = [n for n in program.numbers if n in text]
    for v in inputs:
        v.name += "_" * (v.name in RESERVED)
    return Program(inputs, numbers, program.calls, program.outputs, program.writes)


def shortened(program: Program, passes: tuple[Pass, ...] = EXACT) -> Program:
    """The program after all passes."""
    for each in passes:
        program = each(program)
    return program
