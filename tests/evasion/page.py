"""Writes the README's coverage pages from the tables.

python -m evasion.page            rewrites the sections of README.md
python -m evasion.page --check    1 when one is out of date
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evasion.claim import Claim, Claimed, Family
from evasion.reads.table import FAMILIES as READS
from evasion.sends.lookalikes import LOOKALIKES
from evasion.sends.table import AGENTS, CLIENTS
from evasion.sends.table import FAMILIES as SENDS

README = Path(__file__).resolve().parents[2] / "README.md"
_MARK = {Claim.EXACT: "✓ exact", Claim.LOWER: "~ lower", Claim.GAP: "? gap", Claim.MISSED: "✗ missed"}


@dataclass(frozen=True, slots=True)
class Section:
    """One coverage page."""

    name: str
    """Of its markers."""
    head: str
    families: tuple[Family[Claimed], ...]
    noun: str = "ways"

    @property
    def begin(self) -> str:
        return f"<!-- {self.name}:begin (scripts/coverage-page writes this) -->"

    @property
    def end(self) -> str:
        return f"<!-- {self.name}:end -->"

    @property
    def ways(self) -> tuple[Claimed, ...]:
        return tuple(way for family in self.families for way in family.ways)

    def text(self) -> str:
        """Markers included."""
        parts = [self.begin, "", self.head.format(counts=_counts(self.ways, self.noun)), _worst(self.ways)]
        parts += [_family(family, self.noun) for family in self.families]
        return "\n".join([*parts, self.end])


_READS = """## Coverage: ways to read a secret

**{counts}.**

Each is tried in a real session, as root and as an ordinary user. A claim that does not hold, and a miss that is seen
after all, is a failing test (`tests/evasion/reads`).

- **exact**: the event names the process that opened the file, identified while it was held, its whole chain of parents,
  and what the file held.
- **lower**: it is an event, and part of that is missing.
- **gap**: no event names a reader; a gap in the record says that there was something.
- **missed**: nothing is recorded.
"""
_SENDS = """## Coverage: ways to send a secret

**{counts}.**

Each is tried in a real session on a network of its own, the clients as root and the rest as an ordinary user: a process
reads a secret of no known form, a client sends it to a server under a name of the outside world, and the server shows
that it arrived. A claim that does not hold, and a miss that is seen after all, is a failing test
(`tests/evasion/sends`), and so is anything that comes of {quiet} look-alikes: ids of containers, checksums, lock files,
bundles, pictures.

- **exact**: the event names the secret, the process that sent it with its whole chain of parents, the host, and the
  read that it came from.
- **lower**: it is an event, and part of that is missing.
- **gap**: no event names the secret; a gap that keeps the session from being called clean names the process.
- **missed**: nothing is recorded, or what is recorded is thought harmless.
"""
_CLIENTS = """## Coverage: clients

**{counts}.**

Programs as they are installed, with no setting but what a session gives them, in the same sessions. Where a client has
a login of its own, it shows it to its own service too, and nothing must come of that. The agents are led through a
script by a scripted model on loopback (`tests/e2e/test_real_agents.py`).
"""
SECTIONS = (
    Section("reads", _READS, READS),
    Section("sends", _SENDS.replace("{quiet}", str(len(LOOKALIKES))), SENDS),
    Section("clients", _CLIENTS, (CLIENTS, AGENTS), "clients"),
)


def with_pages(readme: str) -> str:
    """The README with its sections replaced.

    Raises:
        ValueError: a marker is missing.
    """
    for section in SECTIONS:
        before, after = readme.index(section.begin), readme.index(section.end) + len(section.end)
        readme = readme[:before] + section.text() + readme[after:]
    return readme


def _counts(ways: Sequence[Claimed], noun: str) -> str:
    """ "61 ways: 55 exact, 3 lower, 2 gap, 1 missed"."""
    counted = Counter(way.claim for way in ways)
    if len(counted) == 1:
        return f"{len(ways)} {noun}, all {ways[0].claim}"
    return f"{len(ways)} {noun}: " + ", ".join(f"{counted[claim]} {claim}" for claim in Claim if counted[claim])


def _worst(ways: Sequence[Claimed]) -> str:
    """What a reader wants to know first: those that are not exact."""
    worst = [way for way in ways if way.claim is not Claim.EXACT]
    worst.sort(key=lambda way: list(Claim).index(way.claim))
    return "\n".join(["Not exact:", "", *_table(worst)]) if worst else ""


def _family(family: Family[Claimed], noun: str) -> str:
    summary = f"<details><summary>{family.title}: {_counts(family.ways, noun)}</summary>"
    return "\n".join([summary, "", *_table(family.ways), "</details>"])


def _table(ways: Sequence[Claimed]) -> list[str]:
    rows = [f"| {way.title} | {_claim(way)} | {way.remark} |".replace("|  |", "| |") for way in ways]
    return ["| way | claim | remark |", "|---|---|---|", *rows, ""]


def _claim(way: Claimed) -> str:
    captured = getattr(way, "captured", None)
    return _MARK[way.claim] + (f"; {_MARK[captured]} with `--capture`" if captured else "")


def main() -> int:
    readme = README.read_text()
    wanted = with_pages(readme)
    if "--check" in sys.argv[1:]:
        return int(readme != wanted)
    README.write_text(wanted)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
