"""A loopback HTTPS server: small answers, and server-sent events that carry their own time of sending."""

from __future__ import annotations

import http.server
import threading
import time
from pathlib import Path
from typing import Self

from agentguard.demo.certificates import Authority

HOST = "bench.example"
EVENTS = 10
EVENT_SECONDS = 0.02


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path == "/events":
            self._events()
        else:
            self._small()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._small()

    def _small(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def _events(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _ in range(EVENTS):
            event = b"data: %r\n\n" % time.monotonic()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            self.wfile.flush()
            time.sleep(EVENT_SECONDS)
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


class Server:
    """Serves while it is open."""

    def __init__(self, folder: Path) -> None:
        authority = Authority("bench CA")
        self.ca = folder / "bench-ca.pem"
        self.ca.write_bytes(authority.certificate)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        context = authority.server_context([HOST])
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
