"""Long text on a terminal goes through a pager, as git does it: what fits the screen is simply printed.

`$PAGER`, else `less` with the options FRX: it ends by itself when all fits, shows colours, and leaves what it showed on
the screen. Nothing is paged in a pipe, on a dumb terminal, with an empty PAGER or `cat`, or with `--no-pager`.
"""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TextIO

_VERBS = frozenset({"events", "sessions", "report", "compare", "keys", "check", "policy", "schema"})
"""Those whose whole answer is text on standard output."""
_LESS = "FRX"
_ENDLESS = frozenset({"--follow", "-f"})
_HELP = frozenset({"--help", "-h"})


def is_paged(arguments: Sequence[str]) -> bool:
    """Whether the answer to a command line is text to be read; help of every verb is."""
    if arguments[:1] == ["run"]:  # What stands further behind may be the agent's.
        return bool(_HELP.intersection(arguments[1:2]))
    return bool(_HELP.intersection(arguments)) or (arguments[0] in _VERBS and not _ENDLESS.intersection(arguments))


def command_of(environ: Mapping[str, str]) -> list[str]:
    """The pager of the user's choice; [] for none."""
    if environ.get("TERM") == "dumb":
        return []
    try:
        words = shlex.split(environ.get("PAGER", "less"))
    except ValueError:  # a quote that is not closed
        return []
    return words if words and words != ["cat"] and shutil.which(words[0]) else []


class Pager:
    """Use as a context: standard output goes into the pager, and the end is that the user has left it."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._stdout: TextIO = sys.stdout
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Pager:
        with contextlib.suppress(OSError):
            environ = {"LESS": _LESS, **os.environ}
            self._process = subprocess.Popen(self._words, stdin=subprocess.PIPE, env=environ)
            assert self._process.stdin is not None
            sys.stdout = _Screen(self._process.stdin, encoding="utf-8", errors="backslashreplace")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> bool:
        """True where the pager was left before the end: that is no error."""
        if self._process is None:
            return False
        left = kind is not None and issubclass(kind, BrokenPipeError)
        try:
            sys.stdout.close()
        except BrokenPipeError:
            left = left or kind is None
        finally:
            sys.stdout = self._stdout
        # Ctrl-C is the pager's business until it has gone: it ends a search there, not the reading.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self._process.wait()
        finally:
            signal.signal(signal.SIGINT, before)
        return left


class _Screen(io.TextIOWrapper):
    """Goes to a terminal in the end, and is coloured and formatted for one."""

    def isatty(self) -> bool:
        return True
