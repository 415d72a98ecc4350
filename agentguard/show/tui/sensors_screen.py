"""What watched the session, whether it was proved, and what could not be seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from agentguard.errors import StoreError
from agentguard.model.event import Event
from agentguard.model.finding import Gap, Kind
from agentguard.model.session import Coverage, Session
from agentguard.model.verdict import Outcome
from agentguard.record.reader import EventQuery
from agentguard.show.phrases import proof_delay
from agentguard.show.tui.lines import Line, blank, joined
from agentguard.show.tui.messages import Snapshot
from agentguard.show.tui.page import Desk, Page
from agentguard.show.tui.rows import fit
from agentguard.show.tui.words import MUTED, clean, sensor_look, session_title

SEES = {
    "seccomp": ("files", "every open of a secret file, the process held while it is named"),
    "watchdog": ("confirm", "a second opinion on opens, and those of processes outside the session"),
    "index": ("contents", "files of any name that hold a key: the workspace looked through, and what changes"),
    "inotify": ("any name", "the secret files themselves, by whatever name they are opened"),
    "proxy": ("network", "every request through the proxy: address, headers, decoded body"),
    "environment": ("inherited", "the secrets each new program inherits"),
    "fanotify": ("files", "every open of a secret file, the process held while it is named"),
    "lease": ("files", "opens of your own secret files, held while nobody else has them open"),
    "proc-connector": ("programs", "each program that the tree starts, told by the kernel"),
    "psutil": ("processes", "who has a file open, asked now and then: a short read may be missed"),
}
"""What a sensor is for, and what it sees."""
NAME = 24
WIDE = 110
"""From this width on everything of a sensor stands on one line."""
GAPS_READ = 2_000
"""The newest gaps are looked at; more say nothing new."""


class SensorsScreen(Page):
    """Health, proof and gaps of the chosen session."""

    PLACE = "Sensors"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._reader = desk.reader()

    def body(self) -> Iterable[Widget]:
        sensors, gaps = VerticalScroll(Static(id="sensors")), VerticalScroll(Static(id="gaps"), id="gaps-panel")
        sensors.border_title, gaps.border_title = "Sensors", "What could not be seen"
        yield sensors
        yield gaps

    def on_mount(self) -> None:
        self.query_one("#gaps-panel").focus()

    def on_unmount(self) -> None:
        self._reader.close()

    def on_resize(self) -> None:
        self.show(self.snapshot)

    def show(self, snapshot: Snapshot) -> None:
        session = snapshot.chosen
        width = max(40, self.size.width - 5)  # frame, padding, and room for a scroll bar
        self.query_one("#sensors", Static).update(sensors_content(session, width))
        if session is not None:
            self.query_one("#gaps", Static).update(gaps_content(self._gaps(session), width))

    def _gaps(self, session: Session) -> list[Event]:
        try:
            gaps = EventQuery(session=session.uid, kinds=(Kind.GAP,), newest_first=True, limit=GAPS_READ)
            return [row.event for row in self._reader.rows(gaps)]
        except StoreError:
            return []  # the watcher says it in the banner


def sensors_content(session: Session | None, width: int) -> Content:
    """One line a sensor, under the session's name."""
    if session is None:
        return Content("No session yet: `agentguard doctor` says which sensors can run here.")
    head = Content.assemble(("Session ", MUTED), (session_title(session), "bold"), f"  {clean(session.uid)}")
    names = f"{'SENSOR':<{NAME}}{'STATE':<16}{'PROVED':<10}{'EVENTS':>9}{'LOST':>6}"
    if width >= WIDE:
        names += "   WHAT IT SEES, OR WHY IT DOES NOT"
    lines = [Line(head), blank(), Line(Content.styled(names, f"bold {MUTED}"))]
    for one in session.coverage:
        lines += sensor_lines(one, width, session.start_ns)
    if not session.coverage:
        lines.append(Line(Content.styled("No sensor has reported yet.", MUTED)))
    return joined(lines, width)


def sensor_lines(one: Coverage, width: int, start_ns: int) -> list[Line]:
    """Its state in words, how soon it saw its own decoy, what it counted; what it sees, below where it is narrow."""
    look = sensor_look(one)
    area, sees = SEES.get(one.sensor, ("", ""))
    name = Content.assemble((area or clean(one.sensor), "bold"), (f"  {clean(one.sensor)}" if area else "", MUTED))
    delay = proof_delay(one, start_ns) or "yes"
    proved = (f"✓ {delay}", "$text-success") if one.proved else ("✕ no", "$text-warning")
    line = Content.assemble(
        name.truncate(NAME - 1, ellipsis=True, pad=True),
        " ",
        (fit(f"{look.glyph} {look.word}", 15) + " ", look.style),
        (f"{proved[0]:<10}", proved[1]),
        f"{one.events:>9,}",
        (f"{one.drops:>6,}", "bold $text-error" if one.drops else ""),
    )
    why = Content(clean(one.reason)) if one.reason else Content.styled(sees, MUTED)
    if width >= WIDE:
        return [Line(Content.assemble(line, "   ", why), line.cell_length + 3)]
    return [Line(line), Line(Content.assemble("  ", why), 2)]


def gaps_content(gaps: Sequence[Event], width: int) -> Content:
    """The gaps that counted, each with what would close it; the others, muted, with what covers them."""
    counted = [event for event in gaps if event.verdict.outcome is Outcome.UNKNOWN]
    others = [event for event in gaps if event.verdict.outcome is not Outcome.UNKNOWN]
    lines: list[Line] = []
    if not counted:
        clear = Content.assemble(("✓ ", "$text-success"), "No gap through which a secret could have passed.")
        lines.append(Line(clear, 2))
    for gap, times in grouped(counted):
        what = Content.assemble(("? ", "bold $text-accent"), (clean(gap.detail) + often(times), "bold"))
        lines += [Line(what, 2), Line(Content.styled(f"  {gap.type} · {clean(gap.sensor)}", MUTED), 2)]
        if gap.remedy:
            lines.append(Line(Content.assemble(("  closes it: ", MUTED), clean(gap.remedy)), len("  closes it: ")))
    if others:
        lines += [blank(), Line(Content.styled("Recorded, and no reason to worry:", MUTED))]
    for gap, times in grouped(others):
        covered = f", covered by {clean(gap.covered_by)}" if gap.covered_by else ", no secret within its reach"
        lines.append(Line(Content.assemble(("· ", MUTED), clean(gap.detail) + often(times), (covered, MUTED)), 2))
    return joined(lines, width)


def often(times: int) -> str:
    """Said only when it was more than once."""
    return f" ({times:,} times)" if times > 1 else ""


def grouped(gaps: Iterable[Event]) -> list[tuple[Gap, int]]:
    """Equal gaps once, most frequent first."""
    times: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], Gap] = {}
    for event in gaps:
        if (gap := event.finding.gap) is not None:
            times[gap.type, gap.detail] += gap.count
            first.setdefault((gap.type, gap.detail), gap)
    return [(first[key], count) for key, count in times.most_common()]
