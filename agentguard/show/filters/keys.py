"""The keys of the filter language: which there are, what each takes, and what it means."""

from __future__ import annotations

from dataclasses import dataclass

from agentguard.model.finding import Activity, Kind
from agentguard.model.verdict import Disposition, Outcome, Severity
from agentguard.record.reader import Field, Mark

EQUALS = (":",)
ORDERED = (":", ">=", "<=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One word before a colon."""

    name: str
    field: Field
    example: str
    means: str
    operators: tuple[str, ...] = EQUALS
    choices: tuple[str, ...] = ()
    """All values there are; () when anything may stand there."""
    repeats: bool = False
    """May be given more than once: a path may have several parts, a session has one name."""
    negates: bool = True


KEYS = {
    key.name: key
    for key in (
        Key(
            name="severity",
            field=Field.SEVERITY,
            operators=ORDERED,
            choices=tuple(Severity),
            example="severity>=high",
            means="info, low, medium, high, critical",
        ),
        Key(
            name="kind",
            field=Field.KIND,
            choices=tuple(Kind),
            example="kind:file,http",
            means="file, command, environment, http, network, gap, finding",
        ),
        Key(
            name="host",
            field=Field.HOST,
            example="host:paste.example",
            means="this host and those under it",
            repeats=True,
        ),
        Key(name="path", field=Field.PATH, example="path:.env", means="a part of the file's path", repeats=True),
        Key(
            name="process",
            field=Field.PROCESS,
            example="process:curl",
            means="a program's name, or a pid",
            repeats=True,
        ),
        Key(name="pid", field=Field.PID, example="pid:48333", means="a process"),
        Key(name="agent", field=Field.AGENT, example="agent:claude-code", means="the agent at work", repeats=True),
        Key(name="type", field=Field.TYPE, example="type:openai*", means="the kind of credential", repeats=True),
        Key(
            name="rule",
            field=Field.RULE,
            example="rule:leak*",
            means="the policy rule that decided",
            repeats=True,
        ),
        Key(
            name="outcome",
            field=Field.OUTCOME,
            operators=ORDERED,
            choices=tuple(Outcome),
            example="outcome:leaked",
            means="clean, unknown, exposed, leaked",
        ),
        Key(
            name="is",
            field=Field.IS,
            choices=tuple(Mark),
            example="is:finding",
            means="finding, flow; or marked as seen, expected",
            repeats=True,
        ),
        Key(
            name="activity",
            field=Field.ACTIVITY,
            choices=tuple(Activity),
            example="activity:send",
            means="read, exec, inherit, send, connect",
        ),
        Key(
            name="disposition",
            field=Field.DISPOSITION,
            choices=tuple(Disposition),
            example="disposition:blocked",
            means="ignored, logged, alert, blocked",
        ),
        Key(
            name="since",
            field=Field.TIME,
            example="since:10m",
            means="10m, 2h, 3d; 14:30; 2026-01-31T14:30",
            negates=False,
        ),
        Key(name="until", field=Field.TIME, example="until:14:30", means="the same", negates=False),
        Key(
            name="session",
            field=Field.SESSION,
            example="session:last",
            means="another session, by the beginning of its uid",
        ),
    )
}
"""By name, the most wanted first."""

SHORT = {"med": "medium", "crit": "critical"}
"""As the dashboard writes severities."""
