"""The parts of a request that are not its body: host, path, query, headers."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from agentguard.model.secret import SecretMatch
from agentguard.sense.proxy.interface import BodyScanner

Fields = Iterable[tuple[bytes, bytes]]

_SHORTEST = 8
"""No secret is shorter, bytes."""


def scan_head(scanner: BodyScanner, host: str, path: str, headers: Fields) -> list[SecretMatch]:
    """Every credential in a request's head, with its place."""
    found: list[SecretMatch] = []
    for place, data, encoding in _parts(host, path, headers):
        if len(data) < _SHORTEST:
            continue
        for match in scanner.scan(data, place=place):
            found.append(replace(match, encoding=(*encoding, *match.encoding)) if encoding else match)
    return distinct([replace(match, place=scanner.redact(match.place)[0].lower()) for match in found])


def distinct(matches: Sequence[SecretMatch]) -> list[SecretMatch]:
    """One match for each value and place."""
    return list({(match.fingerprint, match.place): match for match in reversed(matches)}.values())[::-1]


def _parts(host: str, path: str, headers: Fields) -> Iterator[tuple[str, bytes, tuple[str, ...]]]:
    """(place, bytes, decodings already peeled off)."""
    yield "host", host.encode("utf-8", "surrogateescape"), ()
    before, _, after = path.encode("utf-8", "surrogateescape").partition(b"?")
    yield "path", before, ()
    yield "query", after, ()
    for name, value in headers:
        place = "header:" + name.decode("latin-1")
        yield place, name + b": " + value, ()
        user_info = _basic(value)
        if user_info:
            yield place, user_info, ("base64",)
            yield place, user_info.partition(b":")[2], ("base64",)


def _basic(value: bytes) -> bytes:
    """`user:password` of a Basic authorization; b"" of anything else."""
    scheme, _, data = value.strip().partition(b" ")
    if scheme.lower() != b"basic":
        return b""
    try:
        return base64.b64decode(data.strip() + b"==")
    except (binascii.Error, ValueError):
        return b""
