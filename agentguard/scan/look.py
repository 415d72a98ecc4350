"""Looks into one file at a time: piece by piece when it is long, member by member when it is an archive."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import IO

from agentguard.detect.file_scan import CARRY, FileFinds, FileScanner, Placed
from agentguard.model.at_rest import Commit
from agentguard.scan.archive import ArchiveError, Member, Readable, damage_told, is_archive, members
from agentguard.scan.baseline import Baseline
from agentguard.scan.patch import Added
from agentguard.scan.tally import Tally
from agentguard.scan.walk import reason_of

PIECE = 8 << 20
"""Bytes of a file that are looked at together."""
MOST_UNPACKED = 1 << 30
"""Bytes that may come out of one archive, with those within it."""
DEEPEST = 6
"""Archives within archives; a compressed tar is two."""

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_TRUNCATED = "more is encoded in it than was decoded"


@dataclass(frozen=True, slots=True)
class OnSecret:
    """What is told of each file with secrets that is opened: a guard that watches it must not take us for someone
    unknown."""

    tell: Callable[[int, int], None]
    """Given its device and inode."""
    names: Callable[[str], object | None]
    """Given an absolute path: None when its name does not say that it holds secrets."""


class Looker:
    """For one thread. What it finds goes to `tally`.

    Args:
        scanner: finds.
        baseline: what is known; None: nothing.
        base: the folder that the results' paths are relative to, for the baseline.
        entries: also note what everything would be called in this baseline, to write it.
        most_unpacked: bytes that may come out of one archive.
        on_secret: of files; None: nobody wants to know.
    """

    def __init__(  # noqa: PLR0913 (each has its own meaning, and most of them a default)
        self,
        scanner: FileScanner,
        baseline: Baseline | None = None,
        *,
        base: str = "",
        entries: bool = False,
        most_unpacked: int = MOST_UNPACKED,
        on_secret: OnSecret | None = None,
    ) -> None:
        self.tally = Tally()
        self.scanner = scanner
        self._baseline = baseline
        self._base = base
        self._entries = entries
        self._most_unpacked = most_unpacked
        self._on_secret = on_secret
        self._room = 0
        self._commit: Commit | None = None

    def handed_over(self) -> Tally:
        """What was found since the last time."""
        tally, self.tally = self.tally, Tally()
        return tally

    def file(self, path: str) -> None:
        """Look into a file. It may be gone, or be a link or a FIFO by now: nothing waits, and nothing is followed."""
        try:
            descriptor = os.open(path, _FLAGS)
        except (OSError, ValueError) as error:
            self.tally.not_read(path, reason_of(error))
            return
        try:
            info = os.fstat(descriptor)
            if not stat.S_ISREG(info.st_mode):
                self.tally.not_read(path, "it is no regular file any more")
                return
            before = len(self.tally.found) + len(self.tally.passed)
            data = os.read(descriptor, min(info.st_size, PIECE) + 1)
            if len(data) <= PIECE and len(data) >= info.st_size and not is_archive(data):
                self.tally.bytes += len(data)
                self._commit = None
                self._take(path, self.scanner.find(path, data))
            else:
                os.lseek(descriptor, 0, os.SEEK_SET)
                with os.fdopen(os.dup(descriptor), "rb") as file:
                    self.stream(path, file)
            self.tally.files += 1
            self._tell(path, info, found=len(self.tally.found) + len(self.tally.passed) > before)
        except OSError as error:
            self.tally.not_read(path, reason_of(error))
        finally:
            os.close(descriptor)

    def _tell(self, path: str, info: os.stat_result, *, found: bool) -> None:
        told = self._on_secret
        if told is not None and (found or told.names(os.path.join(self._base, path)) is not None):
            told.tell(info.st_dev, info.st_ino)

    def stream(self, name: str, file: IO[bytes], commit: Commit | None = None) -> None:
        """Look into what can be read from a file object.

        Args:
            name: what it is called in the results.
            file: read to its end, and not closed.
            commit: that brought it in.

        Raises:
            OSError: it cannot be read.
        """
        self._room, self._commit = self._most_unpacked, commit
        self._stream(name, file, 0)

    def text(self, name: str, data: bytes) -> FileFinds:
        """Look into a text, but leave it to the caller to say what its lines are (`keep`), and whether all was read."""
        self.tally.bytes += len(data)
        return self.scanner.find(name, data)

    def added(self, added: Added, commit: Commit | None = None) -> None:
        """Look into the lines that came into a file, and keep what is found under their numbers in it."""
        finds = self.text(added.name, added.text)
        for placed in finds.placed:
            line = placed.line and added.line_in_file(placed.line)
            self.keep(added.name, replace(placed, line=line), commit)
        if finds.truncated:
            self.tally.not_read(added.name, _TRUNCATED)

    def keep(self, name: str, placed: Placed, commit: Commit | None = None, first_line: int = 1) -> None:
        """Take in a find, unless a comment allows it or the baseline knows it."""
        tally = self.tally
        found = self.scanner.at_rest(name, placed, first_line=first_line)
        if commit is not None:
            found = replace(found, commit=commit)
        if placed.allowed:
            tally.allowed += 1
            tally.passed.append(found)
        elif self._is_known(name, placed):
            tally.known += 1
            tally.passed.append(found)
        else:
            tally.found.append(found)

    def _is_known(self, name: str, placed: Placed) -> bool:
        """Whether the baseline holds it. One that is to be written holds nothing yet, and is told of it."""
        if self._baseline is None:
            return False
        path, kind, value = os.path.join(self._base, name), placed.located.type.id, placed.located.value
        if not self._entries:
            return self._baseline.holds(path, kind, value)
        self.tally.entries.add(self._baseline.entry(path, kind, value))
        return False

    def room(self) -> int:
        """Bytes that may still come out of the archive that is being looked into."""
        return self._room

    def _stream(self, name: str, file: IO[bytes] | Readable, depth: int) -> None:
        piece = file.read(PIECE)
        if is_archive(piece):
            if depth == DEEPEST:
                self.tally.not_read(name, f"an archive in {DEEPEST} others")
                return
            self._archive(name, piece, file, depth)
            return
        carried, line = 0, 1
        while piece:
            self.tally.bytes += len(piece) - carried
            following = file.read(PIECE)
            self._take(name, self.scanner.find(name, piece, carried=carried, final=not following), line)
            if not following:
                return
            keep = piece.rfind(b"\n", 0, len(piece) - CARRY) + 1
            keep = keep if len(piece) - keep < 2 * CARRY else len(piece) - CARRY
            line += piece.count(b"\n", 0, keep)
            carried = len(piece) - keep
            piece = piece[keep:] + following

    def _archive(self, name: str, start: bytes, file: IO[bytes] | Readable, depth: int) -> None:
        try:
            for member in members(start, file, self.room):
                if isinstance(member, ArchiveError):
                    self.tally.not_read(name, str(member))
                else:
                    self._member(f"{name}!{member.name}" if member.name else name, member, depth + 1)
        except ArchiveError as error:
            if self._room < 0 and depth:
                raise
            self.tally.not_read(name, str(error))

    def _member(self, name: str, member: Member, depth: int) -> None:
        """One that is damaged is told, and the next is tried; no more than may come out of the whole archive."""
        try:
            self._stream(name, _Bounded(member, self), depth)
        except ArchiveError as error:
            if self._room < 0:
                raise
            self.tally.not_read(name, str(error))

    def take_room(self, size: int) -> None:
        """So many bytes came out.

        Raises:
            ArchiveError: that was too much.
        """
        self._room -= size
        if self._room < 0:
            raise ArchiveError(f"more than {self._most_unpacked >> 20} MB come out of it; the rest was not read")

    def _take(self, name: str, finds: FileFinds, first_line: int = 1) -> None:
        for placed in finds.placed:
            self.keep(name, placed, self._commit, first_line)
        if finds.truncated:
            self.tally.not_read(name, _TRUNCATED)


class _Bounded:
    """A member of an archive, counted as it comes out."""

    def __init__(self, member: Member, looker: Looker) -> None:
        self._file = member.file
        self._looker = looker

    def read(self, size: int, /) -> bytes:
        with damage_told():
            data = self._file.read(size)
        self._looker.take_room(len(data))
        return data
