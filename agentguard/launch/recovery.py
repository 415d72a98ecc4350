"""Sessions whose guard died are closed at the next start, with a gap that says so."""

from __future__ import annotations

import time

from agentguard.config import Home
from agentguard.launch.notes import read_notes
from agentguard.model.finding import Activity, Finding, Gap, Kind
from agentguard.model.identity import new_uid
from agentguard.model.observation import GapType
from agentguard.model.process import Attribution, Confidence
from agentguard.model.session import Session
from agentguard.model.verdict import Disposition, Outcome, Severity, Verdict
from agentguard.record.writer import Writer

_RULE = "agentguard:guard-died"


def recover(home: Home, writer: Writer) -> None:
    """Seal what was left open. The keeper's notes say when the guard died; without one it is not known."""
    notes = {note.session: note for note in read_notes(home.root)}

    def last_words(session: Session) -> list[tuple[Finding, Verdict]]:
        note = notes.get(session.uid)
        return [_gap(session, note.time_ns if note else time.time_ns(), kept=note is not None)]

    writer.recover(last_words=last_words)
    for note in notes.values():
        note.path.unlink(missing_ok=True)


def _gap(session: Session, time_ns: int, *, kept: bool) -> tuple[Finding, Verdict]:
    what = "the guard died; the agent went on unwatched" if kept else "the guard ended without closing the session"
    gap = Gap(type=GapType.GUARD_DIED, sensor="supervisor", detail=what, remedy="see the log in the home folder")
    finding = Finding(
        uid=new_uid(time_ns),
        time_ns=time_ns,
        session=session.uid,
        agent=session.agent,
        kind=Kind.GAP,
        activity=Activity.GAP,
        subject=what,
        sensor="supervisor",
        process=None,
        attribution=Attribution.UNKNOWN,
        confidence=Confidence.NONE,
        gap=gap,
    )
    verdict = Verdict(
        disposition=Disposition.ALERT,
        severity=Severity.HIGH,
        rule=_RULE,
        reason="What the agent did after the guard died was not seen.",
        outcome=Outcome.UNKNOWN,
    )
    return finding, verdict
