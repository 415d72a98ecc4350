"""What every recorded session shares, whether we started the agent or found it running.

Its detection, its pipeline, its row in the database, and the order in which all of it is settled and sealed.
`guarded` adds an agent of our own, `watched` one that was there before.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from agentguard.command_name import command
from agentguard.config import folder_of_user, home_option
from agentguard.detection import Detection, open_detection, take_inventory
from agentguard.launch.cover import Cover
from agentguard.launch.git_gate import gate_files
from agentguard.launch.ground import Ground
from agentguard.launch.guard_files import GuardWatch, guard_files
from agentguard.launch.health import Health
from agentguard.launch.indexing import Indexing, IndexSetup
from agentguard.launch.log import log
from agentguard.launch.milestones import started
from agentguard.launch.notifying import Notifying, NotifySetup
from agentguard.launch.own_commands import is_own_command
from agentguard.launch.recovery import recover
from agentguard.model.observation import FileObservation, GapObservation, GapType
from agentguard.model.secret import GUARD_KINDS, SecretFile, SecretValue
from agentguard.model.session import Coverage, SensorState, Session
from agentguard.monitor import Monitor, Stages, Subject, open_stages
from agentguard.record.writer import Writer
from agentguard.sense.interface import FolderSetup
from agentguard.sense.select import FileSensors

_UPDATE_NS = 1_000_000_000
DRAIN_SECONDS = 5.0
_PROOF_SECONDS = 10.0
"""At the end of a short session on a busy machine; else all have proved themselves long before."""


class LiveSession:
    """Opened, observed, sealed."""

    def __init__(self, ground: Ground, root_pid: int) -> None:
        self._ground = ground
        self._home = ground.home
        self._run_folder = ground.run_folder
        self._clock = ground.clock
        self._root_pid = root_pid
        self._updated_ns = 0
        self._cut_short: set[str] = set()
        self._monitor = Monitor(ground.inbox)
        self._cover = Cover(self._monitor.emit)
        self._health = Health(self._cover.emit, self._clock)
        self._sensors = FileSensors(seccomp=None, folders=None, inodes=None)
        self._unseen = ground.network.unseen()

    # --- opening ----------------------------------------------------------------------------------

    def _open_record(self) -> list[SecretValue]:
        """Load and wire all but the sensors; the session is on record from here on. Returns the values to follow.

        Raises:
            AgentGuardError: a policy, a key or the database cannot be used.
        """
        ground = self._ground
        self._detection: Detection = open_detection(self._home, ground.policies, self._clock)
        user_home = folder_of_user(ground.environ)
        values = take_inventory(self._detection, user_home, ground.cwd)
        self._notifying = Notifying(self._notify_setup())
        self._writer = Writer(self._home, on_error=log, on_commit=self._notifying.offer)
        subject = Subject(
            session=ground.session,
            agent=ground.agent,
            catalogue=ground.catalogue,
            root_pid=self._root_pid,
            workspace=ground.cwd,
            user_home=user_home,
            secret_hosts=frozenset(host for value in values for host in value.issuer_hosts),
            environ=ground.environ,
            learn=self._learn,
        )
        self._stages: Stages = open_stages(self._home, ground.policies, self._detection, self._writer, subject)
        self._writer.start()
        recover(self._home, self._writer)
        self._session = self._first_record()
        self._writer.begin_session(self._session)
        self._writer.append(*started(self._session))
        self._monitor.start(self._stages)
        self._index = self._open_index()
        return values

    def _open_index(self) -> Indexing:
        ground = self._ground
        return Indexing(
            IndexSetup(
                detection=self._detection,
                workspace=ground.cwd,
                own=(self._home.root, self._run_folder.path),
                policies=ground.policies,
                cache=self._home.cache,
                log=self._home.log,
                decoy=self._run_folder.path / "index-decoy",
                on_change=self._on_change,
                on_content=self._on_content,
                emit=self._cover.emit,
                second_opinion=self._network_opinion,
                clock=self._clock,
            )
        )

    def _notify_setup(self) -> NotifySetup:
        ground = self._ground
        return NotifySetup(
            settings=ground.notify,
            home=ground.home,
            agent_name=self._detection.scanner.redact(ground.agent_name)[0],
            look=f"{command()} tui{home_option(ground.home)}",
        )

    def _network_opinion(self) -> str:
        """What is known by its form is recognised in what is sent, read by whomever: the sensor that proved it does."""
        coverage = self._ground.network.coverage()
        return coverage.sensor if coverage.proved and coverage.state is SensorState.RUNNING else ""

    def _first_record(self) -> Session:
        ground, redact = self._ground, self._detection.scanner.redact
        return Session(
            uid=ground.session,
            agent=ground.agent,
            agent_name=redact(ground.agent_name)[0],
            command=tuple(redact(part)[0] for part in ground.argv),
            cwd=redact(str(ground.cwd))[0],
            root_pid=self._root_pid,
            start_ns=self._clock(),
        )

    def _folder_setup(self) -> FolderSetup:
        files = (*guard_files(self._home, self._ground.cwd, self._run_folder.path), *gate_files(self._ground.cwd))
        self._guard = GuardWatch(files, self._monitor.emit, self._clock)
        for file in self._guard.entries():
            self._detection.table.add(file)
        return FolderSetup(
            root_pid=self._root_pid,
            files=self._detection.table,
            decoy=self._run_folder.decoy_key,
            decoy_path=str(self._run_folder.decoy),
            seen=self._seen,
            on_look=self._detection.looks.note,
            on_change=self._on_change,
            on_hold=self._on_hold,
            emit=self._cover.emit,
            clock=self._clock,
        )

    # --- what sensors ask while they hold something -------------------------------------------------

    def _on_hold(self, observation: FileObservation) -> bool:
        """The network's sensor has the file's values before the reader has the file."""
        file = observation.file
        if file is None:
            return True
        if file.kind in GUARD_KINDS and observation.process is not None and is_own_command(observation.process):
            return False
        values, new = self._detection.values.hold(observation)
        if new:
            self._ground.network.learn(values)
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
        """Follow them in everything that leaves, here and on the network."""
        self._detection.learn(values)
        self._ground.network.learn(values)

    def _seen(self, device: int, inode: int, since_ns: int) -> bool:
        detection = self._detection
        return (
            self._sensors.saw(device, inode, since_ns)
            or detection.values.read_since(device, inode, since_ns)
            or detection.looks.seen(device, inode, since_ns)
        )

    def _on_change(self, path: str) -> SecretFile | None:
        """A file was written or put in place: is it a secret file now, and what does it hold?"""
        file = self._detection.examine(path)
        if file is not None:
            self._ground.network.learn(self._detection.values.of(file)[0])
        return file

    def _on_content(self, path: str) -> SecretFile | None:
        """A file holds a secret, whatever it is called: follow it from now on."""
        file = self._detection.content(path)
        if file is not None:
            self._ground.network.learn(self._detection.values.of(file)[0])
        return file

    # --- while it runs ----------------------------------------------------------------------------

    def tick(self) -> None:
        """Once in a while: what a dashboard shows of a session that runs."""
        self._health.look(self._coverage())
        now = self._clock()
        if now - self._updated_ns >= _UPDATE_NS:
            self._updated_ns = now
            if self._stages.detector.secret_is_loose(self._session.uid, now):
                self._tell_unseen()
            self._tell_lost()
            self._check_guard()
            self._cover.settle(self._sensors.covers, final=False)
            self._writer.update_session(self._current())

    # --- closing ----------------------------------------------------------------------------------

    def _settle(self) -> None:
        """What was seen is recorded: first the network's, then all that waits for the pipeline."""
        self._ground.network.settle()
        self._sensors.settle(DRAIN_SECONDS)
        self._check_guard(final=True)
        self._sensors.proved(_PROOF_SECONDS)
        self._cover.settle(self._sensors.covers, final=True)
        self._monitor.drain(DRAIN_SECONDS)

    def _seal(self) -> None:
        self._index.finish()
        self._sensors.stop()
        coverage = tuple(map(_stopped, self._coverage()))
        self._ground.network.stop()
        self._tell_unseen()
        self._health.last_look(coverage)
        self._tell_lost()
        self._cover.settle(self._sensors.covers, final=True)
        self._monitor.drain(DRAIN_SECONDS)
        last = dataclasses.replace(self._current(), end_ns=self._clock(), in_background=False, coverage=coverage)
        self._session = dataclasses.replace(last, seal=self._writer.end_session(last))

    def _let_go(self) -> None:
        """Sealed: end the threads, and what was kept for the session alone."""
        self._monitor.stop()
        self._writer.close()
        self._notifying.close()
        self._run_folder.remove()

    def _tell_unseen(self) -> None:
        """What the session's network sensor cannot see, told once: when it begins to matter, or else at the end."""
        unseen, self._unseen = self._unseen, None
        if unseen is not None:
            self._monitor.emit(
                GapObservation(
                    time_ns=self._clock(),
                    sensor="proxy",
                    type=GapType.NETWORK_UNSEEN,
                    detail=unseen.detail,
                    remedy=unseen.remedy,
                )
            )

    def _tell_lost(self) -> None:
        """Events that could not be written, and observations that a stage failed on, are holes in the record."""
        self._health.count(self._writer.lost, "events could not be written to the database")
        self._health.count(self._monitor.failures, "observations could not be examined")

    def _check_guard(self, *, final: bool = False) -> None:
        """Has anybody laid hands on the guard's own files?"""
        for file in self._guard.check(final=final):
            self._detection.table.add(file)

    def _coverage(self) -> tuple[Coverage, ...]:
        return (*self._sensors.coverage(), self._index.coverage(), self._ground.network.coverage())

    def _current(self) -> Session:
        tally = self._stages.tally
        return dataclasses.replace(
            self._session,
            outcome=tally.outcome,
            outcome_reason=tally.reason,
            counts=dict(tally.counts),
            coverage=self._coverage(),
        )


def _stopped(coverage: Coverage) -> Coverage:
    if coverage.state is not SensorState.RUNNING:
        return coverage
    return dataclasses.replace(coverage, state=SensorState.STOPPED)
