"""Whether a way can be tried here: "" or the reason why not."""

from __future__ import annotations

import shutil

from evasion.sends.way import Way


def why_not(way: Way) -> str:
    """A need is the name of a program."""
    for need in way.needs:
        if not shutil.which(need):
            return f"{need} is not installed"
    return ""
