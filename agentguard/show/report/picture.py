"""The session as a picture in time: one lane for what was read, run, sent and not seen; arcs for flows. Inline SVG."""

from __future__ import annotations

from collections.abc import Sequence

from agentguard.model.event import Event
from agentguard.model.finding import Activity, Kind
from agentguard.model.verdict import Disposition, Outcome, Severity
from agentguard.show.phrases import clock_time, day_and_time, duration, plural, process_name
from agentguard.show.report.data import ReportData
from agentguard.show.report.markup import Html, join, tag, text
from agentguard.show.text import shortened

WIDTH = 960
LEFT = 132
RIGHT = 24
LANES = ("read", "run", "send", "gap")
LANE_WORDS = {"read": "Read", "run": "Run, inherited", "send": "Sent", "gap": "Not seen"}
LANE_HEIGHT = 44
TOP = 14
TICKS = 5
DAY = 86_400
MOST_MARKS = 400
MOST_ARCS = 60
APART = 8
"""Pixels by which marks must differ to be worth drawing twice in a busy picture."""


def picture(data: ReportData) -> Html:
    """The timeline, with a title and a description for those who do not see it."""
    start, end = data.session.start_ns, max(data.end_ns, data.session.start_ns + 1_000_000)
    scale = _Scale(start, end)
    height = TOP + LANE_HEIGHT * len(LANES) + 34
    many = len(data.events) > MOST_MARKS
    marks = _bars(data, scale) if many else [_mark(event, scale, data) for event in data.events]
    return tag(
        "svg",
        tag("title", "Timeline of the session", id="timeline-title"),
        tag("desc", _description(data, start, end), id="timeline-text"),
        *_lanes(),
        *_axis(scale, data),
        *_arcs(data, scale),
        *marks,
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
        aria_labelledby="timeline-title timeline-text",
        class_="timeline",
    )


class _Scale:
    """Time to x."""

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end

    def x(self, time_ns: int) -> float:
        share = (time_ns - self.start) / (self.end - self.start)
        return round(LEFT + 8 + min(1.0, max(0.0, share)) * (WIDTH - LEFT - RIGHT - 16), 1)


def _y(lane: str) -> float:
    return TOP + LANE_HEIGHT * LANES.index(lane) + LANE_HEIGHT / 2


def _lane(event: Event) -> str:
    if event.finding.kind is Kind.GAP:
        return "gap"
    if event.finding.activity is Activity.SEND:
        return "send"
    return "read" if event.finding.kind is Kind.FILE else "run"


def _lanes() -> list[Html]:
    out = []
    for lane in LANES:
        y = _y(lane)
        out.append(tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="lane"))
        out.append(tag("text", LANE_WORDS[lane], x=LEFT - 14, y=y + 4, class_="lane-name"))
    return out


def _axis(scale: _Scale, data: ReportData) -> list[Html]:
    out = []
    bottom = TOP + LANE_HEIGHT * len(LANES)
    for tick in range(TICKS):
        moment = scale.start + (scale.end - scale.start) * tick // (TICKS - 1)
        x = scale.x(moment)
        anchor = "start" if tick == 0 else "end" if tick == TICKS - 1 else "middle"
        out.append(tag("line", x1=x, x2=x, y1=TOP - 4, y2=bottom, class_="tick"))
        out.append(tag("text", _tick_words(moment, scale, data), x=x, y=bottom + 20, text_anchor=anchor, class_="time"))
    return out


def _tick_words(moment: int, scale: _Scale, data: ReportData) -> str:
    """As exact as the span needs."""
    seconds = (scale.end - scale.start) / 1e9
    if seconds > DAY:
        return day_and_time(moment, data.zone)[5:16]
    words = clock_time(moment, data.zone)
    return words if seconds < 20 else words[:8]


def _mark(event: Event, scale: _Scale, data: ReportData) -> Html:
    """A shape for how grave it is: triangle for grave, square for blocked, ring for a covered gap, else a dot."""
    x, y = scale.x(event.finding.time_ns), _y(_lane(event))
    title = tag("title", _mark_words(event, data))
    grave = event.verdict.severity.rank >= Severity.HIGH.rank
    if event.verdict.disposition is Disposition.BLOCKED:
        shape = tag("rect", x=x - 5, y=y - 5, width=10, height=10)
    elif grave:
        shape = tag("path", d=f"M{x} {y - 8}L{x + 7.5} {y + 6}L{x - 7.5} {y + 6}Z")
    else:
        shape = tag("circle", cx=x, cy=y, r=4.5)
    return tag("g", title, shape, class_=f"mark {_tone(event)}")


def _tone(event: Event) -> str:
    verdict = event.verdict
    if verdict.disposition is Disposition.BLOCKED:
        return "blocked"
    if verdict.outcome is not Outcome.CLEAN:
        return verdict.outcome.value
    if event.finding.kind is Kind.GAP:
        return "quiet"
    return "grave" if verdict.severity.rank >= Severity.HIGH.rank else "plain"


def _mark_words(event: Event, data: ReportData) -> str:
    finding = event.finding
    when, who = clock_time(finding.time_ns, data.zone), process_name(finding.process)
    return f"{when} {finding.activity.value} {shortened(finding.subject, 100)}, {who}"


def _bars(data: ReportData, scale: _Scale) -> list[Html]:
    """For a busy session: how much happened in each step, and the grave events still by themselves."""
    grave = [event for event in data.events if event.verdict.outcome in (Outcome.LEAKED, Outcome.EXPOSED)]
    tallest = max((max(step.reads, step.sends, step.gaps) for step in data.timeline), default=1) or 1
    out = []
    for step in data.timeline:
        for lane, count in (("read", step.reads), ("send", step.sends), ("gap", step.gaps)):
            if count:
                size = max(2.0, round(LANE_HEIGHT * 0.8 * count / tallest, 1))
                title = tag("title", f"{clock_time(step.start_ns, data.zone)} {LANE_WORDS[lane]}: {count}")
                bar = tag("rect", x=scale.x(step.start_ns), y=_y(lane) - size / 2, width=5, height=size)
                out.append(tag("g", title, bar, class_="mark plain"))
    apart = {(_tone(event), scale.x(event.finding.time_ns) // APART): event for event in grave}
    return out + [_mark(event, scale, data) for event in apart.values()]


def _arcs(data: ReportData, scale: _Scale) -> list[Html]:
    """Those that would cover each other are drawn once."""
    apart: dict[tuple[str, float, float], Html] = {}
    for sent, source in data.flows:
        if source is not None and len(apart) < MOST_ARCS:
            start, end = (scale.x(one.finding.time_ns) // APART for one in (source, sent))
            apart.setdefault((_tone(sent), start, end), _arc(sent, source, scale))
    return list(apart.values())


def _arc(sent: Event, source: Event, scale: _Scale) -> Html:
    x1, y1 = scale.x(source.finding.time_ns), _y(_lane(source))
    x2, y2 = scale.x(sent.finding.time_ns), _y("send")
    middle = round((x1 + x2) / 2, 1)
    curve = f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"
    return tag("path", d=curve, class_=f"arc {_tone(sent)}")


def _description(data: ReportData, start: int, end: int) -> str:
    counts = data.session.counts
    facts: Sequence[str] = (
        plural(counts.get("reads", 0), "read") + " of secret files",
        plural(counts.get("sends", 0), "send") + " with a credential",
        plural(counts.get("flows", 0), "flow") + " from a read to a send",
        plural(counts.get("gaps", 0), "gap"),
    )
    return f"{', '.join(facts)}, over {duration((end - start) / 1e9)}. Every event is also in the tables below."


def legend() -> Html:
    """What the shapes mean."""
    entries = (("▲", "grave"), ("●", "ordinary"), ("■", "blocked"), ("⌒", "the same value, read and then sent"))
    return tag(
        "p",
        join([join([tag("span", glyph, aria_hidden="true"), text(f" {words}")]) for glyph, words in entries], "   "),
        class_="legend",
    )
