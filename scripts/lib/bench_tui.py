"""How quick the dashboard is over a million events: in a real terminal, while a real writer writes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import sqlite3
import statistics
import struct
import subprocess
import sys
import termios
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import bench_tui_ground
from bench_setting import REPOSITORY, Setting

from agentguard.config import Home, open_home

_EVENTS, _QUICK_EVENTS = 1_000_000, 2_000
_SIZE = (36, 120)
_FRAME, _FILLED = b"Sensors", b"LEAKED"
"""The first frame names the places; the outcome comes with the first news from the database."""
_ASKS_FOR_FRAMES, _HAS_FRAMES, _FRAME_ENDS = b"\x1b[?2026$p", b"\x1b[?2026;2$y", b"\x1b[?2026l"
"""A terminal that is told where a frame ends (synchronized output), as most are now."""
_TICKS = os.sysconf("SC_CLK_TCK")
_MARK = re.compile(rb"mark(\d+)\.example")
_PAGES, _QUICK_PAGES = 100, 3
_IDLE_SECONDS, _WRITING_SECONDS = 20.0, 10.0
_PATIENCE = 120.0
_LOOK_SECONDS = 0.004
_RATE = 1_000
"""Events a second of the writer."""


def bench_tui(setting: Setting) -> None:
    """Print each figure beside its bound."""
    home = open_home(setting.base / "home")
    events = _QUICK_EVENTS if setting.quick else _EVENTS
    bench_tui_ground.fill(home, events)
    rounds = 1 if setting.quick else setting.rounds
    starts = [_started(setting, home) for _ in range(rounds)]
    print(f"\nagentguard tui over {events:,} events, {_SIZE[1]}x{_SIZE[0]}")
    for name, bound, seconds in zip(
        ("first frame", "session on the screen"), (0.6, None), zip(*starts, strict=True), strict=True
    ):
        walls, cpus = zip(*seconds, strict=True)
        _say(f"start to {name}", statistics.median(walls), "s", bound, f"{statistics.median(cpus):.2f} s of processor")
    with _terminal(setting, home) as screen:
        screen.until(_FILLED)
        screen.rest()
        _scrolling(screen, _QUICK_PAGES if setting.quick else _PAGES)
        used = screen.processor()
        screen.read_for(1.0 if setting.quick else _IDLE_SECONDS)
        _say(
            "idle",
            (screen.processor() - used) / (1.0 if setting.quick else _IDLE_SECONDS) * 100,
            "% of a processor",
            1.0,
        )
        _following(setting, home, screen, 1.0 if setting.quick else _WRITING_SECONDS)
        _say("memory at most", screen.peak() / 1e6, "MB", 120)


def _say(what: str, value: float, unit: str, bound: float | None, more: str = "") -> None:
    aim = f"at most {bound:g}" if bound else ""
    print(f"  {what:<32}{value:9.2f} {unit:<17} {aim:<12} {more}".rstrip())


@dataclass
class _Screen:
    """A dashboard at the other end of a terminal."""

    process: subprocess.Popen[bytes]
    descriptor: int
    began: float
    seen: bytearray = field(default_factory=bytearray)

    def read_for(self, seconds: float, done: Callable[[bytes], bool] = lambda _: False) -> None:
        """Take what it draws, for so long or until a piece of it is what was waited for."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.descriptor], [], [], left)[0]:
                piece = os.read(self.descriptor, 1 << 16)
                if _ASKS_FOR_FRAMES in piece:
                    self.press(_HAS_FRAMES)
                self.seen += piece
                if done(piece):
                    return

    def until(self, text: bytes) -> None:
        self.read_for(_PATIENCE, lambda _: text in self.seen)
        if text not in self.seen:
            raise RuntimeError(f"{text!r} was not drawn within {_PATIENCE} s")

    def rest(self) -> None:
        """Until it has read all there is, and does nothing for two seconds."""
        while True:
            used = self.processor()
            self.read_for(2.0)
            if self.processor() - used < 0.1:
                return

    def press(self, keys: bytes) -> None:
        os.write(self.descriptor, keys)

    def processor(self) -> float:
        """Seconds it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def peak(self) -> int:
        """Bytes of its memory, at its largest."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024  # type: ignore[index]


@contextmanager
def _terminal(setting: Setting, home: Home) -> Iterator[_Screen]:
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *_SIZE, 0, 0))
    environ = setting.environ() | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    began = time.monotonic()
    command = [sys.executable, "-m", "agentguard", "tui", "--home", str(home.root)]
    process = subprocess.Popen(
        command, cwd=REPOSITORY, env=environ, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
    )
    os.close(terminal)
    try:
        yield _Screen(process, controller, began)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        os.close(controller)


def _started(setting: Setting, home: Home) -> list[tuple[float, float]]:
    """Seconds and processor seconds until the frame, and until the session is on it."""
    with _terminal(setting, home) as screen:
        times = []
        for text in (_FRAME, _FILLED):
            screen.until(text)
            times.append((time.monotonic() - screen.began, screen.processor()))
        return times


def _scrolling(screen: _Screen, pages: int) -> None:
    """A page up, drawn before the next one is asked for: what a person sees who holds the key."""
    walls, used = [], screen.processor()
    for _ in range(pages):
        began = time.monotonic()
        screen.press(b"\x1b[5~")
        screen.read_for(5.0, lambda piece: _FRAME_ENDS in piece)
        walls.append(time.monotonic() - began)
    screen.read_for(0.2)
    cpu = (screen.processor() - used) / pages * 1000
    _say("a page scrolled", statistics.median(walls) * 1000, "ms", 16, f"{cpu:.1f} ms of processor")
    screen.press(b"f")
    screen.read_for(1.0)


def _following(setting: Setting, home: Home, screen: _Screen, seconds: float) -> None:
    """How old the newest event is when it comes to the screen: since it was written, and since it happened."""
    script = str(Path(__file__).with_name("bench_tui_writer.py"))
    written = _Written(home)
    drawn: list[tuple[float, int]] = []

    def look(piece: bytes) -> bool:
        newest = max((int(mark) for mark in _MARK.findall(piece)), default=0)
        if newest > (drawn[-1][1] if drawn else 0):
            drawn.append((time.monotonic(), newest))
        return False

    used = screen.processor()
    command = [sys.executable, script, str(home.root), str(_RATE), str(seconds)]
    with written, subprocess.Popen(command, cwd=REPOSITORY, env=setting.environ()) as writer:
        while writer.poll() is None:
            screen.read_for(0.5, look)
        screen.read_for(0.5, look)
    share = (screen.processor() - used) / seconds * 100
    if writer.returncode or not drawn:
        raise RuntimeError("the writer failed, or nothing of it was drawn")
    late = [at - written.when(mark) for at, mark in drawn]
    old = statistics.median(at - mark / 1e6 for at, mark in drawn)
    worst = statistics.quantiles(late, n=20)[-1] if len(late) > 1 else late[0]
    more = f"95 of 100 within {worst * 1000:.0f} ms; {old * 1000:.0f} ms since it happened"
    _say(f"new event, {_RATE:,} a second", statistics.median(late) * 1000, "ms", 250, more)
    _say("processor meanwhile", share, "% of a processor", None, f"{len(late) / seconds:.0f} times a second a new one")


class _Written(AbstractContextManager["_Written"]):
    """Looks every few milliseconds at which event is the newest in the database: what is written late is drawn late."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._seen: list[tuple[int, float]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def when(self, mark: int) -> float:
        """The moment at which an event was first there to be read."""
        at = bisect_left(self._seen, (mark, 0.0))
        return self._seen[at][1] if at < len(self._seen) else time.monotonic()

    def _watch(self) -> None:
        uri = f"file:{self._home.database}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, check_same_thread=False)) as connection:
            while not self._stop.wait(_LOOK_SECONDS):
                (subject,) = connection.execute("SELECT subject FROM events ORDER BY id DESC LIMIT 1").fetchone()
                if found := _MARK.search(subject.encode()):
                    self._seen.append((int(found[1]), time.monotonic()))
