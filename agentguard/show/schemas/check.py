"""Of `check --format json`, and of what a report says of the folder."""

from __future__ import annotations

from agentguard.model.posture import Check
from agentguard.model.verdict import Severity
from agentguard.show.schemas.words import (
    FLAG,
    NUMBER,
    TEXT,
    TEXT_OR_NONE,
    TEXTS,
    TIME,
    document,
    or_none,
    several,
    thing,
    words,
)

_PLACES = several(thing(path=TEXT, line=NUMBER, column=NUMBER, note=TEXT))

POSTURE = thing(
    root=TEXT,
    time=TIME,
    seconds={"type": "number"},
    breadth=thing(home=FLAG, history=FLAG, older_than_days=NUMBER),
    score={"type": "integer", "minimum": 0},
    formula=NUMBER,
    earlier=or_none(thing(time=TIME, score=NUMBER, put_right=NUMBER, new=NUMBER)),
    counts=thing(**{severity.value: NUMBER for severity in Severity}),
    files=NUMBER,
    commits=NUMBER,
    credentials=NUMBER,
    findings=several(
        thing(
            id=TEXT,
            check=words(Check),
            severity=words(Severity),
            title=TEXT,
            why=TEXT,
            fixes=several(thing(do=TEXT, command=TEXT_OR_NONE, page=TEXT_OR_NONE)),
            places=_PLACES,
            type=TEXT_OR_NONE,
            name=TEXT,
            preview=TEXT,
            fingerprint=TEXT_OR_NONE,
        )
    ),
    good=several(thing(what=TEXT, count=NUMBER, places=_PLACES)),
    unread=several(thing(path=TEXT, reason=TEXT)),
    notes=TEXTS,
)

CHECK = document("check", "how credentials are kept in a folder", **POSTURE["properties"])
