"""Command lines that told nothing when they were looked at: a build starts the same compiler a thousand times."""

from __future__ import annotations

MAX_COMMANDS = 4096


class QuietCommands:
    """For one thread. In memory only, and none of them holds a secret that was known when it was entered."""

    def __init__(self) -> None:
        self._quiet: dict[tuple[str, ...], int] = {}

    def holds(self, cmdline: tuple[str, ...], known_values: int) -> bool:
        """Whether it told nothing, and no secret has become known since."""
        return self._quiet.get(cmdline) == known_values

    def add(self, cmdline: tuple[str, ...], known_values: int) -> None:
        """`known_values`: as it was before the look."""
        if len(self._quiet) >= MAX_COMMANDS:
            self._quiet.clear()
        self._quiet[cmdline] = known_values
