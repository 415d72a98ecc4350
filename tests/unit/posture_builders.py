"""Postures for the tests of record and show."""

from __future__ import annotations

from record_builders import START

from agentguard.model.posture import Breadth, Check, Fix, GoodPractice, Place, Posture, Weakness
from agentguard.model.verdict import Severity


def weakness(path: str, check: Check = Check.HARD_CODED) -> Weakness:
    return Weakness(
        check=check,
        severity=Severity.HIGH,
        title=f"a key in {path}",
        why="It is there.",
        fixes=(Fix(do="Take it out", command=f"rm -- {path}", page="https://example.org/keys"),),
        places=(Place(path=path, line=3, column=2, note="dev"),),
    )


BREADTH = Breadth(home=False, history=True, older_than_days=90)
FIRST = Posture(
    root="/src/shop",
    time_ns=START,
    breadth=BREADTH,
    weaknesses=(weakness("a.py"), weakness("b.py")),
    good=(GoodPractice(what="1 value taken from sops", count=1, places=(Place(path="c.yaml"),)),),
    score=55,
    formula=1,
    files=12,
    commits=3,
    credentials=2,
    notes=("The git history was left out.",),
    seconds=0.25,
)
