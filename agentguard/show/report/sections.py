"""The parts of the HTML report that are no tables: outcome, numbers, steps, flows, coverage, seal."""

from __future__ import annotations

import shlex

from agentguard.model.event import Event
from agentguard.model.fault import at_fault
from agentguard.model.session import SensorState
from agentguard.show.looks import OUTCOME, SENSOR, look_of_send, was_blocked
from agentguard.show.phrases import (
    clock_time,
    day_and_time,
    duration,
    match_names,
    place,
    plural,
    process_chain,
    proof_delay,
)
from agentguard.show.report.advice import Step, headline, next_steps
from agentguard.show.report.data import ReportData
from agentguard.show.report.groups import grouped
from agentguard.show.report.markup import Child, Html, join, link, prose, tag
from agentguard.show.report.tables import row, table
from agentguard.show.session_lines import state

MOST_FLOWS = 40

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


def heading(data: ReportData) -> Html:
    session = data.session
    facts: list[tuple[str, Child]] = [
        ("Command", tag("code", shlex.join(session.command))),
        ("Folder", tag("code", session.cwd)),
        ("Started", day_and_time(session.start_ns, data.zone)),
        ("State", _state(data)),
        ("Session", tag("span", session.uid, class_="mono")),
    ]
    rows = [part for name, value in facts for part in (tag("dt", name), tag("dd", value))]
    return tag(
        "header",
        tag("p", "AgentGuard report", class_="brand"),
        tag("h1", f"Which credentials did {session.agent_name} touch, and where did they go?"),
        tag("dl", *rows, class_="facts"),
    )


def _state(data: ReportData) -> str:
    session = data.session
    if session.end_ns is None:
        return f"{state(session)}; this is how it stood at {clock_time(data.generated_ns, data.zone)}"
    status = "" if session.exit_status is None else f", exit status {session.exit_status}"
    return state(session) + status


def outcome(data: ReportData) -> Html:
    look = OUTCOME[data.session.outcome]
    return tag(
        "section",
        tag("p", tag("span", look.glyph, aria_hidden="true"), f" {look.word}", class_="word"),
        tag("p", headline(data), class_="reason"),
        tag("p", look.meaning, class_="meaning"),
        class_=f"outcome {data.session.outcome.value}",
        aria_label="Outcome",
    )


def numbers(data: ReportData) -> Html:
    counts = data.session.counts
    entries = (
        ("credentials touched", "secrets"),
        ("reads of secret files", "reads"),
        ("sends with a credential", "sends"),
        ("flows, read then sent", "flows"),
        ("requests blocked", "blocked"),
        ("gaps that count", "gaps_counted"),
    )
    parts = [tag("div", tag("dt", words), tag("dd", f"{counts.get(name, 0):,}")) for words, name in entries]
    return tag("dl", *parts, class_="numbers")


def steps(data: ReportData) -> Html:
    return tag("div", tag("ol", *(_step(step) for step in next_steps(data)), class_="steps"), class_="card")


def _step(step: Step) -> Html:
    page = join([" ", link(step.page, "Open the issuer's page")]) if step.page else None
    return tag("li", tag("span", prose(step.do), class_="do"), " ", tag("span", prose(step.why), class_="soft"), page)


def flows(data: ReportData) -> Html:
    if not data.flows:
        return tag("p", "No value that was read was seen leaving.", class_="soft")
    # The worst first: a person may read only one.
    worst = sorted(data.flows, key=lambda flow: -flow[0].verdict.outcome.rank)
    more = data.session.counts.get("flows", len(data.flows)) - min(len(worst), MOST_FLOWS)
    note = tag("p", f"And {plural(more, 'more flow')}.", class_="soft") if more > 0 else None
    return join([*(_flow(data, sent, source) for sent, source in worst[:MOST_FLOWS]), note])


def _flow(data: ReportData, sent: Event, source: Event | None) -> Html:
    flow = sent.finding.flow
    act = "STOPPED" if was_blocked(sent.verdict) else "SENT"
    matches = at_fault(sent)
    between = tag(
        "div",
        tag("b", duration(flow.seconds if flow else 0)),
        tag("span", "→", class_="arrow", aria_hidden="true"),
        tag("div", "later, the same value"),
        class_="between",
    )
    foot = tag(
        "p",
        _became(sent),
        " ",
        tag("b", match_names(matches, 5)),
        f" in {place(matches[0])}. " if matches else " ",
        sent.verdict.reason,
        class_="flow-foot",
    )
    ends = tag("div", _end(data, "READ", source), between, _end(data, act, sent), class_="flow")
    return tag("article", ends, foot, class_="card")


def _became(sent: Event) -> Html:
    look = look_of_send(sent.verdict)
    class_ = "blocked" if was_blocked(sent.verdict) else sent.verdict.outcome.value
    return tag("span", f"{look.glyph} {look.word.lower()}", class_=f"tag {class_}")


def _end(data: ReportData, act: str, event: Event | None) -> Html:
    if event is None:
        return tag("div", tag("p", act, class_="act"), tag("p", "no longer recorded", class_="what"), class_="end")
    finding = event.finding
    times = f" ×{data.times(event):,}" if data.times(event) > 1 else ""
    return tag(
        "div",
        tag("p", f"{act}{times} {clock_time(finding.time_ns, data.zone)}", class_="act"),
        tag("p", finding.path or finding.subject, class_="what"),
        tag("p", process_chain(finding.process), class_="chain"),
        class_="end",
    )


def coverage(data: ReportData) -> Html:
    counted, harmless = data.gaps_counted, data.gaps_harmless
    parts: list[Child] = [_sensors(data), tag("h3", "Gaps that counted")]
    if counted:
        parts.append(tag("p", "In each of these a credential could have left unseen.", class_="soft"))
        parts.append(_gaps("Gaps that counted", counted))
    else:
        parts.append(tag("p", "None: every way by which a credential could have left was watched.", class_="soft"))
    if harmless:
        words = f"{plural(len(harmless), 'gap')} that did not count"
        why = tag("p", "Another sensor covered them, or no credential was within reach.", class_="soft")
        parts.append(tag("details", tag("summary", words), why, _gaps("Gaps that did not count", harmless)))
    return join(parts)


def _sensors(data: ReportData) -> Html:
    rows = []
    for one in data.session.coverage:
        look = SENSOR[one.state]
        delay = proof_delay(one, data.session.start_ns)
        proof = f"yes: it saw its own decoy{f' after {delay}' if delay else ''}" if one.proved else "no"
        word = tag("span", f"{look.glyph} {look.word}", class_=f"tag {one.state.value}")
        if one.state in (SensorState.UNAVAILABLE, SensorState.FAILED):
            proof = "no"
        task = join(
            [SENSOR_TASK.get(one.sensor, ""), tag("br"), tag("b", one.reason)]
            if one.reason
            else [SENSOR_TASK.get(one.sensor, "")]
        )
        lost = f"{one.drops:,}" if one.drops else "none"
        rows.append(
            row(
                (tag("b", one.sensor), ""), (task, "wide"), (word, ""), (proof, ""), (f"{one.events:,}", ""), (lost, "")
            )
        )
    if not rows:
        return tag("p", "No sensor is on record for this session.", class_="soft")
    return table("Sensors", ("Sensor", "What it does", "State", "Proved alive", "Saw", "Lost"), rows)


def _gaps(caption: str, events: list[Event]) -> Html:
    rows = []
    for group in grouped(events)[:100]:
        gap = group.first.finding.gap
        if gap is None:
            continue
        count = sum(event.finding.gap.count for event in group.events if event.finding.gap)
        closes = gap.remedy or (f"covered by the {gap.covered_by} sensor" if gap.covered_by else "nothing known")
        rows.append(
            row(
                (tag("b", gap.type.value.replace("-", " ")), ""),
                (gap.detail, "wide"),
                (f"{count:,} ×", ""),
                (process_chain(group.first.finding.process), "wide"),
                (closes, "wide"),
            )
        )
    return table(caption, ("Gap", "What was not seen", "How often", "Process", "What would close it"), rows)


def seal(data: ReportData) -> Html:
    session = data.session
    if not session.seal:
        return tag("p", "This session is not sealed yet: it runs, or its guard was stopped. Its events are chained.")
    return join(
        [
            tag("p", tag("code", session.seal, class_="seal")),
            tag(
                "p",
                "Every event is chained to the one before it with a key that stays in AgentGuard's home folder, and "
                "this seal closes the chain. Run ",
                tag("code", "agentguard verify"),
                " on the machine that recorded the session: it names every event that was edited, removed or added "
                "since, and a seal that is not this one. A copy of the seal kept elsewhere proves it to others.",
            ),
        ]
    )
