"""The events, one line each: reads pages as they are looked at, and follows the tail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from agentguard.model.event import Event
from agentguard.record.reader import Mark
from agentguard.show.tui.index import EventIndex, ReadEvents
from agentguard.show.tui.messages import EventChosen, EventOpened, FollowChanged
from agentguard.show.tui.painter import ROLES, FlowMark, LinePainter


class EventLog(ScrollView, can_focus=True):
    """Line API: the first line names the columns, the rest are rows of the index.

    While it follows, the cursor stays on the newest event. Moving it pauses; `end` follows again.
    """

    DEFAULT_CSS = """
    EventLog {
        & > .log--head { color: $foreground 80%; text-style: bold; }
        & > .log--time { color: $foreground 80%; }
        & > .log--act { color: $text; }
        & > .log--subject { color: $text; }
        & > .log--loud { color: $text; text-style: bold; }
        & > .log--process { color: $foreground 80%; }
        & > .log--done { color: $foreground 60%; }
        & > .log--flow { color: $text-error; text-style: bold; }
        & > .log--sev-info { color: $foreground 80%; }
        & > .log--sev-low { color: $text; }
        & > .log--sev-medium { color: $text-warning; }
        & > .log--sev-high { color: $text-error; }
        & > .log--sev-critical { color: $text-error; text-style: bold; }
        & > .log--cursor { background: $foreground 12%; }
        &:focus > .log--cursor { background: $primary 25%; text-style: bold; }
        &:ansi > .log--cursor { background: ansi_default; text-style: reverse; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"log--{role}" for role in ROLES}
    BORDER_TITLE = "Events"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "first", "First", show=False),
        Binding("end,G", "follow", "Newest", show=False),
        Binding("enter", "open", "Detail", show=False),
    ]

    def __init__(self, read: ReadEvents, *, zone: tzinfo | None) -> None:
        super().__init__()
        self.index = EventIndex()
        self._read = read
        self._cursor = -1
        self._following = True
        self._told = 0
        """Row id of the event that was last told to be the chosen one."""
        self._unseen = 0
        self._flow: FlowMark | None = None
        self._marks: Mapping[str, Mark] = {}
        self._painter = LinePainter(self, zone)

    # What the screen tells it

    def clear(self) -> None:
        """Forget all rows: another filter or session follows."""
        self.index.clear()
        self._cursor, self._unseen, self._told, self._flow = -1, 0, 0, None
        self._resize_rows()

    def add_newer(self, ids: list[int]) -> None:
        """New events, oldest first."""
        if not ids:
            return
        self.index.extend(ids)
        if not self._following:
            self._unseen += len(ids)
            self._tell_follow()
        self._resize_rows()

    def add_older(self, newest_first: list[int]) -> None:
        """Events from before the first row. What is on the screen stays where it is."""
        if not newest_first:
            return
        self.index.prepend(newest_first)
        if not self._following:
            self._cursor += len(newest_first)
            self._resize_rows(keep=len(newest_first))
        else:
            self._resize_rows()

    def mark_flow(self, flow: FlowMark | None) -> None:
        """Draw a flow beside the rows it spans."""
        if flow != self._flow:
            self._flow = flow
            self.refresh()

    def mark(self, marks: Mapping[str, Mark]) -> None:
        """What people said of events, by uid: those rows step back."""
        if marks != self._marks:
            self._marks = marks
            self.refresh()

    def select_id(self, row_id: int) -> bool:
        """Put the cursor on this event; False when the filter leaves it out."""
        row = self.index.row_of(row_id)
        if row is None:
            return False
        self._go(row, follow=False)
        return True

    def select_near(self, row_id: int) -> None:
        """Put the cursor on this event or the first one after it; on the newest when all are older."""
        self._go(self.index.row_from(row_id), follow=False)

    def tell(self, count: str, *, filtered: bool) -> None:
        """Say in the border how many there are, and whether it follows."""
        state = "● following" if self._following else "‖ paused" + (f", {self._unseen:,} new" if self._unseen else "")
        self.border_title = "Events, filtered" if filtered else "Events"
        self.border_subtitle = f"{state} · {count}"

    @property
    def chosen(self) -> Event | None:
        """The event under the cursor."""
        return self._event(self._cursor) if 0 <= self._cursor < len(self.index) else None

    @property
    def chosen_id(self) -> int:
        """Its row id; 0 when there is none."""
        return self.index.id_of(self._cursor) if 0 <= self._cursor < len(self.index) else 0

    @property
    def following(self) -> bool:
        """The cursor stays on the newest event."""
        return self._following

    # Keys and mouse

    def action_move(self, by: int) -> None:
        """One row; past the newest event it follows again."""
        row = self._cursor + by
        self._go(row, follow=by > 0 and row >= len(self.index))

    def action_page(self, by: int) -> None:
        self._go(self._cursor + by * max(1, self._visible_rows - 1), follow=False)

    def action_first(self) -> None:
        self._go(0, follow=False)

    def action_follow(self) -> None:
        self._go(len(self.index) - 1, follow=True)

    def action_pause(self) -> None:
        """Follow, or stop following."""
        self._go(self._cursor if self._following else len(self.index) - 1, follow=not self._following)

    def action_open(self) -> None:
        if self.chosen is not None:
            self.post_message(EventOpened(self.chosen))

    def on_click(self, event: events.Click) -> None:
        row = round(self.scroll_y) + event.y - self.gutter.top - 1
        if 0 <= row < len(self.index) and event.y > self.gutter.top:
            again = row == self._cursor
            self._go(row, follow=False)
            if again:
                self.action_open()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self._following and new_value < self._bottom - 0.5:
            self._set_following(False)

    def on_resize(self) -> None:
        self._resize_rows()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._painter.clear()

    # Drawing

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if y == 0:
            return self._painter.head(width)
        row = round(self.scroll_y) + y - 1
        if not 0 <= row < len(self.index):
            return Strip.blank(width, self.rich_style)
        event = self._event(row)
        said = self._marks.get(event.finding.uid) if event else None
        return self._painter.row(event, width, self._flow, said, cursor=row == self._cursor)

    # The rest

    @property
    def _visible_rows(self) -> int:
        return max(1, self.scrollable_content_region.height - 1)

    @property
    def _bottom(self) -> int:
        return max(0, len(self.index) - self._visible_rows)

    def _event(self, row: int) -> Event | None:
        return self.index.event(row, self._read)

    def _go(self, row: int, *, follow: bool) -> None:
        row = max(0, min(row, len(self.index) - 1)) if len(self.index) else -1
        self._set_following(follow)
        self._cursor = row
        if row >= 0:
            top = round(self.scroll_y)
            self._scroll_rows(max(row - self._visible_rows + 1, min(top, row)))
        self.refresh()
        self._tell_chosen()

    def _resize_rows(self, keep: int = 0) -> None:
        """After rows were added; `keep` of them stand before what is on the screen."""
        self.virtual_size = Size(self.scrollable_content_region.width, len(self.index) + 1)
        if self._following:
            self._cursor = len(self.index) - 1
            self._scroll_rows(self._bottom)
            self._tell_chosen()
        elif keep:
            self._scroll_rows(round(self.scroll_y) + keep)
        self.refresh(Region(0, 0, self.size.width, self.size.height))

    def _scroll_rows(self, top: int) -> None:
        self.scroll_to(y=min(top, self._bottom), animate=False, force=True)
        self.vertical_scrollbar.position = self.scroll_y

    def _set_following(self, follow: bool) -> None:
        if follow:
            self._unseen = 0
        changed, self._following = follow != self._following, follow
        if changed:
            self._tell_follow()

    def _tell_chosen(self) -> None:
        """Once for each: while the past is read, the newest event stays the same."""
        if self.chosen_id != self._told or not self._told:
            self._told = self.chosen_id
            self.post_message(EventChosen(self.chosen))

    def _tell_follow(self) -> None:
        self.post_message(FollowChanged(following=self._following, unseen=self._unseen))
