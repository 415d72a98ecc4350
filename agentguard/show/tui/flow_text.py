"""One event in lines: its flow, both process chains, what was recognised, the verdict, what to do. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from textual.content import Content

from agentguard.model.event import Event
from agentguard.model.finding import Activity, Finding, Kind
from agentguard.model.process import Attribution
from agentguard.model.secret import SecretMatch
from agentguard.record.reader import Marked
from agentguard.show.tui.advice import destination_word, next_step, secret_name
from agentguard.show.tui.words import MUTED, OUTCOME, SEVERITY, activity_word, clean, plural, span_word, time_of_day

_WIDE = 90
"""From this width on times carry milliseconds and the process chains stand in a column."""
ACT_STYLE = {Activity.READ: "bold $text-primary", Activity.SEND: "bold $text-warning"}
"""The timeline's colours."""
_WIDE = 90
"""From this width on times carry milliseconds and the process chains stand in a column."""
ACT_STYLE = {Activity.READ: "bold $text-primary", Activity.SEND: "bold $text-warning"}
"""The timeline's colours."""


@dataclass(frozen=True, slots=True)
class Story:
    """An event with the others of its flows, and what people said of it."""

    event: Event
    read: Event | None = None
    """Where the value of a send came from."""
    sends: tuple[Event, ...] = ()
    """Where the values of a read went, oldest first."""
    marked: Marked | None = None
    """What a person said of the event."""
    rotated: frozenset[str] = frozenset()
    """Fingerprints of credentials that have been replaced at their issuer."""


def panel_lines(story: Story, width: int, zone: tzinfo | None) -> list[Content]:
    """The most important lines first; each at most `width` cells."""
    event, label = story.event, label_width(width)
    look = SEVERITY[event.verdict.severity]
    severity = Content.assemble(
        (f"{look.glyph} {look.word}".ljust(label), look.style), said_of(event, short=width < _WIDE)
    )
    lines = [*flow_lines(story, width, zone), severity]
    if step := next_step(event):
        lines.append(_labelled("Next", step, label))
    lines.append(_labelled("Rule", clean(event.verdict.rule), label))
    if event.finding.matches:
        lines.append(_labelled("Secret", matches_text(event.finding.matches), label))
    return [line.truncate(width, ellipsis=True) for line in lines]


def label_width(width: int) -> int:
    """Of what stands before the text of each line: a time, with milliseconds where there is room."""
    return 14 if width >= _WIDE else 10


def flow_lines(story: Story, width: int, zone: tzinfo | None) -> list[Content]:
    """Read, the time between, send; for an event without a flow, itself alone."""
    event, label = story.event, label_width(width)
    flow = event.finding.flow
    if flow is not None:
        gone = _labelled("", "what read it has been purged", label)
        first = moment_line(story.read, width, zone) if story.read else gone
        return [first, between_line(event, label), moment_line(event, width, zone)]
    lines = [moment_line(event, width, zone)]
    for send in story.sends[:2]:
        lines += [between_line(send, label), moment_line(send, width, zone)]
    if len(story.sends) > 2:
        lines.append(_labelled("", f"… and {plural(len(story.sends) - 2, 'more send')} of it", label))
    return lines


def moment_line(event: Event, width: int, zone: tzinfo | None) -> Content:
    """`14:31:58.640  SEND  POST https://…   curl 48333 ← bash 48330 ← claude 48213`."""
    finding, label = event.finding, label_width(width)
    when = time_of_day(finding.time_ns, zone, millis=width >= _WIDE)
    act = activity_word(finding.activity).upper()
    chain = chain_text(finding)
    room = max(10, width - label - 7 - 3)
    subject = Content(named_subject(finding))
    shown = max(room // 2, room - len(chain)) if width < _WIDE else room * 2 // 5
    subject = subject.truncate(shown, ellipsis=True, pad=width >= _WIDE)
    return Content.assemble(
        (when.ljust(label), MUTED),
        (f"{act:<5}", ACT_STYLE.get(finding.activity, "bold")),
        "  ",
        subject,
        "   ",
        (chain, MUTED),
    )


def between_line(send: Event, label: int) -> Content:
    """`      │ 4.77 s  the same value, base64 in body   OPENAI_API_KEY sk-p…9Q`."""
    flow, matches = send.finding.flow, send.finding.matches
    if flow is None:
        return Content()
    match = next((one for one in matches if one.fingerprint == flow.fingerprint), None)
    said = f"the same value, {form_words(match)}" if match else "the same value"
    name = f"   {secret_name(match)} {clean(match.preview)}" if match else ""
    span = span_word(round(flow.seconds * 1e9))
    pad = " " * max(0, label - len(span) - 4)
    return Content.assemble(pad, ("│ ", "bold $text-error"), (span, "bold"), "  ", said, (name, MUTED))


def named_subject(finding: Finding) -> str:
    """A file with the variable that was read from it."""
    subject = clean(finding.subject)
    if finding.kind is not Kind.FILE:
        return f"{subject} · {plural(len(finding.matches), 'secret')}" if len(finding.matches) > 1 else subject
    if len(finding.matches) == 1 and finding.matches[0].name:
        return f"{subject.removesuffix(' (1 secret)')} · {secret_name(finding.matches[0])}"
    return subject


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


def matches_text(matches: Sequence[SecretMatch]) -> str:
    """Names, previews and types on one line."""
    parts = [f"{secret_name(match)} {clean(match.preview)} ({clean(match.type)})" for match in matches]
    return ", ".join(dict.fromkeys(parts))


def said_of(event: Event, *, short: bool = False) -> str:
    """`alert · <reason>`; short, the reason alone where there is one."""
    verdict = event.verdict
    reason = clean(verdict.reason) or destination_word(verdict.destination)
    return reason if short and reason else " · ".join(filter(None, (verdict.disposition.value, reason)))


def outcome_line(event: Event) -> Content:
    """What it adds to the session's outcome."""
    look = OUTCOME[event.verdict.outcome]
    return Content.styled(f"{look.glyph} {look.word}", look.style)


def _labelled(label: str, text: str, width: int) -> Content:
    """A muted label and its text; `text` is clean already."""
    return Content.assemble((label.ljust(width), MUTED), text)
