"""Runs one program to its end, in a time that is limited, and is not slowed or filled up by what it says."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agentguard.model.signals import signal_name
from agentguard.show.notify.channels.interface import ChannelError, ChannelMissingError
from agentguard.show.text import safe, shortened

_KEPT_BYTES = 4096
"""Of what it says by each stream; the rest is read and forgotten."""
_GRACE_SECONDS = 0.5
_LONGEST_WORDS = 160


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended."""

    status: int
    """Negative: the signal that ended it."""
    words: str
    """The first line of what it said on stderr, safe to show."""

    @property
    def text(self) -> str:
        """`exit status 3: no such topic`"""
        how = f"exit status {self.status}" if self.status >= 0 else f"it was killed by {signal_name(-self.status)}"
        return f"{how}: {self.words}" if self.words else how


def run(argv: Sequence[str], *, stdin: bytes, environ: Mapping[str, str], seconds: float) -> Ended:
    """Run it, and forget what it prints.

    Args:
        stdin: at most what a pipe takes at once (64 KiB).
        seconds: then it is ended, and all that it started in its process group.

    Raises:
        ChannelMissingError: there is no such program.
        ChannelError: it cannot be started, or did not end in time.
    """
    return _talk(_start(argv, environ, subprocess.DEVNULL), stdin, seconds)[0]


def ask(argv: Sequence[str], *, environ: Mapping[str, str], seconds: float) -> tuple[Ended, str]:
    """Run it for what it prints, of which 4 KiB are kept. Errors as of `run`."""
    ended, printed = _talk(_start(argv, environ, subprocess.PIPE), b"", seconds)
    return ended, printed.decode("utf-8", "replace")


def _talk(process: subprocess.Popen[bytes], stdin: bytes, seconds: float) -> tuple[Ended, bytes]:
    """(how it ended, what it printed)"""
    assert process.stdin is not None
    deadline = time.monotonic() + seconds
    streams = [stream for stream in (process.stdout, process.stderr) if stream is not None]
    try:
        with contextlib.suppress(OSError):  # it does not read: that is its own affair
            process.stdin.write(stdin)
        with contextlib.suppress(OSError):
            process.stdin.close()
        said = _listen([stream.fileno() for stream in streams], process, deadline)
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise ChannelError(f"it did not end within {seconds:g} s, and was stopped") from None
    finally:
        _end(process)
        for stream in streams:
            stream.close()
    return Ended(process.returncode, _first_line(said[-1])), said[0]


def _start(argv: Sequence[str], environ: Mapping[str, str], stdout: int) -> subprocess.Popen[bytes]:
    """In a session of its own: it can be ended with all its children, and has no terminal to write to."""
    try:
        return subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=dict(environ),
            cwd=environ.get("HOME") or "/",
            start_new_session=True,
        )
    except FileNotFoundError as error:
        missing = error.filename == argv[0]
        raise ChannelMissingError(f"{safe(argv[0])} was not found" if missing else "HOME does not exist") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ChannelError(f"{safe(argv[0])} cannot be started: {reason}") from None


def _listen(pipes: Sequence[int], process: subprocess.Popen[bytes], deadline: float) -> list[bytes]:
    """What comes by each, until it ends (its children may hold the pipes longer) or its time is over."""
    said = dict.fromkeys(pipes, b"")
    open_pipes = set(pipes)
    ended = False
    while open_pipes and not ended and (left := deadline - time.monotonic()) > 0:
        ended = process.poll() is not None  # what it said last is still to be read
        readable, _, _ = select.select(open_pipes, [], [], 0 if ended else min(left, 0.05))
        for pipe in readable:
            data = os.read(pipe, 65_536)
            if not data:
                open_pipes.remove(pipe)
            said[pipe] += data[: _KEPT_BYTES - len(said[pipe])]
    return list(said.values())


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask, wait, insist: the whole group, when the program itself is still there."""
    if process.poll() is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(OSError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)


def _first_line(said: bytes) -> str:
    lines = said.decode("utf-8", "replace").split("\n")
    return shortened(safe(next((line.strip() for line in lines if line.strip()), "")), _LONGEST_WORDS)
