"""The bench's loopback servers: HTTP/1.1 with WebSockets, and HTTP/2; each keeps nothing of what it is sent.

`/` answers two bytes, `/bytes/N` N of them, `/events/N` server-sent events that carry their own time of sending.
"""

from __future__ import annotations

import contextlib
import http.server
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import h2.config
import h2.connection
import h2.events
import h2.settings
import wsproto
import wsproto.events

from agentguard.demo.certificates import Authority

HOST = "bench.example"
HOST2 = "bench-h2.example"
"""Speaks HTTP/2 only."""
EVENT_SECONDS = 0.02
PIECE = 1 << 16
WINDOW = (1 << 31) - 1
"""Bytes of HTTP/2 flow control: the server is never what is waited for."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        _, kind, *rest = self.path.split("/")
        if self.headers.get("Upgrade"):
            self._websocket()
        elif kind == "events":
            self._events(int(rest[0]))
        else:
            self._bytes(int(rest[0]) if rest else 2)

    def do_POST(self) -> None:
        left = int(self.headers["Content-Length"])
        while left:
            left -= len(self.rfile.read(min(left, PIECE)))
        self._bytes(2)

    def _bytes(self, count: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(count))
        self.end_headers()
        for at in range(0, count, PIECE):
            self.wfile.write(bytes(min(PIECE, count - at)))

    def _events(self, count: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _ in range(count):
            event = b"data: %r\n\n" % time.monotonic()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            time.sleep(EVENT_SECONDS)
        self.wfile.write(b"0\r\n\r\n")

    def _websocket(self) -> None:
        """Answers each message with its length."""
        peer = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
        peer.initiate_upgrade_connection(
            [(name.encode(), value.encode()) for name, value in self.headers.items()], self.path
        )
        while True:
            for event in peer.events():
                if isinstance(event, wsproto.events.Request):
                    self.connection.sendall(peer.send(wsproto.events.AcceptConnection()))
                elif isinstance(event, wsproto.events.Message) and event.message_finished:
                    self.connection.sendall(peer.send(wsproto.events.TextMessage("ok")))
            data = self.connection.recv(PIECE)
            if not data:
                self.close_connection = True
                return
            peer.receive_data(data)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def _http2(connection: socket.socket) -> None:
    peer = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    peer.local_settings = h2.settings.Settings(
        client=False, initial_values={h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: WINDOW}
    )
    peer.initiate_connection()
    peer.increment_flow_control_window(WINDOW - peer.inbound_flow_control_window)
    paths: dict[int, bytes] = {}
    left: dict[int, int] = {}
    connection.sendall(peer.data_to_send())
    while data := connection.recv(PIECE):
        for event in peer.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                paths[event.stream_id] = dict(event.headers)[b":path"]
            elif isinstance(event, h2.events.DataReceived):
                peer.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                _, _, *rest = paths.pop(event.stream_id).split(b"/")
                left[event.stream_id] = int(rest[0]) if rest else 2
                peer.send_headers(event.stream_id, [(":status", "200")])
        _answer(connection, peer, left)


def _answer(connection: socket.socket, peer: h2.connection.H2Connection, left: dict[int, int]) -> None:
    """As much as flow control lets through."""
    for stream in list(left):
        while left[stream] and (room := min(peer.local_flow_control_window(stream), peer.max_outbound_frame_size)):
            size = min(room, left[stream])
            left[stream] -= size
            peer.send_data(stream, bytes(size), end_stream=not left[stream])
            connection.sendall(peer.data_to_send())
        if not left[stream]:
            del left[stream]
    connection.sendall(peer.data_to_send())


class _Http2Server:
    """One thread a connection."""

    def __init__(self, context: ssl.SSLContext, serve: Callable[[socket.socket], None]) -> None:
        self._context = context
        self._serve = serve
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError), self._context.wrap_socket(connection, server_side=True) as secure:
            self._serve(secure)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class _Http1Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is done resets its connection."""


class Server:
    """Both servers, while it is open."""

    def __init__(self, folder: Path) -> None:
        authority = Authority("bench CA")
        self.ca = folder / "bench-ca.pem"
        self.ca.write_bytes(authority.certificate)
        self._server = _Http1Server(("127.0.0.1", 0), _Handler)
        context = authority.server_context([HOST])
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        context = authority.server_context([HOST2])
        context.set_alpn_protocols(["h2"])
        self._server2 = _Http2Server(context, _http2)
        self.ports = {HOST: int(self._server.server_address[1]), HOST2: self._server2.port}
        """Host name → port on loopback."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server2.close()
