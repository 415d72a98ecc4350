"""The same thing once, the first at once, a flood as one digest, and never a word twice within the time."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from notify_builders import alarm

from agentguard.show.notify.alarm import Alarm, Need
from agentguard.show.notify.gather import MOST_GROUPS, Digest, Gatherer, TokenBucket
from agentguard.show.notify.told import ToldFile


class Desk:
    """A gatherer with a clock to turn."""

    def __init__(self, folder: Path, *, every: float = 60, repeat: float = 3600) -> None:
        self.now = 1000.0
        self.told = ToldFile(folder / "notified.json", repeat)
        self.gatherer = Gatherer(TokenBucket(1, every), self.told, lambda: self.now)

    def take(self, *alarms: Alarm) -> Digest | None:
        for one in alarms:
            self.gatherer.take(one)
        return self.gatherer.due()


def of_host(number: int, need: Need = Need.LEAKED) -> Alarm:
    found = alarm(number, host=f"h{number}.example")
    return dataclasses.replace(found, need=need, keys=frozenset({f"{need}|{number}"}))


def test_the_first_is_told_at_once_and_the_rest_together(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    first = desk.take(of_host(1))
    assert first is not None
    assert [group.alarm.destination for group in first.groups] == ["h1.example"]
    assert desk.take(of_host(2), of_host(3), of_host(2)) is None
    assert desk.gatherer.wait() == pytest.approx(60)
    desk.now += 59
    assert desk.gatherer.due() is None
    desk.now += 1
    digest = desk.gatherer.due()
    assert digest is not None
    assert [(group.alarm.destination, group.count) for group in digest.groups] == [("h2.example", 2), ("h3.example", 1)]
    assert desk.gatherer.due() is None
    assert desk.gatherer.wait() is None


def test_what_is_worse_than_all_before_does_not_wait(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.take(of_host(1, Need.SENSOR)) is not None
    assert desk.take(of_host(2, Need.SENSOR)) is None
    told = desk.take(of_host(3, Need.LEAKED))
    assert told is not None
    assert [group.alarm.need for group in told.groups] == [Need.LEAKED, Need.SENSOR]
    assert desk.take(of_host(4, Need.LEAKED)) is None


def test_at_the_end_all_that_waits_is_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take(of_host(1))
    desk.take(of_host(2))
    last = desk.gatherer.rest()
    assert last is not None
    assert len(last.groups) == 1
    assert desk.gatherer.rest() is None


def test_what_was_told_is_not_repeated_by_this_session_or_another(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.take(alarm(1)) is not None
    desk.now += 600
    assert desk.take(alarm(2)) is None
    assert Desk(tmp_path).take(alarm(3, session="s-two")) is None
    later = Desk(tmp_path).take(alarm(3601, session="s-three"))
    assert later is not None


def test_a_request_with_one_more_credential_is_news(tmp_path: Path) -> None:
    desk = Desk(tmp_path, every=1)
    first = of_host(1)
    assert desk.take(first) is not None
    desk.now += 1
    assert desk.take(dataclasses.replace(first, keys=first.keys | {"another"})) is not None


def test_what_comes_beyond_all_bounds_is_counted(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take(of_host(0))
    desk.gatherer.lost(5)
    assert desk.take(*(of_host(number) for number in range(1, MOST_GROUPS + 8))) is None
    digest = desk.gatherer.rest()
    assert digest is not None
    assert len(digest.groups) == MOST_GROUPS
    assert digest.uncounted == 5 + 7


@settings(deadline=None, max_examples=60)
@given(waits=st.lists(st.floats(0, 200), max_size=60))
def test_no_more_leave_than_the_bucket_allows(waits: list[float]) -> None:
    bucket = TokenBucket(2, 30)
    now, taken = 0.0, []
    for wait in waits:
        now += wait
        if bucket.take(now):
            taken.append(now)
        else:
            assert bucket.wait(now) > 0
    for start in range(len(taken)):
        for end in range(start, len(taken)):
            assert end - start + 1 <= 2 + (taken[end] - taken[start]) / 30 + 1e-6


# --- the file ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"told": 3, "channels": {}}', b"\xff" * 100, b"[" * 90_000])
def test_a_damaged_file_is_an_empty_one(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "notified.json"
    path.write_bytes(damage)
    told = ToldFile(path, 60)
    assert told.fresh(["a"], 1)
    told.remember(["a"], 1)
    assert not ToldFile(path, 60).fresh(["a"], 2)


def test_the_file_stays_the_same_file_and_small(tmp_path: Path) -> None:
    """It is watched: a file put in its place would look like somebody's attempt."""
    path = tmp_path / "notified.json"
    told = ToldFile(path, 60)
    told.remember(["first"], 1)
    before = path.stat()
    told.remember([str(number) for number in range(5000)], 2)
    after = path.stat()
    assert (before.st_ino, before.st_mode & 0o777) == (after.st_ino, 0o600)
    assert after.st_size < 200_000
    assert told.fresh(["never"], 3)
    assert not ToldFile(path, 60).fresh(["4999"], 3)
    assert ToldFile(path, 60).fresh(["first"], 3)


def test_where_there_is_no_file_a_thing_is_told_once_a_session(tmp_path: Path) -> None:
    (tmp_path / "notified.json").mkdir()
    told = ToldFile(tmp_path / "notified.json", 60)
    assert told.fresh(["a"], 1)
    told.remember(["a"], 1)
    assert not told.fresh(["a"], 2)
    assert told.results() == []


def test_the_file_names_neither_hosts_nor_credentials(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.take(alarm(1)) is not None
    text = (tmp_path / "notified.json").read_text()
    assert "paste" not in text
    assert "OPENAI" not in text
    assert alarm(1).credentials[0].fingerprint not in text
