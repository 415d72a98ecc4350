"""A question over a page: a frame in the middle, esc goes back without an answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Footer

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """`inside` are the widgets of the frame."""

    DEFAULT_CSS = """
    Dialog { align: center middle; }
    Dialog > VerticalScroll {
        width: 100%; max-width: 100; height: auto; max-height: 100%; margin: 1 2;
        border: round $primary; padding: 0 1; background: $surface;
        border-title-color: $text-primary; border-title-style: bold;
    }
    Dialog OptionList {
        height: auto; border: none; padding: 0; background: $surface;
        &:focus { border: none; background-tint: transparent; }
    }
    Dialog OptionList > .option-list--option-highlighted { background: $primary 40%; color: $foreground; }
    Dialog OptionList:ansi > .option-list--option-highlighted { background: ansi_default; text-style: reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss", "Back")]
    TITLE: ClassVar[str] = ""

    def compose(self) -> ComposeResult:
        frame = VerticalScroll(*self.inside())
        frame.border_title = self.TITLE
        yield frame
        yield Footer(show_command_palette=False)

    def inside(self) -> Iterable[Widget]:
        raise NotImplementedError
