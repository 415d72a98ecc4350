"""What every bench is given: a folder, how much to do, and a clean environment."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Setting:
    """One bench's options."""

    base: Path
    """A temporary folder of its own."""
    rounds: int
    """Counted ones; one more goes before, to warm the caches."""
    quick: bool = False
    """Only to see that all of it works."""
    markdown: bool = False
    further_rg: Path | None = None
    """An rg besides the one on the PATH."""
    kingfisher: Path | None = None
    """A kingfisher to measure `scan` beside."""

    def at(self, folder: Path) -> Setting:
        """The same, in another folder."""
        return replace(self, base=folder)

    def environ(self, home: str = "home") -> dict[str, str]:
        """Clean, with a home of its own; the guard's is called `home`, in the bench's folder."""
        user = self.base / "user"
        user.mkdir(exist_ok=True)
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(user),
            "AGENTGUARD_HOME": str(self.base / home),
            "PYTHONPATH": str(REPOSITORY),
            "LANG": "C.UTF-8",
        }


def guard(*options: str, python: str = sys.executable) -> list[str]:
    """The words before a command that is to run under guard."""
    return [python, "-m", "agentguard", "run", "--quiet", *options, "--"]
