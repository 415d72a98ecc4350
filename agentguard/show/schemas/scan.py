"""Of `scan --format json`."""

from __future__ import annotations

from agentguard.model.secret import KeyScope
from agentguard.model.verdict import Severity
from agentguard.show.schemas.words import (
    COUNT,
    FLAG,
    SECONDS,
    TEXT,
    TEXT_OR_NONE,
    TEXTS,
    document,
    or_none,
    said,
    several,
    thing,
    words,
)

_FOUND = thing(
    path=TEXT,
    line=said(COUNT, "From 1; 0 where lines mean nothing."),
    column=said(COUNT, "In bytes, from 1; 0 where lines mean nothing."),
    severity=words(Severity),
    type=TEXT,
    what=said(TEXT, "Name of the type."),
    provider=TEXT,
    scope=words(KeyScope),
    name=TEXT,
    preview=TEXT,
    fingerprint=TEXT,
    place=TEXT,
    encoding=TEXTS,
    checksum_valid={"type": ["boolean", "null"]},
    public=FLAG,
    rotation=TEXT,
    commit=or_none(thing(id=TEXT, author=TEXT, time=TEXT_OR_NONE)),
)

SCAN = document(
    "scan",
    "credentials in files, in what is staged, in a history",
    found=several(_FOUND),
    unread=several(thing(path=TEXT, reason=TEXT)),
    notes=TEXTS,
    passed_over=thing(allowed=COUNT, baseline=COUNT, severity=COUNT),
    scanned=thing(files=COUNT, bytes=COUNT, commits=COUNT, seconds=SECONDS),
)
