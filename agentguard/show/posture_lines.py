"""What `check` says on a terminal: the score, the one thing to do first, then the rest, and what is done well."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from agentguard.model.posture import Check, Fix, GoodPractice, Place, Posture, Weakness
from agentguard.model.verdict import Severity
from agentguard.show.looks import SEVERITY, painted
from agentguard.show.phrases import duration, listed, plural
from agentguard.show.text import safe

IN_FULL = 3
"""Weaknesses that are told in full unless all are."""
MOST_SHORT = 20
"""Further ones that get a line and a step each."""
OLD_KEYS = 2
"""Old keys of one severity that are named, unless all are."""
MOST_PLACES = 4
MOST_GOOD = 6
MOST_UNREAD = 8
_NARROWEST, _WIDEST = 60, 110
_BOLD, _SOFT = "1", "2"
_GOOD_FROM, _FAIR_FROM = 85, 55
_INDENT = "    "


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How it is to be written."""

    width: int = 100
    color: bool = False
    full: bool = False
    """All weaknesses in full."""
    zone: tzinfo | None = None
    """Of days; None: the machine's."""
    elsewhere: bool = False
    """The folder that was looked at is not the one the command was started in: commands belong there."""
    more: str = "agentguard check --full"
    """The command that tells everything."""


def posture_lines(posture: Posture, style: Style) -> Iterator[str]:
    """All lines, without their ends."""
    page = _Page(style)
    yield from page.heading(posture)
    told = list(_alike(posture.weaknesses if style.full else _without_many_old(posture.weaknesses)))
    full = len(told) if style.full else IN_FULL
    for number, one in enumerate(told[:full], 1):
        yield ""
        if number <= 2:
            yield page.bold("DO THIS FIRST" if number == 1 else "THEN")
        yield from page.weakness(number, one)
    rest = told[full:]
    if rest:
        yield ""
        for number, one in enumerate(rest[:MOST_SHORT], full + 1):
            yield from page.short(number, one)
        left = len(rest) - MOST_SHORT
        more = f"{left:,} more; all of them, with each step" if left > 0 else "Each step"
        yield page.soft(f"{_INDENT}{more}: {style.more}")
    if any(one.fingerprint for one in told):
        yield ""
        yield page.soft(f"{_INDENT}No key, or meant to stand there? Say `agentguard:allow` in a comment on its line.")
    yield from page.good(posture.good)
    yield from page.unseen(posture)


class _Page:
    """The parts of it."""

    def __init__(self, style: Style) -> None:
        self._width = max(_NARROWEST, min(style.width, _WIDEST))
        self._style = style

    def bold(self, text: str) -> str:
        return painted(text, _BOLD, color=self._style.color)

    def soft(self, text: str) -> str:
        return painted(text, _SOFT, color=self._style.color)

    def heading(self, posture: Posture) -> Iterator[str]:
        score = painted(f"{posture.score} of 100", _score_color(posture.score), color=self._style.color)
        yield f"{self.bold('Score')} {score}{self._since(posture)}  {safe(posture.root)}"
        counts = [
            painted(
                f"{SEVERITY[one].glyph} {posture.count(one)} {one.value}", SEVERITY[one].sgr, color=self._style.color
            )
            for one in reversed(Severity)
            if posture.count(one)
        ]
        yield "  ".join(counts) if counts else painted("✓ nothing to put right", "32", color=self._style.color)
        commits = f" and {plural(posture.commits, 'commit')}" if posture.commits else ""
        where = f"{plural(posture.files, 'file')}{commits}, {duration(posture.seconds)}"
        yield self.soft(f"{plural(posture.credentials, 'credential')} in {where}")
        if self._style.elsewhere and posture.weaknesses:
            yield self.soft("Run the commands in that folder.")

    def _since(self, posture: Posture) -> str:
        """`, was 61 on 3 May 2026 (13 better; 2 put right, 1 new)`; nothing where there is nothing to compare with."""
        earlier = posture.earlier
        if earlier is None:
            return ""
        change = posture.score - earlier.score
        parts = [f"▲ {change} better"] if change > 0 else [f"▼ {-change} worse"] if change < 0 else []
        parts += [f"{earlier.put_right} put right"] if earlier.put_right else []
        parts += [f"{earlier.new} new"] if earlier.new else []
        return f", was {earlier.score} on {day(earlier.time_ns, self._style.zone)} ({', '.join(parts) or 'as before'})"

    def weakness(self, number: int, one: Weakness) -> Iterator[str]:
        """All of it."""
        yield from self._title(number, one)
        yield from self._text(one.why, soft=True)
        for step, fix in enumerate(one.fixes, 1):
            yield from self._fix(f"{step}. " if len(one.fixes) > 1 else "→ ", fix)
        yield from self._text(f"at {_places(one.places)}", soft=True)

    def short(self, number: int, one: Weakness) -> Iterator[str]:
        """What it is, and where to begin."""
        yield from self._title(number, one)
        if one.fixes:
            fix = one.fixes[0]
            if fix.command:
                yield f"{_INDENT}$ {safe(fix.command)}"
            else:
                yield from self._text(_sentence(fix.do), first=f"{_INDENT}→ ")

    def _title(self, number: int, one: Weakness) -> Iterator[str]:
        look = SEVERITY[one.severity]
        mark = painted(f"{look.glyph} {look.word}", look.sgr, color=self._style.color)
        lines = textwrap.wrap(safe(one.title), self._width - len(_INDENT) - 12, break_on_hyphens=False)
        yield f"{number:>2}  {mark}{' ' * (10 - len(look.word))}{self.bold(lines[0] if lines else '')}"
        for line in lines[1:]:
            yield f"{_INDENT}{' ' * 12}{self.bold(line)}"

    def _text(self, text: str, *, soft: bool = False, first: str = _INDENT) -> Iterator[str]:
        lines = textwrap.wrap(
            safe(text),
            self._width,
            initial_indent=first,
            subsequent_indent=" " * len(first),
            break_on_hyphens=False,
            break_long_words=False,
        )
        yield from (self.soft(line) if soft else line for line in lines)

    def _fix(self, mark: str, fix: Fix) -> Iterator[str]:
        """A command and an address stand on lines of their own, never broken: they are copied."""
        yield from self._text(_sentence(fix.do) if not fix.command else f"{fix.do}:", first=f"{_INDENT}{mark}")
        if fix.command:
            yield painted(f"{_INDENT}{' ' * len(mark)}$ {safe(fix.command)}", "36", color=self._style.color)
        if fix.page:
            yield f"{_INDENT}{' ' * len(mark)}{safe(fix.page)}"

    def good(self, practices: Sequence[GoodPractice]) -> Iterator[str]:
        if not practices:
            return
        yield ""
        yield self.bold("DONE WELL")
        for one in practices[:MOST_GOOD]:
            paths = list(dict.fromkeys(safe(place.path) for place in one.places))
            more = [f"{len(paths) - MOST_PLACES} more"] if len(paths) > MOST_PLACES else []
            mark = painted("✓", "32", color=self._style.color)
            yield f"  {mark} {safe(one.what)}: {listed(paths[:MOST_PLACES] + more)}"
        if len(practices) > MOST_GOOD:
            yield f"    and {len(practices) - MOST_GOOD} more"

    def unseen(self, posture: Posture) -> Iterator[str]:
        """What nothing was said of: a score without it would say too much."""
        if not posture.unread and not posture.notes:
            return
        yield ""
        yield self.bold("NOT LOOKED AT")
        for path, reason in posture.unread[:MOST_UNREAD]:
            yield f"  {painted('!', '33', color=self._style.color)} {safe(path)}: {safe(reason)}"
        if len(posture.unread) > MOST_UNREAD:
            yield f"    and {len(posture.unread) - MOST_UNREAD:,} more; `--format json` names them"
        yield from (f"  {self.soft('·')} {safe(note)}" for note in posture.notes)


def _without_many_old(weaknesses: Sequence[Weakness]) -> Iterator[Weakness]:
    """Where many keys are old, two of a severity stand for all."""
    for severity in reversed(Severity):
        group = [one for one in weaknesses if one.severity is severity]
        old = [one for one in group if one.check is Check.OLD]
        yield from (one for one in group if one.check is not Check.OLD or one in old[:OLD_KEYS])
        if rest := old[OLD_KEYS:]:
            places = tuple(place for one in rest for place in one.places)
            yield replace(rest[0], title=f"{plural(len(rest), 'more old key')}", places=places, fixes=())


def _alike(weaknesses: Iterable[Weakness]) -> Iterator[Weakness]:
    """Those that would read the same are told once, with all their places."""
    groups: dict[tuple[str, str, str], list[Weakness]] = {}
    for one in weaknesses:
        groups.setdefault((one.check, one.severity, one.title), []).append(one)
    for group in groups.values():
        places = tuple(place for one in group for place in one.places)
        count = f" ({len(group)} of them)" if len(group) > 1 else ""
        yield replace(group[0], title=f"{group[0].title}{count}", places=places)


def day(time_ns: int, zone: tzinfo | None = None) -> str:
    """`3 May 2026`, or `3 May 2026 14:31` of the last day: two looks in one hour are told apart."""
    moment = datetime.fromtimestamp(time_ns // 10**9, zone)
    clock = f" {moment:%H:%M}" if datetime.now(zone).date() == moment.date() else ""
    return f"{moment.day} {moment:%B %Y}{clock}"


def _score_color(score: int) -> str:
    return "1;32" if score >= _GOOD_FROM else "1;33" if score >= _FAIR_FROM else "1;31"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!", "`")) else f"{text}."


def _places(places: Sequence[Place]) -> str:
    shown = [_place(one) for one in places[:MOST_PLACES]]
    more = [f"{len(places) - MOST_PLACES} more"] if len(places) > MOST_PLACES else []
    return listed(shown + more)


def _place(one: Place) -> str:
    where = f"{one.path}:{one.line}" if one.line else one.path
    return f"{where} ({one.note})" if one.note else where
