"""Real git repositories for the tests of what guards them: each with a home folder and a configuration of its own."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from agentguard.hooks.install import install
from agentguard.hooks.place import find_place
from agentguard.hooks.scripts import Program


def made_up_key(number: int = 0) -> str:
    """A GitHub token in form and length, always the same: no run of it was ever anybody's."""
    return "ghp_" + "".join("0189aBcDeFgHkLmNpQrStVwXyZ"[(7 * at + 11 * number + at * at) % 26] for at in range(36))


@dataclass(frozen=True)
class Repository:
    """A work tree, and git in it."""

    top: Path
    home: Path

    def git(self, *words: str, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
        """Nothing of the machine's configuration reaches it."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        settings = {"HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
        who = {f"GIT_{role}_{what}": f"ada{at}" for role in ("AUTHOR", "COMMITTER") for what, at in _WHO}
        command = ["git", "-c", "protocol.file.allow=always", *words]
        return subprocess.run(
            command,
            cwd=self.top,
            env={**environ, **settings, **who, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=check,
        )

    def stage(self, path: str, content: str | bytes) -> None:
        """Write a file and add it."""
        target = self.top / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--", path)

    def commit(self, message: str = "a change", *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Try to; whether it worked shows in its status."""
        return self.git("commit", "-m", message, *words, check=False, **variables)

    def guard(self, program: Program) -> None:
        """Install the gate."""
        install(find_place(self.top), program)


_WHO = (("NAME", ""), ("EMAIL", "@example.org"))


def new_repository(top: Path, home: Path) -> Repository:
    """An empty one, on the branch `main`."""
    top.mkdir(parents=True, exist_ok=True)
    repository = Repository(top, home)
    repository.git("init", "--quiet", "--initial-branch=main")
    return repository
