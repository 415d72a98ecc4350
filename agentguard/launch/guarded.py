"""One guarded session: everything that is opened for the agent that we start, in order, and closed again.

The supervisor drives it; `agentguard.monitor` holds the pipeline.
"""

from __future__ import annotations

import dataclasses
import mmap
import os
import time
from collections.abc import Callable, Mapping

from agentguard.launch.endings import Ending, ending_of
from agentguard.launch.live_session import DRAIN_SECONDS, LiveSession
from agentguard.launch.milestones import ended
from agentguard.launch.opening import Opening
from agentguard.model.observation import ExecObservation
from agentguard.model.process import Confidence, ProcessSnapshot
from agentguard.sense import procfs
from agentguard.sense.seccomp.gate import SessionGate
from agentguard.sense.select import Filtered, open_table, start_file_sensors

_NOT_WRITTEN = (
    "agentguard: ? what this session did could not be recorded, so nothing can be said of it; "
    "the database cannot be written (is the disk full?)"
)


class GuardedSession(LiveSession):
    """Opened before the agent starts, closed when its tree has gone."""

    def __init__(self, opening: Opening, agent_pid: int, shared: mmap.mmap) -> None:
        super().__init__(opening, agent_pid)
        self._request = opening.request
        self._network = opening.network
        self._shared = shared

    # --- opening ----------------------------------------------------------------------------------

    def open(self) -> None:
        """Load and wire all but the file sensors, and wait for the proxy.

        Raises:
            AgentGuardError: a policy, a key or the database cannot be used. The agent has not been started.
        """
        values = self._open_record()
        self._index.prepare()
        values += self._index.head_start(lambda: self._network.starting)
        self._table = open_table(self._run_folder.path, self._detection.table)
        self._gate = SessionGate(self._run_folder.path, self._table)
        if self._network.wait():
            self._network.learn(values)

    def start_sensors(self, listener: int, why_not: str) -> None:
        """From here on the agent's tree is answered for."""
        self._sensors = start_file_sensors(
            filtered=Filtered(
                listener=listener,
                why_not=why_not,
                shared=self._shared,
                table=self._table,
                gate=self._gate,
                wanted=not self._request.allow_privileged,
            ),
            proxy_port=lambda: self._network.port,
            way_in=self._network.way_in(),
            setup=self._folder_setup(),
        )
        self._network.prove()
        self._index.start()

    # --- the agent --------------------------------------------------------------------------------

    def banner(self) -> str:
        from agentguard.show.summary import banner  # noqa: PLC0415

        return banner(self._session, self._coverage(), color=self._request.color)

    def decoy(self) -> str:
        return str(self._run_folder.decoy)

    def gate_call(self) -> int | None:
        """The address that the filter lets pass."""
        return self._gate.gate.call if self._gate.gate else None

    def gate(self) -> Mapping[str, object] | None:
        """What the agent's process needs to prove the gate, and the variables to set when it has."""
        gate = self._gate.gate
        if gate is None:
            return None
        files = {"library": gate.library, "ordinary": gate.ordinary, "decoy": gate.decoy}
        return {**files, "environ": gate.environment(self._request.environ)}

    def environment(self) -> Mapping[str, str]:
        """What the agent is started with."""
        return {
            **self._request.environ,
            **self._network.environment(),
            "AGENTGUARD_SESSION": self._request.session,
            "AGENTGUARD_SUPERVISOR": str(os.getpid()),
        }

    def gate_tried(self, *, used: bool) -> None:
        """By the agent's process, just before it becomes the agent."""
        self._sensors.gate_tried(used=used)

    def agent_started(self) -> None:
        """Without seccomp nobody saw the agent's own exec: tell what it inherited."""
        if self._sensors.seccomp is None:
            self._monitor.emit(
                ExecObservation(
                    time_ns=self._clock(),
                    sensor="environment",
                    process=ProcessSnapshot(pid=self._root_pid, exe=self._request.program, cmdline=self._request.argv),
                    confidence=Confidence.EXACT_PID,
                    environ=tuple(self.environment().items()),
                )
            )

    def not_started(self, reason: str) -> None:
        self._session = dataclasses.replace(self._session, end_reason=f"not started: {reason}")

    def tree_ended(self, patience: float, reap: Callable[[], None]) -> bool:
        """Whether nothing of the agent runs any more; waits `patience` seconds at most for that."""
        deadline = time.monotonic() + patience
        while True:
            reap()
            if not self._others():
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.005)

    def _others(self) -> list[int]:
        children = procfs.children(os.getpid())
        ours = {self._network.pid, self._index.pid, self._notifying.pid}  # asked for last: one may just have begun
        return [pid for pid in children if pid not in ours]

    def agent_ended(self, wait_status: int, *, background: bool) -> str:
        """Record it. Returns the summary, "" when it is not wanted, or that nothing could be recorded."""
        ending: Ending = ending_of(wait_status)
        self._session = dataclasses.replace(
            self._session,
            exit_status=ending.exit_status,
            end_reason=self._session.end_reason or ending.reason,
            in_background=background,
        )
        self._settle()
        self._writer.append(*ended(self._session, self._clock()))
        if not background:
            self._seal()
        else:
            self._writer.update_session(self._current())
        if not self._writer.flush(DRAIN_SECONDS):
            return _NOT_WRITTEN
        return "" if self._request.quiet else self._summary()

    def close(self) -> None:
        """The tree has gone."""
        if not self._session.seal:
            self._settle()
            self._seal()
        self._let_go()

    def _summary(self) -> str:
        from agentguard.launch.closing_words import closing_words  # noqa: PLC0415

        return self._bell() + closing_words(self._home, self._session.uid, color=self._request.color)

    def _bell(self) -> str:
        """The agent has ended, so its terminal may be rung now: not before, as two writers would cut each other's
        escape sequences in half."""
        gravest = self._notifying.gravest
        if gravest is None or not (self._request.terminal and self._ground.notify.terminal):
            return ""
        from agentguard.show.notify.channels.terminal import sequence  # noqa: PLC0415
        from agentguard.show.notify.words import title_of  # noqa: PLC0415

        return sequence(title_of(gravest), self._request.environ)
