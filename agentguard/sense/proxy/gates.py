"""Backpressure: who sends faster than can be scanned is not read from meanwhile, so that memory stays bounded.

mitmproxy reads on while a layer waits for a hook, and keeps what comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Gates:
    """One for all clients. Used on the event loop only."""

    def __init__(self) -> None:
        self._closed: dict[str, int] = {}
        """Client → how many reasons there are not to read from it."""
        self._opened = asyncio.Event()

    def close(self, client_id: str) -> None:
        """Read no more from a client until `open` was called as often."""
        self._closed[client_id] = self._closed.get(client_id, 0) + 1

    def open(self, client_id: str) -> None:
        """The reason is gone."""
        left = self._closed.pop(client_id) - 1
        if left:
            self._closed[client_id] = left
            return
        self._opened.set()
        self._opened = asyncio.Event()

    @contextmanager
    def closed(self, client_id: str) -> Iterator[None]:
        """While something of the client's is being scanned."""
        self.close(client_id)
        try:
            yield
        finally:
            self.open(client_id)

    async def passage(self, client_id: str) -> None:
        """Until the client may be read from."""
        while client_id in self._closed:
            await self._opened.wait()
