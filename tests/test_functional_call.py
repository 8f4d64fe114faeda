"""A module as a function of its parameters."""

from __future__ import annotations

import copy
import functools
import threading
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act import Tensor, nn
from tinygrad_act.nn import functional_call

x = np.random.default_rng(0).normal(size=(5, 3))


class Odd(nn.Module):
    """Parameters in containers, one module twice, an array, and a count that forward changes."""

    def __init__(self) -> None:
        self.shared = nn.Linear(3, 3, rng=np.random.default_rng(1))
        self.parts = {"twice": [self.shared, self.shared], "scale": (Tensor(np.full(3, 2.0)), None)}
        self.shift, self.calls = np.ones(3), 0

    def forward(self, x: Any) -> Any:
        self.calls += 1
        for layer in self.parts["twice"]:
            x = np.tanh(layer(x))
        return x * self.parts["scale"][0] + self.shift


class Part(nn.Module):
    """It uses what its parent has, and knows itself by a method."""

    def __init__(self, parent: Any) -> None:
        self.parents, self.weight = [parent], Tensor(np.eye(3) / 2)
        self.act = self.bent

    def bent(self, x: Any) -> Any:
        return np.tanh(x @ self.weight) * self.parents[0].scale

    def forward(self, x: Any) -> Any:
        return self.act(x) + self.parents[0].parts["shift"]


class Whole(nn.Module):
    def __init__(self) -> None:
        self.scale = Tensor(2.0)
        self.parts = {"shift": Tensor(np.ones(3)), "first": Part(self)}
        self.second = self.parts["first"]

    def forward(self, x: Any) -> Any:
        return self.second(self.parts["first"](x))


MODULES = [
    nn.Linear(3, 2, rng=np.random.default_rng(2)),
    nn.Sequential(nn.Linear(3, 4), "gelu", nn.Linear(4, 2), "softmax"),
    nn.Sequential(nn.Linear(3, 4), "prelu", nn.Maxout(4, 2, pieces=3), nn.Learned("swish_beta", features=2)),
    Odd(),
    Whole(),
    Whole().second,
]


def of(module: nn.Module) -> dict[str, Any]:
    return {name: t.data.copy() for name, t in module.named_parameters()}


@pytest.mark.parametrize("module", MODULES, ids=lambda m: type(m).__name__)
def test_a_dict_of_parameters_gives_the_gradients_of_backward(module: Any) -> None:
    module.zero_grad()
    names = [t.name for t in module.parameters()]
    loss = np.sum(module(x) ** 2)
    loss.backward()
    value, slopes = ta.value_and_grad(lambda p: np.sum(functional_call(module, p, x) ** 2))(of(module))
    assert value == loss.data
    assert type(value) is np.float64
    for name, t in module.named_parameters():
        np.testing.assert_array_equal(slopes[name], t.grad)
        assert not isinstance(slopes[name], Tensor)
    assert names == [t.name for t in module.parameters()]


def test_other_parameters_count_and_the_module_stays_as_it_is() -> None:
    module = Odd()
    before, own = of(module), dict(module.named_parameters())
    others = {name: p * 1.5 for name, p in before.items()}
    y = functional_call(module, others, x)
    assert type(y) is np.ndarray
    assert module.calls == 0
    for name, t in module.named_parameters():
        assert t is own[name]
        np.testing.assert_array_equal(t.data, before[name])
        t.data = others[name]
    np.testing.assert_array_equal(module(x).data, y)
    assert module.calls == 1


@pytest.mark.parametrize("module", MODULES, ids=lambda m: type(m).__name__)
def test_with_other_parameters_it_is_the_module_that_has_them(module: Any) -> None:
    others = {name: np.cos(p) for name, p in of(module).items()}
    y, copied = functional_call(module, others, x), copy.deepcopy(module)
    for name, t in copied.named_parameters():
        t.data = others[name]
    np.testing.assert_array_equal(copied(x).data, y)


def test_second_order_through_a_network_and_compiled() -> None:
    module = nn.Sequential(
        nn.Linear(3, 4, rng=np.random.default_rng(4)), "tanh", nn.Linear(4, 1, rng=np.random.default_rng(5))
    )
    p = of(module)

    def loss(p: Any) -> Any:
        return np.sum(functional_call(module, p, x) ** 2)

    v = {name: np.cos(a) for name, a in p.items()}
    product, h = ta.hvp(loss, p, v), ta.hessian(loss)(p)
    for name in p:
        expected = sum(np.tensordot(h[name][other], v[other], v[other].ndim) for other in p)
        np.testing.assert_allclose(product[name], expected, rtol=1e-11, atol=1e-11)
    step = ta.compile(lambda p: ta.value_and_grad(loss)(p))
    for name, g in step(p)[1].items():
        np.testing.assert_array_equal(g, ta.grad(loss)(p)[name])


def test_wrong_names_and_shapes_are_told() -> None:
    module = nn.Linear(3, 2)
    p = of(module)
    with pytest.raises(KeyError, match="no parameter 'bias' was given"):
        functional_call(module, {"weight": p["weight"]}, x)
    with pytest.raises(KeyError, match="no parameter 'wieght'; did you mean 'weight'"):
        functional_call(module, {**p, "wieght": p["weight"]}, x)
    with pytest.raises(ValueError, match=r"weight has shape \(3, 2\) in the module"):
        functional_call(module, {**p, "weight": p["weight"].T}, x)
    for wrong in ((module, list(p.values())), (ta.tanh, p)):
        with pytest.raises(TypeError, match="takes a Module and a dict of its parameters by name, not a"):
            functional_call(*wrong, x)


def test_a_parameter_of_the_module_itself_is_not_taken_for_the_one_given() -> None:
    class Holder:
        def __init__(self, module: nn.Module) -> None:
            self.module = module

        def __call__(self, x: Any) -> Any:
            return self.module(x)

    class Around(nn.Module):
        def __init__(self, way: str) -> None:
            self.inner = nn.Linear(3, 2)
            bound = functools.partial(Around.through, self)
            self.way = {"lambda": lambda x: self.inner(x), "partial": bound, "object": Holder(self.inner)}[way]

        def through(self, x: Any) -> Any:
            return self.inner(x)

        def forward(self, x: Any) -> Any:
            return {"y": [self.way(x)]}

    for way in ("lambda", "partial", "object"):
        module = Around(way)
        with pytest.raises(RuntimeError, match=r"used the module's own 'inner\.weight', and not the one"):
            functional_call(module, of(module), x)
        own = dict(module.named_parameters())
        np.testing.assert_array_equal(functional_call(module, own, x)["y"][0].data, module(x)["y"][0].data)
    module = nn.Linear(3, 3)
    given = {name: Tensor(p) for name, p in of(module).items()}
    np.testing.assert_array_equal(functional_call(module, given, module.weight).data, module(module.weight).data)


def test_threads_may_share_a_module() -> None:
    module, found = MODULES[1], {}

    def work(k: int) -> None:
        p = {name: a * k for name, a in of(module).items()}
        found[k] = [ta.grad(lambda p: np.sum(functional_call(module, p, x) ** 2))(p) for _ in range(20)]

    threads = [threading.Thread(target=work, args=(k,)) for k in (1, 2, 3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k, all_equal in found.items():
        alone = ta.grad(lambda p: np.sum(functional_call(module, p, x) ** 2))({n: a * k for n, a in of(module).items()})
        for slopes in all_equal:
            for name, g in slopes.items():
                np.testing.assert_array_equal(g, alone[name])
