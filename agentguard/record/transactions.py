"""Transactions of those who write: all of it is committed, or nothing."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from agentguard.config import Home
from agentguard.errors import StoreError
from agentguard.record.faults import describe
from agentguard.record.schema import open_database


@contextlib.contextmanager
def immediate(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Two processes queue for the write lock instead of failing half-way. Raises sqlite3.Error."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        # A full disk may have rolled back already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def writing(home: Home) -> Iterator[sqlite3.Connection]:
    """A connection for some transactions of a verb; its rows have names.

    Raises:
        StoreError: the database cannot be opened or written.
    """
    connection = open_database(home.database)
    try:
        connection.row_factory = sqlite3.Row
        yield connection
    except sqlite3.Error as error:
        raise StoreError(f"cannot write {home.database}: {describe(error)}") from None
    finally:
        connection.close()
