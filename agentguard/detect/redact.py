"""Text with its secrets replaced by their previews: for what is shown and kept (command lines, URLs, subjects)."""

from __future__ import annotations

import re
from typing import Protocol

from agentguard.detect.matching import Found
from agentguard.model.secret import SecretMatch

_WORD = re.compile(rb"[^\s\"'&;,<>(){}|]+")
_KEY_BLOCK = re.compile(rb"[A-Za-z0-9+/=\\ \t\r\n]*-----END [A-Z ]{1,40}-----")
_NAME = re.compile(rb"\A-{0,2}[A-Za-z_][A-Za-z0-9_.-]{0,40}[=:]")
_ALL = b"[redacted]"


class FindingScanner(Protocol):
    """What redaction needs of the scanner."""

    def find(self, data: bytes) -> list[Found]:
        """Secrets in the bytes as they stand."""

    def scan(self, data: bytes, *, place: str = "") -> list[SecretMatch]:
        """Secrets in every view."""


def redact_text(scanner: FindingScanner, data: bytes) -> tuple[bytes, list[SecretMatch]]:
    """`data` without its secrets, and the matches.

    A secret that stands there plainly is replaced by its preview; a word that holds one encoded is replaced as a whole.
    Should any be left after that (one spread over several words), nothing of the text remains.
    """
    matches = scanner.scan(data)
    if not matches:
        return data, []
    text = _replace_plain(scanner, data)
    text = _WORD.sub(lambda word: _without_encoded(scanner, word[0]), text)
    return (_ALL if scanner.scan(text) else text), matches


def _replace_plain(scanner: FindingScanner, data: bytes) -> bytes:
    out: list[bytes] = []
    position = 0
    for found in scanner.find(data):
        if found.start < position:
            continue
        out += [data[position : found.start], found.match.preview.encode()]
        block = _KEY_BLOCK.match(data, found.end)
        position = block.end() if block else found.end
    return b"".join([*out, data[position:]])


def _without_encoded(scanner: FindingScanner, word: bytes) -> bytes:
    matches = scanner.scan(word)
    if not matches:
        return word
    name = _NAME.match(word)
    kept = name[0] if name and not scanner.scan(name[0]) else b""
    return kept + matches[0].preview.encode()
