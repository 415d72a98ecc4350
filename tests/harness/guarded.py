"""Runs `agentguard run` as a user would: a process of its own, a clean environment, a home of its own."""

from __future__ import annotations

import hmac
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import compiled_rules

REPOSITORY = Path(__file__).resolve().parents[2]
AGENTGUARD = (sys.executable, "-m", "agentguard")
Event = dict[str, Any]


@dataclass
class Guarded:
    """One home folder and one project, and what is done in them."""

    home: Path
    project: Path
    user_home: Path
    prefix: tuple[str, ...] = ()
    """Before each command: to run as another user."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Further variables of the agent's environment."""

    def __post_init__(self) -> None:
        compiled_rules.put_into(self.home, self.prefix)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(self.user_home),
            "TMPDIR": str(self.temporary),
            "AGENTGUARD_HOME": str(self.home),
            "LANG": "C.UTF-8",
            "TERM": "xterm",
            **self.extra,
        }

    @property
    def temporary(self) -> Path:
        """Where sessions make their run folders."""
        return self.user_home.parent / "tmp"

    def left_behind(self) -> list[Path]:
        """Folders that live as long as a session, and no longer."""
        return [*self.temporary.iterdir(), *(self.home / "proxy").glob("*")]

    def command(self, *words: str, options: tuple[str, ...] = ()) -> list[str]:
        return [*self.prefix, *AGENTGUARD, "run", *options, "--", *words]

    def run(
        self, *words: str, options: tuple[str, ...] = ("--quiet",), timeout: float = 150, **more: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run an agent to its end."""
        return subprocess.run(
            self.command(*words, options=options),
            cwd=self.project,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            **more,
        )

    def shell(self, script: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """A shell script as the agent."""
        return self.run("sh", "-c", script, **more)

    def verb(self, *words: str, timeout: float = 150) -> subprocess.CompletedProcess[str]:
        """Any other verb on the same home."""
        return subprocess.run(
            [*self.prefix, *AGENTGUARD, *words],
            cwd=self.project,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def events(self, *options: str) -> list[Event]:
        """Of the last session."""
        done = self.verb("events", "--session", "last", "--format", "jsonl", *options)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def fingerprint(self, value: str) -> str:
        """What events call `value`: HMAC-SHA256 under this home's key, its first 16 bytes."""
        key = bytes.fromhex((self.home / "fingerprint.key").read_text())
        return hmac.digest(key, value.encode(), "sha256").hex()[:32]

    def sessions(self) -> list[dict[str, Any]]:
        done = self.verb("sessions", "--format", "json")
        assert done.returncode == 0, done.stderr
        parsed: list[dict[str, Any]] = json.loads(done.stdout)
        return parsed


def of_kind(events: list[Event], kind: str) -> list[Event]:
    return [event for event in events if event["kind"] == kind]
