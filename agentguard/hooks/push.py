"""What a push would hand out: the commits that the other side has not got yet, with their messages."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator

from agentguard.errors import ConfigError, GitError
from agentguard.hooks.git_pipe import GitPipe
from agentguard.scan.git_options import FORMAT

_COMMIT = re.compile(rb"^commit ([0-9a-f]{40,64})$", re.MULTILINE)
"""Nothing in a patch begins a line so."""
_MOST_NAMES = 1 << 16


def outgoing(arguments: list[str]) -> list[str]:
    """Words for `git log` that name them; [] when nothing is pushed but deletions.

    Args:
        arguments: what git gives the hook: the remote's name, and its URL.

    Raises:
        ConfigError: nobody says what is pushed.
    """
    remote = arguments[0] if arguments else os.environ.get("PRE_COMMIT_REMOTE_NAME", "")
    pairs = [(new, old) for new, old in _pushed() if new.strip("0")]
    known = [f"^{old}" for _, old in pairs if old.strip("0") and _is_here(old)]
    return [*(new for new, _ in pairs), *known, "--not", f"--remotes={remote}"] if pairs else []


def start_patches(words: list[str]) -> GitPipe:
    """A git that tells the changes of those commits, oldest first, of a merge what none of its parents has."""
    return GitPipe("log", "--format=commit %H", "--diff-merges=dense-combined", "--reverse", *FORMAT, *words)


def start_messages(words: list[str]) -> GitPipe:
    """A git that tells their messages."""
    return GitPipe("log", "--format=commit %H%n%B", "--reverse", *words)


def by_commit(output: bytes) -> Iterator[tuple[str, bytes]]:
    """(commit, what was told of it). A message that itself has such a line is told under the name it gives."""
    starts = list(_COMMIT.finditer(output))
    for at, start in enumerate(starts, 1):
        end = starts[at].start() if at < len(starts) else len(output)
        yield start[1].decode(), output[start.end() + 1 : end]


def _pushed() -> Iterator[tuple[str, str]]:
    """(object here, object there) of each ref: from git on standard input, or from the pre-commit framework, which
    names a whole branch where the other side has none of it."""
    if os.environ.get("PRE_COMMIT") == "1":
        new = os.environ.get("PRE_COMMIT_TO_REF") or os.environ.get("PRE_COMMIT_LOCAL_BRANCH")
        if not new:
            raise ConfigError("the pre-commit framework does not say what is pushed; update it")
        yield new, os.environ.get("PRE_COMMIT_FROM_REF", "")
        return
    for line in sys.stdin:
        words = line.split()
        if len(words) == 4:
            yield words[1], words[3]


def _is_here(name: str) -> bool:
    try:
        return bool(GitPipe("rev-list", "--max-count=1", "--ignore-missing", name, "--").read(_MOST_NAMES)[0])
    except GitError:
        return False
