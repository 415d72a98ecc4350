"""Whose socket it is: the kernel's answer, and the same from /proc."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from agentguard.sense.proxy.peers import holder
from agentguard.sense.proxy.sockdiag import SocketTable, owner_from_proc

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sock_diag is Linux's")


def _pair(family: int, address: str) -> tuple[socket.socket, socket.socket]:
    listener_address = "::1" if address == "::1" else "127.0.0.1"
    with socket.create_server(
        (listener_address, 0), family=socket.AF_INET6 if ":" in listener_address else socket.AF_INET
    ) as listener:
        client = socket.socket(family)
        client.connect((address, listener.getsockname()[1]))
        server, _ = listener.accept()
    return client, server


@pytest.mark.parametrize(
    ("family", "address"),
    [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::ffff:127.0.0.1"), (socket.AF_INET6, "::1")],
)
def test_owner_of_a_connection(family: int, address: str) -> None:
    try:
        client, server = _pair(family, address)
    except OSError:
        pytest.skip("no IPv6 here")
    with client, server:
        inode = os.fstat(client.fileno()).st_ino
        near, far = server.getpeername()[:2], server.getsockname()[:2]
        table = SocketTable()
        assert table.owner(near, far) == (inode, os.getuid())
        assert owner_from_proc(near, far) == (inode, os.getuid())
        table.close()  # as where netlink is refused
        assert table.owner(near, far) == (inode, os.getuid())
        assert holder(inode, [os.getpid()]) == (os.getpid(), [])


def test_nobody() -> None:
    table = SocketTable()
    assert table.owner(("127.0.0.1", 1), ("127.0.0.1", 2)) is None
    assert owner_from_proc(("127.0.0.1", 1), ("127.0.0.1", 2)) is None
    assert owner_from_proc(("127.0.0.1", 1), ("127.0.0.1", 2), Path("/nonexistent")) is None
    table.close()


def test_closed_client_has_no_owner() -> None:
    client, server = _pair(socket.AF_INET, "127.0.0.1")
    with server:
        near, far = server.getpeername()[:2], server.getsockname()[:2]
        client.close()
        assert SocketTable().owner(near, far) is None
