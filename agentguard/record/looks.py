"""Which secret files the guards of this home folder have just opened themselves, or saw an agent of theirs open.

Two guards in one project see each other's opens, and neither finds the opener in its own tree. So each notes what it
accounts for, and asks here before it tells of an open that nobody made. The agent may write to the file as well (it
is the same user): a look without the MAC, made with a key of the home folder's, counts for nothing.

The file is a table of fixed size: the last look at each file, in one of the few slots that its inode leads to. It is
never mapped: whoever cuts a mapped file short kills those who read it.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from agentguard.locked_file import locked

SLOTS = 4096
_WAYS = 8
"""Slots that one file may take. When all are taken, the oldest look goes."""
_BUCKETS = SLOTS // _WAYS

_LOOK = struct.Struct("<QQQ")
"""ns since the epoch, device, inode."""
_SLOT = struct.Struct(f"<{_LOOK.size}s32s8x")
"""A look and its HMAC-SHA256, padded to 64 bytes."""
_BUCKET_BYTES = _WAYS * _SLOT.size
MOST_BYTES = SLOTS * _SLOT.size

_FRESH_NS = 100_000_000
"""A look at the same file is not noted again within this time; who asks, asks for longer."""
_TRIES = 20
_PAUSE_SECONDS = 0.0001
"""Others hold the lock for some microseconds. One that is kept longer is not one of ours, and is not waited for."""


class Looks:
    """From any thread. Where the file cannot be used, nothing is known: opens are told rather than passed over.

    Args:
        path: of the file; made when first needed.
        key: `Home.looks_key`.
        clock: ns since the epoch.
    """

    def __init__(self, path: Path, key: bytes, clock: Callable[[], int]) -> None:
        self._path = path
        self._key = key
        self._clock = clock
        self._noted: dict[tuple[int, int], int] = {}

    def note(self, device: int, inode: int) -> None:
        """This file is being opened, or was a moment ago, by us or by who is known to us. Never raises."""
        now = self._clock()
        if 0 <= now - self._noted.get((device, inode), 0) < _FRESH_NS:
            return
        look = _LOOK.pack(now, device, inode)
        with contextlib.suppress(OSError), self._bucket(device, inode) as (descriptor, start):
            bucket = os.pread(descriptor, _BUCKET_BYTES, start).ljust(_BUCKET_BYTES, b"\0")
            at = start + _SLOT.size * _choose(bucket, now, device, inode)
            os.pwrite(descriptor, _SLOT.pack(look, self._mac(look)), at)
            self._noted[(device, inode)] = now

    def seen(self, device: int, inode: int, since_ns: int) -> bool:
        """Whether a guard of this home has noted a look at this file since then."""
        now = self._clock()
        with contextlib.suppress(OSError), self._bucket(device, inode) as (descriptor, start):
            for look, mac in _slots(os.pread(descriptor, _BUCKET_BYTES, start)):
                time_ns, *file = _LOOK.unpack(look)
                if file == [device, inode] and since_ns <= time_ns <= now and hmac.compare_digest(mac, self._mac(look)):
                    return True
        return False

    def _mac(self, look: bytes) -> bytes:
        return hmac.digest(self._key, look, "sha256")

    @contextlib.contextmanager
    def _bucket(self, device: int, inode: int) -> Iterator[tuple[int, int]]:
        """The file, locked against other guards, and where the slots of this inode begin. Raises OSError.

        Without the lock, one of two looks that are noted at the same instant may be lost.
        """
        with locked(self._path, make=True, tries=_TRIES, pause=_PAUSE_SECONDS) as descriptor:
            yield descriptor, (device + inode) % _BUCKETS * _BUCKET_BYTES


def _slots(bucket: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Looks and their MACs, good or not."""
    return _SLOT.iter_unpack(bucket[: len(bucket) // _SLOT.size * _SLOT.size])


def _choose(bucket: bytes, now: int, device: int, inode: int) -> int:
    """The slot that this file has already, else a free one, else the oldest. One from the future is as good as free."""

    def worth(number: int) -> int:
        time_ns, *file = _LOOK.unpack_from(bucket, number * _SLOT.size)
        return -1 if file == [device, inode] else 0 if time_ns > now else int(time_ns)

    return min(range(_WAYS), key=worth)
