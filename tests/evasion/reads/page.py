"""Writes the README's coverage page from the table.

python -m evasion.reads.page            rewrites the section of README.md
python -m evasion.reads.page --check    1 when it is out of date
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from evasion.reads.table import FAMILIES, WAYS
from evasion.reads.way import Claim, Family, Way

README = Path(__file__).resolve().parents[3] / "README.md"
BEGIN, END = "<!-- reads:begin (scripts/coverage-page writes this) -->", "<!-- reads:end -->"
_MARK = {Claim.EXACT: "✓ exact", Claim.LOWER: "~ lower", Claim.GAP: "? gap", Claim.MISSED: "✗ missed"}
_HEAD = """## Coverage: ways to read a secret

**{counts}.**

Each is tried in a real session, as root and as an ordinary user. A claim that does not hold, and a miss that is seen
after all, is a failing test (`tests/evasion/reads`).

- **exact**: the event names the process that opened the file, identified while it was held, its whole chain of parents,
  and what the file held.
- **lower**: it is an event, and part of that is missing.
- **gap**: no event names a reader; a gap in the record says that there was something.
- **missed**: nothing is recorded.
"""


def page() -> str:
    """The section, markers included."""
    parts = [BEGIN, "", _HEAD.format(counts=_counts(WAYS)), _worst()]
    parts += [_family(family) for family in FAMILIES]
    return "\n".join([*parts, END])


def with_page(readme: str) -> str:
    """The README with its section replaced.

    Raises:
        ValueError: it has not both markers.
    """
    before, after = readme.index(BEGIN), readme.index(END) + len(END)
    return readme[:before] + page() + readme[after:]


def _counts(ways: Sequence[Way]) -> str:
    """ "61 ways: 55 exact, 3 lower, 2 gap, 1 missed"."""
    counted = Counter(way.claim for way in ways)
    if len(counted) == 1:
        return f"{len(ways)} ways, all {ways[0].claim}"
    return f"{len(ways)} ways: " + ", ".join(f"{counted[claim]} {claim}" for claim in Claim if counted[claim])


def _worst() -> str:
    """What a reader wants to know first: those that are not exact."""
    ways = sorted((way for way in WAYS if way.claim is not Claim.EXACT), key=lambda way: list(Claim).index(way.claim))
    return "\n".join(["Not exact:", "", *_table(ways)])


def _family(family: Family) -> str:
    summary = f"<details><summary>{family.title}: {_counts(family.ways)}</summary>"
    return "\n".join([summary, "", *_table(family.ways), "</details>"])


def _table(ways: Sequence[Way]) -> list[str]:
    rows = [f"| {way.title} | {_MARK[way.claim]} | {way.remark} |".replace("|  |", "| |") for way in ways]
    return ["| way | claim | remark |", "|---|---|---|", *rows, ""]


def main() -> int:
    readme = README.read_text()
    wanted = with_page(readme)
    if "--check" in sys.argv[1:]:
        return int(readme != wanted)
    README.write_text(wanted)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
