"""The part of a commit's message that will be committed."""

from __future__ import annotations

import os
import re

_SCISSORS = re.compile(rb"^[^\n]{1,16} -{24} >8 -{24}\r?$", re.MULTILINE)
"""git puts what it shows only (`commit --verbose`: the whole patch) below this line."""


def proper_part(text: bytes) -> bytes:
    """Without what git will cut off. Where no editor came up (it says so), it cuts nothing off at such a line."""
    cut = _SCISSORS.search(text) if os.environ.get("GIT_EDITOR") != ":" else None
    return text[: cut.start()] if cut else text
