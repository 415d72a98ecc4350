"""The pipeline: the one place that knows the order. sense → attribute → detect → judge → record.

Sensors hand their observations to `Monitor.emit` from their own threads; one thread takes each through the
stages, so that a read is always recorded before the send that follows it.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from agentguard.attribute.agents import AgentCatalogue
from agentguard.attribute.attributor import Attributor
from agentguard.config import Home
from agentguard.detect.commands import load_commands
from agentguard.detect.content import ContentJudge
from agentguard.detect.content_walk import ContentWalk
from agentguard.detect.describe import Describer
from agentguard.detect.detector import Detector
from agentguard.detect.engine import build_engine
from agentguard.detect.file_values import FileValues
from agentguard.detect.files import FilePatterns, load_file_patterns
from agentguard.detect.fingerprint import Fingerprinter
from agentguard.detect.flow import FlowTracker
from agentguard.detect.inventory import Limits, content_file, inventory, secret_file
from agentguard.detect.rules import load_types
from agentguard.detect.scanner import Scanner
from agentguard.detect.secret_table import SecretTable
from agentguard.detect.values import ValueIndex
from agentguard.judge.context import Context, Login
from agentguard.judge.gateways import pointed_at
from agentguard.judge.habits import Habits
from agentguard.judge.load import load_policy
from agentguard.judge.outcome import OutcomeTally
from agentguard.judge.policy import Policy
from agentguard.judge.repeats import Repeats
from agentguard.model.finding import Finding
from agentguard.model.identity import new_uid
from agentguard.model.observation import ExecObservation, FileObservation, Observation
from agentguard.model.process import Ancestor, Confidence, Process, ProcessSnapshot
from agentguard.model.secret import CONTENT_KIND, SecretFile, SecretValue
from agentguard.model.verdict import Disposition, Verdict
from agentguard.record.looks import Looks
from agentguard.record.reader import histories_before
from agentguard.record.writer import Writer

Clock = Callable[[], int]
"""ns since the epoch."""
_REMEMBERED_EXECS = 16_384
_GUESSED = frozenset({Confidence.PROBABLE, Confidence.NONE})
_AT_START = Limits(seconds=0.4)
"""The agent waits for this walk. A file that it does not reach is known by its name when it is opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What recognises secrets, and which files hold them: for the pipeline, and for sensors while they hold a call."""

    scanner: Scanner
    patterns: FilePatterns
    table: SecretTable
    index: ValueIndex
    values: FileValues
    judge: ContentJudge
    looks: Looks
    """Which secret files have just been opened by guards of this home, or by agents of theirs."""

    def learn(self, values: Sequence[SecretValue]) -> None:
        """Recognise these too."""
        self.index.add(values)

    def values_at(self, path: str) -> tuple[SecretValue, ...]:
        """What the secret file at a path holds; () when there is none."""
        file = self._known(path)
        return self.values.of(file)[0] if file is not None else ()

    def examine(self, path: str) -> SecretFile | None:
        """A file was written, created or moved into place: its entry in the table, None when it is no secret file."""
        pattern = self.patterns.match_name(path)
        if pattern is None and self.table.known_path(path):
            return self.content(path)
        file = secret_file(path, pattern) if pattern else self._known(path)
        if file is None or self.dismiss(file):
            return None
        self.table.add(file)
        return file

    def content(self, path: str) -> SecretFile | None:
        """This file may be secret for what it holds: its entry in the table, None when it is not (any more)."""
        old, new = self.table.at_path(path), content_file(path)
        if old is not None and (new is None or (old.device, old.inode) != (new.device, new.inode)):
            self.table.discard(old.device, old.inode)
        named = self.table.lookup(new.device, new.inode) if new else None
        if new and named and named.kind != CONTENT_KIND and named.birth_time_ns == new.birth_time_ns:
            return named  # a hard link, or its name of now: what its telling name says goes on
        if new is None or self.dismiss(new) or not self.values.of(new)[0]:
            return None
        self.table.add(new)
        return new

    def deleted(self, path: str) -> None:
        """The file that had this name, and no other, is gone."""
        file = self.table.at_path(path)
        if file is not None:
            self.table.discard(file.device, file.inode)

    def has_room(self, path: str) -> bool:
        """Whether this file may be watched for what it holds, too."""
        return self.table.known_path(path) or self.table.content_places < self.patterns.content.most_found

    def proves_content(self, decoy: Path) -> bool:
        """Whether a secret in a file is seen; `decoy` is written for that, and removed."""
        return self.judge.proves_itself(decoy, self.scanner.types)

    def walk(self, *, excluded: frozenset[str], since_ns: int = 0) -> ContentWalk:
        """Looks into the files of a workspace that are not in the table; arguments as there."""
        return ContentWalk(self.patterns, self.judge, excluded=excluded, since_ns=since_ns, known=self.table.known_path)

    def dismiss(self, file: SecretFile) -> bool:
        """Whether it is none after all, by its content; it leaves the table then."""
        harmless = self.values.is_harmless(file)
        if harmless:
            self.table.discard(file.device, file.inode)
        return harmless

    def _known(self, path: str) -> SecretFile | None:
        try:
            info = os.stat(path)
        except OSError:
            return None
        return self.table.lookup(info.st_dev, info.st_ino)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is watched."""

    session: str
    """Session uid."""
    agent: str
    """Agent id, or "unknown"."""
    catalogue: AgentCatalogue
    root_pid: int
    workspace: Path
    user_home: Path
    secret_hosts: frozenset[str]
    """Hosts and addresses that a secret of the session names as its own: a database at the host of its own URL."""
    environ: Mapping[str, str]
    """Of the session's start: it may point the agent at a gateway to its model."""
    learn: Callable[[Sequence[SecretValue]], object]
    """Takes secrets that a process inherited, to be followed from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """Everything after sense, for one session."""

    session: str
    detection: Detection
    attributor: Attributor
    detector: Detector
    policy: Policy
    context: Context
    habits: Habits
    repeats: Repeats
    writer: Writer
    tally: OutcomeTally


def open_detection(home: Home, policies: Path, clock: Clock) -> Detection:
    """Load the credential types and build the engine; the table of secret files is empty yet.

    Raises:
        PolicyError: a data file is invalid.
        ConfigError: a key of the home folder cannot be used.
    """
    fingerprinter = Fingerprinter(home.fingerprint_key())
    types = load_types(policies / "secrets.yaml")
    index = ValueIndex()
    scanner = Scanner(types, build_engine(types, cache=home.cache), fingerprinter, index)
    patterns = load_file_patterns(policies / "files.yaml")
    judge = ContentJudge(scanner.locate, patterns.content)
    looks = Looks(home.looks, home.looks_key(), clock)
    return Detection(
        scanner=scanner,
        patterns=patterns,
        table=SecretTable(patterns),
        index=index,
        values=FileValues(scanner, judge, index, on_look=looks.note, clock=clock),
        judge=judge,
        looks=looks,
    )


def take_inventory(detection: Detection, user_home: Path, workspace: Path) -> list[SecretValue]:
    """The secret files there are now; returns what they hold. curl opens and sends within two milliseconds, so the
    proxy must know the values before the agent starts."""
    found = inventory(detection.patterns, home=user_home, workspace=workspace, limits=_AT_START)
    values = detection.values.learn(found.files)
    for file in found.files:
        if not detection.values.is_harmless(file):
            detection.table.add(file)
    return values


class Monitor:
    """One session's pipeline, on a thread of its own."""

    def __init__(self, inbox: queue.SimpleQueue[Any]) -> None:
        self._queue: queue.SimpleQueue[Observation | threading.Event | None] = inbox
        self._execs: OrderedDict[int, ProcessSnapshot] = OrderedDict()
        self._thread: threading.Thread | None = None
        self._ignored: set[tuple[object, ...]] = set()
        self.failures = 0
        """Observations that a stage failed on; each is a hole in the record."""

    def start(self, stages: Stages) -> None:
        """Take what was emitted so far, and all that comes."""
        self._stages = stages
        self._thread = threading.Thread(target=self._run, name="pipeline", daemon=True)
        self._thread.start()

    def emit(self, observation: Observation) -> None:
        """From any thread. Returns at once."""
        self._queue.put(observation)

    def drain(self, timeout: float) -> bool:
        """Wait until all that was emitted so far is with the writer, and every count of what was repeated.

        False when that took longer than `timeout` s.
        """
        done = threading.Event()
        self._queue.put(done)
        return done.wait(timeout)

    def stop(self, timeout: float = 5.0) -> None:
        """After what is queued."""
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                if isinstance(item, threading.Event):
                    self._tell_counts()
                else:
                    self._process(item)
            except Exception:  # one observation must not end the record of all others, nor be quoted in a traceback
                self.failures += 1
            if isinstance(item, threading.Event):
                item.set()

    def _process(self, observation: Observation) -> None:
        """The order of the house."""
        self._remember(observation)
        self._account_for(observation)
        attributed = self._stages.attributor.attribute(observation)
        for found in self._stages.detector.detect(attributed):
            finding = self._stages.habits.compare(found)
            verdict = self._judge(finding)
            for told in self._stages.repeats.take(finding, verdict):
                self._record(told, verdict if told is finding else self._judge(told))

    def _tell_counts(self) -> None:
        for told in self._stages.repeats.rest():
            self._record(told, self._judge(told))

    def _judge(self, finding: Finding) -> Verdict:
        return self._stages.policy.judge(finding, self._stages.context)

    def _account_for(self, observation: Observation) -> None:
        """Other guards in this project see the open too, and not who made it. What we only guess explains nothing to
        them."""
        if not isinstance(observation, FileObservation) or observation.confidence in _GUESSED:
            return
        if observation.file is not None:
            self._stages.detection.looks.note(observation.file.device, observation.file.inode)

    def _record(self, finding: Finding, verdict: Verdict) -> None:
        if verdict.disposition is Disposition.IGNORED and self._told(finding, verdict):
            return
        self._stages.writer.append(finding, verdict)
        self._stages.tally.add(finding, verdict)
        self._keep_processes(finding)

    def _told(self, finding: Finding, verdict: Verdict) -> bool:
        """What the policy ignores is recorded once: an agent opens its own login at every turn."""
        key = (verdict.rule, finding.kind, finding.path or finding.subject, finding.process and finding.process.name)
        told = key in self._ignored
        self._ignored.add(key)
        return told

    # --- the process tree that explains an event ----------------------------------------------------

    def _remember(self, observation: Observation) -> None:
        if isinstance(observation, ExecObservation):
            self._execs[observation.process.pid] = observation.process
            self._execs.move_to_end(observation.process.pid)
            if len(self._execs) > _REMEMBERED_EXECS:
                self._execs.popitem(last=False)

    def _keep_processes(self, finding: Finding) -> None:
        """Only the processes that an event names, with their parents: ordinary work is nobody's business."""
        if finding.process is None:
            return
        kept = [finding.process]
        for position, ancestor in enumerate(finding.process.ancestors):
            snapshot = self._execs.get(ancestor.pid)
            if snapshot is not None:
                kept.append(self._redacted(snapshot, finding.process.ancestors[position + 1 :]))
        self._stages.writer.add_processes(finding.session, kept)

    def _redacted(self, snapshot: ProcessSnapshot, ancestors: tuple[Ancestor, ...]) -> Process:
        described = Describer(self._stages.detection.scanner).process(snapshot, ancestors)
        assert described is not None
        return described


def open_stages(home: Home, policies: Path, detection: Detection, writer: Writer, subject: Subject) -> Stages:
    """Wire the stages of one session.

    Raises:
        PolicyError: a policy is invalid; names the file, the line and what is wrong.
    """

    def new_event() -> str:
        return new_uid(time.time_ns())

    detector = Detector(
        scanner=detection.scanner,
        commands=load_commands(policies / "commands.yaml", detection.patterns.match_name),
        patterns=detection.patterns,
        values_of=detection.values.observed,
        values_at=detection.values_at,
        new_uid=new_event,
        flows=FlowTracker(),
        learn=subject.learn,
        user_home=str(subject.user_home),
    )
    policy = load_policy(home=home.root, workspace=subject.workspace)
    return Stages(
        session=subject.session,
        detection=detection,
        attributor=Attributor(subject.session, subject.agent, subject.catalogue),
        detector=detector,
        policy=policy,
        context=_context(subject, policy),
        habits=Habits(partial(histories_before, home.database, subject.session, time.time_ns())),
        repeats=Repeats(new_event),
        writer=writer,
        tally=OutcomeTally(),
    )


def _context(subject: Subject, policy: Policy) -> Context:
    logins = (
        Login(agent.id, agent.own_credentials, (*agent.model_hosts, *agent.login_hosts))
        for agent in subject.catalogue.agents
    )
    return Context(
        session_agent=subject.agent,
        model_hosts=subject.catalogue.model_hosts(),
        gateways=policy.gateways,
        pointed_at=pointed_at(subject.environ, subject.catalogue.gateway_variables),
        root_pid=subject.root_pid,
        identify=subject.catalogue.identify,
        logins=tuple(logins),
        secret_hosts=subject.secret_hosts,
        home=str(subject.user_home),
    )
