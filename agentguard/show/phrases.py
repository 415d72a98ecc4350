"""Facts of the model as short phrases for a person. Everything returned is already safe to show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

from agentguard.model.process import Ancestor, Process
from agentguard.model.secret import KNOWN_VALUE, SecretMatch
from agentguard.model.session import Coverage
from agentguard.model.verdict import Destination
from agentguard.show.text import safe

DESTINATION = {
    Destination.ISSUER: "its issuer",
    Destination.MODEL: "model provider",
    Destination.LOOPBACK: "this machine",
    Destination.PRIVATE: "private network",
    Destination.OTHER: "someone else",
}


def clock_time(time_ns: int, zone: tzinfo | None = None) -> str:
    """`14:31:58.640` in the zone given, or the machine's."""
    moment = datetime.fromtimestamp(time_ns // 1_000_000_000, zone)
    return moment.strftime("%H:%M:%S.") + f"{time_ns // 1_000_000 % 1000:03d}"


def day_and_time(time_ns: int, zone: tzinfo | None = None) -> str:
    """`2026-01-31 14:31:58 UTC`; the zone by its short name."""
    moment = datetime.fromtimestamp(time_ns // 1_000_000_000, zone).astimezone(zone)
    return moment.strftime("%Y-%m-%d %H:%M:%S %Z").strip()


def duration(seconds: float) -> str:
    """`3 ms`, `4.77 s`, `2 min 5 s`, `3 h 20 min`."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def ago(ns: int) -> str:
    """`just now`, `5 min ago`, `3 h ago`, `12 days ago`; `ns` nanoseconds."""
    minutes = ns // 60_000_000_000
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days ago"


def proof_delay(sensor: Coverage, start_ns: int) -> str:
    """How long after the session's start a sensor saw its decoy: `41 ms`; "" when that is not on record."""
    return "" if sensor.proved_ns is None else duration((sensor.proved_ns - start_ns) / 1e9)


def plural(count: int, one: str, many: str = "") -> str:
    """`1 file`, `2 files`, `1,204 files`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def amount(size: int) -> str:
    """Bytes, for a person."""
    if size < 1_000:
        return plural(size, "byte")
    return f"{size / 1e3:.0f} kB" if size < 1_000_000 else f"{size / 1e6:,.1f} MB"


def process_name(process: Process | None) -> str:
    """`curl 48333`, or `unknown process`."""
    if process is None:
        return "unknown process"
    return f"{safe(process.name) or '?'} {process.pid}"


def process_chain(process: Process | None) -> str:
    """`curl 48333 ← bash 48330 ← claude 48213`."""
    if process is None:
        return "unknown process"
    return " ← ".join([process_name(process), *(_ancestor(parent) for parent in process.ancestors)])


def _ancestor(parent: Ancestor) -> str:
    return f"{safe(parent.name) or '?'} {parent.pid}"


def match_name(match: SecretMatch) -> str:
    """The variable or field it stood under, else its type."""
    if match.own_name:
        return safe(match.own_name)
    return "a value of a secret file" if match.type == KNOWN_VALUE else safe(match.type)


def match_names(matches: Iterable[SecretMatch], most: int = 3) -> str:
    """Each name once: `OPENAI_API_KEY, DATABASE_URL and 2 more`; "" when there is none."""
    names = list(dict.fromkeys(map(match_name, matches)))
    if not names:
        return ""
    more = [f"{len(names) - most} more"] if len(names) > most else []
    return listed(names[:most] + more)


def listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def place(match: SecretMatch) -> str:
    """`body, base64 in gzip`: where in the request, and how it was wrapped (innermost first)."""
    wrapped = " in ".join(reversed([safe(layer) for layer in match.encoding]))
    where = safe(match.place)
    return f"{where}, {wrapped}" if wrapped else where
