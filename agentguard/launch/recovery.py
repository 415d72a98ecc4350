"""Sessions whose guard died are closed at the next start, with a gap that says so."""

from __future__ import annotations

import time
from collections.abc import Sequence

from agentguard.config import Home
from agentguard.launch.milestones import Judged, guard_died
from agentguard.launch.notes import read_notes
from agentguard.model.session import Session
from agentguard.record.writer import Writer


def recover(home: Home, writer: Writer) -> None:
    """Seal what was left open. The keeper's notes say when the guard died; without one it is not known."""
    notes = {note.session: note for note in read_notes(home.root)}

    def last_words(session: Session) -> Sequence[Judged]:
        note = notes.get(session.uid)
        return [guard_died(session, note.time_ns if note else time.time_ns(), kept=note is not None)]

    writer.recover(last_words=last_words)
    for note in notes.values():
        note.path.unlink(missing_ok=True)
