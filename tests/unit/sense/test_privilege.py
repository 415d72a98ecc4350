"""Which programs the kernel would start with other ids or capabilities than their caller's."""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.ordinary_user import open_folder

from agentguard.sense.privilege import gains_privilege

OTHER = 4242
_REVISION_2_EFFECTIVE = 0x02000001
_NET_RAW = 1 << 13


@pytest.fixture
def program() -> Iterator[Path]:
    with open_folder() as folder:
        if os.statvfs(folder).f_flag & os.ST_NOSUID:
            pytest.skip("the temporary folder is mounted nosuid")
        path = folder / "program"
        shutil.copy("/bin/true", path)
        path.chmod(0o755)
        yield path


def _gains(path: Path, uid: int, gid: int = OTHER) -> bool:
    return gains_privilege(str(path), path.stat(), uid, gid)


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "gains"),
    [
        (0o755, OTHER, OTHER, False),
        (0o4755, OTHER, OTHER, True),
        (0o4755, -1, OTHER, False),
        (0o2755, OTHER, OTHER, True),
        (0o2755, OTHER, -1, False),
        (0o2745, OTHER, OTHER, False),
    ],
)
def test_set_id_bits_count_for_who_is_not_that_already(
    program: Path, mode: int, uid: int, gid: int, *, gains: bool
) -> None:
    program.chmod(mode)
    info = program.stat()
    owner = info.st_uid if uid == -1 else uid
    group = info.st_gid if gid == -1 else gid
    assert _gains(program, owner, group) is gains


def test_file_capabilities_count_for_all_but_root(program: Path) -> None:
    try:
        os.setxattr(program, "security.capability", struct.pack("<5I", _REVISION_2_EFFECTIVE, _NET_RAW, 0, 0, 0))
    except OSError as error:
        pytest.skip(f"file capabilities cannot be set here: {error.strerror}")
    assert _gains(program, OTHER)
    assert not _gains(program, 0)


def test_a_file_that_is_gone_gains_nothing(program: Path) -> None:
    info = program.stat()
    program.unlink()
    assert not gains_privilege(str(program), info, OTHER, OTHER)
