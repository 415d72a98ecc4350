"""The one thread that writes. Callers hand over and go on; nothing they do waits for the disk.

When the database cannot be written (full disk, a lock that stays), events wait in memory, one line says
so, and writing resumes by itself. What does not fit into memory is counted in `lost`.
"""

from __future__ import annotations

import dataclasses
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Any, TypeVar

from agentguard.config import Home
from agentguard.errors import StoreError
from agentguard.model.finding import Finding
from agentguard.model.process import Process
from agentguard.model.session import Session
from agentguard.model.verdict import Verdict
from agentguard.record.faults import describe, is_refused
from agentguard.record.ledger import Ledger
from agentguard.record.supervisor import pid_alive, this_process

BATCH_EVENTS = 256
BATCH_SECONDS = 0.05
QUEUE_LIMIT = 100_000
RETRY_SECONDS = (0.05, 2.0)
"""First and longest wait between two attempts to write."""
CLOSE_SECONDS = 5.0

T = TypeVar("T")
Judged = tuple[Finding, Verdict]


@dataclass(frozen=True, slots=True)
class _Call:
    """Anything but an event, in its place among the events."""

    run: Callable[[Ledger], Any]
    done: Future[Any]


_Work = list[Judged] | _Call


class Writer:
    """Writes what a supervisor records: `start`, `begin_session`, `append`..., `end_session`, `close`."""

    def __init__(
        self,
        home: Home,
        on_error: Callable[[str], None] | None = None,
        on_commit: Callable[[Sequence[Judged]], None] | None = None,
    ) -> None:
        """Both are called on the writer's thread, which waits for them; neither may raise.

        Args:
            on_error: gets one clear line when writing fails and when it resumes.
            on_commit: gets the events that have just been committed, in their order.
        """
        self.on_error = on_error
        self._on_commit = on_commit
        self._home = home
        self._supervisor = this_process()
        self._queue: deque[Judged | _Call] = deque()
        self._changed = threading.Condition()
        self._unfinished = 0
        self._lost = 0
        self._closing_at: float | None = None
        self._ledger: Ledger | None = None
        self._failing = ""
        self._thread = threading.Thread(target=self._loop, name="agentguard-writer", daemon=True)

    @property
    def lost(self) -> int:
        """Events that are recorded nowhere. The session has a gap when this is not 0."""
        return self._lost

    def start(self) -> None:
        """Open the database and start the thread.

        Raises:
            StoreError: the database cannot be used at all, now.
        """
        self._ledger = self._open()
        self._thread.start()

    def begin_session(self, session: Session) -> None:
        self._call(lambda ledger: ledger.begin(session, self._supervisor))

    def update_session(self, session: Session) -> None:
        """The session as it now is: agent, outcome, coverage, background. No effect on a sealed session."""
        self._call(lambda ledger: ledger.update(session))

    def add_processes(self, session: str, processes: Iterable[Process]) -> None:
        """`session` is its uid. A process seen before is brought up to date."""
        rows = list(processes)
        self._call(lambda ledger: ledger.add_processes(session, rows))

    def append(self, finding: Finding, verdict: Verdict) -> None:
        """Record an event. Its session must have begun. Returns at once."""
        with self._changed:
            if self._unfinished >= QUEUE_LIMIT:
                self._lost += 1
                return
            self._put((finding, verdict))

    def end_session(self, session: Session, timeout: float = CLOSE_SECONDS) -> str:
        """Seal it, counts included. Returns the seal, "" when it could not be written within `timeout` seconds."""
        if session.end_ns is None:
            session = dataclasses.replace(session, end_ns=time.time_ns())
        ended = session
        try:
            seal: str = self._call(lambda ledger: ledger.seal(ended)).result(timeout)
        except (FutureTimeoutError, sqlite3.Error, StoreError):
            return ""
        return seal

    def recover(
        self,
        is_alive: Callable[[int], bool] = pid_alive,
        last_words: Callable[[Session], Sequence[Judged]] | None = None,
    ) -> list[Session]:
        """Seal the sessions whose supervisor has died, as `guard-died`, and return them.

        `last_words` gives events to add to such a session before it is sealed (a gap, say).

        Raises:
            StoreError: the database cannot be written now; nothing is lost by it.
        """

        def work(ledger: Ledger) -> list[Session]:
            sealed = []
            for session, supervisor in ledger.unsealed():
                if supervisor == self._supervisor or supervisor.alive(is_alive):
                    continue
                events = last_words(session) if last_words else ()
                if events:
                    ledger.append(events)
                sealed.append(ledger.seal_abandoned(session))
            return sealed

        return self._result(self._call(work))

    def seal_abandoned(self, session: Session) -> Session:
        """Seal one session whose writer died. Returns it as sealed. Raises StoreError as `recover`."""
        return self._result(self._call(lambda ledger: ledger.seal_abandoned(session)))

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until everything handed over so far is committed. False when that took longer than `timeout` s."""
        with self._changed:
            return self._changed.wait_for(lambda: self._unfinished == 0, timeout)

    def close(self, timeout: float = CLOSE_SECONDS) -> None:
        """Write what waits, for `timeout` seconds at most; the rest is lost and counted. May be called twice."""
        with self._changed:
            self._closing_at = time.monotonic() + timeout
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout + 2 * RETRY_SECONDS[1])

    def _call(self, run: Callable[[Ledger], T]) -> Future[T]:
        call = _Call(run, Future())
        with self._changed:
            self._put(call)
        return call.done

    def _result(self, future: Future[T]) -> T:
        try:
            return future.result(CLOSE_SECONDS)
        except sqlite3.Error as error:
            raise StoreError(f"cannot write {self._home.database}: {describe(error)}") from None
        except FutureTimeoutError:
            raise StoreError(f"cannot write {self._home.database}: it stayed locked or full") from None

    def _put(self, item: Judged | _Call) -> None:
        self._queue.append(item)
        self._unfinished += 1
        self._changed.notify_all()

    def _open(self) -> Ledger:
        return Ledger(self._home.database, self._home.chain_key(), self._home.root / "register.head")

    # The writer's thread.

    def _loop(self) -> None:
        while (work := self._take()) is not None:
            self._write(work)
            with self._changed:
                self._unfinished -= 1 if isinstance(work, _Call) else len(work)
                self._changed.notify_all()
        if self._ledger is not None:
            self._ledger.close()

    def _take(self) -> _Work | None:
        """The next call, or the next events: those of 50 ms, 256 at most. None when there is no more to do."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing_at is not None)
            if not self._queue:
                return None
            self._changed.wait_for(self._batch_is_due, BATCH_SECONDS)
            events: list[Judged] = []
            while self._queue and len(events) < BATCH_EVENTS:
                item = self._queue[0]
                if isinstance(item, _Call):
                    return events or self._popped_call(item)
                events.append(item)
                self._queue.popleft()
            return events

    def _popped_call(self, call: _Call) -> _Call:
        self._queue.popleft()
        return call

    def _batch_is_due(self) -> bool:
        """A call ends a batch: someone may wait for it."""
        full = len(self._queue) >= BATCH_EVENTS
        return full or self._closing_at is not None or isinstance(self._queue[-1], _Call)

    def _write(self, work: _Work) -> None:
        """Until it is written, refused for good, or the writer has to close."""
        wait = RETRY_SECONDS[0]
        while True:
            try:
                self._attempt(work)
            except (sqlite3.Error, StoreError) as error:
                if isinstance(error, sqlite3.Error) and is_refused(error):
                    self._set_apart(work, error)
                    return
                self._tell_failure(error)
                if not self._wait(wait):
                    self._give_up(work, error)
                    return
                wait = min(wait * 2, RETRY_SECONDS[1])
            except Exception as error:  # one bad event must not end the record of all others
                self._set_apart(work, error)
                return
            else:
                self._tell_resumed()
                return

    def _attempt(self, work: _Work) -> None:
        if self._ledger is None:
            self._ledger = self._open()
        if isinstance(work, _Call):
            work.done.set_result(work.run(self._ledger))
        else:
            self._ledger.append(work)
            if self._on_commit is not None:
                self._on_commit(work)

    def _wait(self, seconds: float) -> bool:
        """False when the writer is to close and its time is over."""
        if self._ledger is not None:
            # A connection may stay broken after an I/O error, or hold a file that was replaced.
            self._ledger.close()
            self._ledger = None
        with self._changed:
            self._changed.wait_for(lambda: self._closing_at is not None, seconds)
            if self._closing_at is None:
                return True
        time.sleep(min(seconds, 0.1))
        return time.monotonic() < self._closing_at

    def _set_apart(self, work: _Work, error: Exception) -> None:
        """Something in `work` is refused for good: write the others one by one, and give up that."""
        if not isinstance(work, _Call) and len(work) > 1:
            for item in work:
                self._write([item])
            return
        self._tell(f"something could not be recorded ({type(error).__name__}); everything else is")
        self._give_up(work, error)

    def _give_up(self, work: _Work, error: Exception) -> None:
        if isinstance(work, _Call):
            work.done.set_exception(error)
        else:
            self._lost += len(work)

    def _tell_failure(self, error: sqlite3.Error | StoreError) -> None:
        """Once per change of state: the same failure is not repeated while it lasts."""
        what = str(error) if isinstance(error, StoreError) else f"cannot write {self._home.database}: {describe(error)}"
        if what != self._failing:
            self._failing = what
            self._tell(f"{what}; events wait in memory ({QUEUE_LIMIT:,} at most)")

    def _tell_resumed(self) -> None:
        if self._failing:
            self._failing = ""
            self._tell(f"writing {self._home.database} again; {self._lost or 'no'} events were lost")

    def _tell(self, line: str) -> None:
        if self.on_error is not None:
            self.on_error(line)
