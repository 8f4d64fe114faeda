"""The progress bar and the drawn graph."""

from __future__ import annotations

import io
import re
import sys
import types
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act import Tensor, nn
from tinygrad_act.drawing import to_graphviz
from tinygrad_act.training import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def nodes(graph: Any) -> dict[str, str]:
    """What each node of a graph says, by its id."""
    return dict(re.findall(r'^\t(\w+) \[label="((?:[^"\\]|\\.)*)"', graph.source, re.MULTILINE))


def edges(graph: Any) -> list[tuple[str, str]]:
    """From which node to which the arrows go, in the words the nodes start with."""
    said = {key: label.split("\n")[0] for key, label in nodes(graph).items()}
    return [(said[a], said[b]) for a, b in re.findall(r"^\t(\w+) -> (\w+)", graph.source, re.MULTILINE)]


def test_progress_yields_everything_and_is_silent_in_a_pipe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    assert list(progress(range(5), "training")) == list(range(5))
    assert list(progress([], "training")) == []
    assert list(progress((c for c in "abc"), "training")) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")


def test_progress_shows_its_label_and_unit_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert list(progress(range(5), "training", unit="lap")) == list(range(5))
    shown = sys.stderr.getvalue()
    assert "training: 100%" in shown
    assert "5/5" in shown
    assert "lap" in shown


def test_lines_written_go_to_stdout_and_nowhere_else(capsys: pytest.CaptureFixture[str]) -> None:
    epochs = progress(range(2), "training")
    for epoch in epochs:
        epochs.write(f"epoch {epoch}")
    assert capsys.readouterr() == ("epoch 0\nepoch 1\n", "")


def test_progress_names_the_extra_without_tqdm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(ImportError, match=r"pip install 'tinygrad_act\[examples\]'"):
        progress(range(5), "training")


@pytest.mark.parametrize(("widgets", "form"), [(True, "tqdm.notebook"), (False, "tqdm")])
def test_progress_in_a_notebook_is_a_widget_where_there_are_widgets(
    widgets: bool, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    stand_in = types.SimpleNamespace(tqdm=lambda iterable, **how: made.append(how["disable"]) or iterable)
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    monkeypatch.setattr("tinygrad_act.training.find_spec", lambda name: object() if widgets else None)
    monkeypatch.setattr("tinygrad_act.training.import_module", lambda name: {form: stand_in}[name])
    assert list(progress(range(3), "training")) == [0, 1, 2]
    assert made == [False]


def test_there_is_a_node_for_every_tensor_and_constant_and_an_arrow_for_every_input() -> None:
    w, c = Tensor([1.0, 2.0], name="w"), Tensor([5.0, 6.0], requires_grad=False, name="c")
    y = np.sum(ta.relu(w * np.array([3.0, 4.0]) + c) - w)
    graph = to_graphviz(y)
    assert [label.split("\n")[0] for label in nodes(graph).values()] == [
        *("w", "c", "multiply", "constant", "add", "relu", "subtract", "sum")
    ]
    assert sorted(edges(graph)) == [
        ("add", "relu"),
        ("c", "add"),
        ("constant", "multiply"),
        ("multiply", "add"),
        ("relu", "subtract"),
        ("subtract", "sum"),
        ("w", "multiply"),
        ("w", "subtract"),
    ]


def test_a_node_tells_its_shape_dtype_and_range() -> None:
    said = nodes(to_graphviz(Tensor(np.array([[1.0, -2.0, 0.5]], np.float32), name="w") * 1.0 + np.pi))
    assert set(said.values()) == {
        "w\n1×3 float32\n-2 … 1",
        "multiply\n1×3 float32\n-2 … 1",
        "add\n1×3 float32\n1.14 … 4.14",
        "constant\n1",
        "constant\n3.142",
    }


def test_leaves_are_framed_twice_and_constants_dashed() -> None:
    graph = to_graphviz(Tensor(1.0, name="w") * 2.0 + Tensor(3.0, requires_grad=False, name="c"))
    looks = re.findall(r'label="(\w+)\n[^"]*"(.*)\]', graph.source)
    assert {title for title, look in looks if "peripheries=2" in look} == {"w"}
    assert {title for title, look in looks if "style=dashed" in look} == {"c", "constant"}


def test_names_stand_in_their_nodes() -> None:
    layer = nn.Linear(2, 1, rng=np.random.default_rng(0))
    loss = layer(np.ones((1, 2))).sum()
    loss.name = "loss"
    titles = {label.split("\n")[0] for label in nodes(to_graphviz(loss)).values()}
    assert titles == {"weight", "bias", "constant", "affine", "loss = sum"}


@pytest.mark.parametrize("name", ['a "quoted" name', "<b>", "{a|b}", "a -> b", "größe"])
def test_any_name_is_drawn(name: str) -> None:
    assert name.replace('"', r"\"") + "\n1" in nodes(to_graphviz(Tensor(1.0, name=name))).values()


def test_gradients_are_shown_once_there_are_any() -> None:
    w = Tensor([1.0, 2.0], name="w")
    y = np.sum(w * 3 * np.array([1.0, 2.0]))
    assert "∂" not in to_graphviz(y).source
    y.backward()
    said = nodes(to_graphviz(y)).values()
    assert "w\n2 float64\n1 … 2\n∂ 3 … 6" in said
    assert sum("∂" in label for label in said) == 4, "each but the two constants"


def test_what_is_used_twice_is_drawn_once() -> None:
    w, c = Tensor([1.0, 2.0], name="w"), np.array([3.0, 4.0])
    graph = to_graphviz((w * c + c) * w)
    assert edges(graph).count(("constant", "multiply")) == edges(graph).count(("constant", "add")) == 1
    assert len(nodes(graph)) == 5
    assert edges(to_graphviz(w * w)) == [("w", "multiply")] * 2
    assert len(nodes(to_graphviz(w * c + c.copy()))) == 5, "equal constants are two"


def test_shared_nodes_do_not_multiply() -> None:
    y = Tensor(1.0)
    for _ in range(12):
        y = y + y
    assert len(edges(to_graphviz(y))) == 24


def test_a_chain_of_5000_ops_is_drawn() -> None:
    y = Tensor(1.0)
    for i in range(5000):
        y = y + float(i)
    graph = to_graphviz(y)
    assert len(nodes(graph)) == 10001
    assert len(edges(graph)) == 10000


def test_a_graph_is_drawn_though_its_leaves_were_updated_since() -> None:
    model = nn.Sequential(nn.Linear(2, 3, rng=np.random.default_rng(0)), ta.tanh)
    loss = model(np.ones((4, 2))).sum()
    loss.backward()
    before = edges(to_graphviz(loss))
    ta.optim.SGD(model.parameters(), lr=0.1).step()
    after = to_graphviz(loss)
    assert sorted(edges(after)) == sorted(before)
    assert f"∂ {model[0].bias.grad.min():.3g}" in after.source


class Odd(ta.Op):
    """An op with an input that is no array, as a user may write one."""

    def forward(self, x: Any, how: Any) -> Any:
        return 2 * x

    def vjp_x(self, g: Any, y: Any, x: Any, how: Any) -> Any:
        return 2 * g


@pytest.mark.parametrize("how", [True, np.zeros((0, 2)), np.array([np.nan, 1.0]), 1j, None, "up", slice(1)], ids=repr)
def test_any_constant_is_drawn(how: Any) -> None:
    assert sorted(edges(to_graphviz(Odd()(Tensor(1.0, name="w"), how)))) == [("constant", "odd"), ("w", "odd")]


@pytest.mark.parametrize("leaf", [Tensor(1.0), Tensor(1.0, requires_grad=False), Tensor(np.zeros((0, 3)))], ids=repr)
def test_a_lone_leaf_is_a_graph(leaf: Tensor) -> None:
    assert len(nodes(to_graphviz(leaf))) == 1


def test_the_drawing_is_saved_without_any_program(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    path = tmp_path / "graph.dot"
    to_graphviz(Tensor(1.0, name="größe") * 2).save(path)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("digraph")
    assert "größe" in text
