"""Which part of an event to copy."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from agentguard.model.event import Event, event_to_json
from agentguard.show.tui.advice import next_step, secret_name
from agentguard.show.tui.dialog import Dialog
from agentguard.show.tui.words import MUTED, clean


class CopyScreen(Dialog[tuple[str, str]]):
    """Answers with what it is and its text."""

    TITLE = "Copy"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("c", "first", "The first", show=False)]

    def __init__(self, event: Event) -> None:
        super().__init__()
        self._parts = parts_of(event)

    def inside(self) -> Iterable[Widget]:
        shown = (
            Content.assemble((f"{name}\n", "bold"), ("  " + clean(text[:300]), MUTED)).truncate(600)
            for name, text in self._parts
        )
        listed = OptionList(*(Option(prompt) for prompt in shown), markup=False)
        listed.styles.text_wrap = "nowrap"
        listed.styles.text_overflow = "ellipsis"
        yield listed

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._parts[event.option_index])

    def action_first(self) -> None:
        self.dismiss(self._parts[0])


def parts_of(event: Event) -> list[tuple[str, str]]:
    """(what it is, its text), the most wanted first. The JSON is what `agentguard events` prints."""
    parts = []
    if step := next_step(event):
        parts.append(("What to do next", step))
    fingerprints = {match.fingerprint: secret_name(match) for match in event.finding.matches}
    parts += [(f"The fingerprint of {name}", fingerprint) for fingerprint, name in fingerprints.items()]
    parts.append(("The event as JSON", json.dumps(event_to_json(event))))
    if event.finding.path:
        parts.append(("The path", clean(event.finding.path)))
    if event.finding.host:
        parts.append(("The host", clean(event.finding.host)))
    return [*parts, ("The event's uid", event.finding.uid)]
