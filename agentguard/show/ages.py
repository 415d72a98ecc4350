"""Ages as people write them: `30d`, `12h`, `8w`, `6mo`, `1y`."""

from __future__ import annotations

import re

from agentguard.errors import UsageError

_HOUR_NS = 3_600 * 1_000_000_000
_UNITS = {"h": 1, "d": 24, "w": 7 * 24, "mo": 30 * 24, "y": 365 * 24}
"""In hours. A month has 30 days, a year 365."""
_AGE = re.compile(rf"([0-9]{{1,5}})\s*({'|'.join(_UNITS)})")


def age_ns(text: str, option: str) -> int:
    """In nanoseconds.

    Raises:
        UsageError: it is none; the message names `option`.
    """
    found = _AGE.fullmatch(text.strip().lower())
    if found is None:
        raise UsageError(f"{option} takes an age like 30d, 12h, 8w, 6mo or 1y, not {text!r}")
    return int(found[1]) * _UNITS[found[2]] * _HOUR_NS
