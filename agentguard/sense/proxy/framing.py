"""Bodies that are conversations: each message is scanned whole, so that it may go on as soon as it is complete.

gRPC and Connect put a head of five bytes before each message: a byte of flags, whose lowest bit says that the payload
is compressed, and its length (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). In NDJSON a message is
a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from agentguard.model.secret import SecretMatch
from agentguard.sense.proxy.interface import BodyScanner, StreamScan

LONGEST = 8 << 20
"""Bytes of a message that are kept to scan it whole; of a longer one the body is scanned as it passes."""
_HEAD = 5
_COMPRESSED = 1
_ENVELOPES = {"application/grpc": "grpc-encoding", "application/connect+": "connect-content-encoding"}
"""First words of a content type → the header that names the coding of its messages."""
_LINES = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Message:
    """One, cut out of a body."""

    size: int
    """Bytes of the body it takes, its head included."""
    payload: bytes
    compressed: bool = False


class Splitter(Protocol):
    """Finds the first message in what has come so far."""

    def __call__(self, data: bytearray, /) -> Message | None: ...


def message_scan(scanner: BodyScanner, headers: Mapping[str, str]) -> MessageScan | None:
    """For a body that is a conversation; None when it is none, or when its messages cannot be told apart."""
    kind = headers.get("content-type", "")
    if headers.get("content-encoding", "identity") != "identity" or kind.startswith("application/grpc-web-text"):
        return None
    if kind.startswith(_LINES):
        return MessageScan(scanner, lines)
    for prefix, header in _ENVELOPES.items():
        if kind.startswith(prefix):
            return MessageScan(scanner, envelope, encoding=headers.get(header, ""))
    return None


def envelope(data: bytearray) -> Message | None:
    """The first message of gRPC or Connect, when it is complete."""
    size = _HEAD + int.from_bytes(data[1:_HEAD])
    if len(data) < max(_HEAD, size):
        return None
    return Message(size, bytes(data[_HEAD:size]), compressed=bool(data[0] & _COMPRESSED))


def lines(data: bytearray) -> Message | None:
    """Every line that is complete, together."""
    size = data.rfind(b"\n") + 1
    return Message(size, bytes(data[:size])) if size else None


class MessageScan:
    """A `StreamScan` that looks at whole messages. One thread at a time.

    Args:
        scanner: scans each.
        split: cuts the messages out.
        encoding: of the payload of those that say they are compressed.
    """

    def __init__(self, scanner: BodyScanner, split: Splitter, *, encoding: str = "") -> None:
        self._scanner = scanner
        self._split = split
        self._encoding = encoding
        self._waiting = bytearray()
        self._opaque = ""
        self._rest: StreamScan | None = None
        self._clear = 0

    @property
    def opaque(self) -> str:
        """Why part of it could not be read, in words; "" when all of it was."""
        return self._opaque or (self._rest.opaque if self._rest else "")

    @property
    def clear(self) -> int | None:
        """Bytes from the start of the body whose messages are complete; None when messages are no longer told apart."""
        return None if self._rest else self._clear

    def feed(self, chunk: bytes, /) -> list[SecretMatch]:
        """Matches in the messages that it completes."""
        if self._rest:
            return self._rest.feed(chunk)
        self._waiting += chunk
        out: list[SecretMatch] = []
        while message := self._split(self._waiting):
            del self._waiting[: message.size]
            self._clear += message.size
            out += self._look(message)
        if len(self._waiting) > LONGEST:
            out += self._give_up()
        return out

    def finish(self) -> list[SecretMatch]:
        """Nothing follows: matches in a message that was cut off."""
        if self._rest:
            return self._rest.finish()
        return self._look(Message(len(self._waiting), bytes(self._waiting))) if self._waiting else []

    def _look(self, message: Message) -> list[SecretMatch]:
        encoding = self._encoding if message.compressed else ""
        scan = self._scanner.scan_body(message.payload, content_encoding=encoding)
        self._opaque = self._opaque or scan.opaque
        return list(scan.matches)

    def _give_up(self) -> list[SecretMatch]:
        """From here on it is a body like any other; a compressed payload can then not be read."""
        compressed = self._split is envelope and self._waiting[0] & _COMPRESSED
        self._opaque = f"a compressed message of more than {LONGEST >> 20} MB" if compressed else self._opaque
        self._rest = self._scanner.stream()
        data, self._waiting = bytes(self._waiting), bytearray()
        return self._rest.feed(data)
