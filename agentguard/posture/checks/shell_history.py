"""Keys in the history of a shell or of a database's prompt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentguard.model.posture import Check, Fix, Weakness
from agentguard.model.verdict import Severity
from agentguard.posture.checks.in_places import PlaceRule, in_places
from agentguard.posture.evidence import Credential, Evidence
from agentguard.posture.words import lower, shell_path

_WHY = (
    "Every program that you start can read the history, and agents do read it to learn how you work. A key on a "
    "command line was also shown to every user of the machine while it ran."
)
_MOST_LINES = 40


def check(evidence: Evidence) -> Iterator[Weakness]:
    yield from in_places(evidence, _RULE)


def _severity(_evidence: Evidence, one: Credential) -> Severity:
    return lower(one.severity)


def _clean(_evidence: Evidence, one: Credential) -> Sequence[Fix]:
    """The lines are deleted by number: no command that is run to forget a key may hold it."""
    return [
        Fix(
            do=f"Delete the {'line' if len(lines) == 1 else 'lines'}; first close the other shells, which would write "
            "it again",
            command=f"sed -i.bak '{';'.join(f'{line}d' for line in lines[:_MOST_LINES])}' {shell_path(path)} "
            f"&& rm -- {shell_path(path + '.bak')}",
        )
        for path, lines in _lines(one).items()
    ]


def _lines(one: Credential) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for kept in one.places:
        if kept.secret.line:
            found.setdefault(kept.file.name, []).append(kept.secret.line)
    return {path: sorted(set(lines)) for path, lines in found.items()}


_RULE = PlaceRule(
    check=Check.SHELL_HISTORY, place="shell-history", why=_WHY, verb="is in", clean=_clean, severity=_severity
)
