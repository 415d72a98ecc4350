"""What is written of credentials outside a session: where scans and checks found them, and what their owner says."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agentguard.config import Home
from agentguard.model.at_rest import Commit, SecretAtRest
from agentguard.model.credential import FoundBy
from agentguard.record.credentials import Notes, seen_at
from agentguard.record.schema import Tell, open_database
from agentguard.record.transactions import immediate, writing

if TYPE_CHECKING:
    from agentguard.model.posture import Posture


def _nothing(_path: str) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of `scan` or `check`."""

    found_by: FoundBy
    root: Path
    """What the paths of its findings are relative to."""
    time_ns: int
    """Of its start, ns since the epoch: an agent may write while it runs."""
    looked_at: Callable[[str], bool] = _nothing
    """Whether it has read the file at an absolute path, or found none there where it looked. A place that an earlier
    run of the same kind found in such a file, and that this one did not, is gone. Left out, nothing is (`--staged`)."""


def keep_at_rest(home: Home, found: Iterable[SecretAtRest], run: Run) -> None:
    """Put what a scan or a check found into the inventory that `agentguard keys` shows.

    What a baseline knows lies there as well: hand it in too. What a comment allows is left out: its owner said that
    nobody need ask for it. Of several lines of one file the first counts.

    Args:
        home: as made by `open_home`.

    Raises:
        StoreError: the database cannot be written. The findings are not lost by it: the caller has them.
    """
    base = os.path.realpath(run.root)
    notes, seen = Notes(), set[tuple[str, str, Commit | None]]()
    for one in sorted((one for one in found if not one.allowed), key=lambda one: one.line):
        path = _absolute(base, one.path)
        place = (one.match.fingerprint, path, one.commit)
        if place not in seen:
            seen.add(place)
            notes.place(one.match, seen_at(path, run.found_by, run.time_ns, one.line, one.commit))
    with transaction(home) as connection:
        notes.write(connection)
        _note_gone(connection, run)


def keep_posture(home: Home, posture: Posture) -> None:
    """Keep what `check` found; what an earlier look of its kind found is forgotten, but for its score.

    So of each folder and breadth the newest look is kept whole, and of the others how it scored.

    Args:
        home: as made by `open_home`.

    Raises:
        StoreError: the database cannot be written. The posture is not lost by it: the caller has it.
    """
    from agentguard.model.posture_json import posture_to_json  # noqa: PLC0415 (a scan keeps none)
    from agentguard.record.postures import comparable  # noqa: PLC0415

    values = (*comparable(posture), not posture.unread)
    with transaction(home) as connection:
        connection.execute(
            "UPDATE postures SET json = '' WHERE root = ? AND home = ? AND history = ? AND older_than_days = ? "
            "AND formula = ? AND complete = ?",
            values,
        )
        connection.execute(
            "INSERT INTO postures (root, home, history, older_than_days, formula, complete, time_ns, score, json) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*values, posture.time_ns, posture.score, json.dumps(posture_to_json(posture))),
        )


def bring_up_to_date(home: Home, tell: Tell) -> None:
    """A database of an older version gets its inventory.

    Args:
        tell: how many events of how many are done.

    Raises:
        StoreError: it cannot be opened for writing.
    """
    open_database(home.database, tell).close()


def mark_rotated(home: Home, fingerprint: str, rotated_ns: int | None) -> None:
    """Its owner has replaced the credential; None: it was not so.

    Raises:
        StoreError: the database cannot be written.
    """
    with transaction(home) as connection:
        connection.execute("UPDATE credentials SET rotated_ns = ? WHERE fingerprint = ?", (rotated_ns, fingerprint))


def _absolute(base: str, path: str) -> str:
    """One name for one file, wherever it was scanned from. What an archive calls its members is left alone."""
    file, mark, member = path.partition("!")
    return os.path.normpath(os.path.join(base, file)) + mark + member


def _note_gone(connection: sqlite3.Connection, run: Run) -> None:
    """Files only: what a commit holds stays in it."""
    unseen = "found_by = ? AND commit_id = '' AND gone_ns IS NULL AND last_seen_ns < ?"
    known = connection.execute(
        f"SELECT DISTINCT path FROM credential_places WHERE {unseen}",  # noqa: S608
        (run.found_by.value, run.time_ns),
    ).fetchall()
    connection.executemany(
        f"UPDATE credential_places SET gone_ns = ? WHERE {unseen} AND path = ?",  # noqa: S608
        [(run.time_ns, run.found_by.value, run.time_ns, path) for (path,) in known if run.looked_at(path)],
    )


@contextlib.contextmanager
def transaction(home: Home) -> Iterator[sqlite3.Connection]:
    """One that is closed afterwards: a verb writes once. Raises StoreError."""
    with writing(home) as connection, immediate(connection):
        yield connection
