"""A note in the home folder that a guard died: the next start turns it into a gap of that session."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

_FOLDER = "notes"


@dataclass(frozen=True, slots=True)
class Note:
    """A session whose supervisor died at `time_ns` (ns since the epoch)."""

    session: str
    time_ns: int
    path: Path


def leave_note(home: Path, session: str) -> None:
    """Called by the keeper, which has nothing else to tell it with."""
    folder = home / _FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        (folder / session).write_text(str(time.time_ns()), encoding="ascii")
    except OSError:
        pass  # The session stays unsealed in the database, and that is found too.


def read_notes(home: Path) -> list[Note]:
    """Those that are there; the reader removes each once it is recorded."""
    notes = []
    for path in sorted((home / _FOLDER).glob("*")):
        try:
            notes.append(Note(path.name, int(path.read_text(encoding="ascii")), path))
        except (OSError, ValueError):
            continue
    return notes
