"""A file is looked at piece by piece; nothing that lies in a tree makes the look wait, loop or pass in silence."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from scan_support import KEY, KEYS, looker, places, reasons

from agentguard.scan import look as look_module


def test_a_long_file_is_looked_at_in_pieces_that_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look_module, "PIECE", 10_000)
    line = b"plain words, and more of them, up to sixty-four letters in all.\n"
    text = b"".join(line if at % 50 else b"key = " + KEYS[at // 50 % 8] + b"\n" for at in range(2000))
    one = looker()
    one.stream("big", io.BytesIO(text))
    tally = one.handed_over()
    assert places(tally) == [("big", at + 1) for at in range(0, 2000, 50)]
    assert tally.bytes == len(text)


def test_a_line_without_an_end_is_looked_at_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look_module, "PIECE", 10_000)
    one = looker()
    for before in (0, 9_990, 19_970, 30_001):
        one.stream("big", io.BytesIO(b"." * before + KEY + b"." * (40_000 - before)))
        assert places(one.handed_over()) == [("big", 1)]


def test_what_is_no_file_any_more_is_told_and_nothing_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    one = looker()
    for name in ("pipe", "link", "gone", "nul\0"):
        one.file(str(tmp_path / name))
    told = {path.rpartition("/")[2]: reason for path, reason in reasons(one.handed_over()).items()}
    assert told["pipe"] == "it is no regular file any more"
    assert told["gone"] == "No such file or directory"
    assert told["nul\0"] == "not a path"
    assert told["link"].startswith("a symbolic link by now")


def test_a_name_that_is_no_utf_8(tmp_path: Path) -> None:
    path = os.path.join(os.fsencode(tmp_path), b"caf\xe9.env")
    with open(path, "wb") as file:
        file.write(b"KEY=" + KEY)
    one = looker()
    one.file(os.fsdecode(path))
    assert places(one.handed_over()) == [(os.fsdecode(path), 1)]


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"a":' * 20_000,
        b"\\" * 100_001,
        b"%25" * 30_000,
        b"QUFB" * 30_000,
        b"\xff\xfe" + b"\x00\xd8" * 1000,
        bytes(range(256)) * 300,
        b"\x1b[" * 30_000,
        b'password = "' * 2_000,
    ],
    ids=["brackets", "objects", "backslashes", "percents", "base64", "false-mark", "binary", "colours", "assignments"],
)
def test_hostile_text_is_looked_through(data: bytes) -> None:
    one = looker()
    one.stream("hostile", io.BytesIO(data + b"\nkey = " + KEY + b"\n"))
    tally = one.handed_over()
    assert [found.match.preview for found in tally.found if found.match.type == "github-personal-token"]
