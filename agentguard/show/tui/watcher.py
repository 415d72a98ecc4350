"""Watches the database from a thread of its own, and tells when it has moved on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from agentguard.errors import StoreError
from agentguard.model.session import Session
from agentguard.record.reader import LAST, Reader
from agentguard.show.tui.messages import Snapshot

INTERVAL = 0.05
"""Seconds between two looks at `data_version`: a look takes some 30 µs, and an event should show within 250 ms."""
RETRY = 0.5
"""Seconds before a database that could not be read is tried again."""
SESSIONS = 200
"""Sessions listed."""
BUCKETS = 240
"""Steps of the timeline; the widget merges them to its width."""
SHARE = 10
"""Sessions and timeline that took t seconds to read are not read again before 10 t have passed: counting a
session of a million events must not eat the machine. New events do not wait for them."""


class Watcher:
    """`on_change` is called in the watcher's thread, at most twenty times a second, and once at the start."""

    def __init__(self, database: Path, on_change: Callable[[Snapshot], object], session: str = LAST) -> None:
        self._database = database
        self._on_change = on_change
        self._wanted = session
        self._again = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dashboard-watcher", daemon=True)
        self._snapshot = Snapshot()
        self._due = 0.0

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def choose(self, session: str) -> None:
        """Which session the snapshots are about: a uid, a beginning of one, or `last`. Answers with a snapshot."""
        self._wanted = session
        self._again.set()

    def stop(self) -> None:
        """End the thread and let the database go. Returns when it has."""
        self._stop.set()
        self._again.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def _run(self) -> None:
        reader = Reader(self._database)
        try:
            while not self._stop.is_set():
                try:
                    self._watch(reader)
                except StoreError as error:
                    if str(error) != self._snapshot.problem:
                        self._tell(replace(self._snapshot, problem=str(error)))
                    self._again.wait(RETRY)
        finally:
            reader.close()

    def _watch(self, reader: Reader) -> None:
        seen, stale = -1, True
        while not self._stop.is_set():
            version = reader.data_version()
            changed, seen = version != seen, version
            stale = stale or changed
            if changed and self._snapshot.chosen is not None:
                self._tell(self._snapshot)  # new events wait for nothing
            if self._again.is_set() or (stale and time.monotonic() >= self._due):
                self._again.clear()
                stale = False
                self._look(reader)
            self._again.wait(INTERVAL)

    def _look(self, reader: Reader) -> None:
        began = time.monotonic()
        uncounted = tuple(reader.sessions(SESSIONS, counted=False))
        chosen = self._chosen(reader, uncounted)
        if chosen is not None and (self._snapshot.chosen is None or chosen.uid != self._snapshot.chosen.uid):
            # The events need not wait for the counts: in a large session those take their time.
            self._tell(Snapshot(uncounted, chosen))
        sessions = tuple(reader.sessions(SESSIONS))
        chosen = self._chosen(reader, sessions)
        timeline = tuple(reader.timeline(chosen.uid, BUCKETS)) if chosen else ()
        self._due = began + (time.monotonic() - began) * (1 + SHARE)
        lost = f"No session's uid begins with {self._wanted!r}." if sessions and chosen is None else ""
        self._tell(Snapshot(sessions, chosen, timeline, problem=lost))

    def _chosen(self, reader: Reader, sessions: tuple[Session, ...]) -> Session | None:
        chosen = choose_session(sessions, self._wanted)
        return reader.session(self._wanted) if chosen is None and self._wanted != LAST else chosen

    def _tell(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._on_change(snapshot)


def choose_session(sessions: tuple[Session, ...], wanted: str) -> Session | None:
    """`last`: the newest that still runs, else the newest. Anything else: the one whose uid begins so."""
    if wanted != LAST:
        return next((session for session in sessions if session.uid.startswith(wanted)), None)
    running = (session for session in sessions if session.end_ns is None)
    return next(running, sessions[0] if sessions else None)
