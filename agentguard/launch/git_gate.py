"""The git gate of the repository that a session works in: what nobody but its user changes."""

from __future__ import annotations

import re
from pathlib import Path

from agentguard.config import folder_of_user
from agentguard.errors import ConfigError
from agentguard.hooks.place import HookPlace, find_place
from agentguard.hooks.status import watched_files
from agentguard.launch.guard_files import GuardFile
from agentguard.model.secret import GUARD_FILE

WHERE_HOOKS_ARE = re.compile(rb"^.*hookspath.*$|^[ \t]*(?:\[include|path[ \t]*=).*$", re.MULTILINE | re.IGNORECASE)
"""Lines of git's configuration: core.hooksPath, and what else is to be read."""


def gate_files(workspace: Path) -> tuple[GuardFile, ...]:
    """The gate's hooks, and the settings by which git finds them; () where no gate is installed, or no git is."""
    if not any((folder / ".git").exists() for folder in (workspace, *workspace.parents)):
        return ()
    try:
        place = find_place(workspace)
        hooks = watched_files(place)
    except ConfigError:
        return ()
    if not hooks:
        return ()
    return (
        *(GuardFile(path, GUARD_FILE, True, True) for path in hooks),
        *(GuardFile(path, GUARD_FILE, True, True, WHERE_HOOKS_ARE) for path in _settings(place)),
    )


def _settings(place: HookPlace) -> list[Path]:
    user = folder_of_user()
    return [
        place.common / "config",
        place.common / "config.worktree",
        user / ".gitconfig",
        user / ".config" / "git" / "config",
    ]
