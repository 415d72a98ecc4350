"""What the servers got, whole or as far as it came, for the question whether a secret arrived."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress


class Received:
    """Written by the servers' threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: list[bytes] = []
        self._bodies: defaultdict[str, list[bytes]] = defaultdict(list)

    def add(self, part: bytes) -> None:
        """A request's head, a message, a datagram: something that arrived in one piece."""
        with self._lock:
            self._parts.append(bytes(part))

    def add_request(self, head: bytes, path: str, body: bytes) -> None:
        """A whole request; `path` without its query."""
        with self._lock:
            self._parts += [head, body]
            self._bodies[path].append(body)

    def holds(self, pieces: tuple[bytes, ...]) -> bool:
        """Whether each piece arrived in some part."""
        with self._lock:
            return all(any(piece in part for part in self._parts) for piece in pieces)

    def holds_opened(self, path: str, value: bytes, opened: Callable[[bytes], bytes]) -> bool:
        """Whether a body that was sent to `path`, or below it, holds the value once opened."""
        with self._lock:
            bodies = [body for at, sent in self._bodies.items() if f"{at}/".startswith(f"{path}/") for body in sent]
        for body in bodies:
            with suppress(Exception):  # a body that is not of this form is not the one
                if value in opened(body):
                    return True
        return False
