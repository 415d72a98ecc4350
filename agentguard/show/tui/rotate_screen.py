"""Asks before a credential is marked as rotated, or that is taken back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from agentguard.model.credential import KnownCredential
from agentguard.show.issuers import issuer_of, load_issuers
from agentguard.show.tui.dialog import Dialog
from agentguard.show.tui.words import MUTED, clean


class RotateScreen(Dialog[bool]):
    """True: do it."""

    TITLE = "Rotated"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,y", "yes", "Yes"), Binding("n", "dismiss", "No")]

    def __init__(self, one: KnownCredential, is_rotated: bool) -> None:
        """`is_rotated`: what it will be."""
        super().__init__()
        self._one = one
        self._is_rotated = is_rotated

    def inside(self) -> Iterable[Widget]:
        yield Static(rotate_content(self._one, self._is_rotated))

    def action_yes(self) -> None:
        self.dismiss(True)


def rotate_content(one: KnownCredential, is_rotated: bool) -> Content:
    """The question, and what follows from the answer. Wraps freely."""
    issuer = issuer_of(load_issuers(), one.type)
    name = Content.assemble((clean(one.name or issuer.name), "bold"), f"  {clean(one.preview)}  ",
                            (clean(one.fingerprint[:12]), MUTED))  # fmt: skip
    if not is_rotated:
        asked = "It is marked as rotated. Was that not so? It goes back to the worklist."
        return Content("\n").join([name, Content(), Content(asked), _keys("take the mark away")])
    lines = [name, Content(), Content("Have you replaced it at its issuer, and put the new one in its place?")]
    if issuer.rotation:
        lines.append(Content.assemble(("At  ", MUTED), (clean(issuer.rotation), "underline")))
    lines.append(Content.styled("It leaves the worklist, and comes back when its old value is used anywhere.", MUTED))
    return Content("\n").join([*lines, _keys("mark it as rotated")])


def _keys(does: str) -> Content:
    return Content.assemble("\n", ("Enter", "bold"), f" {does}   ", ("Esc", "bold"), " leave it as it is")
