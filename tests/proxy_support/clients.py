"""Clients through the proxy that decide themselves when which byte is sent: TLS in a CONNECT, HTTP/2, WebSocket."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Sequence

import h2.config
import h2.connection
import h2.events

from proxy_support.servers import GATHER
from proxy_support.session import Guarded

_HANDSHAKE = (
    "GET {target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def tunnel(proxy: Guarded, host: str, port: int = 443) -> socket.socket:
    """A CONNECT that was answered."""
    client = socket.create_connection(("127.0.0.1", proxy.port), 20)
    client.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\n\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(1)
    assert b" 200 " in head
    return client


def secure(proxy: Guarded, host: str, alpn: str = "http/1.1") -> ssl.SSLSocket:
    """TLS in a CONNECT; the session's CA is trusted."""
    context = ssl.create_default_context(cafile=proxy.env["SSL_CERT_FILE"])
    context.set_alpn_protocols([alpn])
    return context.wrap_socket(tunnel(proxy, host), server_hostname=host)


def read_all(client: socket.socket) -> bytes:
    """Until the other side is done, in whatever way."""
    out = b""
    try:
        while data := client.recv(GATHER):
            out += data
    except OSError:
        pass
    return out


def websocket(proxy: Guarded, target: str, host: str) -> tuple[socket.socket, object]:
    """An open WebSocket, and the file its frames come from."""
    client = socket.create_connection(("127.0.0.1", proxy.port), 20)
    key = base64.b64encode(b"k" * 16).decode()
    client.sendall(_HANDSHAKE.format(target=target, host=host, key=key).encode())
    file = client.makefile("rb")
    assert b"101" in file.readline()
    while file.readline().strip():
        pass
    return client, file


class Http2:
    """One connection; `events` is everything that came, in order."""

    def __init__(self, proxy: Guarded, host: str) -> None:
        self._host = host
        self._socket = secure(proxy, host, "h2")
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.events: list[h2.events.Event] = []
        self.flush()

    def __enter__(self) -> Http2:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def begin(self, path: str, *headers: tuple[str, str], method: str = "POST", end: bool = False) -> int:
        """A new stream."""
        stream = self.h2.get_next_available_stream_id()
        head = [(":method", method), (":path", path), (":scheme", "https"), (":authority", self._host), *headers]
        self.h2.send_headers(stream, head, end_stream=end)
        self.flush()
        return stream

    def send(self, stream: int, *pieces: bytes, end: bool = False, trailers: Sequence[tuple[str, str]] = ()) -> None:
        """Each piece in a frame of its own, as flow control lets it."""
        for number, piece in enumerate(pieces):
            last = number == len(pieces) - 1 and end
            while self.h2.local_flow_control_window(stream) < len(piece):
                self.receive()
            self.h2.send_data(stream, piece, end_stream=last)
            self.flush()
        if trailers:
            self.h2.send_headers(stream, list(trailers), end_stream=True)
            self.flush()

    def receive(self) -> bool:
        """Wait for something; whether there will be more."""
        data = self._socket.recv(GATHER)
        self.events += self.h2.receive_data(data)
        self.flush()
        return bool(data)

    def status(self, stream: int) -> str:
        """Of the answer; waits until the stream has ended. "reset" when that is all there is."""
        while not (found := self._ended(stream)):
            if not self.receive():
                return "reset"
        return found

    def data(self, stream: int) -> bytes:
        """What has come so far."""
        return b"".join(
            event.data
            for event in self.events
            if isinstance(event, h2.events.DataReceived) and event.stream_id == stream
        )

    def flush(self) -> None:
        self._socket.sendall(self.h2.data_to_send())

    def _ended(self, stream: int) -> str:
        status = ""
        for event in self.events:
            if getattr(event, "stream_id", None) != stream:
                continue
            if isinstance(event, h2.events.ResponseReceived):
                status = dict(event.headers)[":status"]
            elif isinstance(event, h2.events.StreamReset):
                return "reset"
            elif isinstance(event, h2.events.StreamEnded):
                return status
        return ""
