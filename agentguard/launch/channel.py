"""Messages between the front, the supervisor and the agent-to-be: JSON lines over a socketpair, with descriptors."""

from __future__ import annotations

import json
import socket
from collections import deque
from typing import Any

Message = dict[str, Any]
_MAX_DESCRIPTORS = 4


class Channel:
    """One end. Blocking; a vanished peer is an end of file, never an exception."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self._data = b""
        self._descriptors: deque[int] = deque()

    @staticmethod
    def pair() -> tuple[Channel, Channel]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        return Channel(ours), Channel(theirs)

    def fileno(self) -> int:
        return self.socket.fileno()

    def send(self, message: Message, descriptors: tuple[int, ...] = ()) -> bool:
        """False when the peer has gone."""
        line = json.dumps({**message, "descriptors": len(descriptors)}).encode() + b"\n"
        try:
            if descriptors:
                sent = socket.send_fds(self.socket, [line], list(descriptors))
                self.socket.sendall(line[sent:])
            else:
                self.socket.sendall(line)
        except OSError:
            return False
        return True

    def receive(self) -> tuple[Message, list[int]] | None:
        """The next message and its descriptors; None at the end."""
        while b"\n" not in self._data:
            try:
                data, descriptors, _, _ = socket.recv_fds(self.socket, 65_536, _MAX_DESCRIPTORS)
            except OSError:
                return None
            self._descriptors.extend(descriptors)
            if not data:
                return None
            self._data += data
        line, _, self._data = self._data.partition(b"\n")
        message: Message = json.loads(line)
        return message, [self._descriptors.popleft() for _ in range(message.pop("descriptors"))]

    def pending(self) -> bool:
        """Whether a whole message has already been read from the socket."""
        return b"\n" in self._data

    def close(self) -> None:
        self.socket.close()
