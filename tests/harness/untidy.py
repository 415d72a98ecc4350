"""A project and a home folder in which every weakness that `check` knows can be found, with synthetic keys."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from agentguard.detect.templates import expand

_STRIPE = ("sk_" + "live_", "{alnum:24}")
_GITHUB = ("ghp" + "_", "{github-crc}")
_OPENAI = ("sk-" + "proj-", "{base64url:74}T3Blbk" + "FJ{base64url:74}")
_AWS = ("AK" + "IA", "{base32:16}")


@dataclass
class Keys:
    """Made of parts with fixed seeds: the same in every run, and in no file of the repository."""

    made: dict[str, str] = field(default_factory=dict)

    def stripe(self, seed: str = "1") -> str:
        return self._make(_STRIPE, f"stripe {seed}")

    def github(self, seed: str = "1") -> str:
        return self._make(_GITHUB, f"github {seed}")

    def openai(self, seed: str = "1") -> str:
        return self._make(_OPENAI, f"openai {seed}")

    def aws(self, seed: str = "1") -> str:
        return self._make(_AWS, f"aws {seed}")

    def password(self, seed: str = "1") -> str:
        """Of no known form."""
        return self._make(("", "{letters:3}{digits:2}{alnum:18}"), f"password {seed}")

    def _make(self, parts: tuple[str, str], seed: str) -> str:
        if seed not in self.made:
            self.made[seed] = expand("".join(parts), seed)
        return self.made[seed]


class Project:
    """A git repository, with a git of its own: no setting of the user's or the system's counts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> str:
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": "2025-05-03T10:00:00Z",
            "GIT_COMMITTER_DATE": "2025-05-03T10:00:00Z",
        }
        who = ("-c", "user.name=ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
        return subprocess.run(
            ["git", *who, *words], cwd=self.root, env=environ, check=True, capture_output=True, text=True
        ).stdout

    def write(self, name: str, text: str, *, mode: int = 0o600) -> Path:
        return write(self.root, name, text, mode=mode)

    def commit(self, *names: str) -> None:
        self.git("add", "-f", "--", *names)
        self.git("commit", "-qm", "work")


def write(root: Path, name: str, text: str, *, mode: int = 0o600) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def untidy_project(root: Path, keys: Keys) -> Project:
    """Each weakness once."""
    project = Project(root)
    project.write(".gitignore", "*.log\n.env.production\n")
    project.write(".env", f"STRIPE_KEY={keys.stripe()}\nDATABASE_PASSWORD={keys.password()}\nPORT=3000\n")
    project.write("src/pay.py", f'import stripe\n\nstripe.api_key = "{keys.stripe("code")}"\n')
    project.write(
        ".github/workflows/test.yml", f"env:\n  GITHUB_PAT: {keys.github('ci')}\n  OK: ${{{{ secrets.OK }}}}\n"
    )
    project.write("Dockerfile", f"FROM python:3.13\nENV OPENAI_API_KEY={keys.openai('docker')}\n")
    project.write("gone.py", f'TOKEN = "{keys.github("gone")}"\n')
    project.commit(".gitignore", ".env", "src/pay.py", ".github/workflows/test.yml", "Dockerfile", "gone.py")
    project.git("rm", "-q", "gone.py")
    project.git("commit", "-qm", "take it out")
    project.write(".env.production", f"STRIPE_KEY={keys.stripe()}\nAPI_KEY=op://shop/api/key\n")
    project.write(".env.staging", f"OPENAI_API_KEY={keys.openai('staging')}\n")
    project.write("debug.log", f"GET / authorization: Bearer {keys.github('log')}\n")
    cell = {"cell_type": "code", "source": [f'key = "{keys.openai("notebook")}"\n'], "outputs": [], "metadata": {}}
    project.write("explore.ipynb", json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    servers = {
        "github": {"command": "npx", "args": ["-y", "server-github"], "env": {"GITHUB_TOKEN": keys.github("mcp")}}
    }
    project.write(".mcp.json", json.dumps({"mcpServers": servers}, indent=2))
    return project


def untidy_home(home: Path, keys: Keys) -> Path:
    """Each weakness of a home folder once."""
    history = f"ls\nexport GITHUB_TOKEN={keys.github('history')}\ncurl -u ada:x https://example.org\n"
    write(home, ".bash_history", history)
    said = json.dumps({"type": "user", "content": f"use {keys.openai('transcript')}"})
    write(home, ".claude/projects/-src-shop/1.jsonl", said + "\n")
    write(home, ".zshrc", f"export OPENAI_API_KEY={keys.openai('zshrc')}\n")
    servers = {
        "pay": {"url": "https://mcp.example.org", "headers": {"Authorization": f"Bearer {keys.password('desktop')}"}}
    }
    write(home, ".cursor/mcp.json", json.dumps({"mcpServers": servers}, indent=2))
    write(home, ".aws/credentials", f"[default]\naws_access_key_id = {keys.aws()}\n", mode=0o644)
    return home
