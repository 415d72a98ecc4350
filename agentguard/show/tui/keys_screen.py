"""Every credential: what to rotate, in order of urgency, then the rest. The same as `agentguard keys`."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from agentguard.record.reader import Reader
from agentguard.show.keys_text import Page as KeysPage
from agentguard.show.tui.keys_picture import key_item, key_picture
from agentguard.show.tui.list_page import Gathered, Item, ListPage
from agentguard.show.tui.messages import RotateWanted, Snapshot, TextWanted, UndoWanted
from agentguard.show.tui.words import MUTED, plural

MOST = 1_000
"""Credentials listed."""


class KeysScreen(ListPage):
    """`t` says that one was replaced, or takes that back."""

    PLACE = "Keys"
    PICTURE = "Credential"
    EMPTY = "No credential seen yet: sessions, `agentguard scan` and `agentguard check` find them."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "rotated", "Rotated"),
        Binding("c", "copy", "Copy fingerprint"),
        Binding("u", "undo", "Undo", show=False),
    ]
    _page: KeysPage | None = None

    def key_of(self, snapshot: Snapshot) -> object:
        """Counts of all sessions: the inventory is of all of them."""
        return tuple((one.uid, one.counts.get("events", 0)) for one in snapshot.sessions)

    def gather(self, reader: Reader, snapshot: Snapshot) -> tuple[Gathered, object]:  # noqa: ARG002 - of all sessions
        page = self.desk.actions.keys(reader.credentials())
        tasks = [task.credential for task in page.tasks]
        waiting = {one.fingerprint for one in tasks}
        rest = sorted(
            (one for one in page.credentials if one.fingerprint not in waiting), key=lambda one: -one.last_seen_ns
        )
        items = [Item(one.fingerprint, key_item(page, one)) for one in [*tasks, *rest][:MOST]]
        if tasks and rest:
            items.insert(len(tasks), Item("", Content.styled("── nothing to do ──", MUTED)))
        said = f"{len(tasks):,} to rotate of {len(page.credentials):,}"
        return Gathered(tuple(items), "Keys", said if tasks else plural(len(page.credentials), "key")), page

    def take(self, data: object) -> None:
        assert isinstance(data, KeysPage)
        self._page = data

    def picture(self, item: str, width: int) -> Content:
        page = self._page
        one = next((one for one in page.credentials if one.fingerprint == item), None) if page else None
        return key_picture(page, one, width, self.desk.zone) if page and one else Content()

    def action_rotated(self) -> None:
        if self.chosen:
            self.post_message(RotateWanted(self.chosen))

    def action_copy(self) -> None:
        """It names the credential everywhere, and tells nothing of it."""
        if self.chosen:
            self.post_message(TextWanted("The fingerprint", self.chosen))

    def action_undo(self) -> None:
        self.post_message(UndoWanted())
