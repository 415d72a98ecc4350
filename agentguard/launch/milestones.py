"""Events that no sensor sees: a session's start and end, and a guard that died. They stand in the chain too."""

from __future__ import annotations

from agentguard.model.finding import Activity, Finding, Gap, Kind
from agentguard.model.identity import new_uid
from agentguard.model.observation import GapType
from agentguard.model.process import Attribution, Confidence
from agentguard.model.session import Session
from agentguard.model.verdict import Disposition, Outcome, Severity, Verdict

Judged = tuple[Finding, Verdict]
_SOURCE = "agentguard"


def started(session: Session) -> Judged:
    """The first event of a session."""
    subject = f"{session.agent_name} started: {' '.join(session.command)}"
    return _finding(session, session.start_ns, Kind.SESSION, Activity.START, subject), _logged("session-start", subject)


def ended(session: Session, time_ns: int) -> Judged:
    """The agent has ended."""
    status = "" if session.exit_status is None else f", status {session.exit_status}"
    subject = f"{session.agent_name} ended: {session.end_reason}{status}"
    return _finding(session, time_ns, Kind.SESSION, Activity.END, subject), _logged("session-end", subject)


def left_unwatched(session: Session, time_ns: int) -> Judged:
    """We leave before the agent does."""
    subject = f"{session.agent_name} goes on unwatched: {session.end_reason}"
    return _finding(session, time_ns, Kind.SESSION, Activity.END, subject), _logged("session-end", subject)


def guard_died(session: Session, time_ns: int, *, kept: bool) -> Judged:
    """`kept`: the keeper saw it happen, at `time_ns`; otherwise it is the time at which it was found out."""
    what = "the guard died; the agent went on unwatched" if kept else "the guard ended without closing the session"
    finding = _finding(
        session,
        time_ns,
        Kind.GAP,
        Activity.GAP,
        what,
        Gap(type=GapType.GUARD_DIED, sensor=_SOURCE, detail=what, remedy="see the log in the home folder"),
    )
    verdict = Verdict(
        disposition=Disposition.ALERT,
        severity=Severity.HIGH,
        rule=f"{_SOURCE}:guard-died",
        reason="What the agent did after the guard died was not seen.",
        outcome=Outcome.UNKNOWN,
    )
    return finding, verdict


def _finding(  # noqa: PLR0913, PLR0917 - what differs between the three
    session: Session, time_ns: int, kind: Kind, activity: Activity, subject: str, gap: Gap | None = None
) -> Finding:
    return Finding(
        uid=new_uid(time_ns),
        time_ns=time_ns,
        session=session.uid,
        agent=session.agent,
        kind=kind,
        activity=activity,
        subject=subject,
        sensor=_SOURCE,
        process=None,
        attribution=Attribution.EXACT if gap is None else Attribution.UNKNOWN,
        confidence=Confidence.NONE,
        gap=gap,
    )


def _logged(rule: str, reason: str) -> Verdict:
    return Verdict(
        disposition=Disposition.LOGGED, severity=Severity.INFO, rule=f"{_SOURCE}:{rule}", reason=f"{reason}."
    )
