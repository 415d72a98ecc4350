"""Watches the database from a thread of its own, and tells when it has moved on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from agentguard.errors import StoreError
from agentguard.model.event import Event
from agentguard.model.session import Session
from agentguard.model.verdict import Outcome
from agentguard.record.pulse import Pulse
from agentguard.record.reader import LAST
from agentguard.show.tui.messages import Snapshot
from agentguard.show.tui.tally import Tally

INTERVAL = 0.05
"""Seconds between two looks at `data_version`: a look takes some 30 µs, and an event should show within 250 ms."""
RESTING, REST = 0.15, 5.0
"""The same once nothing has come for `REST` seconds: a session that waits for its person costs a third."""
RETRY = 0.5
"""Seconds before a database that could not be read is tried again."""
SESSIONS = 200
"""Sessions listed."""
SHARE = 10
"""Sessions and counts that took t seconds to read are not read again before 10 t have passed. New events do not
wait for them."""
GUARDS = 2.0
"""Seconds between two looks at whether the guards live: one that is killed writes nothing."""
LEAST = 0.25
"""Nor before so many seconds: nobody reads a number that changes faster."""


@dataclass(frozen=True, slots=True)
class _Cause:
    """Which event made a session's outcome what it is."""

    session: str = ""
    outcome: Outcome = Outcome.CLEAN
    event: Event | None = None
    looked: int = 0
    """Row id up to which there is none."""


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
        self._tallies: dict[str, Tally] = {}
        self._died: frozenset[str] = frozenset()
        self._upto = 0
        self._cause = _Cause()

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
        pulse = Pulse(self._database)
        try:
            while not self._stop.is_set():
                try:
                    self._watch(pulse)
                except StoreError as error:
                    if str(error) != self._snapshot.problem:
                        self._tell(replace(self._snapshot, problem=str(error)))
                    self._again.wait(RETRY)
        finally:
            pulse.close()

    def _watch(self, pulse: Pulse) -> None:
        seen, stale, guards_due, moved = -1, True, 0.0, time.monotonic()
        while not self._stop.is_set():
            version = pulse.data_version()
            if (now := time.monotonic()) >= guards_due:
                guards_due, died = now + GUARDS, pulse.unguarded()
                stale, self._died = stale or died != self._died, died
            changed, seen = version != seen, version
            stale, moved = stale or changed, now if changed else moved
            if changed and self._snapshot.chosen is not None:
                self._tell(self._snapshot)  # new events wait for nothing
            if self._again.is_set() or (stale and time.monotonic() >= self._due):
                self._again.clear()
                stale = False
                self._look(pulse)
            self._again.wait(INTERVAL if now - moved < REST else RESTING)

    def _look(self, pulse: Pulse) -> None:
        began = time.monotonic()
        upto = pulse.last_id()
        if upto < self._upto:  # another database stands in its place
            self._tallies.clear()
            self._cause = _Cause()
        self._upto = upto
        sessions = tuple(pulse.sessions(SESSIONS, counted=False))
        chosen = self._chosen(pulse, sessions)
        if chosen is not None and (self._snapshot.chosen is None or chosen.uid != self._snapshot.chosen.uid):
            # The events need not wait for the counts: in a large session those take their time.
            self._tell(Snapshot(sessions, chosen, cause=self._cause_of(pulse, chosen), died=self._died))
        sessions = tuple(self._counted(pulse, one, upto) for one in sessions)
        if chosen is not None:
            chosen = self._counted(pulse, chosen, upto)
        lost = f"No session's uid begins with {self._wanted!r}." if sessions and chosen is None else ""
        news = Snapshot(sessions, chosen, died=self._died, problem=lost)
        if chosen is not None:
            timeline = self._tally(chosen.uid).timeline(pulse, upto)
            news = replace(news, timeline=timeline, cause=self._cause_of(pulse, chosen))
        self._due = began + max(LEAST, (time.monotonic() - began) * (1 + SHARE))
        self._tell(news)

    def _tally(self, uid: str) -> Tally:
        return self._tallies.setdefault(uid, Tally(uid))

    def _counted(self, pulse: Pulse, session: Session, upto: int) -> Session:
        """With counts of its own: those of a session that runs are not kept in its row."""
        return (
            session if session.seal else replace(session, counts=self._tally(session.uid).counted(pulse, session, upto))
        )

    def _cause_of(self, pulse: Pulse, session: Session) -> Event | None:
        """Looked for again only when the outcome has become worse, and then among what has come since."""
        known = self._cause
        if (known.session, known.outcome) != (session.uid, session.outcome):
            known = _Cause(session.uid, session.outcome)
        if known.event is None and session.outcome is not Outcome.CLEAN and known.looked < self._upto:
            known = replace(known, event=pulse.first_of_outcome(session, known.looked), looked=self._upto)
        self._cause = known
        return known.event

    def _chosen(self, pulse: Pulse, sessions: tuple[Session, ...]) -> Session | None:
        chosen = choose_session(sessions, self._wanted)
        return pulse.session(self._wanted) if chosen is None and self._wanted != LAST else chosen

    def _tell(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._on_change(snapshot)


def choose_session(sessions: tuple[Session, ...], wanted: str) -> Session | None:
    """`last`: the newest that still runs, else the newest. Anything else: the one whose uid begins so."""
    if wanted != LAST:
        return next((session for session in sessions if session.uid.startswith(wanted)), None)
    running = (session for session in sessions if session.end_ns is None)
    return next(running, sessions[0] if sessions else None)
