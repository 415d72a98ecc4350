"""A connection that never writes, to a database that may come, be replaced or go at any time."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from agentguard.errors import StoreError
from agentguard.record.faults import describe

BUSY_SECONDS = 2.0


class ReadOnly:
    """Threads may share it; they take turns. A database that does not exist yet is an empty one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._opened: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None

    def close(self) -> None:
        with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def _rows(self, sql: str, values: Sequence[object] | Mapping[str, object]) -> list[sqlite3.Row]:
        """All rows; none while there is no database. Raises StoreError."""
        with self._lock:
            try:
                connection = self._connected()
                return connection.execute(sql, values).fetchall() if connection else []
            except sqlite3.Error as error:
                raise self._failure(error) from None

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """For what other functions of this package read of a row that was just found. Raises StoreError."""
        with self._lock:
            assert self._opened is not None
            try:
                yield self._opened
            except sqlite3.Error as error:
                raise self._failure(error) from None

    def _failure(self, error: sqlite3.Error) -> StoreError:
        self.close()
        return StoreError(f"cannot read database {self._path}: {describe(error)}")

    def _connected(self) -> sqlite3.Connection | None:
        """The connection to the file that is there now; None while there is none, or nothing in it."""
        try:
            info = os.stat(self._path)
        except FileNotFoundError:
            self.close()
            return None
        except OSError as error:
            raise StoreError(f"cannot read database {self._path}: {error.strerror}") from None
        identity = (info.st_dev, info.st_ino)
        if self._opened is not None and identity == self._identity:
            return self._opened
        self.close()
        connection = sqlite3.connect(
            f"file:{quote(os.fsencode(self._path))}?mode=ro", uri=True, timeout=BUSY_SECONDS, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sessions'").fetchone():
            connection.close()
            return None
        self._opened, self._identity = connection, identity
        return connection
