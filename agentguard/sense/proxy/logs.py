"""The child's log: what kind of error, and where. Never a message: those may quote a request."""

from __future__ import annotations

import logging
import sys
import time
from types import TracebackType


def place_of(traceback: TracebackType | None) -> str:
    """`file.py:12` of the innermost frame."""
    if traceback is None:
        return "?"
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    name = traceback.tb_frame.f_code.co_filename.rpartition("/")[2]
    return f"{name}:{traceback.tb_lineno}"


class PlaceOnly(logging.Handler):
    """Writes records to stderr without their text."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info
        kind = error[0].__name__ if error and error[0] else "-"
        where = place_of(error[2]) if error else f"{record.filename}:{record.lineno}"
        write_line(f"{record.levelname.lower()} {record.name} {kind} {where}")


def write_line(text: str) -> None:
    print(time.strftime("%Y-%m-%dT%H:%M:%S"), "proxy:", text, file=sys.stderr, flush=True)


def keep_quiet() -> None:
    """Make every way an exception can reach stderr go through `place_of`."""

    def hook(kind: type[BaseException], _error: BaseException, traceback: TracebackType | None) -> None:
        write_line(f"crashed {kind.__name__} {place_of(traceback)}")

    def unraisable(args: sys.UnraisableHookArgs) -> None:
        write_line(f"unraisable {args.exc_type.__name__} {place_of(args.exc_traceback)}")

    sys.excepthook = hook
    sys.unraisablehook = unraisable
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.handlers[:] = [PlaceOnly(logging.WARNING)]
    root.setLevel(logging.WARNING)  # mitmproxy's records for each connection cost time
