"""What can be done with an event, wherever one is chosen or shown."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.screen import Screen

from agentguard.model.event import Event
from agentguard.show.tui.messages import CopyWanted, ExpectWanted, RotateWanted, SeenWanted, UndoWanted


class EventKeys(Screen[None]):
    """The later base of a screen that is about an event: Textual takes the style from the first.

    Its messages are answered by the app, whatever is under the screen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "seen", "Seen"),
        Binding("e", "expect", "Expected"),
        Binding("t", "rotated", "Rotated"),
        Binding("c", "copy", "Copy"),
        Binding("u", "undo", "Undo", show=False),
    ]

    @property
    def chosen_event(self) -> Event | None:
        """The event under the cursor, or the one that is shown."""
        raise NotImplementedError

    def action_seen(self) -> None:
        if event := self._needed():
            self.post_message(SeenWanted(event))

    def action_expect(self) -> None:
        if event := self._needed():
            self.post_message(ExpectWanted(event))

    def action_rotated(self) -> None:
        event = self._needed()
        if event is not None and event.finding.matches:
            self.post_message(RotateWanted(event.finding.matches[0].fingerprint))
        elif event is not None:
            self.notify("This event names no credential.", timeout=3)

    def action_copy(self) -> None:
        if event := self._needed():
            self.post_message(CopyWanted(event))

    def action_undo(self) -> None:
        self.post_message(UndoWanted())

    def _needed(self) -> Event | None:
        event = self.chosen_event
        if event is None:
            self.notify("Choose an event first.", timeout=3)
        return event
