"""One scene, played in a process of its own: the network is cut, the world is served, a command runs in it.

`perform(scene)` is what tests call; `python -m support.stage SCENE.json` is what it starts.
"""

from __future__ import annotations

import contextlib
import json
import os
import ssl
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
from harness import isolation

from agentguard.demo.certificates import Authority
from support.script import Step, steps_from_json, steps_to_json
from support.server import World

PORT = 8443
"""Free in every scene: its network is its own. Not 443, which an ordinary user may not take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What runs and where its traces go. Every path is absolute."""

    command: tuple[str, ...]
    environ: dict[str, str]
    """All of it: nothing is inherited."""
    cwd: Path
    folder: Path
    """For the scene's own files: `requests.jsonl`, `out`, `err`, `ca.pem`."""
    names: tuple[str, ...]
    """Host names the server has certificates for."""
    steps: tuple[Step, ...]
    timeout: float = 90.0


@dataclass(frozen=True, slots=True)
class Played:
    """How it went."""

    status: int
    """Exit status; -1 when it was killed for taking too long."""
    out: str
    err: str
    requests: tuple[dict[str, Any], ...]
    """What really arrived, oldest first."""

    def to(self, host: str) -> list[dict[str, Any]]:
        return [request for request in self.requests if request["host"] == host]


def perform(scene: Scene) -> Played:
    """Play it and tell how it went.

    Raises:
        RuntimeError: the stage itself failed.
    """
    scene.folder.mkdir(parents=True, exist_ok=True)
    description = {**asdict(scene), "steps": steps_to_json(scene.steps)}
    file = scene.folder / "scene.json"
    file.write_text(json.dumps(description, default=str))
    e2e = Path(__file__).parents[1]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (e2e, *e2e.parents[:2])))}
    stage = subprocess.run(
        [sys.executable, "-m", "support.stage", str(file)], env=environ, capture_output=True, text=True, check=False
    )
    if stage.returncode != 0:
        raise RuntimeError(f"the stage failed: {stage.stderr}")
    log = scene.folder / "requests.jsonl"
    lines = log.read_text().splitlines() if log.exists() else []
    out, err = ((scene.folder / name).read_text(errors="replace") for name in ("out", "err"))
    return Played(int(stage.stdout), out, err, tuple(map(json.loads, lines)))


def _play(description: dict[str, Any]) -> int:
    folder = Path(description["folder"])
    isolation.enter()
    authority = Authority("AgentGuard test authority")
    (folder / "ca.pem").write_bytes(authority.certificate)
    system = ssl.get_default_verify_paths().cafile
    roots = Path(system).read_bytes() if system else b""
    (folder / "bundle.pem").write_bytes(roots + authority.certificate)
    context = authority.server_context(description["names"])
    world = World(context, steps_from_json(description["steps"]), folder / "requests.jsonl", port=PORT)
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        # Started before the server's thread: a fork of a process with threads may hang.
        process = subprocess.Popen(
            description["command"],
            cwd=description["cwd"],
            env=description["environ"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        watched = psutil.Process(process.pid)
        threading.Thread(target=world.serve_forever, daemon=True).start()
        try:
            return process.wait(description["timeout"])
        except subprocess.TimeoutExpired:
            _kill_tree(watched)
            return -1


def _kill_tree(root: psutil.Process) -> None:
    for process in [root, *root.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


if __name__ == "__main__":
    print(_play(json.loads(Path(sys.argv[1]).read_text())))
