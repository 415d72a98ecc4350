"""The command palette: every place and action, and the way to any session, key or rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from agentguard.errors import AgentGuardError
from agentguard.show.tui.messages import PlaceWanted, SessionChosen
from agentguard.show.tui.page import Page
from agentguard.show.tui.words import OUTCOME, SEVERITY, clean, home_short, session_title

HIDDEN_KEYS = ("undo", "finding(True)")
"""Actions that the footer has no room for."""
MOST = 200
"""Of each sort of thing that can be gone to."""


@dataclass(frozen=True, slots=True)
class Way:
    """One line of the palette."""

    text: str
    says: str
    go: Callable[[], object]


class JumpProvider(Provider):
    """Sessions by their name, folder, uid and outcome; credentials by name and fingerprint; rules by their id."""

    async def startup(self) -> None:
        self._ways = self.app.run_worker(self._read, thread=True, group="palette")

    async def discover(self) -> Hits:
        for way in _actions(self._page):
            yield DiscoveryHit(way.text, way.go, help=way.says)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for way in (*_actions(self._page), *await self._ways.wait()):
            score = max(matcher.match(way.text), matcher.match(way.says) / 2)
            if score > 0:
                yield Hit(score, matcher.highlight(way.text), way.go, help=way.says)

    @property
    def _page(self) -> Page | None:
        return self.screen if isinstance(self.screen, Page) else None

    def _read(self) -> list[Way]:
        """In a thread: the inventory and the policy take a moment."""
        page = self._page
        if page is None:
            return []
        return [*_sessions(page), *_keys(page), *_rules(page)]


def _actions(page: Page | None) -> Iterator[Way]:
    """What the page under the palette can do, by its bindings."""
    if page is None:
        return
    for active in page.active_bindings.values():
        one = active.binding
        if active.node is page and active.enabled and (one.show or one.action in HIDDEN_KEYS):
            key = page.app.get_key_display(one)
            yield Way(one.description, f"{key} does it, too", partial(_run, page, one.action))


def _run(page: Page, action: str) -> None:
    page.call_later(page.run_action, action)


def _sessions(page: Page) -> Iterator[Way]:
    for session in page.snapshot.sessions[:MOST]:
        look = OUTCOME[session.outcome]
        where = home_short(session.cwd, page.desk.user_home)
        yield Way(
            f"Session {session_title(session)}",
            f"{look.glyph} {look.word}  {where}  {clean(session.uid)}",
            partial(page.post_message, SessionChosen(session.uid)),
        )


def _keys(page: Page) -> Iterator[Way]:
    reader = page.desk.reader()
    try:
        for one in reader.credentials()[:MOST]:
            yield Way(
                f"Key {clean(one.name or one.type)}",
                f"{clean(one.preview)}  {clean(one.type)}  {clean(one.fingerprint)}",
                partial(page.post_message, PlaceWanted("Keys", one.fingerprint)),
            )
    except AgentGuardError:
        return  # the banner says it
    finally:
        reader.close()


def _rules(page: Page) -> Iterator[Way]:
    chosen = page.snapshot.chosen
    try:
        view = page.desk.actions.policy(chosen.cwd if chosen else "")
    except AgentGuardError:
        return  # the policy's place says it
    for rule in view.rules:
        look = SEVERITY[rule.severity]
        yield Way(
            f"Rule {clean(rule.name)}",
            f"{rule.disposition.value} {look.glyph} {look.word}  {clean(rule.description[:80])}",
            partial(page.post_message, PlaceWanted("Policy", rule.name)),
        )
