"""Names for sessions and events: unique, and sorted by time."""

from __future__ import annotations

import secrets
import uuid


def new_uid(time_ns: int) -> str:
    """A UUID of version 7 (RFC 9562): 48 bits of milliseconds, then chance."""
    value = (time_ns // 1_000_000 & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))
