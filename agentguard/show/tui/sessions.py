"""The list of sessions: whose, where, how long, and how it came out."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from agentguard.model.session import Session
from agentguard.show.tui.messages import SessionChosen
from agentguard.show.tui.words import MUTED, OUTCOME, duration, home_short, plural, session_title


class SessionList(OptionList):
    """Enter or a click chooses one. The chosen one has a mark."""

    BORDER_TITLE = "Sessions"

    def __init__(self, *, home: str) -> None:
        super().__init__(markup=False)
        self._user_home = home
        self._shown: tuple[Session, ...] = ()
        self._prompts: list[Content] = []

    def update(self, sessions: tuple[Session, ...], chosen: str, now_ns: int) -> None:
        """Show `sessions`, newest first; only lines that changed are drawn anew."""
        prompts = [session_lines(one, one.uid == chosen, self._user_home, now_ns) for one in sessions]
        if [one.uid for one in sessions] != [one.uid for one in self._shown]:
            uid = self._highlighted_uid() or chosen
            self.set_options(Option(prompt, id=one.uid) for prompt, one in zip(prompts, sessions, strict=True))
            self.highlighted = _position(uid, (one.uid for one in sessions))
        else:
            for position, (old, new) in enumerate(zip(self._prompts, prompts, strict=True)):
                if not old.is_same(new):
                    self.replace_option_prompt_at_index(position, new)
        self._shown, self._prompts = sessions, prompts
        self.border_subtitle = f"{len(sessions):,}" if sessions else ""

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_id is not None:
            self.post_message(SessionChosen(event.option_id))

    def _highlighted_uid(self) -> str:
        option = self.highlighted_option
        return (option.id or "") if option is not None else ""


def session_lines(session: Session, chosen: bool, home: str, now_ns: int) -> Content:
    """Three lines: name, place and length, outcome and counts."""
    live = session.end_ns is None
    look = OUTCOME[session.outcome]
    end = session.end_ns if session.end_ns is not None else now_ns
    counts = session.counts
    alerts = counts.get("alerts", 0) + counts.get("blocked", 0)
    return Content.assemble(
        ("▶ " if chosen else "  ", "$text-primary"),
        (session_title(session), "bold" if chosen else ""),
        ("  ● live" if live else "", "$text-success"),
        "\n  ",
        (f"{duration(end - session.start_ns)}  {home_short(session.cwd, home)}", MUTED),
        "\n  ",
        (f"{look.glyph} {look.word}", look.style),
        (f"  {plural(alerts, 'finding')}" if alerts else "", ""),
    )


def _position(uid: str, uids: Iterable[str]) -> int | None:
    return next((position for position, one in enumerate(uids) if one == uid), None)
