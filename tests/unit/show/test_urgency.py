"""Which credentials must be replaced, and in which order."""

from __future__ import annotations

import pytest
from record_builders import SECOND, START

from agentguard.model.credential import CredentialPlace, CredentialUse, FoundBy, KnownCredential
from agentguard.model.finding import Activity
from agentguard.model.secret import KeyScope
from agentguard.model.verdict import Outcome, Severity
from agentguard.show.issuers import Issuer, load_issuers
from agentguard.show.urgency import DEMANDS, Cause, Standing, cause_of, lies_in, worklist

ISSUERS = {
    "admin": Issuer(name="an admin key", severity=Severity.CRITICAL, scope=KeyScope.ADMIN),
    "project": Issuer(name="a project key", severity=Severity.CRITICAL, scope=KeyScope.PROJECT),
    "weak": Issuer(name="a weak key", severity=Severity.LOW, scope=KeyScope.USER),
}


def keeps_keys(path: str) -> bool:
    return path.endswith("/.env")


def use(way: Activity = Activity.SEND, outcome: Outcome = Outcome.CLEAN, at: int = 10, **changes) -> CredentialUse:
    facts = {"sessions": 1, "agent": "codex", "way": way, "outcome": outcome, "host": "h.example", "count": 1}
    return CredentialUse(**facts | {"first_ns": START, "last_ns": START + at * SECOND} | changes)


def place(path: str, at: int = 10, found_by: FoundBy = FoundBy.SCAN, **changes) -> CredentialPlace:
    return CredentialPlace(
        path=path, found_by=found_by, first_seen_ns=START, last_seen_ns=START + at * SECOND, **changes
    )


def credential(fingerprint: str = "aa", type_id: str = "project", **changes) -> KnownCredential:
    facts = {"fingerprint": fingerprint, "type": type_id, "name": "", "preview": "", "public": False}
    times = {"first_seen_ns": START, "last_seen_ns": START, "issuer_hosts": ()}
    return KnownCredential(**facts | times | changes)


def cause(**changes) -> Cause | None:
    tasks = worklist([credential(**changes)], ISSUERS, keeps_keys)
    return tasks[0].cause if tasks else None


LEAK, PROMPT = use(outcome=Outcome.LEAKED), use(outcome=Outcome.EXPOSED)
COMMIT, LOOSE = place("/r/a.py", commit="ab" * 20), place("/r/a.py")
ROTATED = START + 60 * SECOND


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, None),
        ({"uses": (use(), use(Activity.READ)), "places": (place("/r/.env"),)}, None),
        ({"uses": (PROMPT, LEAK), "places": (COMMIT,)}, Cause.LEAKED),
        ({"uses": (PROMPT,), "places": (COMMIT,)}, Cause.EXPOSED),
        ({"places": (COMMIT, LOOSE)}, Cause.COMMITTED),
        ({"places": (LOOSE,)}, Cause.MISPLACED),
        ({"places": (place("/r/a.py", gone_ns=START + 11 * SECOND),)}, None),
        ({"uses": (use(outcome=Outcome.LEAKED, blocked=True),)}, None),
        ({"uses": (LEAK,), "public": True}, None),
        ({"uses": (LEAK,), "places": (COMMIT, LOOSE), "rotated_ns": ROTATED}, None),
        ({"uses": (use(at=61),), "rotated_ns": ROTATED}, Cause.STILL_USED),
        ({"uses": (use(Activity.READ, at=61),), "rotated_ns": ROTATED}, Cause.STILL_USED),
        ({"places": (place("/r/.env", at=61),), "rotated_ns": ROTATED}, Cause.STILL_USED),
        ({"places": (place("/r/a.py", at=61, commit="ab"),), "rotated_ns": ROTATED}, None),
    ],
)
def test_the_most_urgent_cause_counts(facts: dict, expected: Cause | None) -> None:
    assert cause(**facts) is expected


def test_the_worklist_goes_by_cause_then_by_what_the_key_opens_then_by_the_latest() -> None:
    known = [
        credential("misplaced", "admin", places=(LOOSE,)),
        credential("exposed", "admin", uses=(PROMPT,)),
        credential("used", "weak", uses=(use(at=61),), rotated_ns=ROTATED),
        credential("weak", "weak", uses=(LEAK,)),
        credential("old", "project", uses=(LEAK,)),
        credential("new", "project", uses=(LEAK,), last_seen_ns=START + 1),
        credential("admin", "admin", uses=(LEAK,)),
    ]
    order = [task.credential.fingerprint for task in worklist(known, ISSUERS, keeps_keys)]
    assert order == ["admin", "new", "old", "weak", "used", "exposed", "misplaced"]


def test_a_file_holds_what_the_last_look_saw() -> None:
    gone = place("/a", at=10, gone_ns=START + 30 * SECOND)
    seen = place("/a", at=20, found_by=FoundBy.SESSION)
    assert lies_in(credential(places=(gone, seen))) == []
    later = place("/a", at=40, found_by=FoundBy.SESSION)
    assert lies_in(credential(places=(gone, later, COMMIT))) == [later]


def test_every_cause_says_what_to_do_and_names_the_credential() -> None:
    assert set(DEMANDS) == set(Cause)
    for demand in DEMANDS.values():
        assert "THE_KEY" in demand.do.format(name="THE_KEY")
        assert "THE_KEY" in demand.short.format(name="THE_KEY")
    assert cause_of(Standing()) is None


def test_the_shipped_types_say_how_to_replace_them() -> None:
    issuers = load_issuers()
    key = issuers["openai-project-key"]
    assert (key.provider, key.scope, key.severity) == ("openai", KeyScope.PROJECT, Severity.CRITICAL)
    assert key.page.startswith("https://")
    assert all(issuer.rotation for issuer in issuers.values())
