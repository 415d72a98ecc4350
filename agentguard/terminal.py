"""Whether a stream takes colours."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO


def takes_color(stream: TextIO, environ: Mapping[str, str] | None = None) -> bool:
    """What the user says (https://no-color.org, https://force-color.org), else whether it is a terminal that can."""
    env = os.environ if environ is None else environ
    if env.get("NO_COLOR"):
        return False
    if env.get("FORCE_COLOR"):
        return env["FORCE_COLOR"] != "0"
    return stream.isatty() and env.get("TERM") != "dumb"
