"""The other side of each protocol, on the libraries that servers use: what a client sent is kept, whatever it was."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

import h2.config
import h2.connection
import h2.events
import h11
import wsproto
from wsproto import events as ws
from wsproto.extensions import PerMessageDeflate

from evasion.sends.received import Received

GATHER = 65536
_OK = b"ok\n"
_GIT_BACKEND = "git", "http-backend"


def http1(connection: socket.socket, received: Received) -> None:
    """Answers 200 to any method and path, one after the other; trailers are part of what arrived."""
    conn = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    head, path, body = b"", "", bytearray()
    while True:
        event = conn.next_event()
        if event is h11.NEED_DATA:
            if conn.they_are_waiting_for_100_continue:
                connection.sendall(conn.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
            conn.receive_data(connection.recv(GATHER))
        elif isinstance(event, h11.Request):
            head, body = _head(event.method, event.target, event.headers), bytearray()
            path = urlsplit(event.target.decode("latin-1")).path
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            received.add_request(head + _lines(event.headers), path, bytes(body))
            answer = h11.Response(status_code=200, headers=[("content-length", str(len(_OK)))])
            for part in (answer, h11.Data(data=_OK), h11.EndOfMessage()):
                connection.sendall(conn.send(part) or b"")
            if conn.our_state is not h11.DONE:
                return
            conn.start_next_cycle()
        else:
            return


def http2(connection: socket.socket, received: Received) -> None:
    """Answers 200 to each stream; trailers are part of what arrived."""
    conn = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
    conn.initiate_connection()
    connection.sendall(conn.data_to_send())
    heads: dict[int, bytes] = {}
    paths: dict[int, str] = {}
    bodies: dict[int, bytearray] = {}
    while data := connection.recv(GATHER):
        for event in conn.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                heads[event.stream_id], bodies[event.stream_id] = _lines(event.headers), bytearray()
                paths[event.stream_id] = dict(event.headers)[b":path"].decode("latin-1").partition("?")[0]
            elif isinstance(event, h2.events.DataReceived):
                bodies[event.stream_id] += event.data
                conn.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.TrailersReceived):
                heads[event.stream_id] += _lines(event.headers)
            elif isinstance(event, h2.events.StreamEnded):
                stream = event.stream_id
                received.add_request(heads.pop(stream), paths.pop(stream), bytes(bodies.pop(stream)))
                conn.send_headers(stream, [(":status", "200"), ("content-length", str(len(_OK)))])
                conn.send_data(stream, _OK, end_stream=True)
        connection.sendall(conn.data_to_send())


def websocket(connection: socket.socket, received: Received) -> None:
    """Takes what it is sent, compressed messages too, and answers each message with its size."""
    conn = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
    message = bytearray()
    while data := connection.recv(GATHER):
        conn.receive_data(data)
        for event in conn.events():
            if isinstance(event, ws.Request):
                accept = ws.AcceptConnection(extensions=[PerMessageDeflate()])
                connection.sendall(conn.send(accept))
            elif isinstance(event, ws.Message):
                message += event.data.encode() if isinstance(event.data, str) else event.data
                if event.message_finished:
                    received.add(bytes(message))
                    connection.sendall(conn.send(ws.TextMessage(data=str(len(message)))))
                    message.clear()
            elif isinstance(event, ws.Ping):
                received.add(bytes(event.payload))
                connection.sendall(conn.send(event.response()))
            elif isinstance(event, ws.CloseConnection):
                received.add((event.reason or "").encode())
                connection.sendall(conn.send(event.response()))
                return


def raw(connection: socket.socket, received: Received) -> None:
    """Greets, then keeps what comes up to its end."""
    connection.sendall(b"+HELLO\n")
    whole = bytearray()
    try:
        while data := connection.recv(GATHER):
            whole += data
            connection.sendall(b"+OK\n")
    finally:
        received.add(bytes(whole))


class GitServer:
    """`git push` over HTTP to repositories below a folder, served by git's own CGI program.

    What is below `/private/` it gives to nobody without a login, whatever that is.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, connection: socket.socket, received: Received) -> None:
        conn = h11.Connection(h11.SERVER)
        request, body = None, bytearray()
        while True:
            event = conn.next_event()
            if event is h11.NEED_DATA:
                conn.receive_data(connection.recv(GATHER))
            elif isinstance(event, h11.Request):
                request, body = event, bytearray()
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                received.add(_head(request.method, request.target, request.headers) + body)
                for part in self._answer(request, bytes(body)):
                    connection.sendall(conn.send(part) or b"")
                if conn.our_state is not h11.DONE:
                    return
                conn.start_next_cycle()
            else:
                return

    def _answer(self, request: h11.Request, body: bytes) -> tuple[h11.Response, h11.Data, h11.EndOfMessage]:
        if request.target.startswith(b"/private/") and b"authorization" not in dict(request.headers):
            ask = [("WWW-Authenticate", "Basic realm=git"), ("Content-Length", "0")]
            return h11.Response(status_code=401, headers=ask), h11.Data(data=b""), h11.EndOfMessage()
        done = subprocess.run(_GIT_BACKEND, input=body, env=self._cgi(request, body), capture_output=True, check=True)
        head, _, text = done.stdout.partition(b"\r\n\r\n")
        fields = [tuple(line.split(b": ", 1)) for line in head.split(b"\r\n")]
        status = next((int(value.split()[0]) for name, value in fields if name == b"Status"), 200)
        headers = [field for field in fields if field[0] != b"Status"] + [(b"Content-Length", b"%d" % len(text))]
        return h11.Response(status_code=status, headers=headers), h11.Data(data=text), h11.EndOfMessage()

    def _cgi(self, request: h11.Request, body: bytes) -> dict[str, str]:
        url = urlsplit(request.target.decode("latin-1"))
        headers = {name.decode(): value.decode("latin-1") for name, value in request.headers}
        return {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self._folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOME": str(self._folder),
            "REMOTE_USER": "a",
            "REMOTE_ADDR": "127.0.0.1",
            "REQUEST_METHOD": request.method.decode(),
            "PATH_INFO": unquote(url.path),
            "QUERY_STRING": url.query,
            "CONTENT_TYPE": headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
        }


def dns_answer(query: bytes, received: Received, address: str) -> bytes:
    """Keeps the name that is asked for, dots and all; says that `address` has it.

    Raises:
        IndexError: it is no query.
    """
    labels, at = [], 12
    while size := query[at]:
        labels.append(query[at + 1 : at + 1 + size])
        at += 1 + size
    received.add(b".".join(labels))
    received.add(b"".join(labels))
    question = query[12 : at + 5]
    is_a = struct.unpack_from("!H", query, at + 1)[0] == 1
    record = struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(address) if is_a else b""
    return query[:2] + struct.pack("!HHHHH", 0x8180, 1, int(is_a), 0, 0) + question + record


def _head(method: bytes, target: bytes, headers: list[tuple[bytes, bytes]]) -> bytes:
    return method + b" " + target + b"\n" + _lines(headers)


def _lines(headers: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join(name + b": " + value + b"\n" for name, value in headers)
