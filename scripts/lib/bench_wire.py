"""What the bench's client speaks with, direct or through the proxy of the environment: HTTP/1.1, HTTP/2, WebSocket."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import urllib.parse

import h2.config
import h2.connection
import h2.events
import h2.settings
import wsproto
import wsproto.events

PIECE = 1 << 16
WINDOW = (1 << 31) - 1


def connect(host: str, alpn: str = "http/1.1") -> ssl.SSLSocket:
    """To BENCH_PORTS[host] on loopback; or through the proxy of the environment, which knows where the host is."""
    context = ssl.create_default_context(cafile=os.environ.get("BENCH_CA") or os.environ["SSL_CERT_FILE"])
    context.set_alpn_protocols([alpn])
    proxy = urllib.parse.urlsplit(os.environ.get("https_proxy", ""))
    port = proxy.port or json.loads(os.environ["BENCH_PORTS"])[host]
    plain = socket.create_connection(("127.0.0.1", port), 60)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if proxy.port:
        plain.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += plain.recv(PIECE)
        if b" 200 " not in answer:
            raise ConnectionError(answer)
    return context.wrap_socket(plain, server_hostname=host)


def http1(host: str) -> http.client.HTTPConnection:
    """An HTTP/1.1 connection."""
    connection = http.client.HTTPConnection(host)
    connection.sock = connect(host)
    return connection


class Http2:
    """One request at a time."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._socket = connect(host, "h2")
        self._peer = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self._peer.local_settings = h2.settings.Settings(
            client=True, initial_values={h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: WINDOW}
        )
        self._peer.initiate_connection()
        self._peer.increment_flow_control_window(WINDOW - self._peer.inbound_flow_control_window)
        self._flush()

    def request(self, method: str, path: str, body: bytes = b"", repeat: int = 1) -> int:
        """Send `body` `repeat` times; the bytes of the answer."""
        stream = self._peer.get_next_available_stream_id()
        head = [(":method", method), (":path", path), (":scheme", "https"), (":authority", self._host)]
        head += [("content-type", "application/json"), ("content-length", str(len(body) * repeat))] if body else []
        self._peer.send_headers(stream, head, end_stream=not body)
        for number in range(repeat if body else 0):
            self._upload(stream, body, last=number == repeat - 1)
        self._flush()
        size = 0
        while True:
            for event in self._receive():
                if isinstance(event, h2.events.DataReceived):
                    size += len(event.data)
                elif isinstance(event, h2.events.StreamEnded):
                    return size
                elif isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated):
                    raise ConnectionError(event)

    def _upload(self, stream: int, body: bytes, *, last: bool) -> None:
        at = 0
        while at < len(body):
            room = min(self._peer.local_flow_control_window(stream), self._peer.max_outbound_frame_size)
            if not room:
                self._flush()
                self._receive()
                continue
            piece = body[at : at + room]
            at += len(piece)
            self._peer.send_data(stream, piece, end_stream=last and at == len(body))
            self._flush()

    def _receive(self) -> list[h2.events.Event]:
        data = self._socket.recv(PIECE)
        if not data:
            raise ConnectionError("closed")
        events = list(self._peer.receive_data(data))
        for event in events:
            if isinstance(event, h2.events.DataReceived):
                self._peer.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        self._flush()
        return events

    def _flush(self) -> None:
        data = self._peer.data_to_send()
        if data:
            self._socket.sendall(data)


class WebSocket:
    """Sends a message and waits for the answer to it."""

    def __init__(self, host: str) -> None:
        self._socket = connect(host)
        self._peer = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
        self._socket.sendall(self._peer.send(wsproto.events.Request(host=host, target="/ws")))
        self._wait(wsproto.events.AcceptConnection)

    def exchange(self, text: str) -> None:
        """One message there, one back."""
        self._socket.sendall(self._peer.send(wsproto.events.TextMessage(text)))
        self._wait(wsproto.events.TextMessage)

    def _wait(self, kind: type[wsproto.events.Event]) -> None:
        while True:
            data = self._socket.recv(PIECE)
            self._peer.receive_data(data or None)
            for event in self._peer.events():
                if isinstance(event, kind):
                    return
                if isinstance(event, wsproto.events.CloseConnection):
                    raise ConnectionError(event)
