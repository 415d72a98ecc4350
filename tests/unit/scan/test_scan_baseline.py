"""A baseline knows a credential by its file, its type and its value, and tells nobody what the value is."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from scan_support import KEY, KEYS, looker, places

from agentguard.errors import ConfigError
from agentguard.scan.baseline import Baseline, new_baseline, read_baseline, write_baseline


def known(folder: Path, *texts: tuple[str, bytes]) -> Baseline:
    """A baseline that holds what these files hold, written and read again."""
    baseline = new_baseline(folder / "baseline.json")
    one = looker(baseline, base=str(folder), entries=True)
    for name, text in texts:
        one.stream(name, io.BytesIO(text))
    write_baseline(folder / "baseline.json", baseline.updated(one.handed_over().entries))
    return read_baseline(folder / "baseline.json")


def test_what_it_holds_is_passed_over_wherever_it_stands_in_its_file(tmp_path: Path) -> None:
    baseline = known(tmp_path, ("src/a.py", b"k = '" + KEY + b"'\n"))
    one = looker(baseline, base=str(tmp_path))
    one.stream("src/a.py", io.BytesIO(b"\n\n# moved\nk = '" + KEY + b"'\nother = '" + KEYS[1] + b"'\n"))
    one.stream("src/b.py", io.BytesIO(b"k = '" + KEY + b"'\n"))
    tally = one.handed_over()
    assert places(tally) == [("src/a.py", 5), ("src/b.py", 1)]
    assert tally.known == 1
    assert [found.line for found in tally.passed] == [4]


def test_it_is_the_same_from_every_folder(tmp_path: Path) -> None:
    baseline = known(tmp_path, ("src/a.py", KEY))
    one = looker(baseline, base=str(tmp_path / "src"))
    one.stream("a.py", io.BytesIO(KEY))
    assert one.handed_over().known == 1


def test_no_value_and_no_usable_hash_of_one_stands_in_it(tmp_path: Path) -> None:
    known(tmp_path, ("a", KEY), ("b", KEYS[1]))
    text = (tmp_path / "baseline.json").read_text()
    assert KEY.decode() not in text
    assert [sorted(entry) for entry in json.loads(text)["entries"]] == [["hash", "path", "type"]] * 2
    assert all(len(entry["hash"]) == 10 for entry in json.loads(text)["entries"])


def test_what_did_not_change_is_written_as_it_was(tmp_path: Path) -> None:
    before = known(tmp_path, ("a", KEY), ("b", KEYS[1]))
    text = (tmp_path / "baseline.json").read_text()
    one = looker(before, base=str(tmp_path), entries=True)
    one.stream("b", io.BytesIO(b"\n\n" + KEYS[1]))
    one.stream("a", io.BytesIO(KEY + b"\n" + KEYS[2]))
    write_baseline(tmp_path / "baseline.json", before.updated(one.handed_over().entries))
    after = (tmp_path / "baseline.json").read_text().splitlines()
    assert [
        line.rstrip(",") for line in text.splitlines() if line.rstrip(",") not in {new.rstrip(",") for new in after}
    ] == []
    assert len(after) == len(text.splitlines()) + 1


@pytest.mark.parametrize(
    "damage", ["", "[]", "{}", '{"version": 9}', '{"version": 1, "id": "zz", "entries": []}', "[" * 9999]
)
def test_a_damaged_one_lets_nothing_pass(damage: str, tmp_path: Path) -> None:
    (tmp_path / "baseline.json").write_text(damage)
    with pytest.raises(ConfigError, match=r"baseline"):
        read_baseline(tmp_path / "baseline.json")


def test_one_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--update-baseline writes one"):
        read_baseline(tmp_path / "baseline.json")
