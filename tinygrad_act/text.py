"""What the engine says: a Tensor in short, and its refusals, which tell what happened and what to write instead."""

from __future__ import annotations

import difflib
import sys
from typing import Any

import numpy as np


def in_short(t: Any) -> str:
    """The repr of a Tensor: its values, cut when they are many, and what is not as usual about it."""
    facts = [
        np.array2string(t.data, separator=", ", prefix="Tensor(", threshold=100, edgeitems=3),
        f"shape={t.shape}" if t.size > 100 or t.size == 0 else "",
        f"dtype={t.dtype}" if t.dtype != np.float64 else "",
        f"name={t.name!r}" if t.name else "",
        f"from {t.op.name}" if t.op else "",
        "" if t.requires_grad else "requires_grad=False",
    ]
    return f"Tensor({', '.join(filter(None, facts))})"


def _name(node: Any) -> str:
    origin = f"a result of {node.op.name}" if node.op else "a Tensor"
    return f"{node.name or origin} (shape {node.shape})"


def plain(data: Any, op: Any) -> Any:
    """A result that is a number, as an array. TypeError for what is none, and arrays with other rules of arithmetic."""
    if isinstance(data, np.generic):
        return np.asarray(data)
    if not hasattr(data, "dtype") or hasattr(data, "requires_grad"):
        kind = type(data).__name__
        raise TypeError(f"the forward of {op.name} returned a {kind}; it is given arrays, and is to return an array")
    if isinstance(data, np.matrix | np.ma.MaskedArray):
        kind = "matrix" if isinstance(data, np.matrix) else "masked array"
        raise TypeError(
            f"{op.name} of a Tensor and a NumPy {kind}, whose rules of arithmetic are others.\n"
            "  Write np.asarray(m) for a matrix, and np.where(mask, 0.0, t) for what is masked."
        )
    return data


def no_rule_for_input(op: Any, argument: str) -> TypeError:
    return TypeError(
        f"{op.name} has no rule for its input {argument!r}, so no gradient can flow into it.\n"
        f"  Pass a constant ({argument}.detach()), or give {type(op).__name__} a vjp_{argument}."
        + " A derivative alone is enough for an Elementwise op."
        * hasattr(op, "derivative")
    )


def cannot_register(op: Any, there: Any) -> Exception | None:
    kind, other = type(op), type(there)
    if isinstance(op, type):
        return TypeError(f"register() takes an op, not its class: write register({op.__name__}())")
    if kind.__hash__ is None:
        return TypeError(
            f"the fields of an op do not change: write @dataclass(frozen=True) above class {kind.__name__}"
        )
    if there is None or (kind.__module__, kind.__qualname__) == (other.__module__, other.__qualname__):
        return None
    return ValueError(
        f"there is an op {op.name!r} already, {other.__module__}.{other.__qualname__}.\n"
        "  Give yours another name: that of its class, or name = '...' in it."
    )


def rules_do_not_fit(op: Any, stray: list[str]) -> TypeError:
    what = f"no input for vjp_{stray[0]}" if stray else "one derivative, which is for one input"
    return TypeError(
        f"{op.__name__} has {what}; forward has the inputs {', '.join(op.arguments)}, each with a vjp_<input>"
    )


def wrong_cotangent(op: Any, i: int, given: Any, like: Any) -> Exception:
    argument = op.arguments[0 if op.variadic else i]
    expected = f"to an input of shape {like.shape}: its rule for {argument!r} is to give an array like that"
    if not hasattr(given, "shape"):
        return TypeError(f"{op} gave a {type(given).__name__} {expected}")
    return ValueError(f"{op} gave a cotangent of shape {given.shape} {expected}")


def spelled(function: Any) -> str:
    """A function of NumPy's as people write it."""
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    if isinstance(owner, np.ufunc):  # of which it is a method
        return f"{spelled(owner)}.{name}"
    for path, room in {"np": np, "np.linalg": np.linalg, "np.fft": np.fft, "np.emath": np.emath}.items():
        if getattr(room, name, None) is function:
            return f"{path}.{name}"
    if isinstance(function, np.ufunc):
        return f"the ufunc {name}"
    module = (getattr(function, "__module__", None) or "numpy").replace("numpy", "np", 1)
    return f"{module}.{getattr(function, '__qualname__', getattr(function, '__name__', function))}"


NOT_FOR_TENSORS = {  # what NumPy's functions can be asked for, and Tensors cannot; and what to write instead
    "out": "an array cannot carry the gradient. Write y = ... for a new Tensor",
    "dtype": "write np.astype(t, dtype) before or after",
    "casting": "write np.astype(t, dtype) before or after",
    "signature": "write np.astype(t, dtype) before or after",
    "order": "a Tensor has no order of memory to choose",
    "subok": "there are no subclasses of Tensor to keep",
    "copy": "leave it out, and write np.copy(t) for memory of its own",
    "like": "the result is a Tensor as it is",
    "device": "a Tensor is in the memory of the computer",
    "overwrite_input": "a Tensor is never written to",
    "weights": "there is no rule for them. np.average has weights",
    "where": "there is no rule for it. Choose with np.where(mask, t, what changes nothing)",
    "axes": "move them with np.moveaxis before and after",
    "axis": "move it with np.moveaxis before and after",
    "keepdims": "write np.expand_dims(t, axis) after",
}


def not_for_tensors(function: str, parameter: str) -> TypeError:
    return TypeError(
        f"{function}({parameter}=...) cannot be used on Tensors: {NOT_FOR_TENSORS.get(parameter, 'leave it out')}"
    )


def wrong_call(op: Any, given: Any, error: TypeError) -> TypeError:
    """A call that does not fit the op; where NumPy has a parameter that it has not, with what to write instead."""
    asked = [name for name in given if name in NOT_FOR_TENSORS and name not in op.__signature__.parameters]
    return not_for_tensors(op.name, asked[0]) if asked else TypeError(f"{op.name}{op.__signature__}: {error}")


def no_rule_for_function(function: Any, known: Any = ()) -> TypeError:
    name = spelled(function)
    near = difflib.get_close_matches(name, sorted({spelled(f) for f in known}), cutoff=0.75)
    return TypeError(
        f"{name} has no derivative rule here, so it cannot be applied to a Tensor.\n  Use t.data if its result is a "
        f"constant, or write an Op with a rule for it (see CONTRIBUTING).{' Near: ' * bool(near)}{', '.join(near)}"
    )


def refused_function(function: Any, instead: str) -> TypeError:
    return TypeError(f"{spelled(function)} is not for a Tensor.\n  {instead}")


def cause_of(error: Exception) -> BaseException | None:
    """What caused the error that `forward_failed` makes of this one: this one, unless it goes on as it is.

    An error that were its own cause would be a cycle, and keep all arrays of the call.
    """
    is_retold = type(error) in (ValueError, TypeError, IndexError)  # others have constructors of their own
    return error if is_retold else error.__cause__


def forward_failed(error: Exception, op: Any, inputs: tuple[Any, ...]) -> Exception:
    """The error of an op's forward, with what the op was given."""

    def describe(x: Any) -> str:
        name = f"{x.name} " if getattr(x, "name", None) else ""
        return f"{name}{x.shape} {x.dtype}" if hasattr(x, "dtype") else repr(x)

    names = op.arguments * len(inputs) if op.variadic else op.arguments
    given = "".join(f"\n  {name}: {describe(x)}" for name, x in zip(names, inputs, strict=False))
    told: Any = error
    if cause_of(error) is error:
        told = type(error)(f"{op.name}: {error}{given}")
    else:
        error.add_note(f"in {op.name} of{given}")
    told.failed_call = op, inputs  # to be drawn
    failure: Exception = told
    return failure


def no_real_numbers(op: Any, dtype: Any) -> TypeError:
    return TypeError(f"{op.name} is a function of real numbers, and was given an array of {dtype}")


def not_differentiable(what: str, kind: str) -> TypeError:
    held = {"i": "integers", "u": "integers", "b": "booleans", "c": "complex numbers"}.get(kind, "Python objects")
    return TypeError(
        f"{what} holds {held}, through which no gradient can flow.\n"
        "  Write floats (1.0, or dtype=float), np.stack([...]) to join Tensors, or requires_grad=False for a constant."
    )


def only_jumps(what: str, constant: str) -> TypeError:
    return TypeError(f"{what} only jumps, so no gradient can flow through it.\n  Write {constant} for a constant.")


def nothing_to_differentiate(node: Any) -> RuntimeError:
    return RuntimeError(
        f"backward() on {_name(node)}, which does not require a gradient: nothing it was made from does,\n"
        "  or it was made under no_grad() or by detach(). Give a leaf requires_grad=True and compute it again."
    )


def needs_a_seed(node: Any) -> ValueError:
    return ValueError(
        f"{_name(node)} is not a scalar, so its gradient needs a seed.\n"
        "  Write y.sum().backward() for the gradient of the sum, or y.backward(seed) with an array of its shape, the\n"
        "  cotangent of y."
    )


def seed_does_not_fit(node: Any, shape: tuple[int, ...]) -> ValueError:
    return ValueError(f"the seed has shape {shape}, but it is the cotangent of {_name(node)}, and takes the same shape")


def not_a_variable(x: Any) -> TypeError:
    what = f"{_name(x)}, which does not require a gradient" if hasattr(x, "requires_grad") else f"a {type(x).__name__}"
    return TypeError(f"gradients() differentiates with respect to Tensors that require a gradient, not to {what}")


def stale(node: Any, op: Any) -> RuntimeError:
    return RuntimeError(
        f"{_name(node)} changed after {op.name} used it, so the recorded graph no longer fits its data.\n"
        "  Compute the result again from the new data, then call backward() on that."
    )


def only_leaves_change(node: Any) -> RuntimeError:
    return RuntimeError(
        f"{_name(node)} was computed; only a leaf can be given other data. Use t.detach() for a leaf of it."
    )


def only_leaves_travel(node: Any) -> TypeError:
    return TypeError(f"{_name(node)} is part of a graph, which cannot be pickled or copied: take t.detach()")


def in_place_operator(node: Any) -> TypeError:
    return TypeError(
        f"an in-place operator (t += ...) would change {_name(node)} under its graph.\n"
        "  Write t = t + ... for a new Tensor, or t.data += ... to update a parameter between graphs."
    )


def in_place_assignment(node: Any) -> TypeError:
    return TypeError(
        f"t[...] = value would change {_name(node)} under its graph.\n"
        "  Write t = np.where(mask, value, t) or np.concatenate([...]) for a new Tensor.\n"
        "  To change a leaf between graphs: new = t.data.copy(); new[...] = value; t.data = new"
    )


def array_in_place(ufunc: Any) -> TypeError:
    return TypeError(
        f"np.{ufunc.__name__} cannot write a Tensor into a plain array (out=, or array += tensor): the array cannot\n"
        "  carry the gradient. Write a new value: a = a + t."
    )


INSTEAD_OF_SCIPY = {  # functions of scipy.special that are Python's, and make arrays of what they are given
    "logsumexp": "ta.logsumexp(t, axis), or ta.logsumexp(np.ravel(t)) of all",
    "softmax": "ta.softmax(t, axis)",
    "log_softmax": "ta.log_softmax(t, axis)",
    "polygamma": "(-1.0) ** (n + 1) * special.gamma(n + 1) * special.zeta(n + 1, t)",
    "multigammaln": "d * (d - 1) / 4 * np.log(np.pi) + sum(special.gammaln(t - k / 2) for k in range(d))",
    "factorial": "special.gamma(t + 1)",
    "comb": "special.binom(n, k)",
    "perm": "special.poch(n - k + 1, k)",
    "diric": "np.sin(n * t / 2) / (n * np.sin(t / 2))",
}


def array_would_drop_gradient(node: Any) -> TypeError:
    frame, functions = sys._getframe(1), []
    while frame.f_back:
        functions += [frame.f_code.co_name] * frame.f_globals.get("__name__", "").startswith("scipy.special")
        frame = frame.f_back
    for name in functions:
        if name in INSTEAD_OF_SCIPY:
            return TypeError(
                f"scipy.special.{name} makes an array of {_name(node)}, and would drop its gradient.\n"
                f"  Write {INSTEAD_OF_SCIPY[name]}."
            )
    return TypeError(
        f"np.asarray(t) would drop the gradient of {_name(node)}.\n"
        "  Use t.data for the array, t.detach() for a constant, np.stack([...]) to join Tensors, or a tinygrad_act or\n"
        "  NumPy function to keep differentiating."
    )


def no_such_attribute(node: Any, name: str) -> AttributeError:
    if not hasattr(np.ndarray, name) or name.startswith("_"):
        return AttributeError(f"a Tensor has no attribute {name!r}")
    return AttributeError(f"a Tensor has no {name!r}, which is about the memory of an array: write t.data.{name}")


def method_in_place(node: Any, name: str, instead: str) -> TypeError:
    return TypeError(f"t.{name}() would change {_name(node)} under its graph.\n  Write {instead}.")


def ambiguous_truth(node: Any) -> ValueError:
    return ValueError(
        f"the truth of {_name(node)} is ambiguous: it has more than one element, or none.\n"
        "  Write if (t > 0).all(): or .any(), or np.where(t > 0, a, b) to choose element by element."
    )


def not_one_element(node: Any) -> ValueError:
    return ValueError(
        f"only one element can become a number, and {_name(node)} has another size: reduce it, or use t.data.tolist()"
    )
