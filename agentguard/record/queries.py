"""SQL of the reader: which events, in which order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TypedDict

from agentguard.model.finding import Activity, Kind
from agentguard.model.verdict import Disposition, Severity
from agentguard.record.terms import Field, Layout, Term, bindable, term_sql


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
    terms: tuple[Term, ...] = ()
    """Each must hold."""
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
    terms: tuple[Term, ...]
    text: str | None
    newest_first: bool
    limit: int | None
    offset: int


def ids_sql(query: EventQuery, layout: Layout) -> tuple[str, list[object]]:
    """SELECT of row ids, in order, one page."""
    where, values = _where(query, layout)
    order = "DESC" if query.newest_first else "ASC"
    page = ""
    if query.limit is not None or query.offset:
        page = " LIMIT ? OFFSET ?"
        values += [-1 if query.limit is None else query.limit, query.offset]
    return f"SELECT id FROM events{where} ORDER BY id {order}{page}", values  # noqa: S608


def count_sql(query: EventQuery, layout: Layout) -> tuple[str, list[object]]:
    where, values = _where(query, layout)
    return f"SELECT COUNT(*) FROM events{where}", values  # noqa: S608


_VALUES = {
    Field.SESSION: "SELECT uid FROM sessions ORDER BY start_ns DESC",
    Field.AGENT: "SELECT agent FROM sessions GROUP BY agent ORDER BY MAX(start_ns) DESC",
    Field.PROCESS: "SELECT name FROM processes GROUP BY name ORDER BY COUNT(*) DESC",
}
_VALUES_OF_INVENTORY = {
    Field.HOST: "SELECT host FROM credential_uses WHERE host <> '' GROUP BY host ORDER BY MAX(last_ns) DESC",
    Field.TYPE: "SELECT type FROM credentials GROUP BY type ORDER BY MAX(last_seen_ns) DESC",
}
MOST_VALUES = 500


def values_sql(field: Field, layout: Layout) -> tuple[str, list[object]]:
    """SELECT of the values that the record's small tables hold for a field; no row for the others."""
    known = _VALUES | (_VALUES_OF_INVENTORY if layout.inventory else {})
    return f"{known.get(field, 'SELECT NULL WHERE FALSE')} LIMIT ?", [MOST_VALUES]


def _where(query: EventQuery, layout: Layout) -> tuple[str, list[object]]:
    parts: list[str] = []
    values: list[object] = []

    def add(part: str, *bound: object) -> None:
        parts.append(part)
        values.extend(bound)

    if query.session is not None:
        add("session = ?", bindable(query.session))
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
    words = bindable(query.text or "").split()
    for term in (*query.terms, *(Term(Field.TEXT, (word,)) for word in words)):
        for part, bound in term_sql(term, layout):
            add(part, *bound)
    return (f" WHERE {' AND '.join(parts)}" if parts else ""), values
