"""The database: its tables, how it is opened for writing, and what its errors mean in words."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from agentguard.errors import StoreError
from agentguard.record.credentials import TABLES, note_events, pages_with_credentials
from agentguard.record.faults import describe, is_passing

if TYPE_CHECKING:
    from sqlite_utils import Database

BUSY_MS = 2_000
"""How long one statement waits for another process's transaction."""

OPEN_ATTEMPTS = 5

Tell = Callable[[int, int], None]
"""How far a long step is: done, of how many."""


def _nothing(_done: int, _total: int) -> None:
    """Nobody wants to know."""


VERSION_1 = """
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL UNIQUE,
    agent TEXT NOT NULL,
    agent_name TEXT NOT NULL,
    command TEXT NOT NULL,
    cwd TEXT NOT NULL,
    root_pid INTEGER NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER,
    exit_status INTEGER,
    in_background INTEGER NOT NULL DEFAULT 0,
    end_reason TEXT NOT NULL DEFAULT '',
    outcome TEXT NOT NULL DEFAULT 'clean',
    outcome_reason TEXT NOT NULL DEFAULT '',
    counts TEXT NOT NULL DEFAULT '{}',
    supervisor_pid INTEGER NOT NULL,
    supervisor_start INTEGER NOT NULL,
    seal TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE coverage (
    session TEXT NOT NULL REFERENCES sessions(uid) ON DELETE CASCADE,
    sensor TEXT NOT NULL,
    state TEXT NOT NULL,
    proved INTEGER NOT NULL,
    events INTEGER NOT NULL,
    drops INTEGER NOT NULL,
    reason TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (session, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    session TEXT NOT NULL REFERENCES sessions(uid) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    time_ns INTEGER NOT NULL,
    kind TEXT NOT NULL,
    activity TEXT NOT NULL,
    severity INTEGER NOT NULL,
    disposition TEXT NOT NULL,
    outcome TEXT NOT NULL,
    subject TEXT NOT NULL,
    path TEXT NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    process_name TEXT NOT NULL,
    flow_read TEXT,
    words TEXT NOT NULL,
    json TEXT NOT NULL,
    link TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_seq ON events (session, seq);
CREATE INDEX events_uid ON events (uid);
CREATE INDEX events_page ON events (session, id, kind, severity, activity, disposition, outcome, flow_read);
CREATE INDEX events_time ON events (session, time_ns, activity, flow_read, kind);
CREATE INDEX events_severity ON events (severity, kind);
CREATE INDEX events_kind ON events (kind);
CREATE INDEX events_flow ON events (session, flow_read) WHERE flow_read IS NOT NULL;
CREATE TABLE matches (
    event INTEGER NOT NULL REFERENCES events(id) ON DELETE CASCADE,
    session TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    public INTEGER NOT NULL,
    PRIMARY KEY (fingerprint, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX matches_session ON matches (session, public, fingerprint);
CREATE INDEX matches_event ON matches (event);
CREATE TABLE processes (
    session TEXT NOT NULL REFERENCES sessions(uid) ON DELETE CASCADE,
    pid INTEGER NOT NULL,
    start_time INTEGER NOT NULL,
    parent_pid INTEGER NOT NULL,
    name TEXT NOT NULL,
    exe TEXT NOT NULL,
    cmdline TEXT NOT NULL,
    first_seen_ns INTEGER NOT NULL,
    PRIMARY KEY (session, pid, start_time)
) STRICT, WITHOUT ROWID;
CREATE TABLE register (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('start', 'seal')),
    session TEXT NOT NULL,
    events INTEGER NOT NULL,
    last_link TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE INDEX register_session ON register (session);
"""


VERSION_4 = """
CREATE TABLE postures (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    root TEXT NOT NULL,
    home INTEGER NOT NULL,
    history INTEGER NOT NULL,
    older_than_days INTEGER NOT NULL,
    formula INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    time_ns INTEGER NOT NULL,
    score INTEGER NOT NULL,
    json TEXT NOT NULL
) STRICT;
CREATE INDEX postures_root ON postures (root, time_ns);
"""

VERSION_5 = """
CREATE TABLE triage (
    event INTEGER PRIMARY KEY REFERENCES events(id) ON DELETE CASCADE,
    mark TEXT NOT NULL CHECK (mark IN ('seen', 'expected')),
    rule TEXT NOT NULL,
    time_ns INTEGER NOT NULL
) STRICT;
"""

VERSION_6 = """
CREATE TABLE register_anew (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('start', 'seal', 'purge')),
    session TEXT NOT NULL,
    events INTEGER NOT NULL,
    last_link TEXT NOT NULL,
    time_ns INTEGER,
    hash TEXT NOT NULL
) STRICT;
INSERT INTO register_anew SELECT id, kind, session, events, last_link, NULL, hash FROM register;
DROP TABLE register;
ALTER TABLE register_anew RENAME TO register;
CREATE INDEX register_session ON register (session);
CREATE TABLE upkeep (
    what TEXT PRIMARY KEY,
    time_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""


def _version_1(database: Database, _tell: Tell) -> None:
    """Tables, and trigram search over them: a part of a path or a host finds it, in any script."""
    database.executescript(VERSION_1)
    if has_full_text(database.conn):
        database["events"].enable_fts(["subject", "words"], create_triggers=True, tokenize="trigram")


def has_full_text(connection: sqlite3.Connection) -> bool:
    """Whether this SQLite was built with FTS5. Without it a search looks at each row."""
    found = connection.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone()
    return found is not None


def _version_2(database: Database, _tell: Tell) -> None:
    """When each sensor saw its decoy."""
    database.conn.execute("ALTER TABLE coverage ADD COLUMN proved_ns INTEGER")


def _version_3(database: Database, tell: Tell) -> None:
    """The inventory of credentials, filled from the events there are."""
    database.executescript(TABLES)
    total = database.conn.execute("SELECT COUNT(*) FROM events").fetchone()[0]
    done = 0
    for page in pages_with_credentials(database.conn):
        note_events(database.conn, page)
        done += len(page)
        tell(done, total)


def _version_4(database: Database, _tell: Tell) -> None:
    """What `check` found."""
    database.executescript(VERSION_4)


def _version_5(database: Database, _tell: Tell) -> None:
    """What people said of events."""
    database.executescript(VERSION_5)


def _version_6(database: Database, _tell: Tell) -> None:
    """Sessions may be purged, and the register says so; and when the database was last made smaller."""
    database.executescript(VERSION_6)


def _version_7(database: Database, _tell: Tell) -> None:
    """What each process of a session did, without a look at the events themselves."""
    columns = "session, pid, time_ns, kind, activity, severity, flow_read"
    database.conn.execute(f"CREATE INDEX events_process ON events ({columns})")


MIGRATIONS = (_version_1, _version_2, _version_3, _version_4, _version_5, _version_6, _version_7)
"""Each brings a database from its index to the next. Never change one that was released: add another."""


def open_database(path: Path, tell: Tell = _nothing) -> sqlite3.Connection:
    """The database at `path`, made with mode 0600 when missing and brought to the newest schema.

    The connection may be handed to one other thread.

    Args:
        tell: how many events of how many are done, where a step to a newer schema walks them all.

    Raises:
        StoreError: it is damaged, made by a newer version, or cannot be opened for writing.
    """
    for attempt in range(OPEN_ATTEMPTS):
        try:
            return _open(path, tell)
        except sqlite3.Error as error:
            if attempt == OPEN_ATTEMPTS - 1 or not is_passing(error):
                raise StoreError(f"cannot use database {path}: {describe(error)}") from None
            time.sleep(0.05 * 2**attempt)
    raise AssertionError("unreachable")


def _open(path: Path, tell: Tell) -> sqlite3.Connection:
    _make_private(path)
    connection = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # Of a new one: it gives room back in small steps.
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        _migrate(connection, path, tell)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_private(path: Path) -> None:
    """SQLite gives its side files the mode of the database, so its mode is set before it opens."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"cannot use database {path}: {error.strerror}") from None
    try:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def _migrate(connection: sqlite3.Connection, path: Path, tell: Tell) -> None:
    """In one immediate transaction: of two processes that start at once, the second finds it done."""
    version = _version(connection)
    if version == len(MIGRATIONS):
        return
    if version > len(MIGRATIONS):
        raise StoreError(f"database {path} was made by a newer AgentGuard; update, or choose another --home DIR")
    from sqlite_utils import Database  # noqa: PLC0415 (slow to import, and hardly ever needed)

    # No plugins: what a user installed for another tool has no place in this process.
    database = Database(connection, execute_plugins=False)
    connection.execute("BEGIN IMMEDIATE")
    try:
        for migration in MIGRATIONS[_version(connection) :]:
            migration(database, tell)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version
