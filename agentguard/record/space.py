"""How much room the database takes, and giving back what purged sessions have left."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

from agentguard.config import Home
from agentguard.errors import StoreError
from agentguard.record.faults import describe
from agentguard.record.transactions import writing

_STEP_PAGES = 500
"""Given back in one transaction: some milliseconds."""
_MERGE_PAGES, _MERGED = 200, 2
"""Pages of the search index that one step merges, and how many changes a step makes that has merged anything."""
_SPARE = 64 << 20
"""Bytes that stay free on the disk while a database is written anew."""
_INCREMENTAL = 2
"""`PRAGMA auto_vacuum` of a database that can give pages back one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """Of a database."""

    used: int
    """Bytes on the disk, its side files included."""
    free: int
    """Bytes of them that hold nothing."""
    events: int
    sessions: int
    oldest_ns: int | None
    """Start of the oldest session."""
    given_back_ns: int | None
    """When room was last given back; None when never."""


class GivenBack(StrEnum):
    """What became of it."""

    DONE = "done"
    WAITS = "a session runs: do it again when none does"
    NO_ROOM = "too little room on the disk to write the database anew"


def space(database: Path) -> Space | None:
    """None when there is no database.

    Raises:
        StoreError: it cannot be read.
    """
    if not database.exists():
        return None
    try:
        uri = f"file:{quote(os.fsencode(database))}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=2.0)) as connection:
            return _space(connection, database)
    except sqlite3.Error as error:
        raise StoreError(f"cannot read database {database}: {describe(error)}") from None


def give_back(home: Home, *, alone: bool, tell: Callable[[int], None]) -> GivenBack:
    """Make the file as small as what it holds.

    Args:
        alone: no session runs. Else a database of an older version, which must be written anew, is left as it is.
        tell: bytes that are still to be given back, after each step.

    Raises:
        StoreError: the database cannot be written.
    """
    with writing(home) as connection:
        _merge_index(connection)
        if _pragma(connection, "auto_vacuum") != _INCREMENTAL:
            if not alone:
                return GivenBack.WAITS
            if not _has_room(connection, home.root):
                return GivenBack.NO_ROOM
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("VACUUM")
        size, free = _pragma(connection, "page_size"), _pragma(connection, "freelist_count")
        while free:
            connection.execute(f"PRAGMA incremental_vacuum({_STEP_PAGES})").fetchall()
            free, before = _pragma(connection, "freelist_count"), free
            if free >= before:
                break
            tell(free * size)
        connection.execute("INSERT OR REPLACE INTO upkeep VALUES ('vacuum', ?)", (time.time_ns(),))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return GivenBack.DONE


def _merge_index(connection: sqlite3.Connection) -> None:
    """Words that no event holds any more stay in the index until its parts are merged, which is done in small steps."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'events_fts'").fetchone():
        return
    pages = -_MERGE_PAGES  # The first step says that all parts are to become one.
    changed = _MERGED
    while changed >= _MERGED:
        before = connection.total_changes
        connection.execute("INSERT INTO events_fts (events_fts, rank) VALUES ('merge', ?)", (pages,))
        changed, pages = connection.total_changes - before, _MERGE_PAGES


def _space(connection: sqlite3.Connection, database: Path) -> Space | None:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "sessions" not in tables:
        return None
    sessions, oldest = connection.execute("SELECT COUNT(*), MIN(start_ns) FROM sessions").fetchone()
    (events,) = connection.execute("SELECT COUNT(*) FROM events").fetchone()
    upkeep = "SELECT time_ns FROM upkeep WHERE what = 'vacuum'"
    last = connection.execute(upkeep).fetchone() if "upkeep" in tables else None
    return Space(
        used=sum(_size(database.with_name(database.name + side)) for side in ("", "-wal", "-shm")),
        free=_pragma(connection, "freelist_count") * _pragma(connection, "page_size"),
        events=events,
        sessions=sessions,
        oldest_ns=oldest,
        given_back_ns=last[0] if last else None,
    )


def _has_room(connection: sqlite3.Connection, folder: Path) -> bool:
    """SQLite writes all of it twice: to a temporary file, then beside the database until it is taken over."""
    pages = _pragma(connection, "page_count") - _pragma(connection, "freelist_count")
    held = pages * _pragma(connection, "page_size")
    temporary = Path(os.environ.get("SQLITE_TMPDIR") or tempfile.gettempdir())
    return shutil.disk_usage(folder).free >= 2 * held + _SPARE and shutil.disk_usage(temporary).free >= held + _SPARE


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0
