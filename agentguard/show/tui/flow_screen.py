"""Every flow of the session: who read what, and where it went."""

from __future__ import annotations

from textual.content import Content

from agentguard.model.event import Event
from agentguard.record.reader import Reader
from agentguard.show.tui.event_keys import EventKeys
from agentguard.show.tui.flow_picture import Flows, flow_item, flow_picture
from agentguard.show.tui.list_page import Gathered, Item, ListPage
from agentguard.show.tui.messages import PlaceWanted, Snapshot
from agentguard.show.tui.words import plural

MOST = 500
"""Flows listed, the gravest."""


class FlowScreen(ListPage, EventKeys):
    """The gravest first. Enter goes to the send among the events."""

    PLACE = "Flow"
    PICTURE = "From the read to the send"
    EMPTY = "Nothing that was read has been sent anywhere in this session."
    _flows = Flows()

    def key_of(self, snapshot: Snapshot) -> object:
        chosen = snapshot.chosen
        return (chosen.uid, chosen.counts.get("flows", 0)) if chosen else None

    def gather(self, reader: Reader, snapshot: Snapshot) -> tuple[Gathered, object]:
        if snapshot.chosen is None:
            return Gathered((), "Flows"), Flows()
        found = reader.flows(snapshot.chosen.uid, MOST, gravest_first=True)
        sends = sorted((send for send, _ in found), key=_grave, reverse=True)
        flows = Flows(tuple(sends), {read.finding.uid: read for _, read in found if read})
        items = tuple(Item(send.finding.uid, flow_item(send, self.desk.zone)) for send in flows.sends)
        total = snapshot.chosen.counts.get("flows", len(items))
        more = f"the gravest {len(items):,} of {total:,}" if total > len(items) else plural(len(items), "flow")
        return Gathered(items, "Flows", more if items else ""), flows

    def take(self, data: object) -> None:
        assert isinstance(data, Flows)
        self._flows = data

    def picture(self, item: str, width: int) -> Content:
        send = self._send(item)
        return flow_picture(send, self._flows, width, self.desk.zone) if send else Content()

    def open(self, item: str) -> None:
        self.post_message(PlaceWanted("Live", item))

    @property
    def chosen_event(self) -> Event | None:
        return self._send(self.chosen)

    def _send(self, uid: str) -> Event | None:
        return next((send for send in self._flows.sends if send.finding.uid == uid), None)


def _grave(send: Event) -> tuple[int, int, int]:
    """What got out before what was stopped, and of alike ones the latest."""
    return send.verdict.outcome.rank, send.verdict.severity.rank, send.seq
