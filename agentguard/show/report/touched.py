"""What a session touched, each thing once: the files it opened and the places it sent credentials to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agentguard.model.event import Event
from agentguard.model.process import Attribution
from agentguard.model.secret import SecretMatch
from agentguard.model.verdict import Disposition, Verdict
from agentguard.record.reader import Tallies
from agentguard.show.phrases import DESTINATION, match_name, place, process_name

_PUBLIC_PLACES = {
    "pushed-with-git": "a git repository, with its history",
    "published-in-gist": "a gist, open to whoever has its link",
    "published-in-discussion": "a discussion in a repository",
    "published-as-file": "a file in a repository",
    "published-as-package": "a package registry",
    "published-with-npm": "a package registry",
    "sent-to-paste-site": "a site that shows it to whoever has the link",
    "sent-to-request-catcher": "a site that shows the requests it gets",
    "posted-to-chat": "a chat",
}
"""By rule: who receives what is published with it."""


@dataclass(slots=True)
class ReadFile:
    """All opens of one path. Built while events are walked, then only read."""

    path: str
    gravest: Event
    matches: tuple[SecretMatch, ...]
    first_ns: int
    last_ns: int = 0
    count: int = 0
    readers: Counter[str] = field(default_factory=Counter)
    """By the program's name, with how sure that is where it is not exact."""


@dataclass(slots=True)
class Reached:
    """All sends to one host. Built while events are walked, then only read."""

    host: str
    gravest: Event
    first_ns: int
    last_ns: int = 0
    count: int = 0
    """With the repetitions of each."""
    size: int = 0
    """Bytes of the bodies, without what was repeated."""
    got: dict[tuple[str, str], None] = field(default_factory=dict)
    """(credential, where in the request), each once, in order."""
    subjects: list[str] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)


def files_read(reads: Iterable[Event], all_of_them: Tallies | None = None) -> list[ReadFile]:
    """Gravest first, then in the order in which they were first opened. `all_of_them`: when `reads` is only a part."""
    found: dict[str, ReadFile] = {}
    for event in reads:
        finding = event.finding
        path = finding.path or finding.subject
        one = found.setdefault(path, ReadFile(path, event, finding.matches, finding.time_ns))
        one.gravest = max(one.gravest, event, key=lambda each: each.verdict.severity.rank)
        one.matches = one.matches or finding.matches
        one.last_ns = finding.time_ns
        one.count += 1
        one.readers[_reader(event)] += 1
    _complete(found, all_of_them)
    return sorted(found.values(), key=lambda one: -one.gravest.verdict.severity.rank)


def _reader(event: Event) -> str:
    process, sure = event.finding.process, event.finding.attribution
    name = process.name if process else "an unknown process"
    return name if sure is Attribution.EXACT else f"{name} ({sure.value})"


def places_reached(
    sends: Iterable[Event], repeated: Mapping[str, int], all_of_them: Tallies | None = None
) -> list[Reached]:
    """Worst first, then by when each was first sent to.

    Args:
        repeated: uid of a send → how often it was repeated.
        all_of_them: when `sends` is only a part.
    """
    found: dict[str, Reached] = {}
    for event in sends:
        finding = event.finding
        host = finding.host or finding.subject
        one = found.setdefault(host, Reached(host, event, finding.time_ns))
        one.gravest = max(one.gravest, event, key=_gravity)
        one.last_ns = finding.time_ns
        one.count += 1 + repeated.get(finding.uid, 0)
        one.size += finding.size
        one.got |= {(match_name(match), place(match)): None for match in finding.matches}
        for values, value in ((one.subjects, asked(event)), (one.senders, process_name(finding.process))):
            if value not in values:
                values.append(value)
    _complete(found, all_of_them)
    return sorted(found.values(), key=lambda one: _gravity(one.gravest), reverse=True)


def asked(event: Event) -> str:
    """What a request asked for: `POST /api` of `POST https://paste.example/api`, whose host is named beside it."""
    finding = event.finding
    return finding.subject.replace(f"https://{finding.host}/", "/", 1) if finding.host else finding.subject


def _complete(found: Mapping[str, ReadFile | Reached], all_of_them: Tallies | None) -> None:
    """With what happened besides the events at hand."""
    for name, tally in all_of_them.by_name.items() if all_of_them else ():
        if name in found:
            one = found[name]
            one.count, one.first_ns, one.last_ns = tally.count, tally.first_ns, tally.last_ns
            if isinstance(one, Reached):
                one.size = tally.size


def _gravity(event: Event) -> tuple[int, bool, int]:
    """What went through counts for more than what was stopped."""
    verdict = event.verdict
    return verdict.outcome.rank, verdict.disposition is not Disposition.BLOCKED, verdict.severity.rank


def receiver(verdict: Verdict) -> str:
    """Who it is that got it, in words: `model provider`, `a package registry`, `someone else`."""
    published = _PUBLIC_PLACES.get(verdict.rule.rpartition(":")[2])
    return published or (DESTINATION[verdict.destination] if verdict.destination else "a receiver that is not known")
