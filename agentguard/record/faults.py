"""What goes wrong with a database, in words, and whether waiting may help."""

from __future__ import annotations

import sqlite3

_WORDS = {
    sqlite3.SQLITE_BUSY: "another process keeps it locked; try again in a moment",
    sqlite3.SQLITE_LOCKED: "another process keeps it locked; try again in a moment",
    sqlite3.SQLITE_FULL: "the disk is full; make room on it",
    sqlite3.SQLITE_IOERR: "the disk does not take writes (full, over quota or failing)",
    sqlite3.SQLITE_READONLY: "it is read-only; give yourself the right to write it, or choose another --home DIR",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened (its folder is missing, read-only or full)",
    sqlite3.SQLITE_NOMEM: "memory is exhausted; end other programs, then try again",
    sqlite3.SQLITE_PERM: "permission denied; choose a folder of yours with --home DIR",
    sqlite3.SQLITE_CORRUPT: "it is damaged; move it away to begin anew",
    sqlite3.SQLITE_NOTADB: "it is not a database; move it away to begin anew",
}

_REFUSED = {
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG,
}
_RUINED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's result code without its extension; SQLITE_ERROR when the driver itself complained."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def describe(error: sqlite3.Error) -> str:
    """Plain words. Never the driver's text where that may quote data."""
    code = primary_code(error)
    return _WORDS.get(code, f"SQLite error {getattr(error, 'sqlite_errorname', type(error).__name__)}")


def is_refused(error: sqlite3.Error) -> bool:
    """The data or the statement is at fault: it will never succeed, while others may."""
    return primary_code(error) in _REFUSED


def is_passing(error: sqlite3.Error) -> bool:
    """Whether the same statement may succeed later: a lock, a full disk; not a damaged file or refused data."""
    return primary_code(error) not in _REFUSED | _RUINED
