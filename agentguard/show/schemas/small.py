"""Of the verbs that answer with a few facts: status, verify, doctor, hook status, policy."""

from __future__ import annotations

from agentguard.model.session import SensorState
from agentguard.model.verdict import Disposition, Outcome, Severity
from agentguard.show.schemas.sessions import SESSION
from agentguard.show.schemas.words import (
    COUNT,
    FLAG,
    TEXT,
    TEXT_OR_NONE,
    TEXTS,
    TIME_OR_NONE,
    counts,
    document,
    or_none,
    said,
    several,
    thing,
    words,
)
from agentguard.show.urgency import Cause

VERIFY = document(
    "verify",
    "the hash chain of the log",
    whole=said(FLAG, "Nothing was changed."),
    sessions=COUNT,
    events=COUNT,
    unsealed=said(TEXTS, "uids of sessions whose end is open: they run, or their guard died."),
    purged=said(COUNT, "Sessions that were purged; the register keeps their seals."),
    purged_before=said(TIME_OR_NONE, "They all ended before then."),
    half_purged=said(TEXTS, "uids of those that an interrupted purge has left something of; not checked."),
    problems=several(
        thing(
            session=said(TEXT, "uid; empty for the register of all sessions."),
            seq=said(COUNT, "Of the event; 0 when it is not about one."),
            what=TEXT,
        )
    ),
)

STATUS = document(
    "status",
    "where you stand",
    running=several(SESSION),
    guard_died=several(SESSION),
    last=said(or_none(SESSION), "The one that ended last."),
    to_rotate=thing(count=COUNT, first=or_none(thing(fingerprint=TEXT, name=TEXT, cause=words(Cause)))),
    gaps_counted=COUNT,
    sensors_down=several(thing(sensor=TEXT, state=words(SensorState), reason=TEXT)),
    next=said(thing(command=TEXT, why=TEXT), "The one thing to do."),
)

_OFF = "off: it cannot serve here, and nobody has asked for it."

DOCTOR = document(
    "doctor",
    "what can run on this machine",
    checks=several(thing(name=TEXT, state=said({"enum": ["ok", "off", "warning", "bad"]}, _OFF), detail=TEXT), 1),
)

HOOK_STATUS = document(
    "hook-status",
    "whether the git gate stands",
    repositories=several(
        thing(
            top=TEXT,
            folder=TEXT,
            kind=TEXT,
            husky=FLAG,
            problem=said(TEXT_OR_NONE, "Why a gate that stands there cannot be relied on."),
            hooks_path=TEXT_OR_NONE,
            set_by=TEXT_OR_NONE,
            hooks=several(thing(hook=TEXT, path=TEXT, state=TEXT, chained=FLAG)),
        ),
        1,
    ),
)

_RULE = thing(
    rule=said(TEXT, "FILE:ID"),
    line=COUNT,
    description=TEXT,
    when=counts(TEXTS),
    disposition=words(Disposition),
    severity=words(Severity),
    outcome=words(Outcome),
    stricter_only=said(FLAG, "Of a repository that is not trusted: it counts only where it is stricter."),
)
_STEP = thing(rule=TEXT, fired=FLAG, why=TEXT)

POLICY_LIST = document("policy-list", "the rules in force, in the order they are tried", rules=several(_RULE))

POLICY_CHECK = document(
    "policy-check",
    "whether a policy is valid",
    valid=FLAG,
    problems=TEXTS,
    rules=COUNT,
    sources=TEXTS,
    trusted=said(FLAG, "False: the repository's own policy may only make verdicts stricter."),
    gateways=TEXTS,
    gateways_not_trusted=TEXTS,
)

POLICY_TEST = document(
    "policy-test",
    "the examples written in a policy",
    examples=COUNT,
    failures=several(thing(rule=TEXT, line=COUNT, expected=said(FLAG, "That the rule fires."), fired=TEXT)),
)

POLICY_EXPLAIN = document(
    "policy-explain",
    "which rule decides a situation",
    units=several(
        thing(
            type=TEXT_OR_NONE,
            place=TEXT_OR_NONE,
            destinations=TEXTS,
            tried=several(_STEP),
            tried_stricter=several(_STEP),
            rule=TEXT,
        )
    ),
    disposition=words(Disposition),
    severity=words(Severity),
    outcome=words(Outcome),
    rule=TEXT,
    reason=TEXT,
)
