"""What guards of one home tell each other, and what an agent that meddles with it achieves: nothing is believed."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from record_builders import make_home

from agentguard import locked_file
from agentguard.config import Home
from agentguard.record.looks import MOST_BYTES, SLOTS, Looks

DEVICE, INODE = 2049, 131_072
SECOND = 1_000_000_000
SLOT_BYTES, SIGNED_BYTES = 64, 56
WAYS = 8
BUCKETS = SLOTS // WAYS


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000 * SECOND

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def guard_home(tmp_path: Path) -> Home:
    return make_home(tmp_path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def one(guard_home: Home, clock: Clock) -> Looks:
    return guard(guard_home, clock)


@pytest.fixture
def other(guard_home: Home, clock: Clock) -> Looks:
    return guard(guard_home, clock)


def guard(home: Home, clock: Callable[[], int]) -> Looks:
    return Looks(home.looks, home.looks_key(), clock)


def test_one_guard_knows_what_another_has_noted(one: Looks, other: Looks, clock: Clock) -> None:
    noted = clock.now
    assert not other.seen(DEVICE, INODE, 0)
    one.note(DEVICE, INODE)
    clock.now += SECOND
    assert other.seen(DEVICE, INODE, noted)
    assert one.seen(DEVICE, INODE, noted)
    assert not other.seen(DEVICE, INODE, noted + 1)
    assert not other.seen(DEVICE, INODE + 1, noted)
    assert not other.seen(DEVICE + 1, INODE - 1, noted), "the same slot, another file"


def test_the_last_look_counts(one: Looks, other: Looks, clock: Clock) -> None:
    one.note(DEVICE, INODE)
    clock.now += SECOND
    other.note(DEVICE, INODE)
    assert one.seen(DEVICE, INODE, clock.now)


def test_another_home_is_a_stranger(guard_home: Home, one: Looks, tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "elsewhere").mkdir()
    stranger = make_home(tmp_path / "elsewhere")
    Looks(guard_home.looks, stranger.looks_key(), clock).note(DEVICE, INODE)
    assert not one.seen(DEVICE, INODE, 0)
    assert guard_home.looks_key() not in {guard_home.chain_key(), stranger.looks_key()}


def test_the_file_never_grows_beyond_its_size_and_is_ours_alone(guard_home: Home, one: Looks, clock: Clock) -> None:
    for number in range(SLOTS + 100):
        clock.now += 1
        one.note(DEVICE, number)
    assert one.seen(DEVICE, number, 0)
    info = guard_home.looks.stat()
    assert info.st_size == MOST_BYTES
    assert info.st_mode & 0o777 == 0o600


def test_the_oldest_look_goes_when_all_slots_of_a_file_are_taken(one: Looks, other: Looks, clock: Clock) -> None:
    crowd = [INODE + number * BUCKETS for number in range(WAYS + 1)]
    for inode in crowd:
        clock.now += 1
        one.note(DEVICE, inode)
    assert [other.seen(DEVICE, inode, 0) for inode in crowd] == [False, *[True] * WAYS]


def test_a_look_from_the_future_is_not_believed_and_makes_room(one: Looks, other: Looks, clock: Clock) -> None:
    crowd = [INODE + number * BUCKETS for number in range(WAYS)]
    clock.now += 3600 * SECOND
    one.note(DEVICE, crowd[0])
    clock.now -= 3600 * SECOND
    assert not other.seen(DEVICE, crowd[0], 0)
    for inode in crowd[1:]:
        one.note(DEVICE, inode)
    one.note(DEVICE, INODE + WAYS * BUCKETS)
    assert all(other.seen(DEVICE, inode, 0) for inode in crowd[1:])


# --- what an agent can do to the file ---------------------------------------------------------------


def where(path: Path) -> int:
    """The first slot that is taken."""
    data = path.read_bytes()
    return next(at for at in range(0, len(data), SLOT_BYTES) if any(data[at : at + SLOT_BYTES]))


@given(at=st.integers(0, SIGNED_BYTES - 1), flip=st.integers(1, 255))
def test_a_forged_slot_counts_for_nothing(tmp_path_factory: pytest.TempPathFactory, at: int, flip: int) -> None:
    home, clock = make_home(tmp_path_factory.mktemp("forged")), Clock()
    guard(home, clock).note(DEVICE, INODE)
    data = bytearray(home.looks.read_bytes())
    start = where(home.looks)
    data[start + at] ^= flip
    home.looks.write_bytes(data)
    clock.now = 2**63
    time_ns, device, inode = (int.from_bytes(data[start + o : start + o + 8], "little") for o in (0, 8, 16))
    assert not guard(home, clock).seen(device, inode, time_ns)
    assert not guard(home, clock).seen(DEVICE, INODE, 0)


@given(cut=st.integers(1, SIGNED_BYTES - 1))
def test_a_torn_slot_counts_for_nothing(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    """Half of one look, half of the next: of the same file, and with no byte of their time in common. (The last bytes
    of two MACs may be the same: then nothing was torn.)"""
    home, clock = make_home(tmp_path_factory.mktemp("torn")), Clock()
    clock.now = 0x1111_1111_1111_1111
    guard(home, clock).note(DEVICE, INODE)
    old = home.looks.read_bytes()
    clock.now = 0x2222_2222_2222_2222
    guard(home, clock).note(DEVICE, INODE)
    new, start = home.looks.read_bytes(), where(home.looks)
    torn = new[: start + cut] + old[start + cut :]
    assume(torn != new)
    home.looks.write_bytes(torn)
    clock.now = 2**63
    assert not guard(home, clock).seen(DEVICE, INODE, 0)


def test_a_forged_slot_hides_no_good_one(guard_home: Home, one: Looks, other: Looks, clock: Clock) -> None:
    one.note(DEVICE, INODE + BUCKETS)
    one.note(DEVICE, INODE)
    start = where(guard_home.looks)
    data = bytearray(guard_home.looks.read_bytes())
    data[start : start + 24] = data[start + SLOT_BYTES : start + SLOT_BYTES + 24]
    guard_home.looks.write_bytes(data)
    assert other.seen(DEVICE, INODE, clock.now)


def test_what_is_removed_is_forgotten_and_noted_anew(guard_home: Home, one: Looks, other: Looks, clock: Clock) -> None:
    one.note(DEVICE, INODE)
    guard_home.looks.unlink()
    assert not other.seen(DEVICE, INODE, 0)
    clock.now += SECOND
    one.note(DEVICE, INODE)
    assert other.seen(DEVICE, INODE, clock.now)


@pytest.mark.parametrize(
    "damage", [b"", b"short", b"\xff" * MOST_BYTES, b"\0" * (MOST_BYTES + 7)], ids=["empty", "short", "ones", "zeros"]
)
def test_a_damaged_file_holds_nothing_and_is_used_again(
    guard_home: Home, one: Looks, other: Looks, clock: Clock, damage: bytes
) -> None:
    guard_home.looks.write_bytes(damage)
    assert not other.seen(DEVICE, INODE, 0)
    one.note(DEVICE, INODE)
    assert other.seen(DEVICE, INODE, clock.now)


def test_a_file_of_absurd_size_is_read_no_further(guard_home: Home, one: Looks, other: Looks, clock: Clock) -> None:
    with guard_home.looks.open("wb") as file:
        file.truncate(1 << 40)
    one.note(DEVICE, INODE)
    assert other.seen(DEVICE, INODE, clock.now)


@pytest.mark.parametrize("what", ["fifo", "symlink", "folder", "no home"])
def test_what_is_no_file_is_left_alone(guard_home: Home, one: Looks, other: Looks, tmp_path: Path, what: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    if what == "fifo":
        os.mkfifo(guard_home.looks)
    elif what == "symlink":
        guard_home.looks.symlink_to(elsewhere)
    elif what == "folder":
        guard_home.looks.mkdir()
    else:
        guard_home.root.rename(tmp_path / "moved")
    one.note(DEVICE, INODE)
    assert not other.seen(DEVICE, INODE, 0)
    assert elsewhere.read_text() == "mine"


# --- several at once --------------------------------------------------------------------------------


def test_a_note_waits_for_another_guards(
    guard_home: Home, one: Looks, other: Looks, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with guard_home.looks.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        written: list[int] = []

        def sleep(_: float) -> None:
            written.append(guard_home.looks.stat().st_size)
            file.close()

        monkeypatch.setattr(locked_file.time, "sleep", sleep)
        one.note(DEVICE, INODE)
    assert written == [0]
    assert other.seen(DEVICE, INODE, clock.now)


@pytest.mark.timed
def test_a_lock_that_is_kept_is_not_waited_for(guard_home: Home, one: Looks, clock: Clock) -> None:
    with guard_home.looks.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        began = time.monotonic()
        one.note(DEVICE, INODE)
        assert one.seen(DEVICE, INODE, clock.now)
        assert time.monotonic() - began < 1


def test_a_file_that_is_read_again_and_again_is_noted_ten_times_a_second(
    guard_home: Home, one: Looks, clock: Clock
) -> None:
    states = set()
    for _ in range(200):
        clock.now += 5_000_000
        one.note(DEVICE, INODE)
        states.add(guard_home.looks.read_bytes())
    assert len(states) == 10
