"""Names for secrets that do not tell them: keyed fingerprints and redacted previews."""

from __future__ import annotations

FINGERPRINT_CHARS = 32
HIDDEN = "•••"
"""Preview of a value too short to show any of."""

_SHOWN_FROM = 16
_LONG_FROM = 24


class Fingerprinter:
    """HMAC-SHA256 under a key that never leaves the home folder: equal values, equal names; nothing to guess from."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "Fingerprinter(key=<hidden>)"

    def of(self, value: bytes) -> str:
        """32 hex characters. The same value gives the same fingerprint in every session of one home folder."""
        import hmac  # noqa: PLC0415 (slow to import, for a commit hook, which finds nothing as a rule)

        return hmac.digest(self._key, value, "sha256").hex()[:FINGERPRINT_CHARS]


def preview(value: bytes, public_prefix: int = 0) -> str:
    """A few characters for a person to recognise a value by: `sk-p…9Q`.

    Nothing of a value shorter than 16 bytes. Between 16 and 23 bytes two characters at either end; from 24 on, four
    and two. Of a type whose first `public_prefix` bytes are the same in every key (`AKIA`), four may always be shown.
    """
    if len(value) < _SHOWN_FROM:
        return HIDDEN
    head = 4 if len(value) >= _LONG_FROM else max(2, min(4, public_prefix))
    return f"{_printable(value[:head])}…{_printable(value[-2:])}"


def _printable(part: bytes) -> str:
    return "".join(chr(byte) if 0x20 < byte < 0x7F else "·" for byte in part)
