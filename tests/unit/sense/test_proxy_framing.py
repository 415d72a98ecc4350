"""Conversations: a message is scanned whole, and goes on when it is complete."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentguard.model.secret import SecretMatch
from agentguard.sense.proxy.framing import LONGEST, MessageScan, envelope, lines, message_scan

MATCH = SecretMatch(type="known-value", fingerprint="f", preview="•••", place="body")
SECRET = b"the-secret-value"


@dataclass
class Body:
    matches: Sequence[SecretMatch]
    opaque: str = ""


class Stream:
    opaque = ""

    def feed(self, chunk: bytes, /) -> list[SecretMatch]:
        return [MATCH] if SECRET in chunk else []

    def finish(self) -> list[SecretMatch]:
        return []


class Scanner:
    """Finds one value in what was encoded as it is told."""

    def scan(self, data: bytes, /, *, place: str = "") -> list[SecretMatch]:
        return [MATCH] if SECRET in data else []

    def scan_body(
        self, data: bytes, /, *, content_type: str = "", content_encoding: str = "", place: str = "body"
    ) -> Body:
        return Body(self.scan(gzip.decompress(data) if content_encoding == "gzip" else data))

    def stream(self, *, content_type: str = "", content_encoding: str = "", place: str = "body") -> Stream:
        return Stream()

    def redact(self, text: str, /) -> tuple[str, list[SecretMatch]]:
        return text, []


def framed(payload: bytes, *, packed: bool = False) -> bytes:
    data = gzip.compress(payload) if packed else payload
    return bytes([packed]) + len(data).to_bytes(4, "big") + data


@given(st.lists(st.tuples(st.binary(max_size=200), st.booleans()), max_size=8), st.lists(st.integers(0, 3000)))
def test_complete_messages_are_clear_and_no_other_byte(messages: list[tuple[bytes, bool]], cuts: list[int]) -> None:
    parts = [framed(payload, packed=packed) for payload, packed in messages]
    body = b"".join(parts)
    ends = [0, *itertools.accumulate(len(part) for part in parts)]
    scan = MessageScan(Scanner(), envelope, encoding="gzip")
    edges = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    for start, end in itertools.pairwise(edges):
        scan.feed(body[start:end])
        assert scan.clear == max(border for border in ends if border <= end)


@pytest.mark.parametrize("packed", [False, True])
def test_secret_is_seen_before_its_message_is_clear(packed: bool) -> None:
    body = framed(b"hello") + framed(b"a " + SECRET, packed=packed)
    scan = MessageScan(Scanner(), envelope, encoding="gzip")
    for at in range(len(body) - 1):
        assert scan.feed(body[at : at + 1]) == []
    assert scan.clear == len(framed(b"hello"))
    assert scan.feed(body[-1:]) == [MATCH]


def test_lines_go_on_when_they_are_complete() -> None:
    scan = MessageScan(Scanner(), lines)
    assert scan.feed(b'{"a":1}\n{"b"') == []
    assert scan.clear == 8
    assert scan.feed(b':"' + SECRET + b'"}\n') == [MATCH]


def test_message_that_is_cut_off_is_scanned_at_the_end() -> None:
    scan = MessageScan(Scanner(), envelope)
    assert scan.feed(b"\0\0\0\1\0" + SECRET) == []
    assert scan.finish() == [MATCH]


@pytest.mark.parametrize("packed", [0, 1])
def test_message_too_long_to_keep_is_scanned_as_it_passes(packed: int) -> None:
    scan = MessageScan(Scanner(), envelope)
    head = bytes([packed]) + (2 * LONGEST).to_bytes(4, "big")
    assert scan.feed(head + bytes(LONGEST)) == []
    assert scan.clear is None
    assert scan.feed(SECRET) == [MATCH]
    assert bool(scan.opaque) is bool(packed)


@pytest.mark.parametrize(
    ("headers", "told_apart"),
    [
        ({"content-type": "application/grpc+proto", "grpc-encoding": "gzip"}, True),
        ({"content-type": "application/grpc-web"}, True),
        ({"content-type": "application/grpc-web-text"}, False),
        ({"content-type": "application/connect+json"}, True),
        ({"content-type": "application/x-ndjson"}, True),
        ({"content-type": "application/x-ndjson", "content-encoding": "gzip"}, False),
        ({"content-type": "application/json"}, False),
    ],
)
def test_which_bodies_are_conversations(headers: dict[str, str], told_apart: bool) -> None:
    assert (message_scan(Scanner(), headers) is not None) is told_apart
