"""Of `report --since ... --format json` and `compare --format json`."""

from __future__ import annotations

from agentguard.model.finding import Activity
from agentguard.model.verdict import Disposition, Outcome, Severity
from agentguard.show.schemas.sessions import COVERAGE, SESSION
from agentguard.show.schemas.words import (
    COUNT,
    FLAG,
    TEXT,
    TEXT_OR_NONE,
    TEXTS,
    TIME,
    TIME_OR_NONE,
    Schema,
    counts,
    document,
    or_none,
    said,
    several,
    thing,
    words,
)

_OUTCOMES = thing(**{outcome.value: COUNT for outcome in Outcome})
_TALLY: dict[str, Schema] = {
    "events": COUNT,
    "sessions": COUNT,
    "severity": words(Severity),
    "first": TIME,
    "last": TIME,
}

REPORT_RANGE = document(
    "report-range",
    "several sessions, added up",
    generated=TIME,
    since=TIME,
    until=TIME_OR_NONE,
    agent=TEXT_OR_NONE,
    outcome=said(words(Outcome), "The worst."),
    outcomes=_OUTCOMES,
    counts=counts(),
    sessions=said(several(SESSION), "Oldest first."),
    days=several(
        thing(
            day={"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"}, sessions=COUNT, outcomes=_OUTCOMES, counts=counts()
        )
    ),
    credentials=several(
        thing(
            fingerprint=TEXT,
            type=TEXT,
            type_name=TEXT,
            name=TEXT,
            preview=TEXT,
            public=FLAG,
            rotated=TIME_OR_NONE,
            outcome=words(Outcome),
            sessions=said(COUNT, "In how many of them it was used."),
            agents=TEXTS,
            hosts=TEXTS,
        )
    ),
    destinations=several(thing(host=TEXT, outcome=words(Outcome), blocked=FLAG, **_TALLY)),
    gaps=several(thing(type=TEXT, remedy=TEXT, **_TALLY)),
    rules=several(thing(rule=TEXT, disposition=words(Disposition), **_TALLY)),
)

_CHANGE: Schema = {"enum": ["new", "gone", "both"]}
_SEEN = or_none(thing(events=COUNT, severity=words(Severity), first=TIME, last=TIME))


def _changes(**key: Schema) -> Schema:
    return several(thing(change=_CHANGE, **key, before=_SEEN, after=_SEEN))


COMPARE = document(
    "compare",
    "one session against an earlier one",
    generated=TIME,
    before=SESSION,
    after=SESSION,
    credentials=several(
        thing(
            change=_CHANGE,
            fingerprint=TEXT,
            type=TEXT,
            name=TEXT,
            preview=TEXT,
            public=FLAG,
            outcome_before=or_none(words(Outcome)),
            outcome_after=or_none(words(Outcome)),
            hosts=TEXTS,
        )
    ),
    destinations=_changes(host=TEXT, outcome=words(Outcome), blocked=FLAG),
    files=_changes(path=TEXT, activity=words(Activity)),
    commands=_changes(subject=TEXT),
    rules=_changes(rule=TEXT, disposition=words(Disposition)),
    sensors=said(
        several(thing(sensor=TEXT, before=or_none(COVERAGE), after=or_none(COVERAGE))),
        "Those that did not stand in both as in one.",
    ),
)
