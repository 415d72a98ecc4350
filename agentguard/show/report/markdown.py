"""The report as Markdown: for an issue, a chat, a terminal."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence

from agentguard.model.event import Event
from agentguard.model.fault import at_fault
from agentguard.model.posture import Weakness
from agentguard.show.issuers import issuer_of
from agentguard.show.looks import DISPOSITION, OUTCOME, SENSOR, SEVERITY, look_of_send, was_blocked
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
from agentguard.show.report.data import ReportData
from agentguard.show.report.groups import Group, grouped
from agentguard.show.report.kept import MOST_KEPT, NOT_CHECKED, TITLE, looked_words, score_words
from agentguard.show.session_lines import state
from agentguard.show.text import safe

MOST_ROWS = 100
_COUNTED = (("secrets", "credential"), ("reads", "read"), ("sends", "send"), ("flows", "flow"))
_SPECIAL = re.compile(r"([\\`*\[\]<>#~&!|@])|(?<![^\W_])(_)|(_)(?![^\W_])|(:)(?=//)|(?<=\bwww)(\.)", re.IGNORECASE)
_PIPE = re.compile(r"(?<!\\)\|")


def md(text: str) -> str:
    """`text` as text: nothing in it is Markdown, HTML or a link."""
    return _SPECIAL.sub(r"\\\g<0>", safe(text))


def code(text: str) -> str:
    """`text` in a code span, whatever backticks it holds."""
    clean = safe(text)
    longest = max((len(run) for run in re.findall("`+", clean)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if clean.startswith("`") or clean.endswith("`") or not clean else ""
    return f"{fence}{pad}{clean}{pad}{fence}"


def prose(words: str) -> str:
    """Text in which `...` marks what is typed on a command line."""
    parts = words.split("`")
    if len(parts) % 2 == 0:
        return md(words)
    return "".join(code(part) if number % 2 else md(part) for number, part in enumerate(parts))


def render_markdown(data: ReportData) -> str:
    """The same facts as the HTML report, without its picture."""
    parts = [_top(data), _steps(data), _flows(data), _credentials(data)]
    parts.append(_events(data, "Sends and destinations", data.sends))
    parts.append(_events(data, "Files read", data.reads))
    parts.append(_events(data, "Commands and environment", data.commands))
    parts += [_kept(data), _coverage(data), _seal(data)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _top(data: ReportData) -> str:
    session, look = data.session, OUTCOME[data.session.outcome]
    counts = session.counts
    facts = ", ".join(
        [
            *(plural(counts.get(name, 0), one) for name, one in _COUNTED),
            plural(counts.get("gaps_counted", 0), "gap that counts", "gaps that count"),
        ]
    )
    lines = [
        f"# {look.glyph} {look.word}: {md(session.agent_name)} under AgentGuard",
        f"**{md(headline(data))}** {look.meaning}",
        f"{facts}.",
        f"- Command: {code(shlex.join(session.command))}",
        f"- Folder: {code(session.cwd)}",
        f"- Started: {day_and_time(session.start_ns, data.zone)}; {state(session)}",
        f"- Session: {code(session.uid)}",
    ]
    return "\n\n".join(lines[:3]) + "\n\n" + "\n".join(lines[3:])


def _steps(data: ReportData) -> str:
    lines = []
    for number, step in enumerate(next_steps(data), 1):
        page = f" <{step.page}>" if step.page else ""
        lines.append(f"{number}. **{prose(step.do)}** {prose(step.why)}{page}".rstrip())
    return "## What to do now\n\n" + "\n".join(lines)


def _flows(data: ReportData) -> str:
    lines = [line for sent, source in data.flows[:MOST_ROWS] for line in _flow(data, sent, source)]
    more = data.session.counts.get("flows", 0) - min(len(data.flows), MOST_ROWS)
    if more > 0:
        lines.append(f"- and {plural(more, 'more flow')}")
    return "## Where credentials went\n\n" + ("\n".join(lines) or "No value that was read was seen leaving.")


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


def _credentials(data: ReportData) -> str:
    rows = []
    for one in data.credentials[:MOST_ROWS]:
        look, kind = OUTCOME[one.outcome], issuer_of(data.issuers, one.type)
        rows.append(
            (
                md(one.name or kind.name),
                md(kind.name),
                code(one.preview or "•••"),
                ", ".join(map(code, one.sources[:3])),
                ", ".join(map(code, one.hosts[:3])) or "nowhere",
                f"{look.glyph} {look.word.lower()}",
            )
        )
    return _table(
        "Credentials",
        ("Name", "Type", "Shown as", "Comes from", "Went to", "Worst"),
        rows,
        len(data.credentials) - len(rows),
    )


def _events(data: ReportData, title: str, events: Sequence[Event]) -> str:
    groups = grouped(events)
    rows = [_event_row(data, group) for group in groups[:MOST_ROWS]]
    return _table(title, ("When", "What", "Credentials", "By", "Verdict"), rows, len(groups) - len(rows))


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


def _kept(data: ReportData) -> str:
    posture = data.posture
    if posture is None:
        return f"## {TITLE}\n\n{prose(NOT_CHECKED)}"
    lines = [_weakness(one) for one in posture.weaknesses[:MOST_KEPT]]
    left = len(posture.weaknesses) - len(lines)
    if left > 0:
        lines.append(f"- and {left:,} more: {code('agentguard check --full')}")
    top = f"## {TITLE}\n\n**{md(score_words(posture))}** {md(looked_words(data))}"
    return "\n\n".join(filter(None, [top, "\n".join(lines)]))


def _weakness(one: Weakness) -> str:
    look = SEVERITY[one.severity]
    steps = [f" {prose(fix.do)}." + (f" {code(fix.command)}" if fix.command else "") for fix in one.fixes[:1]]
    return f"- {look.glyph} **{look.word}** {md(one.title)}.{''.join(steps)}"


def _coverage(data: ReportData) -> str:
    rows = []
    for one in data.session.coverage:
        look = SENSOR[one.state]
        delay = proof_delay(one, data.session.start_ns)
        proof = "not proved" if not one.proved else f"proved alive after {delay}" if delay else "proved alive"
        rows.append(
            (md(one.sensor), f"{look.glyph} {look.word}", proof, f"{one.events:,}", f"{one.drops:,}", md(one.reason))
        )
    lines = [_table("What was watched", ("Sensor", "State", "Proof", "Saw", "Lost", "Reason"), rows)]
    gaps = [event.finding.gap for event in data.gaps_counted]
    lines.append(
        "\n### Gaps that counted\n\n"
        + (
            "\n".join(
                f"- {md(gap.detail)}. To close it: {md(gap.remedy or 'nothing known')}."
                for gap in gaps[:MOST_ROWS]
                if gap
            )
            or "None."
        )
    )
    return "\n".join(lines)


def _seal(data: ReportData) -> str:
    if not data.session.seal:
        return "## The seal\n\nNot sealed yet: the session runs, or its guard was stopped."
    return f"## The seal\n\n{code(data.session.seal)}\n\nCheck it with `agentguard verify` where it was recorded."


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]], more: int = 0) -> str:
    lines = ["| " + " | ".join(_PIPE.sub(r"\|", cell) for cell in cells) + " |" for cells in rows]
    if not lines:
        return f"## {title}\n\nNone was seen."
    note = f"\n\nAnd {plural(more, 'more row')}." if more > 0 else ""
    top = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return f"## {title}\n\n" + "\n".join(top + lines) + note
