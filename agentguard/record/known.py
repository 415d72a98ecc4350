"""Reading the inventory of credentials back: SQL of the reader, and rows as what they stand for."""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from agentguard.model.access import AccessHistory, AgentHistory
from agentguard.model.credential import CredentialPlace, CredentialUse, FoundBy, KnownCredential
from agentguard.model.finding import Activity
from agentguard.model.session import DEMO_AGENT
from agentguard.model.verdict import Outcome

HAS_INVENTORY = "SELECT 1 FROM sqlite_master WHERE name = 'credential_uses'"
"""A database that no new version has written to yet has none."""

_USES = """
SELECT fingerprint, agent, way, host, outcome, blocked, process, COUNT(*) AS sessions, SUM(count) AS count,
    MIN(first_ns) AS first_ns, MAX(last_ns) AS last_ns
FROM credential_uses WHERE {} GROUP BY fingerprint, agent, way, host, outcome, blocked, process
ORDER BY first_ns, last_ns
"""
"""A use has one row in each session. Added up here: an agent that works every day has thousands of sessions."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which credentials, and which of their uses: conditions on one bound value, `:value`."""

    credentials: str
    uses: str

    def statements(self) -> tuple[str, str, str]:
        """Of the credentials, of their places, of their uses."""
        return (
            f"SELECT * FROM credentials WHERE {self.credentials} ORDER BY first_seen_ns, fingerprint",  # noqa: S608
            f"SELECT * FROM credential_places WHERE {self.credentials} ORDER BY path, commit_id, found_by",  # noqa: S608
            _USES.format(self.uses),
        )


BEGINNING = "SELECT fingerprint FROM credentials WHERE substr(fingerprint, 1, length(:value)) = :value"
_USED = "fingerprint IN (SELECT fingerprint FROM credential_uses WHERE session = :value)"
ALL = Choice("TRUE", "TRUE")
_MADE_UP = f"""
fingerprint IN (SELECT fingerprint FROM credential_uses GROUP BY fingerprint HAVING MIN(agent) = MAX(agent)
    AND MIN(agent) = '{DEMO_AGENT}')
AND fingerprint NOT IN (SELECT fingerprint FROM credential_places WHERE found_by <> '{FoundBy.SESSION}')
"""  # noqa: S608 - of constants
REAL = Choice(f"NOT ({_MADE_UP})", "TRUE")
"""Without those that nobody but the demo's stand-in agent ever had: `demo` made them up. They are known by their uses,
which stay when the session is purged."""
OF_SESSION = Choice(_USED, "session = :value")
ONE = Choice("fingerprint = :value", "fingerprint = :value")

ROTATED = "SELECT fingerprint FROM credentials WHERE rotated_ns IS NOT NULL"
HABITS = """
SELECT fingerprint, agent, COUNT(*) AS taken_in, MAX(taken) AS most FROM (
    SELECT fingerprint, agent, session, SUM(count) AS taken FROM credential_uses
    WHERE session <> :session AND first_ns < :start AND way IN ('read', 'inherit', 'exec')
    GROUP BY fingerprint, agent, session
) GROUP BY fingerprint, agent
"""
STARTS = "SELECT agent, start_ns FROM sessions WHERE uid <> :session AND start_ns < :start ORDER BY agent, start_ns"
SEEN_BEFORE = "SELECT fingerprint, first_seen_ns, rotated_ns FROM credentials WHERE first_seen_ns < :start"
"""Of a session that began at `start`: what agents did with credentials in the others, when the earlier ones began,
which credentials were known before."""


def histories_from_rows(
    seen: Iterable[sqlite3.Row], habits: Iterable[sqlite3.Row], starts: Iterable[sqlite3.Row]
) -> dict[str, AccessHistory]:
    """By fingerprint."""
    started, taken = defaultdict[str, list[int]](list), defaultdict[str, dict[str, sqlite3.Row]](dict)
    for row in starts:
        started[row["agent"]].append(row["start_ns"])
    for row in habits:
        taken[row["fingerprint"]][row["agent"]] = row
    return {
        row["fingerprint"]: AccessHistory(
            rotated_ns=row["rotated_ns"],
            agents={
                agent: _history(taken[row["fingerprint"]].get(agent), _since(started[agent], row["first_seen_ns"]))
                for agent in started.keys() | taken[row["fingerprint"]].keys()
            },
        )
        for row in seen
    }


def _since(times: list[int], time_ns: int) -> int:
    """How many of ascending times come after one."""
    return len(times) - bisect_right(times, time_ns)


def _history(row: sqlite3.Row | None, sessions: int) -> AgentHistory:
    return AgentHistory(sessions=sessions, taken_in=row["taken_in"] if row else 0, most=row["most"] if row else 0)


def credentials_from_rows(
    rows: Iterable[sqlite3.Row], places: Iterable[sqlite3.Row], uses: Iterable[sqlite3.Row]
) -> list[KnownCredential]:
    """In the order of `rows`."""
    place_of, use_of = defaultdict[str, list[CredentialPlace]](list), defaultdict[str, list[CredentialUse]](list)
    for row in places:
        place_of[row["fingerprint"]].append(_place(row))
    for row in uses:
        use_of[row["fingerprint"]].append(_use(row))
    return [
        KnownCredential(
            fingerprint=row["fingerprint"],
            type=row["type"],
            name=row["name"],
            preview=row["preview"],
            public=bool(row["public"]),
            issuer_hosts=tuple(json.loads(row["issuer_hosts"])),
            first_seen_ns=row["first_seen_ns"],
            last_seen_ns=row["last_seen_ns"],
            rotated_ns=row["rotated_ns"],
            places=tuple(place_of[row["fingerprint"]]),
            uses=tuple(use_of[row["fingerprint"]]),
        )
        for row in rows
    ]


def _place(row: sqlite3.Row) -> CredentialPlace:
    return CredentialPlace(
        path=row["path"],
        found_by=FoundBy(row["found_by"]),
        line=row["line"],
        commit=row["commit_id"],
        commit_ns=row["commit_ns"],
        first_seen_ns=row["first_seen_ns"],
        last_seen_ns=row["last_seen_ns"],
        gone_ns=row["gone_ns"],
    )


def _use(row: sqlite3.Row) -> CredentialUse:
    return CredentialUse(
        agent=row["agent"],
        way=Activity(row["way"]),
        host=row["host"],
        outcome=Outcome(row["outcome"]),
        blocked=bool(row["blocked"]),
        count=row["count"],
        sessions=row["sessions"],
        first_ns=row["first_ns"],
        last_ns=row["last_ns"],
        process=row["process"],
    )
