"""Whether a body is one that nobody can read without a key: encrypted, or packed in a way that is not undone here.

Said only of what looks like it: bytes as evenly spread as a cipher's, with no sign of a format that is so by nature
(pictures, sound, fonts, archives, a git pack). What is said to be unreadable must be rare enough to be looked at.
"""

from __future__ import annotations

import binascii
import re
from collections import Counter

SAMPLE = 4096
"""Bytes of the start that are looked at."""

SEALED = {
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"Salted__": "encrypted (OpenSSL)",
    b"U2FsdGVkX1": "encrypted (OpenSSL)",
    b"age-encryption.org/": "encrypted (age)",
    b"-----BEGIN AGE ENCRYPTED FILE": "encrypted (age)",
    b"-----BEGIN PGP MESSAGE": "encrypted (PGP)",
    b"\x03\xd9\xa2\x9a": "a KeePass database",
    b"LUKS\xba\xbe": "an encrypted disk (LUKS)",
    b"\x04\x22\x4d\x18": "compressed (lz4)",
    b"\xff\x06\x00\x00sNaPpY": "compressed (snappy)",
    b"LZIP": "compressed (lzip)",
    b"\x1f\x9d": "compressed (compress)",
}
"""First bytes of what is not opened here, and what it is."""

_FORMATS = re.compile(
    rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF|OggS|fLaC|ID3|ftyp|\x1aE\xdf\xa3|8BPS|II\*\0|MM\0\*"
    rb"|wOFF|wOF2|\0asm|%PDF|\x7fELF|\xca\xfe\xba\xbe|\xcf\xfa\xed\xfe|!<arch>|PAR1|\x89HDF|\xed\xab\xee\xdb|PACK"
    rb"|\x1f\x8b\x08|\x28\xb5\x2f\xfd|\xfd7zXZ\0|BZh[1-9]|PK\x03\x04|\x93NUMPY|SQLite format"
)
"""Formats whose bytes are evenly spread, by their first ones; they may stand in an envelope of a few bytes."""
_ENVELOPE = 64
_SHORT_FORMATS = re.compile(rb"x[\x01\x5e\x9c\xda]|\xff\x0a|\xff[\xfb\xf3\xf2]")
"""Those of two bytes: zlib, JPEG XL, MP3. At the very start only, for anywhere else chance has them."""
_GIT_PACK = b"0000PACK"
"""A push says what it is about before the pack."""
_JWE = re.compile(rb"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+){3}\s*\Z")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_\-\r\n]+={0,2}\s*\Z")
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")

_FEWEST = 256
"""Bytes; less may be the ids and hashes of a binary message."""
_ENOUGH_FOR_BYTES = 2048
_SPREAD_OF_BYTES = 400.0
"""Chi-squared of 255 degrees of freedom: 6 standard deviations above what even bytes have."""
_SPREAD_OF_NIBBLES = 48.0
"""Of 15: what one in 40,000 even samples exceeds."""


class Sealed:
    """Feed it a body; it keeps the start."""

    def __init__(self) -> None:
        self._start = b""

    def feed(self, data: bytes) -> None:
        """More of the body."""
        if len(self._start) < SAMPLE:
            self._start += data[: SAMPLE - len(self._start)]

    @property
    def why(self) -> str:
        """As `why_sealed`, of what has come so far."""
        return why_sealed(self._start)


def why_sealed(start: bytes) -> str:
    """Why nothing can be read in a body that starts like this (its first `SAMPLE` bytes, or all), in words; or ""."""
    what = next((what for magic, what in SEALED.items() if start.lstrip().startswith(magic)), "")
    if what:
        return f"it is {what}"
    if start.isascii():
        return _why_sealed_text(start)
    return "it looks encrypted" if _is_sealed(start) else ""


def _why_sealed_text(start: bytes) -> str:
    if _JWE.match(start):
        return "it is encrypted (JWE)"
    if len(start) < _FEWEST or not _BASE64.match(start):
        return ""
    run = b"".join(start.split()).rstrip(b"=").translate(_TO_STANDARD)
    return "it looks encrypted, in base64" if _is_sealed(binascii.a2b_base64(run[: len(run) // 4 * 4])) else ""


def _is_sealed(start: bytes) -> bool:
    if len(start) < _FEWEST or _SHORT_FORMATS.match(start) or _FORMATS.search(start, 0, _ENVELOPE):
        return False
    if _GIT_PACK in start:
        return False
    if len(start) >= _ENOUGH_FOR_BYTES:
        return _spread(start, 256) < _SPREAD_OF_BYTES
    return (
        _spread(bytes(byte >> 4 for byte in start), 16) < _SPREAD_OF_NIBBLES
        and _spread(bytes(byte & 15 for byte in start), 16) < _SPREAD_OF_NIBBLES
    )


def _spread(data: bytes, kinds: int) -> float:
    """Chi-squared of how often each kind occurs, against all being as likely."""
    expected = len(data) / kinds
    return sum(count * count for count in Counter(data).values()) / expected - len(data)
