"""Asks git, which obeys nothing here that a repository could use to run a program or to hide something."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from agentguard.errors import GitError
from agentguard.scan.git_options import ALWAYS

_PLACES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE")
_PIPE_BYTES = 1 << 18


class Git:
    """One repository.

    Args:
        folder: within it.
        as_called: obey GIT_DIR and GIT_INDEX_FILE, as a hook must: git commits what they name.
    """

    def __init__(self, folder: Path, *, as_called: bool = False) -> None:
        self.folder = folder
        places = () if as_called else _PLACES
        self._environ = {name: value for name, value in os.environ.items() if name not in places}
        self._environ |= {
            "LC_ALL": "C",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_LAZY_FETCH": "1",
        }

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Its output.

        Raises:
            GitError: it failed, or cannot be run.
        """
        try:
            done = subprocess.run(
                self._command(arguments), input=stdin, capture_output=True, env=self._environ, check=False
            )
        except OSError as error:
            raise _not_run(error) from None
        if done.returncode:
            raise _refused(arguments, done.stderr)
        return done.stdout

    @contextmanager
    def stream(self, *arguments: str, stdin: IO[bytes] | None = None) -> Iterator[IO[bytes]]:
        """Its output as it comes. Leaving early ends it.

        Raises:
            GitError: as `run`; a failure shows when the block is left.
        """
        try:
            child = subprocess.Popen(
                self._command(arguments),
                stdin=stdin or subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environ,
                bufsize=_PIPE_BYTES,
            )
        except OSError as error:
            raise _not_run(error) from None
        with child:
            assert child.stdout is not None
            assert child.stderr is not None
            try:
                yield child.stdout
            except BaseException:
                child.kill()
                raise
            complaint = child.stderr.read()
        if child.returncode:
            raise _refused(arguments, complaint)

    def ignores_folder(self) -> bool:
        """Whether the folder itself is one that git ignores; no where it is in no repository."""
        options = [option for option in ALWAYS if option != "--literal-pathspecs"]  # which this command refuses
        command = ["git", "-C", str(self.folder), *options, "check-ignore", "--quiet", "."]
        try:
            return subprocess.run(command, capture_output=True, env=self._environ, check=False).returncode == 0
        except OSError:
            return False

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return ["git", "-C", str(self.folder), *ALWAYS, *arguments]


def top_of(folder: Path) -> Path | None:
    """The top folder of the work tree that `folder` lies in; None when it lies in none.

    Raises:
        GitError: there is one, but git refuses to look at it (another user's, a damaged one).
    """
    try:
        out = Git(folder).run("rev-parse", "--show-toplevel")
    except GitError:
        if any((at / ".git").exists() for at in (folder, *folder.parents)):
            raise
        return None
    return Path(os.fsdecode(out.removesuffix(b"\n")))


def repository_of(git: Git) -> Path:
    """The top folder of its work tree; of a bare repository, itself.

    Raises:
        GitError: this is no repository.
    """
    try:
        bare = git.run("rev-parse", "--is-bare-repository").strip() == b"true"
    except GitError as error:
        if "not a git repository" in str(error):
            raise GitError(f"{git.folder} is in no git repository; name a folder that is, or change to one") from None
        raise
    out = git.run("rev-parse", "--absolute-git-dir" if bare else "--show-toplevel")
    return Path(os.fsdecode(out.removesuffix(b"\n")))


def _not_run(error: OSError) -> GitError:
    if isinstance(error, FileNotFoundError):
        return GitError("git is not installed, or not in PATH")
    return GitError(f"git cannot be run: {error.strerror or type(error).__name__}")


def _refused(arguments: Sequence[str], complaint: bytes) -> GitError:
    lines = [line for line in complaint.decode("utf-8", "replace").splitlines() if line.strip()]
    words = next((line for line in lines if line.startswith("fatal:")), lines[0] if lines else "no reason was given")
    return GitError(f"git {arguments[0]} failed: {words.removeprefix('fatal: ')}")
