"""Sums over all events of a session: of each file, of each receiver, of what was repeated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from record_builders import SECOND, START, make_home, read, send, session

from agentguard.model.finding import Activity, Kind
from agentguard.model.verdict import Outcome, Severity
from agentguard.record import reader as reader_module
from agentguard.record.reader import Reader
from agentguard.record.tallies import Tally
from agentguard.record.writer import Writer


@pytest.fixture
def recorded(tmp_path: Path) -> Reader:
    """Two files, one opened twice; two receivers, one of them three times more; another session's events beside it."""
    home = make_home(tmp_path)
    writer = Writer(home)
    writer.start()
    for uid in ("s-one", "s-two"):
        writer.begin_session(session(uid))
        for number, path in ((1, "/a/.env"), (2, "/b/.env"), (3, "/a/.env")):
            finding, verdict = read(number, session=uid, path=path)
            writer.append(finding, replace(verdict, severity=Severity.LOW if "/a/" in path else Severity.HIGH))
        writer.append(*send(4, session=uid))
        writer.append(*send(5, session=uid, host="hook.example"))
        again = {
            "kind": Kind.FINDING,
            "activity": Activity.REPEAT,
            "matches": (),
            "size": 0,
            "repeats": f"{uid}-e4",
            "count": 3,
        }
        writer.append(*send(9, session=uid, **again))
    assert writer.flush(10)
    writer.close()
    return Reader(home.database)


def at(number: int) -> int:
    return START + number * SECOND


def test_each_file_with_how_often_and_when(recorded: Reader) -> None:
    tallies = recorded.files_opened("s-one")
    assert dict(tallies.by_name) == {"/b/.env": Tally(1, at(2), at(2)), "/a/.env": Tally(2, at(1), at(3))}
    assert list(tallies.by_name) == ["/b/.env", "/a/.env"], "the gravest first"
    assert tallies.names == 2


def test_each_receiver_with_what_was_sent_again(recorded: Reader) -> None:
    tallies = recorded.hosts_sent_to("s-one")
    assert dict(tallies.by_name) == {
        "paste.example": Tally(4, at(4), at(9), 2_312),
        "hook.example": Tally(1, at(5), at(5), 2_312),
    }
    assert recorded.repeated("s-one") == {"s-one-e4": 3}


def test_of_very_many_the_gravest_are_told_and_all_are_counted(
    recorded: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "MOST", 1)
    tallies = recorded.files_opened("s-one")
    assert (list(tallies.by_name), tallies.names) == (["/b/.env"], 2)


def test_the_steps_in_which_something_leaked(recorded: Reader) -> None:
    assert recorded.grave_steps("s-one", START, 3 * SECOND) == [(at(3), Outcome.LEAKED), (at(9), Outcome.LEAKED)]
    assert recorded.grave_steps("s-one", START, 100 * SECOND) == [(START, Outcome.LEAKED)]


def test_a_session_without_any_has_none(recorded: Reader) -> None:
    assert recorded.files_opened("s-none").names == recorded.hosts_sent_to("s-none").names == 0
    assert recorded.repeated("s-none") == {}
