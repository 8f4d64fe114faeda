"""What ta.debug finds, and what it says of it."""

from __future__ import annotations

import gc
import inspect
import linecache
import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act import Tensor, autodiff, nn
from tinygrad_act.debugging import ChangedInPlaceError, NotFiniteError
from tinygrad_act.debugging.changes import _prints
from tinygrad_act.debugging.watch import _places
from tinygrad_act.transforms import linear


def said_by(f: Callable[[], Any], kind: type[Exception] = NotFiniteError) -> str:
    with (
        np.errstate(all="ignore"),
        pytest.raises(kind) as caught,
        ta.debug(),
    ):  # NumPy's own warnings are another matter
        f()
    return str(caught.value)


def power_of_large() -> Any:
    return Tensor([[1.0, 2.0], [3.0, 1e200]], name="p", dtype=np.float64) ** 2


def test_names_the_op_the_index_the_numbers_the_line_and_the_cure() -> None:
    said = said_by(power_of_large)
    assert "power gives inf at index [1, 1], forward" in said
    assert 'return Tensor([[1.0, 2.0], [3.0, 1e200]], name="p", dtype=np.float64) ** 2' in said
    assert f"{__file__}, line {power_of_large.__code__.co_firstlineno + 1}" in said
    assert "= p (a leaf): 2×2 float64, 1 … 1e200; there it is 1e200" in said
    assert "result: 2×2 float64, 1 … 9, 1 of 4 inf" in said
    assert "Cure: float64 ends at 1.8e308: scale down" in said


def test_log_of_zero_is_to_blame() -> None:
    said = said_by(lambda: np.log(Tensor([0.0, 1.0])))
    assert "log gives -inf at index [0]" in said
    assert "cross_entropy on the logits" in said


CURES: dict[str, tuple[Callable[[], Any], str]] = {
    "log of 0": (lambda: np.log(Tensor([0.0])), "bce_with_logits"),
    "log of a negative number": (lambda: np.log(Tensor([1.0, -2.0])), "of positive numbers"),
    "sqrt of a negative number": (lambda: np.sqrt(Tensor([1.0, -2.0])), "np.sqrt(np.maximum(x, 0) + 1e-12)"),
    "slope of sqrt": (lambda: np.sqrt(Tensor(0.0)).backward(), "np.sqrt(x + 1e-12)"),
    "root of a negative number": (lambda: Tensor([-8.0]) ** (1 / 3), "whole powers only"),
    "slope of a root": (lambda: (Tensor([0.0]) ** 0.5).sum().backward(), "keep away from 0"),
    "0 / 0": (lambda: Tensor([0.0]) / np.array([0.0]), "a / (b + 1e-12)"),
    "1 / 0": (lambda: Tensor([1.0]) / 0.0, "a / (b + 1e-12)"),
    "too large": (lambda: Tensor([1e200]) * 1e200, "float64 ends at 1.8e308: scale down"),
    "too large for halves": (
        lambda: Tensor(np.float16([300.0])) ** 2,
        "float16 ends at 6.6e4: scale down what it is given, ",
    ),
    "exp": (lambda: np.exp(Tensor(np.float32([100.0]))), "float32 ends at 3.4e38: subtract the maximum first"),
    "weights": (lambda: Tensor([[1e200]]) @ np.array([[1e200]]), "scale the weights"),
    "arcsin": (lambda: np.arcsin(Tensor([1.5])), "np.arcsin(np.clip(x, -1 + 1e-7, 1 - 1e-7))"),
    "slope of arcsin": (lambda: np.arcsin(Tensor(1.0)).backward(), "np.arcsin(np.clip(x, -1 + 1e-7, 1 - 1e-7))"),
    "arccosh": (lambda: np.arccosh(Tensor([0.0])), "np.maximum(x, 1 + 1e-12)"),
    "a row of -inf": (
        lambda: softmax_by_hand(Tensor(np.zeros((2, 1))) + np.array([[0, 0], [-np.inf] * 2])),
        "Mask with -1e9",
    ),
    "inf in the data": (lambda: np.array([np.inf, 1.0]) * Tensor([0.0, 1.0]), "if that is data, clean them"),
    "of nothing": (lambda: np.mean(Tensor(np.zeros((0, 3)))), "there are no elements"),
    "an update": (lambda: Tensor([np.nan], name="w") * 2, "an update made it so"),
    "data": (lambda: Tensor([1.0]) * np.array([np.nan]), "clean the data"),
    "the seed": (lambda: (Tensor([1.0]) * 2).backward(np.array([np.nan])), "it is the seed"),
    "seeds": (lambda: ta.vjp(lambda x: (x, 2 * x), np.ones(1))[1]((np.array([np.nan]), np.ones(1))), "it is the seed"),
    "a sum of gradients": (lambda: twice(Tensor([1.0]) * 1.0), "their sum is too large for float64"),
}


def softmax_by_hand(z: Any) -> Any:
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def twice(h: Any) -> Any:
    return (h.sum() + h.sum()).backward(np.array(1e308))


@pytest.mark.parametrize(("f", "cure"), CURES.values(), ids=CURES)
def test_the_cure_fits_the_numbers(f: Callable[[], Any], cure: str) -> None:
    _, found = said_by(f).split("\n  Cure: ")  # apart from the line of the program, which is this table's
    assert cure in found.replace("\n    ", " ")


def test_names_the_module() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            self.fc1, self.fc2 = nn.Linear(2, 3), nn.Linear(3, 2)
            self.fc2.weight.data = np.full((3, 2), 1e308)

        def forward(self, x: Any) -> Any:
            return self.fc2(self.fc1(x) * 0 + 9.0)

    said = said_by(lambda: Net()(np.ones((4, 2))))
    assert "affine gives inf at index [0, 0], forward, in fc2 (Linear), at " in said
    assert "W = fc2.weight (a leaf): 3×2 float64, 1e308 … 1e308" in said
    assert "scale the weights" in said


def test_names_the_parameters_of_the_op() -> None:
    said = said_by(lambda: ta.elu(Tensor([np.nan, 1.0]), alpha=0.3))
    assert " of ELU(alpha=0.3) holds nan already" in said


def test_nan_in_the_data_is_named_as_such() -> None:
    x = np.ones((3, 2))
    x[1, 1] = np.nan
    said = said_by(lambda: nn.Linear(2, 2)(x))
    assert "x of affine holds nan already, forward, in Linear" in said
    assert "x: 3×2 float64, 1 … 1, 1 of 6 nan" in said
    assert "Cure: clean the data" in said


def test_masks_of_minus_infinity_are_no_alarm() -> None:
    mask = np.array([[0.0, -np.inf], [0.0, 0.0]])
    x = Tensor(np.ones((2, 2)))
    with ta.debug():
        ta.softmax(x + mask).sum().backward()
        np.where(mask == 0, x, -np.inf).max().backward()
        y = (ta.softmax(x + mask) ** 2).sum()
        ta.gradients(ta.gradients(y, x).sum(), x)


def test_nan_made_of_an_allowed_infinity_is_an_alarm() -> None:
    said = said_by(lambda: Tensor([1.0]) * np.inf - np.inf)
    assert "subtract gives nan at index [0]" in said
    assert "nan comes of inf - inf" in said


def test_an_elementwise_op_is_excused_by_its_own_element_only() -> None:
    x = Tensor([np.inf, 1e9])
    with ta.debug():
        np.exp(Tensor([np.inf, 1.0]))
    assert "exp gives inf at index [1]" in said_by(lambda: np.exp(x))


@pytest.mark.parametrize("differentiate", [lambda y, x: y.backward(), ta.gradients], ids=["backward", "gradients"])
def test_names_the_rule_that_is_not_finite(differentiate: Callable[[Any, Any], Any]) -> None:
    x = Tensor([4.0, 0.0], name="x")

    def run() -> None:
        y = np.sqrt(x)  # here
        differentiate(y.sum(), x)

    said = said_by(run)
    assert "the rule of sqrt for its input x gives inf at index [1], backward; sqrt was called at " in said
    assert "y = np.sqrt(x)  # here" in said
    assert "x = x (a leaf): 2 float64, 0 … 4; there it is 0" in said
    assert "gradient that arrives: 2 float64, 1 … 1" in said
    assert "gradient that it gives: 2 float64, 0.25 … 0.25, 1 of 2 inf" in said
    assert "np.sqrt(x + 1e-12)" in said


def test_a_second_derivative_is_told_by_the_line_of_the_op_and_not_of_the_walk() -> None:
    x = Tensor([0.0, 1.0], name="x")

    def run() -> None:
        y = (x**1.5).sum()  # here
        first = ta.gradients(y, x)
        ta.gradients(first.sum(), x)

    said = said_by(run)
    assert "power was called in the rule of power, at " in said
    assert "y = (x**1.5).sum()  # here" in said


def test_what_is_within_a_checkpoint_or_a_transform_is_told_by_its_own_line() -> None:
    def root(x: Any) -> Any:
        return np.sqrt(x)  # here

    zeros = np.zeros(2)
    for f in (
        lambda: ta.checkpoint(root)(Tensor(zeros)).sum().backward(),
        lambda: ta.elementwise_grad(root)(zeros),
        lambda: ta.jvp(root, zeros, zeros + 1),
        lambda: ta.jacobian(root)(zeros),
        lambda: ta.hessian(lambda x: np.sum(root(x) * x**3))(zeros),
        lambda: ta.grad(lambda x: ta.grad(lambda y: np.sum(root(y)))(x).sum())(zeros),
    ):
        assert "return np.sqrt(x)  # here" in said_by(f)


def test_a_cell_of_a_notebook_is_called_as_there(monkeypatch: pytest.MonkeyPatch) -> None:
    file, source = "/tmp/ipykernel_1/2.py", "def f(x):\n    return np.log(x)\n"
    shell = SimpleNamespace(compile=SimpleNamespace(format_code_name={file: ("Cell", "In[3]")}.get))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(linecache.cache, file, (len(source), None, source.splitlines(True), file))
    names: dict[str, Any] = {"np": np}
    exec(compile(source, file, "exec"), names)
    assert "forward, at Cell In[3], line 2\n    return np.log(x)" in said_by(lambda: names["f"](Tensor([0.0])))


def test_a_notebook_tells_what_its_cells_are_called() -> None:
    compilers = pytest.importorskip("IPython.core.compilerop")
    assert list(inspect.signature(compilers.CachingCompiler().format_code_name).parameters) == ["name"]


def test_explains_why_where_does_not_keep_a_branch_safe() -> None:
    x = Tensor([4.0, 0.0], name="x")
    said = said_by(lambda: np.where(x.data > 0, np.sqrt(x), 0.0).sum().backward())
    assert "gives nan at index [1]" in said
    assert "np.where computes both branches" in said


def test_a_seed_that_is_not_finite_is_named_as_such() -> None:
    x = Tensor([1.0], name="x")
    said = said_by(lambda: (x * 2).backward(np.array([np.inf])))
    assert "the gradient of the result of multiply is not finite" in said
    assert "the seed" in said


def test_leaves_everything_as_it_was() -> None:
    def state() -> list[Any]:
        return [
            vars(Tensor)["_record"],
            autodiff.walk,
            linear.walk,
            nn.Module.__call__,
            type(ta.compile(len)).__call__,
        ]

    before = state()
    with pytest.raises(KeyError), ta.debug(), ta.debug():
        raise KeyError
    assert state() == before
    with ta.debug():
        with ta.debug():
            pass
        assert state() != before
        said_by(power_of_large)
        assert state() != before
    assert state() == before
    with np.errstate(all="ignore"):
        power_of_large()


def test_blocks_may_end_in_any_order_and_beside_other_watchers() -> None:
    plain = vars(Tensor)["_record"]
    one, two, lines = ta.debug(), ta.debug(), ta.drawing.lines.lines_noted()
    for block in (one, lines, two):
        block.__enter__()
    one.__exit__(None, None, None)
    said_by(power_of_large)
    with pytest.raises(NotFiniteError), np.errstate(all="ignore"):
        power_of_large()
    two.__exit__(None, None, None)
    lines.__exit__(None, None, None)
    assert vars(Tensor)["_record"] is plain


def test_an_error_that_passes_through_a_walk_leaves_the_watch_as_it_was() -> None:
    x = Tensor([1.0])
    x.register_hook(lambda g: 1 / 0)
    with ta.debug(), np.errstate(all="ignore"):
        with pytest.raises(ZeroDivisionError):
            (x * 2).sum().backward()
        with pytest.raises(NotFiniteError, match="forward"):
            power_of_large()


def test_what_is_noted_of_a_graph_is_forgotten_with_it() -> None:
    gc.collect()  # the graphs of errors that were raised
    before = len(_places)
    with ta.debug():
        y = (Tensor([1.0, 2.0]) * 3).sum()
        assert len(_places) == len(_prints) == before + 2
        del y
    assert len(_places) == len(_prints) == before


def test_warnings_of_numpy_stay_as_they_are() -> None:
    with pytest.warns(RuntimeWarning, match="divide by zero"), pytest.raises(NotFiniteError), ta.debug():
        np.log(Tensor([0.0, 1.0]))


def test_watches_only_its_own_thread() -> None:
    found: list[Any] = []

    def other() -> None:
        with np.errstate(all="ignore"):
            found.append(power_of_large())

    with ta.debug():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert np.isinf(found[0].data).any()


def test_another_thread_compiles_meanwhile() -> None:
    w, found = Tensor([1.0, 2.0]), []

    @ta.compile
    def step(x: Any) -> Any:
        loss = np.sum((w * x) ** 2)
        loss.backward()
        w.data -= 0.1 * w.grad
        w.zero_grad()
        return loss

    with ta.debug():
        thread = threading.Thread(target=lambda: found.append(float(step(np.ones(2)))))
        thread.start()
        thread.join()
    assert found == [5.0]


def test_a_compiled_step_says_that_it_is_not_watched() -> None:
    w = Tensor([1.0, 2.0])
    step = ta.compile(lambda x: np.sum(w * x))
    assert "call the eager step" in said_by(lambda: step(np.ones(2)), RuntimeError)
    assert float(step(np.ones(2))) == 3.0

    @ta.compile
    def debugged(x: Any) -> Any:
        with ta.debug():
            return np.sum(w * x)

    with pytest.raises(RuntimeError, match="while it is compiled"):
        debugged(np.ones(2))


def test_an_array_that_changes_under_its_graph_is_named() -> None:
    w, b = Tensor(np.ones(3), name="w"), np.ones(3)

    def constant() -> None:
        y = (w * b).sum()  # here
        b[1] = 7.0
        y.backward()

    said = said_by(constant, ChangedInPlaceError)
    assert "b of multiply was changed in place between forward and backward: 3 float64, 1 … 7 now" in said
    assert "y = (w * b).sum()  # here" in said

    def leaf() -> None:
        y = np.exp(w).sum()
        w.data[1] = 7.0
        ta.gradients(y, w)

    assert "x of exp, w (a leaf), was changed" in said_by(leaf, ChangedInPlaceError)

    def result() -> None:
        y = np.exp(w)
        y.data[1] = 7.0
        y.sum().backward()

    assert "the result of exp was changed" in said_by(result, ChangedInPlaceError)


def test_an_index_that_changes_is_named() -> None:
    x, index, rows = Tensor(np.ones(3)), np.array([0, 1]), [np.array([0, 1]), np.array([0, 1])]

    def one() -> None:
        y = x[index].sum()
        index[0] = 2
        y.backward()

    def several() -> None:
        y = Tensor(np.ones((3, 3)))[rows[0], rows[1]].sum()
        rows[1][0] = 2
        y.backward()

    for f in (one, several):
        assert "an array that getitem holds, such as an index, was changed in place" in said_by(f, ChangedInPlaceError)


def test_a_buffer_that_no_rule_reads_may_change() -> None:
    """Of plain arrays: a Tensor has a graph, and is to be left alone under it."""
    x, buffer, labels, mask = Tensor([1.0, 2.0]), np.ones(2), np.array([0, 1]), np.array([True, False])
    with ta.debug():
        y = x + buffer - buffer
        loss = ta.mse(x * 2, buffer) + y.sum() + ta.cross_entropy(np.stack([x, 2 * x]), labels)
        buffer[:], labels[0] = 7.0, 1
        loss.backward()
    expected = Tensor([1.0, 2.0])
    ones, labels = np.ones(2), np.array([0, 1])
    (
        ta.mse(expected * 2, ones) + expected.sum() + ta.cross_entropy(np.stack([expected, 2 * expected]), labels)
    ).backward()
    np.testing.assert_allclose(x.grad, expected.grad, rtol=1e-14)

    def read() -> None:
        y = (np.where(mask, x, 0) / buffer).sum()
        mask[1] = True
        y.backward()

    assert "condition of where was changed" in said_by(read, ChangedInPlaceError)


def test_legal_updates_are_no_alarm() -> None:
    model = nn.Sequential(nn.Linear(2, 3), ta.tanh, nn.Linear(3, 1))
    optimizer = ta.optim.Adam(model.parameters(), lr=0.1)
    batch = np.empty((4, 2))
    with ta.debug():
        for k in range(3):
            batch[...] = k
            loss = ta.mse(model(batch), np.ones((4, 1)))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            model.layers[0].weight.data *= 0.9
            model.layers[0].bias.data = np.ones(3)


@pytest.mark.parametrize("x", [np.arange(12.0).reshape(3, 4).T, np.ones(()), np.ones((0, 3)), np.ones(8)[::2]], ids=str)
def test_any_layout_of_memory_can_be_watched(x: np.ndarray) -> None:
    with ta.debug():
        (Tensor(2.0) * x).sum().backward()


def test_reports_dead_and_saturated_units_over_all_steps() -> None:
    model = nn.Sequential(nn.Linear(4, 8), ta.relu, nn.Linear(8, 5), ta.tanh, nn.Linear(5, 5), ta.relu)
    first, second = model[0], model[2]
    first.weight.data, second.weight.data = np.eye(4, 8), np.ones((8, 5))
    first.bias.data, second.bias.data = np.where(np.arange(8) < 2, -50.0, 1.0), np.array([0.0, 50.0, -50.0, 0, 0]) - 4
    rng = np.random.default_rng(0)
    with ta.debug() as report:
        for _ in range(3):
            model(rng.uniform(0, 0.1, (16, 4)))
    relu, tanh, last = report.units
    assert (relu.op, relu.samples, relu.dead, relu.saturated) == (ta.relu, 48, 0.25, 0.0)
    assert (tanh.dead, tanh.saturated) == (0.0, 0.4)
    assert last.samples == 48
    assert relu.place.startswith("layers.1, test_debug.py, line ")
    assert last.place.startswith("layers.5, ")
    printed = str(report)
    assert "relu         8       48        25 %" in printed
    assert "Cure: use leaky_relu or elu" in printed
    assert "Cure: start with smaller weights" in printed


def test_a_unit_that_was_alive_once_is_not_dead() -> None:
    with ta.debug() as report:
        for sign in (-1.0, -1.0, 1.0):
            ta.relu(Tensor([[sign, -1.0]]))  # a line, if there is no module
    (units,) = report.units
    assert (units.samples, units.dead) == (3, 0.5)
    assert units.place.startswith("test_debug.py, line ")


def test_the_units_of_images_are_their_channels() -> None:
    with ta.debug() as report:
        ta.relu(Tensor(np.stack([np.ones((2, 5, 5)), -np.ones((2, 5, 5))], axis=1)))
        ta.tanh(Tensor(3.0))
        ta.tanh(Tensor(np.ones((0, 3))))
    assert [(np.size(u.zero), u.samples, u.dead) for u in report.units] == [(2, 50, 0.5), (1, 1, 0.0)]  # none of none


def test_activations_that_learn_and_gates_are_reported() -> None:
    x = np.tile([-1.0, 2.0, -3.0, 4.0], (5, 1))
    with ta.debug() as report:
        model = nn.Sequential(nn.Learned("prelu", features=4, a=0.0), nn.Learned("srelu"), ta.crelu)
        for _ in range(2):
            model(x)
        for op in (ta.reglu, ta.glu, ta.bilinear):
            op(Tensor(np.concatenate([x, [-1.0, 2.0, -99.0, 99.0] * np.ones((5, 1))], axis=1)))
        ta.glu(Tensor(np.ones((2, 6, 3, 3))), axis=1)
        ta.maxout(Tensor(np.stack([x, x + 1, x - 1], axis=-1)))
        ta.maxout(Tensor(x))
        ta.prelu(2.0, Tensor([0.0, 1.0]))
    found = {(u.op.name, np.size(u.zero)): (u.samples, u.dead, u.saturated) for u in report.units}
    assert found == {
        ("prelu", 4): (10, 0.5, 0.0),
        ("srelu", 4): (10, 0.0, 0.0),
        ("crelu", 4): (10, 0.0, 0.0),
        ("reglu", 4): (5, 0.5, 0.0),
        ("glu", 4): (5, 0.0, 0.5),
        ("bilinear", 4): (5, 0.0, 0.0),
        ("glu", 3): (18, 0.0, 0.0),
        ("maxout", 12): (5, 2 / 3, 0.0),
        ("maxout", 4): (5, 0.75, 0.0),
        ("prelu", 2): (1, 0.0, 0.0),
    }
    printed = str(report)
    assert "prelu        4       10        50 %     0 %         layers.0 (Learned), test_debug.py, line" in printed
    assert "Cure: take a smoother gate" in printed
    assert "Cure: take fewer pieces" in printed


def test_what_is_cut_off_on_both_sides_is_cured_by_smaller_weights() -> None:
    with ta.debug() as report:
        ta.hard_tanh(Tensor([5.0, 0.0]))
    assert report.units[0].dead == 0.5
    assert "smaller weights" in report.units[0].cure


def test_a_loop_and_functional_call_add_to_the_same_units() -> None:
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            self.step, self.activation = nn.Linear(3, 3), ta.tanh

        def forward(self, x: Any) -> Any:
            for _ in range(4):
                x = self.activation(self.step(x))
            for _ in range(2):
                x = ta.relu(x)
            return ta.relu(x)

    model = Recurrent()
    parameters = {name: t.data for name, t in model.named_parameters()}
    with ta.debug() as report:
        for _ in range(5):
            ta.grad(lambda p: np.sum(nn.functional_call(model, p, np.ones((2, 3)))))(parameters)
    assert [(u.op.name, u.samples, u.place.partition(",")[0]) for u in report.units] == [
        ("tanh", 40, "activation"),
        ("relu", 20, "Recurrent"),
        ("relu", 10, "Recurrent"),
    ]


def test_only_activations_are_reported() -> None:
    with ta.debug() as report, ta.debug() as inner:
        np.exp(Tensor([-1000.0])) + 1
    assert str(report) == "no activation ran"
    assert not inner.units
