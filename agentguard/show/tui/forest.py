"""The processes of a session as a tree, each with what it and all below it touched. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from agentguard.model.event import Event
from agentguard.record.pulse import EVER, Span, Touched
from agentguard.record.reader import KnownProcess

Key = tuple[int, int]
"""(pid, start time): one process, though its pid may be used again."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the drawn tree."""

    key: Key
    process: KnownProcess
    guide: str
    """The lines before its name."""
    own: Touched
    below: Touched
    """With all that it started."""
    folded: bool
    """Its children are not shown."""
    leaf: bool
    span: Span
    """In which its pid means it."""


@dataclass(frozen=True, slots=True)
class Forest:
    """Made by `grown`."""

    processes: Mapping[Key, KnownProcess] = field(default_factory=dict)
    children: Mapping[Key, Sequence[Key]] = field(default_factory=dict)
    roots: Sequence[Key] = ()
    own: Mapping[Key, Touched] = field(default_factory=dict)
    below: Mapping[Key, Touched] = field(default_factory=dict)
    spans: Mapping[Key, Span] = field(default_factory=dict)
    """When its pid was its own, where a later process has the same pid."""

    def rows(self, folded: Collection[Key], *, all_of_them: bool) -> Iterator[Row]:
        """Top to bottom. Unless `all_of_them`, a branch in which nothing was touched is left out."""
        stack = [(key, "", "") for key in reversed(self._shown(self.roots, all_of_them))]
        while stack:
            key, guide, indent = stack.pop()
            below = self._shown(self.children.get(key, ()), all_of_them)
            process, own = self.processes[key], self.own.get(key, Touched(key[0]))
            yield Row(key, process, guide, own, self.below[key], key in folded, not below, self.spans.get(key, EVER))
            if key in folded:
                continue
            for child in reversed(below):
                last = child == below[-1]
                stack.append((child, indent + ("└─ " if last else "├─ "), indent + ("   " if last else "│  ")))

    def _shown(self, keys: Sequence[Key], all_of_them: bool) -> Sequence[Key]:
        return keys if all_of_them else [key for key in keys if self.below[key].events]


def grown(
    known: Iterable[KnownProcess],
    touched: Iterable[Touched],
    told: Iterable[Event],
    of_span: Callable[[int, Span], Touched],
) -> Forest:
    """`told`: an event of each process whose parents are not on record, for it names them. `of_span`: what one pid
    touched in a span, asked where two processes had the same pid."""
    processes = {(one.pid, one.start_time): one for one in known}
    _add_told(processes, told)
    by_pid = defaultdict(list)
    for key in sorted(processes, key=lambda key: (key[1], processes[key].first_seen_ns)):
        by_pid[key[0]].append(key)
    own, spans = {}, {}
    for one in touched:
        keys = by_pid.get(one.pid) or [(one.pid, 0)]
        processes.setdefault(keys[0], _unknown(one.pid))
        if len(keys) == 1:
            own[keys[0]] = one
            continue
        for key, span in zip(keys, _spans([processes[key].first_seen_ns for key in keys]), strict=True):
            own[key], spans[key] = of_span(one.pid, span), span
    children, roots = _linked(processes, by_pid)
    return Forest(processes, children, roots, own, _summed(children, roots, own), spans)


def orphans(known: Iterable[KnownProcess], touched: Iterable[Touched]) -> list[int]:
    """Rows of events that name what is not on record: parents, or the process itself."""
    found = {one.pid: one for one in known}
    return [
        one.last_id
        for one in touched
        if one.pid not in found or (found[one.pid].parent_pid and found[one.pid].parent_pid not in found)
    ]


def _add_told(processes: dict[Key, KnownProcess], told: Iterable[Event]) -> None:
    pids = {pid for pid, _ in processes}
    for event in told:
        process = event.finding.process
        if process is None:
            continue
        chain = [(process.pid, process.name), *((one.pid, one.name) for one in process.ancestors)]
        for position, (pid, name) in enumerate(chain):
            if pid in pids:
                continue
            pids.add(pid)
            parent = chain[position + 1][0] if position + 1 < len(chain) else 0
            exact = (process.exe, process.cmdline) if position == 0 else ("", ())
            start = process.start_time if position == 0 else 0
            processes[pid, start] = KnownProcess(
                pid=pid,
                parent_pid=parent,
                start_time=start,
                name=name,
                exe=exact[0],
                cmdline=exact[1],
                first_seen_ns=event.finding.time_ns,
            )


def _unknown(pid: int) -> KnownProcess:
    return KnownProcess(pid=pid, parent_pid=0, start_time=0, name="", exe="", cmdline=(), first_seen_ns=0)


def _spans(starts: Sequence[int]) -> list[Span]:
    """Of processes with one pid, in their order: each until the next one was first seen."""
    return list(zip([EVER[0], *starts[1:]], [*starts[1:], EVER[1]], strict=True))


_Links = tuple[dict[Key, list[Key]], list[Key]]


def _linked(processes: Mapping[Key, KnownProcess], by_pid: Mapping[int, Sequence[Key]]) -> _Links:
    """Children of each, and those without a parent. What the record makes a circle of is cut open."""
    children: dict[Key, list[Key]] = defaultdict(list)
    roots: list[Key] = []
    for key, process in processes.items():
        above = [one for one in by_pid.get(process.parent_pid, ()) if one != key]
        older = [one for one in above if one[1] <= (key[1] or one[1])] or above[:1]
        (children[older[-1]] if older else roots).append(key)
    seen = set(_walked(children, roots))
    for key in processes:
        if key not in seen:
            for below in children.values():
                if key in below:
                    below.remove(key)
            roots.append(key)
            seen.update(_walked(children, [key]))
    return dict(children), roots


def _walked(children: Mapping[Key, Sequence[Key]], roots: Sequence[Key]) -> Iterator[Key]:
    """Each before what is below it."""
    stack = list(roots)
    while stack:
        key = stack.pop()
        yield key
        stack.extend(children.get(key, ()))


def _summed(
    children: Mapping[Key, Sequence[Key]], roots: Sequence[Key], own: Mapping[Key, Touched]
) -> dict[Key, Touched]:
    below: dict[Key, Touched] = {}
    for key in reversed(list(_walked(children, roots))):
        total = own.get(key, Touched(key[0]))
        for child in children.get(key, ()):
            total = total.plus(below[child])
        below[key] = total
    return below
