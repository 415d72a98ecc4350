"""The report as JSON, for programs.

One object. `session` is the object of `sessions --format json`, `events` holds the objects of
`events --format jsonl` (all of them, in order), so that a program knows them already. `flows` names the two events
of each flow by uid, `credentials` tells the story of each value by its fingerprint. Fields may join; none goes.

It is written in parts, and events are read page by page: a session may have millions.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from agentguard.model.event import Event, event_to_json, iso_time
from agentguard.model.finding import Activity
from agentguard.model.posture_json import posture_to_json
from agentguard.model.session_json import session_to_json
from agentguard.model.unicode import valid_text
from agentguard.record.reader import EventQuery, KnownProcess, Reader
from agentguard.show.document import document
from agentguard.show.issuers import issuer_of
from agentguard.show.report.advice import headline, next_steps
from agentguard.show.report.credentials import Credential, follow
from agentguard.show.report.data import ReportData
from agentguard.show.report.pages import each_event

_END = "\n}"
_READS_KNOWN = 4_096


@dataclass(slots=True)
class _Story:
    """A credential, with the uids of its sends in place of the events."""

    credential: Credential
    sends: list[str] = field(default_factory=list)
    hosts: dict[str, None] = field(default_factory=dict)
    passed: int = 0

    def shed(self) -> None:
        """Keep of the events that it was just told of what the report says of them."""
        for event in self.credential.sends:
            if event.finding.uid not in self.sends[-1:]:  # once, whatever number of its matches are this credential
                self.sends.append(event.finding.uid)
                self.passed += event in self.credential.passed
        self.hosts |= dict.fromkeys(self.credential.hosts)
        self.credential.sends.clear()


def json_parts(reader: Reader, data: ReportData) -> Iterator[str]:
    """The document, a row a line; ASCII only, so that nothing in it can act on a terminal.

    Raises:
        StoreError: the session cannot be read.
    """
    every = EventQuery(session=data.session.uid)
    yield document("report", _head(data)).removesuffix(_END)
    yield from _rows("credentials", (_credential(data, one) for one in _stories(each_event(reader, every))))
    yield from _rows("flows", _flows(reader, data))
    yield from _rows("events", map(event_to_json, each_event(reader, every)))
    yield from _rows("processes", map(_process, reader.processes(data.session.uid)))
    yield _END + "\n"


def _rows(name: str, rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield f',\n "{name}": ['
    before = "\n  "
    for row in rows:
        yield before + json.dumps(row)
        before = ",\n  "
    yield "]"


def _head(data: ReportData) -> dict[str, Any]:
    """What is no list of rows."""
    return {
        "generated": iso_time(data.generated_ns),
        "session": session_to_json(data.session),
        "headline": valid_text(headline(data)),
        "steps": [
            {"do": valid_text(step.do), "why": valid_text(step.why), "page": step.page or None}
            for step in next_steps(data)
        ],
        "posture": posture_to_json(data.posture) if data.posture else None,
        "events_total": data.total,
    }


def _stories(events: Iterable[Event]) -> list[_Story]:
    """Worst first, then those that were sent most often."""
    found: dict[str, _Story] = {}
    for event in events:
        for match in event.finding.matches:
            story = found.setdefault(match.fingerprint, _Story(Credential(match.fingerprint)))
            follow(story.credential, event, match)
            story.shed()
    return sorted(found.values(), key=lambda one: (-one.credential.outcome.rank, -one.passed))


def _credential(data: ReportData, story: _Story) -> dict[str, Any]:
    one = story.credential
    kind = issuer_of(data.issuers, one.type)
    return {
        "fingerprint": one.fingerprint,
        "type": one.type,
        "type_name": kind.name,
        "name": valid_text(one.name),
        "preview": one.preview,
        "public": one.public,
        "sources": [valid_text(source) for source in one.sources],
        "issuer_hosts": list(one.issuer_hosts),
        "reads": one.reads,
        "sends": story.sends,
        "hosts": [valid_text(host) for host in story.hosts],
        "outcome": one.outcome.value,
        "rotation": kind.rotation or None,
        "rotated": iso_time(data.rotated[one.fingerprint]) if one.fingerprint in data.rotated else None,
    }


def _flows(reader: Reader, data: ReportData) -> Iterator[dict[str, Any]]:
    """Oldest first. `read` is null where the event that read the value is gone."""

    @functools.lru_cache(_READS_KNOWN)
    def is_known(uid: str) -> bool:
        return reader.event(uid) is not None

    for sent in each_event(reader, EventQuery(session=data.session.uid, activities=[Activity.SEND])):
        flow = sent.finding.flow
        if flow is not None:
            yield {
                "read": flow.read if is_known(flow.read) else None,
                "send": sent.finding.uid,
                "seconds": flow.seconds,
                "fingerprint": flow.fingerprint,
                "outcome": sent.verdict.outcome.value,
                "count": data.times(sent),
            }


def _process(one: KnownProcess) -> dict[str, Any]:
    return {
        "pid": one.pid,
        "parent_pid": one.parent_pid or None,
        "start_time": one.start_time,
        "name": one.name,
        "exe": one.exe,
        "cmdline": list(one.cmdline),
        "first_seen": iso_time(one.first_seen_ns),
    }
