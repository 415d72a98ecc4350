"""Of `events --format json`; each line of `--format jsonl` is one of its items."""

from __future__ import annotations

from agentguard.model.access import Access
from agentguard.model.finding import Activity, Kind
from agentguard.model.observation import GapType
from agentguard.model.process import Attribution, Confidence
from agentguard.model.verdict import Destination, Disposition, Outcome, Severity
from agentguard.show.schemas.words import (
    FLAG,
    NUMBER,
    NUMBER_OR_NONE,
    TEXT,
    TEXT_OR_NONE,
    TEXTS,
    TIME,
    or_none,
    published,
    said,
    several,
    thing,
    words,
)

_PROCESS = thing(
    pid=NUMBER,
    name=TEXT,
    exe=TEXT,
    cmdline=TEXTS,
    start_time=NUMBER,
    ancestors=several(thing(pid=NUMBER, name=TEXT)),
)

_MATCH = thing(
    type=TEXT,
    name=TEXT,
    fingerprint=TEXT,
    preview=TEXT,
    place=TEXT,
    encoding=TEXTS,
    issuer_hosts=TEXTS,
    checksum_valid={"type": ["boolean", "null"]},
    public=FLAG,
    source_path=TEXT_OR_NONE,
    access=words(Access),
)

_GAP = thing(
    type=words(GapType),
    sensor=TEXT,
    detail=TEXT,
    remedy=TEXT,
    count=NUMBER,
    covered_by=TEXT_OR_NONE,
    secret_within_reach=FLAG,
    counts=FLAG,
)

EVENT = thing(
    uid=said(TEXT, "Unique in the database; `flow.read` and `repeats` name one."),
    time=TIME,
    session=TEXT,
    agent=TEXT,
    seq=said({"type": "integer", "minimum": 1}, "Place in the chain of its session: 1, 2, 3 without a hole."),
    kind=words(Kind),
    activity=words(Activity),
    subject=said(TEXT, "One redacted line for a person."),
    path=said(TEXT_OR_NONE, "Of a file, absolute."),
    host=said(TEXT_OR_NONE, "Receiver of a send: the host that was proved, by its certificate or its address."),
    port=NUMBER_OR_NONE,
    asked_host=said(TEXT_OR_NONE, "The request's own Host, where that is another one: domain fronting."),
    method=TEXT_OR_NONE,
    protocol=TEXT_OR_NONE,
    bytes=said(NUMBER_OR_NONE, "Of a send's body, as far as it had come when this was told."),
    sensor=TEXT,
    process=or_none(_PROCESS),
    attribution=said(words(Attribution), "How the process is known."),
    confidence=words(Confidence),
    matches=said(several(_MATCH), "The credentials in it; never their values."),
    flow=said(
        or_none(thing(read=TEXT, seconds={"type": "number"}, fingerprint=TEXT)),
        "Of a send: the event that read the same value before, and how long before.",
    ),
    file=or_none(thing(kind=TEXT, agent=TEXT_OR_NONE)),
    command_rule=TEXT_OR_NONE,
    gap=or_none(_GAP),
    count=said(
        {"type": "integer", "minimum": 1}, "How many sends it tells of; more than 1 with activity `repeat` only."
    ),
    repeats=said(TEXT_OR_NONE, "Of activity `repeat`: uid of the event that told the first of them."),
    destination={"enum": [*(one.value for one in Destination), None]},
    severity=words(Severity),
    disposition=words(Disposition),
    outcome=said(words(Outcome), "What it adds to the session's outcome."),
    rule=said(TEXT, "FILE:ID of the policy rule that said so."),
    reason=TEXT,
)

EVENTS = published("events", "events, oldest first", several(EVENT))
