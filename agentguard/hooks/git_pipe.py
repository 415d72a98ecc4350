"""git as a child, started while the gate is still being imported, its output read up to a bound.

A commit waits for every import: `subprocess` alone costs as much as git itself. This is `posix_spawn` and a pipe.
"""

from __future__ import annotations

import os

from agentguard.errors import GitError
from agentguard.scan.git_options import ALWAYS

_SETTINGS = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1"}
"""We look: nothing is written, nobody is asked, and nothing is fetched from a network."""
_BIG_FILE = "8m"
"""From this size on git compares no lines: it says that the file differs, as of a binary one."""
_SIGKILL = 9


class GitPipe:
    """One git in the folder, with the index and the repository that git gave its hook. Its errors go where ours go.

    Args:
        words: the command line behind `git`.

    Raises:
        GitError: git cannot be started.
    """

    def __init__(self, *words: str) -> None:
        self._name = words[0]
        self._output, theirs = os.pipe()
        actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, theirs, 1)]
        line = ["git", *ALWAYS, "-c", f"core.bigFileThreshold={_BIG_FILE}", *words]
        try:
            self._pid = os.posix_spawnp("git", line, {**os.environ, **_SETTINGS}, file_actions=actions)
        except OSError as error:
            os.close(self._output)
            raise GitError(f"git cannot be run: {error.strerror}") from None
        finally:
            os.close(theirs)

    def read(self, most: int) -> tuple[bytes, bool]:
        """(its output, up to `most` bytes; whether that is all of it). It has ended then. To be called once.

        Raises:
            GitError: it failed.
        """
        parts: list[bytes] = []
        room = most
        while room > 0 and (piece := os.read(self._output, min(room, 1 << 20))):
            parts.append(piece)
            room -= len(piece)
        whole = room > 0 or not os.read(self._output, 1)
        os.close(self._output)
        if not whole:
            os.kill(self._pid, _SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        if whole and status:
            raise GitError(f"git {self._name} failed with status {status}; what it said stands above")
        return b"".join(parts), whole
