"""A headless Chromium, driven by the DevTools protocol over a pair of pipes: no port, no driver, no package.

The protocol: chromedevtools.github.io/devtools-protocol; `--remote-debugging-pipe` reads commands on file descriptor
3 and writes answers and events on 4, each one JSON text ended by a NUL.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BINARY = shutil.which("chromium") or shutil.which("google-chrome")
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe"),
    *("--no-first-run", "--disable-extensions", "--disable-background-networking", "--disable-component-update"),
    *("--force-color-profile=srgb", "--hide-scrollbars", "--lang=en"),
)
_KEYS = {"Enter": (13, "\r"), "Tab": (9, ""), "Escape": (27, ""), "Space": (32, " ")}


class Browser:
    """One browser process. Every tab it opens has a profile of its own."""

    def __init__(self, profile: Path) -> None:
        assert BINARY
        read_commands, self._commands = os.pipe()
        self._answers, write_answers = os.pipe()
        # Above 4, so that putting one in its place in the child cannot close the other.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (read_commands, write_answers)]
        self.pid = os.posix_spawn(
            BINARY,
            [BINARY, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, ends[0], 3),
                (os.POSIX_SPAWN_DUP2, ends[1], 4),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            ],
        )
        for end in (read_commands, write_answers, *ends):
            os.close(end)
        self._rest = b""
        self._sent = 0
        self.events: list[dict[str, Any]] = []

    def send(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """The result of one command; events that come before it are kept."""
        self._sent += 1
        command = {"id": self._sent, "method": method, "params": params}
        os.write(self._commands, json.dumps(command | ({"sessionId": session} if session else {})).encode() + b"\0")
        while True:
            message = self._receive()
            if message.get("id") == self._sent:
                assert "error" not in message, f"{method}: {message['error']}"
                return dict(message["result"])
            self.events.append(message)

    def wait(self, method: str, session: str) -> dict[str, Any]:
        """The next event of a kind in a session, one that has come already among them."""
        while True:
            for place, event in enumerate(self.events):
                if event["method"] == method and event.get("sessionId") == session:
                    return self.events.pop(place)
            self.events.append(self._receive())

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._answers, 1 << 20)
            assert more, "the browser went away"
            self._rest += more
        message, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(message))

    @contextmanager
    def tab(self, url: str, *, width: int = 1280, height: int = 900, dark: bool = False) -> Iterator[Tab]:
        """A new tab, in a profile of its own, with the page loaded."""
        context = self.send("Target.createBrowserContext")["browserContextId"]
        target = self.send("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        try:
            tab = Tab(self, session)
            tab.resize(width, height)
            tab.scheme(dark=dark)
            tab.open(url)
            yield tab
        finally:
            self.send("Target.disposeBrowserContext", browserContextId=context)

    def close(self) -> None:
        self.send("Browser.close")
        os.close(self._commands)
        os.close(self._answers)
        os.waitpid(self.pid, 0)


class Tab:
    """One page, and what a user does with it."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        return self._browser.send(method, self._session, **params)

    def open(self, url: str) -> None:
        self.send("Page.navigate", url=url)
        self._browser.wait("Page.loadEventFired", self._session)
        self.until("!document.scripts.length || performance.getEntriesByName('shown').length")

    def resize(self, width: int, height: int) -> None:
        phone = width < 600
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)

    def scheme(self, *, dark: bool, medium: str = "") -> None:
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", media=medium, features=[feature])

    def js(self, expression: str) -> Any:
        """The value of an expression, awaited if it is a promise."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, condition: str) -> None:
        """Wait for a condition to hold; the test's own time limit is the limit."""
        self.js(f"new Promise((done) => {{ const ask = () => ({condition}) ? done() : setTimeout(ask, 5); ask(); }})")

    def frames(self, count: int) -> None:
        """Wait until the page has been drawn so many times."""
        for _ in range(count):
            self.js("new Promise(requestAnimationFrame)")

    def text(self, selector: str) -> str:
        return str(self.js(f"document.querySelector({json.dumps(selector)}).innerText"))

    def texts(self, selector: str) -> list[str]:
        return list(self.js(f"[...document.querySelectorAll({json.dumps(selector)})].map((e) => e.innerText)"))

    def click(self, selector: str) -> None:
        """As a mouse does: at the middle of the element, whatever lies there."""
        x, y = self.js(
            f"(() => {{ const element = document.querySelector({json.dumps(selector)});"
            "element.scrollIntoView({block: 'center'}); const { x, y, width, height } ="
            "element.getBoundingClientRect(); return [x + width / 2, y + height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key: str) -> None:
        code, text = _KEYS[key]
        name = " " if key == "Space" else key
        event = {"key": name, "code": key, "windowsVirtualKeyCode": code}
        self.send("Input.dispatchKeyEvent", type="keyDown", **event, **({"text": text} if text else {}))
        self.send("Input.dispatchKeyEvent", type="keyUp", **event)

    def type(self, text: str) -> None:
        self.send("Input.insertText", text=text)

    def choose(self, selector: str, value: str) -> None:
        self.js(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.value = {json.dumps(value)};"
            "e.dispatchEvent(new Event('change', {bubbles: true})); })()"
        )

    def screenshot(self, file: Path, *, whole: bool = False) -> None:
        shot = self.send("Page.captureScreenshot", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(shot["data"]))

    @property
    def complaints(self) -> list[str]:
        """What was logged to the console, by the page or about it, and what it threw."""
        kinds = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
        return [json.dumps(event["params"]) for event in self._events() if event["method"] in kinds]

    @property
    def requests(self) -> list[str]:
        """Addresses asked for since the page was opened, the page itself first."""
        asked = (e["params"]["request"]["url"] for e in self._events() if e["method"] == "Network.requestWillBeSent")
        return list(asked)

    def _events(self) -> list[dict[str, Any]]:
        self.js("1")  # what happened before this has been told by then
        return [event for event in self._browser.events if event.get("sessionId") == self._session]
