"""What ta.debug finds, and what it says of it."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act import Tensor, autodiff, nn
from tinygrad_act.debugging import ChangedInPlaceError, NotFiniteError
from tinygrad_act.debugging.watch import _places, _prints
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
    assert "Cure: keep away from 0" in said


def test_log_of_zero_is_to_blame() -> None:
    said = said_by(lambda: np.log(Tensor([0.0, 1.0])))
    assert "log gives -inf at index [0]" in said
    assert "cross_entropy on the logits" in said


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


def test_only_activations_are_reported() -> None:
    with ta.debug() as report, ta.debug() as inner:
        np.exp(Tensor([-1000.0])) + 1
    assert str(report) == "no activation ran"
    assert not inner.units
