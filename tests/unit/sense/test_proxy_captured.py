"""Captured connections in the child: served once it is known whose they are, and never for a stranger."""

from __future__ import annotations

import asyncio
import socket

import pytest

from agentguard.model.process import ProcessSnapshot
from agentguard.sense.proxy import captured
from agentguard.sense.proxy.capture_doors import CaptureDoors
from agentguard.sense.proxy.captured import Announced, CapturedConnections

PROCESS = ProcessSnapshot(pid=7, exe="/usr/bin/curl")
TARGET = ("203.0.113.9", 443)


async def _meet(announce: str) -> tuple[bytes, object]:
    """What a client got, and where it is said to have wanted to go."""
    connections = CapturedConnections()
    goals: list[object] = []

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        goals.append(connections._target(writer.get_extra_info("socket")))
        writer.write(b"hello")
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await connections.accept(serve, reader, writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    client = socket.socket()
    client.bind(("127.0.0.1", 0))
    announced = Announced(client.getsockname(), TARGET, PROCESS)
    if announce == "before":
        connections.announce(announced)
    client.setblocking(False)
    await asyncio.get_running_loop().sock_connect(client, server.sockets[0].getsockname())
    if announce == "after":
        await asyncio.sleep(0.05)
        connections.announce(announced)
    got = await asyncio.get_running_loop().sock_recv(client, 10)
    client.close()
    server.close()
    assert not connections._announced, "nothing is kept of a connection that is over"
    return got, goals


@pytest.mark.parametrize("announce", ["before", "after"])
def test_a_connection_is_served_when_it_is_known_whose_it_is(announce: str) -> None:
    assert asyncio.run(_meet(announce)) == (b"hello", [TARGET])


def test_one_that_nobody_announced_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captured, "_PATIENCE_SECONDS", 0.1)
    assert asyncio.run(_meet("never")) == (b"", [])


def test_doors_are_open_only_where_they_are_wanted() -> None:
    closed = CaptureDoors(wanted=False)
    closed.open()
    assert (closed.descriptors(), closed.address(socket.AF_INET)) == ((), None)
    doors = CaptureDoors(wanted=True)
    doors.open()
    address = doors.address(socket.AF_INET)
    assert address is not None
    socket.create_connection(address).close()
    doors.spare("/usr/bin/kubectl", TARGET)
    assert doors.spares("/usr/bin/kubectl", TARGET)
    assert not doors.spares("/usr/bin/curl", TARGET)
    doors.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
