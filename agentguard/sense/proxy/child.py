"""The proxy child's life: read the start message, serve, learn, report; when the supervisor is gone, only pass on.

`agentguard.proxy_child` wires the later stages in and calls `run`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from agentguard.errors import AgentGuardError
from agentguard.model.secret import SecretValue
from agentguard.sense.proxy import layers, wire
from agentguard.sense.proxy.captured import Announced, CapturedConnections
from agentguard.sense.proxy.config import ChildStart, ProxyConfig
from agentguard.sense.proxy.desk import Desk
from agentguard.sense.proxy.doors import Doors
from agentguard.sense.proxy.interface import Guard
from agentguard.sense.proxy.logs import place_of, write_line
from agentguard.sense.proxy.master import Listeners, build_master
from agentguard.sense.proxy.messages import Messages
from agentguard.sense.proxy.names import Names
from agentguard.sense.proxy.outbox import Outbox
from agentguard.sense.proxy.peers import Identifier, Peers
from agentguard.sense.proxy.proctree import SessionTree
from agentguard.sense.proxy.report import Caller
from agentguard.sense.proxy.requests import Requests
from agentguard.sense.proxy.routes import LoopbackDirect, PlainDns, PriorKnowledge, Redirects
from agentguard.sense.proxy.trust import SessionTls

BuildGuard = Callable[[ProxyConfig], Guard]

_SWEEP_SECONDS = 1.0
_ALONE_SWEEP_SECONDS = 0.2
"""Without a supervisor: nobody else says that the session is over."""
_SWITCH_SECONDS = 0.001
"""How soon a thread that scans lets the event loop go on; Python's own 5 ms would be seen between two events."""


def run(link: socket.socket, build: BuildGuard) -> int:
    """Serve until told to stop, or until the session is over. Returns an exit status."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    return asyncio.run(_live(link, build))


async def _live(link: socket.socket, build: BuildGuard) -> int:
    link.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=link, limit=wire.LINE_LIMIT)
    outbox = Outbox(writer)
    try:
        op, body = wire.decode(await reader.readline())
        start = wire.typed(body, ChildStart) if op == "start" else None
        if start is None:
            return 2
        proxy = _Proxy(start, build(start.config), outbox)
    except (AgentGuardError, wire.WireError) as error:  # their texts are written for people, and quote nothing
        outbox.say("failed", str(error))
        await outbox.drain()
        return 2
    except Exception as error:
        where = place_of(error.__traceback__)
        outbox.say("failed", f"the proxy could not be set up: {type(error).__name__} at {where}")
        await outbox.drain()
        raise
    await proxy.serve(reader)
    return 0


class _Proxy:
    def __init__(self, start: ChildStart, guard: Guard, outbox: Outbox) -> None:
        config = start.config
        guard.learn(start.values)
        self._guard = guard
        self._outbox = outbox
        self._peers = _identifier(config)
        self._desk = Desk(guard, outbox.observe)
        self._captured = CapturedConnections()
        self._master = self._build(start)

    def _build(self, start: ChildStart) -> Any:
        config = start.config
        tls = SessionTls(start.ca_key, start.ca_certificate, config.confdir)
        doors = Listeners(_inherited(start.listen_fd), tuple(map(_inherited, start.capture_fds)), self._captured)
        routes: list[object] = [LoopbackDirect(), PlainDns(), PriorKnowledge()]
        if config.redirects:
            routes.append(Redirects(config.redirects))
        messages = Messages(self._desk)
        addons = [
            _Ready(self._outbox),
            Doors(self._desk, self._peers, self._captured, self._spare),
            *routes,
            Names(self._desk),
            Requests(self._desk),
            messages,
        ]
        layers.hold_bodies()
        layers.hold_raw_connections(messages.held)
        layers.see_control_frames(messages.blocks_control_frame)
        layers.leave_out_trailers()
        layers.read_through(self._desk.gates)
        return build_master(config, tls, doors, addons)

    async def serve(self, reader: asyncio.StreamReader) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._master.shutdown)
        gc.freeze()  # what the imports made is never garbage
        gc.enable()
        tasks = [asyncio.create_task(self._listen(reader)), asyncio.create_task(self._sweep())]
        await self._master.run()
        for task in tasks:
            task.cancel()
        self._desk.close()
        self._peers.close()
        self._say_counts()
        self._outbox.say("stopped")
        await self._outbox.drain()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """The supervisor's messages, until it is gone."""
        with contextlib.suppress(OSError, ValueError):
            while line := await reader.readline():
                op, body = wire.decode(line)
                if op == "stop":
                    self._master.shutdown()
                    return
                if op == "captured":
                    self._captured.announce(wire.typed(body, Announced))
                if op == "learn":
                    await self._learn(body)
        self._orphan()

    async def _learn(self, body: object) -> None:
        number, values = wire.typed(body, tuple[int, tuple[SecretValue, ...]])
        await asyncio.get_running_loop().run_in_executor(None, self._guard.learn, values)
        self._outbox.say("learned", number)

    def _spare(self, caller: Caller) -> None:
        """The supervisor is to let this program go there directly: it would never get through here."""
        if caller.process is not None and caller.connect is not None:
            self._outbox.say("spare", (caller.process.exe, caller.connect))

    def _orphan(self) -> None:
        """The agent must not notice: its requests go on, unseen. The supervisor's next start tells of the gap."""
        write_line("the supervisor is gone: passing on")
        self._outbox.closed = True
        self._desk.active = False

    async def _sweep(self) -> None:
        """Remember the session's processes, so that they are still known when a parent of theirs is gone."""
        while True:
            self._say_counts()
            alone = not self._desk.active
            if alone and self._peers.is_empty():
                self._master.shutdown()
                return
            self._peers.remember()
            await asyncio.sleep(_ALONE_SWEEP_SECONDS if alone else _SWEEP_SECONDS)

    def _say_counts(self) -> None:
        counts = self._desk.counts
        self._outbox.say(
            "counts", {"connections": counts.connections, "requests": counts.requests, "lost": counts.lost}
        )


def _inherited(descriptor: int) -> socket.socket:
    listener = socket.socket(fileno=descriptor)
    listener.setblocking(False)
    return listener


def _identifier(config: ProxyConfig) -> Identifier:
    exclude = (*config.exclude, os.getpid())
    if sys.platform.startswith("linux"):
        return Peers(SessionTree(config.roots, exclude), config.uid)
    from agentguard.sense.proxy.psutil_tree import PsutilPeers  # noqa: PLC0415  # Linux does without it

    return PsutilPeers(config.roots, exclude)


class _Ready:
    """mitmproxy calls `running` when it accepts connections."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def running(self) -> None:
        self._outbox.say("ready", os.getpid())
