"""What watched the session, whether it was proved, and what could not be seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Static

from agentguard.errors import StoreError
from agentguard.model.event import Event
from agentguard.model.finding import Gap, Kind
from agentguard.model.session import Coverage, Session
from agentguard.model.verdict import Outcome
from agentguard.record.reader import EventQuery
from agentguard.show.tui.feed import Feed
from agentguard.show.tui.messages import Snapshot
from agentguard.show.tui.rows import fit
from agentguard.show.tui.words import MUTED, clean, plural, sensor_look, session_title

GAPS_READ = 2_000
"""The newest gaps are looked at; more say nothing new."""


class SensorsScreen(Screen[None]):
    """Health, proof and gaps of the chosen session."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,s", "back", "Back")]

    def __init__(self, feed: Feed, snapshot: Snapshot) -> None:
        super().__init__()
        self._feed = feed
        self._snapshot = snapshot

    def compose(self) -> ComposeResult:
        sensors, gaps = VerticalScroll(Static(id="sensors")), VerticalScroll(Static(id="gaps"), id="gaps-panel")
        sensors.border_title, gaps.border_title = "Sensors", "What could not be seen"
        yield sensors
        yield gaps
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one("#gaps-panel").focus()
        self.show(self._snapshot)

    def on_resize(self) -> None:
        self.show(self._snapshot)

    def show(self, snapshot: Snapshot) -> None:
        """Take in what the watcher read."""
        self._snapshot = snapshot
        session = snapshot.chosen
        width = max(40, self.size.width - 8)
        self.query_one("#sensors", Static).update(sensors_content(session, width))
        if session is not None:
            self.query_one("#gaps", Static).update(gaps_content(self._gaps(session)))

    def _gaps(self, session: Session) -> list[Event]:
        try:
            gaps = EventQuery(session=session.uid, kinds=(Kind.GAP,), newest_first=True, limit=GAPS_READ)
            return [row.event for row in self._feed.reader.rows(gaps)]
        except StoreError:
            return []  # the watcher says it on the live screen

    def action_back(self) -> None:
        self.dismiss()


def sensors_content(session: Session | None, width: int) -> Content:
    """One line a sensor, under the session's name."""
    if session is None:
        return Content("No session yet: `agentguard doctor` says which sensors can run here.")
    head = Content.assemble(("Session ", MUTED), (session_title(session), "bold"), f"  {clean(session.uid)}")
    names = f"{'SENSOR':<14}{'STATE':<18}{'PROVED':<9}{'EVENTS':>9}{'LOST':>7}   REASON"
    lines = [head, Content(""), Content.styled(names, f"bold {MUTED}")]
    lines += [sensor_line(one, width) for one in session.coverage]
    if not session.coverage:
        lines.append(Content.styled("No sensor has reported yet.", MUTED))
    return Content("\n").join(lines)


def sensor_line(one: Coverage, width: int) -> Content:
    """Its state in words, whether it saw its own decoy, and what it counted."""
    look = sensor_look(one)
    proved = ("✓ yes", "$text-success") if one.proved else ("✕ no", "$text-warning")
    line = Content.assemble(
        (fit(clean(one.sensor), 13) + " ", "bold"), (fit(f"{look.glyph} {look.word}", 17) + " ", look.style),
        (f"{proved[0]:<9}", proved[1]), f"{one.events:>9,}",
        (f"{one.drops:>7,}", "bold $text-error" if one.drops else ""), "   ", clean(one.reason) or "—",
    )  # fmt: skip
    return line.truncate(max(width, 57), ellipsis=True)


def gaps_content(gaps: Sequence[Event]) -> Content:
    """The gaps that counted, each with what would close it; the rest as a number."""
    counted = [event for event in gaps if event.verdict.outcome is Outcome.UNKNOWN]
    other = len(gaps) - len(counted)
    lines: list[Content] = []
    if not counted:
        lines.append(Content.assemble(("✓ ", "$text-success"), "No gap through which a secret could have passed."))
    for gap, times in grouped(counted):
        often = f"  ({plural(times, 'time')})" if times > 1 else ""
        lines.append(Content.assemble(("? ", "bold $text-accent"), (clean(gap.detail) + often, "bold")))
        said = f"{gap.type} · {clean(gap.sensor)}"
        lines.append(Content.styled(f"  {said}", MUTED))
        if gap.remedy:
            lines.append(Content.assemble(("  closes it: ", MUTED), clean(gap.remedy)))
        lines.append(Content(""))
    if other:
        lines.append(
            Content.styled(f"{plural(other, 'more gap')} did not count: covered by another sensor, or harmless.", MUTED)
        )
    return Content("\n").join(lines)


def grouped(counted: Iterable[Event]) -> list[tuple[Gap, int]]:
    """Equal gaps once, most frequent first."""
    times: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], Gap] = {}
    for event in counted:
        if (gap := event.finding.gap) is not None:
            times[gap.type, gap.detail] += gap.count
            first.setdefault((gap.type, gap.detail), gap)
    return [(first[key], count) for key, count in times.most_common()]
