"""The processes of a session that touched a credential, as a tree, each with what it touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from agentguard.model.event import Event
from agentguard.model.finding import Activity, Kind
from agentguard.model.process import Ancestor, Process
from agentguard.show.looks import look_of_send, was_blocked
from agentguard.show.phrases import plural
from agentguard.show.report.data import ReportData
from agentguard.show.report.markup import Html, join, tag
from agentguard.show.report.tables import badge, brief, inside

MOST_LINES = 60
"""Processes that are drawn, those that are alike as one; more are counted."""
_MOST_TOUCHED = 5
_LONGEST = 100
_DEEPEST = 24

_Touch = tuple[str, str, str, str]
"""(verb, thing, glyph and word of what a send came to, its tone)"""


@dataclass(slots=True)
class _Node:
    """Processes of one name under one parent that touched the same. Built while events are walked, then only read."""

    name: str
    pid: int
    children: dict[int, _Node] = field(default_factory=dict)
    """By pid."""
    touched: Counter[_Touch] = field(default_factory=Counter)
    """How often each."""
    alike: int = 1


def tree(data: ReportData) -> Html:
    """From the session's first process down to what it started."""
    root, unknown = _grown(data)
    if not root.children:
        return tag("p", "No process touched a credential.", class_="soft")
    drawing = _Drawing()
    branches = [drawing.branch(node) for node in _merged(root.children.values())]
    hidden = _size(root) - 1 - drawing.processes
    notes = [f"And {plural(hidden, 'more process', 'more processes')}."] if hidden > 0 else []
    if unknown:
        notes.append(f"{plural(unknown, 'event')} of a process that is not known.")
    note = tag("p", " ".join(notes), class_="soft small") if notes else None
    return join([tag("ul", *branches, class_="tree"), note])


def _grown(data: ReportData) -> tuple[_Node, int]:
    """A root without a name, and how many events have no process."""
    root, unknown = _Node("", 0), 0
    for event in data.events:
        finding = event.finding
        if finding.kind in (Kind.GAP, Kind.SESSION) or finding.activity is Activity.REPEAT or not finding.matches:
            continue
        if finding.process is None:
            unknown += 1
            continue
        node = root
        chain: list[Ancestor | Process] = [*reversed(finding.process.ancestors[:_DEEPEST]), finding.process]
        for one in chain:
            node = node.children.setdefault(one.pid, _Node(one.name, one.pid))
        # What a pid is called when it acts: a shell that became curl by exec is curl.
        node.name = finding.process.name
        node.touched[_touch(event, data.session.cwd)] += data.times(event)
    return root, unknown


def _touch(event: Event, folder: str) -> _Touch:
    finding, verdict = event.finding, event.verdict
    if finding.activity is Activity.SEND:
        look = look_of_send(verdict)
        tone = "blocked" if was_blocked(verdict) else verdict.outcome.value
        return "sent to", finding.host or finding.subject, f"{look.glyph} {look.word.lower()}", tone
    if finding.kind is Kind.FILE:
        return finding.activity.value, inside(finding.path, folder) or finding.path or finding.subject, "", ""
    return (
        {Activity.INHERIT: "inherited", Activity.EXEC: "ran"}.get(finding.activity, "touched"),
        finding.subject,
        "",
        "",
    )


def _merged(nodes: Iterable[_Node]) -> list[_Node]:
    """Leaves that are alike become one: a loop that starts `cat` a thousand times is one line."""
    found: dict[object, _Node] = {}
    for node in nodes:
        alike = (node.name, frozenset(node.touched)) if not node.children else node.pid
        first = found.setdefault(alike, node)
        if first is not node:
            first.touched.update(node.touched)
            first.alike += 1
    return list(found.values())


def _size(node: _Node) -> int:
    return 1 + sum(_size(child) for child in node.children.values())


class _Drawing:
    """Counts what was drawn."""

    def __init__(self) -> None:
        self.lines = 0
        self.processes = 0

    def branch(self, node: _Node) -> Html | None:
        """None when enough were drawn."""
        if self.lines >= MOST_LINES:
            return None
        self.lines += 1
        self.processes += node.alike
        many = tag("span", f" and {node.alike - 1:,} more like it", class_="soft small") if node.alike > 1 else None
        name = tag("span", brief(node.name or "?", _LONGEST), class_="name" if node.touched else None)
        pid = tag("span", f" {node.pid}", class_="soft small")
        below = [self.branch(child) for child in _merged(node.children.values())]
        return tag("li", name, pid, many, _touched(node), tag("ul", *below) if any(below) else None)


def _touched(node: _Node) -> Html | None:
    if not node.touched:
        return None
    rows = []
    for (verb, thing, word, tone), count in node.touched.most_common(_MOST_TOUCHED):
        often = tag("span", f" ×{count:,}", class_="soft") if count > 1 else None
        glyph, _, became = word.partition(" ")
        mark = join([" ", badge(glyph, became, tone)]) if word else None
        rows.append(tag("li", f"{verb} ", tag("code", brief(thing, _LONGEST)), often, mark))
    more = len(node.touched) - _MOST_TOUCHED
    if more > 0:
        rows.append(tag("li", f"and {plural(more, 'other thing')}", class_="soft"))
    return tag("ul", *rows, class_="touched")
