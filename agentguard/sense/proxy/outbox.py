"""The child's way to the supervisor: lines over a socketpair, dropped and counted when nobody takes them."""

from __future__ import annotations

import asyncio

from agentguard.model.observation import GapType
from agentguard.sense.proxy.gaps import proxy_gap
from agentguard.sense.proxy.wire import Seen, encode, encode_observation

_FULL = 32 << 20
"""Bytes waiting in memory; a supervisor so far behind has stopped reading."""


class Outbox:
    """On the event loop only."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._lost = 0
        self.closed = False

    def observe(self, observation: Seen) -> None:
        if self.closed:
            return
        if self._writer.transport.get_write_buffer_size() > _FULL:
            self._lost += 1
            return
        if self._lost:
            detail = f"{self._lost} observations were dropped: the supervisor did not take them"
            self._lost = 0
            self._writer.write(encode_observation(proxy_gap(GapType.EVENTS_LOST, detail)))
        self._writer.write(encode_observation(observation))

    def say(self, op: str, body: object = None) -> None:
        if not self.closed:
            self._writer.write(encode(op, body))

    async def drain(self, seconds: float = 2.0) -> None:
        """Give what was written a moment to arrive."""
        if self.closed:
            return
        try:
            await asyncio.wait_for(self._writer.drain(), seconds)
        except (TimeoutError, OSError):
            self.closed = True
