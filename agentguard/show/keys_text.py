"""`agentguard keys` for a person: the worklist, the inventory as a table, one credential in full."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from agentguard.command_name import command
from agentguard.model.credential import CredentialPlace, CredentialUse, FoundBy, KnownCredential
from agentguard.model.verdict import Disposition
from agentguard.show.credential_words import SHORT_FINGERPRINT, doer, readings, sendings, where, why
from agentguard.show.issuers import Issuers, issuer_of
from agentguard.show.looks import DISPOSITION, OUTCOME, Look, painted
from agentguard.show.phrases import day_and_time, listed, plural
from agentguard.show.table import cells, fitted, table
from agentguard.show.text import safe, shortened
from agentguard.show.urgency import DEMANDS, Cause, Task, lies_in

_SOFT = "2"
OLD_DAYS = 30
_DAY_NS = 86_400 * 1_000_000_000
_MOST_PLACES = 40
_NARROWEST = 40
_TABLE = ("FINGERPRINT", "CREDENTIAL", "STATE", "LAST SEEN", "TAKEN BY", "SENT TO", "LIVES IN")
_LONGEST_NAME = 24
_INDENT = " " * 5

CAUSE = {
    Cause.LEAKED: Look("▲", "leaked", "1;31"),
    Cause.STILL_USED: Look("↻", "old value in use", "1;31"),
    Cause.EXPOSED: Look("◆", "exposed", "1;33"),
    Cause.COMMITTED: Look("■", "committed", "33"),
    Cause.MISPLACED: Look("□", "misplaced", "33"),
}
_ROTATED, _PUBLIC, _KEPT = Look("✓", "rotated", "32"), Look("·", "public", _SOFT), Look("·", "no cause", _SOFT)
_FOUND = {FoundBy.SESSION: "seen in a session", FoundBy.SCAN: "found by scan", FoundBy.CHECK: "found by check"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the lines are made of, and how."""

    credentials: Sequence[KnownCredential]
    tasks: Sequence[Task]
    """The most urgent first."""
    issuers: Issuers
    now_ns: int
    home_option: str = ""
    """What verbs that are told need to open this home folder (`agentguard.config.home_option`)."""
    room: int = 120
    """Columns of the terminal."""
    color: bool = False
    zone: tzinfo | None = None
    task_of: Mapping[str, Task] = field(init=False)
    """By fingerprint."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "task_of", {task.credential.fingerprint: task for task in self.tasks})

    def look(self, credential: KnownCredential) -> Look:
        """Its state."""
        task = self.task_of.get(credential.fingerprint)
        if task is not None:
            return CAUSE[task.cause]
        return _PUBLIC if credential.public else _ROTATED if credential.rotated_ns is not None else _KEPT


def name_of(credential: KnownCredential, issuers: Issuers) -> str:
    """Its variable, else what it is. Not escaped."""
    return credential.name or issuer_of(issuers, credential.type).name


def worklist_lines(page: Page, most: int | None = None) -> Iterator[str]:
    """What must be replaced, the most urgent first: what to do, why, where. At most so many, where that is given."""
    of_all = plural(len(page.credentials), "credential")
    if not page.tasks:
        yield f"Nothing needs to be rotated: {of_all} known, none of them seen where it should not be."
        return
    yield painted(f"To rotate: {len(page.tasks):,} of {of_all}, the most urgent first", "1", color=page.color)
    for number, task in enumerate(page.tasks[:most], 1):
        yield ""
        yield from _task_lines(page, number, task)
    if most is not None and len(page.tasks) > most:
        rest = len(page.tasks) - most
        yield f"\n     and {rest:,} more that are less urgent: {command()} keys worklist{page.home_option}"


def _task_lines(page: Page, number: int, task: Task) -> Iterator[str]:
    one, look, demand = task.credential, CAUSE[task.cause], DEMANDS[task.cause]
    name = safe(name_of(one, page.issuers))
    head = painted(f"{look.glyph} {demand.when}: {look.word}", look.sgr, color=page.color)
    yield f"{number:>3}  {head}  {painted(name, '1', color=page.color)}  {_short(one)}"
    yield from _wrapped(page, demand.do.format(name=name))
    kind = safe(task.issuer.name)
    yield from _wrapped(page, (f"{kind[:1].upper()}{kind[1:]}. " if one.name else "") + safe(why(task, page.zone)))
    if task.issuer.rotation:
        yield f"{_INDENT}where  {safe(task.issuer.rotation)}"
    lying = [safe(where(place)) for place in lies_in(one)]
    if lying and task.cause is not Cause.MISPLACED:
        more = f" and {len(lying) - 2:,} more" if len(lying) > 2 else ""
        yield f"{_INDENT}lives  {', '.join(lying[:2])}{more}"
    yield painted(f"{_INDENT}done?  {command()} keys rotated {_short(one)}{page.home_option}", _SOFT, color=page.color)


def _wrapped(page: Page, text: str) -> list[str]:
    """Broken between words only: a path or an address can be copied."""
    width = max(_NARROWEST, page.room)
    return textwrap.wrap(
        text, width, initial_indent=_INDENT, subsequent_indent=_INDENT, break_long_words=False, break_on_hyphens=False
    )


def inventory_lines(page: Page) -> list[str]:
    """A table: what is on the worklist first and in its order, then the latest. What lies nowhere any more (an agent's
    login is a new one every hour) is only counted when it is old."""
    order = {task.credential.fingerprint: rank for rank, task in enumerate(page.tasks)}
    found = [one for one in page.credentials if one.fingerprint in order or _is_alive(one, page.now_ns)]
    chosen = sorted(found, key=lambda one: (order.get(one.fingerprint, len(order)), -one.last_seen_ns))
    lines = table(_TABLE, [_row(page, one) for one in chosen], page.room)
    if page.color:
        lines[1:] = [_painted(line, page.look(one)) for line, one in zip(lines[1:], chosen, strict=True)]
    nowhere = len(page.credentials) - len(found)
    if nowhere:
        lines.append(f"and {nowhere:,} more, nowhere any more and not seen for {OLD_DAYS} days: --format json")
    return lines


def _is_alive(one: KnownCredential, now_ns: int) -> bool:
    recent = one.last_seen_ns > now_ns - OLD_DAYS * _DAY_NS
    return recent or one.rotated_ns is not None or bool(lies_in(one))


def _painted(line: str, look: Look) -> str:
    words = f"{look.glyph} {look.word}"
    return line.replace(words, painted(words, look.sgr, color=True), 1)


def _row(page: Page, one: KnownCredential) -> tuple[str, ...]:
    look, lying, sends = page.look(one), lies_in(one), sendings(one.uses)
    takers: dict[str, int] = {}
    for reading in readings(one.uses):
        taker = (reading.processes[-1] or "?") if reading.agent == "unknown" else reading.agent
        takers[taker] = takers.get(taker, 0) + reading.count
    hosts = list(dict.fromkeys(use.host for use in sends if not use.blocked))
    return (
        _short(one),
        shortened(safe(name_of(one, page.issuers)), _LONGEST_NAME),
        f"{look.glyph} {look.word}",
        day_and_time(one.last_seen_ns, page.zone)[:10],
        _first(f"{safe(taker)} {count:,}×" for taker, count in takers.items()),
        _first(safe(host) for host in hosts),
        _first("/".join(safe(where(place)).split("/")[-2:]) for place in lying),
    )


def _first(names: Iterable[str]) -> str:
    """`a +2`, or `–`."""
    found = list(names)
    return "–" if not found else found[0] + (f" +{len(found) - 1}" if len(found) > 1 else "")


def _short(one: KnownCredential) -> str:
    return one.fingerprint[:SHORT_FINGERPRINT]


def credential_lines(page: Page, one: KnownCredential) -> Iterator[str]:
    """One credential in full: what it is, what to do, where it lives, who took it, where it went."""
    issuer, look = issuer_of(page.issuers, one.type), page.look(one)
    name = painted(safe(name_of(one, page.issuers)), "1", color=page.color)
    yield f"{name}  {painted(f'{look.glyph} {look.word}', look.sgr, color=page.color)}"
    scope = f", {issuer.scope.value} key" if issuer.scope.value != "unknown" else ""
    yield f"  type         {safe(issuer.name)}{scope}"
    yield f"  fingerprint  {one.fingerprint}, shown as {safe(one.preview)}"
    yield f"  first seen   {day_and_time(one.first_seen_ns, page.zone)}"
    yield f"  last seen    {day_and_time(one.last_seen_ns, page.zone)}"
    yield f"  rotated      {'no' if one.rotated_ns is None else day_and_time(one.rotated_ns, page.zone)}"
    if issuer.rotation:
        yield f"  rotate at    {safe(issuer.rotation)}"
    task = page.task_of.get(one.fingerprint)
    if task is not None:
        yield f"  to do        {DEMANDS[task.cause].do.format(name=safe(name_of(one, page.issuers)))}"
        yield f"               {safe(why(task, page.zone))}"
    yield from _section("lives in", [_place_line(page, place) for place in one.places])
    yield from _section("taken by", _taken_lines(page, one))
    yield from _section("sent to", [_sent_line(page, use) for use in sendings(one.uses)])
    if one.uses:
        each = f"  each time    {command()} events --search {one.fingerprint}{page.home_option}"
        yield painted(each, _SOFT, color=page.color)


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield f"  {title}" + ("" if lines else "     –")
    yield from (f"    {line}" for line in lines[:_MOST_PLACES])
    if len(lines) > _MOST_PLACES:
        yield f"    and {len(lines) - _MOST_PLACES:,} more; --format json has all"


def _place_line(page: Page, place: CredentialPlace) -> str:
    if place.commit:
        return f"{safe(where(place))} of {day_and_time(place.commit_ns, page.zone)[:10]}, {_FOUND[place.found_by]}"
    gone = "" if place.gone_ns is None else f"; gone {day_and_time(place.gone_ns, page.zone)}"
    return f"{safe(where(place))}  {_FOUND[place.found_by]}, last {day_and_time(place.last_seen_ns, page.zone)}{gone}"


def _taken_lines(page: Page, one: KnownCredential) -> list[str]:
    found = readings(one.uses)
    names = [safe(reading.agent) if reading.agent != "unknown" else "unknown agent" for reading in found]
    width = max(map(cells, names), default=0)
    return [
        f"{fitted(name, width)}  {reading.word} {plural(reading.count, 'time')} in "
        f"{plural(reading.sessions, 'session')}, {_between(reading.first_ns, reading.last_ns, page.zone)}, last by "
        f"{listed([safe(name) or '?' for name in reading.processes[-3:]])}"
        for name, reading in zip(names, found, strict=True)
    ]


def _sent_line(page: Page, use: CredentialUse) -> str:
    look = DISPOSITION[Disposition.BLOCKED] if use.blocked else OUTCOME[use.outcome]
    word = painted(f"{look.glyph} {look.word.lower()}", look.sgr, color=page.color)
    who = safe(doer(use.process, use.agent))
    when = _between(use.first_ns, use.last_ns, page.zone)
    return f"{word}  {safe(use.host) or '?'}  {plural(use.count, 'time')}, {when}, last by {who}"


def _between(first_ns: int, last_ns: int, zone: tzinfo | None) -> str:
    first, last = day_and_time(first_ns, zone), day_and_time(last_ns, zone)
    return last if first == last else f"{first} to {last}"
