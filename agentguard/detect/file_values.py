"""What each secret file holds, kept in memory for as long as the session lasts.

Read when the session starts and again whenever the file has changed; the same bytes are never read twice. What a
reader got is what the file held while its open was held: a moment later it may be edited, renamed or gone.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Iterable

from agentguard.detect.content import ContentJudge
from agentguard.detect.read_before import open_quietly
from agentguard.detect.scanner import Scanner
from agentguard.detect.values import MAX_VALUES, ValueIndex, extract_values, recognised_values
from agentguard.model.observation import FileObservation
from agentguard.model.secret import CONTENT_KIND, GUARD_FILE, SecretFile, SecretValue

MAX_BYTES = 1 << 20
"""A larger file is scanned in its first part only."""

_LEASE_SECONDS = 0.5

_CONTENT_DECIDES = frozenset({"private-key", CONTENT_KIND})
"""Kinds whose names are shared with harmless files: most of what ends in .pem is a certificate."""

_State = tuple[int, int, int, int]
"""device, inode, mtime in ns, size: the same state means the same bytes."""


class FileValues:
    """Thread-safe: the file sensor asks while it holds an open, the folder watch when a file has changed.

    Args:
        on_look: told the device and inode of each file that is about to be opened.
        clock: ns since the epoch.
    """

    def __init__(
        self,
        scanner: Scanner,
        judge: ContentJudge,
        index: ValueIndex,
        *,
        on_look: Callable[[int, int], object],
        clock: Callable[[], int],
    ) -> None:
        self._scanner = scanner
        self._judge = judge
        self._index = index
        self._on_look = on_look
        self._clock = clock
        self._known: dict[_State, tuple[SecretValue, ...]] = {}
        self._last: dict[tuple[int, int, int], tuple[SecretValue, ...]] = {}
        self._held: dict[tuple[int, int, int], tuple[SecretValue, ...]] = {}
        self._own_reads: dict[tuple[int, int], int] = {}
        self._lock = threading.Lock()

    def of(self, file: SecretFile, held_as: str = "") -> tuple[tuple[SecretValue, ...], bool]:
        """Its values as it stands now, and whether they are news; the last known when its name leads elsewhere now.
        Empty when it could never be read. `held_as` is a better path for the moment, as in a `FileObservation`."""
        state = _state(file, held_as)
        if state is None:
            return self._last.get(_identity(file), ()), False
        known = self._known.get(state)
        if known is not None:
            return known, False
        with self._lock:
            self._own_reads[(file.device, file.inode)] = self._clock()
            self._on_look(file.device, file.inode)
            values = tuple(self._extract(file, held_as))
            self._index.add(values)
            self._known[state] = self._last[_identity(file)] = values
        return values, True

    def hold(self, observation: FileObservation) -> tuple[tuple[SecretValue, ...], bool]:
        """The same, while the reader of `observation` is held; kept until the detector asks what it read."""
        if observation.file is None:
            return (), False
        values, new = self.of(observation.file, observation.held_as)
        if values:
            self._held[_moment(observation, observation.file)] = values
        return values, new

    def is_harmless(self, file: SecretFile) -> bool:
        """Its name is that of a secret file, and its content, which we could read, is not."""
        return file.kind in _CONTENT_DECIDES and not self.of(file)[0] and os.access(file.path, os.R_OK)

    def cut_short(self, file: SecretFile) -> bool:
        """Whether it holds more than was read: what lies beyond is not followed."""
        state = _state(file)
        return state is not None and (state[3] > self._limit(file) or len(self._known.get(state, ())) >= MAX_VALUES)

    def observed(self, observation: FileObservation) -> tuple[SecretValue, ...]:
        """What its reader got, for the detector, which asks once and later."""
        file = observation.file
        if file is None:
            return ()
        held = self._held.pop(_moment(observation, file), None)
        return self.of(file)[0] if held is None else held

    def learn(self, files: Iterable[SecretFile]) -> list[SecretValue]:
        """Read several; returns what was not known before."""
        news: list[SecretValue] = []
        for file in files:
            values, new = self.of(file)
            if new:
                news.extend(values)
        return news

    def read_since(self, device: int, inode: int, since_ns: int) -> bool:
        """Whether we opened it ourselves since then: the folder watch must not report us."""
        return self._own_reads.get((device, inode), 0) >= since_ns

    def _extract(self, file: SecretFile, held_as: str) -> list[SecretValue]:
        if file.kind == GUARD_FILE:
            return []  # the guard keeps no value, and its database would be read as if it did
        data = _read(held_as or file.path, self._limit(file))
        if file.kind != CONTENT_KIND:
            return extract_values(file.path, data, file.kind, self._scanner)
        return recognised_values(file.path, data, self._scanner) if self._judge.holds(data) else []

    def _limit(self, file: SecretFile) -> int:
        """Bytes of it that are read."""
        return self._judge.rules.largest_bytes if file.kind == CONTENT_KIND else MAX_BYTES


def _identity(file: SecretFile) -> tuple[int, int, int]:
    return file.device, file.inode, file.birth_time_ns


def _moment(observation: FileObservation, file: SecretFile) -> tuple[int, int, int]:
    """Two reads of one file in the same nanosecond got the same."""
    return observation.time_ns, file.device, file.inode


def _state(file: SecretFile, held_as: str = "") -> _State | None:
    """None when the path leads elsewhere now, or to something that must not be opened (a FIFO, a device, /proc)."""
    try:
        info = os.stat(held_as or file.path)
    except OSError:
        return None
    if not stat.S_ISREG(info.st_mode) or (info.st_dev, info.st_ino) != (file.device, file.inode):
        return None
    if file.path.startswith("/proc/"):
        return None
    return info.st_dev, info.st_ino, info.st_mtime_ns, info.st_size


def _read(path: str, limit: int) -> bytes:
    try:
        with os.fdopen(_open(path), "rb", buffering=0) as opened:
            return opened.read(limit)
    except OSError:
        return b""


def _open(path: str) -> int:
    """A leased file (by a file server, or by our own sensor) is refused for the moment that the lease takes to go."""
    deadline = time.monotonic() + _LEASE_SECONDS
    while True:
        try:
            return open_quietly(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.002)
