"""Where the compiled C is: beside the Python that runs us, or in the package of a wheel."""

from __future__ import annotations

import sys
from pathlib import Path

from agentguard.native.build import SOURCES, library_name

INSTALLED = Path("lib", "agentguard")
"""Below an environment's own folder."""


def find_library(kind: str) -> Path | None:
    """The library (a word of `build.LIBRARIES`) made from the sources as they are; None when it was not compiled."""
    name = library_name(kind)
    folders = (Path(sys.prefix) / INSTALLED, SOURCES / "compiled")
    return next((folder / name for folder in folders if (folder / name).is_file()), None)
