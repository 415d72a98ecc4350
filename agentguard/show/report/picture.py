"""The session as a picture in time: one lane for what was read, run, sent and not seen; arcs for flows. Inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agentguard.model.event import Event
from agentguard.model.finding import Activity, Kind
from agentguard.model.verdict import Disposition, Outcome, Severity
from agentguard.show.phrases import clock_time, day_and_time, duration, plural, process_name
from agentguard.show.report.data import ReportData
from agentguard.show.report.markup import Html, join, tag
from agentguard.show.text import shortened

LANES = ("read", "run", "send", "gap")
LANE_WORDS = {"read": "Read", "run": "Run, inherited", "send": "Sent", "gap": "Not seen"}
TOP = 12
AXIS = 30
DAY = 86_400
MOST_MARKS = 300
"""Events that are drawn one by one; a busier session is drawn as bars."""
MOST_ARCS = 60
MOST_CALLOUTS = 4
"""Receivers that are named in the picture; of more, none is: a table below has them."""
APART = 8
"""Pixels by which marks must differ to be worth drawing twice in a busy picture."""
_CALLOUT_APART = 150
_LETTERS = 24
"""Of a callout."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """One of the two sizes it is drawn in; a style sheet shows the one that fits. All in pixels."""

    name: str
    width: int
    left: int
    lane: int
    """Height of a lane."""
    name_dy: int
    """From a lane's middle to the foot of its name."""
    ticks: int
    told: bool
    """With words on the marks."""

    @property
    def bottom(self) -> int:
        return TOP + self.lane * len(LANES)

    def y(self, lane: str) -> float:
        return TOP + self.lane * LANES.index(lane) + self.lane / 2


WIDE = _Layout("wide", 920, 118, 46, 4, 5, told=True)
NARROW = _Layout("narrow", 340, 6, 52, -14, 3, told=False)


def pictures(data: ReportData) -> Html:
    """The timeline for wide and for narrow screens, and what its shapes mean."""
    return tag("div", _picture(data, WIDE), _picture(data, NARROW), _legend(), class_="picture")


def _picture(data: ReportData, layout: _Layout) -> Html:
    start, end = data.session.start_ns, max(data.end_ns, data.session.start_ns + 1_000_000)
    scale = _Scale(start, end, layout)
    many = len(data.events) > MOST_MARKS
    title, about = f"timeline-{layout.name}", f"timeline-{layout.name}-text"
    return tag(
        "svg",
        tag("title", "Timeline of the session", id=title),
        tag("desc", _description(data, start, end), id=about),
        *_lanes(layout),
        *_axis(scale, data),
        *_arcs(data, scale),
        *(_bars(data, scale) if many else [_mark(event, scale, data) for event in data.events if _drawn(event)]),
        *(_callouts(data, scale) if layout.told else []),
        viewBox=f"0 0 {layout.width} {layout.bottom + AXIS}",
        role="img",
        aria_labelledby=f"{title} {about}",
        class_=f"timeline {layout.name}",
    )


class _Scale:
    """Time to x."""

    def __init__(self, start: int, end: int, layout: _Layout) -> None:
        self.start = start
        self.end = end
        self.layout = layout

    def x(self, time_ns: int) -> float:
        share = min(1.0, max(0.0, (time_ns - self.start) / (self.end - self.start)))
        return round(self.layout.left + 10 + share * (self.layout.width - self.layout.left - 20), 1)


def _drawn(event: Event) -> bool:
    """The session's own milestones are its ends: the axis shows them."""
    return event.finding.kind is not Kind.SESSION


def _lane(event: Event) -> str:
    if event.finding.kind is Kind.GAP:
        return "gap"
    if event.finding.activity in (Activity.SEND, Activity.REPEAT):
        return "send"
    return "read" if event.finding.kind is Kind.FILE else "run"


def _lanes(layout: _Layout) -> list[Html]:
    out = []
    for lane in LANES:
        y = layout.y(lane)
        out.append(tag("line", x1=layout.left, x2=layout.width, y1=y, y2=y, class_="lane"))
        out.append(
            tag("text", LANE_WORDS[lane], x=0 if layout.told else layout.left, y=y + layout.name_dy, class_="lane-name")
        )
    return out


def _axis(scale: _Scale, data: ReportData) -> list[Html]:
    out = []
    layout = scale.layout
    for tick in range(layout.ticks):
        moment = scale.start + (scale.end - scale.start) * tick // (layout.ticks - 1)
        x = scale.x(moment)
        anchor = "start" if tick == 0 else "end" if tick == layout.ticks - 1 else "middle"
        out.append(tag("line", x1=x, x2=x, y1=TOP - 4, y2=layout.bottom, class_="tick"))
        out.append(tag("text", _tick_words(moment, scale, data), x=x, y=layout.bottom + 20, text_anchor=anchor))
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
    x, y = scale.x(event.finding.time_ns), scale.layout.y(_lane(event))
    title = tag("title", _mark_words(event, data)) if scale.layout.told else None
    if event.verdict.disposition is Disposition.BLOCKED:
        shape = tag("rect", x=x - 5, y=y - 5, width=10, height=10)
    elif event.verdict.severity.rank >= Severity.HIGH.rank:
        shape = _triangle(x, y)
    else:
        shape = tag("circle", cx=x, cy=y, r=4.5)
    return tag("g", title, shape, class_=f"mark {_tone(event)}")


def _triangle(x: float, y: float) -> Html:
    return tag("path", d=f"M{x} {y - 8}L{round(x + 7.5, 1)} {y + 6}L{round(x - 7.5, 1)} {y + 6}Z")


def _tone(event: Event) -> str:
    verdict = event.verdict
    if verdict.disposition is Disposition.BLOCKED:
        return "blocked"
    if verdict.outcome is not Outcome.CLEAN:
        return verdict.outcome.value
    if event.finding.kind is Kind.GAP:
        return "quiet"
    return "medium" if verdict.severity.rank >= Severity.HIGH.rank else "plain"


def _mark_words(event: Event, data: ReportData) -> str:
    finding = event.finding
    when, who = clock_time(finding.time_ns, data.zone), process_name(finding.process)
    return f"{when} {finding.activity.value} {shortened(finding.subject, 100)}, {shortened(who, 100)}"


def _bars(data: ReportData, scale: _Scale) -> list[Html]:
    """For a busy session: how much happened in each step, and the grave by itself."""
    layout = scale.layout
    width = max(1.5, round((layout.width - layout.left - 20) / max(1, len(data.timeline)) - 1, 1))
    out = []
    for lane, counts in (
        ("read", [step.reads for step in data.timeline]),
        ("send", [step.sends for step in data.timeline]),
        ("gap", [step.gaps for step in data.timeline]),
    ):
        tallest = max(counts, default=0)
        for step, count in zip(data.timeline, counts, strict=True):
            if count:
                size = max(2.0, round(layout.lane * 0.7 * count / tallest, 1))
                words = f"{clock_time(step.start_ns, data.zone)} {LANE_WORDS[lane]}: {count:,}"
                y = round(layout.y(lane) - size / 2, 1)
                bar = tag("rect", x=scale.x(step.start_ns), y=y, width=width, height=size)
                out.append(tag("g", tag("title", words) if layout.told else None, bar, class_="mark plain"))
    return out + _grave(data, scale)


def _grave(data: ReportData, scale: _Scale) -> list[Html]:
    """Those that would cover each other are drawn once; of a very long session, one in each step."""
    if data.grave:
        y = scale.layout.y("send")
        steps = {(outcome, scale.x(start_ns) // APART): scale.x(start_ns) for start_ns, outcome in data.grave}
        ordered = sorted(steps.items(), key=lambda step: step[0][0].rank)
        return [tag("g", _triangle(x, y), class_=f"mark {outcome.value}") for (outcome, _), x in ordered]
    grave = [event for event in data.events if event.verdict.outcome in (Outcome.LEAKED, Outcome.EXPOSED)]
    apart = {(_tone(event), scale.x(event.finding.time_ns) // APART): event for event in grave}
    return [_mark(event, scale, data) for event in apart.values()]


def _arcs(data: ReportData, scale: _Scale) -> list[Html]:
    """Those that would cover each other are drawn once. None where only some are at hand: they would seem to end."""
    apart: dict[tuple[str, float, float], Html] = {}
    if data.session.counts.get("flows", 0) > len(data.flows):
        return []
    for sent, source in data.flows:
        if source is not None and len(apart) < MOST_ARCS:
            start, end = (scale.x(one.finding.time_ns) // APART for one in (source, sent))
            apart.setdefault((_tone(sent), start, end), _arc(sent, source, scale))
    return list(apart.values())


def _arc(sent: Event, source: Event, scale: _Scale) -> Html:
    x1, y1 = scale.x(source.finding.time_ns), scale.layout.y(_lane(source))
    x2, y2 = scale.x(sent.finding.time_ns), scale.layout.y("send")
    middle = round((x1 + x2) / 2, 1)
    curve = f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"
    return tag("path", d=curve, class_=f"arc {_tone(sent)}")


def _callouts(data: ReportData, scale: _Scale) -> list[Html]:
    """The worst sends by their receiver's name, where there is room for it."""
    out: list[Html] = []
    taken: list[float] = []
    sends = [event for event in data.sends if event.verdict.outcome in (Outcome.LEAKED, Outcome.EXPOSED)]
    if len({event.finding.host for event in sends}) > MOST_CALLOUTS:
        return out
    for event in sorted(sends, key=lambda event: -event.verdict.outcome.rank):
        x = scale.x(event.finding.time_ns)
        if all(abs(x - other) >= _CALLOUT_APART for other in taken):
            taken.append(x)
            late = x > scale.layout.width - _CALLOUT_APART
            words = shortened(event.finding.host or event.finding.subject, _LETTERS)
            place = {"x": round(x + (-12 if late else 12), 1), "y": scale.layout.y("send") + 20}
            anchor = "end" if late else "start"
            out.append(tag("text", words, class_=f"callout {_tone(event)}", text_anchor=anchor, **place))
    return out


def _description(data: ReportData, start: int, end: int) -> str:
    counts = data.session.counts
    facts: Sequence[str] = (
        plural(counts.get("reads", 0), "read") + " of secret files",
        plural(counts.get("sends", 0), "send") + " with a credential",
        plural(counts.get("flows", 0), "flow") + " from a read to a send",
        plural(counts.get("gaps", 0), "gap"),
    )
    return f"{', '.join(facts)}, over {duration((end - start) / 1e9)}. Every event is also in the tables below."


def _legend() -> Html:
    """What the shapes mean."""
    entries = (("▲", "grave"), ("●", "ordinary"), ("■", "blocked"), ("⌒", "the same value, read and then sent"))
    items = (tag("li", tag("span", glyph, aria_hidden="true"), f" {words}") for glyph, words in entries)
    return tag("ul", join(items), class_="legend", aria_label="What the shapes mean")
