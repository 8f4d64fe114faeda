"""The step-through page: what it is told, and what it does in a real browser."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Browser, Page
from test_drawing import Recurrent, expression, perceptron, random_graph, scalars

import tinygrad_act as ta
from tinygrad_act import Tensor
from tinygrad_act.drawing import StepThrough, layout
from tinygrad_act.drawing.page.data import table
from tinygrad_act.drawing.svg import size_of


def broadcast() -> Tensor:
    """A bias that is added to rows, and used twice."""
    x, b = Tensor(np.ones((4, 3)), name="x"), Tensor([0.1, 0.2, 0.3], name="b")
    return np.sum((x + b) * b)


def test_the_steps_are_forward_in_order_and_backward_from_the_seed() -> None:
    page = ta.step_through(expression())
    told = [(s["p"], page.data["nodes"][s["n"]]["t"]) for s in page.data["steps"]]
    middle = told.index((1, "y = multiply"))
    assert [title for phase, title in told[:middle]] == [
        *("a", "b", "multiply", "c", "add", "multiply", "tanh", "y = multiply")
    ]
    assert {title for phase, title in told[middle:]} == {title for _, title in told[:middle]}
    assert all(phase == (i >= middle) for i, (phase, _) in enumerate(told))


def test_a_seed_and_names_are_taken() -> None:
    u = Tensor([1.0, 2.0])
    y = u * 3.0
    page = ta.step_through(y, seed=[1.0, 10.0], names={"u": u}, title="three times")
    assert page.data["nodes"][0]["t"] == "u"
    last = page.data["tables"][page.data["steps"][-1]["g"]]
    assert last["v"] == [[3.0, 30.0]]
    assert "<h1>three times</h1>" in page.html
    assert "u" in [node["t"] for node in ta.step_through(y, seed=[1, 1], names=True).data["nodes"]]
    with pytest.raises(TypeError, match="takes the Tensor to walk back from, like the loss, not ndarray"):
        ta.step_through(np.ones(2))
    with pytest.raises(ValueError, match="seed"):
        ta.step_through(y)


def test_a_backward_step_tells_what_arrives_the_slope_and_what_is_passed_on() -> None:
    x = Tensor([0.5, -1.0], name="x")
    data = ta.step_through(ta.tanh(x), seed=[1.0, 10.0]).data
    step = next(s for s in data["steps"] if s["p"] and "o" in s)
    arrives, slope, passed = (data["tables"][i]["v"][0] for i in (step["g"], step["d"], step["o"][0]["g"]))
    assert arrives == [1.0, 10.0]
    np.testing.assert_allclose(slope, 1 - np.tanh(x.data) ** 2, rtol=1e-3)
    np.testing.assert_allclose(passed, np.array(arrives) * slope, rtol=1e-3)


def test_steps_that_do_not_lead_to_the_gradient_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from tinygrad_act.drawing.page import page as module

    def wrong(graph: Any, seed: Any) -> Any:
        steps = steps_of(graph, seed)
        steps[-1].incoming = steps[-1].incoming + 1
        return steps

    steps_of = module.steps_of
    monkeypatch.setattr(module, "steps_of", wrong)
    with pytest.raises(RuntimeError, match="do not lead to the gradient of"):
        ta.step_through(expression())


@pytest.mark.parametrize(
    ("x", "v", "short"),
    [
        (np.float32(0.12345678), [[0.1235]], None),
        (np.array([1.0, np.nan, -np.inf]), [[1.0, "nan", "-inf"]], None),
        (np.arange(8.0), [[0.0, 1.0, 2.0, 3.0, None, 7.0]], "0 … 7, mean 3.5, 12 % zero"),
        (np.zeros((0, 2)), [], "empty"),
        ("up", [], "up"),
    ],
)
def test_tables_are_cut_and_say_so(x: Any, v: Any, short: str | None) -> None:
    made = table(x)
    assert made["v"] == v
    assert made.get("m") == short
    json.dumps(made, allow_nan=False)


def test_the_largest_float_and_integers_are_told() -> None:
    made = table(np.array([np.finfo(float).max, 1.0]))
    json.dumps(made, allow_nan=False)
    assert made["v"][0][0] == np.finfo(float).max
    assert table(np.array([[3, 7], [-9, 1]]))["h"] == 9.0


def test_large_tables_are_cut_both_ways() -> None:
    made = table(np.arange(10_000.0).reshape(20, 50, 10))
    assert [row[0] for row in made["v"]] == [0.0, 10.0, 20.0, 30.0, None, 9990.0]
    assert made["k"] == "20×50×10 float64"
    assert made["h"] == 9999.0


def test_the_page_is_one_small_file() -> None:
    html = ta.step_through(perceptron()).html
    assert len(html.encode()) < 60_000
    assert not re.search(r"(src|href)\s*=|url\(|@import|https?://(?!www\.w3\.org/)", html)
    assert "default-src 'none'" in html
    evil = Tensor(1.0, name="</script><b>") * 2
    assert "</script><b>" not in ta.step_through(evil).html


def test_formulas_are_plain_text_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "latex2mathml.converter", None)
    page = ta.step_through(expression())
    assert "<code>y = a b</code>" in page.data["formulas"]
    assert "pip install 'tinygrad_act[page]'" in page.data["note"]


def test_large_graphs_step_by_module() -> None:
    page = ta.step_through(Recurrent(3)(400))
    assert len(page.data["steps"]) < 60
    assert len(page.html) < 150_000
    merged = [box for box in page.data["boxes"] if "×39" in box["t"]]
    assert merged
    assert all(box.get("closed") for box in merged)
    medium = ta.step_through(Recurrent(3)(60))
    assert len(medium.data["steps"]) < 120
    assert any("×5" in box["t"] and not box.get("closed") and box["f"] for box in medium.data["boxes"])


def test_it_shows_itself_in_a_notebook() -> None:
    shown = ta.step_through(expression())._repr_html_()
    assert shown.startswith('<iframe sandbox="allow-scripts"')
    assert "16 steps" in repr(ta.step_through(expression()))


# ---- in the browser


def opened(browser: Browser, page: StepThrough, tmp_path: Path, **how: Any) -> Page:
    return browser.open(page.save(tmp_path / "page.html"), **how)


def where(page: Page) -> str:
    return str(page.text("#where"))


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_the_page_lays_out_as_python_does(browser: Browser, tmp_path: Path, direction: Any) -> None:
    for make in (expression, perceptron, lambda: Recurrent(3)(4), *(lambda s=s: random_graph(s) for s in range(8))):
        made = ta.step_through(make(), direction=direction)
        from tinygrad_act.drawing.labels import drawn_inside
        from tinygrad_act.drawing.modules import boxed

        graph, inside = made.graph, drawn_inside(made.graph, "inside")
        root = boxed(graph, inside, None)
        edges = [(x, v) for v in graph.vertices for x in v.inputs if x not in inside]
        with opened(browser, made, tmp_path) as page:
            for folded in (False, True):
                boxes = list(root.boxes())
                for box in boxes[2::2]:
                    box.folded = folded
                arranged = layout.arranged(root, edges, closed=False)
                order = list(arranged.arrangements)
                wanted = layout.placed(arranged, lambda item, inside=inside: size_of(item, inside), direction)
                shut = [i for i, box in enumerate(order) if box.folded]
                found = page.evaluate(
                    f"(() => {{ boxes.forEach((b, i) => {{ b.f = {shut}.includes(i) ? 1 : 0 }}); "
                    f"const p = placed(boxes, nodes, edges, '{direction}'); "
                    "return [[...p.rectangles], p.lines] })()"
                )
                number = {box: -1 - i for i, box in enumerate(order)} | {v: v.number for v in graph.vertices}
                rectangles = {number[item]: r for item, r in wanted.rectangles.items()}
                assert {item for item, _ in found[0]} == set(rectangles)
                for item, r in found[0]:
                    np.testing.assert_allclose(r, rectangles[item], atol=1e-6)
                seen = layout.to_be_seen(arranged)
                assert [(a, b) for a, b, _ in found[1]] == [(number[a], number[b]) for a, b, _ in seen]
                ends = [points[-1] for *_, points in wanted.lines]
                np.testing.assert_allclose([points[-1] for *_, points in found[1]], ends, atol=1e-6)


def test_keys_buttons_slider_and_address_step(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, ta.step_through(expression()), tmp_path) as page:
        assert where(page) == "step 1 of 16 · forward"
        page.key("ArrowRight")
        page.click("#next")
        assert where(page) == "step 3 of 16 · forward"
        assert page.text("#details h2").strip() == "multiply"
        assert page.evaluate("document.querySelectorAll('.edge.forward').length") == 2
        page.key("End")
        assert where(page) == "step 16 of 16 · backward"
        page.click("#back")
        page.key("Home")
        page.click("#last")
        page.key("ArrowLeft")
        assert where(page) == "step 15 of 16 · backward"
        assert page.evaluate("location.hash") == "#step=15"
        page.evaluate("location.hash = '#step=9'")
        page.wait_for("document.getElementById('where').textContent.startsWith('step 9 ')")
        assert page.evaluate("document.querySelectorAll('.edge.backward').length") == 2
        page.evaluate("document.getElementById('slider').value = 4")
        page.evaluate("document.getElementById('slider').dispatchEvent(new Event('input'))")
        assert where(page) == "step 5 of 16 · forward"
        page.click("#play")
        assert page.text("#play") == "pause"
        page.wait_for("document.getElementById('where').textContent.startsWith('step 6 ')")
        page.key(" ")
        assert page.text("#play") == "play"
        assert page.messages == []
        assert page.requests == []


def test_a_link_opens_at_its_step(browser: Browser, tmp_path: Path) -> None:
    path = ta.step_through(expression()).save(tmp_path / "page.html")
    with browser.open(f"{path.as_uri()}#step=12") as page:
        assert where(page) == "step 12 of 16 · backward"


def test_a_node_is_clicked_to_jump_and_a_module_to_fold(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, ta.step_through(perceptron()), tmp_path) as page:
        shown = "document.querySelectorAll('.node').length"
        before = page.evaluate(shown)
        page.click(".node[aria-label^='relu'] text.title")
        assert page.text("#details h2").strip() == "relu"
        page.key("End")
        page.click(".node[aria-label^='relu'] text.title")
        assert "backward" in where(page)
        assert page.text("#details h2").strip() == "relu"
        page.click(".box [aria-label='fold 0']")
        assert page.evaluate(shown) == before
        assert page.evaluate("document.querySelectorAll('.shut').length") == 1
        page.click(".shut text.title")
        assert page.evaluate("document.querySelectorAll('.shut').length") == 0
        page.key("f")
        assert page.evaluate(shown) == 4
        assert page.text("#fold") == "unfold all"
        page.click("#fold")
        assert page.evaluate(shown) == before
        frame = "document.querySelector('#picture svg').getAttribute('viewBox')"
        upright = page.evaluate(frame)
        page.key("d")
        assert page.evaluate(frame) != upright
        page.click("#turn")
        assert page.evaluate(frame) == upright
        assert page.messages == []


def test_what_is_pointed_at_stands_out_and_tells_more(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, ta.step_through(perceptron()), tmp_path) as page:
        thick = "getComputedStyle(document.querySelector('.node[aria-label^=relu] .frame')).strokeWidth"
        assert page.evaluate(thick) == "1px"
        page.hover(".node[aria-label^='relu'] text.title")
        assert page.evaluate(thick) == "2.5px"
        assert "max" in page.text(".node[aria-label^='relu'] title")


def test_dragging_is_no_click_and_focus_stays(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, ta.step_through(perceptron()), tmp_path) as page:
        box = page.evaluate(
            "(() => { const r = document.querySelector('.node[aria-label^=relu]').getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2] })()"
        )
        before, frame = where(page), "document.querySelector('#picture svg').getAttribute('viewBox')"
        still = page.evaluate(frame)
        page.mouse("mousePressed", *box, button="left", clickCount=1)
        page.mouse("mouseMoved", box[0] + 80, box[1] + 30, button="left", buttons=1)
        page.mouse("mouseReleased", box[0] + 80, box[1] + 30, button="left", clickCount=1)
        assert where(page) == before
        assert page.evaluate(frame) != still
        page.evaluate("document.querySelector('.box [aria-label=\"fold 0\"]').focus()")
        page.key("Enter")
        assert page.evaluate("document.activeElement.classList.contains('shut')")
        page.key(" ")
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "fold 0"
        assert page.text("#play") == "play"


def test_a_frame_may_have_no_size_yet(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, ta.step_through(Recurrent(3)(12)), tmp_path) as page:
        frame = "document.querySelector('#picture svg').getAttribute('viewBox')"
        before = page.evaluate(frame)
        page.evaluate("document.getElementById('picture').style.display = 'none'")
        page.evaluate("go(100)")
        assert page.evaluate(frame) == before
        page.evaluate("document.getElementById('picture').style.display = ''")
        page.evaluate("go(101)")
        assert page.evaluate(frame) != before
        assert all(np.isfinite(float(x)) for x in page.evaluate(frame).split())


def test_names_cannot_end_the_script(browser: Browser, tmp_path: Path) -> None:
    for name in ("<!--<script>", "</script>", "]]>", "&lt;", "a\u2028b"):
        with opened(browser, ta.step_through(Tensor(np.ones(2), name=name) * 2, seed=[1, 1]), tmp_path) as page:
            assert page.evaluate("document.querySelectorAll('.node').length") == 2
            assert page.messages == []


def test_steps_of_an_unfolded_box_mark_what_is_in_it(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, ta.step_through(scalars(260)), tmp_path) as page:
        page.click(".shut text.title")
        page.key("Home")
        for _ in range(6):
            assert page.evaluate("document.querySelectorAll('.node.forward').length") >= 1
            page.key("ArrowRight")


def test_sums_over_axes_and_uses_are_told(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, ta.step_through(broadcast()), tmp_path) as page:
        told = ""
        for _ in range(12):
            told += page.text("#details")
            page.key("ArrowRight")
        assert "summed over axis 0: 4×3 → 3" in told
        assert "second use: added to what has come before" in told
        assert page.evaluate("document.querySelectorAll('#details table').length") >= 1
    x = Tensor(0.5, name="x")
    with opened(browser, ta.step_through(x * 0.3 + x * 0.1), tmp_path) as page:
        told = ""
        for _ in range(9):
            told += page.text("#details")
            page.key("ArrowRight")
        assert "second use: 0.1 + 0.3 = 0.4" in told or "second use: 0.3 + 0.1 = 0.4" in told


def test_formulas_are_mathematics(browser: Browser, tmp_path: Path) -> None:
    pytest.importorskip("latex2mathml", reason="formulas as MathML need the extra tinygrad_act[page]")
    with opened(browser, ta.step_through(expression()), tmp_path) as page:
        page.evaluate("location.hash = '#step=9'")
        page.wait_for("document.querySelectorAll('#details math').length === 2")


def test_it_can_be_read_on_a_phone_in_the_dark_and_by_ear(browser: Browser, tmp_path: Path) -> None:
    made = ta.step_through(perceptron())
    with opened(browser, made, tmp_path, width=390, height=780, dark=True) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 23, 30)"
        boxes = page.evaluate(
            "['picture','details'].map(id => document.getElementById(id).getBoundingClientRect().height)"
        )
        assert min(boxes) > 120
        heard = page.accessibility()
        assert ("slider", "step") in [(role, name) for role, name in heard]
        buttons = [name for role, name in heard if role == "button"]
        assert any(name.startswith("relu, 5×8 float64") for name in buttons)
        assert "fold layers" in buttons
        focused = "document.activeElement.getAttribute('aria-label') || document.activeElement.id"
        for _ in range(40):
            page.key("Tab")
            if str(page.evaluate(focused)).startswith("relu"):
                break
        page.key("Enter")
        assert page.text("#details h2").strip() == "relu"


def test_a_large_page_works(browser: Browser, tmp_path: Path) -> None:
    for make in (lambda: Recurrent(3)(40), lambda: Recurrent(3)(300), lambda: scalars(250)):
        with opened(browser, ta.step_through(make()), tmp_path) as page:
            page.key("End")
            assert "backward" in where(page)
            page.key("f")
            page.key("f")
            assert page.messages == []


def test_it_runs_in_the_frame_of_a_notebook(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "notebook.html"
    path.write_text(
        f"<!doctype html><title>cell</title>{ta.step_through(expression())._repr_html_()}", encoding="utf-8"
    )
    with browser.open(path) as page:
        page.click_at(300, 560)
        assert [m for m in page.messages if m.kind in ("error", "exception")] == []
