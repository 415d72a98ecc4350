"""One guarded session: everything that is opened for it, in order, and closed again.

The supervisor drives it; `agentguard.monitor` holds the pipeline.
"""

from __future__ import annotations

import dataclasses
import mmap
import os
import time
from collections.abc import Callable, Mapping, Sequence

from agentguard.config import folder_of_user
from agentguard.launch.cover import Cover
from agentguard.launch.endings import Ending, ending_of
from agentguard.launch.log import log
from agentguard.launch.milestones import ended, started
from agentguard.launch.opening import Opening
from agentguard.launch.recovery import recover
from agentguard.model.observation import ExecObservation, FileObservation, GapObservation, GapType
from agentguard.model.process import Confidence, ProcessSnapshot
from agentguard.model.secret import SecretFile, SecretValue
from agentguard.model.session import Coverage, SensorState, Session
from agentguard.monitor import Detection, Monitor, Stages, Subject, open_detection, open_stages, take_inventory
from agentguard.record.writer import Writer
from agentguard.sense import procfs
from agentguard.sense.interface import FolderSetup
from agentguard.sense.select import FileSensors, Filtered, open_table, start_file_sensors

_UPDATE_NS = 1_000_000_000
_DRAIN_SECONDS = 5.0
_PROOF_SECONDS = 2.0
_NOT_WRITTEN = (
    "agentguard: ? what this session did could not be recorded, so nothing can be said of it; "
    "the database cannot be written (is the disk full?)"
)


class GuardedSession:
    """Opened before the agent starts, closed when its tree has gone."""

    def __init__(self, opening: Opening, agent_pid: int, shared: mmap.mmap) -> None:
        self._opening = opening
        self._request = opening.request
        self._home = opening.home
        self._run_folder = opening.run_folder
        self._network = opening.network
        self._clock = opening.clock
        self._agent_pid = agent_pid
        self._shared = shared
        self._updated_ns = 0
        self._cut_short: set[str] = set()
        self._monitor = Monitor(opening.inbox)
        self._cover = Cover(self._monitor.emit)

    # --- opening ----------------------------------------------------------------------------------

    def open(self) -> None:
        """Load and wire all but the file sensors, and wait for the proxy.

        Raises:
            AgentGuardError: a policy, a key or the database cannot be used. The agent has not been started.
        """
        opening, request = self._opening, self._request
        self._detection: Detection = open_detection(self._home, opening.policies, self._clock)
        user_home = folder_of_user(request.environ)
        values = take_inventory(self._detection, user_home, request.cwd)
        self._table = open_table(self._run_folder.path, self._detection.table)
        self._writer = Writer(self._home, on_error=log)
        subject = Subject(
            session=request.session,
            agent=opening.agent,
            catalogue=opening.catalogue,
            root_pid=self._agent_pid,
            workspace=request.cwd,
            user_home=user_home,
            secret_hosts=frozenset(host for value in values for host in value.issuer_hosts),
            learn=self._learn,
        )
        self._stages: Stages = open_stages(self._home, opening.policies, self._detection, self._writer, subject)
        self._writer.start()
        recover(self._home, self._writer)
        self._session = self._first_record(opening.agent, opening.agent_name)
        self._writer.begin_session(self._session)
        self._writer.append(*started(self._session))
        self._monitor.start(self._stages)
        if self._network.wait():
            self._network.learn(values)

    def _first_record(self, agent: str, name: str) -> Session:
        redact = self._detection.scanner.redact
        return Session(
            uid=self._request.session,
            agent=agent,
            agent_name=redact(name)[0],
            command=tuple(redact(part)[0] for part in self._request.argv),
            cwd=redact(str(self._request.cwd))[0],
            root_pid=self._agent_pid,
            start_ns=self._clock(),
        )

    def start_sensors(self, listener: int, why_not: str) -> None:
        """From here on the agent's tree is answered for."""
        setup = FolderSetup(
            root_pid=self._agent_pid,
            files=self._detection.table,
            decoy=self._run_folder.decoy_key,
            decoy_folder=str(self._run_folder.decoy.parent),
            seen=self._seen,
            on_change=self._on_change,
            on_hold=self._on_hold,
            emit=self._cover.emit,
            clock=self._clock,
        )
        self._sensors: FileSensors = start_file_sensors(
            filtered=Filtered(listener=listener, why_not=why_not, shared=self._shared, table=self._table),
            proxy_port=lambda: self._network.port,
            setup=setup,
        )
        self._network.prove()

    # --- what sensors ask while they hold something -------------------------------------------------

    def _on_hold(self, observation: FileObservation) -> bool:
        """The proxy has the file's values before the reader has the file."""
        file = observation.file
        if file is None:
            return True
        values, new = self._detection.values.of(file)
        if new:
            self._network.learn(values)
            self._sensors.watch(file.path)
        self._tell_cut_short(file, observation)
        return not self._detection.dismiss(file)

    def _tell_cut_short(self, file: SecretFile, observation: FileObservation) -> None:
        if file.path not in self._cut_short and self._detection.values.cut_short(file):
            self._cut_short.add(file.path)
            self._monitor.emit(
                GapObservation(
                    time_ns=self._clock(),
                    sensor="agentguard",
                    type=GapType.SCAN_FAILED,
                    detail=f"{file.path} is so large that not all of its values can be followed",
                    process=observation.process,
                )
            )

    def _learn(self, values: Sequence[SecretValue]) -> None:
        """Follow them in everything that leaves, here and in the proxy."""
        self._detection.learn(values)
        self._network.learn(values)

    def _seen(self, device: int, inode: int, since_ns: int) -> bool:
        seccomp = self._sensors.seccomp
        return (seccomp is not None and seccomp.saw(device, inode, since_ns)) or self._detection.values.read_since(
            device, inode, since_ns
        )

    def _on_change(self, path: str) -> None:
        """A file in a watched folder was written: is it a secret file now, and what does it hold?"""
        file = self._detection.examine(path)
        if file is not None:
            values, new = self._detection.values.of(file)
            if new:
                self._network.learn(values)

    # --- the agent --------------------------------------------------------------------------------

    def banner(self) -> str:
        from agentguard.show.summary import banner  # noqa: PLC0415

        return banner(self._session, self._coverage(), color=self._request.color)

    def decoy(self) -> str:
        return str(self._run_folder.decoy)

    def environment(self) -> Mapping[str, str]:
        """What the agent is started with."""
        return {
            **self._request.environ,
            **self._network.environment(),
            "AGENTGUARD_SESSION": self._request.session,
            "AGENTGUARD_SUPERVISOR": str(os.getpid()),
        }

    def agent_started(self) -> None:
        """Without seccomp nobody saw the agent's own exec: tell what it inherited."""
        if self._sensors.seccomp is None:
            self._monitor.emit(
                ExecObservation(
                    time_ns=self._clock(),
                    sensor="environment",
                    process=ProcessSnapshot(pid=self._agent_pid, exe=self._request.program, cmdline=self._request.argv),
                    confidence=Confidence.EXACT_PID,
                    environ=tuple(self.environment().items()),
                )
            )

    def not_started(self, reason: str) -> None:
        self._session = dataclasses.replace(self._session, end_reason=f"not started: {reason}")

    def tick(self) -> None:
        """Once in a while: what a dashboard shows of a session that runs."""
        now = self._clock()
        if now - self._updated_ns >= _UPDATE_NS:
            self._updated_ns = now
            self._cover.settle(self._sensors.second_opinion(), final=False)
            self._writer.update_session(self._current())

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
        proxy = self._network.pid
        return [pid for pid in procfs.children(os.getpid()) if pid != proxy]

    def agent_ended(self, wait_status: int, *, background: bool) -> str:
        """Record it. Returns the summary, "" when it is not wanted."""
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
        written = self._writer.flush(_DRAIN_SECONDS)
        if self._request.quiet:
            return ""
        return self._summary() if written else _NOT_WRITTEN

    def close(self) -> None:
        """The tree has gone."""
        if not self._session.seal:
            self._settle()
            self._seal()
        self._monitor.stop()
        self._writer.close()
        self._run_folder.remove()

    # --- closing ----------------------------------------------------------------------------------

    def _settle(self) -> None:
        """What was seen is recorded: first the proxy's, then all that waits for the pipeline."""
        self._network.settle()
        self._sensors.proved(_PROOF_SECONDS)
        self._cover.settle(self._sensors.second_opinion(), final=True)
        self._monitor.drain(_DRAIN_SECONDS)

    def _seal(self) -> None:
        self._sensors.stop()
        coverage = tuple(map(_stopped, self._coverage()))
        self._network.stop()
        self._tell_unproved(coverage)
        self._tell_lost()
        self._monitor.drain(_DRAIN_SECONDS)
        last = dataclasses.replace(self._current(), end_ns=self._clock(), in_background=False, coverage=coverage)
        self._session = dataclasses.replace(last, seal=self._writer.end_session(last))

    def _tell_unproved(self, coverage: tuple[Coverage, ...]) -> None:
        """A sensor that never saw its own decoy may have been blind."""
        for sensor in coverage:
            if sensor.state is SensorState.STOPPED and not sensor.proved:
                self._monitor.emit(
                    GapObservation(
                        time_ns=self._clock(),
                        sensor=sensor.sensor,
                        type=GapType.SENSOR_STOPPED,
                        detail=f"the {sensor.sensor} sensor did not see its own decoy",
                        remedy="run `agentguard doctor`",
                    )
                )

    def _tell_lost(self) -> None:
        """Events that could not be written, and observations that a stage failed on, are holes in the record."""
        for count, what in (
            (self._writer.lost, "events could not be written to the database"),
            (self._monitor.failures, "observations could not be examined"),
        ):
            if count:
                self._monitor.emit(
                    GapObservation(
                        time_ns=self._clock(),
                        sensor="agentguard",
                        type=GapType.EVENTS_LOST,
                        detail=f"{count} {what}",
                        remedy="see agentguard.log in the home folder",
                        count=count,
                    )
                )

    def _coverage(self) -> tuple[Coverage, ...]:
        return (*self._sensors.coverage(), self._network.coverage())

    def _current(self) -> Session:
        tally = self._stages.tally
        return dataclasses.replace(
            self._session,
            outcome=tally.outcome,
            outcome_reason=tally.reason,
            counts=dict(tally.counts),
            coverage=self._coverage(),
        )

    def _summary(self) -> str:
        from agentguard.launch.closing_words import closing_words  # noqa: PLC0415

        return closing_words(self._home, self._session.uid, color=self._request.color)


def _stopped(coverage: Coverage) -> Coverage:
    if coverage.state is not SensorState.RUNNING:
        return coverage
    return dataclasses.replace(coverage, state=SensorState.STOPPED)
