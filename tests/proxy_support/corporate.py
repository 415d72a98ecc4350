"""A company's proxy on loopback: it wants a login, and knows one host, wherever that is asked to be."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from collections.abc import Callable

from proxy_support.servers import Log, Recorded

REFUSED = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"


def corporate(login: str, target: int) -> Callable[[socket.socket, Log], None]:
    """For a `LoopbackServer`.

    Args:
        login: `user:password` that it wants.
        target: loopback port to which every tunnel leads.
    """
    wanted = "Basic " + base64.b64encode(login.encode()).decode()

    def serve(connection: socket.socket, log: Log) -> None:
        head = b""
        while b"\r\n\r\n" not in head and (data := connection.recv(65536)):
            head += data
        lines = head.decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ", 2)
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        log.requests.append(Recorded(method, path, headers, b""))
        if headers.get("proxy-authorization") != wanted:
            connection.sendall(REFUSED)
            return
        with socket.create_connection(("127.0.0.1", target), 20) as server:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(server, connection), daemon=True)
            back.start()
            _pump(connection, server)
            back.join(20)

    return serve


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
