"""What the watcher and the widgets tell whoever contains them. No message names who will answer it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.message import Message

from agentguard.model.event import Event
from agentguard.model.session import Session
from agentguard.record.reader import EventQuery
from agentguard.show.tui.tally import Timeline


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the watcher read in one look at the database."""

    sessions: tuple[Session, ...] = ()
    """Newest first."""
    chosen: Session | None = None
    """The session the dashboard is about; None when there is none."""
    timeline: Timeline = Timeline()  # noqa: RUF009 - frozen
    """Of the chosen session."""
    cause: Event | None = None
    """What made the outcome of the chosen session what it is; None while it is clean."""
    died: frozenset[str] = frozenset()
    """Sessions, by uid, that run on while nobody guards them."""
    problem: str = ""
    """Why nothing could be read; "" when all is well. A database that is not there yet is no problem."""


class Changed(Message):
    """The database has moved on. Only the newest one matters."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Changed)


class SessionChosen(Message):
    """A person chose a session in the list."""

    def __init__(self, uid: str) -> None:
        self.uid = uid
        super().__init__()


class PlaceWanted(Message):
    """A person wants to be elsewhere."""

    def __init__(self, name: str, item: str = "") -> None:
        self.name = name
        """Of a place; "" for the one before."""
        self.item = item
        """What to choose there; "" for what is chosen."""
        super().__init__()


class SeenWanted(Message):
    """A person has looked at an event, or takes that back."""

    def __init__(self, event: Event) -> None:
        self.event = event
        super().__init__()


class ExpectWanted(Message):
    """A person says that an event is as it should be, and shall be expected from now on."""

    def __init__(self, event: Event) -> None:
        self.event = event
        super().__init__()


class RotateWanted(Message):
    """A person has replaced a credential, or takes that back."""

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint
        super().__init__()


class CopyWanted(Message):
    """A person wants something of an event elsewhere."""

    def __init__(self, event: Event) -> None:
        self.event = event
        super().__init__()


class TextWanted(Message):
    """A person wants this text in the clipboard."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        """What it is, to begin a sentence with."""
        self.text = text
        super().__init__()


class UndoWanted(Message):
    """What was done last shall be taken back."""


class EventChosen(Message):
    """The cursor of the event list is on another event."""

    def __init__(self, event: Event | None) -> None:
        self.event = event
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, EventChosen)


class ProcessChosen(Message):
    """The cursor of the process tree is on another process."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, ProcessChosen)


class CauseWanted(Message):
    """A person wants to see the event behind the session's outcome."""


class MomentChosen(Message):
    """A person chose a moment of the timeline."""

    def __init__(self, time_ns: int) -> None:
        self.time_ns = time_ns
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, MomentChosen)


class EventOpened(Message):
    """A person wants to see all of one event."""

    def __init__(self, event: Event) -> None:
        self.event = event
        super().__init__()


class IdsRead(Message):
    """The loader of the event list has read a stretch of row ids."""

    def __init__(self, generation: int, ids: Sequence[int], *, done: bool) -> None:
        self.generation = generation
        """Which filter they belong to: an answer to an older question is dropped."""
        self.ids = ids
        """Newest first."""
        self.done = done
        super().__init__()


class FilterTyped(Message):
    """The filter bar holds another filter. Its `session` is a name."""

    def __init__(self, query: EventQuery) -> None:
        self.query = query
        super().__init__()


class FilterClosed(Message):
    """The filter bar was left."""


class FollowChanged(Message):
    """The event list follows the newest event, or has been paused."""

    def __init__(self, *, following: bool, unseen: int) -> None:
        self.following = following
        self.unseen = unseen
        """Events that came while it was paused."""
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, FollowChanged)
