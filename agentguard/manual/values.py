"""Values for completions that only the database knows. Asked for at each press of Tab: to be quick, and silent."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from agentguard.errors import StoreError
from agentguard.record.reader import Reader
from agentguard.show.credential_words import SHORT_FINGERPRINT
from agentguard.show.phrases import day_and_time
from agentguard.show.text import safe

MOST = 200
"""The newest: nobody reads more."""


def session_values(database: Path) -> Iterator[tuple[str, str]]:
    """uids, newest first, each with what it was."""
    yield "last", "the newest session"
    with contextlib.suppress(StoreError), contextlib.closing(Reader(database)) as reader:
        for one in reader.sessions(MOST, counted=False):
            yield one.uid, f"{safe(one.agent_name)}, {one.outcome.value}, {day_and_time(one.start_ns)[:16]}"


def fingerprint_values(database: Path) -> Iterator[tuple[str, str]]:
    """Beginnings of fingerprints that name one credential each, the last seen first."""
    with contextlib.suppress(StoreError), contextlib.closing(Reader(database)) as reader:
        known = sorted(reader.credentials(), key=lambda one: -one.last_seen_ns)
        for one in known[:MOST]:
            yield one.fingerprint[:SHORT_FINGERPRINT], safe(one.name or one.type)
