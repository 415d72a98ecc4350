"""What `run` says before the agent starts and after it has ended: short, plain, and no colour alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from agentguard.command_name import command
from agentguard.model.access import Access
from agentguard.model.event import Event
from agentguard.model.fault import at_fault
from agentguard.model.finding import Activity, Kind
from agentguard.model.session import Coverage, SensorState, Session
from agentguard.model.verdict import Outcome
from agentguard.record.reader import EventQuery, Reader
from agentguard.show.credential_words import SHORT_FINGERPRINT, used_since
from agentguard.show.looks import OUTCOME, look_of_send, painted, was_blocked
from agentguard.show.phrases import duration, listed, match_name, match_names, plural, process_name
from agentguard.show.text import safe, shortened

MOST_FLOWS = 3
MOST_GAPS = 2
SAMPLE = 500
"""Events looked at for the names of files and hosts; the counts are of all."""
_SOFT = "2"
_WATCHED = {
    "seccomp": "files",
    "fanotify": "files",
    "lease": "files",
    "psutil": "files",
    "proc-connector": "programs",
    "watchdog": "folders",
    "inotify": "files",
    "index": "contents",
    "proxy": "requests",
    "environment": "environment",
    "egress": "connections",
}


_HOW_SURE = (
    ("fanotify", "each opener is held until it is identified (fanotify)"),
    ("lease", "openers are held while nobody else has the file open (leases); the others are looked for"),
    ("psutil", "openers are looked for after the open: short ones are probable, or a gap; as root they would be exact"),
)
_PROGRAMS = "every start is told by the kernel (process connector)"
_PROGRAMS_SCANNED = "looked for ten times a second: short ones are missed"

_HABIT = {
    Access.NEW_READER: "never took {names} before",
    Access.SUDDEN_RISE: "took {names} far more often than ever before",
}


def banner(session: Session, coverage: Iterable[Coverage], *, color: bool = False) -> str:
    """What is guarded, what is watched and what the user should know of it, and what is not watched: a line each."""
    running = [one for one in coverage if one.state is SensorState.RUNNING]
    down = [one for one in coverage if one.state is not SensorState.RUNNING]
    watched = list(dict.fromkeys(_WATCHED.get(one.sensor, one.sensor) for one in running))
    first = f"agentguard: guarding {safe(session.agent_name)}; watching {listed(watched) or 'nothing'}"
    lines = [painted(first, _SOFT, color=color)]
    for one in running:
        if one.sensor == "proxy" and one.reason:  # the others say there how they work, this one what it left out
            lines.append(painted(f"agentguard: ! {safe(one.sensor)}: {safe(one.reason)}", "33", color=color))
    for one in down[:2]:
        reason = f": {safe(one.reason)}" if one.reason else ""
        lines.append(painted(f"agentguard: ✕ {safe(one.sensor)} is not watching{reason}", "33", color=color))
    return "\n".join(lines)


def attached_lines(session: Session, coverage: Iterable[Coverage]) -> str:
    """What `watch` attached to, how sure it will be of who opens a secret file, and what it cannot see."""
    running = [one.sensor for one in coverage if one.state is SensorState.RUNNING]
    lines = [
        f"agentguard: watching {safe(session.agent_name)} (pid {session.root_pid}) in {safe(session.cwd)}",
        f"  files    {next((text for sensor, text in _HOW_SURE if sensor in running), 'not watched')}",
        f"  programs {_PROGRAMS if 'proc-connector' in running else _PROGRAMS_SCANNED}",
        "  network  not seen; start the agent with `agentguard run` for that",
    ]
    return "\n".join(lines)


def summary(
    session: Session, reader: Reader, report_path: Path | None, *, color: bool = False, home_option: str = ""
) -> str:
    """At most 15 lines: the outcome and why, what was read and sent, flows, gaps, and where the report is.

    `home_option` is what verbs that are told need to open this home folder (`agentguard.config.home_option`).

    Raises:
        StoreError: the session's events cannot be read.
    """
    written = safe(str(report_path)) if report_path is not None else "could not be written; agentguard.log says why"
    return "\n".join(
        [
            *told(session, reader, color=color, home_option=home_option),
            painted(f"  report  {written}", "1", color=color),
            painted(f"  look    {command()} tui{home_option}", _SOFT, color=color),
        ]
    )


def told(session: Session, reader: Reader, *, color: bool = False, home_option: str = "") -> list[str]:
    """The summary's lines but the last two: what came of the session. Raises StoreError."""
    look = OUTCOME[session.outcome]
    lines = [
        f"agentguard: {look.text(color=color)}  {safe(session.agent_name)}, {_length(session)}",
        f"  {safe(session.outcome_reason) or look.meaning}",
        f"  read    {_read(session, reader)}",
        f"  sent    {_sent(session, reader)}",
    ]
    lines += _flows(session, reader)
    lines += _gaps(session, reader)
    lines += _old_values(session, reader, home_option) or _unusual(session, reader)
    lines += _unprivileged(session, reader)
    if session.counts.get("blocked"):
        lines.append(f"  ⊘ {plural(session.counts['blocked'], 'request')} blocked; nothing left with them")
    return lines


def _length(session: Session) -> str:
    if session.in_background:
        return "goes on in the background"
    if session.end_ns is None:
        return "still running"
    return duration((session.end_ns - session.start_ns) / 1e9)


def _read(session: Session, reader: Reader) -> str:
    counts = session.counts
    if not any(counts.get(name) for name in ("reads", "commands", "inherited")):
        return "no credential"
    parts = [plural(counts.get("secrets", 0), "credential")]
    if counts.get("reads"):
        files = _names(reader.events(session.uid, kinds=[Kind.FILE], limit=SAMPLE), lambda event: event.finding.path)
        parts.append(f"{plural(counts['reads'], 'read')} of {files}")
    if counts.get("commands"):
        parts.append(plural(counts["commands"], "command that fetches one", "commands that fetch one"))
    if counts.get("inherited"):
        parts.append(f"{counts['inherited']:,} inherited")
    return "; ".join(parts)


def _sent(session: Session, reader: Reader) -> str:
    if not session.counts.get("sends"):
        return "no credential was seen leaving"
    query = EventQuery(session=session.uid, activities=[Activity.SEND], limit=SAMPLE)
    events = [row.event for row in reader.rows(query)]
    passed = [event for event in events if not was_blocked(event.verdict)]
    hosts = _names(sorted(passed, key=lambda event: -event.verdict.outcome.rank), lambda event: event.finding.host)
    return f"{plural(session.counts['sends'], 'send')} with a credential" + (f", to {hosts}" if hosts else "")


def _flows(session: Session, reader: Reader) -> list[str]:
    count = session.counts.get("flows", 0)
    if not count:
        return []
    worst = sorted(
        reader.flows(session.uid, SAMPLE, gravest_first=True), key=lambda flow: -flow[0].verdict.outcome.rank
    )
    lines = []
    for sent, source in worst[:MOST_FLOWS]:
        flow = sent.finding.flow
        origin = _base(source.finding.path or source.finding.subject) if source else "a file"
        after = f" after {duration(flow.seconds)}" if flow else ""
        glyph = look_of_send(sent.verdict).glyph
        what = match_names(at_fault(sent), 1) or "a credential"
        where = safe(sent.finding.host or sent.finding.subject)
        lines.append(f"  flow {glyph}  {what}: {origin} → {where}{after}, by {process_name(sent.finding.process)}")
    if count > len(lines):
        lines.append(f"          and {plural(count - len(lines), 'more flow')}")
    return lines


def _gaps(session: Session, reader: Reader) -> list[str]:
    count = session.counts.get("gaps_counted", 0)
    if not count:
        return []
    events = reader.events(session.uid, kinds=[Kind.GAP], limit=SAMPLE)
    details = [event.finding.gap.detail for event in events if _counts(event) and event.finding.gap]
    shown = list(dict.fromkeys(details))[:MOST_GAPS]
    lines = [f"  gaps    {plural(count, 'moment')} in which a credential could have left unseen"]
    return lines + [f"          {shortened(safe(detail), 100)}" for detail in shown]


def _old_values(session: Session, reader: Reader, home_option: str) -> list[str]:
    """Credentials that were rotated, and whose old value this session used all the same."""
    used: dict[str, str] = {}
    for one in reader.credentials(session.uid):
        if one.rotated_ns is not None:
            for what in used_since(one, one.rotated_ns)[:1]:
                used[one.name or one.fingerprint[:SHORT_FINGERPRINT]] = what
    if not used:
        return []
    what = next(iter(used.values())) if len(used) == 1 else f"see `{command()} keys{home_option}`"
    return [f"  ↻ old   {_some(used)} rotated, but the old value is in use: {shortened(safe(what), 100)}"]


def _unusual(session: Session, reader: Reader) -> list[str]:
    """Credentials that an agent took as it never did before."""
    taken = (Kind.FILE, Kind.COMMAND, Kind.ENVIRONMENT)
    found: dict[tuple[Access, str], list[str]] = {}
    for event in reader.events(session.uid, kinds=taken, limit=SAMPLE):
        for match in event.finding.matches:
            if match.access in _HABIT:
                found.setdefault((match.access, event.finding.agent), []).append(match_name(match))
    if not found:
        return []
    (access, agent), names = next(iter(found.items()))
    return [f"  ! look  {safe(agent)} {_HABIT[access].format(names=_some(names))}"]


def _some(names: Iterable[str]) -> str:
    """The first two, each once and safe to show, and how many more."""
    every = list(dict.fromkeys(map(safe, names)))
    return listed(every[:2] + ([f"{len(every) - 2} more"] if len(every) > 2 else []))


def _unprivileged(session: Session, reader: Reader) -> list[str]:
    """Programs that could not do what they are for, and how to start the session so that they can."""
    events = reader.events(session.uid, kinds=[Kind.FINDING], activities=[Activity.EXEC], limit=SAMPLE)
    names = list(dict.fromkeys(safe(event.finding.process.name) for event in events if event.finding.process))
    if not names:
        return []
    shown = listed(names[:3] + ([f"{len(names) - 3} more"] if len(names) > 3 else []))
    return [f"  note    {shown} could not gain privilege; `{command()} run --allow-privileged` would let it"]


def _counts(event: Event) -> bool:
    return event.verdict.outcome is Outcome.UNKNOWN


def _names(events: Iterable[Event], name: Callable[[Event], str]) -> str:
    """The first names, each once, and how many more."""
    names = list(dict.fromkeys(_base(name(event) or event.finding.subject) for event in events))
    return listed(names[:3] + ([f"{len(names) - 3} more"] if len(names) > 3 else []))


def _base(path: str) -> str:
    """The last part of a path; the whole of anything else."""
    return shortened(safe(path.rstrip("/").rpartition("/")[2] if path.startswith("/") else path), 60)
