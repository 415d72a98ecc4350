"""The table of secret files, laid out for C: what the native loop and the preloaded gate compare an open with.

One file in the session's run folder. We alone write it; every process of the tree maps it read-only, so each change is
one store of an aligned word. The layout is that of `agentguard/native/table.h`.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterable
from pathlib import Path
from threading import Lock

from agentguard.model.secret import NameFilter, SecretFile

MAGIC = 0x31454C4241544741
"""The bytes AGTABLE1."""
_HEADER = struct.Struct("=QIIIIIIII32s32s")
_CLOSED = struct.Struct("=I")
_CLOSED_AT = 8
_WORD = struct.Struct("=Q")
_EMPTY, _DELETED = 0, 1
_MASK = (1 << 64) - 1
_NAME, _PARENT, _FOLDER = b"n", b"p", b"f"
FILE_SLOTS = 8192
"""64 KiB: as much as the kernel maps in around one page fault."""
NAME_SLOTS = 4096


class WatchTable:
    """Follows the table of secret files. Thread-safe; readers take no lock.

    A table that is full closes the gate: from then on every open is looked at, slower and no less exact.
    """

    def __init__(self, path: Path, names: NameFilter, *, file_slots: int = FILE_SLOTS) -> None:
        """Raises OSError when the file cannot be made. `path` must not exist. `file_slots` is a power of two."""
        self.path = path
        self._lock = Lock()
        files_at = _page(_HEADER.size)
        names_at = files_at + file_slots * _WORD.size
        self._places = {"files": (files_at, file_slots), "names": (names_at, NAME_SLOTS)}
        self._used = {"files": 0, "names": 0}
        edges = _edges(names.starts) + _edges(names.ends)
        edges_at = names_at + NAME_SLOTS * _WORD.size
        size = _page(edges_at + len(edges) + 1)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size)  # a full disk must say so here, not as SIGBUS at a store
            self.memory = mmap.mmap(descriptor, size)
        finally:
            os.close(descriptor)
        header = (MAGIC, 0, file_slots, files_at, NAME_SLOTS, names_at, edges_at)
        counts = (len(names.starts), len(names.ends))
        first, last = _bits(text[:1] for text in names.starts), _bits(text[-1:] for text in names.ends)
        _HEADER.pack_into(self.memory, 0, *header, *counts, first, last)
        self.memory[edges_at : edges_at + len(edges)] = edges
        for part, texts in ((_NAME, names.names), (_PARENT, names.parents), (_FOLDER, names.folders)):
            for text in texts:
                self._enter("names", name_tag(part, text))

    def watch(self, device: int, inode: int) -> None:
        """An inode alone, whatever its names."""
        with self._lock:
            self._enter("files", file_tag(device, inode))

    def added(self, file: SecretFile) -> None:
        """Its inode, and its name: a file that is put in its place is looked at when it is opened."""
        self.watch(file.device, file.inode)
        with self._lock:
            self._enter("names", name_tag(_NAME, os.fsencode(file.path).rpartition(b"/")[2]))

    def discarded(self, device: int, inode: int) -> None:
        """The name stays: it may come back."""
        with self._lock:
            slot, found = self._find("files", file_tag(device, inode))
            if not found:
                return
            self._put("files", slot, _DELETED)
            if self._word("files", slot + 1) == _EMPTY:  # no search goes on beyond here, so none needs a mark
                while self._word("files", slot) == _DELETED:
                    self._put("files", slot, _EMPTY)
                    self._used["files"] -= 1
                    slot -= 1

    @property
    def closed(self) -> bool:
        return bool(_CLOSED.unpack_from(self.memory, _CLOSED_AT)[0])

    def close_gate(self) -> None:
        """Let nothing pass unseen from now on."""
        _CLOSED.pack_into(self.memory, _CLOSED_AT, 1)

    def _enter(self, kind: str, tag: int) -> None:
        slot, found = self._find(kind, tag)
        if found:
            return
        if slot < 0:
            self.close_gate()
            return
        if self._word(kind, slot) == _EMPTY:
            self._used[kind] += 1
        self._put(kind, slot, tag)

    def _find(self, kind: str, tag: int) -> tuple[int, bool]:
        """The slot it is in, or one that it may be put in: -1 when a quarter of them is all that is left."""
        slots = self._places[kind][1]
        free = -1
        for step in range(slots):
            slot = (tag >> 32) + step & slots - 1
            word = self._word(kind, slot)
            if word == tag:
                return slot, True
            if word == _DELETED and free < 0:
                free = slot
            if word == _EMPTY:
                if free < 0 and self._used[kind] < slots * 3 // 4:
                    free = slot
                break
        return free, False

    def _word(self, kind: str, slot: int) -> int:
        at, slots = self._places[kind]
        return int(_WORD.unpack_from(self.memory, at + (slot & slots - 1) * _WORD.size)[0])

    def _put(self, kind: str, slot: int, word: int) -> None:
        at, slots = self._places[kind]
        _WORD.pack_into(self.memory, at + (slot & slots - 1) * _WORD.size, word)


def file_tag(device: int, inode: int) -> int:
    """`ag_file_tag` of table.h."""
    tag = inode ^ (device * 0x9E3779B97F4A7C15 & _MASK)
    tag = (tag ^ tag >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    tag = (tag ^ tag >> 27) * 0x94D049BB133111EB & _MASK
    tag ^= tag >> 31
    return tag + 2 if tag < 2 else tag


def name_tag(part: bytes, text: bytes) -> int:
    """`ag_name_tag` of table.h."""
    tag = 0xCBF29CE484222325
    for byte in part + text:
        tag = (tag ^ byte) * 0x100000001B3 & _MASK
    return tag + 2 if tag < 2 else tag


def _page(size: int) -> int:
    return -(-size // mmap.PAGESIZE) * mmap.PAGESIZE


def _edges(texts: Iterable[bytes]) -> bytes:
    return b"".join(bytes([len(text)]) + text for text in texts)


def _bits(letters: Iterable[bytes]) -> bytes:
    bits = bytearray(32)
    for letter in letters:
        bits[letter[0] >> 3] |= 1 << (letter[0] & 7)
    return bytes(bits)
