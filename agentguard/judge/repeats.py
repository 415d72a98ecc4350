"""A send that says nothing new is counted: an agent repeats its whole history in each request to its model.

The first send of a secret is an event at once. The same process that sends it again, to the same place under the same
rule, adds to a count, which is told in an event of its own: after some minutes, and when the session ends. So the
record stays append-only, no alert is raised twice, and the counts add up to what was sent.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agentguard.judge.facts import url_path
from agentguard.model.finding import Activity, Finding, Kind
from agentguard.model.verdict import Destination, Disposition, Verdict

_QUIET_NS = 300 * 1_000_000_000
"""A count that is older is told with the next repetition: a guard that is killed loses the last minutes' at most."""
_MOST_PLACES = 4096
"""Places remembered; the one not used for longest is told and forgotten."""

_Key = tuple[object, ...]


@dataclass(slots=True)
class _Place:
    """One process sending to one place under one rule."""

    event: str
    """uid of the event that its repetitions are counted for."""
    told: frozenset[tuple[str, str]]
    """(fingerprint, kind of place in the request) of everything told."""
    latest: Finding
    since_ns: int
    """Of the last event about it."""
    blocked: bool
    count: int = 0
    """Repetitions not told yet."""


class Repeats:
    """Of one session. For one thread: the pipeline's.

    Args:
        new_uid: a new event uid.
    """

    def __init__(self, new_uid: Callable[[], str]) -> None:
        self._new_uid = new_uid
        self._places: OrderedDict[_Key, _Place] = OrderedDict()

    def take(self, finding: Finding, verdict: Verdict) -> Iterator[Finding]:
        """What is to be recorded of a finding: itself, unless it was told before; and a count that is due."""
        if finding.activity is not Activity.SEND or not finding.matches:
            yield finding
            return
        key, values = _key(finding, verdict), _values(finding)
        place = self._places.get(key)
        if place is not None:
            self._places.move_to_end(key)
        if place is not None and values <= place.told:
            place.count += 1
            place.latest = finding
            if finding.time_ns - place.since_ns >= _QUIET_NS:
                yield from self._count_of(place)
            return
        if place is not None:
            yield from self._count_of(place)
            values |= place.told
        yield finding
        blocked = verdict.disposition is Disposition.BLOCKED
        self._places[key] = _Place(finding.uid, values, finding, finding.time_ns, blocked)
        if len(self._places) > _MOST_PLACES:
            yield from self._count_of(self._places.popitem(last=False)[1])

    def rest(self) -> Iterator[Finding]:
        """Every count that was not told yet."""
        for place in self._places.values():
            yield from self._count_of(place)

    def _count_of(self, place: _Place) -> Iterator[Finding]:
        """The event that tells a count; nothing when there is none."""
        count, last = place.count, place.latest
        if not count:
            return
        place.count, place.since_ns = 0, last.time_ns
        times = f"{count} more time{'' if count == 1 else 's'}"
        yield Finding(
            uid=self._new_uid(),
            time_ns=last.time_ns,
            session=last.session,
            agent=last.agent,
            kind=Kind.FINDING,
            activity=Activity.REPEAT,
            subject=f"{last.subject} ({'refused ' if place.blocked else ''}{times})",
            sensor=last.sensor,
            process=last.process,
            attribution=last.attribution,
            confidence=last.confidence,
            host=last.host,
            port=last.port,
            method=last.method,
            protocol=last.protocol,
            count=count,
            repeats=place.event,
        )


def _key(finding: Finding, verdict: Verdict) -> _Key:
    """To a model the path says nothing (it may name the model asked); anywhere else another path is another place."""
    process = finding.process
    return (
        process and (process.pid, process.start_time),
        verdict.rule,
        verdict.disposition,
        finding.host,
        finding.port,
        finding.asked_host,
        finding.protocol,
        "" if verdict.destination is Destination.MODEL else (finding.method, url_path(finding.subject)),
    )


def _values(finding: Finding) -> frozenset[tuple[str, str]]:
    return frozenset((match.fingerprint, match.place.partition(":")[0]) for match in finding.matches)
