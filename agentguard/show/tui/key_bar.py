"""The last line: what the keys do here. One widget: Textual's own makes one for each key, anew at every focus."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

_BETWEEN = 2


class KeyBar(Widget):
    """A click is the key. Keys for which there is no room are left out; Help names them all."""

    DEFAULT_CSS = """
    KeyBar { height: 1; padding: 0 1; background: $background; color: $foreground; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._keys: list[tuple[str, str, str]] = []
        """(key, how it is written, what it does)"""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._look)
        self._look(self.screen)

    def _look(self, screen: Screen[object]) -> None:
        actions: set[str] = set()
        keys = []
        for active in screen.active_bindings.values():
            binding = active.binding
            if binding.show and active.enabled and binding.action not in actions:
                actions.add(binding.action)
                keys.append((binding.key, self.app.get_key_display(binding), binding.description))
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def render(self) -> Content:
        parts: list[Content] = []
        for _, written, does in self._shown():
            parts += [Content.assemble((written, "bold $text-primary"), " ", does), Content(" " * _BETWEEN)]
        return Content("").join(parts[:-1])

    def on_click(self, event: events.Click) -> None:
        at = event.x - self.gutter.left
        for key, written, does in self._shown():
            width = _width(written, does)
            if 0 <= at < width:
                self.app.simulate_key(key)
                return
            at -= width + _BETWEEN

    def _shown(self) -> list[tuple[str, str, str]]:
        """Those that fit, and always the last one: it is how one leaves."""
        shown, last = [], self._keys[-1:]
        room = self.content_size.width - sum(_width(written, does) for _, written, does in last)
        for key, written, does in self._keys[:-1]:
            room -= _width(written, does) + _BETWEEN
            if room < 0:
                break
            shown.append((key, written, does))
        return shown + last


def _width(written: str, does: str) -> int:
    return Content(f"{written} {does}").cell_length
