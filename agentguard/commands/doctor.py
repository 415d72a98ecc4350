"""Say what can run here, and prove it: a tiny guarded session with a planted, synthetic secret.

Nothing of yours is read.
"""

from __future__ import annotations

import argparse
import os
import platform
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from agentguard.command_name import command
from agentguard.config import Home, home_path, open_home, working_folder
from agentguard.errors import EXIT_ERROR, AgentGuardError
from agentguard.formats import add_format
from agentguard.model.session import Coverage, SensorState, Session
from agentguard.model.unicode import valid_text

OK, OFF, WARNING, BAD = "ok", "off", "warning", "bad"
"""OFF: it cannot serve here, and nobody has asked for it."""
_GLYPHS = {OK: "✓", OFF: "–", WARNING: "!", BAD: "✗"}
_SESSION_SECONDS = 60
_EMPTY_BYTES, _LARGE_BYTES = 1 << 20, 500 << 20
"""From where on it is worth a word."""
_ERRAND = (
    "import socket, sys; secret = open('.env').read()\n"
    "try: socket.create_connection(('127.0.0.1', int(sys.argv[1]))).sendall(secret.encode())\n"
    "except OSError: pass"
)


@dataclass(frozen=True, slots=True)
class Check:
    """One line."""

    name: str
    state: str
    detail: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_format(parser, "text", "json")


def run(arguments: argparse.Namespace) -> int:
    checks = [
        *_machine(),
        *_home(arguments.home),
        *_policy(arguments.home),
        *_notify(arguments.home),
        *_engines(),
        *_live(),
    ]
    if arguments.format == "json":
        from agentguard.show.document import document

        print(document("doctor", {"checks": [_as_json(check) for check in checks]}))
    else:
        from agentguard.show.text import safe

        width = max(len(check.name) for check in checks)
        for check in checks:
            print(f"{_GLYPHS[check.state]} {check.name:<{width}}  {check.state:<8} {safe(check.detail)}")
    return EXIT_ERROR if any(check.state == BAD for check in checks) else 0


def _as_json(check: Check) -> dict[str, str]:
    return {name: valid_text(value) for name, value in asdict(check).items()}


def _machine() -> Iterator[Check]:
    python = f"Python {platform.python_version()} at {sys.executable}"
    yield Check("python", OK, python)
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    yield Check("system", OK if sys.platform == "linux" else WARNING, system)
    ptrace = Path("/proc/sys/kernel/yama/ptrace_scope")
    if ptrace.exists() and (scope := ptrace.read_text().strip()) not in {"0", "1"}:
        yield Check("yama", WARNING, f"ptrace_scope is {scope}: the names of opened files cannot be read; set it to 1")


def _home(option: str | None) -> Iterator[Check]:
    from agentguard.record.reader import Reader

    try:
        path = home_path(option)
        home = open_home(path)
        home.fingerprint_key()
        home.chain_key()
        reader = Reader(home.database)
        try:
            reader.sessions(1)
        finally:
            reader.close()
        yield Check("home", OK, str(path))
        yield Check("database", OK, _database(home))
    except AgentGuardError as error:
        yield Check("home", BAD, str(error))


def _database(home: Home) -> str:
    """Its size, what it holds and since when, and what could be done about it."""
    from agentguard.record.space import space
    from agentguard.show.phrases import day_and_time, plural

    found = space(home.database)
    if found is None:
        return "none yet"
    since = f" since {day_and_time(found.oldest_ns)[:10]}" if found.oldest_ns is not None else ""
    given = f"room last given back {day_and_time(found.given_back_ns)[:10]}" if found.given_back_ns else ""
    words = [
        f"{found.used / 1e6:.1f} MB",
        f"{plural(found.events, 'event')} in {plural(found.sessions, 'session')}{since}",
        f"{found.free / 1e6:.1f} MB of it empty" if found.free > _EMPTY_BYTES else "",
        given,
        f"`{command()} purge --older-than 90d` makes it smaller" if found.used > _LARGE_BYTES else "",
    ]
    return "; ".join(filter(None, words))


def _policy(option: str | None) -> Iterator[Check]:
    """A policy that is refused would be met at the next start only."""
    from agentguard.judge.load import load_policy

    try:
        policy = load_policy(home=home_path(option), workspace=working_folder())
        yield Check("policy", OK, f"{len(policy.rules) + len(policy.stricter)} rules")
    except AgentGuardError as error:
        yield Check("policy", BAD, str(error))


def _notify(option: str | None) -> Iterator[Check]:
    """Settings that are refused would be met at the next start; a channel that fails, when it is needed."""
    from agentguard.show.notify.ready import problem_of
    from agentguard.show.notify.settings import load_settings
    from agentguard.show.notify.told import ToldFile

    try:
        home = Home(home_path(option))
        settings = load_settings(home.notify)
    except AgentGuardError as error:
        yield Check("notify", BAD, str(error))
        return
    last = {result.channel: result for result in ToldFile(home.notified, 0).results()}
    for channel in settings.channels:
        problem = problem_of(channel, os.environ, last.get(channel.name))
        down = WARNING if channel.asked_for else OFF
        yield Check(
            f"notify {channel.name}", down if problem else OK, problem or "ready; `agentguard notify test` tries it"
        )


def _engines() -> Iterator[Check]:
    from agentguard.detect.engine import available_engines

    for name, why_not in available_engines():
        yield Check(f"engine {name}", WARNING if why_not else OK, why_not or "available")


def _live() -> Iterator[Check]:
    """A real session in a temporary home: what its sensors proved is what they can do here."""
    with tempfile.TemporaryDirectory(prefix="agentguard-doctor-") as folder:
        base = Path(folder).resolve()
        project = base / "project"
        project.mkdir()
        (project / ".env").write_text(f"DOCTOR_API_TOKEN=doctor-{secrets.token_urlsafe(24)}\n")
        with socket.create_server(("127.0.0.1", 0)) as server:
            done = _run_session(base / "home", project, server.getsockname()[1])
        session = _read_back(base / "home")
    if session is None:
        yield Check("session", BAD, f"a guarded session did not run: {done or 'no reason was given'}")
        return
    for sensor in session.coverage:
        yield _sensor_check(sensor, session.start_ns)
    if sys.platform == "linux":
        yield _capture_check(session)
    exact = session.counts.get("reads", 0) > 0
    detail = "a planted secret's read was recorded" if exact else "a planted secret was read and nothing was recorded"
    yield Check("session", OK if exact else BAD, detail)


def _capture_check(session: Session) -> Check:
    if session.counts.get("sends", 0):
        return Check("capture", OK, "`run --capture` works: a connection round the proxy was taken to it, and read")
    return Check("capture", WARNING, "`run --capture` cannot work here: what goes round the proxy is told as a gap")


def _run_session(home: Path, project: Path, port: int) -> str:
    """Reads the planted secret, and sends it to ourselves without the proxy."""
    environ = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    environ["HOME"] = str(project.parent)
    guard = [sys.executable, "-P", "-m", "agentguard", "run", "--home", str(home), "--quiet"]
    capture = ["--capture"] if sys.platform == "linux" else []
    command = [*guard, *capture, "--", sys.executable, "-S", "-c", _ERRAND, str(port)]
    package = str(Path(__file__).resolve().parents[2])
    environ["PYTHONPATH"] = package
    try:
        done = subprocess.run(
            command,
            cwd=project,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SESSION_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "it did not end in a minute"
    return done.stderr.strip()


def _read_back(home: Path) -> Session | None:
    from agentguard.record.reader import Reader

    reader = Reader(home / "agentguard.db")
    try:
        return reader.session("last")
    finally:
        reader.close()


def _sensor_check(sensor: Coverage, start_ns: int) -> Check:
    from agentguard.show.phrases import proof_delay

    if sensor.state is SensorState.UNAVAILABLE:
        return Check(f"sensor {sensor.sensor}", WARNING, sensor.reason)
    if not sensor.proved:
        return Check(f"sensor {sensor.sensor}", BAD, "it ran and did not see its own decoy")
    delay = proof_delay(sensor, start_ns)
    proof = f"proved: it saw its decoy{f' after {delay}' if delay else ''}"
    return Check(f"sensor {sensor.sensor}", OK, f"{proof}; {sensor.reason}" if sensor.reason else proof)
