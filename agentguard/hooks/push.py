"""What a push would hand out: the commits that the other side has not got yet."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from agentguard.errors import ConfigError, GitError
from agentguard.hooks.git_pipe import GitPipe

_MOST_NAMES = 1 << 16


def outgoing(arguments: list[str]) -> list[str]:
    """Words for `git rev-list` that name them; [] when nothing is pushed but deletions.

    Args:
        arguments: what git gives the hook: the remote's name, and its URL.

    Raises:
        ConfigError: nobody says what is pushed.
    """
    remote = arguments[0] if arguments else os.environ.get("PRE_COMMIT_REMOTE_NAME", "")
    pairs = [(new, old) for new, old in _pushed() if new.strip("0")]
    known = [f"^{old}" for _, old in pairs if old.strip("0") and _is_here(old)]
    return [*(new for new, _ in pairs), *known, "--not", f"--remotes={remote}"] if pairs else []


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
