"""Sums over all events of a session, for a report that cannot show each of them: SQL of the reader, and its rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST = 1_000
"""Names that are told by themselves: the gravest."""

_SUMS = """
SELECT {name} AS name, SUM({count}) AS count, MIN(time_ns) AS first_ns, MAX(time_ns) AS last_ns,
    {size} AS size, COUNT(*) OVER () AS names
FROM events INDEXED BY events_page WHERE session = ? AND {which} AND {name} <> ''
GROUP BY {name} ORDER BY MAX(severity) DESC, count DESC LIMIT ?
"""
FILES = _SUMS.format(name="path", count="1", size="0", which="kind = 'file'")
HOSTS = _SUMS.format(
    name="host",
    count="CASE activity WHEN 'repeat' THEN json_extract(json, '$.count') ELSE 1 END",
    size="COALESCE(SUM(json_extract(json, '$.bytes')), 0)",
    which="activity IN ('send', 'repeat')",
)
REPEATED = """
SELECT json_extract(json, '$.repeats') AS event, SUM(json_extract(json, '$.count')) AS count
FROM events INDEXED BY events_page WHERE session = ? AND activity = 'repeat' GROUP BY event
"""
GRAVE_STEPS = """
SELECT DISTINCT (time_ns - ?1) / ?2 * ?2 + ?1 AS start_ns, outcome
FROM events INDEXED BY events_page WHERE session = ?3 AND outcome IN ('leaked', 'exposed') ORDER BY start_ns
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """All that happened to one thing."""

    count: int
    first_ns: int
    last_ns: int
    size: int = 0
    """Bytes of the bodies that were sent; what was repeated is not weighed."""


@dataclass(frozen=True, slots=True)
class Tallies:
    """Of the files that were opened, or of the hosts that were sent to."""

    by_name: Mapping[str, Tally]
    """By path or host: the gravest `MOST`."""
    names: int
    """How many there are at all."""


def tallies_from_rows(rows: Sequence[sqlite3.Row]) -> Tallies:
    by_name = {row["name"]: Tally(row["count"], row["first_ns"], row["last_ns"], row["size"]) for row in rows}
    return Tallies(by_name, rows[0]["names"] if rows else 0)
