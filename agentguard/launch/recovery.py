"""Sessions whose guard died are closed at the next start, with a gap that says so."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence

from agentguard.config import Home
from agentguard.launch.milestones import Judged, guard_died
from agentguard.launch.network import NAME as PROXY
from agentguard.launch.network import proxy_folder
from agentguard.launch.notes import read_notes
from agentguard.launch.run_folder import remove_run_folders
from agentguard.model.session import SensorState, Session
from agentguard.record.supervisor import pid_alive
from agentguard.record.writer import Writer


def recover(home: Home, writer: Writer) -> None:
    """Seal what was left open. The keeper's notes say when the guard died; without one it is not known."""
    notes = {note.session: note for note in read_notes(home.root)}

    def last_words(session: Session) -> Sequence[Judged]:
        note = notes.get(session.uid)
        return [guard_died(session, note.time_ns if note else time.time_ns(), kept=note is not None)]

    for session in writer.recover(last_words=last_words):
        if _has_no_proxy(session) or not pid_alive(
            session.root_pid
        ):  # else the agent works on, and still trusts the CA that lies there
            remove_run_folders(session.uid)
            shutil.rmtree(proxy_folder(home, session.uid), ignore_errors=True)
    for note in notes.values():
        note.path.unlink(missing_ok=True)


def _has_no_proxy(session: Session) -> bool:
    return any(one.sensor == PROXY and one.state is SensorState.UNAVAILABLE for one in session.coverage)
