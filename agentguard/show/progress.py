"""A line at the bottom of a terminal that says how far something is. Elsewhere nothing is shown."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TextIO

_SOON = 0.4
"""Seconds before it first shows: most are done by then."""
_OFTEN = 0.1
"""Seconds between two states."""
_BAR = 24
_CLEAR = "\r\x1b[K"


class ProgressLine:
    """Use as a context: it leaves nothing behind."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._shows = self._stream.isatty()
        self._next = time.monotonic() + _SOON
        self._shown = False

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._shown:
            print(end=_CLEAR, file=self._stream, flush=True)

    def tell(self, done: int, total: int, words: str) -> None:
        """How far it is.

        Args:
            done: of `total`; 0 when nobody knows how much there is.
            total: as `done`.
            words: what stands beside the bar.
        """
        now = time.monotonic()
        if not self._shows or now < self._next:
            return
        self._next, self._shown = now + _OFTEN, True
        full = _BAR * done // total if total else 0
        bar = f"[{'#' * full}{'.' * (_BAR - full)}] {done / total:4.0%}  " if total else ""
        room = shutil.get_terminal_size((80, 24)).columns - 1
        print(end=_CLEAR + (bar + words)[:room], file=self._stream, flush=True)
