"""A webhook: the notification as JSON by POST, signed, over TLS whose certificate is verified.

It goes out by itself, not through the session's proxy, and is no send of the agent's. What the server answers is not
kept: its status is all that counts.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from agentguard import __version__
from agentguard.show.notify.channels.interface import ChannelError
from agentguard.show.notify.channels.signing import signature_headers, signing_key
from agentguard.show.notify.settings import Channel, is_loopback
from agentguard.show.notify.words import Notification

ATTEMPTS = 3
_PAUSES = (1.0, 4.0)
"""Seconds between attempts, as far as the server does not say otherwise."""
_LONGEST_PAUSE = 15.0
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    words: str
    pause: float | None
    """Seconds, of `Retry-After`."""


def deliver(
    channel: Channel,
    note: Notification,
    environ: Mapping[str, str],
    *,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.time,
) -> str:
    """Raises ChannelError when no attempt succeeded."""
    key = signing_key(channel.secret, environ) if channel.secret else None
    body = json.dumps(note.body).encode()
    parts = urlsplit(channel.url)
    problem = ""
    for attempt in range(ATTEMPTS):
        headers = _headers(note)
        if key is not None:  # anew each time: the receiver checks the time
            headers |= signature_headers(key, note.uid, int(clock()), body)
        pause = _PAUSES[min(attempt, len(_PAUSES) - 1)]
        try:
            answer = _post(parts, body, headers, channel.timeout_seconds)
        except (OSError, http.client.HTTPException) as error:
            problem = _words(error)
        else:
            if 200 <= answer.status < 300:
                return f"{parts.hostname} answered {answer.status}"
            problem = f"{parts.hostname} answered {answer.status} {answer.words}".rstrip()
            if answer.status not in _AGAIN:
                raise ChannelError(problem + _hint(answer.status))
            pause = pause if answer.pause is None else answer.pause
        if attempt + 1 < ATTEMPTS:
            sleep(min(pause * random.uniform(1.0, 1.25), _LONGEST_PAUSE))  # noqa: S311 - no secret: many at once come apart
    raise ChannelError(f"{problem} (tried {ATTEMPTS} times)")


def _headers(note: Notification) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": f"AgentGuard/{__version__}",
        "webhook-id": note.uid,
        "Connection": "close",
    }


def _post(parts: SplitResult, body: bytes, headers: Mapping[str, str], seconds: float) -> _Answer:
    """One attempt, no longer than `seconds` in all: a server that sends a byte a second is cut off."""
    connection = _connection(parts, seconds)
    watch = threading.Timer(seconds, _cut, (connection,))
    watch.daemon = True
    watch.start()
    try:
        path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        connection.request("POST", path, body, dict(headers))
        response = connection.getresponse()
        return _Answer(response.status, http.client.responses.get(response.status, ""), _pause(response))
    finally:
        watch.cancel()
        connection.close()


def _connection(parts: SplitResult, seconds: float) -> http.client.HTTPConnection:
    """Redirects are not followed, and no proxy of the environment is used: the session's own is one of them."""
    assert parts.hostname is not None
    if parts.scheme == "http":
        assert is_loopback(parts.hostname)
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=seconds)
    context = ssl.create_default_context()
    return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=seconds, context=context)


def _cut(connection: http.client.HTTPConnection) -> None:
    with contextlib.suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)


def _pause(response: http.client.HTTPResponse) -> float | None:
    asked = response.getheader("Retry-After", "")
    return float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else None


def _hint(status: int) -> str:
    if 300 <= status < 400:
        return "; redirects are not followed, give the final address"
    return "; the receiver refuses the signature or the address" if status in (401, 403, 404, 410) else ""


def _words(error: OSError | http.client.HTTPException) -> str:
    """Of our own making: an exception's text may quote what a server sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not valid ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({error.reason or 'no reason was given'})"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "the host has no address"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "the connection was cut" if isinstance(error, OSError) else "the answer was not HTTP"
