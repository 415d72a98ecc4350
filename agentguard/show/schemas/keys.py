"""Of `keys --format json`."""

from __future__ import annotations

from agentguard.model.credential import FoundBy
from agentguard.model.finding import Activity
from agentguard.model.secret import KeyScope
from agentguard.model.verdict import Outcome, Severity
from agentguard.show.schemas.words import (
    COUNT,
    FLAG,
    NUMBER_OR_NONE,
    TEXT,
    TEXT_OR_NONE,
    TEXTS,
    TIME,
    TIME_OR_NONE,
    document,
    or_none,
    said,
    several,
    thing,
    words,
)
from agentguard.show.urgency import Cause

_TASK = thing(
    fingerprint=TEXT,
    cause=words(Cause),
    urgency=TEXT,
    do=TEXT,
    why=TEXT,
    page=TEXT_OR_NONE,
    rotation=TEXT_OR_NONE,
)

_PLACE = thing(
    path=said(TEXT, "Absolute; a member of an archive stands behind a `!`."),
    line=NUMBER_OR_NONE,
    commit=TEXT_OR_NONE,
    commit_time=TIME_OR_NONE,
    found_by=words(FoundBy),
    first_seen=TIME,
    last_seen=TIME,
    gone=said(TIME_OR_NONE, "When it was looked for again and was not there."),
)

_READER = thing(agent=TEXT, way=words(Activity), count=COUNT, sessions=COUNT, first=TIME, last=TIME, processes=TEXTS)

_RECEIVER = thing(
    host=TEXT_OR_NONE,
    outcome=words(Outcome),
    blocked=FLAG,
    count=COUNT,
    first=TIME,
    last=TIME,
    agent=TEXT,
    process=TEXT_OR_NONE,
)

_CREDENTIAL = thing(
    fingerprint=said(TEXT, "HMAC of the value under a key that never leaves the home folder."),
    type=TEXT,
    type_name=TEXT,
    provider=TEXT_OR_NONE,
    scope=words(KeyScope),
    severity=words(Severity),
    name=TEXT,
    preview=TEXT,
    public=FLAG,
    issuer_hosts=TEXTS,
    first_seen=TIME,
    last_seen=TIME,
    rotated=TIME_OR_NONE,
    outcome=said(words(Outcome), "The worst that one of its sends came to."),
    cause=said(or_none(words(Cause)), "Why it must be replaced; null when it need not."),
    places=several(_PLACE),
    readers=several(_READER),
    receivers=several(_RECEIVER),
)

KEYS = document(
    "keys",
    "every credential seen, and what to rotate first",
    generated=TIME,
    worklist=several(_TASK),
    credentials=several(_CREDENTIAL),
)
