"""What the ways of every table find in their PATH."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
_NOTED = """#!/bin/sh
read -r pid rest < /proc/self/stat
echo "$pid" >> "$PIDS"
exec "$@"
"""
_PYTHON = """#!/bin/sh
PYTHONPATH='{path}' exec '{python}' -c "{prelude}
$1"
"""


def write_scripts(folder: Path, modules: Sequence[Path] = (), prelude: str = "") -> None:
    """Write `noted CMD ...`, which writes down its process id and becomes CMD, and `python CODE`, with `note()`.

    Args:
        folder: for the front of PATH.
        modules: folders of further modules for that Python.
        prelude: what it begins with.
    """
    path = os.pathsep.join(map(str, (HERE, *modules)))
    begin = "\n".join(["from note import note", *([prelude] if prelude else [])])
    for name, text in (("noted", _NOTED), ("python", _PYTHON.format(path=path, python=sys.executable, prelude=begin))):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
