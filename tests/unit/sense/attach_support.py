"""What the attach sensors are given, with the least that keeps its contract."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from agentguard.birth import birth_time_ns
from agentguard.detect.files import load_file_patterns
from agentguard.detect.secret_table import SecretTable
from agentguard.model.observation import FileObservation, Observation
from agentguard.model.secret import SecretFile
from agentguard.paths import policies_dir
from agentguard.sense.interface import FolderSetup


def entry(path: Path) -> SecretFile:
    info = path.stat()
    return SecretFile(
        path=str(path), device=info.st_dev, inode=info.st_ino, birth_time_ns=birth_time_ns(str(path)), kind="dotenv"
    )


def setup(
    folder: Path,
    seen: list[Observation],
    *,
    root_pid: int,
    on_hold: Callable[[FileObservation], bool] = lambda _: True,
) -> FolderSetup:
    """A table with `.env` of this folder, and a decoy."""
    secret, decoy = folder / ".env", folder / "decoy"
    secret.write_text("A=b\n")
    decoy.write_text("d")
    info = os.stat(decoy)
    return FolderSetup(
        root_pid=root_pid,
        files=SecretTable(load_file_patterns(policies_dir() / "files.yaml"), [entry(secret)]),
        decoy=(info.st_dev, info.st_ino),
        decoy_path=str(decoy),
        seen=lambda *_: False,
        on_look=lambda *_: None,
        on_change=lambda _: None,
        on_hold=on_hold,
        emit=seen.append,
        clock=time.time_ns,
    )
