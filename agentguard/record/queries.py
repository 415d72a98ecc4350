"""SQL of the reader: which events, in which order. User text never becomes SQL or full-text syntax."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TypedDict

from agentguard.model.finding import Activity, Kind
from agentguard.model.verdict import Disposition, Severity

TRIGRAM = 3
"""Shorter words cannot be looked up in the search index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events. The empty query means all, oldest first."""

    session: str | None = None
    """uid"""
    after: int | None = None
    """Row id; only events recorded after it."""
    before: int | None = None
    """Row id; only events recorded before it."""
    kinds: Collection[Kind] | None = None
    activities: Collection[Activity] | None = None
    dispositions: Collection[Disposition] | None = None
    min_severity: Severity | None = None
    host: str = ""
    """The host itself or a domain above it."""
    process: str = ""
    """A process's name, or its pid in digits."""
    text: str | None = None
    """Words; each must occur somewhere in subject, path, host, process, command line, credential or gap."""
    newest_first: bool = False
    limit: int | None = None
    offset: int = 0
    """Events of the page's order to leave out first."""

    def all_matching(self) -> EventQuery:
        """The same without paging."""
        return replace(self, after=None, before=None, limit=None, offset=0, newest_first=False)


class Narrow(TypedDict, total=False):
    """The fields of `EventQuery` but its session, as keyword arguments."""

    after: int | None
    before: int | None
    kinds: Collection[Kind] | None
    activities: Collection[Activity] | None
    dispositions: Collection[Disposition] | None
    min_severity: Severity | None
    host: str
    process: str
    text: str | None
    newest_first: bool
    limit: int | None
    offset: int


def ids_sql(query: EventQuery) -> tuple[str, list[object]]:
    """SELECT of row ids, in order, one page."""
    where, values = _where(query)
    order = "DESC" if query.newest_first else "ASC"
    page = ""
    if query.limit is not None or query.offset:
        page = " LIMIT ? OFFSET ?"
        values += [-1 if query.limit is None else query.limit, query.offset]
    return f"SELECT id FROM events{where} ORDER BY id {order}{page}", values  # noqa: S608


def count_sql(query: EventQuery) -> tuple[str, list[object]]:
    where, values = _where(query)
    return f"SELECT COUNT(*) FROM events{where}", values  # noqa: S608


def _where(query: EventQuery) -> tuple[str, list[object]]:
    parts: list[str] = []
    values: list[object] = []

    def add(part: str, *bound: object) -> None:
        parts.append(part)
        values.extend(bound)

    if query.session is not None:
        add("session = ?", query.session)
    if query.after is not None:
        add("id > ?", query.after)
    if query.before is not None:
        add("id < ?", query.before)
    for column, chosen in (
        ("kind", query.kinds),
        ("activity", query.activities),
        ("disposition", query.dispositions),
    ):
        if chosen:
            add(f"{column} IN ({', '.join('?' * len(chosen))})", *(word.value for word in chosen))
    if query.min_severity is not None:
        add("severity >= ?", query.min_severity.rank)
    if query.host:
        add("(host = ? OR substr(host, -length(?) - 1) = '.' || ?)", query.host, query.host, query.host)
    if query.process:
        pid = int(query.process) if query.process.isascii() and query.process.isdigit() else -1
        add("(process_name = ? OR pid = ?)", query.process, min(pid, 2**62))
    for part, bound in _text_parts(query.text or ""):
        add(part, *bound)
    return (f" WHERE {' AND '.join(parts)}" if parts else ""), values


def _text_parts(text: str) -> list[tuple[str, list[object]]]:
    """Long words through the index, as quoted phrases; short ones by looking at each row."""
    # A lone surrogate cannot be bound, and NUL ends an FTS expression.
    clean = text.encode("utf-8", "replace").decode().replace("\0", " ")
    words = clean.split()
    long = [word for word in words if len(word) >= TRIGRAM]
    parts: list[tuple[str, list[object]]] = []
    if long:
        phrase = " ".join('"' + word.replace('"', '""') + '"' for word in long)
        parts.append(("id IN (SELECT rowid FROM events_fts WHERE events_fts MATCH ?)", [phrase]))
    for word in words:
        if len(word) < TRIGRAM:
            like = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
            parts.append(("(subject LIKE ? ESCAPE '\\' OR words LIKE ? ESCAPE '\\')", [like, like]))
    return parts
