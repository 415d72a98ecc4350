"""What a held sendto, sendmsg or sendmmsg sends, as it lies in its caller's memory."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from agentguard.sense.seccomp.addresses import MAX_SOCKADDR
from agentguard.sense.seccomp.memory import CallerMemory

_MAX_VECTORS = 64
_MAX_MESSAGES = 64
"""Of one sendmmsg that are looked at; the kernel takes up to 1024 (UIO_MAXIOV)."""
_SOCKETCALLS = {11: ("sendto", 6), 16: ("sendmsg", 3), 20: ("sendmmsg", 4)}
"""linux/net.h: number, name, how many arguments."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message."""

    sockaddr: bytes
    """Its receiver; b"" for the one that the socket is connected to."""
    parts: tuple[tuple[int, int], ...]
    """Address and length of each."""

    def payload(self, memory: CallerMemory, tid: int, limit: int) -> bytes:
        """Its first `limit` bytes, as far as they can be read."""
        found = bytearray()
        for address, length in self.parts:
            chunk = memory.read(tid, address, min(length, limit - len(found)))
            found += chunk
            if len(chunk) < length:
                break
        return bytes(found)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One call."""

    descriptor: int
    flags: int
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class _Layout:
    """Of struct msghdr, for pointers of one width."""

    header: struct.Struct
    """name, its length, parts, their count; then what we do not need."""
    stride: int
    """sizeof(struct mmsghdr)."""
    part: struct.Struct
    """struct iovec"""


_WIDE = _Layout(struct.Struct("=QI4xQQ"), 64, struct.Struct("=QQ"))
_NARROW = _Layout(struct.Struct("=IIII"), 32, struct.Struct("=II"))


def outgoing(memory: CallerMemory, tid: int, name: str, arguments: Sequence[int], wide: bool) -> Outgoing | None:
    """None when it cannot be read, or sends nothing that we know."""
    if name == "socketcall":
        known = _SOCKETCALLS.get(arguments[0])
        if known is None:
            return None
        name, count = known
        block = memory.read(tid, arguments[1], 4 * count)
        if len(block) < 4 * count:
            return None
        arguments = struct.unpack(f"={count}I", block)
    layout = _WIDE if wide else _NARROW
    if name == "sendto":
        descriptor, pointer, length, flags, address, size = arguments[:6]
        receiver = memory.read(tid, address, min(size, MAX_SOCKADDR)) if address else b""
        return Outgoing(descriptor, flags, (Message(receiver, ((pointer, length),)),))
    if name == "sendmsg":
        descriptor, header, flags = arguments[:3]
        return Outgoing(descriptor, flags, _messages(memory, tid, header, 1, layout))
    descriptor, header, count, flags = arguments[:4]
    return Outgoing(descriptor, flags, _messages(memory, tid, header, min(count, _MAX_MESSAGES), layout))


def _messages(memory: CallerMemory, tid: int, at: int, count: int, layout: _Layout) -> tuple[Message, ...]:
    size = layout.header.size
    block = memory.read(tid, at, layout.stride * (count - 1) + size)
    found = []
    for start in range(0, len(block) - size + 1, layout.stride):
        name, length, parts, number = layout.header.unpack_from(block, start)
        receiver = memory.read(tid, name, min(length, MAX_SOCKADDR)) if name else b""
        vectors = memory.read(tid, parts, layout.part.size * min(number, _MAX_VECTORS))
        whole = len(vectors) - len(vectors) % layout.part.size
        found.append(Message(receiver, tuple(layout.part.iter_unpack(vectors[:whole]))))
    return tuple(found)
