"""Connections that the supervisor took to us: whose each is, and where it wanted to go.

The supervisor tells it over the socketpair, while the client is still held; but the connection itself may be here
sooner. One that nobody announced is cut off: only programs of the session are brought here, and only by the supervisor.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from mitmproxy import connection, platform
from mitmproxy.proxy import mode_specs

from agentguard.model.process import Confidence, ProcessSnapshot
from agentguard.sense.proxy.report import Caller

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_PATIENCE_SECONDS = 10.0
"""How long an announcement may be under way: behind a lesson of many values, on a machine that is busy."""


@dataclass(frozen=True, slots=True)
class Announced:
    """One captured connection."""

    client: tuple[str, int]
    """The address that it comes from."""
    target: tuple[str, int]
    """The address that it wanted to go to."""
    process: ProcessSnapshot


class CapturedConnections:
    """Used on the event loop only."""

    def __init__(self) -> None:
        self._announced: dict[tuple[str, int], asyncio.Future[Announced]] = {}
        platform.original_addr = self._target  # what mitmproxy would ask netfilter for

    def announce(self, announced: Announced) -> None:
        """It is on its way, or here already."""
        waiting = self._announced.get(announced.client)
        if waiting is None or waiting.done():
            waiting = self._announced[announced.client] = asyncio.get_running_loop().create_future()
        waiting.set_result(announced)

    async def accept(self, serve: Serve, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection once it is known whose it is."""
        client = writer.get_extra_info("peername")[:2]
        waiting = self._announced.setdefault(client, asyncio.get_running_loop().create_future())
        try:
            await asyncio.wait_for(asyncio.shield(waiting), _PATIENCE_SECONDS)
            await serve(reader, writer)
        except TimeoutError:
            writer.transport.abort()
        finally:
            if self._announced.get(client) is waiting:
                del self._announced[client]

    def caller(self, client: connection.Client) -> Caller | None:
        """Whose connection it is; None when it was not captured."""
        if not isinstance(client.proxy_mode, mode_specs.TransparentMode):
            return None
        announced = self._announced[client.peername[:2]].result()
        return Caller(announced.process, Confidence.EXACT_HELD, connect=announced.target, captured=True)

    def _target(self, accepted: socket.socket) -> Any:
        return self._announced[accepted.getpeername()[:2]].result().target
