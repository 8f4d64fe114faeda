"""A real Chromium without a window, for the tests of pages: the DevTools protocol over a pipe, nothing to install."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

import pytest

NO_BROWSER = "no browser: apt-get install chromium"
PATIENCE = 20.0  # seconds for an answer that should take milliseconds
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"]
FLAGS += ["--disable-crash-reporter", "--no-proxy-server", "--remote-debugging-pipe"]
FLAGS += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"]  # no net
MODIFIERS = {"Alt": 1, "Control": 2, "Meta": 4, "Shift": 8}
KEYS = {"Backspace": 8, "Tab": 9, "Enter": 13, "Escape": 27, "Space": 32, "PageUp": 33, "PageDown": 34, "End": 35}
KEYS |= {"Home": 36, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Delete": 46}
FIND = """(selector => {
    const element = document.querySelector(selector);
    if (!element) throw new Error(`nothing matches ${selector}`);
    return element;
})"""
CENTRE = """element => {
    element.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
    const box = element.getClientRects()[0];
    const name = element.cloneNode().outerHTML;
    if (!box || !box.width && !box.height) throw new Error(`takes no room: ${name}`);
    const x = box.x + box.width / 2, y = box.y + box.height / 2, hit = document.elementFromPoint(x, y);
    if (!element.contains(hit)) throw new Error(`${name} is covered by ${hit?.cloneNode().outerHTML}`);
    return [x, y];
}"""


class BrowserError(Exception):
    """The browser or the page did not do what was asked."""


class JavaScriptError(BrowserError):
    """What was evaluated threw."""


class Message(NamedTuple):
    """Of the console ("log", "warning", "error"), the browser (the same and "info"), an "exception" or a dialog."""

    kind: str
    text: str


def find_browser() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def start() -> Browser:
    """A running browser. Without one the test is skipped, or fails where TINYGRAD_ACT_NEEDS_BROWSER is set."""
    if program := find_browser():
        return Browser(program)
    return (pytest.fail if os.environ.get("TINYGRAD_ACT_NEEDS_BROWSER") else pytest.skip)(NO_BROWSER)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with start() as running:
        yield running


class Browser:
    """The process. It ends with `close` or the `with`; also when the tests are killed, as its pipe then closes."""

    def __init__(self, program: str) -> None:
        self.pages: dict[str, Page] = {}  # by session
        self._answers: dict[int, Any] = {}  # None until it is there
        self._calls, self._rest = 0, b""
        self._folder = Path(tempfile.mkdtemp(prefix="browser-"))
        home = dict.fromkeys(("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), str(self._folder))
        with open(self._folder / "log", "wb") as log:
            # The shell makes our pipes its 3 and 4, and becomes the browser.
            command = ["/bin/sh", "-c", 'exec "$0" "$@" 3<&0 4>&1 </dev/null >&2', program, *FLAGS, "about:blank"]
            command.append(f"--user-data-dir={self._folder / 'profile'}")
            pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log, "bufsize": 0}
            self.process = subprocess.Popen(command, env=os.environ | home, start_new_session=True, **pipes)
        self._to, self._from = (p.fileno() for p in (self.process.stdin, self.process.stdout) if p)
        try:
            self.call("Target.setDiscoverTargets", seconds=60, discover=True)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ask it to end, kill what is left, and remove its files."""
        if not self._folder.exists():
            return
        with self.process:  # which closes the pipes and waits
            with contextlib.suppress(BrowserError, subprocess.TimeoutExpired):
                self.call("Browser.close", seconds=2)
                self.process.wait(2)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self._to = self._from = -1  # no file
        self.pages.clear()
        end = time.monotonic() + PATIENCE
        while self._folder.exists():  # its helpers may write a moment longer
            shutil.rmtree(self._folder, ignore_errors=time.monotonic() < end)

    def open(
        self,
        path_or_url: str | Path,
        width: int = 1200,
        height: int = 800,
        dark: bool = False,
        reduced_motion: bool = False,
    ) -> Page:
        """A loaded page. It finds no host but localhost. What is stored is gone when any page closes."""
        text = str(path_or_url)
        page = Page(self, text if re.match(r"[a-z]{2,}:", text) else Path(text).resolve().as_uri())
        try:
            page.load(width, height, dark, reduced_motion)
        except BaseException:
            page.close()
            raise
        return page

    def call(self, method: str, seconds: float = PATIENCE, session: str | None = None, **parameters: Any) -> Any:
        """The answer to one command of the protocol. Events that come before it go to their pages."""
        number = self.send(method, session, **parameters)
        self._answers[number] = None
        try:
            self.wait(lambda: self._answers[number], f"{method} {json.dumps(parameters)[:300]}", seconds)
        finally:
            answer = self._answers.pop(number)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def send(self, method: str, session: str | None = None, **parameters: Any) -> int:
        self._calls += 1
        message = {"id": self._calls, "method": method, "params": parameters}
        data = json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0"
        try:
            while data:
                data = data[os.write(self._to, data) :]
        except OSError as error:
            raise self._gone() from error
        return self._calls

    def wait(self, done: Callable[[], object], what: str, seconds: float) -> None:
        """Hear the browser until `done`."""
        end = time.monotonic() + seconds
        while not done():
            if not select.select([self._from], [], [], max(0, end - time.monotonic()))[0]:
                raise BrowserError(f"waited {seconds:g} s in vain for {what}")
            chunk = os.read(self._from, 1 << 20)
            if not chunk:
                raise self._gone()
            *messages, self._rest = (self._rest + chunk).split(b"\0")
            for message in map(json.loads, messages):
                if "id" not in message:
                    self._hear(message["method"], message["params"], message.get("sessionId"))
                elif message["id"] in self._answers:
                    self._answers[message["id"]] = message
            if crash := next((page for page in self.pages.values() if page.crashed), None):
                crash.crashed = False  # to be said once
                raise BrowserError(f"{crash.url} crashed")

    def _hear(self, method: str, parameters: Any, session: str | None) -> None:
        info = parameters.get("targetInfo", {})
        if session in self.pages:
            self.pages[session].event(method, parameters)
        elif method == "Target.detachedFromTarget":
            self.pages.pop(parameters["sessionId"], None)
        elif method in ("Target.targetCreated", "Target.targetInfoChanged"):
            for page in self.pages.values():
                if page.target == info.get("openerId"):
                    page.opened[info["targetId"]] = info["url"]

    def _gone(self) -> BrowserError:
        log = self._folder / "log"
        return BrowserError(f"the browser has ended: {log.read_text(errors='replace')[-2000:] if log.exists() else ''}")


class Page:
    """A tab, with the mouse, the keyboard, and a record of what it said and asked for."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser, self.url = browser, url
        self.opened: dict[str, str] = {}  # what windows it opened show
        self._messages: list[Message] = []
        self._requests: list[str] = []
        self._loaded: set[str] = set()
        self.crashed = False
        self.target: str = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        browser.pages[self._session] = self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it and the windows it opened, and forget what is stored."""
        if self._session in self.browser.pages:
            with contextlib.suppress(BrowserError):
                self.call("Storage.clearDataForOrigin", origin="*", storageTypes="cookies,local_storage,indexeddb")
            for target in (*self.opened, self.target):
                with contextlib.suppress(BrowserError):  # closed already
                    self.browser.call("Target.closeTarget", targetId=target)
            self.browser.wait(lambda: self._session not in self.browser.pages, f"{self.url} to close", PATIENCE)

    def load(self, width: int, height: int, dark: bool, reduced_motion: bool) -> None:
        for domain in ("Page", "Runtime", "Network", "Log", "Inspector"):
            self.call(f"{domain}.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        self.resize(width, height)
        media = {
            "prefers-color-scheme": "dark" if dark else "light",
            "prefers-reduced-motion": "reduce" if reduced_motion else "no-preference",
        }
        self.call("Emulation.setEmulatedMedia", features=[{"name": k, "value": v} for k, v in media.items()])
        went = self.call("Page.navigate", url=self.url)
        if "errorText" in went:
            raise BrowserError(f"{self.url}: {went['errorText']}")
        self.browser.wait(lambda: went["loaderId"] in self._loaded, f"{self.url} to load", PATIENCE)

    def call(self, method: str, seconds: float = PATIENCE, **parameters: Any) -> Any:
        """A command of the protocol, to this page."""
        if self._session not in self.browser.pages:
            raise BrowserError("the page is closed")
        return self.browser.call(method, seconds, self._session, **parameters)

    def event(self, method: str, event: Any) -> None:
        match method:
            case "Runtime.consoleAPICalled":
                values = (a.get("value", a.get("unserializableValue", a.get("description"))) for a in event["args"])
                self._messages.append(Message(event["type"], " ".join(map(str, values))))
            case "Runtime.exceptionThrown":
                self._messages.append(Message("exception", thrown(event["exceptionDetails"])))
            case "Log.entryAdded":
                entry = event["entry"]
                self._messages.append(Message(entry["level"], f"{entry['text']} {entry.get('url', '')}".rstrip()))
            case "Network.requestWillBeSent":
                url = event["request"]["url"]
                itself = url == self.url.partition("#")[0] and event.get("frameId") == self.target
                if not itself and not url.startswith(("data:", "blob:")):
                    self._requests.append(url)
            case "Network.webSocketCreated" | "Network.webTransportCreated":
                self._requests.append(event["url"])
            case "Page.javascriptDialogOpening":
                self._messages.append(Message(event["type"], event["message"]))
                self.browser.send("Page.handleJavaScriptDialog", self._session, accept=True)
            case "Page.lifecycleEvent" if event["name"] == "load":
                self._loaded.add(event["loaderId"])
            case "Inspector.targetCrashed":
                self.crashed = True

    @property
    def messages(self) -> list[Message]:
        """What the console heard so far, what was thrown and not caught, and the dialogs, which are accepted."""
        self.evaluate("0")  # comes after all that was said before
        return list(self._messages)

    @property
    def requests(self) -> list[str]:
        """The URLs asked for so far, also in vain, in frames and new windows; not the page's own, data: or blob:."""
        self.evaluate("0")
        return [*self._requests, *filter(None, self.opened.values())]

    def evaluate(self, expression: str, seconds: float = PATIENCE) -> Any:
        """The value of a JavaScript expression as JSON has it; of a promise, what it comes to."""
        options: dict[str, Any] = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        answer = self.call("Runtime.evaluate", seconds, **options)
        if "exceptionDetails" in answer:
            raise JavaScriptError(f"{thrown(answer['exceptionDetails'])}\nin {expression[:200]}")
        result = answer["result"]
        return float(result["unserializableValue"]) if "unserializableValue" in result else result.get("value")

    def wait_for(self, expression: str, seconds: float = 5) -> Any:
        """The value of the expression, as soon as it is truthy and does not throw."""
        end = time.monotonic() + seconds
        while True:
            try:
                last = value = self.evaluate(expression)
            except JavaScriptError as error:
                last, value = error, None
            if value:
                return value
            if time.monotonic() > end:
                said = "".join(f"\n{kind}: {text}" for kind, text in self._messages)
                raise BrowserError(f"waited {seconds:g} s in vain for {expression}, which is {last!r}{said}")
            time.sleep(0.01)

    def text(self, selector: str) -> str:
        """What can be read in an element; in one of an SVG, all its text."""
        text: str = self._on("e => e.innerText ?? e.textContent", selector)
        return text

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """Input.dispatchMouseEvent: mouseMoved, mousePressed, mouseReleased, mouseWheel."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click_at(self, x: float, y: float) -> None:
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y, button="left", buttons=1, clickCount=1)
        self.mouse("mouseReleased", x, y, button="left", clickCount=1)

    def click(self, selector: str) -> None:
        """Click the middle of an element, scrolled into view. Raises where something else covers it."""
        self.click_at(*self._on(CENTRE, selector))

    def hover(self, selector: str) -> None:
        self.mouse("mouseMoved", *self._on(CENTRE, selector))

    def key(self, name: str) -> None:
        """Press and release "a", "Enter", "Space", "ArrowRight", "Shift+Tab", "Control+a"..."""
        *held, name = re.split(r"(?<=.)\+(?=.)", name)
        modifiers = sum(MODIFIERS[modifier] for modifier in held)
        if name not in KEYS and len(name) != 1:
            raise ValueError(f"no key {name!r}: a character, or one of {', '.join(KEYS)}")
        if "Shift" in held and len(name) == 1:
            name = name.upper()
        text = {"Enter": "\r", "Space": " "}.get(name, name if len(name) == 1 else "")
        prefix = "" if not name.isascii() else "Digit" if name.isdigit() else "Key" if name.isalpha() else ""
        key: dict[str, Any] = {
            "key": " " if name == "Space" else name,
            "code": name if name in KEYS else prefix and prefix + name.upper(),
            "windowsVirtualKeyCode": KEYS.get(name) or (ord(name.upper()) if prefix else 0),
            "modifiers": modifiers,
        }
        if text and not modifiers & ~MODIFIERS["Shift"]:
            self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **key)
        else:
            self.call("Input.dispatchKeyEvent", type="rawKeyDown", **key)
        self.call("Input.dispatchKeyEvent", type="keyUp", **key)

    def resize(self, width: int, height: int, mobile: bool = False) -> None:
        """The size of the view in CSS pixels, one to a pixel. A mobile has a touch screen and heeds meta viewport."""
        size: dict[str, Any] = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.call("Emulation.setTouchEmulationEnabled", enabled=mobile)

    def screenshot(self, path: str | Path) -> None:
        """What is in view, as a PNG."""
        Path(path).write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def accessibility(self) -> list[tuple[str, str]]:
        """The role and name of all that a screen reader is told of, in its order."""
        nodes = {node["nodeId"]: node for node in self.call("Accessibility.getFullAXTree")["nodes"]}

        def walk(node: Any) -> Iterator[tuple[str, str]]:
            role = node.get("role", {}).get("value", "")
            if not node["ignored"] and role != "InlineTextBox":
                yield role, node.get("name", {}).get("value", "")
            for child in node.get("childIds", ()):
                if child in nodes:
                    yield from walk(nodes[child])

        return [pair for node in nodes.values() if "parentId" not in node for pair in walk(node)]

    def _on(self, function: str, selector: str) -> Any:
        return self.evaluate(f"({function})({FIND}({json.dumps(selector)}))")


def thrown(details: Any) -> str:
    exception = details.get("exception", {})
    return str(exception.get("description") or exception.get("value") or details["text"])
