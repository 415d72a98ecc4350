"""The session's proxy: started while everything else is made ready, given up on with a reason when it cannot run."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agentguard.config import Home
from agentguard.errors import SensorError
from agentguard.launch.ground import Unseen
from agentguard.launch.request import RunRequest
from agentguard.launch.run_folder import RunFolder
from agentguard.model.observation import GapObservation, GapType
from agentguard.model.secret import SecretValue
from agentguard.model.session import Coverage, SensorState
from agentguard.record.reader import rotated_before
from agentguard.sense.interface import Emit
from agentguard.sense.proxy.config import ProxyConfig
from agentguard.sense.proxy.environment import upstream_of
from agentguard.sense.proxy.launcher import ProxySensor
from agentguard.sense.seccomp.capture import WayIn

NAME = "proxy"
START_SECONDS = 30.0
"""For a busy machine, and rules that are still to be compiled; without a proxy the session would be half blind."""
PROOF_SECONDS = 10.0
"""It takes milliseconds; a busy machine, or rules that are still to be compiled, may take this long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSetup:
    """What the proxy is started with."""

    request: RunRequest
    home: Home
    policies: Path
    run_folder: RunFolder
    agent: str
    pointed_at: tuple[str, ...]
    """Hosts that the session's environment names as receivers of prompts."""
    emit: Emit
    clock: Callable[[], int]


class Network:
    """Starts the proxy on a thread; `wait` says what came of it."""

    def __init__(self, setup: NetworkSetup) -> None:
        self._setup = setup
        self.port = 0
        """0 until the proxy runs, and where it cannot."""
        self._reason = ""
        self._environment: Mapping[str, str] = {}
        self._proxy = ProxySensor(_config(setup), on_observation=setup.emit)
        self._proof: threading.Thread | None = None
        self._starting = threading.Thread(target=self._start, name="proxy-start", daemon=True)
        self._starting.start()

    @property
    def pid(self) -> int:
        """Of the proxy child; 0 when there is none."""
        return self._proxy.pid

    @property
    def starting(self) -> bool:
        """Whether the agent still waits for it."""
        return self._starting.is_alive()

    def unseen(self) -> Unseen | None:
        """Without the seccomp filter nobody notices a connection that goes round the proxy."""
        if not self._setup.request.allow_privileged:
            return None
        return Unseen(
            "connections that do not use the proxy are not noticed with --allow-privileged",
            "start the agent without --allow-privileged",
        )

    def wait(self) -> bool:
        """Whether the proxy runs. When it does not, the gap has been told."""
        self._starting.join(START_SECONDS + 1)
        if self.port:
            return True
        self._reason = self._reason or "it did not answer in time"
        self._setup.emit(
            GapObservation(
                time_ns=self._setup.clock(),
                sensor=NAME,
                type=GapType.SENSOR_UNAVAILABLE,
                detail=f"the proxy cannot run: {self._reason}",
                remedy="run `agentguard doctor`",
            )
        )
        return False

    def environment(self) -> Mapping[str, str]:
        """Variables to set for the agent; empty without a proxy."""
        return self._environment

    def learn(self, values: Sequence[SecretValue]) -> None:
        """Follow these too. Returns when the proxy has them, or after half a second: the agent must not wait longer."""
        if values:
            self._proxy.learn(values)

    def way_in(self) -> WayIn | None:
        """Where connections that go round the proxy are taken; None: they are told, and go on."""
        return self._proxy if self._setup.request.capture else None

    def prove(self) -> None:
        """Send the decoy. On a thread: the agent does not wait for it."""
        if self.port:
            self._proof = threading.Thread(
                target=self._proxy.prove, args=(PROOF_SECONDS,), name="proxy-proof", daemon=True
            )
            self._proof.start()

    def settle(self) -> None:
        """Everything that the proxy has seen so far has been emitted when this returns."""
        if self._proof is not None:
            self._proof.join(PROOF_SECONDS)
        if self.port:
            self._proxy.learn(())

    def coverage(self) -> Coverage:
        if not self.port:
            return Coverage(sensor=NAME, state=SensorState.UNAVAILABLE, reason=self._reason)
        return self._proxy.coverage()

    def stop(self) -> None:
        """End the proxy, and what it kept on disk."""
        self._starting.join(START_SECONDS + 1)
        self._proxy.stop()
        shutil.rmtree(proxy_folder(self._setup.home, self._setup.request.session), ignore_errors=True)

    def _start(self) -> None:
        try:
            port = self._proxy.launch()
            self._environment = self._proxy.environment(self._setup.run_folder.path, self._setup.request.environ)
            self._proxy.wait_ready(START_SECONDS)
            self.port = port
        except (SensorError, OSError) as error:
            self._environment = {}
            self._reason = str(error)


def _config(setup: NetworkSetup) -> ProxyConfig:
    request = setup.request
    return ProxyConfig(
        confdir=proxy_folder(setup.home, request.session),
        roots=(os.getpid(),),
        uid=os.getuid(),
        fingerprint_key=setup.home.fingerprint_key(),
        policies=setup.policies,
        session=request.session,
        agent=setup.agent,
        pointed_at=setup.pointed_at,
        home=setup.home.root,
        workspace=request.cwd,
        rotated=rotated_before(setup.home.database),
        upstream_ca=request.upstream_ca,
        capture=request.capture,
        redirects=request.redirects,
        upstream_proxy="" if request.redirects else upstream_of(request.environ),
        cache=setup.home.cache,
        log=setup.home.log,
    )


def proxy_folder(home: Home, session: str) -> Path:
    """What mitmproxy wants on disk, for as long as the session lasts. No key is ever in it."""
    return home.root / "proxy" / session
