"""The report as Markdown: for a pull request, an issue or a chat.

What a reviewer must know stands open: the outcome, the credentials, what to do. The rest is folded, and all of it
stays below what GitHub takes.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial

from agentguard.model.event import Event
from agentguard.model.fault import at_fault
from agentguard.model.posture import Weakness
from agentguard.show.issuers import issuer_of
from agentguard.show.looks import DISPOSITION, OUTCOME, SENSOR, SEVERITY, look_of_send, was_blocked
from agentguard.show.markdown import code, details, fitted, md, prose, section, table
from agentguard.show.phrases import (
    DESTINATION,
    clock_time,
    day_and_time,
    duration,
    match_names,
    place,
    plural,
    process_chain,
    process_name,
    proof_delay,
)
from agentguard.show.report.advice import headline, next_steps
from agentguard.show.report.credentials import Credential
from agentguard.show.report.data import ReportData
from agentguard.show.report.groups import Group, grouped
from agentguard.show.report.kept import MOST_KEPT, NOT_CHECKED, TITLE, looked_words, score_words
from agentguard.show.session_lines import state

_MOST_OPEN = 10
"""Credentials that stand open; the others are folded."""
_COUNTED = (("secrets", "credential"), ("reads", "read"), ("sends", "send"), ("flows", "flow"))
_CREDENTIAL_HEAD = ("Credential", "Shown as", "Comes from", "Went to", "Worst")


def render_markdown(data: ReportData) -> str:
    """The same facts as the HTML report, without its picture."""
    return fitted(partial(_parts, data), f"`agentguard report {data.session.uid} --format html`")


def _parts(data: ReportData, most: int) -> list[str]:
    """The most telling first: those at the end go when it is too long."""
    return [
        _top(data),
        _credentials(data, most),
        _steps(data, most),
        _flows(data, most),
        _more_credentials(data, most),
        _events(data, "Sends and destinations", data.sends, most),
        _events(data, "Files read", data.reads, most),
        _events(data, "Commands and environment", data.commands, most),
        _kept(data, most),
        _coverage(data, most),
        _seal(data),
    ]


def _top(data: ReportData) -> str:
    session, look = data.session, OUTCOME[data.session.outcome]
    counts = session.counts
    facts = ", ".join(
        [
            *(plural(counts.get(name, 0), one) for name, one in _COUNTED),
            plural(counts.get("gaps_counted", 0), "gap that counts", "gaps that count"),
        ]
    )
    started = day_and_time(session.start_ns, data.zone)
    return (
        f"# {look.glyph} {look.word}: {md(session.agent_name)} under AgentGuard\n\n"
        f"**{md(headline(data))}** {look.meaning}\n\n"
        f"{facts}. Started {started}; {md(state(session))}."
    )


def _credentials(data: ReportData, most: int) -> str:
    if not data.credentials:
        return ""
    return table(_CREDENTIAL_HEAD, [_credential_row(data, one) for one in data.credentials[: min(most, _MOST_OPEN)]])


def _more_credentials(data: ReportData, most: int) -> str:
    open_rows = min(most, _MOST_OPEN)
    left = data.credentials[open_rows:]
    if not left:
        return ""
    rows = [_credential_row(data, one) for one in left[:most]]
    return details(plural(len(left), "more credential"), table(_CREDENTIAL_HEAD, rows, len(left) - len(rows)))


def _credential_row(data: ReportData, one: Credential) -> tuple[str, ...]:
    look, kind = OUTCOME[one.outcome], issuer_of(data.issuers, one.type)
    named = f"{md(one.name)} ({md(kind.name)})" if one.name else md(kind.name)
    return (
        named,
        code(one.preview or "•••"),
        ", ".join(map(code, one.sources[:2])) + (f" and {len(one.sources) - 2} more" if len(one.sources) > 2 else ""),
        ", ".join(map(code, one.hosts[:3])) or "nowhere",
        f"{look.glyph} {look.word.lower()}",
    )


def _steps(data: ReportData, most: int) -> str:
    lines = []
    for number, step in enumerate(next_steps(data)[: most + 1], 1):
        page = f" <{step.page}>" if step.page else ""
        lines.append(f"{number}. **{prose(step.do)}** {prose(step.why)}{page}".rstrip())
    return section("What to do now", "\n".join(lines))


def _flows(data: ReportData, most: int) -> str:
    lines = [line for sent, source in data.flows[:most] for line in _flow(data, sent, source)]
    count = data.session.counts.get("flows", 0)
    more = count - min(len(data.flows), most)
    if more > 0:
        lines.append(f"- and {plural(more, 'more flow')}")
    if not lines:
        return details("Where credentials went: nowhere", "No value that was read was seen leaving.")
    return details(f"Where credentials went: {plural(count, 'flow')}", "\n".join(lines))


def _flow(data: ReportData, sent: Event, source: Event | None) -> list[str]:
    flow, look = sent.finding.flow, look_of_send(sent.verdict)
    matches = at_fault(sent)
    what = f"{md(match_names(matches, 5))} in {md(place(matches[0]))}" if matches else ""
    lines = [f"- {look.glyph} **{look.word.lower()}** {what}"]
    if source is not None:
        when, where = clock_time(source.finding.time_ns, data.zone), code(source.finding.path or source.finding.subject)
        lines.append(f"  - {when} READ {where} by {md(process_chain(source.finding.process))}")
    later, act = duration(flow.seconds if flow else 0), "STOPPED" if was_blocked(sent.verdict) else "SENT"
    times = f" ×{data.times(sent):,}" if data.times(sent) > 1 else ""
    by = md(process_chain(sent.finding.process))
    lines.append(f"  - {later} later {act} {code(sent.finding.subject)}{times} by {by}")
    return lines


def _events(data: ReportData, title: str, events: Sequence[Event], most: int) -> str:
    groups = grouped(events)
    if not groups:
        return ""
    rows = [_event_row(data, group) for group in groups[:most]]
    head = ("When", "What", "Credentials", "By", "Verdict")
    return details(f"{title}: {len(groups):,}", table(head, rows, len(groups) - len(rows)))


def _event_row(data: ReportData, group: Group) -> tuple[str, ...]:
    finding, verdict = group.first.finding, group.first.verdict
    times = f" ({len(group)} times)" if len(group) > 1 else ""
    to = f" ({DESTINATION[verdict.destination]})" if verdict.destination else ""
    severity, became = SEVERITY[verdict.severity], DISPOSITION[verdict.disposition]
    return (
        clock_time(finding.time_ns, data.zone) + times,
        code(finding.path or finding.subject) + to,
        md(match_names(finding.matches)),
        md(process_name(finding.process)),
        f"{severity.glyph} {severity.word}, {became.word}: {md(verdict.reason)}",
    )


def _kept(data: ReportData, most: int) -> str:
    posture = data.posture
    if posture is None:
        return details(TITLE, prose(NOT_CHECKED))
    lines = [_weakness(one) for one in posture.weaknesses[: min(most, MOST_KEPT)]]
    left = len(posture.weaknesses) - len(lines)
    if left > 0:
        lines.append(f"- and {left:,} more: {code('agentguard check --full')}")
    top = f"**{md(score_words(posture))}** {md(looked_words(data))}"
    return details(TITLE, "\n\n".join(filter(None, [top, "\n".join(lines)])))


def _weakness(one: Weakness) -> str:
    look = SEVERITY[one.severity]
    steps = [f" {prose(fix.do)}." + (f" {code(fix.command)}" if fix.command else "") for fix in one.fixes[:1]]
    return f"- {look.glyph} **{look.word}** {md(one.title)}.{''.join(steps)}"


def _coverage(data: ReportData, most: int) -> str:
    rows = []
    for one in data.session.coverage:
        look = SENSOR[one.state]
        delay = proof_delay(one, data.session.start_ns)
        proof = "not proved" if not one.proved else f"proved alive after {delay}" if delay else "proved alive"
        rows.append(
            (md(one.sensor), f"{look.glyph} {look.word}", proof, f"{one.events:,}", f"{one.drops:,}", md(one.reason))
        )
    gaps = [event.finding.gap for event in data.gaps_counted]
    lines = [f"- {md(gap.detail)}. To close it: {md(gap.remedy or 'nothing known')}." for gap in gaps[:most] if gap]
    if len(gaps) > most:
        lines.append(f"- and {plural(len(gaps) - most, 'more gap')}")
    watched = table(("Sensor", "State", "Proof", "Saw", "Lost", "Reason"), rows)
    return details("What was watched", f"{watched}\n\n**Gaps that counted**\n\n" + ("\n".join(lines) or "None."))


def _seal(data: ReportData) -> str:
    session = data.session
    facts = [
        f"- Command: {code(shlex.join(session.command))}",
        f"- Folder: {code(session.cwd)}",
        f"- Session: {code(session.uid)}",
    ]
    if session.seal:
        facts.append(f"- Seal: {code(session.seal)}; check it with `agentguard verify` where it was recorded.")
    else:
        facts.append("- Not sealed yet: the session runs, or its guard was stopped.")
    return details("The session and its seal", "\n".join(facts))
