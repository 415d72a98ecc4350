"""One watched session: an agent that was there before us, from the moment we attach until it ends or we are stopped."""

from __future__ import annotations

import dataclasses
import os
import queue
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agentguard.attribute.agents import AgentCatalogue
from agentguard.config import Home
from agentguard.launch.discovery import RunningAgent
from agentguard.launch.ground import Ground, Inbox, Unseen
from agentguard.launch.live_session import DRAIN_SECONDS, LiveSession
from agentguard.launch.milestones import ended, left_unwatched
from agentguard.launch.notifying import NotifySetup
from agentguard.launch.run_folder import make_run_folder
from agentguard.model.identity import new_uid
from agentguard.model.observation import ExecObservation
from agentguard.model.process import Confidence, ProcessSnapshot
from agentguard.model.secret import SecretValue
from agentguard.model.session import Coverage, SensorState
from agentguard.sense.procfs import read_stat
from agentguard.sense.select import start_attached_sensors
from agentguard.show.notify.channels.terminal import ring, sequence
from agentguard.show.notify.settings import Settings
from agentguard.show.notify.words import Notification

_DECOY_SECONDS = 1.0
STOPPED = "the watch was stopped"
_REMEDY = "start the agent with `agentguard run`"


class NoNetwork:
    """What a running agent sends cannot be put through a proxy any more."""

    def unseen(self) -> Unseen | None:
        return Unseen("what the agent sends is not seen by a watch", _REMEDY)

    def learn(self, values: Sequence[SecretValue]) -> None:
        """Nobody compares them with anything."""

    def settle(self) -> None:
        """Nothing waits."""

    def stop(self) -> None:
        """Nothing runs."""

    def coverage(self) -> Coverage:
        return Coverage(
            sensor="proxy",
            state=SensorState.UNAVAILABLE,
            reason=f"an agent that already runs cannot be put behind it; {_REMEDY}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSetup:
    """What all sessions of one watch share."""

    home: Home
    policies: Path
    catalogue: AgentCatalogue
    hold: bool
    """Hold openers by leases."""
    notify: Settings


class WatchedSession(LiveSession):
    """Its agent is never touched: it is not stopped, traced or waited for."""

    def __init__(self, running: RunningAgent, setup: WatchSetup) -> None:
        """Raises ConfigError when there is no temporary folder to write to."""
        uid = new_uid(time.time_ns())
        inbox: Inbox = queue.SimpleQueue()
        ground = Ground(
            session=uid,
            argv=running.argv,
            environ={"HOME": running.user_home},
            cwd=running.cwd,
            home=setup.home,
            policies=setup.policies,
            run_folder=make_run_folder(uid),
            catalogue=setup.catalogue,
            agent=running.agent.id if running.agent else "unknown",
            agent_name=running.agent.name if running.agent else Path(running.exe or running.argv[0]).name,
            inbox=inbox,
            network=NoNetwork(),
            notify=setup.notify,
            clock=time.time_ns,
        )
        super().__init__(ground, running.pid)
        self._running = running
        self._hold = setup.hold

    @property
    def pid(self) -> int:
        return self._root_pid

    def attach(self) -> str:
        """From here on the agent's tree is watched. Returns what to tell the user.

        Raises:
            AgentGuardError: a policy, a key or the database cannot be used.
        """
        try:
            self._open_record()
            self._index.prepare()
            self._index.head_start(lambda: False)
        except BaseException:
            self._run_folder.remove()
            raise
        decoy = self._run_folder.decoy
        self._sensors = start_attached_sensors(self._folder_setup(), hold=self._hold)
        _open_decoy(decoy)
        self._index.start()
        self._tell_environment()
        self._writer.update_session(self._current())
        from agentguard.show.summary import attached_lines  # noqa: PLC0415

        return attached_lines(self._session, self._coverage())

    def has_ended(self) -> bool:
        """Whether nothing of the agent's tree runs any more."""
        tree = self._sensors.attached
        return tree is not None and tree.tree.has_ended()

    def close(self, *, stopped: bool) -> str:
        """Seal it. `stopped`: we leave, and the agent goes on. Returns the summary."""
        reason = STOPPED if stopped else "exited"
        self._session = dataclasses.replace(self._session, end_reason=reason)
        self._settle()
        last = left_unwatched if stopped else ended
        self._writer.append(*last(self._session, self._clock()))
        self._seal()
        self._writer.flush(DRAIN_SECONDS)
        from agentguard.launch.closing_words import closing_words  # noqa: PLC0415

        words = closing_words(self._home, self._session.uid, color=False)
        self._let_go()
        return words

    def _notify_setup(self) -> NotifySetup:
        """The terminal that the watch runs in is its own."""
        setup = super()._notify_setup()
        return dataclasses.replace(setup, ring=_ring) if setup.settings.terminal else setup

    def _tell_environment(self) -> None:
        """What the agent was started with. Of its own user alone; what it has set since cannot be seen."""
        running = self._running
        stat = read_stat(running.pid)
        self._monitor.emit(
            ExecObservation(
                time_ns=self._clock(),
                sensor="environment",
                process=ProcessSnapshot(
                    pid=running.pid,
                    parent_pid=stat.parent_pid if stat else 0,
                    start_time=stat.start_time if stat else 0,
                    exe=running.exe,
                    cmdline=running.argv,
                    cwd=str(running.cwd),
                ),
                confidence=Confidence.EXACT_PID,
                environ=tuple(running.environ.items()) if running.environ is not None else None,
            )
        )

    def _coverage(self) -> tuple[Coverage, ...]:
        if self._running.environ is not None:
            return LiveSession._coverage(self)
        reason = "the agent is another user's, or hides its environment"
        hidden = Coverage(sensor="environment", state=SensorState.UNAVAILABLE, reason=reason)
        return (*LiveSession._coverage(self), hidden)


def _ring(note: Notification) -> None:
    """Lines among the watch's own, then a bell, if this is a terminal and we are in its foreground."""
    lines = (note.title, *note.lines, note.next)
    print("\n".join(["agentguard: " + lines[0], *(f"  {line}" for line in lines[1:])]), file=sys.stderr, flush=True)
    if os.isatty(2):
        ring(2, sequence(note.title, os.environ))


def _open_decoy(path: Path) -> None:
    """The proof of every file sensor. A lease refuses us at first, and that is its proof."""
    deadline = time.monotonic() + _DECOY_SECONDS
    while True:
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
        except BlockingIOError:
            time.sleep(0.002)
        except OSError:
            return
        else:
            return
        if time.monotonic() > deadline:
            return
