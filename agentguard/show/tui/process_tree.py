"""The tree of a session's processes, one line each, with what each touched. Line API: only what is seen is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from agentguard.model.verdict import Severity
from agentguard.record.pulse import Touched
from agentguard.show.tui.forest import Forest, Key, Row
from agentguard.show.tui.messages import ProcessChosen
from agentguard.show.tui.rows import fit
from agentguard.show.tui.words import SEVERITY, clean

_COUNT = 7
_GRAVEST = 8
_COUNTS = (("READS", "read"), ("SENDS", "send"), ("FLOWS", "flow"))
_LOUDER = dict.fromkeys(("idle", "read", "send", "sev-info"), "name")
"""What could not be read on the cursor's ground."""
_ROLES = ("head", "guide", "name", "idle", "read", "send", "flow", "cursor", *(f"sev-{one.value}" for one in Severity))


class ProcessTree(ScrollView, can_focus=True):
    """The first line names the columns. A folded process counts all that it hides, after a `+`."""

    DEFAULT_CSS = """
    ProcessTree {
        overflow: hidden scroll;
        & > .tree--head { color: $foreground 80%; text-style: bold; }
        & > .tree--guide { color: $foreground 40%; }
        & > .tree--name { color: $text; text-style: bold; }
        & > .tree--idle { color: $foreground 80%; }
        & > .tree--read { color: $text-primary; }
        & > .tree--send { color: $text-warning; }
        & > .tree--flow { color: $text-error; text-style: bold; }
        & > .tree--sev-info { color: $foreground 80%; }
        & > .tree--sev-low { color: $text; }
        & > .tree--sev-medium { color: $text-warning; }
        & > .tree--sev-high { color: $text-error; }
        & > .tree--sev-critical { color: $text-error; text-style: bold; }
        & > .tree--cursor { background: $foreground 12%; }
        &:focus > .tree--cursor { background: $primary 25%; text-style: bold; }
        &:ansi > .tree--cursor { background: ansi_default; text-style: reverse; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"tree--{role}" for role in _ROLES}
    BORDER_TITLE = "Processes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "move(-1000000000)", "First", show=False),
        Binding("end,G", "move(1000000000)", "Last", show=False),
        Binding("enter,space", "fold", "Fold", show=False),
        Binding("left", "fold(True)", "Fold", show=False),
        Binding("right", "fold(False)", "Unfold", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._forest = Forest()
        self._folded: set[Key] = set()
        self._rows: Sequence[Row] = ()
        self._chosen: Key | None = None
        self.all_of_them = False
        """Those too that touched nothing."""

    # What the page tells it

    def update(self, forest: Forest) -> None:
        """Show it as it is now; the chosen process stays chosen."""
        self._forest = forest
        self._lay_out()

    def show_all(self, all_of_them: bool) -> None:
        """Also those that touched nothing, or not."""
        self.all_of_them = all_of_them
        self._lay_out()

    @property
    def chosen(self) -> Row | None:
        """The line under the cursor."""
        return next((row for row in self._rows if row.key == self._chosen), None)

    # Keys and mouse

    def action_move(self, by: int) -> None:
        self._go(self._cursor + by)

    def action_page(self, by: int) -> None:
        self._go(self._cursor + by * max(1, self.scrollable_content_region.height - 2))

    def action_fold(self, fold: bool | None = None) -> None:
        """Fold or unfold; None does what it is not. Folding a leaf goes to its parent."""
        row = self.chosen
        if row is None:
            return
        folded = not row.folded if fold is None else fold
        if folded and (row.leaf or row.folded):
            self._go(self._above())
        elif not row.leaf:
            (self._folded.add if folded else self._folded.discard)(row.key)
            self._lay_out()

    def on_click(self, event: events.Click) -> None:
        at = round(self.scroll_y) + event.y - self.gutter.top - 1
        if event.y > self.gutter.top and 0 <= at < len(self._rows):
            again = self._rows[at].key == self._chosen
            self._go(at)
            if again:
                self.action_fold()

    # Drawing

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        at = round(self.scroll_y) + y - 1
        if y == 0:
            return self._draw(self._head(width), width, cursor=False)
        if not 0 <= at < len(self._rows):
            return Strip.blank(width, self.rich_style)
        row = self._rows[at]
        return self._draw(self._cells(row, width), width, cursor=row.key == self._chosen)

    def _head(self, width: int) -> list[tuple[str, str]]:
        counts = "".join(name.rjust(_COUNT) for name, _ in _COUNTS)
        return [("PROCESS".ljust(self._room(width)) + counts + "  " + "GRAVEST".ljust(_GRAVEST), "head")]

    def _cells(self, row: Row, width: int) -> list[tuple[str, str]]:
        room, process = self._room(width), row.process
        sign = "" if row.leaf else "▸ " if row.folded else "▾ "
        guide = row.guide if len(row.guide) <= room // 2 else "… " + row.guide[-(room // 2) :]
        name = f"{clean(process.name) or '?'} {process.pid}"
        counted = row.below if row.folded else row.own
        cells = [
            (guide, "guide"),
            (sign, "idle"),
            (fit(name, max(1, room - len(guide + sign))), "name" if row.own.events else "idle"),
        ]
        for _, what in _COUNTS:
            cells.append(_count(counted, what, hidden=row.folded))
        return [*cells, _gravest(counted)]

    def _room(self, width: int) -> int:
        return max(8, width - _COUNT * len(_COUNTS) - _GRAVEST - 2)

    def _draw(self, cells: Sequence[tuple[str, str]], width: int, *, cursor: bool) -> Strip:
        style = self.get_component_rich_style
        base = style("tree--cursor") if cursor else self.rich_style
        on = Style(bgcolor=base.bgcolor, bold=base.bold if cursor else None, reverse=base.reverse if cursor else None)
        roles = _LOUDER if cursor else {}
        segments = [Segment(text, style(f"tree--{roles.get(role, role)}") + on) for text, role in cells]
        return Strip(segments).adjust_cell_length(width, on)

    # The rest

    def on_resize(self) -> None:
        self._lay_out()
        self._go(self._cursor)

    @property
    def _cursor(self) -> int:
        return next((at for at, row in enumerate(self._rows) if row.key == self._chosen), 0)

    def _above(self) -> int:
        """Where the line of the chosen process's parent is; its own when it has none."""
        depth = len(self._rows[self._cursor].guide)
        return next((at for at in range(self._cursor, -1, -1) if len(self._rows[at].guide) < depth), self._cursor)

    def _lay_out(self) -> None:
        self._rows = list(self._forest.rows(self._folded, all_of_them=self.all_of_them))
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._rows) + 1)
        hidden = len(self._forest.processes) - len(self._rows)
        self.border_subtitle = Content(f"{len(self._rows):,}" + (f", {hidden:,} not shown" if hidden else ""))
        if self._rows and self.chosen is None:
            gravest = max(self._rows, key=lambda row: (row.own.flows > 0, row.own.severity, row.own.last_id))
            self._go(self._rows.index(gravest))
        self.refresh()

    def _go(self, at: int) -> None:
        if not self._rows:
            return
        at = max(0, min(at, len(self._rows) - 1))
        row, before = self._rows[at], self._chosen
        self._chosen = row.key
        top, room = round(self.scroll_y), max(1, self.scrollable_content_region.height - 1)
        self.scroll_to(y=max(at - room + 1, min(top, at)), animate=False, force=True)
        self.refresh()
        if before != row.key:
            self.post_message(ProcessChosen())


def _count(touched: Touched, what: str, *, hidden: bool) -> tuple[str, str]:
    count = {"read": touched.reads, "send": touched.sends, "flow": touched.flows}[what]
    if not count:
        return "·".rjust(_COUNT), "guide"
    return f"{count:,}{'+' if hidden else ''}".rjust(_COUNT), what


def _gravest(touched: Touched) -> tuple[str, str]:
    if not touched.events:
        return " " * (_GRAVEST + 2), "guide"
    severity = list(Severity)[touched.severity]
    look = SEVERITY[severity]
    return "  " + f"{look.glyph} {look.word}".ljust(_GRAVEST), f"sev-{severity.value}"
