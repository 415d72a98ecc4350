"""The supervisor's side of capture: the listeners to which connections are taken, and who is let go."""

from __future__ import annotations

import contextlib
import socket

_BACKLOG = 4096
"""As far as net.core.somaxconn allows. A blocking client waits in connect() when it is full."""
_MAX_SPARED = 4096


class CaptureDoors:
    """Kept over a restart of the child. `address`, `spares` and `spare` may be used from several threads."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted
        self._listeners: dict[int, socket.socket] = {}
        self._spared: set[tuple[str, tuple[str, int]]] = set()

    def open(self) -> None:
        """Raises OSError when there is no loopback to listen on. IPv6 is left out where the machine has none."""
        if not self._wanted:
            return
        self._listeners[socket.AF_INET] = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        with contextlib.suppress(OSError):
            six = socket.create_server(("::1", 0), family=socket.AF_INET6, backlog=_BACKLOG)
            self._listeners[socket.AF_INET6] = six

    def descriptors(self) -> tuple[int, ...]:
        return tuple(listener.fileno() for listener in self._listeners.values())

    def address(self, family: int) -> tuple[str, int] | None:
        """None where there is none of this family."""
        listener = self._listeners.get(family)
        if listener is None:
            return None
        host, port = listener.getsockname()[:2]
        return host, port

    def spare(self, program: str, target: tuple[str, int]) -> None:
        """Let this program go there directly from now on: it would never accept our certificate."""
        if len(self._spared) < _MAX_SPARED:
            self._spared.add((program, target))

    def spares(self, program: str, target: tuple[str, int]) -> bool:
        return (program, target) in self._spared

    def close(self) -> None:
        for listener in self._listeners.values():
            listener.close()
