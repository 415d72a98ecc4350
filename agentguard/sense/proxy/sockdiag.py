"""Whose socket is at the other end of a TCP connection on this machine: its inode and its user.

netlink sock_diag answers for one exact connection in about 30 µs; `/proc/net/tcp` must be read whole.
"""

from __future__ import annotations

import ipaddress
import itertools
import socket
import struct
from pathlib import Path
from typing import NamedTuple

Address = tuple[str, int]

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST = 1
_NO_COOKIE = 0xFFFFFFFF
_ALL_STATES = 0xFFFFFFFF
_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port id
_QUERY = struct.Struct("=BBBBI")  # inet_diag_req_v2: family, protocol, ext, pad, states; an inet_diag_sockid follows
_SOCKET_ID = struct.Struct("!HH16s16s")
_ID_TAIL = struct.Struct("=III")  # interface, cookie
_OWNER = struct.Struct("=II")  # inet_diag_msg.idiag_uid, idiag_inode
_OWNER_OFFSET = _HEADER.size + 4 + 48 + 4 + 8  # after family.., sockid, expires, rqueue + wqueue
_MAPPED = b"\0" * 10 + b"\xff\xff"


class Owner(NamedTuple):
    inode: int
    """0 when no process holds the socket any more."""
    uid: int


class SocketTable:
    """Asks the kernel; keeps its netlink socket. For one thread."""

    def __init__(self) -> None:
        self._sequence = itertools.count(1)
        self._netlink: socket.socket | None = None
        try:
            self._netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG)
            self._netlink.settimeout(0.2)
        except (OSError, AttributeError):
            self._netlink = None

    def owner(self, local: Address, remote: Address) -> Owner | None:
        """The socket whose own end is `local` and whose peer is `remote`; None when there is none."""
        if self._netlink is not None:
            try:
                return self._ask(local, remote)
            except OSError:
                self.close()
        return owner_from_proc(local, remote)

    def listens(self, address: Address) -> bool:
        """Whether a connection to this address of ours would be taken. True when the kernel does not say."""
        if self._netlink is None:
            return True
        nobody = "::1" if ":" in address[0] else "127.0.0.1"
        try:
            return self._ask(address, (nobody, 0)) is not None
        except OSError:
            self.close()
            return True

    def close(self) -> None:
        if self._netlink is not None:
            self._netlink.close()
            self._netlink = None

    def _ask(self, local: Address, remote: Address) -> Owner | None:
        for family, source, target in _forms(local[0], remote[0]):
            answer = self._exchange(family, _SOCKET_ID.pack(local[1], remote[1], source, target))
            if answer is not None and answer.inode:
                return answer
        return None

    def _exchange(self, family: int, socket_id: bytes) -> Owner | None:
        netlink = self._netlink
        assert netlink is not None
        number = next(self._sequence) & 0xFFFFFFFF
        body = _QUERY.pack(family, socket.IPPROTO_TCP, 0, 0, _ALL_STATES) + socket_id
        body += _ID_TAIL.pack(0, _NO_COOKIE, _NO_COOKIE)
        header = _HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, number, 0)
        netlink.send(header + body)
        while True:
            reply = netlink.recv(4096)
            _, kind, _, answered, _ = _HEADER.unpack_from(reply)
            if answered == number:  # a late answer to an earlier question that timed out is skipped
                break
        if kind != _SOCK_DIAG_BY_FAMILY:
            return None
        uid, inode = _OWNER.unpack_from(reply, _OWNER_OFFSET)
        return Owner(inode, uid)


def owner_from_proc(local: Address, remote: Address, folder: Path = Path("/proc/net")) -> Owner | None:
    """The same from `/proc/net/tcp` and `tcp6`, where netlink is not allowed."""
    wanted = {(_hex(source, local[1]), _hex(target, remote[1])) for _, source, target in _forms(local[0], remote[0])}
    for name in ("tcp", "tcp6"):
        try:
            lines = (folder / name).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            columns = line.split()
            if (columns[1], columns[2]) in wanted and columns[9] != "0":
                return Owner(int(columns[9]), int(columns[7]))
    return None


def _forms(source: str, target: str) -> list[tuple[int, bytes, bytes]]:
    """Family and addresses to try: an IPv6 socket may carry an IPv4 connection."""
    near, far = _address(source), _address(target)
    if near.version == 6 or far.version == 6:
        return [(socket.AF_INET6, near.packed, far.packed)]
    return [
        (socket.AF_INET, near.packed.ljust(16, b"\0"), far.packed.ljust(16, b"\0")),
        (socket.AF_INET6, _MAPPED + near.packed, _MAPPED + far.packed),
    ]


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def _hex(packed: bytes, port: int) -> str:
    """As `/proc/net/tcp` prints it: 32-bit words in host order, and the port. IPv4 is padded to 16 bytes here."""
    if packed[4:] == b"\0" * 12:
        packed = packed[:4]
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"
