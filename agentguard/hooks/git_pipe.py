"""git as a child, started while the gate is still being imported, its output read up to a bound.

A commit waits for every import: `subprocess` alone costs as much as git itself. This is `posix_spawn` and pipes.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence

from agentguard.errors import GitError
from agentguard.scan.git_options import ALWAYS

_SETTINGS = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1"}
"""We look: nothing is written, nobody is asked, and nothing is fetched from a network."""
_BIG_FILE = "8m"
"""From this size on git compares no lines: it says that the file differs, as of a binary one."""
_AT_ONCE = 128
"""Object names that git is given at once: fewer bytes than any pipe holds, so that nobody waits for anybody."""
_PIECE = 1 << 20
_SIGKILL = 9


class GitPipe:
    """One git in the folder, with the index and the repository that git gave its hook. Its errors go where ours go.

    Args:
        words: the command line behind `git`.
        fed: its standard input, less than a pipe holds.

    Raises:
        GitError: git cannot be started.
    """

    def __init__(self, *words: str, fed: bytes = b"") -> None:
        self._name = words[0]
        self._ahead = b""
        self._output, theirs = os.pipe()
        told, ours = os.pipe()
        os.write(ours, fed)
        os.close(ours)
        actions = [(os.POSIX_SPAWN_DUP2, told, 0), (os.POSIX_SPAWN_DUP2, theirs, 1)]
        line = ["git", *ALWAYS, "-c", f"core.bigFileThreshold={_BIG_FILE}", *words]
        try:
            self._pid = os.posix_spawnp("git", line, {**os.environ, **_SETTINGS}, file_actions=actions)
        except OSError as error:
            os.close(self._output)
            raise GitError(f"git cannot be run: {error.strerror}") from None
        finally:
            os.close(told)
            os.close(theirs)

    def read(self, most: int) -> tuple[bytes, bool]:
        """(its output, up to `most` bytes; whether that is all of it). It has ended then. To be called once.

        Raises:
            GitError: it failed.
        """
        data = self.next(most)
        whole = len(data) < most or not self.next(1)
        status = self.end(at_once=not whole)
        if whole and status:
            raise GitError(f"git {self._name} failed with status {status}; what it said stands above")
        return data, whole

    def line(self) -> bytes:
        """The next line, without its end; what is left, where none follows."""
        while (at := self._ahead.find(b"\n")) < 0:
            piece = os.read(self._output, _PIECE)
            if not piece:
                at = len(self._ahead)
                break
            self._ahead += piece
        line, self._ahead = self._ahead[:at], self._ahead[at + 1 :]
        return line

    def next(self, size: int) -> bytes:
        """The next `size` bytes; fewer where it ends before."""
        parts, self._ahead = [self._ahead[:size]], self._ahead[size:]
        missing = size - len(parts[0])
        while missing > 0 and (piece := os.read(self._output, min(missing, _PIECE))):
            parts.append(piece)
            missing -= len(piece)
        return b"".join(parts)

    def end(self, *, at_once: bool) -> int:
        """Its exit status. Either it is ended now, or it has said all it has to say."""
        os.close(self._output)
        if at_once:
            os.kill(self._pid, _SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])


def blobs(names: Sequence[str], most: int) -> Generator[tuple[bytes, int], None, None]:
    """(the first `most` bytes, the size) of each file, in their order.

    Raises:
        GitError: one cannot be read.
    """
    at = 0
    while at < len(names):
        group = names[at : at + _AT_ONCE]
        git = GitPipe("cat-file", "--batch", fed="".join(f"{name}\n" for name in group).encode())
        try:
            for name in group:
                at += 1
                size = _announced(git.line(), name)
                data = git.next(min(size, most))
                if len(data) < min(size, most):
                    raise GitError(f"git cat-file ended within {name}; what it said stands above")
                yield data, size
                if size > most:  # what is left of it is read by nobody: the next ones come from another git
                    break
                git.next(1)
        finally:
            git.end(at_once=True)


def _announced(line: bytes, name: str) -> int:
    words = line.split()
    if len(words) != 3 or words[1] != b"blob":
        raise GitError(f"git cat-file has no {name}; the repository is damaged, or it is a partial clone")
    return int(words[2])
