"""What the Python ways send with: each opens `.env` itself, and goes out as the session's environment says."""

from __future__ import annotations

import os
import socket
import ssl
from urllib.parse import urlsplit

URL, TWO, ID = os.environ["URL"], os.environ["TWO"], os.environ["ID"]


def secret() -> str:
    """The value, read from the file by this process."""
    with open(".env") as file:
        return dict(line.strip().split("=", 1) for line in file)["TOKEN"]


def tunnel(host: str, port: int = 443, *, tls: bool = True, alpn: str = "http/1.1", sni: str = "") -> socket.socket:
    """A connection through the session's proxy."""
    proxy = urlsplit(os.environ["HTTPS_PROXY"])
    connection = socket.create_connection((proxy.hostname, proxy.port), 20)
    connection.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += connection.recv(1) or _refused(answer)
    if b" 200 " not in answer.partition(b"\r\n")[0]:
        _refused(answer)
    return wrapped(connection, sni or host, alpn) if tls else connection


def wrapped(connection: socket.socket, host: str, alpn: str = "") -> ssl.SSLSocket:
    """TLS, trusting what the session's environment says, and the servers themselves."""
    context = ssl.create_default_context(cafile=os.environ["WORLD_CA"])
    context.load_verify_locations(os.environ["SSL_CERT_FILE"])
    if alpn:
        context.set_alpn_protocols([alpn])
    return context.wrap_socket(connection, server_hostname=host)


def request(*chunks: bytes, head: str = "", path: str = "") -> bytes:
    """The head of a POST to the collector at this way's path; with `chunks` its whole, chunk by chunk."""
    lines = [f"POST {path or '/' + ID} HTTP/1.1", "Host: collector.example", *([head] if head else [])]
    if chunks:
        lines.append("Transfer-Encoding: chunked")
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return "\r\n".join([*lines, "", ""]).encode() + body + (b"0\r\n\r\n" if chunks else b"")


def ask(connection: socket.socket, data: bytes = b"") -> bytes:
    """Send, and wait for something to come back."""
    connection.sendall(data)
    return connection.recv(65536) or _refused(b"")


def post(body: bytes, *, path: str = "", **headers: str) -> None:
    """One request of http.client's, through the proxy: it knows no proxy by itself."""
    import http.client

    connection = http.client.HTTPSConnection("collector.example")
    connection.sock = tunnel("collector.example")
    connection.request(
        "POST", path or f"/{ID}", body, {name.replace("_", "-"): value for name, value in headers.items()}
    )
    connection.getresponse().read()


class Two:
    """One stream of HTTP/2, as far as a test takes it."""

    def __init__(self, *more: tuple[str, str]) -> None:
        import h2.config
        import h2.connection

        self._socket = tunnel("two.example", alpn="h2")
        self.conn = h2.connection.H2Connection(h2.config.H2Configuration())
        self.conn.initiate_connection()
        line = [(":method", "POST"), (":path", f"/{ID}"), (":scheme", "https"), (":authority", "two.example")]
        self.conn.send_headers(1, [*line, *more])

    def send(self, data: bytes, *, end: bool = False) -> None:
        self.conn.send_data(1, data, end_stream=end)
        self._socket.sendall(self.conn.data_to_send())

    def finish(self) -> None:
        """Wait for the answer."""
        import h2.events

        self._socket.sendall(self.conn.data_to_send())
        while True:
            for event in self.conn.receive_data(self._socket.recv(65536) or _refused(b"")):
                if isinstance(event, h2.events.StreamEnded):
                    return
            self._socket.sendall(self.conn.data_to_send())


class WebSocket:
    """A client that waits for each answer."""

    def __init__(self, *, compressed: bool = False) -> None:
        import wsproto
        from wsproto import events
        from wsproto.extensions import PerMessageDeflate

        self.events = events
        self._socket = tunnel("socket.example")
        self._conn = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
        extensions = [PerMessageDeflate()] if compressed else []
        self.exchange(events.Request(host="socket.example", target=f"/{ID}", extensions=extensions))

    def exchange(self, event: object, *, answered: bool = True) -> None:
        self._socket.sendall(self._conn.send(event))
        while answered:
            self._conn.receive_data(self._socket.recv(65536) or _refused(b""))
            if list(self._conn.events()):
                return

    def text(self, data: str, **more: bool) -> None:
        self.exchange(self.events.TextMessage(data=data), **more)


def quic(data: bytes) -> None:
    """On a stream of a QUIC connection, which knows no proxy."""
    import asyncio
    import ssl

    from aioquic.asyncio import connect
    from aioquic.quic.configuration import QuicConfiguration

    async def send() -> None:
        known = QuicConfiguration(alpn_protocols=["h3"], verify_mode=ssl.CERT_NONE, server_name="quic.example")
        async with connect("203.0.113.9", 443, configuration=known) as connection:
            reader, writer = await connection.create_stream()
            writer.write(data)
            writer.write_eof()
            await reader.read()

    asyncio.run(send())


def _refused(answer: bytes) -> bytes:
    raise ConnectionError(answer.decode("latin-1") or "closed")
