"""Of `report --format json`. Fields may join; none goes and none changes its meaning."""

from __future__ import annotations

from agentguard.model.verdict import Outcome
from agentguard.show.schemas.check import POSTURE
from agentguard.show.schemas.events import EVENT
from agentguard.show.schemas.sessions import SESSION
from agentguard.show.schemas.words import (
    COUNT,
    FLAG,
    NUMBER,
    NUMBER_OR_NONE,
    TEXT,
    TEXT_OR_NONE,
    TEXTS,
    TIME,
    TIME_OR_NONE,
    document,
    or_none,
    several,
    thing,
    words,
)

_CREDENTIAL = thing(
    fingerprint=TEXT,
    type=TEXT,
    type_name=TEXT,
    name=TEXT,
    preview=TEXT,
    public=FLAG,
    sources=TEXTS,
    issuer_hosts=TEXTS,
    reads=NUMBER,
    sends=TEXTS,
    hosts=TEXTS,
    outcome=words(Outcome),
    rotation=TEXT_OR_NONE,
    rotated=TIME_OR_NONE,
)

REPORT = document(
    "report",
    "one session, with all its events",
    generated=TIME,
    session=SESSION,
    headline=TEXT,
    steps=several(thing(do=TEXT, why=TEXT, page=TEXT_OR_NONE), 1),
    credentials=several(_CREDENTIAL),
    flows=several(
        thing(
            read=TEXT_OR_NONE,
            send=TEXT,
            seconds={"type": "number"},
            fingerprint=TEXT,
            outcome=words(Outcome),
            count={"type": "integer", "minimum": 1},
        )
    ),
    posture=or_none(POSTURE),
    events_total=COUNT,
    events=several(EVENT),
    processes=several(
        thing(
            pid=NUMBER,
            parent_pid=NUMBER_OR_NONE,
            start_time=NUMBER,
            name=TEXT,
            exe=TEXT,
            cmdline=TEXTS,
            first_seen=TIME,
        )
    ),
)
"""`flows` name the `uid` of two events; `credentials` are told apart by their `fingerprint`."""
