"""Columns of the event list: widths for a given window, and the cells of one event. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from rich.cells import cell_len, set_cell_size

from agentguard.model.event import Event
from agentguard.model.verdict import Severity
from agentguard.record.reader import Mark
from agentguard.show.tui.words import MARK, SEVERITY, activity_word, clean, process_of, subject_of, time_of_day, what

Cell = tuple[str, str]
"""Text padded to its column, and the role that a widget turns into a style."""

GAP = 2
WIDE = 84
"""From this width on, times carry milliseconds and a process its pid."""
WIDEST, SUBJECT = 150, 52
"""From this width on the verdict's sentence has a column, and the subject so many cells."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Widths in cells; 0 means that the column is left out."""

    time: int
    act: int
    subject: int
    process: int
    severity: int
    what: int
    why: int
    """The verdict's sentence."""


def columns_for(width: int) -> Columns:
    """Lay the columns out in `width` cells. The subject takes what the others leave, 12 cells at least."""
    wide = width >= WIDE
    time, act, severity = (12 if wide else 8), 5, 6
    last = 8 if width >= 52 else 0
    process = min(24, max(14, width // 6)) if wide else 13 if width >= 68 else 0
    used = [time, act, severity, *filter(None, (process, last))]
    left = max(12, width - 3 - sum(used) - GAP * len(used))
    why = max(0, left - SUBJECT - GAP) if width >= WIDEST else 0
    return Columns(time, act, left - why - (GAP if why else 0), process, severity, last, why)


def header_cells(columns: Columns) -> list[Cell]:
    """The names of the columns."""
    names = [("TIME", columns.time), ("ACT", columns.act), ("SUBJECT", columns.subject)]
    if columns.process:
        names.append(("PROCESS", columns.process))
    names.append(("SEV", columns.severity))
    if columns.what:
        names.append(("WHAT", columns.what))
    if columns.why:
        names.append(("WHY", columns.why))
    return [("  ", "head")] + [(name.ljust(width + GAP), "head") for name, width in names]


def event_cells(
    event: Event, columns: Columns, zone: tzinfo | None, gutter: str = " ", said: Mark | None = None
) -> list[Cell]:
    """The cells of one event, left to right.

    Args:
        gutter: the one-cell mark of the chosen event's flow.
        said: by a person, who has answered the event: its row steps back, and the answer's sign is before its severity.
    """
    finding = event.finding
    look = SEVERITY[event.verdict.severity]
    severity = f"sev-{event.verdict.severity.value}"
    loud = event.verdict.severity.rank >= Severity.HIGH.rank
    cells = [
        (gutter + " ", "flow"),
        (_fit(time_of_day(finding.time_ns, zone, millis=columns.time > 8), columns.time), "time"),
        (_fit(activity_word(finding.activity), columns.act), "act"),
        (_fit(_subject(event), columns.subject), "loud" if loud else "subject"),
    ]
    if columns.process:
        cells.append((_fit(_process(event, columns.process), columns.process), "process"))
    cells.append((_fit(f"{MARK[said].glyph if said else look.glyph} {look.word}", columns.severity), severity))
    if columns.what:
        cells.append((_fit(what(event), columns.what), severity))
    if columns.why:
        cells.append((_fit(clean(event.verdict.reason), columns.why), "process"))
    return [cells[0], *((text, "done") for text, _ in cells[1:])] if said else cells


def _subject(event: Event) -> str:
    """`https://` is the rule and needs no room; `http://` stays, for it is worth a look."""
    return subject_of(event).replace(" https://", " ", 1)


def _process(event: Event, width: int) -> str:
    """With the pid where it fits."""
    text = process_of(event)
    return text if cell_len(text) <= width else text.rpartition(" ")[0] or text


def fit(text: str, width: int) -> str:
    """`text` in exactly `width` cells; what does not fit ends in `…`."""
    size = cell_len(text)
    if size <= width:
        return text + " " * (width - size)
    return set_cell_size(set_cell_size(text, width - 1).rstrip() + "…", width) if width > 1 else "…"[:width]


def _fit(text: str, width: int) -> str:
    return fit(text, width) + " " * GAP
