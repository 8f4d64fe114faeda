"""ta.draw: what is in a picture, where it stands, and what becomes of large graphs."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act import Tensor, nn
from tinygrad_act.drawing import Drawing, RenderError, export, layout
from tinygrad_act.drawing.graph import Vertex, in_short, read, share
from tinygrad_act.drawing.modules import Box, visible

GOLDEN = Path(__file__).parent / "golden"
SVG = "{http://www.w3.org/2000/svg}"


def expression() -> Tensor:
    """What micrograd draws: numbers, each with its gradient."""
    a, b, c = Tensor(2.0, name="a"), Tensor(-3.0, name="b"), Tensor(10.0, name="c")
    y = ta.tanh(0.1 * (a * b + c)) * b
    y.name = "y"
    y.backward()
    return y


def perceptron() -> Tensor:
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(4, 8, rng=rng), ta.relu, nn.Linear(8, 3, rng=rng))
    loss = ta.cross_entropy(model(rng.normal(size=(5, 4))), rng.integers(0, 3, 5))
    loss.backward()
    return loss


class Cell(nn.Module):
    def __init__(self, n: int) -> None:
        rng = np.random.default_rng(0)
        self.W, self.U = Tensor(rng.normal(size=(n, n)) * 0.3), Tensor(rng.normal(size=(n, n)) * 0.3)

    def forward(self, x: Any, h: Any) -> Any:
        return ta.tanh(x @ self.W + h @ self.U) + 0.1 * h


class Recurrent(nn.Module):
    def __init__(self, n: int) -> None:
        self.cell, self.out = Cell(n), nn.Linear(n, 2, rng=np.random.default_rng(1))

    def forward(self, steps: int) -> Any:
        h: Any = np.zeros((5, 3))
        for t in range(steps):
            h = self.cell(np.full((5, 3), t / steps), h)
        return np.mean(self.out(h) ** 2)


class Residual(nn.Module):
    def __init__(self, n: int, blocks: int) -> None:
        rng = np.random.default_rng(0)
        self.blocks = [
            nn.Sequential(nn.Linear(n, n, rng=rng), ta.relu, nn.Linear(n, n, rng=rng)) for _ in range(blocks)
        ]

    def forward(self, x: Any) -> Any:
        for block in self.blocks:
            x = x + block(x)
        return np.mean(x**2)


def scalars(n: int) -> Tensor:
    rng = np.random.default_rng(1)
    a, b = Tensor(0.5, name="a"), Tensor(-1.0, name="b")
    y = a
    for _ in range(n):
        moves = [lambda y: y * b, lambda y: y + a, ta.tanh, lambda y: y - 0.5 * a]
        y = moves[int(rng.integers(4))](y)
    return y


def random_graph(seed: int) -> Tensor:
    """Ops on values and parameters at random, of modules at random."""
    rng = np.random.default_rng(seed)
    modules = ["", "m.", "m.a.", "m.b.", "n.", "n.c.d."]
    parameters = [Tensor(rng.normal(size=3), name=f"{modules[int(rng.integers(6))]}p{i}") for i in range(6)]
    values: list[Any] = [*parameters, rng.normal(size=3), Tensor(rng.normal(size=3), requires_grad=False, name="c")]
    for _ in range(int(rng.integers(3, 40))):
        x, y = (values[int(rng.integers(len(values)))] for _ in range(2))
        made = [lambda x, y: x + y, lambda x, y: x * y * 0.5, lambda x, y: ta.relu(x) - y][int(rng.integers(3))](x, y)
        if isinstance(made, Tensor) and made.op is not None and rng.random() < 0.1:
            made.name = f"{modules[int(rng.integers(6))]}h"
        values.append(made)
    last = [v for v in values if isinstance(v, Tensor) and v.requires_grad and v.op is not None]
    return np.sum(np.stack(last[-3:])) if last else parameters[0] * 1.0


def titles(drawing: Drawing) -> list[str]:
    return [v.title for v in drawing.graph.vertices]


def shown(drawing: Drawing) -> list[tuple[str, str]]:
    """The edges that are to be seen, by titles."""
    return sorted((a.title, b.title) for a, b, _ in layout.to_be_seen(drawing.layout))


def texts(drawing: Drawing) -> list[str]:
    return [t.text or "" for t in ET.fromstring(drawing.svg).iter(f"{SVG}text")]


def test_there_is_a_vertex_for_every_value_and_an_arrow_for_every_input() -> None:
    w, c = Tensor([1.0, 2.0], name="w"), Tensor([5.0, 6.0], requires_grad=False, name="c")
    drawing = ta.draw(np.sum(ta.relu(w * np.array([3.0, 4.0]) + c) - w))
    assert titles(drawing) == ["w", "constant", "multiply", "c", "add", "relu", "subtract", "sum"]
    kinds = {v.title: v.kind for v in drawing.graph.vertices}
    assert (kinds["w"], kinds["c"], kinds["constant"], kinds["sum"]) == ("parameter", "input", "constant", "result")
    assert shown(drawing) == [
        ("add", "relu"),
        ("c", "add"),
        ("constant", "multiply"),
        ("multiply", "add"),
        ("relu", "subtract"),
        ("subtract", "sum"),
        ("w", "multiply"),
        ("w", "subtract"),
    ]


def test_a_vertex_tells_its_shape_numbers_and_gradient() -> None:
    w = Tensor(np.array([[1.0, -2.0, 0.5, 0.0]], np.float32), name="w")
    y = np.sum(w * 3)
    before = ta.draw(y)
    assert "1×4 float32" in texts(before)
    assert "-2 … 1, mean -0.125, 25 % zero" in texts(before)
    assert "b = 3" in texts(before)
    assert not [text for text in texts(before) if text.startswith("∂ ") and text != "∂ gradient"]
    assert "no gradients yet: they are there after backward()" in texts(before)
    y.backward()
    assert "∂ all 3" in texts(ta.draw(y))
    assert not any("no gradients" in text for text in texts(ta.draw(y)))


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (np.array(2.5), "2.5"),
        (np.float32(1e-7), "1e-7"),
        (np.array([1.0, 2.0]), "[1, 2]"),
        (np.zeros((4, 4)), "all 0"),
        (np.array([[1.0, np.nan], [3.0, 5.0]]), "1 … 5, mean 3, 1 not finite"),
        (np.full(4, np.nan), "all nan"),
        (np.full((2, 2), np.inf), "all not finite"),
        (np.zeros((0, 3)), "empty"),
        (np.arange(4), "0 … 3, mean 1.5, 25 % zero"),
        (np.array([True, False, True, True]), "False … True, mean 0.75, 25 % zero"),
        (np.full(4, 1.7e308), "all 1.7e308"),
        (np.array([1.7e308, 1.6e308, 1.7e308, 1.7e308]), "1.6e308 … 1.7e308, mean 1.68e308"),
        ("up", "up"),
        (None, "None"),
    ],
    ids=str,
)
def test_arrays_in_short(x: Any, said: str) -> None:
    assert in_short(x) == said


def test_shares_are_0_and_100_only_where_they_are() -> None:
    assert [share(x) for x in (0.0, 1e-9, 0.5, 1 - 1e-9, 1.0)] == ["0 %", "<1 %", "50 %", ">99 %", "100 %"]


@pytest.mark.parametrize("name", ['a "quoted" name', "<b>", "{a|b}", "a & b", "größe", "x" * 100, "a\x00b", "a\ud800b"])
def test_any_name_is_drawn(name: str) -> None:
    drawing = ta.draw(Tensor(1.0, name=name) * 2)
    shown = name[:40].replace("\x00", "�").replace("\ud800", "�")
    assert any(text.startswith(shown) for text in texts(drawing))
    assert shown.replace('"', r"\"") in drawing.to_graphviz().source
    drawing.svg.encode()


class Odd(ta.Op):
    """An op with an input that is no array, as a user may write one."""

    def forward(self, x: Any, how: Any) -> Any:
        return 2 * x

    def vjp_x(self, g: Any, y: Any, x: Any, how: Any) -> Any:
        return 2 * g


@pytest.mark.parametrize("how", [True, np.zeros((0, 2)), np.array([np.nan, 1.0]), 1j, None, "up", slice(1)], ids=repr)
def test_any_constant_is_drawn(how: Any) -> None:
    drawing = ta.draw(Odd()(Tensor(1.0, name="w"), how))
    assert in_short(how) in " ".join(texts(drawing)) or str(how) in " ".join(texts(drawing))


@pytest.mark.parametrize("leaf", [Tensor(1.0), Tensor(1.0, requires_grad=False), Tensor(np.zeros((0, 3)))], ids=repr)
def test_a_lone_leaf_is_a_graph(leaf: Tensor) -> None:
    drawing = ta.draw(leaf)
    assert len(drawing.graph.vertices) == len(drawing.layout.paths) - 1 == 1


def test_names_come_from_names_modules_functions_and_on_request_from_variables() -> None:
    model = nn.Sequential(nn.Linear(2, 1, rng=np.random.default_rng(0)))
    images = np.ones((3, 2))
    assert {"constant", "affine", "weight", "bias"} == set(titles(ta.draw(model(images))))
    output = model(images)
    assert {"images", "output = affine"} <= set(titles(ta.draw(output, names=True)))
    assert {"pixels", "affine"} <= set(titles(ta.draw(output, names={"pixels": images})))
    assert {"inputs", "affine"} <= set(titles(ta.draw(model, images))) or "x" in titles(ta.draw(model, images))
    assert titles(ta.draw(lambda u, v: np.sin(u) * v, 1.0, [2.0])) == ["u", "sin", "v", "multiply"]


def test_several_roots_share_a_picture() -> None:
    w = Tensor([1.0, 2.0], name="w")
    h = w * 2.0
    for roots in ([np.sum(h), np.sum(h * h)], {"a": np.sum(h), "b": np.sum(h * h)}):
        drawing = ta.draw(roots)
        assert titles(drawing) == ["w", "constant", "multiply", "sum", "multiply", "sum"]
        assert [v.title for v in drawing.graph.roots] == ["sum", "sum"]


def test_what_cannot_be_drawn_is_said() -> None:
    with pytest.raises(TypeError, match=r"not ndarray.\n  Draw the Tensor"):
        ta.draw(np.ones(3))


def test_parameters_of_modules_are_drawn_inside_or_apart() -> None:
    loss = perceptron()
    inside, apart = ta.draw(loss), ta.draw(loss, parameters="apart")
    assert len(inside.layout.paths) + 4 == len(apart.layout.paths)
    assert any(text.startswith("weight 4×8: ") for text in texts(inside))
    assert ("weight", "affine") in shown(apart)


def test_edges_may_be_labelled() -> None:
    loss = perceptron()
    assert {"x", "z", "y"} <= set(texts(ta.draw(loss, edges="argument")))
    assert {"5×4", "5×8", "5×3"} <= set(texts(ta.draw(loss, edges="shape")))
    assert "ȳ Wᵀ" in texts(ta.draw(loss, edges="rule"))


def test_modules_are_boxes_and_so_is_each_call_of_a_shared_one() -> None:
    assert [box.title for box in ta.draw(perceptron()).root.boxes()] == ["", "layers", "0", "2"]
    boxes = [box.title for box in ta.draw(Recurrent(3)(3)).root.boxes()]
    assert [title for title in boxes if title.startswith("cell")] == ["cell #1", "cell #2", "cell #3"]


def test_what_a_module_computed_is_known_where_it_is_called_to_be_drawn() -> None:
    x = np.ones((2, 3))
    model = Residual(3, 3)
    boxes = {box.title: [p.title for p in box.parts] for box in ta.draw(model, x).root.boxes()}
    assert boxes[""] == ["x", "blocks.0", "add", "blocks.1", "add", "blocks.2", "add", "power", "mean"]
    assert boxes["blocks.1"] == ["layers.0", "relu", "layers.2"]
    inside_a_function = ta.draw(lambda x: np.sum(model(x) * 2), x)
    assert {"blocks.0", "blocks.2", "layers.0"} <= {box.title for box in inside_a_function.root.boxes()}
    recurrent = Recurrent(3)
    drawing = ta.draw(recurrent, 3)
    parts = {box.title: [p.title for p in box.parts] for box in drawing.root.boxes()}
    assert parts["cell #3"] == parts["cell #2"] == ["matmul", "matmul", "add", "tanh", "multiply", "add"]
    assert nn.Module.__call__.__name__ == "__call__"


@pytest.mark.parametrize("direction", ["LR", "TB"])
@pytest.mark.parametrize("fold", [None, 8])
@pytest.mark.parametrize("seed", range(40))
def test_the_laws_of_layout(seed: int, fold: int | None, direction: Any) -> None:
    """Nothing overlaps, all arrows point forward, and everything lies in its box."""
    drawing = ta.draw(random_graph(seed), fold=fold, direction=direction, parameters="apart" if seed % 2 else "inside")
    from tinygrad_act.drawing.svg import size_of

    where = layout.placed(drawing.layout, lambda item: size_of(item, drawing.inside), direction)
    parents = {part: box for box in drawing.root.boxes() for part in box.parts}
    assert set(where.rectangles) == {part for part in where.rectangles if part is drawing.root or part in parents}
    assert visible(drawing.root) <= (fold or 10**9)
    for item, (x, y, width, height) in where.rectangles.items():
        if item is not drawing.root:
            left, top, room, depth = where.rectangles[parents[item]]
            assert left <= x + 1e-6
            assert x + width <= left + room + 1e-6
            assert top <= y + 1e-6
            assert y + height <= top + depth + 1e-6
        if isinstance(item, Box):
            inside = [where.rectangles[part] for part in item.parts if part in where.rectangles]
            for i, (a, b, c, d) in enumerate(inside):
                for p, q, r, s in inside[:i]:
                    assert a + c <= p + 1e-6 or p + r <= a + 1e-6 or b + d <= q + 1e-6 or q + s <= b + 1e-6
    forward = 0 if direction == "LR" else 1
    assert where.lines or len(drawing.layout.edges) == 0
    for source, target, points in where.lines:
        begin, end = layout.seen_as(drawing.layout, source), layout.seen_as(drawing.layout, target)
        assert where.rectangles[begin][forward] < where.rectangles[end][forward]
        assert points[-1][forward] == pytest.approx(where.rectangles[end][forward])
        for a, b in itertools.pairwise(points):
            assert a[forward] <= b[forward] + 1e-6


def test_crossings_are_counted() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        above, below = ([layout.Slot(n) for _ in range(int(rng.integers(1, 8)))] for n in (0, 1))
        ends = [(int(rng.integers(len(above))), int(rng.integers(len(below)))) for _ in range(12)]
        for a, b in ends:
            above[a].after.append(below[b])
        wanted = sum((a - c) * (b - d) < 0 for i, (a, b) in enumerate(ends) for c, d in ends[:i])
        assert layout._crossings([above, below]) == wanted


def test_positions_are_the_nearest_that_leave_room() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        n = int(rng.integers(1, 7))
        row = [layout.Slot(0) for _ in range(n)]
        wanted, weights = rng.normal(size=n) * 20, rng.uniform(0.1, 3, n)
        layout._isotonic(row, wanted.tolist(), weights.tolist(), {})
        found = np.array([slot.at for slot in row])
        assert (np.diff(found) >= layout.LINE_GAP - 1e-9).all()
        best = np.sum(weights * (found - wanted) ** 2)
        for _ in range(200):
            other = found + rng.normal(size=n)
            other = np.maximum.accumulate(other - layout.LINE_GAP * np.arange(n)) + layout.LINE_GAP * np.arange(n)
            assert np.sum(weights * (other - wanted) ** 2) >= best - 1e-9


@pytest.mark.parametrize("make", [expression, perceptron])
@pytest.mark.parametrize("kind", ["svg", "dot", "txt"])
def test_small_graphs_are_drawn_as_they_were(make: Any, kind: str, tmp_path: Path) -> None:
    path = ta.draw(make()).save(tmp_path / f"{make.__name__}.{kind}")
    assert path.read_text(encoding="utf-8") == (GOLDEN / path.name).read_text(encoding="utf-8")


def test_a_picture_does_not_depend_on_the_hash_seed() -> None:
    code = "import sys; sys.path[:0] = ['tests']; import test_drawing as t; print(t.ta.draw(t.random_graph(5)).svg)"
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    ]
    assert runs[0] == runs[1] == runs[2]
    assert runs[0].startswith(b"<svg")


def test_options_that_do_not_exist_are_refused() -> None:
    y = Tensor(1.0) * 2
    for option in ({"direction": "RL"}, {"parameters": "near"}, {"edges": "args"}, {"fold": 0}, {"fold": -1}):
        with pytest.raises(ValueError, match=next(iter(option))):
            ta.draw(y, **option)
    with pytest.raises(ValueError, match="engine='cairo': it is 'own' or 'dot'"):
        ta.draw(y).save("y.svg", engine="cairo")


def test_a_graph_may_fold_into_one() -> None:
    drawing = ta.draw(scalars(20), fold=1)
    assert visible(drawing.root) == 1
    assert str(drawing).count("\n") == 2
    assert "(one for all)" in drawing.notes[0]


def test_a_picture_keeps_what_it_was_made_of() -> None:
    model = nn.Sequential(nn.Linear(2, 1, rng=np.random.default_rng(0)))
    loss = np.sum(model(np.ones((1, 2))) ** 2)
    loss.backward()
    drawing = ta.draw(loss)
    before = str(drawing)
    ta.optim.SGD(model.parameters(), lr=0.1).step()
    model.zero_grad()
    assert str(drawing) == before
    again = np.sum(model(np.ones((1, 2))) ** 2)
    again.backward()
    changed = {v.title for v in drawing.diff(ta.draw(again)).marks}
    assert {"weight", "bias", "affine", "power", "sum"} <= changed


def test_nan_is_the_same_as_nan() -> None:
    drawing = ta.draw(Tensor(np.nan, name="n") * 2)
    assert drawing.diff(drawing).marks == {}


def test_a_changed_gradient_is_a_change() -> None:
    w = Tensor(2.0, name="w")
    y = w * 3
    before = ta.draw(y)
    y.backward()
    assert set(before.diff(ta.draw(y)).marks.values()) == {"≠"}


def test_a_penalty_on_weights_is_no_call_of_their_modules() -> None:
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(4, 8, rng=rng), ta.relu, nn.Linear(8, 3, rng=rng))
    loss = ta.cross_entropy(model(np.ones((2, 4))), np.array([0, 1]))
    whole = loss + 1e-3 * sum(np.sum(p**2) for p in model.parameters())
    boxes = {box.title: [p.title for p in box.parts] for box in ta.draw(whole).root.boxes()}
    assert boxes["layers"] == ["0", "relu", "2"]
    assert "cross_entropy" in boxes[""]


def test_no_two_have_one_name_in_a_listing() -> None:
    listed = str(ta.draw(Tensor(1.0, name="x") * Tensor(2.0, name="x") + Tensor(3.0, name="x_2")))
    assert "multiply(x, x_3)" in listed
    assert "add(multiply, x_2)" in listed


def test_functions_take_numbers_and_return_containers() -> None:
    assert titles(ta.draw(lambda x: x**2, 2)) == ["x", "constant", "power"]
    assert titles(ta.draw(lambda x: {"y": x * x}, np.float32(2))) == ["x", "multiply"]
    with pytest.raises(TypeError, match=r"draw\(\) has called <lambda>, which returned no Tensor but NoneType"):
        ta.draw(lambda x: None, 2.0)


def test_the_picture_has_no_ids_no_style_sheets_and_no_references() -> None:
    svg = ta.draw(perceptron()).svg
    assert not re.search(r"\bid=|<style|href|url\(|class=", svg)
    assert 'style="max-width:100%;height:auto"' in svg
    bundle = ta.draw(perceptron())._repr_mimebundle_()
    assert bundle.keys() == {"text/plain", "image/svg+xml"}


def test_runs_of_the_same_are_merged_when_a_graph_is_large() -> None:
    for make, title in ((lambda: Recurrent(3)(400), "cell"), (lambda: Residual(3, 400)(np.ones((2, 3))), "add")):
        y = make()
        start = time.perf_counter()
        drawing = ta.draw(y)
        svg = drawing.svg
        assert time.perf_counter() - start < 5
        assert visible(drawing.root) < 40
        assert any(title in box.title and "×39" in box.title and box.folded for box in drawing.root.boxes())
        assert "fold=None draws all" in drawing.notes[0]
        assert len(svg) < 60_000
        total = len([v for v in drawing.graph.vertices if v not in drawing.inside])
        assert f"graph has {total:,} nodes" in drawing.notes[0]


def test_a_large_graph_without_modules_shows_its_end() -> None:
    drawing = ta.draw(scalars(3000), fold=50)
    assert visible(drawing.root) == 50
    assert any(box.title.endswith(" before") for box in drawing.root.boxes())


def test_all_of_a_graph_is_drawn_on_request() -> None:
    y = scalars(400)
    drawing = ta.draw(y, fold=None)
    assert visible(drawing.root) > 200
    assert drawing.notes == ["no gradients yet: they are there after backward()"]


def test_a_chain_of_20_000_ops_is_drawn_without_recursion() -> None:
    y = Tensor(1.0)
    for _ in range(10_000):
        y = ta.tanh(y) * 1.5
    assert visible(ta.draw(y).root) <= 200


def test_shared_vertices_do_not_multiply() -> None:
    y = Tensor(1.0)
    for _ in range(40):
        y = y + y
    assert len(ta.draw(y).graph.vertices) == 41


def test_an_error_shows_the_graph_so_far() -> None:
    layer = nn.Sequential(nn.Linear(3, 4), nn.Linear(5, 2))
    with pytest.raises(ValueError, match="not aligned") as raised:
        layer(np.ones((2, 3)))
    drawing = ta.draw(raised.value)
    assert "failed here" in str(drawing)
    assert [v.title for v in drawing.graph.roots] == ["affine"]
    assert drawing.svg.count("affine") >= 2


def test_an_error_of_another_kind_shows_it_too() -> None:
    class Broken(ta.Op):
        """Raises what has a constructor of its own."""

        def forward(self, x: Any) -> Any:
            raise OverflowError("too much")

    with pytest.raises(OverflowError) as raised:
        Broken()(Tensor(1.0, name="w") * 2)
    assert [v.title for v in ta.draw(raised.value).graph.vertices] == ["w", "constant", "multiply", "broken"]


def test_a_diff_marks_what_changed() -> None:
    w = Tensor(np.ones(2), name="w")
    one, two = ta.draw(np.sum(ta.relu(w * 2))), ta.draw(np.sum(ta.tanh(w * 3)))
    diff = one.diff(two)
    marks = {v.title: mark for v, mark in diff.marks.items()}
    assert marks == {"multiply": "≠", "constant": "≠", "tanh": "+", "sum": "≠"}
    assert "− relu: 2 float64" in diff.notes
    assert "+ tanh" in " ".join(texts(diff))
    assert "+ tanh(multiply)" in str(diff)
    assert one.diff(one).marks == {}


@pytest.mark.parametrize("kind", ["svg", "html", "txt"])
def test_saved_without_any_program(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "graphviz", None)
    text = ta.draw(Tensor(1.0, name="größe") * 2).save(tmp_path / f"graph.{kind}").read_text(encoding="utf-8")
    assert "größe" in text
    if kind == "html":
        assert "default-src 'none'" in text


def test_without_programs_it_is_said_what_would_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawing = ta.draw(expression())
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(export, "find_spec", lambda name: None)
    for kind, helps in (("png", "pip install 'tinygrad_act[png]'"), ("pdf", "apt-get install graphviz")):
        with pytest.raises(RenderError, match=re.escape(helps)) as raised:
            drawing.save(tmp_path / f"graph.{kind}")
        assert f"cannot write graph.{kind}" in str(raised.value)
        assert 'save("graph.svg")' in str(raised.value)
    with pytest.raises(RenderError, match="looked for"):
        drawing.save(tmp_path / "graph.svg", engine="dot")
    with pytest.raises(ValueError, match=r"ends in \.svg, \.html"):
        drawing.save(tmp_path / "graph.bmp")


def test_png_by_resvg_and_no_more_pixels_than_can_be_read(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py", reason="PNG needs the extra tinygrad_act[png]")
    picture = ta.draw(expression()).save(tmp_path / "graph.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    width, height = (int.from_bytes(picture[i : i + 4], "big") for i in (16, 20))
    assert 400 < width < 4000
    assert width * height < export.MOST_PIXELS
    with pytest.raises(RenderError, match="too many to be read"):
        ta.draw(scalars(1000), fold=None).save(tmp_path / "large.png")


def fake_dot(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_the_program_dot_is_used_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYGRAD_ACT_DOT", fake_dot(tmp_path / "dot", 'echo "$1"; cat'))
    monkeypatch.setattr(export, "find_spec", lambda name: None)
    drawing = ta.draw(expression())
    own, dot = {"engine": "own"}, {"engine": "dot"}
    for name, engine, option in (("a.pdf", own, "-Tpdf"), ("a.png", own, "-Tpng"), ("a.svg", dot, "-Tsvg")):
        text = drawing.save(tmp_path / name, **engine).read_text()
        assert text.startswith(f"{option}\ndigraph")
    with pytest.raises(RenderError, match="too many to be read"):  # before the program is started
        ta.draw(scalars(1000), fold=None).save(tmp_path / "large.png")
    monkeypatch.setenv("TINYGRAD_ACT_DOT", fake_dot(tmp_path / "dot", "echo broken >&2; exit 3"))
    with pytest.raises(RenderError, match="failed: broken"):
        drawing.save(tmp_path / "a.pdf")


def test_modules_are_clusters_in_dot() -> None:
    source = ta.draw(perceptron()).to_graphviz().source
    assert len(re.findall(r'subgraph "?cluster_', source)) == 3
    assert source.count(" -> ") == len(shown(ta.draw(perceptron())))
    labelled = ta.draw(perceptron(), edges="shape").to_graphviz().source
    assert "5×8" in labelled


def test_reading_a_graph_keeps_its_order() -> None:
    for seed in range(20):
        graph = read([random_graph(seed)])
        place: dict[Vertex, int] = {v: i for i, v in enumerate(graph.vertices)}
        assert [v.number for v in graph.vertices] == list(place.values())
        assert all(place[x] < place[v] for v in graph.vertices for x in v.inputs)
