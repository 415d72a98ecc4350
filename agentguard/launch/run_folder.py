"""The run folder: what the agent's tree must be able to read (the CA), outside the home folder, for one session."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from agentguard.errors import ConfigError


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Mode 0700; root's 0711. The decoy in it is opened once, to prove the file sensors alive."""

    path: Path
    decoy: Path
    decoy_key: tuple[int, int]
    """Device and inode."""

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def make_run_folder(session: str) -> RunFolder:
    """Under XDG_RUNTIME_DIR where there is one, else the temporary folder."""
    path = None
    for base in _bases():
        with contextlib.suppress(OSError):
            path = Path(tempfile.mkdtemp(prefix=_prefix(session), dir=base))
            break
    if path is None:
        raise ConfigError("no temporary folder can be written to; set TMPDIR to one that can")
    if os.getuid() == 0:
        # Programs of other users in root's tree (su, setpriv) load the gate and read the CA; none can list it.
        path.chmod(0o711)
    folder = path / "decoy"
    folder.mkdir()
    decoy = folder / "decoy"
    decoy.write_text("This file is opened once a session, to prove that the file sensors see it.\n")
    info = decoy.stat()
    return RunFolder(path, decoy, (info.st_dev, info.st_ino))


def remove_run_folders(session: str) -> None:
    """Those of a session whose guard died. Only folders of our own."""
    for base in _bases():
        for path in base.glob(f"{_prefix(session)}*"):
            with contextlib.suppress(OSError):
                if path.stat(follow_symlinks=False).st_uid == os.getuid():
                    shutil.rmtree(path, ignore_errors=True)


def _prefix(session: str) -> str:
    return f"agentguard-{session[-12:]}-"


def _bases() -> list[Path]:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return [Path(base) for base in (runtime, tempfile.gettempdir()) if base]
