"""What was done with a credential, in words. Not escaped: hosts, paths and programs are anyone's to name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

from agentguard.model.credential import CredentialPlace, CredentialUse, KnownCredential
from agentguard.model.finding import Activity
from agentguard.model.verdict import Outcome
from agentguard.show.phrases import day_and_time, listed, plural
from agentguard.show.urgency import Cause, Task, lies_in

SHORT_FINGERPRINT = 12
"""Characters that name a credential in lists."""
MOST_NAMES = 3
_SENT = frozenset({Activity.SEND, Activity.CONNECT})
_TAKEN = {Activity.READ: "read", Activity.INHERIT: "inherited", Activity.EXEC: "on a command line"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that one agent took of a credential, in one way."""

    agent: str
    way: Activity
    count: int
    sessions: int
    first_ns: int
    last_ns: int
    processes: tuple[str, ...]
    """Names, the latest last."""

    @property
    def word(self) -> str:
        return _TAKEN.get(self.way, self.way.value)


def readings(uses: Iterable[CredentialUse]) -> list[Reading]:
    """By agent and way, the most frequent first. `uses` may hold sends: they are left out."""
    found: dict[tuple[str, Activity], list[CredentialUse]] = {}
    for use in uses:
        if use.way not in _SENT:
            found.setdefault((use.agent, use.way), []).append(use)
    summed = [
        Reading(
            agent=agent,
            way=way,
            count=sum(use.count for use in group),
            sessions=sum(use.sessions for use in group),
            first_ns=min(use.first_ns for use in group),
            last_ns=max(use.last_ns for use in group),
            processes=_each_once(use.process for use in sorted(group, key=lambda use: use.last_ns)),
        )
        for (agent, way), group in found.items()
    ]
    return sorted(summed, key=lambda reading: -reading.count)


def sendings(uses: Iterable[CredentialUse]) -> list[CredentialUse]:
    """By receiver and what it came to, the worst first; counts of all agents and programs added up."""
    found: dict[tuple[str, Outcome, bool], list[CredentialUse]] = {}
    for use in uses:
        if use.way in _SENT:
            found.setdefault((use.host, use.outcome, use.blocked), []).append(use)
    return sorted(map(_joined, found.values()), key=lambda use: (use.blocked, -use.outcome.rank, -use.last_ns))


def _joined(uses: list[CredentialUse]) -> CredentialUse:
    """The last one, with the counts of all."""
    return replace(
        max(uses, key=lambda use: use.last_ns),
        count=sum(use.count for use in uses),
        sessions=sum(use.sessions for use in uses),
        first_ns=min(use.first_ns for use in uses),
    )


def where(place: CredentialPlace) -> str:
    """`/x/config.py:3`, `/x/config.py:3 in commit 1a2b3c4d`."""
    line = f":{place.line}" if place.line else ""
    return f"{place.path}{line}" + (f" in commit {place.commit[:8]}" if place.commit else "")


def why(task: Task, zone: tzinfo | None = None) -> str:
    """The facts behind a task: one sentence or two."""
    one = task.credential
    if task.cause is Cause.STILL_USED:
        return _since_rotated(one, zone)
    if task.cause is Cause.COMMITTED:
        commits = [place for place in one.places if place.commit]
        return (
            f"It stands in {_some([where(place) for place in commits])}: whoever has a copy of the repository has it."
        )
    if task.cause is Cause.MISPLACED:
        return f"It stands in {_some([where(place) for place in lies_in(one)])}."
    sends = [use for use in sendings(one.uses) if use.outcome.value == task.cause.value and not use.blocked]
    return f"It {'went to' if task.cause is Cause.LEAKED else 'was in a prompt to'} {_receivers(sends, zone)}."


def used_since(credential: KnownCredential, since_ns: int, zone: tzinfo | None = None) -> list[str]:
    """What was done with it after a time: `sent to x, 3 times, last ..., by curl (codex)`, `read ...`."""
    uses = [use for use in credential.uses if use.last_ns > since_ns]
    passed, stopped = ([use for use in sendings(uses) if use.blocked is blocked] for blocked in (False, True))
    parts = [f"sent to {_receivers(passed, zone)}"] if passed else []
    parts += [
        f"{reading.word} by {doer(reading.processes[-1], reading.agent)} {day_and_time(reading.last_ns, zone)}"
        for reading in readings(uses)
    ]
    return parts + ([f"stopped on its way to {_receivers(stopped, zone)}"] if stopped else [])


def _since_rotated(one: KnownCredential, zone: tzinfo | None) -> str:
    since = one.rotated_ns or 0
    parts = used_since(one, since, zone)
    lying = [where(place) for place in lies_in(one) if place.last_seen_ns > since]
    if lying:
        parts.append(f"seen in {_some(lying)}")
    return f"Marked as rotated {day_and_time(since, zone)}; after that its old value was {listed(parts)}."


def _receivers(sends: Sequence[CredentialUse], zone: tzinfo | None) -> str:
    """The worst first. `a, b and 2 more, 8 times, last 2026-01-31 14:31:24 UTC by curl (claude)`."""
    last = max(sends, key=lambda use: use.last_ns)
    hosts = list(dict.fromkeys(use.host or "a host that is not known" for use in sends))
    count = sum(use.count for use in sends)
    often = f", {plural(count, 'time')}, last" if count > 1 else ""
    return f"{_some(hosts)}{often} {day_and_time(last.last_ns, zone)} by {doer(last.process, last.agent)}"


def doer(process: str, agent: str) -> str:
    """`curl (claude)`."""
    return f"{process or 'an unknown process'} ({agent})" if agent != "unknown" else process or "an unknown process"


def _some(names: Sequence[str]) -> str:
    more = [f"{len(names) - MOST_NAMES:,} more"] if len(names) > MOST_NAMES else []
    return listed([*names[:MOST_NAMES], *more])


def _each_once(names: Iterable[str]) -> tuple[str, ...]:
    """In the order of the last time each came."""
    return tuple(reversed(dict.fromkeys(reversed(list(names)))))
