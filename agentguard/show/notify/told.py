"""What was told by any session of this home folder, and how each channel last fared: one small file for all of them.

Keys are kept as digests: the file names neither hosts nor credentials. Nothing depends on it but quiet: where it cannot
be used, things are told once a session instead of once an hour.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentguard.locked_file import locked

MOST_KEYS = 2_000
"""The oldest go first."""
MOST_BYTES = 1 << 20
_TRIES = 50
_PAUSE_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Result:
    """Of the last delivery by a channel."""

    channel: str
    time_ns: int
    delivered: bool
    text: str
    """What happened, in one line."""


class ToldFile:
    """From any thread and process. Never raises."""

    def __init__(self, path: Path, repeat_seconds: float) -> None:
        """`repeat_seconds`: after this time a thing may be told again."""
        self._path = path
        self._repeat_ns = int(repeat_seconds * 1e9)
        self._here: dict[str, int] = {}
        """Told by this process: for when the file cannot be used."""

    def fresh(self, keys: Iterable[str], time_ns: int) -> bool:
        """Whether one of them was not told within `repeat_seconds` before `time_ns`."""
        told = {**self._read()["told"], **self._here}
        return any(time_ns - told.get(_digest(key), -self._repeat_ns) >= self._repeat_ns for key in keys)

    def remember(self, keys: Iterable[str], time_ns: int) -> None:
        """They have just been told."""
        new = {_digest(key): time_ns for key in keys}
        self._here |= new

        def edit(state: dict[str, Any]) -> None:
            merged = {**state["told"], **new}
            state["told"] = dict(sorted(merged.items(), key=lambda item: item[1])[-MOST_KEYS:])

        self._change(edit)

    def record(self, result: Result) -> None:
        """How a delivery went."""
        entry = {"time_ns": result.time_ns, "delivered": result.delivered, "text": result.text}
        self._change(lambda state: state["channels"].update({result.channel: entry}))

    def results(self) -> list[Result]:
        """The last of each channel."""
        found = []
        for name, entry in self._read()["channels"].items():
            with contextlib.suppress(KeyError, TypeError):
                found.append(Result(name, int(entry["time_ns"]), bool(entry["delivered"]), str(entry["text"])))
        return found

    def _read(self) -> dict[str, Any]:
        with contextlib.suppress(OSError), self._opened(make=False) as descriptor:
            return _parsed(os.pread(descriptor, MOST_BYTES, 0))
        return _parsed(b"")

    def _change(self, edit: Callable[[dict[str, Any]], None]) -> None:
        """Under the file's lock, and in place: it stays the same file."""
        with contextlib.suppress(OSError), self._opened(make=True) as descriptor:
            state = _parsed(os.pread(descriptor, MOST_BYTES, 0))
            edit(state)
            data = json.dumps(state).encode()
            os.pwrite(descriptor, data, 0)
            os.ftruncate(descriptor, len(data))

    def _opened(self, *, make: bool) -> AbstractContextManager[int]:
        """Without the lock something may be told twice, which is the lesser evil. Raises OSError."""
        return locked(self._path, make=make, tries=_TRIES, pause=_PAUSE_SECONDS)


def _parsed(data: bytes) -> dict[str, Any]:
    """Of what is damaged, nothing."""
    try:
        state = json.loads(data)
        told = {str(key): int(value) for key, value in state["told"].items()}
        channels = {str(name): dict(entry) for name, entry in state["channels"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {"told": {}, "channels": {}}
    return {"told": told, "channels": channels}


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:24]
