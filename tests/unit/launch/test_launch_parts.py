"""The small parts of a launch: finding the program, notes, run folders, endings, cover."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from agentguard.errors import CommandNotExecutableError, CommandNotFoundError
from agentguard.launch.endings import ending_of
from agentguard.launch.notes import leave_note, read_notes
from agentguard.launch.request import find_program
from agentguard.launch.run_folder import make_run_folder, remove_run_folders


def test_a_program_is_found_as_a_shell_would(tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\n")
    with pytest.raises(CommandNotExecutableError, match="chmod"):
        find_program(str(tool), None)
    tool.chmod(0o755)
    assert find_program("tool", str(tmp_path)) == str(tool)
    (tmp_path / "alias").symlink_to(tool)
    assert find_program("alias", str(tmp_path)) == str(tmp_path / "alias"), "its own name is its argv[0]"
    with pytest.raises(CommandNotFoundError, match="not found"):
        find_program("tool", "/nowhere")


def test_a_note_is_read_back_and_rubbish_is_passed_over(tmp_path: Path) -> None:
    leave_note(tmp_path, "session-1")
    (tmp_path / "notes" / "rubbish").write_text("no number")
    (note,) = read_notes(tmp_path)
    assert note.session == "session-1"
    assert note.time_ns > 0
    leave_note(tmp_path / "missing" / "home", "session-2")  # a full or vanished home must not stop the keeper


def test_a_run_folder_is_private_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = make_run_folder("01a206fb-1554-7d4c-8adf-59ca86016f80")
    other = make_run_folder("01a206fb-1554-7d4c-8adf-59ca86016f81")
    # Programs of other users in root's tree may pass through it, and list nothing.
    assert stat.S_IMODE(folder.path.stat().st_mode) == (0o700 if os.getuid() else 0o711)
    info = folder.decoy.stat()
    assert folder.decoy_key == (info.st_dev, info.st_ino)
    remove_run_folders("01a206fb-1554-7d4c-8adf-59ca86016f80")
    assert not folder.path.exists()
    assert other.path.exists()
    other.remove()
    assert list(tmp_path.iterdir()) == []


def test_endings() -> None:
    assert (ending_of(7 << 8).exit_status, ending_of(7 << 8).reason) == (7, "exited")
    assert (ending_of(9).exit_status, ending_of(9).reason) == (137, "killed by SIGKILL")


def test_the_front_stays_light() -> None:
    """It lives as long as the agent: nothing of the pipeline may be in it."""
    import subprocess
    import sys

    code = "import sys, agentguard.commands.run; print(*sys.modules)"
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ)
    heavy = ("agentguard.monitor", "agentguard.detect", "agentguard.record", "agentguard.judge", "yaml", "psutil")
    assert not [name for name in loaded.stdout.split() if name.startswith((*heavy, "watchdog", "cryptography"))]
