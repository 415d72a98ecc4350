"""A flow as a picture: the read in a box, and every send of what was read as a branch below it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from textual.content import Content

from agentguard.model.event import Event
from agentguard.model.finding import Finding
from agentguard.model.process import Attribution, Process
from agentguard.model.secret import SecretMatch
from agentguard.model.verdict import Disposition
from agentguard.show.tui.advice import destination_word, next_step, secret_name
from agentguard.show.tui.flow_text import ACT_STYLE, form_words, named_subject
from agentguard.show.tui.lines import LABEL, Line, blank, field, joined
from agentguard.show.tui.words import (
    MUTED,
    OUTCOME,
    SEVERITY,
    Look,
    activity_word,
    clean,
    span_word,
    time_of_day,
)

BLOCKED = Look("■", "BLOCKED", "bold $text-warning")
EXPECTED = Look("✓", "EXPECTED", "$text-success")
ROOMY = 60
"""From this width on times carry milliseconds, and a credential its type."""
MOST_BRANCHES = 12
"""Sends of one read that are drawn."""


@dataclass(frozen=True, slots=True)
class Flows:
    """All sends of one session whose value was read before, with their reads."""

    sends: tuple[Event, ...] = ()
    """The gravest first."""
    reads: dict[str, Event] | None = None
    """By uid; one that was purged is missing."""

    def read_of(self, send: Event) -> Event | None:
        return (self.reads or {}).get(send.finding.flow.read) if send.finding.flow else None

    def siblings(self, send: Event) -> list[Event]:
        """All sends of what was read then, oldest first; itself included."""
        read = send.finding.flow.read if send.finding.flow else ""
        same = [one for one in self.sends if one.finding.flow and one.finding.flow.read == read]
        return sorted(same, key=lambda one: one.seq)


def look_of(send: Event) -> Look:
    """What became of it, in a word."""
    if send.verdict.disposition is Disposition.BLOCKED:
        return BLOCKED
    look = OUTCOME[send.verdict.outcome]
    return EXPECTED if look.word == "CLEAN" else look


def flow_match(send: Event) -> SecretMatch | None:
    """The credential that flowed."""
    flow = send.finding.flow
    return next((one for one in send.finding.matches if flow and one.fingerprint == flow.fingerprint), None)


def flow_item(send: Event, zone: tzinfo | None) -> Content:
    """Two lines of the list: where to, and of what, how soon."""
    look, match, flow = look_of(send), flow_match(send), send.finding.flow
    name = secret_name(match) if match else "a secret"
    span = span_word(round(flow.seconds * 1e9)) if flow else ""
    return Content.assemble(
        (f"{look.glyph} ", look.style), (receiver(send.finding), "bold"), "\n  ",
        (f"{time_of_day(send.finding.time_ns, zone)}  {name}  {span}", MUTED),
    )  # fmt: skip


def receiver(finding: Finding) -> str:
    return clean(finding.host) or clean(finding.subject)


def flow_picture(send: Event, flows: Flows, width: int, zone: tzinfo | None) -> Content:
    """None of its lines is wider than `width`."""
    read, branches = flows.read_of(send), flows.siblings(send)
    lines = [*_title(send, width), Content()]
    lines += _box(read, width, zone) if read else [Content.styled("What read it has been purged.", MUTED)]
    for branch in branches[:MOST_BRANCHES]:
        last = branch is branches[-1] or branch is branches[:MOST_BRANCHES][-1]
        lines += _branch(branch, width, zone, last=last, chosen=branch is send)
    if len(branches) > MOST_BRANCHES:
        lines.append(Content.styled(f"    and {len(branches) - MOST_BRANCHES:,} more sends of it", MUTED))
    return joined([*map(Line, lines), blank(), *_verdict(send)], width)


def _title(send: Event, width: int) -> list[Content]:
    match = flow_match(send)
    if match is None:
        return [Content.styled("A value that was read before", "bold")]
    kind = f"{clean(match.type)}  " if width >= ROOMY else ""
    return [
        Content.assemble(
            (secret_name(match), "bold"), f"  {clean(match.preview)}  ",
            (f"{kind}id {clean(match.fingerprint[:8])}", MUTED),
        )
    ]  # fmt: skip


def _box(read: Event, width: int, zone: tzinfo | None) -> list[Content]:
    """Who read what, and when."""
    finding, room = read.finding, width - 4
    word = activity_word(finding.activity).upper()
    head = Content.assemble(
        ("╭─ ", MUTED), (word, ACT_STYLE.get(finding.activity, "bold")),
        (f" {time_of_day(finding.time_ns, zone, millis=True)} ", MUTED),
    )  # fmt: skip
    top = Content.assemble(head, ("─" * max(0, width - head.cell_length - 1) + "╮", MUTED))
    inner = [Content.styled(named_subject(finding), "bold"), *_chain(finding, room)]
    if finding.path and finding.path != finding.subject:
        inner.insert(1, Content.styled(clean(finding.path), MUTED))
    sides = [
        Content.assemble(("│ ", MUTED), line.truncate(room, ellipsis=True, pad=True), (" │", MUTED)) for line in inner
    ]
    return [top, *sides, Content.styled(f"╰─┬{'─' * max(0, width - 4)}╯", MUTED)]


def _branch(send: Event, width: int, zone: tzinfo | None, *, last: bool, chosen: bool) -> list[Content]:
    """The time between and the form it took, then where it went and by whose hand."""
    finding, flow, match, look = send.finding, send.finding.flow, flow_match(send), look_of(send)
    span = span_word(round(flow.seconds * 1e9)) if flow else ""
    form = f"  {form_words(match)}" if match else ""
    stem, turn = ("    ", "╰─▶ ") if last else ("  │ ", "├─▶ ")
    emphasis = "bold" if chosen else ""
    line = Content.assemble(
        ("  " + turn, look.style), (f"{look.glyph} {look.word}".ljust(LABEL + 1), look.style), " ",
        (clean(finding.subject), emphasis), ("  ◀" if chosen else "", "bold $text-primary"),
    )  # fmt: skip
    when = time_of_day(finding.time_ns, zone, millis=width >= ROOMY)
    below = [Content.styled(f"{when}{_to(send)}", MUTED), *_chain(finding, width - 8)]
    return [
        Content.assemble("  ", ("│ ", "bold"), (span, "bold"), (form, MUTED)),
        line.truncate(width, ellipsis=True),
        *(Content.assemble(stem, "    ", text).truncate(width, ellipsis=True) for text in below),
    ]


def _to(send: Event) -> str:
    word = destination_word(send.verdict.destination)
    return f"  to {word}" if word else ""


def _chain(finding: Finding, room: int) -> list[Content]:
    """`curl 48333 ← bash 48330 ← node 48290 ← claude 48213`, over as many lines as it takes."""
    process = finding.process
    if process is None:
        return [Content.styled("no process known", MUTED)]
    links = [Content.styled(f"{clean(process.name) or '?'} {process.pid}", "$text-primary")]
    links += [Content.styled(f"← {clean(one.name) or '?'} {one.pid}", MUTED) for one in process.ancestors]
    lines, line = [], links[0]
    for link in links[1:]:
        if line.cell_length + 1 + link.cell_length > room:
            lines.append(line)
            line = Content.assemble("  ", link)
        else:
            line = Content.assemble(line, " ", link)
    lines.append(line)
    return [*lines, *_doubt(finding, process)]


def _doubt(finding: Finding, process: Process) -> list[Content]:
    """Said only where the process is not known for sure."""
    if finding.attribution is Attribution.EXACT or not process.pid:
        return []
    return [Content.styled(f"({finding.attribution}: not seen in the act)", "$text-warning")]


def _verdict(send: Event) -> list[Line]:
    verdict, severity = send.verdict, SEVERITY[send.verdict.severity]
    lines = [
        field(f"{severity.glyph} {severity.word}", clean(verdict.reason), severity.style),
        field("Rule", clean(verdict.rule)),
    ]
    step = next_step(send)
    return [*lines, field("Next", Content.styled(step, "bold"))] if step else lines
