"""The top line: what is watched, since when, by which sensors, and the time."""

from __future__ import annotations

from datetime import tzinfo

from textual.content import Content
from textual.widget import Widget

from agentguard.model.session import Coverage, Session
from agentguard.show.tui.messages import Snapshot
from agentguard.show.tui.standing import GUARD_DIED
from agentguard.show.tui.words import (
    MUTED,
    clean,
    duration,
    home_short,
    plural,
    sensor_look,
    session_title,
    time_of_day,
)

_SENSOR_WORD = {
    "seccomp": "files",
    "fanotify": "files",
    "lease": "lease",
    "watchdog": "confirm",
    "proc-connector": "programs",
    "environment": "env",
    "psutil": "procs",
    "index": "contents",
}
_FINE = ("running", "stopped")
_HEALTH_WIDTH = 100
"""From this width on every sensor has its name; below, the worst of them stands for all."""


class Header(Widget):
    """One line, drawn anew each second and at each change."""

    DEFAULT_CSS = """
    Header { height: 1; padding: 0 1; background: $background; color: $foreground; }
    """

    def __init__(self, *, home: str, zone: tzinfo | None) -> None:
        super().__init__()
        self._user_home = home
        self._zone = zone
        self._session: Session | None = None
        self._guarded = True
        self._now_ns = 0

    def update(self, snapshot: Snapshot, now_ns: int) -> None:
        """Show the chosen session at this moment."""
        self._session, self._now_ns = snapshot.chosen, now_ns
        self._guarded = snapshot.chosen is None or snapshot.chosen.uid not in snapshot.died
        self.refresh()

    def render(self) -> Content:
        width = self.content_size.width
        right = self._right(width)
        left = self._left(max(10, width - right.cell_length - 2))
        gap = max(1, width - left.cell_length - right.cell_length)
        return Content.assemble(left, " " * gap, right)

    def _left(self, room: int) -> Content:
        session = self._session
        if session is None:
            return Content.styled("○ waiting", MUTED)
        live = session.end_ns is None
        end = self._now_ns if session.end_ns is None else session.end_ns
        parts = [
            state_of(session, guarded=self._guarded),
            Content.styled(session_title(session), "bold"),
            Content.styled(home_short(session.cwd, self._user_home), MUTED),
        ]
        elapsed = Content.styled(duration(end - session.start_ns), "" if live else MUTED)
        text = Content("  ").join([*parts, elapsed])
        if text.cell_length > room:
            text = Content("  ").join([*parts[:2], elapsed])
        return text.truncate(room, ellipsis=True)

    def _right(self, width: int) -> Content:
        clock = Content.styled(time_of_day(self._now_ns, self._zone), MUTED) if self._now_ns else Content()
        if self._session is None:
            return clock
        counted = self._session.counts.get("gaps_counted", 0)
        gaps = (
            Content.styled(f"? {plural(counted, 'gap')}", "bold $text-accent")
            if counted
            else Content.styled("no gaps", MUTED)
        )
        health = health_of(self._session.coverage, short=width < _HEALTH_WIDTH)
        return Content("   ").join([part for part in (health, gaps, clock) if part.plain])


def state_of(session: Session, *, guarded: bool) -> Content:
    """`● LIVE`, `◐ BACKGROUND`, `✕ NOT GUARDED` or `○ ended`."""
    if session.end_ns is not None:
        return Content.styled("○ ended", MUTED)
    if not guarded:
        return Content.styled(f"{GUARD_DIED.glyph} {GUARD_DIED.word}", GUARD_DIED.style)
    if session.in_background:
        return Content.styled("◐ BACKGROUND", "bold $text-warning")
    return Content.styled("● LIVE", "bold $text-success")


def health_of(coverage: tuple[Coverage, ...], *, short: bool) -> Content:
    """`files ● proxy ●`; or, short, `sensors ● all proved` or the worst: `proxy ✕ failed`. A glyph has its word
    wherever it is not the ordinary one."""
    looks = [(_SENSOR_WORD.get(one.sensor, clean(one.sensor)), sensor_look(one)) for one in coverage]
    bad = [(word, look) for word, look in looks if look.word not in _FINE]
    if not looks:
        return Content()
    if short and not bad:
        return Content.assemble(("sensors ", MUTED), (f"{looks[0][1].glyph} ok", looks[0][1].style))
    if short:
        word, look = bad[0]
        return Content.assemble((f"{word} ", MUTED), (f"{look.glyph} {look.word}", look.style))
    pairs = [
        Content.assemble(
            (f"{word} ", MUTED), (look.glyph if look.word in _FINE else f"{look.glyph} {look.word}", look.style)
        )
        for word, look in looks
    ]
    return Content(" ").join(pairs)
