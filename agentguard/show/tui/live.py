"""The live screen: what is watched, how it stands, when, what, and the story of the chosen event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.worker import get_current_worker

from agentguard.errors import StoreError
from agentguard.model.event import Event
from agentguard.record.reader import EventQuery
from agentguard.show.tui import messages
from agentguard.show.tui.detail_panel import DetailPanel
from agentguard.show.tui.detail_screen import DetailScreen
from agentguard.show.tui.empty import EmptyState
from agentguard.show.tui.event_keys import EventKeys
from agentguard.show.tui.event_log import EventLog
from agentguard.show.tui.feed import EVERY_ROW, Feed
from agentguard.show.tui.filter_bar import FilterBar
from agentguard.show.tui.flow_text import Story
from agentguard.show.tui.page import Desk, Page
from agentguard.show.tui.painter import FlowMark
from agentguard.show.tui.sessions import SessionList
from agentguard.show.tui.timeline import TimelinePanel


class LiveScreen(Page, EventKeys):
    """The dashboard's first screen."""

    PLACE = "Live"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", "Follow"),
        Binding("n", "finding(False)", "Finding"),
        Binding("N", "finding(True)", "Previous finding", show=False),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("l", "sessions", "Sessions"),
        Binding("z", "zoom", "Zoom"),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._feed = Feed(desk.home.database)
        self._uid = ""
        """Of the session whose events are listed."""
        self._typed = EventQuery()
        self.loaded = False
        """Every row id of the present filter has been read."""

    def body(self) -> Iterable[Widget]:
        zone, user_home = self.desk.zone, self.desk.user_home
        yield EmptyState()
        yield TimelinePanel(zone=zone)
        yield Horizontal(SessionList(home=user_home), EventLog(self._feed.read, zone=zone), id="middle")
        yield FilterBar(clock=self.desk.clock, zone=zone, known=self._feed.known)
        yield DetailPanel(zone=zone)

    def on_mount(self) -> None:
        self._log.focus()

    def on_unmount(self) -> None:
        self._feed.reader.close()

    # From the database

    def show(self, snapshot: messages.Snapshot) -> None:
        self.set_class(snapshot.chosen is None, "-empty")
        self.query_one(EmptyState).update(snapshot)
        if snapshot.chosen is None:
            return
        if self._uid != snapshot.chosen.uid:
            self._uid = snapshot.chosen.uid
            self._restart()
        else:
            self._guarded(self._catch_up)

    def again(self) -> None:
        super().again()
        if event := self.chosen_event:
            self._guarded(lambda: self._tell_story(event))

    def _catch_up(self) -> None:
        self._log.add_newer(self._feed.newer())
        self._log.mark(self._feed.reader.marks(self._feed.chosen.session or ""))

    def tick(self) -> None:
        super().tick()
        snapshot, now = self.snapshot, self.desk.clock()
        chosen = snapshot.chosen
        if chosen is not None:
            end = now if chosen.end_ns is None else chosen.end_ns
            self._timeline.update(snapshot.timeline, chosen.start_ns, end)
        self.query_one(SessionList).update(snapshot.sessions, self._uid, now)

    def _restart(self) -> None:
        """Another session or filter: read its ids, the newest first."""
        if self._uid:
            self._guarded(lambda: self._begin(self._uid))

    def _begin(self, uid: str) -> None:
        named = self._typed.session
        chosen = replace(self._typed, session=self._feed.session_uid(named) if named else uid)
        generation, before = self._feed.restart(chosen)
        self.loaded = False
        self._log.clear()
        self._log.mark(self._feed.reader.marks(self._feed.chosen.session or ""))
        self._log.action_follow()
        self.query_one(DetailPanel).update(None)
        self.run_worker(partial(self._load, generation, chosen, before), thread=True, exclusive=True, group="ids")

    def _load(self, generation: int, chosen: EventQuery, before: int) -> None:
        """In the loader's thread."""
        worker = get_current_worker()

        def emit(ids: Sequence[int], done: bool) -> None:
            self.post_message(messages.IdsRead(generation, ids, done=done))

        try:
            self._feed.load(chosen, before, emit, lambda: worker.is_cancelled)
        except StoreError:
            emit([], True)

    @on(messages.IdsRead)
    def _older(self, message: messages.IdsRead) -> None:
        if message.generation == self._feed.generation:
            self._log.add_older(list(message.ids))
            self.loaded = message.done
            self._say_filter()

    # From the widgets

    @on(messages.EventChosen)
    def _chosen(self, message: messages.EventChosen) -> None:
        event = message.event
        self._timeline.choose(event.finding.time_ns if event else None)
        if event is None:
            self.query_one(DetailPanel).update(None)
            return
        self._guarded(lambda: self._tell_story(event))

    @on(messages.MomentChosen)
    def _moment_chosen(self, message: messages.MomentChosen) -> None:
        self._guarded(lambda: self._log.select_near(self._feed.first_since(message.time_ns)))

    def _tell_story(self, event: Event) -> None:
        story = self._feed.story(event)
        self.query_one(DetailPanel).update(story)
        self._log.mark_flow(flow_mark(story))

    @on(messages.EventOpened)
    def _opened(self, message: messages.EventOpened) -> None:
        self._guarded(
            lambda: self.app.push_screen(DetailScreen(partial(self._feed.story, message.event), self.desk.zone))
        )

    @on(messages.CauseWanted)
    def _cause_wanted(self) -> None:
        cause = self.snapshot.cause
        if cause is not None:
            self._guarded(lambda: self._log.select_near(self._feed.first_since(cause.finding.time_ns)))

    @on(messages.FollowChanged)
    def _follow_changed(self) -> None:
        self._say_filter()

    @on(messages.FilterTyped)
    def _filter_typed(self, message: messages.FilterTyped) -> None:
        if message.query != self._typed:
            self._typed = message.query
            self._restart()

    @on(messages.FilterClosed)
    def _filter_closed(self) -> None:
        self._log.focus()

    @on(messages.SessionChosen)
    def _session_chosen(self) -> None:
        self.remove_class("-drawer")
        self._log.focus()

    def _say_filter(self) -> None:
        log = self._log
        count = f"{len(log.index):,}{'' if self.loaded else '+'}"
        log.tell(count, filtered=self._typed != EventQuery())

    # Keys

    def action_follow(self) -> None:
        self._log.action_pause()

    def action_finding(self, backwards: bool) -> None:
        self._guarded(lambda: self._jump(backwards))

    def _jump(self, backwards: bool) -> None:
        found = self._feed.next_finding(self._log.chosen_id, backwards=backwards)
        if not found:
            found = self._feed.next_finding(EVERY_ROW if backwards else 0, backwards=backwards)
            said = (
                "From the end again: the last finding." if backwards else "From the beginning again: the first finding."
            )
            self.notify(said if found else "No finding: nothing here asks for a person.", timeout=2)
        if found and not self._log.select_id(found):
            self.notify("The past is still being read.", timeout=2)

    def action_filter(self) -> None:
        self.query_one(FilterBar).open()

    def action_zoom(self) -> None:
        self._timeline.zoom()

    def action_sessions(self) -> None:
        self.add_class("-drawer")
        self.query_one(SessionList).focus()

    def action_back(self) -> None:
        if self.has_class("-drawer"):
            self._session_chosen()
        else:
            self.query_one(FilterBar).action_clear()

    @property
    def chosen_event(self) -> Event | None:
        return self._log.chosen

    def select(self, item: str) -> None:
        """The event with this uid."""
        self._guarded(lambda: self._go_to(item))

    def _go_to(self, uid: str) -> None:
        event = self._feed.reader.event(uid)
        if event is not None:
            self._log.select_near(self._feed.first_since(event.finding.time_ns))

    @property
    def _timeline(self) -> TimelinePanel:
        return self.query_one(TimelinePanel)

    @property
    def _log(self) -> EventLog:
        return self.query_one(EventLog)

    def _guarded(self, read: Callable[[], object]) -> None:
        """A database that fails is said; the watcher tries it again."""
        try:
            read()
        except StoreError as error:
            self.notify(str(error), severity="error", markup=False)


def flow_mark(story: Story) -> FlowMark | None:
    """From the read to the send; of several sends, to the last."""
    session = story.event.finding.session
    if story.read is not None:
        return FlowMark(session, story.read.seq, story.event.seq)
    return FlowMark(session, story.event.seq, story.sends[-1].seq) if story.sends else None
