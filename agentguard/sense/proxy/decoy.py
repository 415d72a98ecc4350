"""Proof that the proxy is alive: a made-up secret, sent through it to a listener of our own."""

from __future__ import annotations

import contextlib
import hmac
import secrets
import socket
import threading
import time

from agentguard.model.secret import SecretValue

FINGERPRINT_CHARS = 32


class Decoy:
    """A value that exists nowhere else."""

    def __init__(self, key: bytes) -> None:
        token = secrets.token_urlsafe(32).encode("ascii")
        fingerprint = hmac.digest(key, token, "sha256").hex()[:FINGERPRINT_CHARS]
        self.value = SecretValue(value=token, fingerprint=fingerprint, preview="•••", name="agentguard-decoy")
        self.seen = threading.Event()
        """Set when the observation of it has come back."""

    def send(self, proxy_port: int, timeout: float) -> bool:
        """POST it to ourselves through the proxy; whether it was seen within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", 0)) as target:
            answering = threading.Thread(target=_answer, args=(target, timeout), daemon=True)
            answering.start()
            self._post(proxy_port, target.getsockname()[1], timeout)
            answering.join(timeout)
        return self.seen.wait(max(0.0, deadline - time.monotonic()))

    def _post(self, proxy_port: int, target_port: int, timeout: float) -> None:
        body = b"decoy=" + self.value.value
        head = (
            f"POST http://127.0.0.1:{target_port}/agentguard-decoy HTTP/1.1\r\nHost: 127.0.0.1:{target_port}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", proxy_port), timeout) as client:
            client.sendall(head.encode("ascii") + body)
            while client.recv(4096):
                pass


def _answer(target: socket.socket, timeout: float) -> None:
    """One request, answered without looking. A policy that blocks it means that nobody comes."""
    target.settimeout(timeout)
    with contextlib.suppress(OSError):
        connection, _ = target.accept()
        with connection:
            connection.settimeout(timeout)
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
