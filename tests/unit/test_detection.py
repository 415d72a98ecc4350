"""What the parts of detect decide together of one file."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from harness.compiled_rules import put_into

from agentguard.config import open_home
from agentguard.detection import Detection, open_detection, take_inventory
from agentguard.model.secret import CONTENT_KIND
from agentguard.paths import policies_dir

UNKNOWN_FORM = "Kq7" + "vT2mXw9Lr4Zs8Nb"
KNOWN_FORM = "sk_" + "live_" + "Hj3cF6pYd1Gt5Ru0EkWq8Zn2"


@pytest.fixture
def detection(home: Path) -> Detection:
    put_into(home / ".agentguard", ())
    return open_detection(open_home(home / ".agentguard"), policies_dir(), time.time_ns)


@pytest.mark.parametrize("text", [f"TOKEN={UNKNOWN_FORM}\n", f"TOKEN={UNKNOWN_FORM}\nKEY={KNOWN_FORM}\n"])
@pytest.mark.parametrize("other_name", ["link", "rename"])
def test_another_name_takes_nothing_from_a_secret_file(
    detection: Detection, tmp_path: Path, home: Path, text: str, other_name: str
) -> None:
    """The index comes upon `notes.txt`, and it is the `.env` that is known already."""
    path, notes = tmp_path / ".env", tmp_path / "notes.txt"
    path.write_text(text)
    take_inventory(detection, home, tmp_path)
    if other_name == "link":
        notes.hardlink_to(path)
    else:
        path.rename(notes)
    detection.content(str(notes))
    info = notes.stat()
    known = detection.table.lookup(info.st_dev, info.st_ino)
    assert known is not None
    assert (known.kind, known.path) == ("dotenv", str(path))


def test_what_only_its_content_gives_away(detection: Detection, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text(f"KEY={KNOWN_FORM}\n")
    found = detection.content(str(notes))
    assert found is not None
    assert found.kind == CONTENT_KIND
