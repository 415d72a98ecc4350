"""The filter: which calls of the tree are held for the supervisor. Everything else runs at full speed.

Held: opens that can read (not O_WRONLY, O_DIRECTORY or O_PATH), exec, connect, io_uring_setup, the calls that change
what a path means, sendmsg, sendmmsg, and sendto with an address or with what may be a question to the DNS. openat2 is
always held: its flags lie behind a pointer that a filter cannot follow; so is the name in a sendmsg. x32 is refused
with ENOSYS: nothing uses it, and it would be a way round.

Let pass: openat from the gate (`gate.py`), known by the address of the call.
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass, field

from agentguard.sense.seccomp.abi import (
    ARCH_I386,
    ARCH_X86_64,
    I386_NUMBERS,
    O_PATH,
    RET_ALLOW,
    RET_ERRNO,
    RET_USER_NOTIF,
    X32_BIT,
    Machine,
)

# struct seccomp_data: nr at 0, arch at 4, instruction pointer at 8, arguments (64 bit each) from 16.
_NR, _ARCH, _POINTER, _ARGUMENTS = 0, 4, 8, 16
_LOAD, _JUMP_EQ, _JUMP_GE, _JUMP_SET, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_MSG_NOSIGNAL = 0x4000
_SHORTEST_QUESTION, _LONGEST_QUESTION = 17, 512
"""Bytes: a header, the root's name, type and class; what a resolver sends over UDP."""
_ACCESS_MODE, _WRITE_ONLY = 3, 1
_SOCKETCALLS = (3, 11, 16, 20)
"""connect, sendto, sendmsg, sendmmsg: linux/net.h."""


@dataclass(slots=True)
class _Assembler:
    """Classic BPF with named forward jumps."""

    code: list[tuple[int, int, str, str]] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)

    def emit(self, operation: int, operand: int, if_true: str = "", if_false: str = "") -> None:
        self.code.append((operation, operand, if_true, if_false))

    def label(self, name: str) -> None:
        self.labels[name] = len(self.code)

    def build(self) -> bytes:
        def distance(index: int, name: str) -> int:
            return self.labels[name] - index - 1 if name else 0

        return b"".join(
            struct.pack("=HBBI", operation, distance(index, yes), distance(index, no), operand)
            for index, (operation, operand, yes, no) in enumerate(self.code)
        )


def argument_offset(index: int) -> int:
    """Offset of the low word of an argument (little endian)."""
    return _ARGUMENTS + 8 * index


def build_filter(machine: Machine, gate: int | None = None) -> bytes:
    """The program as an array of `struct sock_filter` (8 bytes each).

    `gate` is the address that follows the gate's call; None: there is no gate.
    """
    asm = _Assembler()
    numbers = machine.numbers
    asm.emit(_LOAD, _ARCH)
    asm.emit(_JUMP_EQ, machine.arch, "", "foreign")
    asm.emit(_LOAD, _NR)
    if machine.arch == ARCH_X86_64:
        asm.emit(_JUMP_GE, X32_BIT, "refuse")
    flag_checked = {"open": "open-flags", "openat": "openat", "sendto": "sendto-address"}
    for name, number in numbers.items():
        asm.emit(_JUMP_EQ, number, flag_checked.get(name, "notify"))
    asm.emit(_RETURN, RET_ALLOW)
    if "open" in numbers:
        _open_flags(asm, "open-flags", 1, machine)
    asm.label("openat")
    if gate is not None:  # Architecture and number have been compared: nothing but openat passes there.
        _at_address(asm, gate)
    _open_flags(asm, "openat-flags", 2, machine)
    asm.label("sendto-address")
    _if_not_null(asm, 4)
    _if_lookup(asm)
    asm.label("foreign")
    if machine.arch == ARCH_X86_64:
        _i386(asm)
    else:
        asm.emit(_RETURN, RET_ALLOW)
    asm.label("notify")
    asm.emit(_RETURN, RET_USER_NOTIF)
    asm.label("allow")
    asm.emit(_RETURN, RET_ALLOW)
    asm.label("refuse")
    asm.emit(_RETURN, RET_ERRNO | errno.ENOSYS)
    return asm.build()


def _at_address(asm: _Assembler, address: int) -> None:
    """Allow the call when it was made there; go on when not."""
    asm.emit(_LOAD, _POINTER)
    asm.emit(_JUMP_EQ, address & 0xFFFFFFFF, "", "openat-flags")
    asm.emit(_LOAD, _POINTER + 4)
    asm.emit(_JUMP_EQ, address >> 32, "allow", "openat-flags")


def _open_flags(asm: _Assembler, label: str, argument: int, machine: Machine) -> None:
    asm.label(label)
    asm.emit(_LOAD, argument_offset(argument))
    asm.emit(_JUMP_SET, machine.o_directory | O_PATH, "allow")
    asm.emit(_AND, _ACCESS_MODE)
    asm.emit(_JUMP_EQ, _WRITE_ONLY, "allow", "notify")


def _if_not_null(asm: _Assembler, argument: int) -> None:
    asm.emit(_LOAD, argument_offset(argument))
    asm.emit(_JUMP_EQ, 0, "", "notify")
    asm.emit(_LOAD, argument_offset(argument) + 4)
    asm.emit(_JUMP_EQ, 0, "", "notify")


def _if_lookup(asm: _Assembler) -> None:
    """What looks like glibc's send() of one question, of which the loop asks whether it is; else allow."""
    asm.emit(_LOAD, argument_offset(3))
    asm.emit(_JUMP_EQ, _MSG_NOSIGNAL, "", "allow")
    asm.emit(_LOAD, argument_offset(2))
    asm.emit(_JUMP_GE, _SHORTEST_QUESTION, "", "allow")
    asm.emit(_JUMP_GE, _LONGEST_QUESTION + 1, "allow", "notify")


def _i386(asm: _Assembler) -> None:
    asm.emit(_JUMP_EQ, ARCH_I386, "", "refuse")
    asm.emit(_LOAD, _NR)
    for name, number in I386_NUMBERS.items():
        asm.emit(_JUMP_EQ, number, "socketcall" if name == "socketcall" else "notify")
    asm.emit(_RETURN, RET_ALLOW)
    asm.label("socketcall")
    asm.emit(_LOAD, argument_offset(0))
    for number in _SOCKETCALLS:
        asm.emit(_JUMP_EQ, number, "notify")
    asm.emit(_RETURN, RET_ALLOW)
