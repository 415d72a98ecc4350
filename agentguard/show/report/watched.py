"""What watched the session, what it missed, and what nobody could have seen."""

from __future__ import annotations

from agentguard.model.event import Event
from agentguard.model.session import Coverage, SensorState
from agentguard.show.looks import SENSOR
from agentguard.show.phrases import plural, process_chain, proof_delay
from agentguard.show.report.data import ReportData
from agentguard.show.report.groups import grouped
from agentguard.show.report.markup import Child, Html, join, prose, tag
from agentguard.show.report.tables import MOST_ROWS, Cell, badge, brief, table

SENSOR_TASK = {
    "seccomp": "Watches every open of a secret file and every program that is started, and holds the caller while it "
    "is identified.",
    "fanotify": "Watches every open of a secret file, and holds the caller while it is identified.",
    "watchdog": "Watches the folders that hold credentials, as a second opinion.",
    "index": "Looks through the workspace for files of any name that hold a credential, and follows what changes.",
    "inotify": "Watches the files that hold credentials, by whatever name they are opened, as a second opinion.",
    "lease": "Holds whoever opens a secret file of yours until it is identified, while nobody else has it open.",
    "proc-connector": "Is told by the kernel of each program that the tree starts.",
    "psutil": "Looks which processes hold secret files open, now and then.",
    "proxy": "Reads every request that leaves through it before it is sent.",
    "egress": "Notices connections that go round the proxy.",
    "environment": "Reads which credentials programs inherit when they start.",
}

_DOWN = (SensorState.UNAVAILABLE, SensorState.FAILED)

_ENDED = ("✓", "ran to the end", SensorState.RUNNING.value)
"""In the report of a session, that a sensor stopped with it is how it should be."""

_LIMITS = (
    "Requests that carried no credential are not recorded, nor are files that hold none.",
    "A credential that was encrypted, split over several requests, or transformed in a way that AgentGuard does not "
    "undo is not recognised in what is sent.",
    "Work handed to programs outside the agent's own tree of processes (a container service, a keyring, a terminal "
    "server older than the session) is seen only where it touches a watched file.",
    "What a process keeps in memory or hands on to another one without a file or a request is not followed.",
)
"""Of any session. README: what AgentGuard cannot see."""


def coverage(data: ReportData) -> Html:
    counted, harmless = data.gaps_counted, data.gaps_harmless
    parts: list[Child] = [_sensors(data), tag("h3", "Gaps that counted")]
    if counted:
        words = "In each of these a credential could have left unseen."
        parts.append(_gaps(words, counted))
    elif any(one.state in _DOWN for one in data.session.coverage):
        parts.append(tag("p", "None among what was watched. What did not run is named above.", class_="soft"))
    else:
        parts.append(tag("p", "None was recorded.", class_="soft"))
    if harmless:
        words = f"{plural(len(harmless), 'gap')} that did not count"
        why = "Another sensor covered them, or no credential was within reach."
        parts.append(tag("details", tag("summary", words), _gaps(why, harmless)))
    parts += [tag("h3", "What could not have been seen"), _limits(data)]
    return join(parts)


def _sensors(data: ReportData) -> Html:
    if not data.session.coverage:
        return tag("p", "No sensor is on record for this session.", class_="soft")
    rows = [_sensor(one, data.session.start_ns) for one in data.session.coverage]
    head = ("Sensor", "What it does", "State", "Proved alive", "Saw", "Lost")
    return table("What watched this session. A sensor is proved when it saw a decoy of its own.", head, rows)


def _sensor(one: Coverage, start_ns: int) -> list[Cell]:
    look = SENSOR[one.state]
    delay = proof_delay(one, start_ns)
    proved = one.proved and one.state not in _DOWN
    proof = f"yes: it saw its own decoy{f' after {delay}' if delay else ''}" if proved else "no"
    task = SENSOR_TASK.get(one.sensor, "")
    reason = [tag("br"), tag("span", brief(one.reason), class_="soft small")] if one.reason else []
    return [
        (tag("span", one.sensor, class_="name"), ""),
        (join([task, *reason]), "wide"),
        (badge(*_ENDED) if one.state is SensorState.STOPPED else badge(look.glyph, look.word, one.state.value), ""),
        (proof, ""),
        (f"{one.events:,}", "number"),
        (f"{one.drops:,}" if one.drops else "none", "number"),
    ]


def _gaps(caption: str, events: list[Event]) -> Html:
    rows: list[list[Cell]] = []
    groups = grouped(events)
    for group in groups[:MOST_ROWS]:
        gap = group.first.finding.gap
        if gap is None:
            continue
        count = sum(event.finding.gap.count for event in group.events if event.finding.gap)
        closes = gap.remedy or (f"covered by the {gap.covered_by} sensor" if gap.covered_by else "nothing known")
        rows.append(
            [
                (tag("span", gap.type.value.replace("-", " "), class_="name"), ""),
                (brief(gap.detail), "wide"),
                (f"{count:,} ×", "number"),
                (brief(process_chain(group.first.finding.process)), "wide"),
                (prose(brief(closes)), "wide"),
            ]
        )
    left = len(groups) - MOST_ROWS
    more = tag("p", f"And {left:,} more of these.", class_="soft small") if left > 0 else None
    return table(caption, ("Gap", "What was not seen", "How often", "Process", "What would close it"), rows, more)


def _limits(data: ReportData) -> Html:
    limits = list(_LIMITS)
    for one in data.session.coverage:
        if one.state in _DOWN:
            limits.insert(0, f"The {one.sensor} sensor did not watch: {brief(one.reason) or 'why is not known'}.")
        elif not one.proved:
            limits.insert(0, f"The {one.sensor} sensor was not proved: that it saw nothing says little.")
        if one.drops:
            limits.insert(0, f"The {one.sensor} sensor lost {plural(one.drops, 'report')}.")
    return tag("ul", *(tag("li", words) for words in limits), class_="limits")
