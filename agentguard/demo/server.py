"""The outside world of the demo on one loopback port: a model provider and a paste site, told apart by `Host`."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from agentguard.demo.certificates import Authority

MODEL_HOST = "api.openai.com"
PASTE_HOST = "paste.example"
IDLE_SECONDS = 10
"""A client that says nothing for so long is let go."""


@contextmanager
def world() -> Iterator[tuple[int, bytes]]:
    """Serve until the block ends. Gives the port on 127.0.0.1, and in PEM the certificate to trust for both hosts."""
    authority = Authority("AgentGuard demo authority")
    server = _Server(authority.server_context([MODEL_HOST, PASTE_HOST]))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_port, authority.certificate
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._context = context

    def finish_request(self, request: Any, client_address: Any) -> None:
        # The handshake belongs in the worker thread: in accept() a silent client would stop everyone.
        request.settimeout(IDLE_SECONDS)
        try:
            super().finish_request(self._context.wrap_socket(request, server_side=True), client_address)
        except OSError:
            return


class _Handler(BaseHTTPRequestHandler):
    """Forgets every request as soon as it is answered."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_model = (self.headers.get("Host") or "").partition(":")[0] == MODEL_HOST
        body = json.dumps(_completion() if is_model else {"stored": True}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the terminal belongs to the demo's story."""


def _completion() -> dict[str, Any]:
    message = {"role": "assistant", "content": "Settings look fine. I will share them for review, then build."}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "demo", "object": "chat.completion", "created": 0, "model": "demo", "choices": [choice]}
