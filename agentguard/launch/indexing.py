"""The content index of one session: begun while the agent cannot run yet, gone on with by a worker, told of at the end.

The supervisor looks into files itself only while nothing waits for it: before the agent starts, as long as the proxy is
not ready anyway, and after its tree has gone, for what a worker that had just begun did not reach.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from agentguard.detection import Detection
from agentguard.model.index import IndexProgress, ReadBefore, SecretFind
from agentguard.model.observation import GapObservation, GapType
from agentguard.model.secret import SecretFile, SecretValue
from agentguard.model.session import Coverage, SensorState
from agentguard.sense.content_index import NAME, ContentIndex, IndexHandler, IndexStart
from agentguard.sense.interface import Emit

_MARGIN_NS = 2_000_000_000
"""A file system's clock may be another machine's."""
_HIDE_SECONDS = 2.0
_SYNC_SECONDS = 0.5
_FINISH_SECONDS = 0.25
_LEAST_SECONDS = 0.03
"""Of processor time: so long the agent waits even when all else is ready. A small workspace takes less."""
_NAMED = 20
"""Files read too early that are named one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSetup:
    """What the index is given."""

    detection: Detection
    workspace: Path
    own: tuple[Path, ...]
    """Folders of the guard, which it does not look into."""
    policies: Path
    cache: Path
    log: Path
    on_change: Callable[[str], SecretFile | None]
    """A file that has a telling name or is known has changed: is it a secret file now?"""
    on_content: Callable[[str], SecretFile | None]
    """A file holds a secret: its entry in the table; its values are known everywhere when this returns."""
    decoy: Path
    """Written once, to prove that a secret in a file is seen."""
    emit: Emit
    second_opinion: Callable[[], str]
    """The proved sensor that recognises what a file holds by its form wherever it is sent; "" when there is none."""
    clock: Callable[[], int]


class Indexing:
    """`prepare`, `head_start`, `start`, `finish`, `stop`, in that order; `finish` once the agent's tree has gone."""

    def __init__(self, setup: IndexSetup) -> None:
        self._setup = setup
        self._workspace = os.path.realpath(setup.workspace)
        self._excluded = frozenset(os.path.realpath(folder) for folder in setup.own)
        self._began_ns = self._agent_ns = setup.clock()
        self._known_until_ns = 0
        """What changed before is known; 0: not all is."""
        self._here = IndexProgress()
        self._head = IndexProgress()
        """Of the head start, when it sufficed."""
        self._worker: ContentIndex | None = None
        self._why_not = ""
        self._proved_ns = self._began_ns if setup.detection.proves_content(setup.decoy) else None
        self._found = 0
        self._refused: set[str] = set()
        self._read = self._unknown = 0
        self._finished = False

    @property
    def pid(self) -> int:
        """Of the worker; 0 when there is none."""
        return self._worker.pid if self._worker else 0

    def prepare(self) -> None:
        """Start the worker, which waits. Before the agent is there to look into a process that does not hide yet."""
        setup = self._setup
        handler = IndexHandler(on_find=self._on_find, on_change=setup.on_change, on_delete=setup.detection.deleted)
        try:
            self._worker = ContentIndex(handler, setup.log)
        except OSError as error:
            self._why_not = f"its worker could not be started: {error.strerror}"

    def head_start(self, go_on: Callable[[], bool]) -> list[SecretValue]:
        """Look into files for as long as the agent has to wait anyway: a small workspace is known then.

        Returns what was found. It is for the caller to teach the proxy, which cannot learn yet.
        """
        if os.cpu_count() == 1:
            return []  # it would be taken from the proxy's own start
        values: list[SecretValue] = []
        detection = self._setup.detection
        began = time.thread_time()
        for find in self._walk(0, lambda: go_on() or time.thread_time() - began < _LEAST_SECONDS):
            path = find.file.path
            detection.looks.note(find.file.device, find.file.inode)
            if not detection.has_room(path):
                self._refused.add(path)
            elif (file := detection.content(path)) is not None:
                self._found += 1
                values += detection.values.of(file)[0]
        if self._here.complete:
            self._known_until_ns = self._began_ns - _MARGIN_NS
            self._head = self._here
        return values

    def start(self) -> None:
        """The agent is about to run: leave the rest, and what changes, to the worker."""
        setup = self._setup
        self._agent_ns = setup.clock()
        if self._worker is None:
            return
        if not self._worker.hidden(_HIDE_SECONDS):
            self._worker.stop()
            self._worker, self._why_not = None, "its worker did not hide from the agent in time"
            return
        start = IndexStart(
            workspace=self._workspace,
            excluded=tuple(sorted(self._excluded)),
            policies=setup.policies,
            cache=setup.cache,
            since_ns=self._agent_ns,
            changed_since_ns=self._known_until_ns,
        )
        self._worker.start(start)

    def coverage(self) -> Coverage:
        state = SensorState.RUNNING
        if self._worker is None and self._why_not:
            state = SensorState.UNAVAILABLE
        elif self._worker is not None and not self._worker.alive and not self._finished:
            state = SensorState.FAILED
        return Coverage(
            sensor=NAME,
            state=state,
            proved=self._proved_ns is not None,
            proved_ns=self._proved_ns,
            events=self._found,
            drops=self._worker.progress.lost if self._worker else 0,
            reason=self._why_not or self._words(),
        )

    def finish(self) -> None:
        """Look at what has changed last, and tell what was not looked at, or looked at too late."""
        if self._finished:
            return
        worker = self._worker
        if worker is None or not worker.progress.listed or not worker.sync(_SYNC_SECONDS):
            self._finish_here()
        self.stop()
        self._tell_late()
        self._tell_left()

    def stop(self) -> None:
        self._finished = True
        if self._worker is not None:
            self._worker.stop()

    # --- what is found ----------------------------------------------------------------------------

    def _walk(self, since_ns: int, go_on: Callable[[], bool]) -> Iterator[SecretFind]:
        walk = self._setup.detection.walk(excluded=self._excluded, since_ns=since_ns)
        for find in walk.run(self._workspace, changed_since_ns=self._known_until_ns):
            if find is not None:
                yield find
            if not go_on():
                break
        self._here = walk.progress

    def _finish_here(self) -> None:
        """The worker had no time to begin."""
        deadline = time.monotonic() + _FINISH_SECONDS
        for find in self._walk(self._agent_ns, lambda: time.monotonic() < deadline):
            self._on_find(find)

    def _on_find(self, find: SecretFind) -> None:
        detection, path = self._setup.detection, find.file.path
        detection.looks.note(find.file.device, find.file.inode)  # the worker has opened it
        if not detection.has_room(path):
            self._refused.add(path)
            return
        moved = detection.table.lookup(find.file.device, find.file.inode) is not None
        if self._setup.on_content(path) is None or moved:
            return  # it has changed meanwhile, which is told too; or it was known by another name
        self._found += 1
        if find.read is ReadBefore.UNKNOWN:
            self._unknown += 1
        elif find.read is ReadBefore.YES:
            self._read += 1
            if self._read <= _NAMED:
                self._gap(f"{path} was read before it was known to hold a secret: by whom is not known")

    # --- what is told -----------------------------------------------------------------------------

    def _progress(self) -> IndexProgress:
        """The worker's, once it has listed the tree, unless we were through with all of it ourselves."""
        theirs = self._worker.progress if self._worker else self._here
        return theirs if theirs.complete or (theirs.listed and not self._here.complete) else self._here

    def _words(self) -> str:
        progress = self._progress()
        if progress.complete:
            held = f"{self._found:,} held secrets" if self._found != 1 else "1 held a secret"
            files = max(progress.files, self._head.files)
            return f"{files:,} file{'' if files == 1 else 's'} looked through, {held}"
        return f"{progress.done:,} of {progress.files + progress.dropped:,} files"

    def _tell_late(self) -> None:
        if self._read > _NAMED:
            more = self._read - _NAMED
            self._gap(f"{more} more files were read before they were known to hold secrets", count=more)
        if self._unknown:
            detail = (
                f"{self._unknown} files were found to hold secrets while the agent ran: whether they were read before"
            )
            self._gap(f"{detail} is not known", count=self._unknown, covered=True)

    def _tell_left(self) -> None:
        progress = self._progress()
        for count, what in (
            (progress.left, "files of the workspace were not looked through for secrets"),
            (max(progress.cut, self._head.cut), "files too large to be looked through to their end for secrets"),
            (progress.unwatched, "folders more than can be watched: changes in them were not followed"),
            (len(self._refused), "files that hold secrets more than can be watched"),
        ):
            if count:
                self._gap(f"{count:,} {what}", count=count, covered=True)

    def _gap(self, detail: str, *, count: int = 1, covered: bool = False) -> None:
        """`covered`: only the form of a key counts here, and who recognises that in what is sent misses nothing."""
        setup = self._setup
        setup.emit(
            GapObservation(
                time_ns=setup.clock(),
                sensor=NAME,
                type=GapType.NOT_INDEXED,
                detail=detail,
                remedy="skip_directories and the limits of `content` in policies/files.yaml say what is looked through",
                count=count,
                covered_by=setup.second_opinion() if covered else "",
            )
        )
