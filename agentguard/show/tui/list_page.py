"""A place with a list at the left and, at the right, a picture of what is chosen in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import get_current_worker

from agentguard.errors import AgentGuardError
from agentguard.record.reader import Reader
from agentguard.show.tui.messages import Snapshot
from agentguard.show.tui.page import Desk, Page
from agentguard.show.tui.words import MUTED, clean

NARROWEST = 30
"""Cells of a picture, at least: what is narrower is cut."""


@dataclass(frozen=True, slots=True)
class Item:
    """A line or two of the list."""

    id: str
    """"" for a heading, which cannot be chosen."""
    prompt: Content


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a page shows, as it was read at one time."""

    items: tuple[Item, ...]
    title: str
    subtitle: str = ""


class _Read(Message):
    """The page's thread has read."""

    def __init__(self, gathered: Gathered, data: object, problem: str) -> None:
        self.gathered = gathered
        self.data = data
        self.problem = problem
        super().__init__()


class ListPage(Page):
    """`gather` reads in a thread, whenever `key_of` says that there is something new; `picture` draws what it read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "list('cursor_down')", show=False),
        Binding("k", "list('cursor_up')", show=False),
        Binding("g", "list('first')", show=False),
        Binding("G", "list('last')", show=False),
        Binding("left_square_bracket", "scroll(-5)", "Scroll the picture up", show=False),
        Binding("right_square_bracket", "scroll(5)", "Scroll the picture down", show=False),
    ]
    PICTURE: ClassVar[str] = ""
    """Title of the picture's frame."""
    EMPTY: ClassVar[str] = ""
    """What stands there when the list is empty."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.loaded = False
        self._key: object = None
        self._wanted = ""
        """Id of the item to go to when it is there."""

    def body(self) -> Iterable[Widget]:
        yield Horizontal(
            OptionList(id="list", markup=False),
            VerticalScroll(Static(id="picture-text"), id="picture", can_focus=True),
            id="list-page",
        )

    def on_mount(self) -> None:
        self.query_one("#picture").border_title = self.PICTURE
        self._list.focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    # To be filled in

    def key_of(self, snapshot: Snapshot) -> object:
        """Changes when there is something new to read."""
        raise NotImplementedError

    def gather(self, reader: Reader, snapshot: Snapshot) -> tuple[Gathered, object]:
        """In the page's thread: the list, and what pictures are made of. May raise AgentGuardError."""
        raise NotImplementedError

    def take(self, data: object) -> None:
        """Keep what `gather` read, before it is drawn."""
        raise NotImplementedError

    def picture(self, item: str, width: int) -> Content:
        """Of the item with this id."""
        raise NotImplementedError

    # From the database

    def show(self, snapshot: Snapshot) -> None:
        key = self.key_of(snapshot)
        if key != self._key:
            self._key = key
            self.loaded = False
            self.run_worker(self._read, thread=True, exclusive=True, group="gather")

    def again(self) -> None:
        """Read anew: something was done."""
        self._key = None
        self.show(self.snapshot)

    def _read(self) -> None:
        worker, snapshot = get_current_worker(), self.snapshot
        reader = self.desk.reader()
        read = _Read(Gathered((), ""), None, "")
        try:
            gathered, data = self.gather(reader, snapshot)
            read = _Read(gathered, data, "")
        except AgentGuardError as error:
            read = _Read(Gathered((), ""), None, str(error))
        finally:
            reader.close()
        if not worker.is_cancelled:
            self.post_message(read)

    @on(_Read)
    def _filled(self, message: _Read) -> None:
        if message.problem:
            self.query_one("#picture-text", Static).update(Content.styled(clean(message.problem), "$text-error"))
            self.loaded = True
            return
        self.take(message.data)
        self._list.border_title = message.gathered.title
        self._list.border_subtitle = message.gathered.subtitle
        self._fill(message.gathered.items)
        self.loaded = True
        self.draw()

    def _fill(self, items: Sequence[Item]) -> None:
        """The cursor stays on what it was on."""
        chosen = self._wanted or self.chosen
        self._list.set_options(Option(item.prompt, id=item.id or None, disabled=not item.id) for item in items)
        places = [place for place, item in enumerate(items) if item.id]
        found = next((place for place in places if items[place].id == chosen), None)
        if found is not None:
            self._wanted = ""
        self._list.highlighted = found if found is not None else next(iter(places), None)
        self.set_class(not places, "-nothing")

    # From a person

    @property
    def chosen(self) -> str:
        """Id of the item under the cursor; "" when there is none."""
        found = self.query("#list").results(OptionList)  # none before the page is composed
        option = next((listed.highlighted_option for listed in found), None)
        return (option.id or "") if option is not None else ""

    def select(self, item: str) -> None:
        """Go to an item, now or as soon as it is there."""
        self._wanted = item
        if self.loaded and item in {option.id for option in self._list.options}:
            self._list.highlighted = self._list.get_option_index(item)
            self._wanted = ""

    @on(OptionList.OptionHighlighted)
    def _moved(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self.draw()
        self.query_one("#picture", VerticalScroll).scroll_home(animate=False)

    @on(OptionList.OptionSelected)
    def _opened(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_id:
            self.open(event.option_id)

    def open(self, item: str) -> None:  # noqa: ARG002 - for those that go elsewhere
        """Enter or a click on an item; here: into the picture."""
        self.query_one("#picture").focus()

    def draw(self) -> None:
        """The picture of what is chosen."""
        if not self.loaded:
            return
        frame = self.query_one("#picture", VerticalScroll)
        width = max(NARROWEST, frame.scrollable_content_region.width)
        drawn = self.picture(self.chosen, width) if self.chosen else Content.styled(self.EMPTY, MUTED)
        self.query_one("#picture-text", Static).update(drawn)

    def action_list(self, move: str) -> None:
        getattr(self._list, f"action_{move}")()

    def action_scroll(self, by: int) -> None:
        self.query_one("#picture").scroll_relative(y=by, animate=False)

    @property
    def _list(self) -> OptionList:
        return self.query_one("#list", OptionList)
