"""A report as a file."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from agentguard.model.session import Session
from agentguard.record.reader import Reader
from agentguard.show.report.data import gather
from agentguard.show.report.html import render_html


def write_report(reader: Reader, session: Session, folder: Path) -> Path:
    """The HTML report of `session` as `<folder>/<uid>.html`; the folder is made when missing. Returns its path.

    Raises:
        OSError: it cannot be written.
        StoreError: the session cannot be read.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{session.uid}.html"
    write_private(path, [render_html(gather(reader, session))])
    return path


def write_private(path: Path, parts: Iterable[str]) -> None:
    """Mode 0600, and whole or not at all: whoever has the old file open keeps it.

    What is no regular file (a pipe, /dev/null) is written to, never replaced.

    Raises:
        OSError: it cannot be written; it names `path`.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        with target.open("w", encoding="utf-8", newline="") as file:
            file.writelines(parts)
        return
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.writelines(parts)
        aside.replace(target)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from None
