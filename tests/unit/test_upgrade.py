"""A database of an older version: its inventory is made once, with words, and Ctrl-C leaves it as it was."""

from __future__ import annotations

import io
import sqlite3
from pathlib import Path

import pytest
from record_builders import drop_inventory, leaked, make_home, record_walk

from agentguard.config import Home
from agentguard.record.at_rest import bring_up_to_date as migrate
from agentguard.record.reader import Reader
from agentguard.record.verify import verify
from agentguard.record.writer import Writer
from agentguard.show import progress
from agentguard.upgrade import bring_up_to_date


@pytest.fixture
def old(tmp_path: Path) -> Home:
    """As the second schema left it."""
    found = make_home(tmp_path)
    writer = Writer(found)
    writer.start()
    writer.end_session(leaked(record_walk(writer)))
    writer.close()
    with sqlite3.connect(found.database) as connection:
        drop_inventory(connection)
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    return found


def version(home: Home) -> int:
    with sqlite3.connect(home.database) as connection:
        found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    return found


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_it_is_brought_up_to_date_with_words(old: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = _Terminal()
    monkeypatch.setattr(progress, "_SOON", 0)
    monkeypatch.setattr("sys.stderr", stream)
    bring_up_to_date(old)
    assert version(old) > 2
    assert "making the inventory of keys" in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[K")
    reader = Reader(old.database)
    assert len(reader.credentials()) == 1
    reader.close()
    assert verify(old).problems == ()
    said = len(stream.getvalue())
    bring_up_to_date(old)
    assert len(stream.getvalue()) == said


def test_ctrl_c_leaves_it_as_it_was(old: Home) -> None:
    def interrupted(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrate(old, interrupted)
    assert version(old) == 2
    bring_up_to_date(old)
    assert verify(old).problems == ()


@pytest.mark.parametrize("content", [None, b"", b"short", b"x" * 200])
def test_what_is_no_database_is_left_to_who_needs_it(tmp_path: Path, content: bytes | None) -> None:
    home = make_home(tmp_path)
    if content is not None:
        home.database.write_bytes(content)
    bring_up_to_date(home)
    assert home.database.exists() is (content is not None)
