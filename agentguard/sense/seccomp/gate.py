"""The gate: lets an open that cannot be of a secret file pass the filter, at the cost of two cheap calls.

`agentguard/native/gate.c` says how it works. Here it is made ready for one session: a copy of the library in the run
folder, told where its gate shall be and where the table is, and two decoys that prove it. All is optional: without
it every open is held, slower and no less exact.
"""

from __future__ import annotations

import mmap
import os
import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agentguard.errors import SensorError
from agentguard.native.find import find_library
from agentguard.sense.watch_table import WatchTable

_LAYOUT = struct.Struct("=16sQQQQ1024s")
"""`struct session` of gate.c: magic, address, page size, table size, offset of what follows the call, table."""
_MAGIC = b"AgentGuard gate\0"
_LOWEST, _HIGHEST = 0x5500_0000_0000, 0x5555_0000_0000
"""Nothing is ever mapped between these (89 million pages) by itself. Programs begin at 0x5555_5555_4000, two thirds of
the 47-bit space, and go up; libraries go down from 0x7fff_ffff_f000 (legacy layout: up from 0x2aaa_aaaa_a000); V8 and
mimalloc draw their hints below 0x4000_0000_0000, Go below 0x0100_0000_0000. And to the sanitizers of gcc and clang
(ASan, MSan, TSan) it is the program's own memory, no shadow. A 39-bit aarch64 has no such address: the gate is not
proved there."""
CHOICE = "AGENTGUARD_GATE"
"""Environment variable: with `off` every open is held where the gate could be used."""
_LOADER_SPLITS_AT = frozenset(" \t\n:$")
"""What ends a path in LD_PRELOAD, or begins a token in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Of one session. Its files are in the run folder."""

    library: str
    call: int
    """The address that follows the gate's call: the filter compares it."""
    ordinary: str
    """A file that must not be held when it is opened through the gate."""
    decoy: str
    """A file whose inode is in the table: it must be held."""
    decoy_key: tuple[int, int]
    """Device and inode."""

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """Variables to set over `base`."""
        # Appended: an agent's own library must find libc's open after its own, and be asked before us.
        env = {"LD_PRELOAD": ":".join(filter(None, (base.get("LD_PRELOAD"), self.library)))}
        # A program built with -fsanitize=address ends at once when a library is loaded before ASan's own. We call
        # nothing that ASan replaces, so the order does not matter.
        options = base.get("ASAN_OPTIONS", "")
        if "verify_asan_link_order" not in options:
            env["ASAN_OPTIONS"] = ":".join(filter(None, (options, "verify_asan_link_order=0")))
        return env


class SessionGate:
    """The gate of one session, or why there is none."""

    def __init__(self, folder: Path, table: WatchTable | None) -> None:
        """`folder` is the run folder."""
        self.gate: Gate | None = None
        self._table = table
        self._reason = ""
        try:
            self.gate = _make(folder, table)
        except SensorError as error:
            self._reason = str(error)

    def settle(self, *, used: bool, proved: bool) -> None:
        """The agent's process has tried it. A gate that is used without proof is closed.

        Args:
            used: that process found that an ordinary open passes; it preloads the gate.
            proved: the sensor saw the decoy opened.
        """
        if not used:
            self._reason = "it does not work in the agent's process"
        elif not proved and self._table is not None:
            self._table.close_gate()
            self._reason = "its decoy was not seen"

    def note(self) -> str:
        """What there is to say of it, in the sensor's own line. To be without it is no gap: nothing is missed."""
        closed = self._table is not None and self._table.closed
        reason = self._reason or ("there are too many secret files for it" if closed else "")
        return f"without the gate ({reason}): opens take longer, none is missed" if reason else "with the gate"


def _make(folder: Path, table: WatchTable | None) -> Gate:
    if os.environ.get(CHOICE) == "off":
        raise SensorError(f"{CHOICE} says so")
    original = find_library("gate")
    if original is None:
        raise SensorError("it was not compiled")
    if table is None:
        raise SensorError("the table of secret files could not be written")
    library = folder / "gate.so"
    if _LOADER_SPLITS_AT.intersection(str(library)):
        raise SensorError(f"the dynamic loader cannot take a path like {folder}")
    try:
        if os.statvfs(folder).f_flag & os.ST_NOEXEC:
            raise SensorError(f"{folder.parent} is mounted noexec")
        code, call = _addressed(original.read_bytes(), table)
        library.write_bytes(code)
        library.chmod(0o644)  # whatever the umask: root's tree may hold processes of other users
        ordinary, decoy = folder / "ordinary", folder / "held"
        for path in (ordinary, decoy):
            path.write_text("This file is opened once a session, to prove that the gate tells it from others.\n")
        info = decoy.stat()
    except OSError as error:
        raise SensorError(f"it could not be written: {error.strerror}") from None
    table.watch(info.st_dev, info.st_ino)
    return Gate(
        library=str(library),
        call=call,
        ordinary=str(ordinary),
        decoy=str(decoy),
        decoy_key=(info.st_dev, info.st_ino),
    )


def _addressed(library: bytes, table: WatchTable) -> tuple[bytes, int]:
    """The library with the session's facts written into it, and the address for the filter."""
    at = library.find(_MAGIC)
    path = os.fsencode(table.path)
    if at < 0 or library.find(_MAGIC, at + 1) >= 0:
        raise SensorError("its library is damaged")
    if len(path) >= 1024:
        raise SensorError("the run folder's path is too long")
    _, _, _, _, after_call, _ = _LAYOUT.unpack_from(library, at)
    page = mmap.PAGESIZE
    address = _LOWEST + secrets.randbelow((_HIGHEST - _LOWEST) // page) * page
    session = _LAYOUT.pack(_MAGIC, address, page, len(table.memory), after_call, path)
    return library[:at] + session + library[at + _LAYOUT.size :], address + after_call
