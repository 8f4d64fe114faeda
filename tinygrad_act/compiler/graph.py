"""The backward pass of a graph that already exists, as NumPy source."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff import toposort
from ..op import Node
from ..tensor import Tensor
from .passes import EXACT, shortened
from .program import Program, Value
from .source import Writer
from .state import State
from .trace import Trace, run


def backward_source(loss: Tensor) -> str:
    '''What `loss.backward()` does, as the NumPy program that one would write by hand for this very graph.

    It is a function of the leaves, by their names, and returns the loss and its gradients. No gradient changes.

    >>> w = Tensor([1.0, 2.0], name="w")
    >>> print(backward_source(np.sum(np.exp(w * w))))
    """The loss and its gradients, as plain NumPy."""
    <BLANKLINE>
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    def loss_and_gradients(w):
        # forward
        # multiply: a b
        multiply = w * w  # (2,)
        # exp: e^x
        exp = np.exp(multiply)  # (2,)
        # sum: Σ_i x_i
        sum_ = exp.sum()
    <BLANKLINE>
        # backward
        # multiply, rule for a: ȳ b
        d_w_from_multiply = exp * w  # (2,)
        d_w = d_w_from_multiply + d_w_from_multiply  # (2,)
        return sum_, d_w
    <BLANKLINE>
    '''
    trace = Trace()
    state = State(trace)
    inputs: list[Value] = []
    again: dict[int, Any] = {}  # by id, what stands for an array or a node

    def standin(x: Any, name: str) -> Any:
        """What takes the place of an input of an op."""
        array = x._array if isinstance(x, Node) else x
        if id(x) not in again and isinstance(array, np.ndarray):
            inputs.append(Value(array.shape, array.dtype, state.unique(getattr(x, "name", None) or name), 4))
            tracer: Any = trace.tracer(array.copy(), inputs[-1])
            again[id(x)] = Tensor(tracer, x.requires_grad, inputs[-1].name) if isinstance(x, Node) else tracer
            if isinstance(x, Node):
                again[id(x)]._array = tracer
        return again.get(id(x), x)

    def walk_again() -> Any:
        leaves = []
        for node in reversed(toposort(loss)):
            if node.op is None:
                leaves.append(standin(node, "w"))
                continue
            names = node.op.arguments * (len(node.inputs) if node.op.variadic else 1)
            result = node.op(*(standin(x, name) for x, name in zip(node.inputs, names, strict=True)))
            again[id(node)] = result
            if node.name:
                trace.name_it(result, node.name, 3)
        again[id(loss)].backward()
        return leaves

    leaves: list[Any] = run(walk_again, (), {})
    for leaf in leaves:
        trace.name_it(leaf.grad, f"d_{leaf.name}", 4)
    trace.name_results()
    trace.open = False
    gradients = [leaf.grad.value for leaf in leaves]
    program = shortened(Program(inputs, [], trace.calls, (again[id(loss)]._array.value, gradients), {}), EXACT)
    return Writer(program, "teaching", "loss_and_gradients").file("The loss and its gradients, as plain NumPy.")
