"""One session: its facts, its processes as a tree with what each touched, and the events of the chosen one."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from agentguard.errors import StoreError
from agentguard.model.session import Session
from agentguard.record.pulse import Pulse, Span, Touched
from agentguard.show.tui.detail_screen import DetailScreen
from agentguard.show.tui.event_log import EventLog
from agentguard.show.tui.feed import Feed
from agentguard.show.tui.forest import Forest, grown, orphans
from agentguard.show.tui.messages import EventOpened, ProcessChosen, Snapshot
from agentguard.show.tui.page import Desk, Page
from agentguard.show.tui.process_tree import ProcessTree
from agentguard.show.tui.session_facts import facts
from agentguard.show.tui.words import clean

EVENTS = 2_000
"""The newest events of a process that are listed."""
ORPHANS = 500
"""Processes of which an event is read for the names of their parents."""
SHARE = 10
"""What took t seconds to read is not read again before 10 t have passed, nor before a second has."""


class Grown(Message):
    """The processes have been read."""

    def __init__(self, session: str, forest: Forest) -> None:
        self.session = session
        self.forest = forest
        super().__init__()


class SessionScreen(Page):
    """Of the session that is chosen on the live page."""

    DEFAULT_CSS = """
    SessionScreen {
        #facts { height: auto; max-height: 7; padding: 0 1; }
        #who { height: 1fr; }
        ProcessTree { width: 1fr; height: 1fr; }
        EventLog { width: 1fr; height: 1fr; overflow: hidden scroll; }
        &.-narrow #who { layout: vertical; }
        &.-narrow ProcessTree { height: 3fr; }
        &.-narrow EventLog { height: 2fr; }
        &.-short #facts { max-height: 3; }
    }
    """
    PLACE = "Session"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "all", "All processes"),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._feed = Feed(desk.home.database)
        self._uid = ""
        self._seen = -1
        """Row id of the newest event that the tree knows of."""
        self._due = 0.0
        self.loaded = False
        """The tree is that of the chosen session."""

    def body(self) -> Iterable[Widget]:
        yield Static(id="facts")
        yield Horizontal(ProcessTree(), EventLog(self._feed.read, zone=self.desk.zone), id="who")

    def on_mount(self) -> None:
        self.query_one(ProcessTree).focus()

    def on_unmount(self) -> None:
        self._feed.reader.close()

    # From the database

    def show(self, snapshot: Snapshot) -> None:
        session = snapshot.chosen
        if session is None:
            return
        if session.uid != self._uid:
            self._uid, self._seen, self._due, self.loaded = session.uid, -1, 0.0, False
            self.query_one(ProcessTree).update(Forest())
            self.query_one(EventLog).clear()
        self._read_again()

    def tick(self) -> None:
        super().tick()
        if session := self.snapshot.chosen:
            self._say(session)
            self._read_again()

    def again(self) -> None:
        super().again()
        self._list_events()

    def _say(self, session: Session) -> None:
        guarded = session.uid not in self.snapshot.died
        text = facts(session, self.desk, max(40, self.size.width - 2), guarded=guarded)
        self.query_one("#facts", Static).update(text)

    def _read_again(self) -> None:
        """In a thread, when anything has come since."""
        if not self._uid or time.monotonic() < self._due:
            return
        try:
            last = self._feed.reader.last_id()
        except StoreError:
            return  # the watcher says it in the banner
        if last != self._seen:
            self._seen, self._due = last, float("inf")
            self.run_worker(partial(self._grow, self._uid), thread=True, exclusive=True, group="tree")

    def _grow(self, uid: str) -> None:
        """In the worker's thread."""
        began = time.monotonic()
        try:
            with closing(Pulse(self.desk.home.database)) as pulse:
                self.post_message(Grown(uid, read_forest(pulse, uid)))
        except StoreError:
            self._seen = -1
        finally:
            self._due = time.monotonic() + max(1.0, SHARE * (time.monotonic() - began))

    @on(Grown)
    def _grown(self, message: Grown) -> None:
        if message.session == self._uid:
            self.query_one(ProcessTree).update(message.forest)
            self.loaded = True
            self._list_events()

    # From the widgets

    @on(ProcessChosen)
    def _process_chosen(self) -> None:
        self.query_one(EventLog).clear()
        self._list_events()

    def _list_events(self) -> None:
        """Of the chosen process: those that are not there yet."""
        log, row = self.query_one(EventLog), self.query_one(ProcessTree).chosen
        if row is None:
            return
        try:
            ids = self._feed.reader.ids_of_process(self._uid, row.process.pid, row.span, EVENTS)
            marks = self._feed.reader.marks(self._uid)
        except StoreError:
            return
        if known := len(log.index):
            newest = log.index.id_of(known - 1)
            log.add_newer([one for one in reversed(ids) if one > newest])
        else:
            log.add_older(ids)
        log.mark(marks)
        command = clean(" ".join(row.process.cmdline)) or clean(row.process.exe) or clean(row.process.name)
        log.border_title = Content(f"Events of {row.process.pid}: {command}")
        log.border_subtitle = Content(f"{row.own.events:,}")

    @on(EventOpened)
    def _opened(self, message: EventOpened) -> None:
        try:
            self.app.push_screen(DetailScreen(partial(self._feed.story, message.event), self.desk.zone))
        except StoreError as error:
            self.notify(str(error), severity="error", markup=False)

    # Keys

    def action_all(self) -> None:
        tree = self.query_one(ProcessTree)
        tree.show_all(not tree.all_of_them)


def read_forest(pulse: Pulse, uid: str) -> Forest:
    """All processes of a session that are on record, or that an event names."""
    known, touched = pulse.processes(uid), pulse.touched(uid)
    told = pulse.events_by_id(orphans(known, touched)[:ORPHANS])

    def of_span(pid: int, span: Span) -> Touched:
        return next(iter(pulse.touched(uid, span, pid)), Touched(pid))

    return grown(known, touched, told, of_span)
