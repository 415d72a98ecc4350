"""The supervisor's side of the proxy: start it, teach it, hear from it, and start it again when it dies.

Nothing of mitmproxy is imported here.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from agentguard.errors import SensorError
from agentguard.model.observation import GapObservation, GapType, Observation
from agentguard.model.process import ProcessSnapshot
from agentguard.model.secret import SecretValue
from agentguard.model.session import Coverage, SensorState
from agentguard.sense.child_process import ChildProcess
from agentguard.sense.proof import Proof
from agentguard.sense.proxy import wire
from agentguard.sense.proxy.ca import Authority, make_authority, user_roots, write_trust, write_upstream_roots
from agentguard.sense.proxy.capture_doors import CaptureDoors
from agentguard.sense.proxy.config import ChildStart, ProxyConfig
from agentguard.sense.proxy.decoy import Decoy
from agentguard.sense.proxy.environment import session_environment
from agentguard.sense.proxy.gaps import SENSOR, proxy_gap

_MODULE = "agentguard.proxy_child"
_BACKLOG = 512
_RESTART_PAUSES = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0)
"""Seconds before the first, second, ... restart in a row; the last one for all that follow."""
_STABLE_SECONDS = 10.0
"""A child that lived this long starts the row anew."""


class ProxySensor:
    """One session's proxy.

    `on_observation` is called from a thread of the sensor, one observation at a time; `on_health` whenever the
    state of `coverage` changes.
    """

    def __init__(
        self,
        config: ProxyConfig,
        *,
        on_observation: Callable[[Observation], None],
        on_health: Callable[[Coverage], None] | None = None,
        authority: Authority | None = None,
    ) -> None:
        self._config = config
        self._on_observation = on_observation
        self._on_health = on_health
        self._authority = authority
        self._changed = threading.Condition()
        self._values: dict[tuple[str, str], SecretValue] = {}
        self._sent = self._learned = 0
        self._state = SensorState.UNAVAILABLE
        self._reason = ""
        self._left_out: tuple[str, ...] = ()
        self._proof = Proof(time.time_ns)
        self._stopping = False
        self._counts = self._earlier = (0, 0)
        self._decoys: dict[str, Decoy] = {}
        self._child: ChildProcess | None = None
        self._listener: socket.socket | None = None
        self._capture = CaptureDoors(config.capture)
        self._thread: threading.Thread | None = None

    @property
    def authority(self) -> Authority:
        """The session's CA, for `write_trust`; made at first use."""
        if self._authority is None:
            self._authority = make_authority()
        return self._authority

    @property
    def pid(self) -> int:
        """Of the child that serves now; 0 when there is none."""
        return self._child.pid if self._child else 0

    def start(self, timeout: float = 30.0) -> int:
        """Start the child and wait until it accepts connections.

        Returns:
            The port, on 127.0.0.1; it stays the same until `stop`.

        Raises:
            SensorError: why there is no proxy. Nothing is left running.
        """
        port = self.launch()
        self.wait_ready(timeout)
        return port

    def launch(self) -> int:
        """The first half of `start`: connections to the port wait until the child is ready. Call `wait_ready` next."""
        self._listener = _listen(self._config.listen_port)
        try:
            self._capture.open()
            self._child = self._new_child(self._listener)
        except OSError as error:
            self._close_listener()
            raise SensorError(f"cannot start the proxy: {error.strerror}") from None
        self._introduce(self._child)
        self._thread = threading.Thread(target=self._supervise, name="proxy-sensor", daemon=True)
        self._thread.start()
        port: int = self._listener.getsockname()[1]
        return port

    def wait_ready(self, timeout: float = 30.0) -> None:
        """The second half of `start`. Errors as there."""
        with self._changed:
            self._changed.wait_for(lambda: self._state is not SensorState.UNAVAILABLE or self._stopping, timeout)
            if self._state is SensorState.RUNNING:
                return
            reason = self._reason or f"the proxy was not ready within {timeout:g} s"
        self.stop()
        self._reason = reason
        raise SensorError(reason)

    def learn(self, values: Sequence[SecretValue], timeout: float = 0.5) -> bool:
        """Have these values recognised from now on; they are kept for a restart.

        Returns:
            Whether the child has said within `timeout` seconds that it knows them. While False, a value may pass.
        """
        with self._changed:
            self._values.update({(value.fingerprint, value.source_path): value for value in values})
            self._sent += 1
            number, child = self._sent, self._child
        if child is None or not child.send(wire.encode("learn", (number, tuple(values)))):
            return False
        with self._changed:
            return self._changed.wait_for(lambda: self._learned >= number, timeout)

    def prove(self, timeout: float) -> bool:
        """Send a made-up secret through the proxy to ourselves, and see it reported. It becomes no event.

        Args:
            timeout: seconds, for each of the two: until the proxy knows it, and until it is seen.
        """
        if self._listener is None:
            return False
        decoy = Decoy(self._config.fingerprint_key)
        self._decoys[decoy.value.fingerprint] = decoy
        self.learn([decoy.value], timeout)
        if decoy.send(self._listener.getsockname()[1], timeout):
            self._proof.set()
        with self._changed:
            self._values.pop((decoy.value.fingerprint, ""), None)
        return self._proof.is_set()

    def stop(self, timeout: float = 3.0) -> None:
        """End the child; what it has seen is handed on first. May be called twice."""
        with self._changed:
            self._stopping = True
            child = self._child
            self._changed.notify_all()
        if child is not None:
            child.stop(timeout)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        self._close_listener()
        if self._state is SensorState.RUNNING:
            self._set_state(SensorState.STOPPED)

    def environment(self, run_dir: Path, base: Mapping[str, str]) -> dict[str, str]:
        """Variables to set over `base` so that the session's programs use this proxy and trust its CA.

        Args:
            run_dir: the session's run folder, which its programs can read.
            base: the environment the agent would have had.

        Raises:
            SensorError: the certificates cannot be written there.
        """
        assert self._listener is not None, "start comes first"
        port: int = self._listener.getsockname()[1]
        roots = user_roots(base)
        self._left_out = roots.left_out
        try:
            return session_environment(port, write_trust(run_dir, self.authority, roots), base)
        except OSError as error:
            raise SensorError(f"cannot write the clients' settings under {run_dir}: {error.strerror}") from None

    # --- for the sensor that takes connections here: sense/seccomp/capture.py -----------------------------------------

    def capture_address(self, family: int) -> tuple[str, int] | None:
        """Where a socket of this family is taken to; None while the child does not serve, or nothing is captured."""
        return self._capture.address(family) if self._state is SensorState.RUNNING else None

    def announce(self, client: tuple[str, int], target: tuple[str, int], process: ProcessSnapshot) -> bool:
        """Tell the child whose connection comes from `client`, and where it wanted to go. False: it is not there."""
        body = {"client": client, "target": target, "process": process}
        return self._child is not None and self._child.send(wire.encode("captured", body))

    def spares(self, program: str, target: tuple[str, int]) -> bool:
        """Whether this program has refused our certificate there."""
        return self._capture.spares(program, target)

    def coverage(self) -> Coverage:
        """`events`: requests looked at. `drops`: those that could not be."""
        requests, lost = (now + before for now, before in zip(self._counts, self._earlier, strict=True))
        return Coverage(
            sensor=SENSOR,
            state=self._state,
            proved=self._proof.is_set(),
            proved_ns=self._proof.time_ns,
            events=requests,
            drops=lost,
            reason=self._reason or "; ".join(self._left_out),
        )

    def _new_child(self, listener: socket.socket) -> ChildProcess:
        return ChildProcess(_MODULE, self._config.log, inherited=(listener.fileno(), *self._capture.descriptors()))

    def _introduce(self, child: ChildProcess) -> None:
        """Everything a new child must know."""
        authority, listener = self.authority, self._listener
        assert listener is not None
        roots = write_upstream_roots(self._config.confdir, os.environ, self._config.upstream_ca)
        config = replace(self._config, upstream_ca=str(roots))
        with self._changed:
            values = tuple(self._values.values())
            child.knows = self._sent
        start = ChildStart(
            config=config,
            ca_certificate=authority.certificate,
            ca_key=authority.key,
            listen_fd=listener.fileno(),
            capture_fds=self._capture.descriptors(),
            values=values,
        )
        child.send(wire.encode("start", start))

    def _supervise(self) -> None:
        """The sensor's thread: one child after another."""
        failures = 0
        while self._child is not None:
            child = self._child
            self._read(child)
            ended = child.reap()
            with self._changed:
                self._earlier = (self._earlier[0] + self._counts[0], self._earlier[1] + self._counts[1])
                self._counts = (0, 0)
            if self._stopping or (self._state is SensorState.UNAVAILABLE and not child.ready_at):
                self._give_up(ended)
                return
            failures = 0 if child.ready_at and child.died_at - child.ready_at > _STABLE_SECONDS else failures + 1
            if not self._restart(ended, _RESTART_PAUSES[min(failures, len(_RESTART_PAUSES)) - 1]):
                return

    def _give_up(self, ended: str) -> None:
        with self._changed:
            self._stopping = True
            self._reason = self._reason or f"the proxy did not start: {ended}"
            self._changed.notify_all()

    def _restart(self, ended: str, pause: float) -> bool:
        """A new child on the same port; False when there is no point."""
        self._set_state(SensorState.FAILED, ended)
        with self._changed:
            if self._changed.wait_for(lambda: self._stopping, pause):
                return False
        assert self._listener is not None
        try:
            self._child = self._new_child(self._listener)
        except OSError as error:
            self._on_observation(proxy_gap(GapType.SENSOR_STOPPED, f"the proxy cannot be restarted: {error.strerror}"))
            return False
        self._introduce(self._child)
        detail = f"the proxy {ended} and was restarted; requests that were on their way were cut off"
        self._on_observation(proxy_gap(GapType.PROXY_RESTARTED, detail, remedy="run the agent again"))
        return True

    def _read(self, child: ChildProcess) -> None:
        """Messages of one child, until it is gone."""
        for line in child.lines():
            try:
                self._hear(child, *wire.decode(line))
            except wire.WireError as error:
                gap = proxy_gap(GapType.EVENTS_LOST, f"the proxy sent what was not understood ({error})")
                self._on_observation(gap)

    def _hear(self, child: ChildProcess, op: str, body: object) -> None:
        if op == "observation":
            self._observe(wire.observation(body))
        elif op == "learned" and isinstance(body, int):
            with self._changed:
                self._learned = max(self._learned, body)
                self._changed.notify_all()
        elif op == "counts":
            counts = wire.typed(body, dict[str, int])
            self._counts = (counts["requests"], counts["lost"])
        elif op == "ready":
            child.ready_at = time.monotonic()
            with self._changed:
                self._learned = max(self._learned, child.knows)
            self._set_state(SensorState.RUNNING)
        elif op == "spare":
            self._capture.spare(*wire.typed(body, tuple[str, tuple[str, int]]))
        elif op == "failed":
            self._reason = str(body)

    def _observe(self, observation: Observation) -> None:
        if not isinstance(observation, GapObservation):
            matches = getattr(observation, "matches", ())
            mine = [self._decoys[match.fingerprint] for match in matches if match.fingerprint in self._decoys]
            if mine:
                mine[0].seen.set()
                return
        self._on_observation(observation)

    def _set_state(self, state: SensorState, reason: str = "") -> None:
        with self._changed:
            self._state, self._reason = state, reason
            self._changed.notify_all()
        if self._on_health is not None:
            self._on_health(self.coverage())

    def _close_listener(self) -> None:
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.close()
        self._capture.close()


def _listen(port: int) -> socket.socket:
    """Raises SensorError in words for the user."""
    try:
        return socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
    except OSError as error:
        why = error.strerror
        if error.errno == errno.EADDRINUSE:
            why = f"port {port} on 127.0.0.1 is in use by another program"
        elif error.errno == errno.EADDRNOTAVAIL:
            why = "127.0.0.1 is not there; this machine's loopback needs an IPv4 address beside ::1"
        raise SensorError(f"cannot start the proxy: {why}") from None
