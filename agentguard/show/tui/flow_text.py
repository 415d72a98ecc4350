"""One event in lines: its flow, both process chains, what was recognised, the verdict, what to do. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from textual.content import Content

from agentguard.model.event import Event
from agentguard.model.finding import Activity, Finding, Kind
from agentguard.model.process import Attribution, Confidence
from agentguard.model.secret import SecretMatch
from agentguard.show.tui.advice import destination_word, next_step, secret_name
from agentguard.show.tui.words import MUTED, OUTCOME, SEVERITY, activity_word, clean, plural, span_word, time_of_day

_INDENT = 6
LABEL = 8
ACT_STYLE = {Activity.READ: "bold $text-primary", Activity.SEND: "bold $text-warning"}
"""The timeline's colours."""
_SURE = {
    Confidence.EXACT_HELD: "exact: it was held in the call",
    Confidence.EXACT_PID: "exact: the kernel named the pid",
    Confidence.FD_SEEN: "inferred: it was found holding the file or socket",
    Confidence.PROBABLE: "inferred: the only candidate",
    Confidence.NONE: "unknown",
}


@dataclass(frozen=True, slots=True)
class Story:
    """An event with the others of its flows."""

    event: Event
    read: Event | None = None
    """Where the value of a send came from."""
    sends: tuple[Event, ...] = ()
    """Where the values of a read went, oldest first."""


def panel_lines(story: Story, width: int, zone: tzinfo | None) -> list[Content]:
    """The most important lines first; each at most `width` cells."""
    event = story.event
    lines = flow_lines(story, width, zone)
    lines.append(verdict_line(event))
    if step := next_step(event):
        lines.append(labelled("Next", step))
    lines.append(labelled("Rule", f"{clean(event.verdict.rule)} · process {_SURE[event.finding.confidence]}"))
    if event.finding.matches:
        lines.append(Content.assemble(("Secret".ljust(LABEL), MUTED), matches_line(event.finding.matches)))
    return [line.truncate(width, ellipsis=True) for line in lines]


def flow_lines(story: Story, width: int, zone: tzinfo | None) -> list[Content]:
    """Read, the time between, send; for an event without a flow, itself alone."""
    event = story.event
    flow = event.finding.flow
    if flow is not None:
        first = moment_line(story.read, width, zone) if story.read else _indented(Content("(its read is gone)"), width)
        return [first, between_line(event, flow.seconds, width), moment_line(event, width, zone)]
    lines = [moment_line(event, width, zone)]
    for send in story.sends[:2]:
        seconds = send.finding.flow.seconds if send.finding.flow else 0.0
        lines += [between_line(send, seconds, width), moment_line(send, width, zone)]
    if len(story.sends) > 2:
        lines.append(_indented(Content(f"… and {plural(len(story.sends) - 2, 'more send')} of it"), width))
    return lines


def moment_line(event: Event, width: int, zone: tzinfo | None) -> Content:
    """`14:31:58.640  SEND  POST https://…   curl 48333 ← bash 48330 ← claude 48213`."""
    finding = event.finding
    wide = width >= 90
    when = time_of_day(finding.time_ns, zone, millis=wide)
    act = activity_word(finding.activity).upper()
    chain = chain_text(finding)
    head = len(when) + 2 + 5 + 2
    room = max(10, width - head - 3)
    subject = Content(named_subject(finding))
    for_subject = min(subject.cell_length, max(room // 2, room - len(chain)))
    subject = subject.truncate(for_subject, ellipsis=True)
    if wide:
        subject = subject.pad_right(max(0, room * 2 // 5 - subject.cell_length))
    return Content.assemble(
        (when, MUTED),
        "  ",
        (f"{act:<5}", ACT_STYLE.get(finding.activity, "bold")),
        "  ",
        subject,
        "   ",
        (chain, MUTED),
    ).truncate(width, ellipsis=True)


def between_line(send: Event, seconds: float, width: int) -> Content:
    """`      │ 4.77 s  same value of OPENAI_API_KEY, base64 in body`."""
    flow, matches = send.finding.flow, send.finding.matches
    match = next((one for one in matches if flow and one.fingerprint == flow.fingerprint), None)
    said = f"the same value, {form_words(match)}" if match else "the same value"
    names = f"{secret_name(match)} {match.preview}" if match else ""
    return Content.assemble(
        " " * _INDENT, ("│ ", "bold $text-error"), (span_word(int(seconds * 1e9)), "bold"), "  ", said,
        ("  " + clean(names), MUTED),
    ).truncate(width, ellipsis=True)  # fmt: skip


def named_subject(finding: Finding) -> str:
    """A file with the variable that was read from it."""
    subject = clean(finding.subject)
    if finding.kind is Kind.FILE and len(finding.matches) == 1 and finding.matches[0].name:
        return f"{subject} · {secret_name(finding.matches[0])}"
    return f"{subject} · {plural(len(finding.matches), 'secret')}" if len(finding.matches) > 1 else subject


def chain_text(finding: Finding) -> str:
    """`curl 48333 ← bash 48330 ← node 48290 ← claude 48213`."""
    process = finding.process
    if process is None:
        return "no process known"
    links = [(process.name, process.pid), *((parent.name, parent.pid) for parent in process.ancestors)]
    text = " ← ".join(f"{clean(name) or '?'} {pid}" for name, pid in links)
    return text if finding.attribution is Attribution.EXACT else f"{text} ({finding.attribution})"


def form_words(match: SecretMatch) -> str:
    """Where it stood, and under what: `base64 in body`, `in header authorization`."""
    place = clean(match.place).replace(":", " ") or "place unknown"
    forms = " in ".join(clean(form) for form in match.encoding)
    return f"{forms} in {place}" if forms else f"in {place}"


def matches_line(matches: Sequence[SecretMatch]) -> Content:
    """Names and previews on one line."""
    parts = [f"{secret_name(match)} {clean(match.preview)} ({clean(match.type)})" for match in matches]
    return Content(", ".join(dict.fromkeys(parts)))


def verdict_line(event: Event) -> Content:
    """`■ CRIT alert  <reason>`."""
    verdict = event.verdict
    look = SEVERITY[verdict.severity]
    said = clean(verdict.reason)
    if event.finding.activity is Activity.SEND and verdict.destination and not said:
        said = destination_word(verdict.destination)
    return Content.assemble((f"{look.glyph} {look.word} {verdict.disposition}", look.style), "  ", said)


def outcome_line(event: Event) -> Content:
    """What it adds to the session's outcome."""
    look = OUTCOME[event.verdict.outcome]
    return Content.styled(f"{look.glyph} {look.word}", look.style)


def labelled(label: str, text: str) -> Content:
    """A muted label and its text; `text` is clean already."""
    return Content.assemble((label.ljust(LABEL), MUTED), text)


def _indented(line: Content, width: int) -> Content:
    return Content.assemble(" " * _INDENT, ("· ", MUTED), line).truncate(width, ellipsis=True)
