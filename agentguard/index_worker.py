"""Looks into the files of the workspace for credentials, and then follows what changes.

It says which files hold a secret, never which: the supervisor reads them itself. Beside `monitor` and `proxy_child` the
third place that wires stages together: detect looks, sense says what has changed.
"""

from __future__ import annotations

import os
import select
import socket
import time
from dataclasses import replace

from agentguard.detect.content import ContentJudge
from agentguard.detect.content_walk import ContentWalk
from agentguard.detect.engine import build_engine
from agentguard.detect.files import load_file_patterns
from agentguard.detect.fingerprint import Fingerprinter
from agentguard.detect.inventory import list_folder
from agentguard.detect.rules import load_types
from agentguard.detect.scanner import Scanner
from agentguard.detect.value_index import ValueIndex
from agentguard.model.index import SecretFind
from agentguard.sense.content_index import IndexStart
from agentguard.sense.proxy import wire
from agentguard.sense.tree_watch import Change, Changed, TreeWatch

_TOLD_SECONDS = 0.5
"""Between two words on how far it is."""
_ATTENTION_SECONDS = 0.02
"""Between two looks at what has changed, in the middle of a walk."""
_SETTLE_SECONDS = 0.25
"""A file that is still being written is looked at when this much time has gone by."""
_LARGE_BYTES = 256 * 1024
_LARGE_SECONDS = 1.0
"""A larger file that is known and grows (a transcript) is looked at once in this time: the supervisor does it itself,
and again when the file is opened."""
_INVENTORY_NS = 10_000_000_000
"""The supervisor has taken its inventory of names at most this long before the agent's start."""
_MARGIN_NS = 2_000_000_000
"""A file system's clock may be another machine's."""


def work(link: socket.socket) -> int:
    """Serve until the link ends. Returns an exit status."""
    line = b""
    while not line.endswith(b"\n") and (part := link.recv(65536)):
        line += part
    try:
        op, body = wire.decode(line)
        if op != "start":
            return 2
        IndexWorker(wire.typed(body, IndexStart), link).run()
    except wire.WireError:
        return 2
    except (BrokenPipeError, ConnectionResetError):
        pass  # the supervisor is gone, and with it the session
    return 0


class IndexWorker:
    """One workspace."""

    def __init__(self, start: IndexStart, link: socket.socket) -> None:
        self._start = start
        self._link = link
        self._received = b""
        self._patterns = load_file_patterns(start.policies / "files.yaml")
        types = load_types(start.policies / "secrets.yaml")
        nameless = Fingerprinter(os.urandom(32))  # it tells no fingerprint, so the home folder's key stays there
        scanner = Scanner(types, build_engine(types, cache=start.cache), nameless, ValueIndex())
        self._judge = ContentJudge(scanner.locate, self._patterns.content)
        self._watch = TreeWatch(self._patterns.content.most_folders)
        self._first = self._walk()
        self._complete = False
        self._pending: dict[str, float] = {}
        """Files that have changed, and when they are looked at (monotonic s)."""
        self._folders: list[str] = []
        """Folders that have appeared and were not taken in yet."""
        self._known: dict[str, bool] = {}
        """Files that were told, and whether each has one name only."""
        self._lost = 0
        self._abreast_ns = time.time_ns()
        """All changes up to then are known."""
        self._sync = 0
        self._told_at = self._attended_at = 0.0

    def run(self) -> None:
        """Raises BrokenPipeError or ConnectionResetError when the link ends."""
        poll = select.poll()
        poll.register(self._link, select.POLLIN)
        if self._watch.descriptor >= 0:
            poll.register(self._watch.descriptor, select.POLLIN)
        self._take_in(self._first, self._start.workspace, self._start.changed_since_ns)
        self._complete = True
        self._tell_progress()
        while True:
            self._attend()
            while self._folders or self._watch.lost > self._lost:
                self._follow_folders()
                self._attend()
            self._answer()
            poll.poll(self._patience())

    # --- walks ------------------------------------------------------------------------------------

    def _walk(self, *, new: bool = False) -> ContentWalk:
        """`new`: of a folder that has appeared."""
        start = self._start
        return ContentWalk(
            self._patterns,
            self._judge,
            since_ns=start.since_ns,
            excluded=frozenset(start.excluded),
            on_folder=self._enter_new if new else self._enter,
        )

    def _take_in(self, walk: ContentWalk, root: str, changed_since_ns: int = 0) -> None:
        """Everything below a folder; what changes meanwhile is attended to in between."""
        for find in walk.run(root, changed_since_ns=changed_since_ns):
            if find is not None:
                self._tell(find)
            now = time.monotonic()
            if now - self._attended_at >= _ATTENTION_SECONDS:
                self._attended_at = now
                self._attend()
                if not self._complete:
                    self._answer()
            if now - self._told_at >= _TOLD_SECONDS:
                self._tell_progress()

    def _follow_folders(self) -> None:
        """A new folder may have been moved here with all that is in it, so every file of it counts, however old.
        After an overflow, whatever is newer than the last complete look."""
        while self._folders:
            self._take_in(self._walk(new=True), self._folders.pop())
        if self._watch.lost > self._lost:
            self._lost = self._watch.lost
            self._take_in(self._walk(), self._start.workspace, self._abreast_ns - _MARGIN_NS)

    def _enter(self, folder: str) -> None:
        self._watch.add(folder)
        if _changed_ns(folder) >= self._start.since_ns - _INVENTORY_NS:
            self._tell_names(folder)

    def _enter_new(self, folder: str) -> None:
        """It may have been moved here, and be old."""
        self._watch.add(folder)
        self._tell_names(folder)

    def _tell_names(self, folder: str) -> None:
        """What is secret by its name, and came before the folder was watched: not every sensor sees the name when the
        file is opened."""
        for entry in list_folder(folder):
            if self._patterns.match_name(entry.path) is not None:
                self._send("changed", entry.path)

    # --- changes ----------------------------------------------------------------------------------

    def _attend(self) -> None:
        """To the supervisor, to what has changed, and to the files that are due: all of them when it waits."""
        self._listen()
        now_ns = time.time_ns()
        for changed in self._watch.changes():
            self._note(changed)
        if self._watch.lost == self._lost:
            self._abreast_ns = now_ns
        now = time.monotonic()
        for path in [path for path, due in self._pending.items() if self._sync or due <= now]:
            del self._pending[path]
            self._look(path)

    def _note(self, changed: Changed) -> None:
        path = changed.path
        if changed.change is Change.FOLDER:
            if self._first.enters(path):
                self._folders.append(path)
        elif changed.change is Change.DELETED:
            self._pending.pop(path, None)
            if self._known.pop(path, False):
                self._send("deleted", path)
        elif path in self._known and _is_large(path):
            self._pending.setdefault(path, time.monotonic() + _LARGE_SECONDS)
        elif changed.change is Change.WRITTEN:
            self._pending[path] = 0.0
        else:
            self._pending.setdefault(path, time.monotonic() + _SETTLE_SECONDS)

    def _look(self, path: str) -> None:
        """The supervisor looks at what it knows itself: its reads are then told from those of others."""
        if path in self._known or self._patterns.match_name(path) is not None:
            self._send("changed", path)
        elif self._first.counts(path):
            find = self._first.examine(path)
            if find is not None:
                self._tell(find)

    def _patience(self) -> float | None:
        """Milliseconds until the next file is due; None: nothing is."""
        if not self._pending:
            return None
        return max(0.0, (min(self._pending.values()) - time.monotonic()) * 1000)

    # --- the supervisor ---------------------------------------------------------------------------

    def _listen(self) -> None:
        """Raises BrokenPipeError when it is gone."""
        try:
            data = self._link.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        if not data:
            raise BrokenPipeError
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            op, body = wire.decode(line)
            if op == "sync":
                self._sync = wire.typed(body, int)

    def _answer(self) -> None:
        if self._sync:
            self._tell_progress()
            self._send("synced", self._sync)
            self._sync = 0

    def _tell(self, find: SecretFind) -> None:
        path = find.file.path
        if path not in self._known:
            self._known[path] = find.only_name
            self._send("find", find)

    def _tell_progress(self) -> None:
        self._told_at = time.monotonic()
        progress = replace(self._first.progress, unwatched=self._watch.refused, lost=self._watch.lost)
        self._send("progress", progress)

    def _send(self, op: str, body: object) -> None:
        self._link.sendall(wire.encode(op, body))


def _changed_ns(folder: str) -> int:
    """When a name was last added or removed."""
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0


def _is_large(path: str) -> bool:
    try:
        return os.lstat(path).st_size > _LARGE_BYTES
    except OSError:
        return False
