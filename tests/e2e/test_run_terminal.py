"""The terminal stays the agent's own: on a real pseudo-terminal, under a real interactive shell."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shlex
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.guarded import Guarded
from harness.planted import Planted

pytestmark = pytest.mark.slow


class Shell:
    """An interactive bash on a pseudo-terminal."""

    def __init__(self, guarded: Guarded) -> None:
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(guarded.project)
            environ = {**guarded.environ, "PS1": "prompt> ", "HISTFILE": "/dev/null", "INPUTRC": "/dev/null"}
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"], environ)
        self.screen = ""
        self.read_until("prompt> ")

    def send(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def line(self, text: str) -> None:
        self.send(text + "\n")

    def read_until(self, pattern: str, timeout: float = 60) -> str:
        """What came since the last call, to the end of the match."""
        deadline = time.monotonic() + timeout
        while not (found := re.search(pattern, self.screen)):
            assert time.monotonic() < deadline, f"no {pattern!r} in {self.screen!r}"
            os.set_blocking(self.terminal, False)
            try:
                self.screen += os.read(self.terminal, 65536).decode(errors="replace").replace("\r\n", "\n")
            except BlockingIOError:
                time.sleep(0.02)
            except OSError:  # EIO: nobody has the other end open at this moment
                time.sleep(0.02)
        seen, self.screen = self.screen[: found.end()], self.screen[found.end() :]
        return seen

    def size(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def close(self) -> None:
        os.kill(self.pid, signal.SIGHUP)
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def works_in_the_foreground(pid: int) -> bool:
    """It is not stopped, and the terminal is its process group's: proc_pid_stat(5)."""
    state, _, group, _, _, foreground = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:6]
    return state != "T" and group == foreground


@pytest.fixture
def shell(guarded: Guarded) -> Iterator[Shell]:
    opened = Shell(guarded)
    yield opened
    opened.close()


def catch(guarded: Guarded, name: str, reply: str) -> str:
    """An agent that says ready, and answers one signal. (Not a shell with a trap: dash loses a signal that comes while
    it starts a child, and a held exec makes that moment longer. The reply goes past Python's buffer: the signal may
    come while `ready` is still printed.)"""
    code = (
        "import os, signal, sys\n"
        f"def caught(*_): os.write(1, {reply}.encode()); sys.exit(9)\n"
        f"signal.signal(signal.{name}, caught)\n"
        "print('rea' + 'dy', flush=True)\n"
        "while True: signal.pause()\n"
    )
    return shlex.join(guarded.command(sys.executable, "-c", code, options=("--quiet",)))


def run(guarded: Guarded, script: str) -> str:
    return shlex.join(guarded.command("sh", "-c", script, options=("--quiet",)))


def test_it_is_a_terminal_with_its_size_and_settings(shell: Shell, guarded: Guarded) -> None:
    shell.size(33, 101)
    before = "stty -g"
    shell.line(before)
    settings = shell.read_until(r"[0-9a-f]+:[0-9a-f:]+\n").strip().splitlines()[-1]
    shell.read_until("prompt> ")
    shell.line(run(guarded, "test -t 0 && test -t 1 && test -t 2 && stty size && stty -g"))
    seen = shell.read_until(r"[0-9a-f]+:[0-9a-f:]+\n")
    assert "33 101" in seen
    assert settings in seen


def test_a_new_window_size_reaches_the_agent(shell: Shell, guarded: Guarded) -> None:
    shell.line(catch(guarded, "SIGWINCH", "'{1} {0}'.format(*os.get_terminal_size())"))
    shell.read_until("ready")
    shell.size(44, 122)
    shell.read_until("44 122")


def test_ctrl_c_is_the_agents(shell: Shell, guarded: Guarded) -> None:
    shell.line(catch(guarded, "SIGINT", "('caug' + 'ht')"))
    shell.read_until("ready")
    shell.send("\x03")
    shell.read_until("caught")
    shell.read_until("prompt> ")
    shell.line("echo status=$?")
    shell.read_until("status=9")


def test_death_by_ctrl_c_is_seen_by_the_shell(shell: Shell, guarded: Guarded) -> None:
    shell.line(run(guarded, "echo rea''dy; exec sleep 30"))
    shell.read_until("ready")
    shell.send("\x03")
    shell.read_until("prompt> ")
    shell.line("echo status=$?")
    shell.read_until("status=130")


def test_stop_and_continue_with_background_children(shell: Shell, guarded: Guarded, planted: Planted) -> None:
    """The supervisor must answer while the job is stopped: a child in a session of its own works on."""
    worker = (
        "setsid sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do cat .env >/dev/null; echo $i >> worked; sleep 0.1; done' &"
    )
    shell.line(
        run(
            guarded,
            f"{worker} until [ -s worked ]; do sleep 0.05; done; echo rea''dy; read answer; echo answer=$answer",
        )
    )
    shell.read_until("ready")
    shell.send("\x1a")
    shell.read_until("Stopped")
    until(lambda: len((guarded.project / "worked").read_text().split()) >= 10)  # the child in the background goes on
    shell.line("fg")
    shell.line("hello")
    shell.read_until("answer=hello")
    shell.read_until("prompt> ")
    shell.line("echo status=$?")
    shell.read_until("status=0")
    assert guarded.sessions()[0]["counts"]["reads"] == 10


def test_a_shell_inside_has_its_own_job_control(shell: Shell, guarded: Guarded) -> None:
    command = guarded.command("bash", "--norc", "--noprofile", "--noediting", "-i", options=("--quiet",))
    shell.line(f"PS1='in''ner$ ' {shlex.join(command)}")
    shell.read_until(r"inner\$ ")
    shell.line("sh -c 'echo pi''d=$$; exec sleep 60'")
    job = int(shell.read_until(r"pid=\d+\n").strip().rpartition("=")[2])
    shell.send("\x1a")
    shell.read_until("Stopped")
    shell.read_until(r"inner\$ ")
    shell.line("fg")
    until(lambda: works_in_the_foreground(job))
    shell.send("\x03")
    shell.read_until(r"inner\$ ")
    shell.line("exit 4")
    shell.read_until("prompt> ")
    shell.line("echo status=$?")
    shell.read_until("status=4")


def test_the_terminal_comes_back_from_an_agent_that_was_killed(shell: Shell, guarded: Guarded) -> None:
    shell.line(run(guarded, "echo $$ > pid; echo rea''dy; sleep 30"))
    shell.read_until("ready")
    os.kill(int((guarded.project / "pid").read_text()), signal.SIGKILL)
    shell.read_until("prompt> ")
    shell.line("echo status=$?")
    shell.read_until("status=137")


def test_return_at_once_when_a_child_lives_on(shell: Shell, guarded: Guarded, planted: Planted, base: Path) -> None:
    later = "(until [ -e go ]; do sleep 0.1; done; cat .env > /dev/null) >/dev/null 2>&1 &"
    shell.line(run(guarded, f"setsid sh -c '{later}'; echo end''ed"))
    shell.read_until("ended")
    shell.read_until("prompt> ")  # the shell does not wait for the child, which waits for us
    (session,) = guarded.sessions()
    assert session["in_background"]
    (guarded.project / "go").touch()
    deadline = time.monotonic() + 60
    while guarded.sessions()[0]["end"] is None and time.monotonic() < deadline:
        time.sleep(0.2)
    (session,) = guarded.sessions()
    assert session["counts"]["reads"] == 1
    assert not session["in_background"]
    assert guarded.verb("verify").returncode == 0
