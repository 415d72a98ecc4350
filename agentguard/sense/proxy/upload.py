"""A request body that is passed on while it arrives: scanned as it goes, off the event loop, and held back where policy
can block until it has been looked at.

An exception in a mitmproxy stream callable loses the chunk and still answers 200, so nothing may escape from here.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from agentguard.model.secret import SecretMatch
from agentguard.sense.proxy.framing import MessageScan
from agentguard.sense.proxy.gates import Gates
from agentguard.sense.proxy.interface import StreamScan

T = TypeVar("T")

HELD_BACK = 8192
"""Bytes kept until more come, so that a secret split between chunks has not half left when it is seen: what the scanner
itself carries over from window to window, in its longest encoding."""
BACKLOG = 1 << 20
"""Bytes that have gone on and are still to be scanned; with more, the client is not read from."""
UNIT = 256 << 10
"""Bytes, or more, scanned at a time of what has gone on already: four scans of a quarter cost half as much again,"""
PATIENCE = 0.004
"""and for that a scan waits, so many seconds at most."""


class Offload(Protocol):
    """`Desk.offload`."""

    async def __call__(self, size: int, work: Callable[[], T], /) -> T: ...


@dataclass(frozen=True, slots=True)
class Lane:
    """Where the scans of a client's bodies run, and what keeps the client from sending faster."""

    client_id: str
    offload: Offload
    gates: Gates


class Upload:
    """`flow.request.stream`: called with each chunk, and with b"" at the end. `take` comes before each call that may
    have to wait, and before the last.
    """

    def __init__(
        self,
        scan: StreamScan | MessageScan,
        lane: Lane,
        on_matches: Callable[[list[SecretMatch], int], str],
        on_failure: Callable[[Exception], None],
        *,
        holds: bool,
    ) -> None:
        """
        Args:
            scan: of this body.
            lane: of its client.
            on_matches: told of new matches and the bytes so far; answers with the rule that stops the request, or "".
            on_failure: told of an error; the rest of the body then passes unscanned.
            holds: let nothing go on that has not been looked at.
        """
        self._scan = scan
        self._on_matches = on_matches
        self._on_failure = on_failure
        self._lane = lane
        self._seen: set[str] = set()
        self._failed = False
        self._held = bytearray()
        self._waiting: list[bytes] = []
        self._backlog = 0
        self._enough = asyncio.Event()
        """A unit has come, or the end."""
        self._behind: asyncio.Task[None] | None = None
        self.holds = holds
        self.size = 0
        """Bytes so far."""
        self.rule = ""
        """What stops the request."""
        self.ended = False
        """Whether all of it has been looked at. A request that turns out to have no body is not streamed at all."""

    @property
    def opaque(self) -> str:
        """Why part of the body could not be read, in words."""
        return self._scan.opaque

    def __call__(self, chunk: bytes) -> list[bytes]:
        """What goes on now."""
        if self.rule:
            return []
        if not self.holds:
            self._follow(chunk)
            return [chunk] if chunk else []
        out = bytes(self._held[: self._clear()])
        del self._held[: len(out)]
        return [out] if out else []

    async def take(self, chunk: bytes) -> None:
        """Scan a chunk before it is called for; or, with b"", the end, and all that is still to be scanned."""
        if self._behind:
            self._enough.set()
            await self._behind
        if self.holds:
            self.size += len(chunk)
            self._held += chunk
        self.ended = not chunk
        with self._lane.gates.closed(self._lane.client_id):
            await self._look(chunk)

    def _clear(self) -> int:
        """How many of the held bytes may go."""
        if self._failed or self.ended:
            return len(self._held)
        clear = self._scan.clear if isinstance(self._scan, MessageScan) else None
        until = self.size - HELD_BACK if clear is None else clear
        return max(0, until - (self.size - len(self._held)))

    def _follow(self, chunk: bytes) -> None:
        """Have a chunk scanned that goes on at once."""
        if not chunk or self._failed:
            return
        self.size += len(chunk)
        self._waiting.append(chunk)
        before, self._backlog = self._backlog, self._backlog + len(chunk)
        if before < UNIT <= self._backlog:
            self._enough.set()
        if before <= BACKLOG < self._backlog:
            self._lane.gates.close(self._lane.client_id)
        if self._behind is None or self._behind.done():
            self._behind = asyncio.get_running_loop().create_task(self._catch_up())

    async def _catch_up(self) -> None:
        while self._waiting:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._enough.wait(), PATIENCE)
            data = b"".join(self._waiting)
            self._waiting.clear()
            await self._look(data)
            before, self._backlog = self._backlog, self._backlog - len(data)
            if self._backlog < UNIT:
                self._enough.clear()
            if self._backlog <= BACKLOG < before:
                self._lane.gates.open(self._lane.client_id)

    async def _look(self, chunk: bytes) -> None:
        if self._failed:
            return
        try:
            work = functools.partial(self._scan.feed, chunk) if chunk else self._scan.finish
            matches = await self._lane.offload(len(chunk), work)
            new = [match for match in matches if match.fingerprint not in self._seen]
            if new:
                self._seen.update(match.fingerprint for match in new)
                self.rule = self._on_matches(new, self.size)
        except Exception as error:  # whatever it is, the body must not be lost
            self._failed = True
            self._on_failure(error)
