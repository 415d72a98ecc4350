"""Of `notify list` and `notify test`, and of the object that a command or a webhook gets."""

from __future__ import annotations

from agentguard.model.verdict import Severity
from agentguard.show.notify.alarm import Need
from agentguard.show.notify.settings import Kind
from agentguard.show.schemas.words import (
    COUNT,
    FLAG,
    TEXT,
    TEXT_OR_NONE,
    TIME,
    document,
    or_none,
    said,
    several,
    thing,
    words,
)

NOTIFY = document(
    "notify",
    "the channels that notifications go by",
    channels=several(
        thing(
            channel=TEXT,
            kind=words(Kind),
            last=said(or_none(thing(time=TIME, delivered=FLAG, text=TEXT)), "Its last delivery."),
        )
    ),
)

_ALARM = thing(
    need=words(Need),
    severity=words(Severity),
    time=TIME,
    event=said(TEXT, "uid of the first event."),
    count=said({"type": "integer", "minimum": 1}, "How many like it."),
    subject=TEXT,
    destination=TEXT_OR_NONE,
    process=TEXT_OR_NONE,
    rule=TEXT,
    reason=TEXT,
    credentials=several(thing(name=TEXT, type=TEXT, preview=TEXT, fingerprint=TEXT)),
    more_credentials=COUNT,
)

NOTIFICATION = document(
    "notification",
    "what a command or a webhook gets",
    uid=said(TEXT, "The same however often it is tried."),
    time=TIME,
    session=said(TEXT, "uid"),
    agent=TEXT,
    agent_name=TEXT,
    test=said(FLAG, "Nothing has happened: `agentguard notify test`."),
    need=said(words(Need), "The gravest of the alarms."),
    severity=words(Severity),
    title=TEXT,
    text=TEXT,
    next=said(TEXT, "What to do."),
    alarms=several(_ALARM, 1),
    more=said(COUNT, "Alarms beyond those."),
    lost=said(COUNT, "Alarms that came too fast to be looked at; all are on record."),
)
