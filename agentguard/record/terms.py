"""One condition on events, and its SQL. User text is always bound, and never becomes SQL or full-text syntax."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agentguard.model.verdict import Disposition, Outcome, Severity

TRIGRAM = 3
"""Shorter texts cannot be looked up in the search index."""
_LARGEST = 2**63 - 1
_GLOB = "*?"


class Field(StrEnum):
    """What a term asks about, by the name a person types."""

    SESSION = "session"
    AGENT = "agent"
    KIND = "kind"
    ACTIVITY = "activity"
    SEVERITY = "severity"
    OUTCOME = "outcome"
    DISPOSITION = "disposition"
    HOST = "host"
    PROCESS = "process"
    PID = "pid"
    PATH = "path"
    TYPE = "type"
    RULE = "rule"
    TIME = "time"
    IS = "is"
    TEXT = "text"


class Mark(StrEnum):
    """What `Field.IS` may ask."""

    FINDING = "finding"
    """A person should look at it: an alert, or blocked."""
    FLOW = "flow"
    """A send of a value that was read before."""
    SEEN = "seen"
    """Someone looked at it and said so."""
    EXPECTED = "expected"
    """Someone said that it is as it should be."""


@dataclass(frozen=True, slots=True)
class Marked:
    """What a person said of an event."""

    mark: Mark
    rule: str
    """FILE:ID of the rule that was written for it; "" for none."""
    time_ns: int


class Compare(StrEnum):
    """How an event's value stands to the term's."""

    IS = "="
    AT_LEAST = ">="
    AT_MOST = "<="


@dataclass(frozen=True, slots=True)
class Term:
    """One condition; any of its values will do. Host, process, path, type and rule take `*` and `?`."""

    field: Field
    values: tuple[str, ...]
    """As typed and valid for the field; of `TIME` nanoseconds since the epoch, of `PID` digits."""
    compare: Compare = Compare.IS
    """Other than `IS` for severity, outcome and time only, which then have one value."""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """What the database at hand has; an older version's lacks some of it."""

    search: bool = True
    """The full-text index."""
    inventory: bool = True
    triage: bool = True


Part = tuple[str, list[object]]


def term_sql(term: Term, layout: Layout) -> list[Part]:
    """Conditions on a row of `events`, all of which must hold."""
    found = [_one(term, bindable(value), layout) for value in term.values]
    exact = " OR ".join(f"({sql})" for sql, _ in found)
    values = [value for _, bound in found for value in bound]
    if term.negated:
        return [(f"NOT ({exact})", values)]
    return [*_near(term, layout), (f"({exact})", values)]


def _near(term: Term, layout: Layout) -> list[Part]:
    """What the search index knows of the values: it leaves few rows for the exact comparison, which reads each."""
    if not layout.search or term.field not in (Field.HOST, Field.PROCESS, Field.PATH):
        return []
    runs = [_longest_run(bindable(value)) for value in term.values]
    if any(len(run) < TRIGRAM or run.isdigit() for run in runs):  # a pid is not in the index
        return []
    return [_match(" OR ".join(map(_phrase, runs)))]


def _one(term: Term, value: str, layout: Layout) -> Part:
    return _BUILD[term.field](term, value, layout)


def _session(_term: Term, value: str, _layout: Layout) -> Part:
    return "session IN (SELECT uid FROM sessions WHERE substr(uid, 1, length(?)) = ?)", [value, value]


def _agent(_term: Term, value: str, _layout: Layout) -> Part:
    glob = _glob(value)
    sql = "session IN (SELECT uid FROM sessions WHERE lower(agent) GLOB ? OR lower(agent_name) GLOB ?)"
    return sql, [glob, glob]


def _column(term: Term, value: str, _layout: Layout) -> Part:
    return f"{term.field.value} = ?", [value]


def _severity(term: Term, value: str, _layout: Layout) -> Part:
    return f"severity {term.compare.value} ?", [Severity(value).rank]


def _outcome(term: Term, value: str, _layout: Layout) -> Part:
    wanted = Outcome(value).rank
    found = [one.value for one in Outcome if _compares(one.rank, term.compare, wanted)]
    return f"outcome IN ({', '.join('?' * len(found))})", list(found)


def _compares(one: int, compare: Compare, other: int) -> bool:
    return {Compare.IS: one == other, Compare.AT_LEAST: one >= other, Compare.AT_MOST: one <= other}[compare]


def _time(term: Term, value: str, _layout: Layout) -> Part:
    return f"time_ns {term.compare.value} ?", [int(value)]


def _host(_term: Term, value: str, _layout: Layout) -> Part:
    if _has_glob(value):
        return "lower(host) GLOB ?", [_glob(value)]
    host = value.lower()
    return "(lower(host) = ? OR substr(lower(host), -length(?) - 1) = '.' || ?)", [host, host, host]


def _process(_term: Term, value: str, _layout: Layout) -> Part:
    if value.isascii() and value.isdigit():
        return "(process_name = ? OR pid = ?)", [value, min(int(value), _LARGEST)]
    return "lower(process_name) GLOB ?", [_glob(value)]


def _pid(_term: Term, value: str, _layout: Layout) -> Part:
    return "pid = ?", [min(int(value), _LARGEST)]


def _path(_term: Term, value: str, _layout: Layout) -> Part:
    if _has_glob(value):
        return "lower(path) GLOB ?", [_glob(value)]
    return "path LIKE ? ESCAPE '\\'", [_like(value)]


def _type(_term: Term, value: str, layout: Layout) -> Part:
    of_known = "SELECT event FROM matches JOIN credentials USING (fingerprint) WHERE credentials.type GLOB ?"
    of_events = (
        "SELECT event FROM matches JOIN events AS one ON one.id = matches.event, json_each(one.json, '$.matches') "
        "WHERE json_extract(json_each.value, '$.type') GLOB ?"
    )
    return f"id IN ({of_known if layout.inventory else of_events})", [_glob(value)]


def _rule(_term: Term, value: str, _layout: Layout) -> Part:
    """`FILE:ID`, or the id alone."""
    glob = _glob(value)
    return "(lower(json_extract(json, '$.rule')) GLOB ? OR lower(json_extract(json, '$.rule')) GLOB '*:' || ?)", [
        glob,
        glob,
    ]


def _is(_term: Term, value: str, layout: Layout) -> Part:
    mark = Mark(value)
    if mark is Mark.FINDING:
        return "disposition IN (?, ?)", [Disposition.ALERT.value, Disposition.BLOCKED.value]
    if mark is Mark.FLOW:
        return "flow_read IS NOT NULL", []
    if not layout.triage:
        return "FALSE", []
    return "id IN (SELECT event FROM triage WHERE mark = ?)", [mark.value]


def _text(_term: Term, value: str, layout: Layout) -> Part:
    if layout.search and len(value) >= TRIGRAM:
        return _match(_phrase(value))
    like = _like(value)
    return "(subject LIKE ? ESCAPE '\\' OR words LIKE ? ESCAPE '\\')", [like, like]


_BUILD = {
    Field.SESSION: _session,
    Field.AGENT: _agent,
    Field.KIND: _column,
    Field.ACTIVITY: _column,
    Field.DISPOSITION: _column,
    Field.SEVERITY: _severity,
    Field.OUTCOME: _outcome,
    Field.HOST: _host,
    Field.PROCESS: _process,
    Field.PID: _pid,
    Field.PATH: _path,
    Field.TYPE: _type,
    Field.RULE: _rule,
    Field.TIME: _time,
    Field.IS: _is,
    Field.TEXT: _text,
}


def bindable(text: str) -> str:
    """A lone surrogate cannot be bound, and NUL ends a full-text expression."""
    return text.encode("utf-8", "replace").decode().replace("\0", " ")


def _match(expression: str) -> Part:
    return "id IN (SELECT rowid FROM events_fts WHERE events_fts MATCH ?)", [expression]


def _phrase(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _like(text: str) -> str:
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def _has_glob(text: str) -> bool:
    return any(sign in text for sign in _GLOB)


def _glob(text: str) -> str:
    """In lower case; SQLite's own sets in brackets mean nothing here."""
    return text.lower().replace("[", "[[]")


def _longest_run(text: str) -> str:
    """Of what stands between the signs of a glob."""
    for sign in _GLOB:
        text = text.replace(sign, "\0")
    return max(text.split("\0"), key=len)
