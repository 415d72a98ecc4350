"""What git knows of the files of a folder, and of the repositories within it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from agentguard.posture.evidence import GitFacts
from agentguard.scan.git import Git, top_of


def git_facts(root: Path, within: Sequence[str]) -> GitFacts | None:
    """None when `root` lies in no repository.

    Args:
        root: a folder.
        within: folders below it that are repositories of their own, relative to it.

    Raises:
        GitError: git is missing, or refuses.
    """
    top = top_of(Path(os.path.realpath(root)))
    if top is None:
        return None
    asked = [(root, ""), *((root / below, f"{below}/") for below in within)]
    below = os.path.relpath(os.path.realpath(root), os.path.realpath(top))
    return GitFacts(
        tracked=frozenset(name for folder, before in asked for name in _listed(folder, before, "--cached")),
        addable=frozenset(
            name for folder, before in asked for name in _listed(folder, before, "--others", "--exclude-standard")
        ),
        within="" if below == "." else f"{below}/",
        repositories=tuple(within),
    )


def _listed(folder: Path, before: str, *options: str) -> list[str]:
    """`before` stands before each path."""
    names = Git(folder).run("ls-files", "-z", *options, "--", ".").split(b"\0")
    return [before + os.fsdecode(name) for name in names if name]
