"""`agentguard tui` from outside: without a terminal, and in one."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tui_sample as sample

COMMAND = [sys.executable, "-m", "agentguard", "tui"]


def clean_env(home: Path, **more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TERM": "xterm-256color", **more}


def test_without_a_terminal_it_says_what_to_use_instead(home: Path) -> None:
    done = subprocess.run(
        COMMAND, env=clean_env(home), capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "agentguard: the dashboard needs a terminal; in a pipe use `agentguard events --follow`\n"
    assert not (home / ".agentguard").exists()


def test_in_a_dumb_terminal_it_says_so(home: Path) -> None:
    shown, status = in_terminal(home, "", TERM="dumb")
    assert status == 2
    assert "TERM=dumb" in shown


@pytest.mark.parametrize("filled", [True, False])
def test_in_a_terminal_it_draws_and_quits(home: Path, filled: bool) -> None:
    if filled:
        sample.fill(home / ".agentguard")
    shown, status = in_terminal(home, "LEAKED" if filled else "agentguard demo")
    assert status == 0
    assert "Traceback" not in shown


def in_terminal(home: Path, wanted: str, **more: str) -> tuple[str, int]:
    """Run it in a terminal of its own, press q once `wanted` is there, and return what was shown and the status."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        COMMAND,
        env=clean_env(home, COLUMNS="120", LINES="36", **more),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    shown, pressed, deadline = b"", False, time.monotonic() + 60
    try:
        while time.monotonic() < deadline:
            if select.select([controller], [], [], 0.1)[0]:
                try:
                    shown += os.read(controller, 65536)
                except OSError:
                    break
            if wanted and not pressed and wanted.encode() in shown:
                os.write(controller, b"q")
                pressed = True
        status = process.wait(timeout=20)
    finally:
        process.kill()
        process.wait()
        os.close(controller)
    return shown.decode(errors="replace"), status
