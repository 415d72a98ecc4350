"""The result of a scan for a person: a table of what was found, and what it comes to in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from agentguard.command_name import command
from agentguard.model.at_rest import Commit, ScanResult, SecretAtRest
from agentguard.show.issuers import Issuers, issuer_of
from agentguard.show.looks import SEVERITY, painted
from agentguard.show.phrases import amount, duration, plural
from agentguard.show.table import cells, table
from agentguard.show.text import safe

MOST_UNREAD = 20
"""Lines; JSON holds all."""
_MOST_PAGES = 8
_HEADER = ("WHERE", "SEVERITY", "WHAT", "VALUE", "NAME")
_COMMIT = "COMMIT"
_LEAST_ROOM = 64
"""Columns for what stands beside the place, which is never shortened: it is to be clicked on, or copied."""


@dataclass(frozen=True, slots=True)
class Style:
    """How it is shown."""

    room: int
    """Columns of the terminal; 0: it is none, and nothing is shortened."""
    color: bool = False


def found_lines(result: ScanResult, issuers: Issuers, style: Style) -> Iterator[str]:
    """The table: one line for each place; nothing when there is none."""
    if not result.found:
        return
    history = any(one.commit for one in result.found)
    header = (*_HEADER, _COMMIT) if history else _HEADER
    rows = [_row(one, issuers, history=history) for one in result.found]
    widest = max(cells(row[0]) for row in rows)
    unbounded = sum(max(cells(row[at]) for row in [header, *rows]) + 2 for at in range(len(header)))
    room = max(style.room, widest + _LEAST_ROOM) if style.room else unbounded
    first, *lines = table(header, rows, room)
    yield painted(first, "2", color=style.color)
    for one, line in zip(result.found, lines, strict=True):
        word, sgr = SEVERITY[one.severity].word, SEVERITY[one.severity].sgr
        yield line.replace(f"  {word}  ", f"  {painted(word, sgr, color=style.color)}  ", 1)


def summary_lines(result: ScanResult, issuers: Issuers) -> Iterator[str]:
    """What it comes to, what was left out, and what to do next."""
    yield f"{_sum(result)} {_scope(result)}."
    left_out = [
        (result.allowed, "allowed by a comment"),
        (result.known, "known to the baseline"),
        (result.below, "of less severity than asked for"),
    ]
    if any(count for count, _ in left_out):
        yield f"Passed over: {', '.join(f'{count:,} {why}' for count, why in left_out if count)}."
    yield from result.notes
    yield from unread_lines(result)
    if result.found:
        yield from _next_steps(result.found, issuers)


def unread_lines(result: ScanResult) -> Iterator[str]:
    """What could not be scanned, and so may hold anything."""
    if not result.unread:
        return
    yield f"Not scanned, so this is not the whole of it ({plural(len(result.unread), 'place')}):"
    for one in result.unread[:MOST_UNREAD]:
        yield f"  {safe(one.path)}: {safe(one.reason)}"
    if len(result.unread) > MOST_UNREAD:
        yield f"  and {len(result.unread) - MOST_UNREAD:,} more; --format json tells all"


def _row(one: SecretAtRest, issuers: Issuers, *, history: bool) -> tuple[str, ...]:
    match = one.match
    what = issuer_of(issuers, match.type).name
    if match.public:
        what += " (made to be public)"
    if match.place not in ("", "file"):
        what += f" ({match.place})"
    if match.encoding:
        what += f" (in {', '.join(match.encoding)})"
    row = (place(one), SEVERITY[one.severity].word, what, match.preview, safe(match.name))
    return (*row, _commit(one.commit) if one.commit else "") if history else row


def place(one: SecretAtRest) -> str:
    """`path:line:column`, as editors and terminals understand it."""
    path = safe(one.path)
    return f"{path}:{one.line}:{one.column}" if one.line else path


def _commit(commit: Commit) -> str:
    """Its beginning, its day and who wrote it."""
    try:
        day = datetime.fromtimestamp(commit.time, UTC).strftime(" %Y-%m-%d")
    except (OverflowError, ValueError, OSError):  # a commit may claim any time
        day = ""
    return f"{commit.id[:12]}{day} {safe(commit.author.partition(' <')[0])}".rstrip()


def _sum(result: ScanResult) -> str:
    if not result.found:
        return "No credential" if not result.unread else "No credential found"
    values = len({(one.match.type, one.match.fingerprint) for one in result.found})
    places = len(result.found)
    return plural(values, "credential") + ("" if values == places else f" at {plural(places, 'place')}")


def _scope(result: ScanResult) -> str:
    changes = f"{plural(result.commits, 'commit')} with " if result.commits else ""
    files = plural(result.files, "changed file" if result.commits else "file")
    return f"in {changes}{files} ({amount(result.bytes)}, {duration(result.seconds)})"


def _next_steps(found: Sequence[SecretAtRest], issuers: Issuers) -> Iterator[str]:
    """The worst first, each page once."""
    yield "Next: replace each that anyone else may have seen, then take it out of the file:"
    pages = dict[str, str]()
    for one in found:
        issuer = issuer_of(issuers, one.match.type)
        if issuer.rotation and not one.match.public:
            pages.setdefault(issuer.rotation, issuer.name)
    for rotation, name in list(pages.items())[:_MOST_PAGES]:
        yield f"  {name}: {rotation}"
    if len(pages) > _MOST_PAGES:
        yield f"  and {len(pages) - _MOST_PAGES} other kinds; `{command()} keys` tells what to replace first"
    yield "A false alarm, or meant to be there: write agentguard:allow into a comment on its line, or use --baseline."
