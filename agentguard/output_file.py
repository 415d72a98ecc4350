"""`-o FILE` of the verbs that write a report."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

STDOUT = "-"

_ENDINGS = {
    ".html": "html",
    ".htm": "html",
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "text",
    ".json": "json",
    ".csv": "csv",
    ".sarif": "sarif",
    ".ocsf": "ocsf",
    ".jsonl": "ocsf",
    ".ndjson": "ocsf",
}


def format_of(output: str | None, otherwise: str, endings: Mapping[str, str] = _ENDINGS) -> str:
    """By the ending of the file's name."""
    return endings.get(Path(output or "").suffix.lower(), otherwise)


def write_output(output: str | None, parts: Iterable[str]) -> None:
    """To the file, with mode 0600 and whole or not at all; or to standard output, as the parts come.

    Raises:
        OSError: it cannot be written; it names the file.
    """
    if output in (None, STDOUT):
        for part in parts:
            sys.stdout.buffer.write(part.encode("utf-8"))
        return
    from agentguard.show.report.write import write_private  # noqa: PLC0415 - imports the whole report

    write_private(Path(str(output)), parts)
