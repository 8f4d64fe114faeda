from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import browser as module
import pytest
from browser import Browser, BrowserError, JavaScriptError, Message, Page

# A strict policy, under which only the inline script and the one other file are let through.
HTML = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title>
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; script-src 'unsafe-inline' file:; style-src 'unsafe-inline'">
<style>
  body { margin: 0; background: rgb(255, 255, 255); scroll-behavior: smooth }
  @media (prefers-color-scheme: dark) { body { background: rgb(10, 20, 30); color: white } }
  #low { margin-top: 3000px } #over { position: relative; top: -20px; height: 20px; background: gray }
</style>
<h1>Heading <em>one</em></h1>
<button id="press">Press me</button> <input id="field" aria-label="A field">
<svg width="50" height="20"><text id="svg" y="15">drawn</text></svg>
<div id="under" style="height: 20px">under</div><div id="over"></div>
<p id="gone" hidden>hidden</p>
<button id="low">Far below</button>
<script>
  const seen = [];
  const note = e => seen.push([e.type, e.target.id, e.key ?? "", e.isTrusted].join(" "));
  for (const type of ["click", "mouseover", "keydown"]) document.addEventListener(type, note);
  console.log("hello", 1, {a: 2});
</script>
<script src="other.js"></script>"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a page #1")
    (folder / "other.js").write_text('console.warn("from the other")')
    (folder / "page.html").write_text(HTML)
    return folder / "page.html"


@pytest.fixture
def page(browser: Browser, path: Path) -> Iterator[Page]:
    with browser.open(path) as page:
        yield page


@pytest.fixture(scope="module")
def still(browser: Browser, path: Path) -> Iterator[Page]:
    """For the tests that do not mind one another."""
    with browser.open(path) as page:
        yield page


def size(png: Path) -> tuple[int, int]:
    data = png.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def test_messages(page: Page) -> None:
    assert page.messages == [Message("log", "hello 1 Object"), Message("warning", "from the other")]
    page.evaluate("void setTimeout(() => { throw new TypeError('oh') })")
    page.evaluate("new Promise(done => setTimeout(done, 5))")
    assert page.messages[2].kind == "exception"
    assert page.messages[2].text.startswith("TypeError: oh")
    assert page.evaluate("alert('look')") is None
    assert page.messages[3] == ("alert", "look")


def test_requests(still: Page, path: Path) -> None:
    assert still.requests == [path.with_name("other.js").as_uri()]
    assert still.evaluate("fetch('https://example.com/').catch(e => e.name)") == "TypeError"
    assert "Content Security Policy" in still.messages[-2].text


# Each asks in another way; the page has no policy that stops it.
WAYS = """new Image().src = at("image"); fetch(at("fetch")).catch(() => 0); navigator.sendBeacon(at("beacon"))
new WebSocket("wss://example.com/socket"); document.querySelector("a").href = at("window")
document.querySelector("iframe").src = at("frame"); import(at("module")).catch(() => 0)
document.head.append(Object.assign(document.createElement("link"), {rel: "stylesheet", href: at("style")}))
document.head.append(Object.assign(document.createElement("link"), {rel: "prefetch", href: at("prefetch")}))
document.body.style.background = `url(${at("background")})`
new Image().src = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
"""


def test_every_way_to_ask_is_seen(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        f"""<!doctype html><title>x</title><a target="_blank">out</a><iframe></iframe>
        <script>addEventListener("load", () => {{
        const at = name => "https://example.com/" + name; {WAYS} }})</script>"""
    )
    with browser.open(tmp_path / "page.html") as page:
        page.click("a")
        end = time.monotonic() + 2
        while len(page.requests) < 10 and time.monotonic() < end:
            time.sleep(0.01)
        names = "background beacon fetch frame image module prefetch socket style window"
        assert sorted(url.rpartition("/")[2] for url in page.requests) == names.split()
        page.call("Page.navigate", url="https://example.com/elsewhere")
        assert "https://example.com/elsewhere" in page.requests


def test_what_cannot_be_opened(browser: Browser) -> None:
    with pytest.raises(BrowserError, match=r"https://example\.com/: .*ERR_NAME_NOT_RESOLVED"):
        browser.open("https://example.com/")


def test_mouse(still: Page) -> None:
    still.evaluate("void (seen.length = 0)")
    still.hover("#press")
    still.click("#low")
    x, y = still.evaluate("(b => [b.x + 1, b.y + 1])(document.querySelector('#low').getBoundingClientRect())")
    still.click_at(x, y)
    seen = still.evaluate("seen")  # also of what was scrolled under the mouse
    assert seen[0] == "mouseover press  true"
    assert "mouseover low  true" in seen
    assert [event for event in seen if event.startswith("click")] == ["click low  true"] * 2
    assert still.evaluate("scrollY") > 2000


@pytest.mark.parametrize(
    ("selector", "why"),
    [("#none", "nothing matches #none"), ("#gone", "takes no room"), ("#under", 'covered by <div id="over">')],
)
def test_what_cannot_be_clicked(still: Page, selector: str, why: str) -> None:
    with pytest.raises(JavaScriptError, match=why):
        still.click(selector)


def test_keys(page: Page) -> None:
    page.key("Tab")
    for key in ("Enter", "Space"):
        page.key(key)
    assert page.evaluate("seen.filter(s => s[0] == 'c')") == ["click press  true"] * 2
    page.key("Tab")
    page.evaluate("void (seen.length = 0)")
    for key in ["a", "B", "+", "7", "Space", "é", "Home", "ArrowRight", "Shift+x", "End", "Escape", "Backspace"]:
        page.key(key)
    assert page.evaluate("document.activeElement.value") == "aXB+7 "
    keys = ["a", "B", "+", "7", " ", "é", "Home", "ArrowRight", "X", "End", "Escape", "Backspace"]
    assert page.evaluate("seen") == [f"keydown field {key} true" for key in keys]
    page.key("Control+a")
    page.key("Delete")
    assert page.evaluate("document.activeElement.value") == ""
    page.key("Shift+Tab")
    assert page.evaluate("document.activeElement.id") == "press"
    with pytest.raises(ValueError, match="no key 'Hyper'"):
        page.key("Hyper")


def test_media_size_and_screenshot(browser: Browser, still: Page, path: Path, tmp_path: Path) -> None:
    asked = "['(prefers-color-scheme: dark)', '(prefers-reduced-motion: reduce)'].map(q => matchMedia(q).matches)"
    assert still.evaluate(asked) == [False, False]
    still.screenshot(tmp_path / "a.png")
    assert size(tmp_path / "a.png") == (1200, 800)
    with browser.open(path, width=500, height=400, dark=True, reduced_motion=True) as page:
        assert page.evaluate(asked) == [True, True]
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(10, 20, 30)"
        page.resize(400, 300, mobile=True)
        assert page.evaluate("matchMedia('(pointer: coarse)').matches")
        page.resize(300, 200)
        assert page.evaluate("[innerWidth, innerHeight, matchMedia('(pointer: coarse)').matches]") == [300, 200, False]
        page.screenshot(tmp_path / "b.png")
        assert size(tmp_path / "b.png") == (300, 200)


def test_evaluate(still: Page) -> None:
    assert still.evaluate("Promise.resolve({a: [1, null, 'é']})") == {"a": [1, None, "é"]}
    assert still.evaluate("-Infinity") == -float("inf")
    assert still.evaluate("undefined") is None
    for wrong in ("nowhere.x", "Promise.reject(new ReferenceError('r'))"):
        with pytest.raises(JavaScriptError, match="ReferenceError"):
            still.evaluate(wrong)
    with pytest.raises(JavaScriptError, match="SyntaxError"):
        still.evaluate("1 +")


def test_waiting(still: Page) -> None:
    still.evaluate("void setTimeout(() => window.late = {x: 3}, 50)")
    assert still.wait_for("late.x") == 3
    with pytest.raises(BrowserError, match=r"(?s)waited 0\.05 s in vain for never, .* never is not defined.*hello 1"):
        still.wait_for("never", seconds=0.05)


def test_a_hung_page_closes_and_nothing_is_stored_for_the_next(browser: Browser, path: Path) -> None:
    with browser.open(path) as hung:
        hung.evaluate("void (localStorage.x = 1)")
        with pytest.raises(BrowserError, match=r"waited 0\.1 s in vain for Runtime\.evaluate .*while"):
            hung.evaluate("(() => { while (true); })()", seconds=0.1)
    with pytest.raises(BrowserError, match="closed"):
        hung.evaluate("1")
    with browser.open(path) as page:
        assert page.evaluate("localStorage.x") is None


def test_a_crash_is_told(browser: Browser, path: Path) -> None:
    with browser.open(path) as page:
        page.call("Page.navigate", url="chrome://crash")
        with pytest.raises(BrowserError, match=r"page\.html crashed"):
            page.wait_for("false")


def test_text_and_accessibility(still: Page) -> None:
    assert still.text("h1") == "Heading one"
    assert still.text("#svg") == "drawn"
    tree = still.accessibility()
    assert tree[0] == ("RootWebArea", "A page")
    wanted = [("heading", "Heading one"), ("button", "Press me"), ("textbox", "A field"), ("button", "Far below")]
    assert [pair for pair in tree if pair in wanted] == wanted
    assert "hidden" not in [name for _, name in tree]


def test_the_end_leaves_nothing(browser: Browser, path: Path) -> None:
    with Browser(module.find_browser() or "") as other:
        folder, pid = other._folder, other.process.pid
        os.kill(pid, 9)
        with pytest.raises(BrowserError, match="the browser has ended"):
            other.open(path)
    assert not folder.exists()
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, 0)
    other.close()
    with pytest.raises(BrowserError, match="the browser has ended"):
        other.open(path)


def test_what_does_not_start_tells_why(tmp_path: Path) -> None:
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\necho no such luck >&2; exit 1\n")
    broken.chmod(0o700)
    with pytest.raises(BrowserError, match="the browser has ended: no such luck"):
        Browser(str(broken))
    with pytest.raises(BrowserError, match=r"the browser has ended: .*not found"):
        Browser(str(tmp_path / "none"))


def test_without_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_browser", lambda: None)
    monkeypatch.delenv("TINYGRAD_ACT_NEEDS_BROWSER", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no browser: apt-get install chromium"):
        module.start()
    monkeypatch.setenv("TINYGRAD_ACT_NEEDS_BROWSER", "1")
    with pytest.raises(pytest.fail.Exception, match="no browser: apt-get install chromium"):
        module.start()
