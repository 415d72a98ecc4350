"""The hash chain: pure functions over bytes.

Each session is a chain, link = HMAC-SHA256(key, previous link || canonical event). Its first link
stands on a hash of the session's uid, so that a chain cannot be moved to another session. At its end a
seal covers the last link and the session's own row. A register chains the starts and seals of all
sessions to each other, so that a missing session shows.

Whoever holds the key can forge the chain: it shows edits by those who do not, and by accident.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

REGISTER_ROOT = "0" * 64
"""What the first row of the register stands on."""


def canonical(data: dict[str, Any]) -> bytes:
    """The one spelling of a JSON object that is hashed: sorted keys, no spaces, UTF-8. A lone surrogate becomes `?`."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace")


def link(key: bytes, previous: str, body: bytes) -> str:
    """The hash, hex, of `body` standing on `previous` (hex)."""
    return hmac.new(key, previous.encode("ascii") + body, hashlib.sha256).hexdigest()


def genesis(key: bytes, session: str) -> str:
    """What the first event of a session stands on."""
    return hmac.new(key, b"agentguard session\0" + session.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def digest(rows: list[list[Any]]) -> str:
    """Fingerprint of rows that the seal covers without chaining each of them."""
    text = json.dumps(rows, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def same(one: str, other: str) -> bool:
    """Compare two hashes in constant time."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def register_hash(key: bytes, previous: str, entry: dict[str, Any]) -> str:
    """A row of the register (kind, session, events, last_link), standing on the row before it."""
    return link(key, previous, canonical(entry))
