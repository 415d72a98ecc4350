"""Where credentials went, as pictures: who read what, the processes between, who got it, and how long that took."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from agentguard.model.event import Event
from agentguard.model.fault import at_fault
from agentguard.model.finding import Activity
from agentguard.model.process import Process
from agentguard.show.looks import look_of_send, was_blocked
from agentguard.show.phrases import amount, clock_time, duration, listed, match_names, place, plural, process_name
from agentguard.show.report.data import ReportData
from agentguard.show.report.icons import arrow_down, arrow_over, sign_of
from agentguard.show.report.markup import Html, join, tag
from agentguard.show.report.tables import badge, brief, inside
from agentguard.show.report.touched import asked, receiver

MOST_PICTURES = 12
_LONGEST_CHAIN = 6
_LONGEST_NAME = 120
_ACTS = {Activity.READ: "Read", Activity.EXEC: "Fetched by a command", Activity.INHERIT: "Inherited"}


@dataclass(slots=True)
class _Story:
    """Flows that differ in their time and pids only. Built while flows are walked, then only read."""

    sent: Event
    source: Event | None
    times: int


def flows(data: ReportData) -> Html:
    """The worst first: a person may look at one only."""
    stories = _stories(data)
    if not stories:
        return tag("p", "No value that was read was seen leaving.", class_="soft")
    shown = stories[:MOST_PICTURES]
    more = _total(data) - sum(story.times for story in shown)
    return join([*(_picture(data, story) for story in shown), _more(data, more)])


def _total(data: ReportData) -> int:
    return max(data.session.counts.get("flows", 0), len(data.flows))


def _more(data: ReportData, count: int) -> Html | None:
    if count <= 0:
        return None
    typed = tag("code", f"agentguard report --session {data.session.uid} --format json")
    return tag("p", f"And {plural(count, 'more flow')}: ", typed, class_="soft small")


def _stories(data: ReportData) -> list[_Story]:
    found: dict[Hashable, _Story] = {}
    for sent, source in sorted(data.flows, key=lambda flow: -flow[0].verdict.outcome.rank):
        story = found.setdefault(_same(sent, source), _Story(sent, source, 0))
        story.times += 1
    return list(found.values())


def _same(sent: Event, source: Event | None) -> Hashable:
    what = frozenset(match.fingerprint for match in at_fault(sent))
    start = (source.finding.path or source.finding.subject, _name(source.finding.process)) if source else None
    verdict = sent.verdict
    return sent.finding.host, _name(sent.finding.process), what, verdict.outcome, verdict.disposition, start


def _name(process: Process | None) -> str:
    return process.name if process else ""


def _picture(data: ReportData, story: _Story) -> Html:
    sent, source = story.sent, story.source
    stopped = was_blocked(sent.verdict)
    tone = "blocked" if stopped else sent.verdict.outcome.value
    look = look_of_send(sent.verdict)
    least = "at least " if _total(data) > len(data.flows) else ""
    often = f"{least}{story.times:,} times; this is the first" if story.times > 1 else None
    caption = tag(
        "figcaption",
        badge(look.glyph, look.word.lower(), tone),
        tag("strong", brief(match_names(at_fault(sent), 4))),
        tag("span", often, class_="soft small") if often else None,
    )
    ends = tag("div", _start(data, source), _between(sent, stopped=stopped), _goal(data, sent), class_="ends")
    reason = tag(
        "p", brief(sent.verdict.reason), " ", tag("span", brief(sent.verdict.rule), class_="mono soft"), class_="reason"
    )
    return tag("figure", caption, ends, reason, class_=f"flow {tone}")


def _start(data: ReportData, source: Event | None) -> Html:
    if source is None:
        lost = tag("p", "What read it is no longer recorded.", class_="soft")
        return tag("div", tag("p", "Read", class_="act"), lost, class_="end")
    finding = source.finding
    short = inside(finding.path, data.session.cwd)
    name = short or finding.path or finding.subject
    where = tag("p", brief(finding.path, _LONGEST_NAME), class_="soft small") if short else None
    return tag(
        "div",
        _act(data, _ACTS.get(finding.activity, finding.activity.value), source),
        tag("p", sign_of(source), tag("span", brief(name, _LONGEST_NAME)), class_="what"),
        where,
        _chain(finding.process),
        class_="end",
    )


def _goal(data: ReportData, sent: Event) -> Html:
    finding = sent.finding
    times = data.times(sent)
    act = "Stopped" if was_blocked(sent.verdict) else "Sent"
    return tag(
        "div",
        _act(data, f"{act} {times:,} times, first at" if times > 1 else act, sent),
        tag("p", sign_of(sent), tag("span", brief(finding.host or finding.subject, _LONGEST_NAME)), class_="what"),
        tag("p", _received(sent), class_="soft small"),
        _chain(finding.process),
        class_="end to",
    )


def _received(sent: Event) -> str:
    """`someone else: POST /api, 312 bytes`"""
    size = f", {amount(sent.finding.size)}" if sent.finding.size else ""
    return f"{receiver(sent.verdict)}: {brief(asked(sent), _LONGEST_NAME)}{size}"


def _act(data: ReportData, word: str, event: Event) -> Html:
    time = tag("span", clock_time(event.finding.time_ns, data.zone), class_="when")
    return tag("p", f"{word} ", time, class_="act")


def _between(sent: Event, *, stopped: bool) -> Html:
    flow = sent.finding.flow
    matches = at_fault(sent)
    values = "same value" if len({match.fingerprint for match in matches}) < 2 else "same values"
    places = list(dict.fromkeys(place(match) for match in matches))
    seconds = f"{duration(flow.seconds)} later" if flow else "later"
    where = f", in {listed(places[:2])}" if places else ""
    return tag(
        "div",
        arrow_down(stopped=stopped),
        tag("p", tag("b", seconds), arrow_over(stopped=stopped), f"{values}{where}"),
        class_="between",
    )


def _chain(process: Process | None) -> Html:
    """Who started whom, from the session's first process to the one that did it."""
    if process is None:
        return tag("p", "by a process that is not known", class_="soft small")
    names = [f"{parent.name or '?'} {parent.pid}" for parent in reversed(process.ancestors)]
    if len(names) >= _LONGEST_CHAIN:
        names = [names[0], f"{len(names) - _LONGEST_CHAIN + 2:,} more", *names[2 - _LONGEST_CHAIN :]]
    names.append(process_name(process))
    items = (tag("li", brief(name, 60)) for name in names)
    return tag("ol", *items, class_="chain", aria_label="Processes, from the agent to the one that did it")
