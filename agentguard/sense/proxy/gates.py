"""Backpressure: who sends faster than can be scanned is not read from meanwhile, so that memory stays bounded.

mitmproxy reads on while a layer waits for a hook, and keeps what comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

_TURNS = 5
"""Turns of the event loop, in which the hook of a piece that has come begins. Without them a client whose pieces lie
here already gets in two for each that is looked at."""


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

    async def passage(self, client_id: str, *, hasty: bool = False) -> None:
        """Until the client may be read from: nothing of it is being scanned, nor waits to be.

        Args:
            hasty: more of it lies here already, and would be taken before the loop turns.
        """
        while hasty or client_id in self._closed:
            while client_id in self._closed:
                await self._opened.wait()
            hasty = False
            for _ in range(_TURNS):
                await asyncio.sleep(0)
