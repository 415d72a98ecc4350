"""What a reader got is what the file held while its open was held."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from content_support import judge
from detect_support import scanner

from agentguard.birth import birth_time_ns
from agentguard.detect.file_values import FileValues
from agentguard.detect.value_index import ValueIndex
from agentguard.model.observation import FileObservation
from agentguard.model.process import Confidence
from agentguard.model.secret import SecretFile

FIRST, SECOND = "Kq7" + "vT2mXw9Lr4Zs8Nb", "Hj3" + "cF6pYd1Gt5Ru0Ek"


@pytest.fixture
def values() -> FileValues:
    return FileValues(scanner(), judge(), ValueIndex(), on_look=lambda *_: None, clock=lambda: 1)


@pytest.fixture
def file(tmp_path: Path) -> SecretFile:
    path = tmp_path / ".env"
    path.write_text(f"TOKEN={FIRST}\n")
    info = path.stat()
    born = birth_time_ns(str(path))
    return SecretFile(path=str(path), device=info.st_dev, inode=info.st_ino, birth_time_ns=born)


def opened(file: SecretFile, at: int = 10, held_as: str = "") -> FileObservation:
    return FileObservation(
        time_ns=at,
        sensor="seccomp",
        process=None,
        confidence=Confidence.EXACT_HELD,
        path=file.path,
        file=file,
        held_as=held_as,
    )


def found(values: FileValues, read: FileObservation) -> list[bytes]:
    return [value.value for value in values.observed(read)]


def test_what_was_read_stays_what_it_was(values: FileValues, file: SecretFile) -> None:
    first, second = opened(file), opened(file, at=20)
    values.hold(first)
    Path(file.path).write_text(f"OTHER_TOKEN={SECOND}\n")
    values.hold(second)
    assert found(values, first) == [FIRST.encode()]
    assert found(values, second) == [SECOND.encode()]


@pytest.mark.parametrize("then", ["renamed", "replaced", "deleted"])
def test_a_file_that_moved_away_keeps_its_values(values: FileValues, file: SecretFile, then: str) -> None:
    path = Path(file.path)
    values.of(file)
    if then == "deleted":
        path.unlink()
    else:
        path.rename(path.with_name("notes.txt"))
    if then == "replaced":
        path.write_text(f"OTHER_TOKEN={SECOND}\n")
    read = opened(file)
    values.hold(read)
    assert found(values, read) == [FIRST.encode()]


def test_a_file_that_was_never_read_has_none(values: FileValues, file: SecretFile) -> None:
    Path(file.path).unlink()
    assert found(values, opened(file)) == []


def test_a_file_out_of_reach_is_read_while_it_is_held(values: FileValues, file: SecretFile) -> None:
    elsewhere = Path(file.path).rename(Path(file.path).with_name("notes.txt"))
    descriptor = os.open(elsewhere, os.O_RDONLY)
    read = opened(file, held_as=f"/proc/self/fd/{descriptor}")
    values.hold(read)
    os.close(descriptor)
    assert found(values, read) == [FIRST.encode()]


def test_its_own_reads_leave_no_trace(values: FileValues, file: SecretFile) -> None:
    """Another session would take it for somebody's who knew of the secret before the guard did."""
    path = Path(file.path)
    os.utime(path, ns=(0, path.stat().st_mtime_ns))
    assert values.of(file)[1]
    assert path.stat().st_atime_ns == 0
    path.read_text()
    if path.stat().st_atime_ns == 0:
        pytest.skip("this file system keeps no access times")


def test_a_look_is_announced_before_it_is_made(file: SecretFile) -> None:
    """Another session's watches tell of it at once."""
    looks: list[tuple[int, int]] = []

    def on_look(device: int, inode: int) -> None:
        looks.append((device, inode))
        Path(file.path).write_text(f"TOKEN={SECOND}\n")

    values = FileValues(scanner(), judge(), ValueIndex(), on_look=on_look, clock=lambda: 1)
    (value,) = values.of(file)[0]
    assert looks == [(file.device, file.inode)]
    assert value.value == SECOND.encode()
