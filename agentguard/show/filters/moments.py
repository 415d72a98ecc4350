"""Moments as a person writes them: `10m` ago, `14:30` today, a date."""

from __future__ import annotations

import re
from datetime import datetime, time, tzinfo

ALLOWED = "45s, 10m, 2h, 3d or 1w ago; 14:30 today; 2026-01-31; 2026-01-31T14:30"
_NS = 1_000_000_000
_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AGO = re.compile(r"([0-9]{1,9})([smhdw])")
_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?")
_LATEST = 2**63 - 1


def moment_ns(text: str, now_ns: int, zone: tzinfo | None) -> int:
    """Nanoseconds since the epoch.

    Args:
        zone: of times that name none; None for the machine's own.

    Raises:
        ValueError: it is no moment.
    """
    ago = _AGO.fullmatch(text.lower())
    if ago is not None:
        return max(0, now_ns - int(ago[1]) * _UNIT[ago[2]] * _NS)
    try:
        moment = _read(text, datetime.fromtimestamp(now_ns // _NS, zone))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone) if zone else moment.astimezone()
        return min(max(0, round(moment.timestamp()) * _NS), _LATEST)
    except (OverflowError, OSError):
        raise ValueError(text) from None


def _read(text: str, now: datetime) -> datetime:
    if _CLOCK.fullmatch(text):
        return datetime.combine(now.date(), time.fromisoformat(text.zfill(5) if text.count(":") == 1 else text))
    return datetime.fromisoformat(text)
