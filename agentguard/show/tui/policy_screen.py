"""The policy in force for the session: its rules, how often each decided, and why an event was judged as it was."""

from __future__ import annotations

import time
from dataclasses import dataclass

from textual.content import Content

from agentguard.model.event import Event
from agentguard.record.reader import Reader
from agentguard.show.policy_view import Explained, PolicyView, RuleView
from agentguard.show.tui.event_keys import EventKeys
from agentguard.show.tui.list_page import Gathered, Item, ListPage
from agentguard.show.tui.messages import Snapshot
from agentguard.show.tui.page import Desk
from agentguard.show.tui.policy_picture import event_line, explained_picture, rule_item, rule_picture
from agentguard.show.tui.rule_tally import RuleTally
from agentguard.show.tui.words import MUTED, clean, plural

EXPLAIN = "explain"
"""Id of the item about the event that is chosen among the events."""
POLICY_SECONDS = 5.0
"""How long the policy's files are not read again."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the pictures are made of."""

    policy: PolicyView
    rules: dict[str, RuleView]
    last: dict[str, Event]
    """By rule: the newest event of the session that it decided."""
    event: Event | None
    explained: Explained | None


class PolicyScreen(ListPage, EventKeys):
    """What decided in this session comes first, then what ever did, then the rest in the order they are tried."""

    PLACE = "Policy"
    PICTURE = "The rule, or why"
    EMPTY = "No session yet: `agentguard policy list` shows the rules."

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._tally = RuleTally()
        self._known: Known | None = None
        self._session = ""
        self._policy = PolicyView()
        self._read_at: tuple[str, float] | None = None
        """Of which folder, and when (monotonic seconds)."""

    def key_of(self, snapshot: Snapshot) -> object:
        chosen, event = snapshot.chosen, self._asked(snapshot)
        uid = event.finding.uid if event else ""
        return (chosen.uid, chosen.counts.get("events", 0), uid) if chosen else None

    def gather(self, reader: Reader, snapshot: Snapshot) -> tuple[Gathered, object]:
        session, event = snapshot.chosen, self._asked(snapshot)
        if session is None:
            return Gathered((), "Policy"), None
        view = self._view(session.cwd)
        self._tally.count(reader, self._nobody_waits, self._tell_progress)
        rules = {rule.name: rule for rule in view.rules}
        names = list(dict.fromkeys([*rules, *sorted(self._tally.rules())]))
        here = [name for name in names if self._tally.in_session(session.uid, name)]
        last = _last_events(reader, {name: self._tally.last_in(session.uid, name) for name in here})
        explained = self.desk.actions.explain(event) if event else None
        self._session = session.uid
        items = self._items(session.uid, names, rules, event)
        files = ", ".join(path.name for path in view.files)
        title = f"{plural(len(view.rules), 'rule')} of {plural(len(view.files), 'file')}"
        return Gathered(items, title, clean(files)), Known(view, rules, last, event, explained)

    def take(self, data: object) -> None:
        self._known = data if isinstance(data, Known) else None

    def picture(self, item: str, width: int) -> Content:
        known = self._known
        if known is None:
            return Content()
        if item == EXPLAIN:
            both = known.event is not None and known.explained is not None
            return explained_picture(known.event, known.explained, width) if both else Content()  # type: ignore[arg-type]
        counts = self._tally.in_session(self._session, item), self._tally.overall(item)
        drawn = rule_picture(item, known.rules.get(item), counts, known.last.get(item))
        return Content.assemble(drawn, ("\n\n" + known.policy.note, "$text-warning")) if known.policy.note else drawn

    @property
    def chosen_event(self) -> Event | None:
        return self._known.event if self._known and self.chosen == EXPLAIN else None

    def _asked(self, snapshot: Snapshot) -> Event | None:
        """The event that is explained: the one chosen among the events, else what made the session's outcome."""
        return self.event or snapshot.cause

    def _items(self, uid: str, names: list[str], rules: dict[str, RuleView], event: Event | None) -> tuple[Item, ...]:
        short = self.has_class("-narrow")
        pad = " " * (7 if short else 16)

        def items(title: str, chosen: list[str]) -> list[Item]:
            heading = [Item("", Content.styled(title, MUTED))] if chosen else []
            here, overall = self._tally.in_session, self._tally.overall
            return heading + [
                Item(one, rule_item(one, rules.get(one), here(uid, one), overall(one), short=short)) for one in chosen
            ]

        here = sorted((one for one in names if self._tally.in_session(uid, one)),
                      key=lambda one: -_weight(rules.get(one)))  # fmt: skip
        ever = [one for one in names if one not in here and self._tally.overall(one)]
        rest = [one for one in names if one not in here and one not in ever]
        why = Content.assemble(("Why? ", "bold $text-primary"), event_line(event)) if event else Content()
        return (
            *([Item(EXPLAIN, why)] if event else []),
            *items(" here  decided here" if short else "  here     all  decided in this session", here),
            *items(f"{pad}decided in others", ever),
            *items(f"{pad}never decided", rest),
        )

    def _view(self, workspace: str) -> PolicyView:
        """Not read again for each event that comes."""
        if (
            self._read_at is None
            or self._read_at[0] != workspace
            or time.monotonic() - self._read_at[1] > POLICY_SECONDS
        ):
            self._policy, self._read_at = self.desk.actions.policy(workspace), (workspace, time.monotonic())
        return self._policy

    def again(self) -> None:
        self._read_at = None
        super().again()

    def _nobody_waits(self) -> bool:
        return not self.is_running

    def _tell_progress(self, share: float) -> None:
        if share < 1:
            self.app.call_from_thread(self._say, f"counting what each rule decided: {share:.0%}")

    def _say(self, text: str) -> None:
        self.query_one("#list").border_subtitle = text


def _weight(rule: RuleView | None) -> int:
    """What a person should see first."""
    return rule.outcome.rank * 10 + rule.severity.rank if rule else 0


def _last_events(reader: Reader, rows: dict[str, int | None]) -> dict[str, Event]:
    ids = {name: row for name, row in rows.items() if row is not None}
    found = reader.events_by_id(list(ids.values()))
    # One that was purged meanwhile is left out: then no event can be told from its place in the answer.
    return dict(zip(ids, found, strict=True)) if len(found) == len(ids) else {}
