"""The list of sessions: whose, where, how long, and how it came out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from agentguard.model.session import Session
from agentguard.show.phrases import ago
from agentguard.show.tui.messages import SessionChosen
from agentguard.show.tui.words import MUTED, OUTCOME, home_short, plural, session_title, span_word


@dataclass(frozen=True, slots=True)
class _Entry:
    """What stands for one session, and what it was made of."""

    key: tuple[Session, bool, str]
    prompt: Content


class SessionList(OptionList):
    """Enter or a click chooses one. The chosen one has a mark."""

    BORDER_TITLE = "Sessions"

    def __init__(self, *, home: str) -> None:
        super().__init__(markup=False)
        self._user_home = home
        self._entries: dict[str, _Entry] = {}

    def update(self, sessions: tuple[Session, ...], chosen: str, now_ns: int) -> None:
        """Show `sessions`, newest first. Only lines that have changed are made and drawn anew."""
        before, self._entries = self._entries, {one.uid: self._made(one, one.uid == chosen, now_ns) for one in sessions}
        if list(before) != list(self._entries):
            uid = self._highlighted_uid() or chosen
            self.set_options(Option(lines.prompt, id=uid) for uid, lines in self._entries.items())
            self.highlighted = _position(uid, self._entries)
        else:
            for position, (old, new) in enumerate(zip(before.values(), self._entries.values(), strict=True)):
                if old is not new and not old.prompt.is_same(new.prompt):
                    self.replace_option_prompt_at_index(position, new.prompt)
        said = f"{len(sessions):,}" if sessions else ""
        if self.border_subtitle != said:  # to set it is to draw the whole list anew, each second
            self.border_subtitle = said

    def _made(self, session: Session, chosen: bool, now_ns: int) -> _Entry:
        """Those there are, where they would be the same: of hundreds of sessions, few run."""
        key = (session, chosen, age_word(session, now_ns))
        known = self._entries.get(session.uid)
        if known is not None and known.key == key:
            return known
        return _Entry(key, session_lines(session, chosen, self._user_home, now_ns))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_id is not None:
            self.post_message(SessionChosen(event.option_id))

    def _highlighted_uid(self) -> str:
        option = self.highlighted_option
        return (option.id or "") if option is not None else ""


def session_lines(session: Session, chosen: bool, home: str, now_ns: int) -> Content:
    """Three lines: name, place and age, outcome and counts."""
    live = session.end_ns is None
    look = OUTCOME[session.outcome]
    counts = session.counts
    findings = counts.get("alerts", 0) + counts.get("blocked", 0)
    counted = f"  {plural(findings, 'finding')}" if findings else f"  {plural(counts.get('sends', 0), 'send')}"
    return Content.assemble(
        ("▶ " if chosen else "  ", "$text-primary"),
        (session_title(session), "bold" if chosen else ""),
        ("  ● live" if live else "", "bold"),
        "\n  ",
        (f"{age_word(session, now_ns)}  {home_short(session.cwd, home)}", MUTED),
        "\n  ",
        (f"{look.glyph} {look.word}", look.style),
        (counted, "" if findings else MUTED),
    )


def age_word(session: Session, now_ns: int) -> str:
    """How long ago it ended, or for how long it has run. In minutes: what changes each second has no rest."""
    if session.end_ns is not None:
        return ago(now_ns - session.end_ns)
    minutes = max(0, now_ns - session.start_ns) // 60_000_000_000
    return span_word(minutes * 60_000_000_000) if minutes else "just begun"


def _position(uid: str, uids: Iterable[str]) -> int | None:
    return next((position for position, one in enumerate(uids) if one == uid), None)
