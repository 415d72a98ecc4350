"""All of one event: the flow, every match, both processes, the verdict and what to do next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from agentguard.errors import StoreError
from agentguard.model.event import Event, iso_time
from agentguard.model.process import Confidence
from agentguard.show.tui.advice import destination_word, next_step, secret_name
from agentguard.show.tui.event_keys import EventKeys
from agentguard.show.tui.flow_text import Story, between_line, form_words, named_subject, outcome_line, said_of
from agentguard.show.tui.key_bar import KeyBar
from agentguard.show.tui.words import MARK, MUTED, SEVERITY, activity_word, clean, time_of_day

LABEL = 12
MOST = 130
"""Cells, the frame included: longer lines are hard to read."""
SURE = {
    Confidence.EXACT_HELD: "exact: it was held in the call",
    Confidence.EXACT_PID: "exact: the kernel named the pid",
    Confidence.FD_SEEN: "inferred: it was found holding the file or socket",
    Confidence.PROBABLE: "inferred: the only candidate",
    Confidence.NONE: "unknown",
}


class DetailScreen(ModalScreen[None], EventKeys):
    """Over the events; esc goes back."""

    DEFAULT_CSS = """
    DetailScreen { align: center middle; }
    DetailScreen > VerticalScroll {
        width: 100%; max-width: 130; height: 1fr; margin: 1 2 0 2;
        border: round $primary; padding: 0 1; background: $surface;
        border-title-color: $text-primary; border-title-style: bold;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss", "Back")]

    def __init__(self, tell: Callable[[], Story], zone: tzinfo | None) -> None:
        """
        Args:
            tell: reads the story, now and whenever something was done.

        Raises:
            StoreError: it cannot be read.
        """
        super().__init__()
        self._tell = tell
        self._story = tell()
        self._zone = zone

    def compose(self) -> ComposeResult:
        body = VerticalScroll(Static(id="detail-text"))
        body.border_title = "Event"
        yield body
        yield KeyBar()

    @property
    def chosen_event(self) -> Event:
        return self._story.event

    def again(self) -> None:
        """Something was done: perhaps with this event."""
        try:
            self._story = self._tell()
        except StoreError as error:
            self.notify(str(error), severity="error", markup=False)
        self.on_resize()

    def on_resize(self) -> None:
        text = self.query_one("#detail-text", Static)
        text.update(detail_content(self._story, self._zone, max(40, min(self.size.width, MOST) - 10)))


def detail_content(story: Story, zone: tzinfo | None, width: int) -> Content:
    """Sections: what is said of it, its flow, its secrets, its place in the record."""
    event = story.event
    lines = [
        *_verdict(event),
        *_answer(story, zone),
        Content(),
        *_path_of(story, zone),
        *_matches(story),
        *_record(event),
    ]
    return Content("\n").join(part for line in lines for part in _hang(line, width))


def _hang(line: Content, width: int) -> list[Content]:
    """A long line over several, each below its text and not below its label."""
    if line.cell_length <= width:
        return [line]
    label, text = line.divide([LABEL])[:2]
    first, *rest = text.wrap(width - LABEL)
    return [label + first, *(Content(" " * LABEL) + part for part in rest)]


def _path_of(story: Story, zone: tzinfo | None) -> list[Content]:
    event, flow = story.event, story.event.finding.flow
    lines = [_heading("Flow" if flow or story.sends else "What happened")]
    if flow is not None and story.read is not None:
        lines += [*_moment(story.read, zone), between_line(event, LABEL)]
    lines += _moment(event, zone)
    for send in story.sends:
        lines += [between_line(send, LABEL), *_moment(send, zone)]
    return lines


def _moment(event: Event, zone: tzinfo | None) -> list[Content]:
    finding, process = event.finding, event.finding.process
    when = time_of_day(finding.time_ns, zone, millis=True)
    lines = [
        Content.assemble((f"{activity_word(finding.activity).upper():<6}", "bold $text-primary"),
                         (named_subject(finding), "bold"), ("   " + when, MUTED))
    ]  # fmt: skip
    if finding.path:
        lines.append(_field("file", clean(finding.path)))
    if finding.host:
        lines.append(_field("host", f"{clean(finding.host)}:{finding.port}" if finding.port else clean(finding.host)))
    if process is None:
        return [*lines, _field("process", "not known")]
    lines.append(_field("process", f"{clean(process.name)} {process.pid}"))
    lines.append(_field("known", f"{SURE[finding.confidence]} (by {clean(finding.sensor)})"))
    lines.append(_field("program", clean(process.exe)))
    lines.append(_field("command", clean(" ".join(process.cmdline))))
    for depth, parent in enumerate(process.ancestors):
        lines.append(
            _field("started by" if depth == 0 else "", f"{'  ' * depth}↖ {clean(parent.name) or '?'} {parent.pid}")
        )
    return lines


def _answer(story: Story, zone: tzinfo | None) -> list[Content]:
    """What a person said of it."""
    marked = story.marked
    if marked is None:
        return []
    look = MARK[marked.mark]
    by = f", by {clean(marked.rule)}" if marked.rule else ""
    return [_field("you said", f"{look.glyph} {look.word}, {time_of_day(marked.time_ns, zone)}{by}")]


def _matches(story: Story) -> list[Content]:
    matches = story.event.finding.matches
    lines = [Content(), _heading("Secrets")] if matches else []
    for match in matches:
        lines.append(
            Content.assemble(
                (secret_name(match), "bold"), f"  {clean(match.preview)}  ", (clean(match.type), MUTED),
                f"  {form_words(match)}  ", (f"id {clean(match.fingerprint[:8])}", MUTED),
                ("  ✓ rotated" if match.fingerprint in story.rotated else "", "$text-success"),
            )
        )  # fmt: skip
        if match.source_path:
            lines.append(_field("known from", clean(match.source_path)))
        if match.issuer_hosts:
            lines.append(_field("meant for", clean(", ".join(match.issuer_hosts))))
    return lines


def _verdict(event: Event) -> list[Content]:
    verdict, gap = event.verdict, event.finding.gap
    look = SEVERITY[verdict.severity]
    lines = [Content.assemble((f"{look.glyph} {look.word}".ljust(LABEL), look.style), (said_of(event), look.style))]
    if step := next_step(event):
        lines.append(Content.assemble((f"{'next':<{LABEL}}", MUTED), (step, "bold")))
    if gap is not None:
        lines.append(_field("not seen", clean(gap.detail)))
        lines.append(_field("covered by", clean(gap.covered_by) or "nothing"))
    if verdict.destination:
        lines.append(_field("went to", destination_word(verdict.destination)))
    lines.append(Content.assemble((f"{'outcome':<{LABEL}}", MUTED), outcome_line(event)))
    lines.append(_field("rule", clean(verdict.rule)))
    return lines


def _record(event: Event) -> list[Content]:
    uid = f"{clean(event.finding.uid)}  (number {event.seq} of its session)"
    return [Content(), _heading("Record"), _field("event", uid), _field("time", iso_time(event.finding.time_ns))]


def _heading(text: str) -> Content:
    return Content.styled(text, "bold underline $text-primary")


def _field(label: str, text: str) -> Content:
    return Content.assemble((f"{label:<{LABEL}}", MUTED), text)
