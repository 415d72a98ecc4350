"""The outside world on loopback: every model provider and the collector, one TLS port, told apart by `Host`.

Every request is appended to a file, one JSON object a line (`{"host", "method", "path", "headers", "body"}`), so that
a test can compare what really arrived with what was recorded.
"""

from __future__ import annotations

import gzip
import json
import re
import ssl
import threading
import zlib
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import zstandard

from support import anthropic_messages, gemini_generate, openai_chat, openai_responses
from support.answer import Answer, Json
from support.script import Step

COLLECTOR = "collector.example"
GEMINI = re.compile(r":(stream)?[gG]enerateContent$")


class World(ThreadingHTTPServer):
    """Serves `steps` to any agent, in its own protocol.

    Args:
        port: on 127.0.0.1; 0 for any free one (`server_port` names it).
        log: file that the requests are appended to.
    """

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext, steps: Sequence[Step], log: Path, *, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.context = context
        self.steps = steps
        self._log = log
        self._lock = threading.Lock()

    def finish_request(self, request: Any, client_address: Any) -> None:
        # The handshake belongs in the worker thread: in accept() a silent client would stop everyone.
        try:
            super().finish_request(self.context.wrap_socket(request, server_side=True), client_address)
        except OSError:
            return

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news; anything else must fail the test that reads the log."""
        self.record({"host": "", "method": "ERROR", "path": "", "headers": {}, "body": "the server failed"})
        super().handle_error(request, client_address)

    def record(self, entry: dict[str, Any]) -> None:
        with self._lock, self._log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: World

    def do_GET(self) -> None:
        self._record(b"")
        if self.headers.get("Upgrade"):
            # Codex tries a WebSocket first; "Upgrade Required" sends it to plain HTTP at once.
            self._reply(426, b"", "text/plain")
        elif self.path.partition("?")[0].endswith("/models"):
            self._answer(Json({"object": "list", "data": [], "models": []}))
        else:
            self._reply(404, b"{}", "application/json")

    def do_HEAD(self) -> None:
        self._reply(200, b"", "text/plain")

    def do_POST(self) -> None:
        body = self._body()
        self._record(body)
        path = self.path.partition("?")[0]
        host = self._host()
        if host == COLLECTOR:
            self._answer(Json({"ok": True}))
            return
        try:
            request = json.loads(body)
        except ValueError:
            request = {}
        self._answer(_model(path, request, self.server.steps) if isinstance(request, dict) else Json({}))

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the log file holds what matters."""

    def _host(self) -> str:
        return (self.headers.get("Host") or "").partition(":")[0].lower()

    def _record(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        entry = {"host": self._host(), "method": self.command, "path": self.path, "headers": headers}
        self.server.record({**entry, "body": body.decode("utf-8", "replace")})

    def _body(self) -> bytes:
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            raw = b""
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                raw += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        match (self.headers.get("Content-Encoding") or "").lower():
            case "gzip":
                return gzip.decompress(raw)
            case "deflate":
                return zlib.decompress(raw)
            case "zstd":
                return zstandard.ZstdDecompressor().decompressobj().decompress(raw)
        return raw

    def _answer(self, answer: Answer) -> None:
        self._reply(200, answer.encode(), answer.content_type)

    def _reply(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _model(path: str, request: dict[str, Any], steps: Sequence[Step]) -> Answer:
    if path.endswith("/messages"):
        return anthropic_messages.answer(request, steps)
    if path.endswith("/chat/completions"):
        return openai_chat.answer(request, steps)
    if path.endswith("/responses"):
        return openai_responses.answer(request, steps)
    if found := GEMINI.search(path):
        return gemini_generate.answer(request, steps, stream=found.group(1) is not None)
    if path.endswith("/count_tokens"):
        return Json({"input_tokens": 10})
    if path.endswith(":countTokens"):
        return Json({"totalTokens": 10})
    return Json({})
