"""A proxy of a test's own, with everything it reported and every byte that came out of its child."""

from __future__ import annotations

import hmac
import os
import secrets
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.compiled_rules import rules_folder

from agentguard.demo.certificates import Authority
from agentguard.model.observation import GapObservation, GapType, HttpObservation, Observation
from agentguard.model.secret import SecretValue
from agentguard.paths import policies_dir
from agentguard.sense.child_process import ChildProcess
from agentguard.sense.proxy.config import ProxyConfig
from agentguard.sense.proxy.launcher import ProxySensor

KEY = b"k" * 32
HOST = "collector.example"
"""An outside name that tests map to loopback."""


def known_value(text: str = "", *, source: str = "/project/.env") -> SecretValue:
    """A made-up value, to be followed."""
    value = (text or secrets.token_urlsafe(30)).encode()
    fingerprint = hmac.digest(KEY, value, "sha256").hex()[:32]
    return SecretValue(value=value, fingerprint=fingerprint, preview="•••", name="TOKEN", source_path=source)


@dataclass
class Guarded:
    """A running sensor."""

    sensor: ProxySensor
    port: int
    folder: Path
    observations: list[Observation]
    lines: list[bytes]
    """Every line the child sent."""
    env: dict[str, str] = field(default_factory=dict)

    def sends(self) -> list[HttpObservation]:
        return [seen for seen in list(self.observations) if isinstance(seen, HttpObservation)]

    def gaps(self, kind: GapType | None = None) -> list[GapObservation]:
        found = [seen for seen in list(self.observations) if isinstance(seen, GapObservation)]
        return [gap for gap in found if kind is None or gap.type is kind]

    def wait(self, ready: Callable[[], object], seconds: float = 60.0) -> None:
        """Until `ready()` is true; the observations are in the failure."""
        end = time.monotonic() + seconds
        while not ready():
            assert time.monotonic() < end, f"not seen in time; seen: {self.observations}"
            time.sleep(0.01)

    def follow(self, value: SecretValue | None = None) -> SecretValue:
        """Have a value (a new one) recognised from now on."""
        value = value or known_value()
        assert self.sensor.learn([value], 60.0)
        return value

    def settle(self) -> None:
        """What was sent so far has been reported."""
        assert self.sensor.learn((), 60.0)

    def anew(self) -> Guarded:
        """For the next test of several that share a proxy: nothing seen so far, an environment to change."""
        self.settle()
        self.observations.clear()
        return replace(self, env=dict(self.env))

    def run(self, *argv: str, stdin: bytes = b"", timeout: float = 60) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(argv, env=self.env, input=stdin, capture_output=True, timeout=timeout, check=False)

    def start(self, *argv: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(argv, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def curl(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return self.run("curl", "-sS", "--max-time", "30", *arguments, stdin=stdin)

    def assert_no_raw(self, *values: SecretValue) -> None:
        """Nothing of them came out of the child, nor lies in its log."""
        out = b"".join(self.lines) + (self.folder / "log").read_bytes()
        for value in values:
            for form in (value.value, value.value[4:], value.value.hex().encode()):
                assert form not in out


@contextmanager
def guarded(folder: Path, monkeypatch: Any, **config: Any) -> Iterator[Guarded]:
    """A sensor whose session is this test process and its children.

    Args:
        folder: the test's own.
        monkeypatch: to listen on the socketpair.
        config: fields of `ProxyConfig` that differ from what most tests want.
    """
    lines: list[bytes] = []
    observations: list[Observation] = []
    _tap(monkeypatch, lines)
    settings: dict[str, Any] = {
        "confdir": folder / "conf",
        "roots": (os.getpid(),),
        "uid": os.getuid(),
        "fingerprint_key": KEY,
        "policies": policies_dir(),
        "cache": rules_folder(),
        "log": folder / "log",
        **config,
    }
    sensor = ProxySensor(ProxyConfig(**settings), on_observation=observations.append)
    port = sensor.start()
    try:
        base = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        env = base | sensor.environment(folder / "run", base)
        yield Guarded(sensor, port, folder, observations, lines, env)
    finally:
        sensor.stop()


class World:
    """A test CA, and the file that makes the proxy trust the servers it signed."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority("proxy tests")
        self.ca = folder / "world-ca.pem"
        self.ca.write_bytes(self.authority.certificate)

    def tls(self, names: Sequence[str] = (HOST,), alpn: Sequence[str] = ("http/1.1",)) -> ssl.SSLContext:
        context = self.authority.server_context(names)
        context.set_alpn_protocols(list(alpn))
        return context


def block_policy(folder: Path, host: str = HOST) -> Path:
    """A home folder whose policy refuses every credential for `host`."""
    home = folder / "agentguard-home"
    home.mkdir(mode=0o700, exist_ok=True)
    (home / "policy.yaml").write_text(BLOCKING.format(host=host))
    return home


BLOCKING = """\
version: 1
description: Nothing may go there.
rules:
  - id: closed
    when:
      kind: [http, network]
      host: {host}
    then:
      disposition: blocked
      severity: critical
      outcome: leaked
      reason: "{{secret}} may not go to {{host}}."
"""
RULE = "policy.yaml:closed"


def _tap(monkeypatch: Any, lines: list[bytes]) -> None:
    original = ChildProcess.lines
    lock = threading.Lock()

    def tapped(self: ChildProcess) -> Iterator[bytes]:
        for line in original(self):
            with lock:
                lines.append(line)
            yield line

    monkeypatch.setattr(ChildProcess, "lines", tapped)
