"""watchdog on the folders that hold known secrets: opens by anyone, and changes that the table must follow.

It watches those folders only, never a tree: a recursive watch overflows on the first `grep -r`. What it tells
has no pid; `cross_check` and `open_scan` make something of that.
"""

from __future__ import annotations

import errno
import logging
import os
import queue
import threading
from collections.abc import Callable
from pathlib import Path

from watchdog.events import (
    FileClosedEvent,
    FileCreatedEvent,
    FileMovedEvent,
    FileOpenedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from agentguard.errors import SensorError
from agentguard.model.secret import CONTENT_KIND, SecretFile

OnPath = Callable[[str], object]


class FolderWatch:
    """Hands on the paths that were opened, and those that were written, created or moved into place.

    Follows the table of secret files: a folder that comes to hold one is watched from then on.
    """

    def __init__(
        self, *, on_open: OnPath, on_change: OnPath, on_overflow: Callable[[], None], on_refused: OnPath
    ) -> None:
        """`on_refused`: the system watches no more folders, this one not either."""
        self._observer = Observer()
        self._handler = _Handler(on_open, on_change)
        self._on_refused = on_refused
        self._overflow = _OverflowLog(on_overflow)
        self._watched: set[str] = set()
        self._lock = threading.Lock()
        self._further: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._adding = threading.Thread(target=self._add_further, name="folder-follow", daemon=True)

    def start(self, folders: tuple[str, ...]) -> None:
        """Raises SensorError when the system grants no watch at all."""
        logging.getLogger("watchdog").addHandler(self._overflow)
        try:
            self._observer.start()
        except OSError as error:
            raise SensorError(
                f"folders cannot be watched: {error.strerror}; raise fs.inotify.max_user_instances"
            ) from None
        for folder in folders:
            self.add(folder)
        if folders and not self._watched:
            raise SensorError("folders cannot be watched; raise fs.inotify.max_user_watches")
        self._adding.start()

    def added(self, file: SecretFile) -> None:
        """Of the table. The watch is set by a thread: whoever enters a file waits for nothing.

        Of a file that is secret for what it holds the index follows the changes, and the inode watch the opens: there
        its folder says nothing more.
        """
        if file.kind == CONTENT_KIND:
            return
        folder = os.path.dirname(file.path) or "/"
        if folder not in self._watched:
            self._further.put(folder)

    def discarded(self, device: int, inode: int) -> None:
        """Of the table. The folder may hold others, or hold it again."""

    def _add_further(self) -> None:
        while (folder := self._further.get()) is not None:
            self.add(folder)

    def add(self, folder: str) -> bool:
        """Watch one more folder. False when the system refuses."""
        with self._lock:
            if folder in self._watched:
                return True
            try:
                self._observer.schedule(self._handler, folder, recursive=False, event_filter=_EVENTS)
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    self._on_refused(folder)
                return False
            self._watched.add(folder)
            return True

    def alive(self) -> bool:
        return self._observer.is_alive()

    def stop(self) -> None:
        logging.getLogger("watchdog").removeHandler(self._overflow)
        self._further.put(None)
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join(1)


_EVENTS: list[type[FileSystemEvent]] = [FileOpenedEvent, FileClosedEvent, FileCreatedEvent, FileMovedEvent]


class _Handler(FileSystemEventHandler):
    def __init__(self, on_open: OnPath, on_change: OnPath) -> None:
        self._on_open = on_open
        self._on_change = on_change

    def on_opened(self, event: FileSystemEvent) -> None:
        self._on_open(_path(event.src_path))

    def on_closed(self, event: FileSystemEvent) -> None:
        self._on_change(_path(event.src_path))

    def on_created(self, event: FileSystemEvent) -> None:
        self._on_change(_path(event.src_path))

    def on_moved(self, event: FileSystemEvent) -> None:
        self._on_change(_path(event.dest_path))


class _OverflowLog(logging.Handler):
    """watchdog tells of a lost event only in its log."""

    def __init__(self, on_overflow: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._on_overflow = on_overflow

    def emit(self, record: logging.LogRecord) -> None:
        if "overflow" in record.getMessage():
            self._on_overflow()


def _path(path: bytes | str) -> str:
    return str(Path(path.decode("utf-8", "surrogateescape") if isinstance(path, bytes) else path))
