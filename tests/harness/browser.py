"""A real browser without a window: Chromium, spoken to over two pipes in its DevTools protocol.

No port is opened, nothing but the given file is loaded, and the profile is a folder of its own.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
NARROW = 600
"""Pixels; a window narrower than that is a telephone's."""
HEIGHT = 900
TIMEOUT_SECONDS = 60
_LAUNCH = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Puts the pipes where --remote-debugging-pipe wants them."""
_ABOVE = 10
_COMPLAINTS = {"Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Page.javascriptDialogOpening"}

Message = dict[str, Any]


def chromium() -> str | None:
    """The program; None where there is none."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class BrowserError(Exception):
    """It ended, refused, or did not answer in time."""


def _pipe() -> tuple[int, int]:
    """Out of the way of the descriptors that the browser prescribes."""
    ends = os.pipe()
    moved = fcntl.fcntl(ends[0], fcntl.F_DUPFD_CLOEXEC, _ABOVE), fcntl.fcntl(ends[1], fcntl.F_DUPFD_CLOEXEC, _ABOVE)
    for end in ends:
        os.close(end)
    return moved


@dataclass(slots=True)
class Heard:
    """What a tab said by itself."""

    complaints: list[str] = field(default_factory=list)
    """Of the console, of the content policy, of scripts; dialogs."""
    requests: list[str] = field(default_factory=list)
    """Addresses, each time."""
    loaded: bool = False


class Browser:
    """One process for many tabs. A context manager; afterwards nothing of it runs."""

    def __init__(self, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        """`folder`: for its profile; must be new or empty. `environ`: more than PATH and HOME."""
        program = chromium()
        assert program is not None
        started = [program, *OPTIONS, f"--user-data-dir={folder}", "about:blank"]
        to_browser, self._write = _pipe()
        self._read, from_browser = _pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-ISc", _LAUNCH, str(to_browser), str(from_browser), *started],
            pass_fds=(to_browser, from_browser),
            env={"PATH": os.environ["PATH"], "HOME": str(folder), **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._last = 0
        self._buffer = b""
        self.heard: dict[str, Heard] = {}
        """By session of a tab."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.call("Browser.close")
            self._process.wait(TIMEOUT_SECONDS)
        except (BrowserError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        finally:
            os.close(self._write)
            os.close(self._read)

    def open(self, page: Path, width: int, *, dark: bool = False, media: str = "screen") -> Tab:
        """Show a file and wait until it is loaded."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        heard = self.heard[session] = Heard()
        tab = Tab(self, session, target, heard)
        for domain in ("Page", "Log", "Runtime", "Network"):
            tab.call(f"{domain}.enable")
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        size = {"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": width < NARROW}
        tab.call("Emulation.setDeviceMetricsOverride", **size)
        tab.call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        tab.call("Page.navigate", url=page.as_uri())
        self._until(lambda: heard.loaded)
        return tab

    def call(self, method: str, session: str | None = None, **params: object) -> Message:
        """Raises BrowserError."""
        self._last += 1
        asked = self._last
        message = {"id": asked, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self._write, json.dumps(message).encode() + b"\0")
        answers: list[Message] = []
        self._until(lambda: bool(answers), lambda told: answers.append(told) if told.get("id") == asked else None)
        if "error" in answers[0]:
            raise BrowserError(f"{method}: {answers[0]['error']['message']}")
        return dict(answers[0]["result"])

    def _until(self, done: Callable[[], bool], look: Callable[[Message], None] = lambda told: None) -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not done():
            told = self._next(deadline)
            self._hear(told)
            look(told)

    def _next(self, deadline: float) -> Message:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0.0, deadline - time.monotonic()))
            part = os.read(self._read, 1 << 20) if ready else b""
            if not part:
                raise BrowserError("the browser ended" if ready else f"no answer in {TIMEOUT_SECONDS} s")
            self._buffer += part
        told, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(told))

    def _hear(self, told: Message) -> None:
        heard, method = self.heard.get(told.get("sessionId", "")), told.get("method")
        if heard is None:
            return
        if method in _COMPLAINTS:
            heard.complaints.append(json.dumps(told["params"]))
        elif method == "Network.requestWillBeSent":
            heard.requests.append(told["params"]["request"]["url"])
        elif method == "Page.loadEventFired":
            heard.loaded = True


@dataclass(frozen=True, slots=True)
class Tab:
    """A page that is shown."""

    browser: Browser
    session: str
    target: str
    heard: Heard

    def call(self, method: str, **params: object) -> Message:
        return self.browser.call(method, self.session, **params)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; the page's own policy does not bind it."""
        told = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in told:
            raise BrowserError(json.dumps(told["exceptionDetails"]))
        return told["result"].get("value")

    def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode={"Tab": 9}[key])

    def picture(self, x: float = 0, y: float = 0, width: float = 0, height: float = 0) -> bytes:
        """PNG of a part of the page, or of what the window shows."""
        clip = {"clip": {"x": x, "y": y, "width": width, "height": height, "scale": 1}} if width else {}
        return base64.b64decode(
            self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, **clip)["data"]
        )

    def pdf(self) -> bytes:
        """As it is printed, without backgrounds, as browsers do unless told otherwise."""
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=False)["data"])

    def close(self) -> None:
        self.browser.call("Target.closeTarget", targetId=self.target)


def png_size(png: bytes) -> tuple[int, int]:
    """Width and height."""
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def png_bytes(png: bytes) -> bytes:
    """What is packed in it, each line behind one byte that says how it was filtered."""
    packed, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            packed += png[at + 8 : at + 8 + length]
        at += length + 12
    return zlib.decompress(packed)
