"""Hooks of Tensors and of modules."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import weakref
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act import Tensor, nn
from tinygrad_act.hooks import HOOKED, around


def test_a_hook_sees_the_whole_gradient_once() -> None:
    x = Tensor([1.0, 2.0])
    h = 3 * x
    seen: list[Any] = []
    h.register_hook(lambda g: seen.append(g.copy()))
    (h.sum() + (h * h).sum()).backward()
    np.testing.assert_array_equal(seen, [[7.0, 13.0]])
    np.testing.assert_array_equal(x.grad, [21.0, 39.0])


def test_what_hooks_return_replaces_the_gradient_in_their_order() -> None:
    x = Tensor([1.0, 2.0])
    h = 3 * x
    h.register_hook(lambda g: g + 1)
    h.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: -g)
    (h * 2).sum().backward()
    np.testing.assert_array_equal(h.grad, [30.0, 30.0])
    np.testing.assert_array_equal(x.grad, [-90.0, -90.0])
    h2 = 1 * x
    h2.sum().backward()
    np.testing.assert_array_equal(x.grad, [-91.0, -91.0])


def test_like_torch() -> None:
    torch = pytest.importorskip("torch")
    x, t = Tensor([1.0, 2.0]), torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    for v, y in ((x, x * x), (t, t * t)):
        v.register_hook(lambda g: g * 2)
        y.register_hook(lambda g: g + 1)
        (y * y + v).sum().backward()
    np.testing.assert_array_equal(x.grad, t.grad.numpy())


def test_gradients_pass_hooks_as_tensors_and_to_any_order() -> None:
    x = Tensor(2.0)
    h = x * x
    with h.register_hook(lambda g: g * g):
        first = ta.gradients(h**2, x)
    assert first.item() == 256.0  # (2 h)² 2 x = 8 x⁵
    assert ta.gradients(first, x).item() == 640.0  # 40 x⁴


@pytest.mark.parametrize("wrap", [ta.checkpoint, lambda f: ta.checkpoint(ta.checkpoint(f))], ids=["once", "nested"])
def test_a_hook_sees_the_whole_gradient_through_a_checkpoint(wrap: Any) -> None:
    """Of what it is given, of what it uses besides, and of what is made within, which is made again."""
    found = []
    for through in (lambda f: f, wrap):
        w, x, seen = Tensor([1.0, 2.0]), Tensor([3.0, 4.0]), []
        b = 2 * w

        def f(x: Any, w: Any = w, b: Any = b, seen: Any = seen) -> Any:
            h = w * x
            if h.requires_grad:
                h.register_hook(lambda g: 7 * g)
            return h + b * x

        for k, t in enumerate((w, x, b)):
            t.register_hook(lambda g, k=k, seen=seen: (seen.append(k), (k + 2) * g)[1])
        y = through(f)(x)
        y.register_hook(lambda g: 5 * g)
        (y.sum() + w.sum()).backward()
        found.append((w.grad.tolist(), x.grad.tolist(), b.grad.tolist(), sorted(seen)))
    assert found[1] == found[0]


def test_the_root_has_hooks_too() -> None:
    x = Tensor(2.0)
    y = 3 * x
    y.register_hook(lambda g: g * 5)
    y.backward()
    assert x.grad == 15.0


def test_removed_hooks_are_not_called() -> None:
    x = Tensor(2.0)
    handle = x.register_hook(lambda g: g * 5)
    with x.register_hook(lambda g: g + 1):
        (1 * x).backward()
    assert x.grad == 6.0
    handle.remove()
    handle.remove()
    x.zero_grad()
    (1 * x).backward()
    assert x.grad == 1.0


@pytest.mark.parametrize(
    "returned",
    [np.ones(3), np.ones(2, np.float32), 1.0, Tensor([1.0, 2.0])],
    ids=["shape", "dtype", "number", "Tensor"],
)
def test_a_hook_returns_the_like_of_what_it_is_given(returned: Any) -> None:
    x = Tensor([1.0, 2.0])

    def halved(g: Any) -> Any:
        return returned

    x.register_hook(halved)
    with pytest.raises(ValueError, match=r"the hook halved was given a gradient, ndarray \(2,\) float64, and returned"):
        (2 * x).sum().backward()


def test_gradients_are_shared_so_a_hook_cannot_write_to_them() -> None:
    x = Tensor([1.0, 2.0])

    def write(g: Any) -> None:
        g[0] = 5.0

    with x.register_hook(write), pytest.raises(ValueError, match="read-only"):
        (2 * x).sum().backward()
    mine = np.ones(2)
    x.register_hook(lambda g: mine)
    (2 * x).sum().backward()
    x.grad[0] = 5.0
    assert mine[0] == 1.0
    x.register_hook(lambda g: g)
    (2 * x).sum().backward()
    assert x.grad.flags.writeable


def test_a_constant_has_no_hooks() -> None:
    with pytest.raises(RuntimeError, match="requires no gradient"):
        Tensor(1.0, requires_grad=False).register_hook(print)


def test_hooks_go_with_their_tensor() -> None:
    x = Tensor([1.0])
    y = x * 2
    y.register_hook(lambda g, y=y: None)  # a cycle
    gone, number = weakref.ref(y), id(y)
    assert number in HOOKED
    assert not hasattr(copy.copy(x), "hooks")
    del y
    gc.collect()
    assert gone() is None
    assert number not in HOOKED


def test_hooks_of_parameters_run_in_a_compiled_step() -> None:
    w = Tensor([1.0, 2.0])
    w.register_hook(lambda g: np.clip(g, -1, 1))

    @ta.compile
    def step(x: Any) -> Any:
        loss = np.sum(w * x)
        loss.backward()
        w.data -= w.grad
        w.zero_grad()
        return loss

    step(np.array([10.0, 0.5]))
    np.testing.assert_array_equal(w.data, [0.0, 1.5])
    step(np.array([-10.0, 0.5]))
    np.testing.assert_array_equal(w.data, [1.0, 1.0])


class Clip:
    """A hook that reads something."""

    def __init__(self, limit: float) -> None:
        self.limit = limit

    def __call__(self, g: Any) -> Any:
        return np.clip(g, -self.limit, self.limit)


def registered_later(w: Tensor) -> list[Any]:
    return [lambda: None, lambda: w.register_hook(Clip(1.0))]


def removed_later(w: Tensor) -> list[Any]:
    handle = w.register_hook(Clip(1.0))
    return [lambda: None, handle.remove]


def come_and_gone(w: Tensor) -> list[Any]:
    handles: list[Any] = []
    return [lambda: handles.append(w.register_hook(Clip(1.0))), lambda: handles[0].remove(), lambda: None]


def another_one(w: Tensor) -> list[Any]:
    w.register_hook(Clip(1.0))
    return [lambda: None, lambda: w.register_hook(lambda g: 2 * g)]


def with_another_limit(w: Tensor) -> list[Any]:
    clip = Clip(1.0)
    w.register_hook(clip)
    return [lambda: None, lambda: setattr(clip, "limit", 2.0)]


def with_another_limit_in_its_closure(w: Tensor) -> list[Any]:
    limits = {"of g": 1.0}
    w.register_hook(lambda g: np.clip(g, -limits["of g"], limits["of g"]))
    return [lambda: None, lambda: limits.update({"of g": 2.0})]


@pytest.mark.parametrize(
    "changes",
    [
        registered_later,
        removed_later,
        come_and_gone,
        another_one,
        with_another_limit,
        with_another_limit_in_its_closure,
    ],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize("given", [False, True], ids=["held", "given"])
def test_a_compiled_step_heeds_what_becomes_of_hooks(changes: Any, given: bool) -> None:
    """Of a Tensor that the step holds, and of one that it is given."""
    found = []
    for wrap in (lambda f: f, ta.compile):
        w = Tensor([1.0, 2.0])

        def step(t: Any, x: Any, w: Any = w) -> Any:
            return ta.gradients(np.sum((t if given else w) * x), t if given else w)

        compiled, results = wrap(step), []
        for change in changes(w):
            change()
            results.append(np.asarray(compiled(w, np.array([10.0, 0.5]))))
        found.append(results)
    np.testing.assert_array_equal(found[1], found[0])


def test_another_tensor_that_is_given_has_hooks_of_its_own() -> None:
    step = ta.compile(lambda t, x: ta.gradients(np.sum(t * x), t))
    plain, hooked, x = Tensor([1.0, 2.0]), Tensor([1.0, 2.0]), np.array([10.0, 0.5])
    hooked.register_hook(lambda g: 3 * g)
    for _ in range(2):
        np.testing.assert_array_equal(step(plain, x), x)
        np.testing.assert_array_equal(step(hooked, x), 3 * x)
    assert len(step.variants) == 2


def test_hooks_of_others_do_not_matter_to_a_compiled_step() -> None:
    w, other = Tensor([1.0, 2.0]), Tensor([1.0, 2.0])
    step = ta.compile(lambda x: ta.gradients(np.sum(w * x), w))
    step(np.ones(2))
    other.register_hook(lambda g: 3 * g)
    np.testing.assert_array_equal(step(np.ones(2)), np.ones(2))
    assert len(step.variants) == 1


def test_a_hook_that_remembers_cannot_be_compiled() -> None:
    w, seen = Tensor([1.0, 2.0]), []
    w.register_hook(lambda g: seen.append(g))
    with pytest.raises(TypeError, match="changes how much seen holds"):
        ta.compile(lambda x: ta.gradients(np.sum(w * x), w))(np.ones(2))


@pytest.mark.parametrize("inner", [False, True], ids=["whole", "part"])
def test_a_compiled_step_heeds_what_becomes_of_forward_hooks(inner: bool) -> None:
    model = nn.Sequential(nn.Linear(2, 2, rng=np.random.default_rng(0)), ta.tanh)
    module, limits, x = model[0] if inner else model, {"of y": 1.0}, np.ones((3, 2))
    step = ta.compile(lambda x: model(x))

    def both() -> None:
        np.testing.assert_array_equal(step(x), model(x).data)

    both()
    handle = module.register_forward_hook(lambda module, inputs, output: output + limits["of y"])
    both()
    limits["of y"] = 5.0
    both()
    module.register_forward_hook(lambda module, inputs, output: 2 * output)
    both()
    handle.remove()
    both()


def test_forward_hooks_see_the_call_and_may_replace_its_output() -> None:
    layer = nn.Linear(2, 3)
    seen: list[Any] = []
    x = np.ones((4, 2))
    handle = layer.register_forward_hook(lambda *args: seen.append(args))
    layer.register_forward_hook(lambda module, inputs, output: output * 0)
    layer.register_forward_hook(lambda module, inputs, output: output + 1)
    y = nn.Sequential(layer, ta.relu)(x)
    np.testing.assert_array_equal(y.data, np.ones((4, 3)))
    (module, inputs, output) = seen[0]
    assert module is layer
    assert inputs[0] is x
    assert output.op.name == "affine"
    handle.remove()
    layer(x)
    assert len(seen) == 1


def test_forward_hooks_are_no_part_of_the_network() -> None:
    model = nn.Sequential(nn.Linear(2, 3), ta.relu)
    plain = repr(model), len(model.parameters()), len(list(model.modules()))
    model.register_forward_hook(lambda module, inputs, output: output * 0)
    model[0].register_forward_hook(nn.Linear(3, 3))
    assert (repr(model), len(model.parameters()), len(list(model.modules()))) == plain
    x = np.ones((4, 2))
    for other in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        other.layers = (nn.Linear(2, 3), ta.sigmoid)
        assert other(x).data.all()


def test_forward_hooks_are_traced() -> None:
    layer = nn.Linear(2, 3)
    layer.register_forward_hook(lambda module, inputs, output: output * 0 + inputs[0].sum())
    step = ta.compile(lambda x: layer(x))
    np.testing.assert_array_equal(step(np.ones((4, 2))), np.full((4, 3), 8.0))
    np.testing.assert_array_equal(step(2 * np.ones((4, 2))), np.full((4, 3), 16.0))


def test_hooks_are_named_where_their_gradient_is_not_finite() -> None:
    x = Tensor([1.0], name="x")
    x.register_hook(lambda g: g * np.nan)
    with pytest.raises(FloatingPointError, match=r"gradient of x \(a leaf\) is not finite[\s\S]*of a hook"), ta.debug():
        (2 * x).sum().backward()


class Owner:
    @staticmethod
    def f(x: int) -> int:
        return 10 * x


def test_what_is_around_a_function_nests_and_leaves_nothing_behind() -> None:
    plain = vars(Owner)["f"]
    with around(Owner, "f", lambda f, x: f(x) + 1):
        with around(Owner, "f", lambda f, x: -f(x)):
            assert Owner.f(2) == -21
        with pytest.raises(ZeroDivisionError), around(Owner, "f", lambda f, x: f(x) // 0):
            Owner.f(0)
        assert Owner.f(2) == 21
    assert vars(Owner)["f"] is plain


def test_what_is_around_a_function_may_be_taken_away_in_any_order() -> None:
    plain = vars(Owner)["f"]
    one, two = around(Owner, "f", lambda f, x: f(x) + 1), around(Owner, "f", lambda f, x: -f(x))
    one.__enter__()
    two.__enter__()
    one.__exit__(None, None, None)
    assert Owner.f(2) == -20
    two.__exit__(None, None, None)
    assert vars(Owner)["f"] is plain


def test_what_is_around_a_function_is_so_in_its_own_thread_only() -> None:
    found: list[int] = []
    with around(Owner, "f", lambda f, x: f(x) + 1):
        thread = threading.Thread(target=lambda: found.append(Owner.f(2)))
        thread.start()
        thread.join()
    assert found == [20]
