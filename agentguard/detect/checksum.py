"""Checksums and inner structure that some credentials carry, and the canonical form of a private key.

A valid checksum says that a string is what it looks like. A wrong one lowers confidence and does not drop the
match: most examples in public code carry a wrong one.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Callable

_BASE62 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CRC_CHARS = 6
_NOT_BODY = re.compile(
    rb"[\"'][ \t]*[+.&,]?[ \t\r\n\\]*b?(?:[\"']|\Z)"  # a line of code ends, and the next one begins
    rb"|[\r\n][ \t]*//(?:[ \t]|\Z)|(?:\\+[nrt]|%0[AaDd])+|[^A-Za-z0-9+/=]+"
)
_KEY_CHARS = 2600
"""A longer key is known by its beginning: of a very long one no more is matched, and escaped line ends take room."""
_DER_SEQUENCE = 0x30
_OPENSSH_MAGIC = b"openssh-key-v1\0"


def crc32_base62(body: bytes) -> bytes:
    """CRC32 of `body` as GitHub and npm append it: base62, six characters."""
    number, digits = zlib.crc32(body), bytearray()
    for _ in range(_CRC_CHARS):
        number, digit = divmod(number, 62)
        digits.append(_BASE62[digit])
    return bytes(reversed(digits))


def crc32_hex(key: bytes) -> bytes:
    """CRC32 of the whole key as Grafana appends it: hex of its four bytes, least significant first."""
    return zlib.crc32(key).to_bytes(4, "little").hex().encode()


def _github(value: bytes) -> bool | None:
    """`PREFIX_` + 30 characters + 6 of checksum. Other lengths (the long installation tokens) carry none."""
    body = value.partition(b"_")[2]
    if len(body) != 30 + _CRC_CHARS or not body.isalnum():
        return None
    return crc32_base62(body[:-_CRC_CHARS]) == body[-_CRC_CHARS:]


def _grafana(value: bytes) -> bool | None:
    key, _, checksum = value.rpartition(b"_")
    return crc32_hex(key) == checksum.lower()


def _jwt(value: bytes) -> bool | None:
    """Its header is a JSON object that names an algorithm."""
    import json  # noqa: PLC0415 (slow to import, for a commit hook, which meets none as a rule)

    try:
        header = json.loads(decode_base64url(value.partition(b".")[0]))
    except ValueError:
        return False
    return isinstance(header, dict) and isinstance(header.get("alg"), str)


def _pem(body: bytes) -> bool | None:
    """The canonical body decodes to a DER sequence or to an OpenSSH key."""
    whole = len(body) // 4 * 4
    try:
        data = base64.b64decode(body[:whole], validate=True)
    except binascii.Error:
        return False
    return data[:1] == bytes([_DER_SEQUENCE]) or data.startswith(_OPENSSH_MAGIC)


def _telegram(value: bytes) -> bool | None:
    """A bot's id has no leading zero."""
    return not value.startswith(b"0")


CHECKSUMS: dict[str, Callable[[bytes], bool | None]] = {
    "github-crc": _github,
    "grafana-crc": _grafana,
    "jwt": _jwt,
    "pem": _pem,
    "pgp": lambda _body: None,
    "telegram": _telegram,
}
"""The words `checksum:` may hold in policies/secrets.yaml."""

KEY_BODIES = frozenset({"pem", "pgp"})

STRUCTURE_REQUIRED = frozenset({"jwt"})
"""Kinds whose check decides: without the structure the string is something else."""


def check(kind: str | None, value: bytes) -> bool | None:
    """Whether the checksum of a canonical value is right; None when it carries none."""
    return CHECKSUMS[kind](value) if kind else None


def canonical(kind: str | None, value: bytes) -> bytes:
    """The bytes that are fingerprinted. A private key is its base64 body, however its lines end or are escaped."""
    return _NOT_BODY.sub(b"", value)[:_KEY_CHARS] if kind in KEY_BODIES else value


def decode_base64url(text: bytes) -> bytes:
    """Base64url without padding.

    Raises:
        ValueError: it is not base64url.
    """
    return base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
