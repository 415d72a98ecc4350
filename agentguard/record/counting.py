"""A session's counts, in SQL: one definition for the dashboard, the summary, the report and the seal."""

from __future__ import annotations

import sqlite3

COUNTED = """
    COALESCE(SUM(kind = 'file' AND activity = 'read'), 0) AS reads,
    COALESCE(SUM(activity = 'send'), 0) AS sends,
    COUNT(flow_read) AS flows,
    COALESCE(SUM(kind = 'gap'), 0) AS gaps,
    COALESCE(SUM(kind = 'gap' AND outcome = 'unknown'), 0) AS gaps_counted,
    COALESCE(SUM(disposition = 'alert'), 0) AS alerts,
    COALESCE(SUM(disposition = 'blocked'), 0) AS blocked,
    COALESCE(SUM(kind = 'command'), 0) AS commands
"""
"""Columns in the order of `NAMES`."""
_COUNTS = f"SELECT {COUNTED} FROM events INDEXED BY events_page WHERE session = ?"  # noqa: S608

_INHERITED = """
SELECT COUNT(*) FROM matches WHERE event IN
    (SELECT id FROM events INDEXED BY events_page WHERE session = ? AND kind = 'environment')
"""

_SECRETS = "SELECT COUNT(DISTINCT fingerprint) FROM matches WHERE session = ? AND NOT public"

NAMES = ("reads", "sends", "flows", "gaps", "gaps_counted", "alerts", "blocked", "commands")


def session_counts(connection: sqlite3.Connection, session: str) -> dict[str, int]:
    """The keys of `Session.counts`, over all events of the session."""
    row = connection.execute(_COUNTS, (session,)).fetchone()
    counts = dict(zip(NAMES, row, strict=True))
    counts["inherited"] = connection.execute(_INHERITED, (session,)).fetchone()[0]
    counts["secrets"] = connection.execute(_SECRETS, (session,)).fetchone()[0]
    return counts
