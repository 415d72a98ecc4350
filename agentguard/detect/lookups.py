"""Names that are asked for in the DNS (RFC 1035): whoever answers for a domain is told the labels before it.

A secret may be one label or be split over several, as it is or encoded; before it may stand a number, behind it stands
the domain. So the labels are also looked at without the dots, from the first or the second on, and up to where a domain
may begin.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from agentguard.detect.describe import distinct
from agentguard.detect.scanner import Scanner
from agentguard.model.secret import SecretMatch

PLACE = "dns"
_HEADER = 12
_POINTER = 0xC0
_MOST_QUESTIONS = 16
_SHORTEST = 8
"""Characters; no value that is followed is shorter."""
_DOMAIN_LABELS = (1, 2, 3)
"""A domain of somebody's own is one to three labels: a host of the local network, example.com, example.co.uk."""

Labels = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a message gives away."""

    domain: str
    """The end of the first name that holds a secret, as far as somebody may own it; not redacted."""
    matches: tuple[SecretMatch, ...]


def scan_lookup(scanner: Scanner, message: bytes) -> Lookup:
    """The secrets in the names that a DNS message asks for; no matches when it is none."""
    found: list[SecretMatch] = []
    domain = ""
    for labels in questions(message):
        matches = [match for view in _views(labels) for match in scanner.scan(view, place=PLACE)]
        if matches and not found:
            domain = b".".join(labels[-2:]).decode("utf-8", "backslashreplace").lower()
        found += matches
    return Lookup(domain, tuple(distinct(found)))


def questions(message: bytes) -> tuple[Labels, ...]:
    """The names of its questions, as labels; () for what is no query."""
    if len(message) < _HEADER:
        return ()
    flags, count = struct.unpack_from("!HH", message, 2)
    if flags >> 15:
        return ()
    names: list[Labels] = []
    at = _HEADER
    for _ in range(min(count, _MOST_QUESTIONS)):
        labels: list[bytes] = []
        while at < len(message) and 0 < message[at] < _POINTER:
            labels.append(message[at + 1 : at + 1 + message[at]])
            at += 1 + message[at]
        names.append(tuple(labels))
        at += 1 + 4  # the end of the name; type and class
    return tuple(names)


def _views(labels: Labels) -> Iterator[bytes]:
    name = b".".join(labels)
    if len(name) < _SHORTEST:
        return
    yield name
    joined = {b"".join(labels[start : len(labels) - rest]) for start in (0, 1) for rest in _DOMAIN_LABELS}
    for run in sorted(run for run in joined if len(run) >= _SHORTEST):
        yield run
        if run != run.upper():
            yield run.upper()  # base32, which a resolver may hand on in small letters
