"""Servers on loopback that keep what they were sent: HTTP/1.1, HTTP/2, WebSocket, raw TCP."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events

GATHER = 65536
SSE_EVENTS = 5
SSE_PAUSE = 0.2
CONTINUATION, TEXT, CLOSE, PING = 0, 1, 8, 9
"""Opcodes of RFC 6455."""
_WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass
class Recorded:
    """A request as the server got it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Log:
    """Everything a server got."""

    requests: list[Recorded] = field(default_factory=list)
    raw: bytearray = field(default_factory=bytearray)

    def holds(self, needle: bytes) -> bool:
        return needle in bytes(self.raw)

    def clear(self) -> None:
        """For the next test of several that share a server."""
        self.requests.clear()
        self.raw.clear()


class LoopbackServer:
    """One thread a connection; `serve(connection, log)` speaks the protocol."""

    def __init__(self, serve: Callable[[socket.socket, Log], None], context: ssl.SSLContext | None = None) -> None:
        self.log = Log()
        self._serve = serve
        self._context = context
        self._open: set[socket.socket] = set()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> LoopbackServer:
        return self

    def __exit__(self, *_: object) -> None:
        # A close alone leaves the thread in accept(); restarted after a signal, it would serve whoever got the number.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._socket.close()
        for connection in list(self._open):
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(30)
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            self._open.add(connection)
            self._serve(connection, self.log)
        except (OSError, ValueError):
            pass
        finally:
            self._open.discard(connection)
            connection.close()


def http1(connection: socket.socket, log: Log) -> None:
    """Answers 200; `/events` with server-sent events, the first at once; `/ws` by becoming a WebSocket."""
    with connection.makefile("rb") as file:
        while (request := _read_request(file, log)) is not None:
            log.requests.append(request)
            if request.path.startswith("/events"):
                _send_events(connection)
            elif request.headers.get("upgrade", "").lower() == "websocket":
                _websocket(connection, file, request, log)
                return
            else:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")


def http2(connection: socket.socket, log: Log) -> None:
    """One answer a stream; gRPC gets a message for each piece of data, at once."""
    conn = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
    conn.initiate_connection()
    connection.sendall(conn.data_to_send())
    streams: dict[int, Recorded] = {}
    while data := connection.recv(GATHER):
        for event in conn.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                headers = dict(event.headers)
                streams[event.stream_id] = Recorded(headers[":method"], headers[":path"], headers, b"")
                log.raw += repr(headers).encode()
                if _is_grpc(streams[event.stream_id]):
                    conn.send_headers(event.stream_id, [(":status", "200"), ("content-type", "application/grpc")])
            elif isinstance(event, h2.events.TrailersReceived):
                log.raw += repr(dict(event.headers)).encode()
            elif isinstance(event, h2.events.DataReceived):
                streams[event.stream_id].body += event.data
                log.raw += event.data
                conn.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if _is_grpc(streams[event.stream_id]):
                    conn.send_data(event.stream_id, b"\0\0\0\0\2ok")
            elif isinstance(event, h2.events.StreamEnded):
                log.requests.append(streams.pop(event.stream_id))
                if _is_grpc(log.requests[-1]):
                    conn.send_headers(event.stream_id, [("grpc-status", "0")], end_stream=True)
                    continue
                conn.send_headers(event.stream_id, [(":status", "200"), ("content-length", "3")])
                conn.send_data(event.stream_id, b"ok\n", end_stream=True)
        connection.sendall(conn.data_to_send())


def _is_grpc(request: Recorded) -> bool:
    return request.headers.get("content-type", "").startswith("application/grpc")


def raw(connection: socket.socket, log: Log) -> None:
    """Greets, then keeps and acknowledges what comes."""
    connection.sendall(b"+HELLO\n")
    while data := connection.recv(GATHER):
        log.raw += data
        connection.sendall(b"+OK\n")


def _read_request(file: object, log: Log) -> Recorded | None:
    line = file.readline()  # type: ignore[attr-defined]
    if not line.strip():
        return None
    log.raw += line
    method, path, _ = line.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while (line := file.readline()).strip():  # type: ignore[attr-defined]
        log.raw += line
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return Recorded(method, path, headers, _read_body(file, headers, log))


def _read_body(file: object, headers: dict[str, str], log: Log) -> bytes:
    """Each part is logged as it comes: an aborted upload leaves what had arrived."""
    body = b""
    if "chunked" in headers.get("transfer-encoding", ""):
        while size := int(file.readline().split(b";")[0] or b"0", 16):  # type: ignore[attr-defined]
            part = file.read(size)  # type: ignore[attr-defined]
            log.raw += part
            body += part
            file.readline()  # type: ignore[attr-defined]
        file.readline()  # type: ignore[attr-defined]
        return body
    left = int(headers.get("content-length", "0"))
    while left and (part := file.read1(min(left, GATHER))):  # type: ignore[attr-defined]
        log.raw += part
        body += part
        left -= len(part)
    return body


def _send_events(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    for number in range(SSE_EVENTS):
        if number:
            time.sleep(SSE_PAUSE)
        event = b"data: %d\n\n" % number
        connection.sendall(b"%x\r\n%s\r\n" % (len(event), event))
    connection.sendall(b"0\r\n\r\n")


def _websocket(connection: socket.socket, file: object, request: Recorded, log: Log) -> None:
    """Keeps the payload of each message and answers it with its length."""
    key = request.headers["sec-websocket-key"].encode()
    accept = base64.b64encode(hashlib.sha1(key + _WEBSOCKET_GUID).digest())
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
    connection.sendall(head + accept + b"\r\n\r\n")
    while head := file.read(2):  # type: ignore[attr-defined]
        payload = _payload(file, head)
        log.raw += payload
        if head[0] & 0x0F == CLOSE:
            return
        connection.sendall(frame(b"%d" % len(payload), masked=False))


def read_frame(file: object) -> bytes | None:
    """The payload of a text or binary frame; None at a close frame or the end."""
    head = file.read(2)  # type: ignore[attr-defined]
    return None if len(head) < 2 or head[0] & 0x0F == CLOSE else _payload(file, head)


def _payload(file: object, head: bytes) -> bytes:
    size = head[1] & 0x7F
    if size == 126:
        size = struct.unpack("!H", file.read(2))[0]  # type: ignore[attr-defined]
    elif size == 127:
        size = struct.unpack("!Q", file.read(8))[0]  # type: ignore[attr-defined]
    mask = file.read(4) if head[1] & 0x80 else b"\0\0\0\0"  # type: ignore[attr-defined]
    data: bytes = file.read(size)  # type: ignore[attr-defined]
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(data)) if any(mask) else data


def frame(payload: bytes, *, masked: bool, opcode: int = TEXT, final: bool = True) -> bytes:
    """The mask is zero: what is tested does not depend on it."""
    first = opcode | (0x80 if final else 0)
    bit = 0x80 if masked else 0
    if len(payload) < 126:
        head = struct.pack("!BB", first, bit | len(payload))
    elif len(payload) < 1 << 16:
        head = struct.pack("!BBH", first, bit | 126, len(payload))
    else:
        head = struct.pack("!BBQ", first, bit | 127, len(payload))
    return head + (b"\0\0\0\0" if masked else b"") + payload
