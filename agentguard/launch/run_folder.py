"""The run folder: what the agent's tree must be able to read (the CA), outside the home folder, for one session."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Mode 0700. The decoy in it is opened once, to prove the file sensors alive."""

    path: Path
    decoy: Path
    decoy_key: tuple[int, int]
    """Device and inode."""

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def make_run_folder(session: str) -> RunFolder:
    """Under XDG_RUNTIME_DIR where there is one, else the temporary folder."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    path = None
    if base and os.access(base, os.W_OK):
        with contextlib.suppress(OSError):
            path = Path(tempfile.mkdtemp(prefix=f"agentguard-{session[-8:]}-", dir=base))
    path = path or Path(tempfile.mkdtemp(prefix=f"agentguard-{session[-8:]}-"))
    folder = path / "decoy"
    folder.mkdir()
    decoy = folder / "decoy"
    decoy.write_text("This file is opened once a session, to prove that the file sensors see it.\n")
    info = decoy.stat()
    return RunFolder(path, decoy, (info.st_dev, info.st_ino))
