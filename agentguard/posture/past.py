"""The history of a repository, as far as it is that of the folder that is looked at."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from agentguard.model.at_rest import MESSAGE, ScanResult, SecretAtRest
from agentguard.scan.git import Git, repository_of
from agentguard.scan.history import Range
from agentguard.scan.scan import Progress, Scan
from agentguard.scan.setting import Setting


def look_back(setting: Setting, root: Path, progress: Progress) -> ScanResult:
    """What commits brought into the files below `root`, and what their messages say. Paths are relative to it.

    Raises:
        GitError: git cannot list the commits.
        WorkerLostError: a process was killed.
    """
    git = Git(root)
    scan = Scan(setting, progress=progress)
    scan.history(git, Range())
    within = os.path.relpath(os.path.realpath(root), os.path.realpath(repository_of(git)))
    result = scan.result()
    return replace(result, found=tuple(_below("" if within == "." else f"{within}/", result.found)))


def _below(within: str, found: Iterable[SecretAtRest]) -> Iterator[SecretAtRest]:
    for one in found:
        if one.path == MESSAGE:
            yield one
        elif one.path.startswith(within):
            yield replace(one, path=one.path.removeprefix(within))
