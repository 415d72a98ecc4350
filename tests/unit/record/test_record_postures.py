"""What `check` found is kept: compared with the last look of its kind, and found again for a folder below."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from posture_builders import BREADTH, FIRST, weakness
from record_builders import SECOND, START, make_home

from agentguard.config import Home
from agentguard.errors import StoreError
from agentguard.model.posture import Earlier, Place, Posture
from agentguard.model.posture_json import posture_from_json, posture_to_json
from agentguard.record.at_rest import keep_posture
from agentguard.record.reader import Reader
from agentguard.record.schema import open_database


@pytest.fixture
def kept(tmp_path: Path) -> Home:
    return make_home(tmp_path)


def reader(home: Home) -> Reader:
    return Reader(home.database)


def test_it_comes_back_as_it_was(kept: Home) -> None:
    keep_posture(kept, FIRST)
    assert reader(kept).posture("/src/shop") == FIRST
    whole = replace(FIRST, earlier=Earlier(time_ns=START - SECOND, score=40, put_right=2, new=1), unread=(("x", "y"),))
    assert posture_from_json(json.loads(json.dumps(posture_to_json(whole)))) == whole


def test_the_next_look_says_what_was_put_right_and_what_is_new(kept: Home) -> None:
    keep_posture(kept, FIRST)
    moved = replace(weakness("b.py"), places=(Place(path="b.py", line=99),), title="in other words")
    later = replace(FIRST, time_ns=START + SECOND, weaknesses=(moved, weakness("c.py"), weakness("d.py")), score=45)
    before = reader(kept).earlier_posture(later)
    assert before == FIRST
    assert later.since(FIRST) == Earlier(time_ns=START, score=55, put_right=1, new=2)


@pytest.mark.parametrize(
    "other",
    [
        replace(FIRST, root="/src/other"),
        replace(FIRST, formula=2),
        replace(FIRST, breadth=replace(BREADTH, home=True)),
        replace(FIRST, breadth=replace(BREADTH, history=False)),
        replace(FIRST, breadth=replace(BREADTH, older_than_days=30)),
    ],
    ids=["another folder", "another formula", "with the home folder", "without the history", "another age"],
)
def test_looks_of_different_kinds_are_not_compared(kept: Home, other: Posture) -> None:
    keep_posture(kept, other)
    assert reader(kept).earlier_posture(FIRST) is None


def test_a_look_that_could_not_see_everything_is_no_measure(kept: Home) -> None:
    keep_posture(kept, FIRST)
    keep_posture(kept, replace(FIRST, time_ns=START + SECOND, score=90, unread=(("a", "Permission denied"),)))
    assert reader(kept).earlier_posture(FIRST) == FIRST


def test_only_the_newest_of_a_kind_is_kept_whole_and_every_score_is(kept: Home) -> None:
    for number in range(3):
        keep_posture(kept, replace(FIRST, time_ns=START + number * SECOND, score=50 + number))
    rows = open_database(kept.database).execute("SELECT score, json <> '' FROM postures ORDER BY id").fetchall()
    assert [tuple(row) for row in rows] == [(50, 0), (51, 0), (52, 1)]


def test_a_folder_is_found_in_the_nearest_one_that_was_looked_at(kept: Home) -> None:
    assert reader(kept).posture("/src/shop") is None, "nothing was ever kept"
    keep_posture(kept, FIRST)
    keep_posture(kept, replace(FIRST, root="/src/shop/api", score=70))
    keep_posture(
        kept, replace(FIRST, root="/src/shop/api", score=71, breadth=replace(BREADTH, home=True), time_ns=START + 1)
    )
    known = reader(kept)
    scores = {folder: known.posture(folder) for folder in ("/src/shop/api/x", "/src/shop/web", "/src/shopping", "/src")}
    assert {folder: found.score if found else None for folder, found in scores.items()} == {
        "/src/shop/api/x": 71,
        "/src/shop/web": 55,
        "/src/shopping": None,
        "/src": None,
    }


def test_a_full_disk_is_told_in_words(kept: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.database.mkdir()
    with pytest.raises(StoreError, match="cannot use database"):
        keep_posture(kept, FIRST)
