"""The pipeline: the one place that knows the order. sense → attribute → detect → judge → record.

Sensors hand their observations to `Monitor.emit` from their own threads; one thread takes each through the
stages, so that a read is always recorded before the send that follows it.
"""

from __future__ import annotations

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
from agentguard.detect.describe import Describer
from agentguard.detect.detector import Detector
from agentguard.detect.flow import FlowTracker
from agentguard.detection import Detection
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
from agentguard.model.secret import SecretValue
from agentguard.model.verdict import Disposition, Verdict
from agentguard.record.reader import histories_before
from agentguard.record.writer import Writer

_REMEMBERED_EXECS = 16_384
_GUESSED = frozenset({Confidence.PROBABLE, Confidence.NONE})


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
