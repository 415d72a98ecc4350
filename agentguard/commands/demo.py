"""See it work: a scripted stand-in agent reads planted, synthetic secrets, shows them to its model and leaks them.

The sensors, the proxy, the policy and the store are the real ones; the model and the paste site are on loopback.
Nothing of yours is read, and nothing leaves this machine.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from agentguard.command_name import command, interpreter_options
from agentguard.errors import AgentGuardError

if TYPE_CHECKING:
    from agentguard.demo.plant import Planted
    from agentguard.model.session import Session
    from agentguard.record.reader import Reader

IMPORTED_FROM = Path(__file__).resolve().parents[2]
INHERITED = ("PATH", "TERM", "COLORTERM", "NO_COLOR", "COLUMNS", "LINES", "LANG", "LC_ALL", "SYSTEMROOT")
"""What the stand-in agent gets of the user's environment: no secret of the user's, no proxy, no Python settings."""
TIMEOUT_SECONDS = 60


class DemoError(AgentGuardError):
    """The session did not come out as it should."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(arguments: argparse.Namespace) -> int:
    """Play the demo, then say where to look.

    Raises:
        DemoError: the guard cannot run here, or missed what the stand-in agent did.
    """
    from agentguard.config import home_option, home_path, open_home
    from agentguard.demo.plant import plant
    from agentguard.demo.server import world
    from agentguard.record.reader import Reader

    if "AGENTGUARD_SESSION" in os.environ:
        raise DemoError("this is inside a guarded session; try the demo in a terminal of its own")
    home = open_home(home_path(arguments.home))
    _tell("A stand-in for a coding agent will work on a small project with synthetic secrets in .env.")
    _tell("Its model and the paste site are played on loopback; nothing leaves this machine.\n")
    with tempfile.TemporaryDirectory(prefix="agentguard-demo-") as folder, world() as (port, certificate):
        authority = Path(folder) / "authority.pem"
        authority.write_bytes(certificate)
        planted = plant(Path(folder))
        environ = _environ(planted)
        if not arguments.home:
            environ["AGENTGUARD_HOME"] = str(home.root)  # The stand-in's HOME is not the user's.
        uid = _guard(home.root, planted, environ, port, authority)
    reader = Reader(home.database)
    try:
        _check(reader, uid)
    finally:
        reader.close()
    _tell_next(home_option(home) if arguments.home else "")
    return 0


def _tell_next(option: str) -> None:
    """Three commands to go on with."""
    _tell("\nThe credentials were made up: there is nothing to revoke, and `keys` leaves them out. What next?")
    for words, what in (
        (f"{command()} report --last{option}", "what happened, as a page to read and to show"),
        (f"{command()} tui{option}", "the same in the terminal, live while an agent works"),
        (f"{command()} run -- claude", "your own agent under guard (or codex, gemini, opencode, ...)"),
    ):
        _tell(f"  {words}\n      {what}")


def _guard(home: Path, planted: Planted, environ: dict[str, str], port: int, authority: Path) -> str:
    """Run the stand-in agent under `agentguard run`; the session's uid.

    A process of its own: `run` forks, which a process that serves in threads must not do.
    """
    from agentguard.demo.server import MODEL_HOST, PASTE_HOST

    read_end, write_end = os.pipe()
    options = ["--home", str(home), "--print-session", str(write_end), "--upstream-ca", str(authority)]
    options += ["--demo", "--notify", "none"]
    for host in (MODEL_HOST, PASTE_HOST):
        options += ["--resolve", f"{host}=127.0.0.1:{port}"]
    # -P: the project's folder is the agent's to write, so no module is imported from it.
    guarded = [
        sys.executable,
        "-P",
        *interpreter_options(),
        "-m",
        "agentguard",
        "run",
        *options,
        "--",
        str(_agent(planted)),
    ]
    with os.fdopen(read_end, encoding="ascii") as session:
        try:
            guard = subprocess.Popen(
                guarded, cwd=planted.workspace, env=environ, stdin=subprocess.DEVNULL, pass_fds=[write_end]
            )
        finally:
            os.close(write_end)
        status = _wait(guard)
        uid = session.readline().strip()
    if status != 0 or not uid:
        raise DemoError(f"the guarded session ended with status {status}; `agentguard doctor` says what can run here")
    return uid


def _agent(planted: Planted) -> Path:
    """The stand-in under a name of its own, as an agent's launcher would be."""
    path = planted.home / "demo-agent"
    path.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m agentguard.demo.agent "$@"\n')
    path.chmod(0o755)
    return path


def _wait(guard: subprocess.Popen[bytes]) -> int:
    try:
        return guard.wait(TIMEOUT_SECONDS)
    except BaseException as error:
        # Ctrl-C, or it hangs: it may end in its own way before its workspace goes.
        guard.terminate()
        guard.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise DemoError(f"the guarded session did not end in {TIMEOUT_SECONDS} s") from None
        raise


def _environ(planted: Planted) -> dict[str, str]:
    environ = {name: os.environ[name] for name in INHERITED if name in os.environ}
    environ["HOME"] = str(planted.home)
    environ["OPENAI_API_KEY"] = planted.agent_key
    environ["PYTHONPATH"] = str(IMPORTED_FROM)
    return environ


def _check(reader: Reader, uid: str) -> None:
    """Every step of the stand-in agent must have been seen and judged.

    Raises:
        DemoError: names the first that was not.
    """
    from agentguard.demo.server import PASTE_HOST
    from agentguard.model.finding import Activity
    from agentguard.model.verdict import Outcome

    session: Session | None = reader.session(uid)
    events = reader.events(uid)
    sends = [event for event in events if event.finding.activity is Activity.SEND]
    leaks = [event for event in sends if event.verdict.outcome is Outcome.LEAKED and event.finding.host == PASTE_HOST]
    facts = {
        "no read of .env was recorded": any(event.finding.activity is Activity.READ for event in events),
        "no prompt with a secret was recorded": any(event.verdict.outcome is Outcome.EXPOSED for event in sends),
        "the leak was not recorded": bool(leaks),
        "the leak was not linked to a read": any(event.finding.flow for event in leaks),
        "the session is not called leaked": session is not None and session.outcome is Outcome.LEAKED,
    }
    missing = next((text for text, seen in facts.items() if not seen), None)
    if missing:
        raise DemoError(f"{missing}; `agentguard doctor` says what can run here")


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
