"""Shows the rule that would expect an event, where it goes and what else it would speak of, before it is written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from agentguard.errors import AgentGuardError
from agentguard.model.event import Event
from agentguard.model.verdict import Outcome
from agentguard.show.policy_view import ProposedRule, Reach
from agentguard.show.tui.dialog import Dialog
from agentguard.show.tui.page import Desk
from agentguard.show.tui.policy_picture import event_line, yaml_line
from agentguard.show.tui.words import MUTED, OUTCOME, clean, home_short, plural

WAITING = "Looking through the record for what else this rule would speak of …"


class _Proposed(Message):
    """The rule, or why there can be none."""

    def __init__(self, rule: ProposedRule | None, problem: str) -> None:
        self.rule = rule
        self.problem = problem
        super().__init__()


class ExpectScreen(Dialog[ProposedRule]):
    """Answers with the rule that is to be written."""

    TITLE = "Expected from now on"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "write", "Write the rule")]

    def __init__(self, event: Event, desk: Desk) -> None:
        super().__init__()
        self._event = event
        self._desk = desk
        self._rule: ProposedRule | None = None

    def inside(self) -> Iterable[Widget]:
        yield Static(Content.styled(WAITING, MUTED), id="proposed")

    def on_mount(self) -> None:
        self.run_worker(self._propose, thread=True)

    def _propose(self) -> None:
        """In a thread: thousands of events are looked at."""
        try:
            found = _Proposed(self._desk.actions.propose(self._event), "")
        except AgentGuardError as error:
            found = _Proposed(None, str(error))
        self.post_message(found)

    def on__proposed(self, message: _Proposed) -> None:
        self._rule = message.rule
        text = self.query_one("#proposed", Static)
        if message.rule is None:
            text.update(Content.styled(clean(message.problem), "$text-error"))
        else:
            text.update(proposed_content(self._event, message.rule, self._desk.user_home))

    def action_write(self) -> None:
        if self._rule is not None:
            self.dismiss(self._rule)


def proposed_content(event: Event, rule: ProposedRule, user_home: str) -> Content:
    """Wraps freely."""
    becomes = "a new file" if rule.before is None else "before its other rules"
    lines = [
        Content.assemble((clean(event.finding.subject), "bold")),
        Content(),
        Content.assemble(
            ("This rule goes to ", MUTED), home_short(str(rule.path), user_home), (f", {becomes}:", MUTED)
        ),
        Content(),
        *(Content.assemble("  ", yaml_line(line)) for line in rule.text.splitlines()),
        Content(),
        *_reach(rule.reach),
    ]
    if rule.overruled_by:
        warning = f"It would not decide: {clean(rule.overruled_by)} of the repository is tried before it."
        lines += [Content(), Content.styled(warning, "bold $text-warning")]
    keys = Content.assemble(("Enter", "bold"), " write it   ", ("Esc", "bold"), " leave the policy as it is")
    return Content("\n").join([*lines, Content(), keys])


def _reach(reach: Reach) -> list[Content]:
    """What else of the record it would have expected: the gravest outcome is what a person must know."""
    looked = plural(reach.looked_at, "event") if reach.complete else f"the newest {reach.looked_at:,} events"
    others = reach.count - 1
    if others < 1:
        return [Content.styled(f"Of {looked} of this kind it speaks of this one alone.", MUTED)]
    lines = [
        Content.assemble(f"Of {looked} of this kind it speaks of ", (plural(others, "other"), "bold"), " as well:")
    ]
    for outcome, count in reach.outcomes:
        look = OUTCOME[outcome]
        style = look.style if outcome is not Outcome.CLEAN else MUTED
        lines.append(Content.assemble("  ", (f"{look.glyph} {count:,} {look.word.lower()}", style)))
    return [*lines, *(Content.styled(f"    {event_line(one)}", MUTED) for one in reach.others)]
