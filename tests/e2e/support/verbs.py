"""The command line as a script uses it, and the words of its output."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[3]

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Home:
    """A home folder of AgentGuard, read through the verbs alone."""

    root: Path
    prefix: tuple[str, ...] = ()
    """Before each command: to run as the user it belongs to."""

    def verb(self, *words: str) -> str:
        """Standard output of `agentguard WORDS`, which must succeed."""
        command = [*self.prefix, sys.executable, "-m", "agentguard", words[0], "--home", str(self.root), *words[1:]]
        environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"agentguard {' '.join(words)}: {done.returncode}\n{done.stderr}"
        return done.stdout

    def events(self) -> list[JsonObject]:
        """Of the newest session, oldest first."""
        lines = self.verb("events", "--session", "last", "--format", "jsonl").splitlines()
        return [json.loads(line) for line in lines]

    def session(self) -> JsonObject:
        """The newest one."""
        newest: JsonObject = json.loads(self.verb("sessions", "--format", "json"))[0]
        return newest

    def fingerprint(self, value: str) -> str:
        """What events call `value`: HMAC-SHA256 under this home's key, its first 16 bytes."""
        key = bytes.fromhex((self.root / "fingerprint.key").read_text())
        return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:32]


def reads(events: list[JsonObject], pid: int) -> list[JsonObject]:
    return [event for event in events if event["activity"] == "read" and _pid(event) == pid]


def sends(events: list[JsonObject], host: str) -> list[JsonObject]:
    return [event for event in events if event["activity"] == "send" and event["host"] == host]


def fingerprints(event: JsonObject) -> set[str]:
    return {match["fingerprint"] for match in event["matches"]}


def files_with(folder: Path, value: bytes) -> Iterator[Path]:
    """Every file below `folder` that holds `value`, in its name or in its bytes."""
    for path in folder.rglob("*"):
        if value in os.fsencode(path.name) or (path.is_file() and value in path.read_bytes()):
            yield path


def _pid(event: JsonObject) -> int | None:
    return event["process"]["pid"] if event["process"] else None
