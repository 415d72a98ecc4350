"""Which files a scan of paths has gone through.

Asked afterwards, and only of places that an earlier scan found and this one did not: a credential that was moved out of
a file is then gone from it. So nothing is remembered of each of a hundred thousand files: they are listed again when
there is such a place, which is seldom.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from agentguard.model.at_rest import Unread
from agentguard.scan.walk import Walk


class Looked:
    """Of one scan.

    Args:
        base: what the paths in results are relative to.
        roots: what was asked for; () when it was no files (a history): then nothing was gone through.
        ignored, exclude: as `Walk` was told.
        unread: what could not be read, or not whole; as in results.
    """

    def __init__(
        self, base: Path, roots: Sequence[Path], *, ignored: bool, exclude: Sequence[str], unread: Iterable[Unread]
    ) -> None:
        self._base = os.path.realpath(base)
        self._roots = roots
        self._walk = Walk(ignored=ignored, exclude=exclude)
        self._unread = {self._file(one.path) for one in unread}
        self._listed: frozenset[str] | None = None

    def at(self, path: str) -> bool:
        """Whether the file at an absolute path was read, or is not there any more; of a member, its archive's."""
        if not self._roots:
            return False
        file = self._file(path)
        if not os.path.lexists(file):
            return True
        if self._listed is None:
            listed = (one for root in self._roots for one in self._walk.files(root))
            self._listed = frozenset(self._file(one) for one in listed if isinstance(one, str))
        return file in self._listed and file not in self._unread

    def _file(self, path: str) -> str:
        return os.path.normpath(os.path.join(self._base, path.partition("!")[0]))
