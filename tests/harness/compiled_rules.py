"""The credential types as the matching engine compiles them, made once for all homes of the tests: a session with a new
home would spend two seconds of processor time on them before it begins."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from functools import cache
from pathlib import Path

from agentguard.detect.engine import available_engines, build_engine
from agentguard.detect.rules import load_types
from agentguard.paths import policies_dir


def put_into(home: Path, prefix: tuple[str, ...]) -> None:
    """Into the cache of an AgentGuard home folder that does not exist yet, as the user it will belong to. Not where
    there is no room: some homes are small on purpose."""
    script = 'umask 077; mkdir -p "$0/cache" && { tar -xf - -C "$0/cache" 2>/dev/null || rm -rf "$0/cache"; }'
    subprocess.run([*prefix, "sh", "-c", script, str(home)], input=_packed(), check=True, timeout=30)


def rules_folder() -> Path:
    """The cache of all tests of this user, for `build_engine` over the shipped types."""
    folder = Path(f"/tmp/agentguard-test-rules-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@cache
def _packed() -> bytes:
    folder = rules_folder()
    if dict(available_engines()).get("hyperscan") == "":
        build_engine(load_types(policies_dir() / "secrets.yaml"), prefer="hyperscan", cache=folder)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for file in folder.glob("*.hsdb"):
            content = file.read_bytes()
            entry = tarfile.TarInfo(file.name)
            entry.size, entry.mode = len(content), 0o600
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()
