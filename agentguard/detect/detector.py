"""What an observation contains: findings, ready to be judged. Nothing raw leaves this module."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from agentguard.config import folder_of_user
from agentguard.detect import subjects
from agentguard.detect.commands import CredentialCommands
from agentguard.detect.describe import Describer, distinct, match_of
from agentguard.detect.files import FilePatterns
from agentguard.detect.flow import FlowTracker, Source
from agentguard.detect.gate_bypass import GateBypasses
from agentguard.detect.once import Once
from agentguard.detect.quiet_commands import QuietCommands
from agentguard.detect.reach import Reach
from agentguard.detect.scanner import Scanner
from agentguard.detect.sends import Sends
from agentguard.detect.values import environment_values
from agentguard.model.attributed import Attributed
from agentguard.model.finding import Activity, Finding, Gap, Kind
from agentguard.model.observation import (
    ChangeObservation,
    ConnectObservation,
    ExecObservation,
    FileObservation,
    GapObservation,
    GapType,
    HttpObservation,
    LookupObservation,
)
from agentguard.model.process import Attribution, Confidence
from agentguard.model.secret import GUARD_FILE, SecretMatch, SecretValue

_BYPASS_REMEDIES = {
    "tcp": "run with --capture, use a program that honours HTTPS_PROXY, or accept this destination in the policy",
    "udp": "have the program use TCP (for QUIC: HTTP/2), or accept this destination in the policy",
}
_ENVIRONMENT = "process-environment"
"""Id of /proc/PID/environ in policies/files.yaml."""
_MAX_VARIABLES = 100_000
_LATE = "; a secret came within reach of this process afterwards"
_CONFIDENCE_OF = {
    Attribution.EXACT: Confidence.EXACT_PID,
    Attribution.INFERRED: Confidence.PROBABLE,
    Attribution.UNKNOWN: Confidence.NONE,
}
"""Of a gap, which has none of its own."""


class Detector:
    """Observations in, findings out. For one thread: the pipeline's.

    Args:
        scanner: recognises credentials and known values.
        commands: which commands fetch a credential.
        patterns: which file names are secret ones.
        values_of: the values known of the file that was opened.
        new_uid: a new event uid.
        flows: links sends to reads.
        values_at: the values known of the file at a path.
        learn: is handed the values an environment holds, to be followed from now on.
        user_home: the folder shown as `~`; None: the user's own.
    """

    def __init__(  # noqa: PLR0913 (each is a stage of its own, named at the one call)
        self,
        *,
        scanner: Scanner,
        commands: CredentialCommands,
        patterns: FilePatterns,
        values_of: Callable[[FileObservation], tuple[SecretValue, ...]],
        new_uid: Callable[[], str],
        flows: FlowTracker,
        values_at: Callable[[str], Sequence[SecretValue]] = lambda _: (),
        learn: Callable[[Sequence[SecretValue]], object] | None = None,
        user_home: str | None = None,
    ) -> None:
        self._scanner = scanner
        self._commands = commands
        self._patterns = patterns
        self._values_of = values_of
        self._values_at = values_at
        self._new_uid = new_uid
        self._flows = flows
        self._learn = learn
        self._home = str(folder_of_user()) if user_home is None else user_home
        self._describe = Describer(scanner)
        self._reach = Reach()
        self._quiet = QuietCommands()
        self._inherited: set[tuple[str, str]] = set()
        self._variables: set[int] = set()
        self._once = Once()
        self._bypasses = GateBypasses(self._once)
        self._sends = Sends(scanner, self._describe, flows, self._once, self._finding)

    def detect(self, attributed: Attributed) -> list[Finding]:
        """The findings of one observation; [] when it concerns no credential."""
        match attributed.observation:
            case FileObservation() as opened:
                return self._file(attributed, opened)
            case ChangeObservation() as changed:
                return self._change(attributed, changed)
            case ExecObservation() as started:
                return [
                    *self._environment(attributed, started),
                    *self._command(attributed, started),
                    *self._privilege(attributed, started),
                    *self._round_the_hooks(attributed, started),
                ]
            case HttpObservation() as sent:
                return self._sends.request(attributed, sent)
            case LookupObservation() as asked:
                return self._sends.lookup(attributed, asked)
            case ConnectObservation() as connected:
                return self._connect(attributed, connected)
            case GapObservation() as gap:
                unseen = gap.type is GapType.NOT_INDEXED and not gap.covered_by  # a read: anybody may have it now
                return [self._gap(attributed, gap), *(self._touched(attributed, upward=False) if unseen else ())]

    def secret_is_loose(self, session: str, time_ns: int) -> bool:
        """Whether anybody in the session had a secret within reach by then. From any thread."""
        return self._reach.within(session, None, (), time_ns)

    def _change(self, attributed: Attributed, changed: ChangeObservation) -> list[Finding]:
        path = self._describe.text(changed.path)
        return [
            self._finding(
                attributed,
                kind=Kind.FILE,
                activity=Activity.DELETE if changed.removed else Activity.WRITE,
                subject=subjects.file_subject(path, "", self._home, ()),
                path=path,
                file_kind=changed.kind,
            )
        ]

    # --- reads ------------------------------------------------------------------------------------------

    def _file(self, attributed: Attributed, opened: FileObservation) -> list[Finding]:
        if opened.kind == _ENVIRONMENT and self._once.environment_again(attributed.session, opened):
            return []
        matches = tuple(distinct(match_of(value, "file") for value in self._values_of(opened)))
        pattern = self._patterns.match_name(opened.path)
        file = opened.file
        path = self._describe.text(opened.path)
        finding = self._finding(
            attributed,
            kind=Kind.FILE,
            activity=Activity.READ,
            subject=subjects.file_subject(path, opened.process.cwd if opened.process else "", self._home, matches),
            path=path,
            matches=matches,
            file_kind=opened.kind or (file.kind if file else "") or (pattern.id if pattern else ""),
            expected_readers=file.expected_readers if file else pattern.expected_readers if pattern else (),
            file_agent=file.agent if file else pattern.agent if pattern else "",
        )
        self._flows.read(
            finding.session, (match.fingerprint for match in matches), Source.READ, finding.uid, finding.time_ns
        )
        own_login = finding.file_agent and finding.file_agent == attributed.agent
        if own_login or finding.file_kind == GUARD_FILE:
            return [finding]  # an agent at its own login is no secret on the loose, and the guard keeps none
        expected = opened.process is not None and opened.process.name in finding.expected_readers
        return [finding, *self._touched(attributed, upward=not expected)]

    def _environment(self, attributed: Attributed, started: ExecObservation) -> list[Finding]:
        variables = self._unseen(attributed.session, started.environ or ())
        if not variables:
            return []
        values = environment_values(variables, self._scanner)
        found = distinct([*self._known_in(variables), *(match_of(value, "environment") for value in values)])
        new = [match for match in found if (attributed.session, match.fingerprint) not in self._inherited]
        if not new:
            return []
        self._inherited.update((attributed.session, match.fingerprint) for match in new)
        if self._learn is not None:
            self._learn(values)
        finding = self._finding(
            attributed,
            kind=Kind.ENVIRONMENT,
            activity=Activity.INHERIT,
            subject=subjects.environment_subject(started.process.name, new),
            matches=tuple(new),
        )
        self._flows.read(
            finding.session, (match.fingerprint for match in new), Source.INHERIT, finding.uid, finding.time_ns
        )
        return [finding, *self._touched(attributed, upward=False)]

    def _known_in(self, variables: Sequence[tuple[str, str]]) -> Iterator[SecretMatch]:
        """Values of secret files, under the name of the variable that holds them now."""
        lines = "\n".join(f"{name}={value}" for name, value in variables)
        if not any(match.source_path for match in self._scanner.scan_text(lines, "environment")):
            return
        for name, value in variables:
            for match in self._scanner.scan_text(value, "environment"):
                if match.source_path:
                    yield replace(match, name=name)

    def _unseen(self, session: str, environ: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Variables that no environment of this session held before: a shell changes one or two at each exec."""
        unseen = [variable for variable in environ if hash((session, *variable)) not in self._variables]
        if len(self._variables) > _MAX_VARIABLES:
            self._variables.clear()
        self._variables.update(hash((session, *variable)) for variable in unseen)
        return unseen

    def _command(self, attributed: Attributed, started: ExecObservation) -> list[Finding]:
        known = self._scanner.known_values
        if self._quiet.holds(started.process.cmdline, known):
            return []
        found = self._commands.find(started.process.cmdline)
        # what a wrapper runs is an exec of its own, and is found then; a shell's own command never is
        rule = found.rule if found and (found.rule.builtin or not found.wrapped) else None
        arguments, matches = self._describe.arguments(started.process.cmdline)
        if rule is None and not matches:
            self._quiet.add(started.process.cmdline, known)
            return []
        shown = self._values_now(started, found.paths) if found and rule else []
        finding = self._finding(
            attributed,
            kind=Kind.COMMAND,
            activity=Activity.EXEC,
            subject=subjects.command_subject(arguments),
            matches=(*(replace(match, place="argv") for match in matches), *shown),
            command_rule=rule.id if rule else "",
        )
        self._flows.read(
            finding.session, (match.fingerprint for match in shown), Source.READ, finding.uid, finding.time_ns
        )
        if rule is not None and rule.maybe and not matches:
            return [finding]
        return [finding, *self._touched(attributed, upward=True)]

    def _values_now(self, started: ExecObservation, paths: Sequence[str]) -> list[SecretMatch]:
        """Of the working files whose older states a command shows: the best that is known of what it shows."""
        folder = started.process.cwd
        values = (value for path in paths for value in self._values_at(os.path.join(folder, path)))
        return distinct(match_of(value, "file") for value in values)

    def _privilege(self, attributed: Attributed, started: ExecObservation) -> list[Finding]:
        """A program that runs without the privilege it is made for: told once, for it will fail in puzzling words."""
        if not started.privileged or self._once.again("privilege", attributed.session, started.process.exe):
            return []
        return [
            self._finding(
                attributed,
                kind=Kind.FINDING,
                activity=Activity.EXEC,
                subject=f"{subjects.one_line(started.process.name)} cannot gain privilege in this session",
            )
        ]

    def _round_the_hooks(self, attributed: Attributed, started: ExecObservation) -> list[Finding]:
        """A commit or a push that has git's hooks look away."""
        rule, variables = self._bypasses.of(attributed, started)
        if not rule:
            return []
        words = (*variables, *self._describe.arguments(started.process.cmdline)[0])
        subject = subjects.command_subject(words)
        kind, activity = Kind.COMMAND, Activity.EXEC
        return [self._finding(attributed, kind=kind, activity=activity, subject=subject, command_rule=rule)]

    # --- what was not seen ------------------------------------------------------------------------------

    def _connect(self, attributed: Attributed, connected: ConnectObservation) -> list[Finding]:
        ancestors = _pids(attributed)
        within = self._reach.within(attributed.session, connected.process, ancestors, connected.time_ns)
        if not within:
            self._reach.remember(attributed, connected)
        return [self._bypass(attributed, connected, within=within)]

    def _bypass(
        self, attributed: Attributed, connected: ConnectObservation, *, within: bool, late: str = ""
    ) -> Finding:
        place = f"{connected.address}:{connected.port} ({connected.transport})"
        return self._finding(
            attributed,
            kind=Kind.GAP,
            activity=Activity.CONNECT,
            subject=f"connection to {place}, not through the proxy",
            host=connected.address,
            port=connected.port,
            protocol=connected.transport,
            gap=Gap(
                type=GapType.PROXY_BYPASS,
                sensor=connected.sensor,
                detail=f"what was sent to {place} was not seen{late}",
                remedy=_BYPASS_REMEDIES[connected.transport],
                secret_within_reach=within,
            ),
        )

    def _gap(self, attributed: Attributed, gap: GapObservation) -> Finding:
        detail = self._describe.text(gap.detail)
        within = self._reach.within(attributed.session, gap.process, _pids(attributed), gap.time_ns)
        return self._finding(
            attributed,
            kind=Kind.GAP,
            activity=Activity.GAP,
            subject=subjects.shorten(subjects.one_line(detail)),
            gap=Gap(
                type=gap.type,
                sensor=gap.sensor,
                detail=detail,
                remedy=gap.remedy,
                count=gap.count,
                covered_by=gap.covered_by,
                secret_within_reach=within,
            ),
        )

    def _touched(self, attributed: Attributed, *, upward: bool) -> list[Finding]:
        """Note who has a secret now. Findings: connections that were thought harmless and are not any more."""
        observation = attributed.observation
        late = self._reach.touched(
            attributed.session, observation.process, _pids(attributed), observation.time_ns, upward=upward
        )
        return [self._bypass(*connection, within=True, late=_LATE) for connection in late]

    # --- what every finding has -------------------------------------------------------------------------

    def _finding(self, attributed: Attributed, **fields: Any) -> Finding:
        observation = attributed.observation
        finding = Finding(
            uid=self._new_uid(),
            time_ns=observation.time_ns,
            session=attributed.session,
            agent=attributed.agent,
            sensor=observation.sensor,
            process=self._describe.process(observation.process, attributed.ancestors),
            attribution=attributed.attribution,
            confidence=_CONFIDENCE_OF[attributed.attribution]
            if isinstance(observation, GapObservation)
            else observation.confidence,
            **fields,
        )
        return self._describe.finding(finding)


def _pids(attributed: Attributed) -> tuple[int, ...]:
    return tuple(ancestor.pid for ancestor in attributed.ancestors)
