"""The proxy keeps nothing of what passes, where it holds back too and where it scans slower than a client sends."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from proxy_support.clients import secure, tunnel, websocket
from proxy_support.servers import GATHER, Log, LoopbackServer, frame, http1, read_frame
from proxy_support.session import HOST, Guarded, World, block_policy, guarded

pytestmark = pytest.mark.slow

MEGABYTE = 1 << 20
BODY = 80
"""Megabytes."""
GROWTH = 16
"""Megabytes more than before, at most; a scan of its own needs a few."""
LINE = b"an ordinary line of text, of which there are many\n"
PIECE = (LINE * (MEGABYTE // len(LINE) + 1))[:MEGABYTE]
SLOW = bytes(MEGABYTE)
"""It is scanned slower than it is sent."""


def swallow(connection: socket.socket, log: Log) -> None:
    """Counts what comes, keeps none of it, and answers when that is all."""
    left = BODY * MEGABYTE
    while left > 0 and (data := connection.recv(GATHER)):
        left -= len(data)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    while connection.recv(GATHER):
        pass


@contextmanager
def _ground(folder: Path, blocks: bool) -> Iterator[Guarded]:
    world = World(folder)
    with LoopbackServer(swallow, world.tls()) as server, pytest.MonkeyPatch.context() as patch:
        redirects = {HOST: ("127.0.0.1", server.port)}
        home = block_policy(folder) if blocks else None
        with guarded(folder, patch, redirects=redirects, upstream_ca=str(world.ca), home=home) as proxy:
            yield proxy


def _megabytes(proxy: Guarded) -> float:
    return float(psutil.Process(proxy.sensor.pid).memory_info().rss) / MEGABYTE


def _highest(proxy: Guarded, steps: int, step: Callable[[], object]) -> float:
    highest = 0.0
    for _ in range(steps):
        step()
        highest = max(highest, _megabytes(proxy))
    return highest


@pytest.mark.parametrize("blocks", [False, True], ids=["followed", "held back"])
def test_long_body(tmp_path: Path, blocks: bool) -> None:
    piece = PIECE if blocks else SLOW
    with _ground(tmp_path, blocks) as proxy, secure(proxy, HOST) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n" % (HOST.encode(), BODY * MEGABYTE))
        client.sendall(piece)
        before = _megabytes(proxy)
        highest = _highest(proxy, BODY - 1, lambda: client.sendall(piece))
        assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        assert highest - before < GROWTH
        assert not proxy.gaps()


@pytest.mark.parametrize("blocks", [False, True], ids=["followed", "held back"])
def test_raw_connection(tmp_path: Path, blocks: bool) -> None:
    with (
        _ground(tmp_path, blocks) as proxy,
        LoopbackServer(swallow) as server,
        tunnel(proxy, "127.0.0.1", server.port) as client,
    ):
        client.sendall(b"\0\1 no protocol\n" + PIECE)
        before = _megabytes(proxy)
        assert _highest(proxy, BODY, lambda: client.sendall(PIECE)) - before < GROWTH
        assert client.recv(100)


def test_messages_of_a_websocket(tmp_path: Path) -> None:
    with _ground(tmp_path, blocks=False) as proxy, LoopbackServer(http1) as server:
        client, file = websocket(proxy, f"http://127.0.0.1:{server.port}/ws", "127.0.0.1")
        message = frame(PIECE[:100_000], masked=True)

        def exchange() -> None:
            client.sendall(message)
            assert read_frame(file) == b"100000"

        with client:
            exchange()
            before = _megabytes(proxy)
            assert _highest(proxy, 250, exchange) - before < GROWTH
