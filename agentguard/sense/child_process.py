"""A child of the supervisor as a process: its start, its socketpair, its end. (The proxy; the index worker.)"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import agentguard
from agentguard.model.signals import signal_name

_COMMAND = (sys.executable, "-P", "-m")
"""-P: nothing is imported from the working directory, which is the agent's."""

_KEPT = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
_SEND_SECONDS = 2


class ChildProcess:
    """Started by making one. Not reused."""

    def __init__(self, module: str, log: Path | None, *, inherited: tuple[int, ...] = ()) -> None:
        """
        Args:
            module: what it runs, given the number of its end of the socketpair.
            inherited: further descriptors that it gets.
            log: file for its stderr; None: nowhere.

        Raises:
            OSError: it cannot be started.
        """
        ours, theirs = socket.socketpair()
        # A child that stopped reading must not hang the supervisor; a plain timeout would be for reads as well.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", _SEND_SECONDS, 0))
        self._sock = ours
        self._writing = threading.Lock()
        self.knows = 0
        """Number of the last lesson that its start message already holds."""
        self.ready_at = 0.0
        """Monotonic seconds; 0.0 until it accepts connections."""
        self.died_at = 0.0
        try:
            self._process = _spawn(module, theirs.fileno(), inherited, log)
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self.pid = self._process.pid

    def send(self, line: bytes) -> bool:
        """Whether the whole line went out. A child that takes half of one is of no more use, and is killed."""
        with self._writing:
            try:
                self._sock.sendall(line)
            except BlockingIOError:
                self.kill()
                return False
            except OSError:
                return False
        return True

    def lines(self) -> Iterator[bytes]:
        """Its messages, until it is gone."""
        with contextlib.suppress(OSError), self._sock.makefile("rb") as file:
            yield from file

    def stop(self, timeout: float) -> None:
        """Ask, wait, insist."""
        self.send(b'["stop",null]\n')
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            self._process.kill()

    def reap(self) -> str:
        """After the last line: what became of it, in words."""
        self.died_at = time.monotonic()
        try:
            status = self._process.wait(2)
        except subprocess.TimeoutExpired:  # it closed its end and stays: of no use either way
            self.kill()
            status = self._process.wait()
        self._sock.close()
        if status >= 0:
            return f"ended with status {status}"
        return f"was killed by {signal_name(-status)}"


def _spawn(module: str, link_fd: int, inherited: tuple[int, ...], log: Path | None) -> subprocess.Popen[bytes]:
    """In a session of its own, so that Ctrl-C and the terminal's end are the agent's affair alone."""
    env = {name: os.environ[name] for name in _KEPT if name in os.environ}
    env["PYTHONPATH"] = str(Path(agentguard.__file__).resolve().parent.parent)
    stderr: int = subprocess.DEVNULL
    if log is not None:
        stderr = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(
            [*_COMMAND, module, str(link_fd)],
            pass_fds=(link_fd, *inherited),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
            cwd="/",
            env=env,
        )
    finally:
        if stderr >= 0:
            os.close(stderr)
