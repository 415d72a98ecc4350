"""Files with secrets that every user of the machine can read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from agentguard.model.posture import Check, Fix, Place, Weakness
from agentguard.model.verdict import Severity
from agentguard.posture.evidence import Evidence
from agentguard.posture.tree import SeenFile
from agentguard.posture.words import counted, listed, shell_paths

_WHY = "Any account on this machine, that of a service that was broken into too, can read it without asking anyone."
_MOST_PATHS = 20


def check(evidence: Evidence) -> Iterator[Weakness]:
    """One for the project and one for the home folder: one command puts all of it right. What belongs to another user
    is that user's to close."""
    holding = {one.file.path for one in evidence.kept}
    closed: dict[str, bool] = {}
    for at_home in (False, True):
        files = [
            file
            for file in evidence.files
            if file.at_home is at_home
            and file.owner == os.getuid()
            and file.mode & stat.S_IROTH
            and (file.path in holding or (at_home and file.is_secret_file))
            and _reachable(os.path.dirname(file.path), closed)
            and not evidence.is_tracked(file)
        ]
        if files:
            yield _weakness(files)


def _weakness(files: list[SeenFile]) -> Weakness:
    paths = [file.name for file in files]
    shown = listed(paths[:3]) if len(paths) <= 3 else f"{counted(len(paths), 'file')} with secrets, as {paths[0]},"
    more = len(paths) - _MOST_PATHS
    rest = f"; {more} more are named by `check --format json`" if more > 0 else ""
    return Weakness(
        check=Check.READABLE,
        severity=Severity.HIGH if any(file.mode & stat.S_IWOTH for file in files) else Severity.MEDIUM,
        title=f"{shown} can be read by every user of this machine",
        why=_WHY,
        fixes=(
            Fix(
                do=f"Let nobody else read {'it' if len(paths) == 1 else 'them'}{rest}",
                command=f"chmod go-rwx -- {shell_paths(paths[:_MOST_PATHS])}",
            ),
        ),
        places=tuple(Place(path=file.name, note=stat.filemode(stat.S_IFREG | file.mode)) for file in files),
    )


def _reachable(folder: str, known: dict[str, bool]) -> bool:
    """Whether others can get as far as this folder: each one above it lets them through."""
    if folder not in known:
        above = os.path.dirname(folder)
        try:
            passes = bool(Path(folder).stat().st_mode & stat.S_IXOTH)
        except OSError:
            passes = False
        known[folder] = passes and (above == folder or _reachable(above, known))
    return known[folder]
