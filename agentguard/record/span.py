"""What happened in several sessions, or in one, added up in SQL: for the report of a range and for comparing two.

Nothing here walks events one by one in Python: a range may have millions. What comes back is as long as what is
distinct in it: files, receivers, rules, credentials.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from agentguard.model.credential import KnownCredential
from agentguard.model.session import DEMO_AGENT, Session
from agentguard.model.verdict import Severity
from agentguard.record.known import HAS_INVENTORY, Choice, credentials_from_rows
from agentguard.record.read_only import ReadOnly
from agentguard.record.stored import session_of

_LATEST = 2**63 - 1

_SCOPE = """
SELECT uid FROM sessions WHERE CASE WHEN :session <> '' THEN uid = :session ELSE
    start_ns >= :since AND start_ns < :until AND agent = CASE :agent WHEN '' THEN agent ELSE :agent END
    AND (:agent <> '' OR agent <> :demo) END
"""

_SESSIONS = f"SELECT * FROM sessions WHERE uid IN ({_SCOPE}) ORDER BY start_ns, id"  # noqa: S608 - of constants

_SPREAD = f"""
SELECT fingerprint, COUNT(DISTINCT session) AS sessions FROM credential_uses WHERE session IN ({_SCOPE})
GROUP BY fingerprint
"""  # noqa: S608 - of constants

_TALLY = """
SELECT {key}, SUM({count}) AS events, COUNT(DISTINCT session) AS sessions, MAX(severity) AS severity,
    MIN(time_ns) AS first_ns, MAX(time_ns) AS last_ns
FROM events WHERE session IN ({scope}) AND {which}
GROUP BY {names} ORDER BY MAX(severity) DESC, events DESC, {names}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which sessions. Those of the demo are left out unless they are asked for by name."""

    since_ns: int = 0
    """Only sessions that began then or later."""
    until_ns: int = _LATEST
    """Only sessions that began before."""
    agent: str = ""
    """Agent id; "" for every one."""
    session: str = ""
    """uid: this session alone, whatever the rest says."""

    def values(self) -> dict[str, object]:
        """What is bound to the names in the SQL."""
        agent = self.agent.encode("utf-8", "replace").decode()
        return {
            "since": self.since_ns,
            "until": self.until_ns,
            "agent": agent,
            "session": self.session,
            "demo": DEMO_AGENT,
        }


@dataclass(frozen=True, slots=True)
class Tally:
    """Events that have one thing in common."""

    key: tuple[str, ...]
    """What that is: see the methods of `SpanReader`."""
    events: int
    sessions: int
    """In how many."""
    severity: Severity
    """The gravest."""
    first_ns: int
    last_ns: int


class SpanReader(ReadOnly):
    """Adds up. A database that does not exist yet is an empty one; every method may raise `StoreError`."""

    def sessions(self, scope: Scope) -> list[Session]:
        """Oldest first, each with its counts."""
        return list(self._sessions(scope))

    def files(self, scope: Scope) -> list[Tally]:
        """(path, activity) of files with credentials, gravest first."""
        return self._tally(scope, "kind = 'file'", path="path", activity="activity")

    def commands(self, scope: Scope) -> list[Tally]:
        """(subject,) of commands that carry or fetch a credential."""
        return self._tally(scope, "kind = 'command'", subject="subject")

    def destinations(self, scope: Scope) -> list[Tally]:
        """(host, outcome, blocked or "") of sends with a credential, repetitions counted."""
        return self._tally(
            scope,
            "activity IN ('send', 'repeat')",
            count="COALESCE(json_extract(json, '$.count'), 1)",
            host="CASE host WHEN '' THEN subject ELSE host END",
            outcome="outcome",
            blocked="CASE disposition WHEN 'blocked' THEN 'blocked' ELSE '' END",
        )

    def rules(self, scope: Scope) -> list[Tally]:
        """(rule, disposition) of all events."""
        return self._tally(scope, "TRUE", rule="json_extract(json, '$.rule')", disposition="disposition")

    def gaps(self, scope: Scope) -> list[Tally]:
        """(type, remedy) of gaps that keep a session from being clean."""
        which = "kind = 'gap' AND outcome = 'unknown'"
        return self._tally(
            scope, which, type="json_extract(json, '$.gap.type')", remedy="json_extract(json, '$.gap.remedy')"
        )

    def credentials(self, scope: Scope) -> list[KnownCredential]:
        """Those that were used in the sessions, with their uses there; in the order in which they became known."""
        if not self._rows(HAS_INVENTORY, []):
            return []
        used = f"fingerprint IN (SELECT fingerprint FROM credential_uses WHERE session IN ({_SCOPE}))"  # noqa: S608
        chosen = Choice(used, f"session IN ({_SCOPE})")
        rows, places, uses = (self._rows(sql, scope.values()) for sql in chosen.statements())
        return credentials_from_rows(rows, places, uses)

    def spread(self, scope: Scope) -> dict[str, int]:
        """Fingerprint → in how many of the sessions it was used."""
        if not self._rows(HAS_INVENTORY, []):
            return {}
        return {row["fingerprint"]: row["sessions"] for row in self._rows(_SPREAD, scope.values())}

    def _sessions(self, scope: Scope) -> Iterator[Session]:
        rows = self._rows(_SESSIONS, scope.values())
        if rows:
            with self._connection() as connection:
                yield from (session_of(connection, row) for row in rows)

    def _tally(self, scope: Scope, which: str, *, count: str = "1", **key: str) -> list[Tally]:
        """`key`: a name and its SQL for each part."""
        sql = _TALLY.format(
            key=", ".join(f"{expression} AS key_{name}" for name, expression in key.items()),
            names=", ".join(f"key_{name}" for name in key),
            count=count,
            scope=_SCOPE,
            which=which,
        )
        return [_tally(row, len(key)) for row in self._rows(sql, scope.values())]


def _tally(row: sqlite3.Row, width: int) -> Tally:
    return Tally(
        key=tuple(str(part or "") for part in tuple(row)[:width]),
        events=row["events"],
        sessions=row["sessions"],
        severity=list(Severity)[row["severity"]],
        first_ns=row["first_ns"],
        last_ns=row["last_ns"],
    )
