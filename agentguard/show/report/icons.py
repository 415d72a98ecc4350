"""The few signs of the HTML report, drawn: what a font holds is not known. Words beside them say the same."""

from __future__ import annotations

from agentguard.model.event import Event
from agentguard.model.finding import Activity, Kind
from agentguard.show.report.markup import Html, tag

_SIGNS = {
    "file": "M4 1.5h6l3.5 3.5v9.5H4zM10 1.5V5h3.5",
    "command": "M1.5 2.5h13v11h-13zM4 6l2.5 2L4 10M8 10.5h4",
    "environment": "M3 3.5h10M3 8h10M3 12.5h10M6 2v3M10.5 6.5v3M5 11v3",
    "host": "M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13zM1.5 8h13M8 1.5c4.4 4 4.4 9 0 13M8 1.5c-4.4 4-4.4 9 0 13",
}
"""On a field of 16 by 16."""
_SHIELD = "M9 1L17 4V9.5C17 14.5 13.6 17.8 9 19.5C4.4 17.8 1 14.5 1 9.5V4Z"
_TICK = "M5.2 9.8L8 12.6L13 7.2"


def sign_of(event: Event) -> Html:
    """What was read, or who was sent to."""
    finding = event.finding
    if finding.activity is Activity.SEND:
        return _drawn(_SIGNS["host"])
    by_kind = {Kind.COMMAND: "command", Kind.ENVIRONMENT: "environment"}
    return _drawn(_SIGNS[by_kind.get(finding.kind, "file")])


def shield() -> Html:
    """The mark of the program."""
    return _drawn(_SHIELD, _TICK, box="0 0 18 20", width=1.6)


def arrow_over(*, stopped: bool) -> Html:
    """From left to right; one that was stopped is broken and ends at a bar."""
    head = "M100 2v12" if stopped else "M158 3l8 5l-8 5"
    return _arrow(f"M2 8H{94 if stopped else 165}", head, "0 0 168 16", "arrow over", stopped)


def arrow_down(*, stopped: bool) -> Html:
    """The same from top to bottom, where a screen is narrow."""
    head = "M2 30h12" if stopped else "M3 34l5 8l5-8"
    return _arrow(f"M8 2V{25 if stopped else 41}", head, "0 0 16 44", "arrow down", stopped)


def _arrow(line: str, head: str, box: str, class_: str, stopped: bool) -> Html:
    return tag(
        "svg",
        tag("path", d=line, stroke_dasharray="5 5" if stopped else None),
        tag("path", d=head),
        viewBox=box,
        fill="none",
        stroke="currentColor",
        stroke_width=2,
        stroke_linecap="round",
        stroke_linejoin="round",
        aria_hidden="true",
        class_=class_,
    )


def _drawn(*paths: str, box: str = "0 0 16 16", width: float = 1.3) -> Html:
    return tag(
        "svg",
        *(tag("path", d=path) for path in paths),
        viewBox=box,
        fill="none",
        stroke="currentColor",
        stroke_width=width,
        stroke_linejoin="round",
        stroke_linecap="round",
        aria_hidden="true",
    )
