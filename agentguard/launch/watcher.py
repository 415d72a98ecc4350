"""The loop of `agentguard watch`: attaches to agents as they appear, and seals each session when its agent has gone."""

from __future__ import annotations

import os
import resource
import select
import signal
import sys
from dataclasses import dataclass, field
from types import FrameType

from agentguard.attribute.agents import load_agents
from agentguard.config import Home
from agentguard.errors import EXIT_INTERRUPTED, EXIT_OK, AgentGuardError
from agentguard.launch.discovery import Discovery, RunningAgent
from agentguard.launch.log import log
from agentguard.launch.watched import WatchedSession, WatchSetup
from agentguard.paths import policies_dir
from agentguard.sense.attach.lease import block_signals
from agentguard.sense.secrecy import hide_memory
from agentguard.show.notify.settings import Settings

_TICK_SECONDS = 0.25
_LOOK_EVERY = 4
"""Ticks between two looks for agents."""
_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_NEVER_STOPPED_BY = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
"""While we do not run, whoever opens a secret file waits for us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRequest:
    """What the user asked `watch` for."""

    home: Home
    pids: tuple[int, ...] = ()
    """Only these; then it ends with them."""
    agent: str | None = None
    under: int | None = None
    hold: bool = False
    notify: Settings = field(default_factory=Settings)


@dataclass(slots=True)
class _Stop:
    """Which signal asks us to stop; 0: none."""

    number: int = 0
    wake: tuple[int, int] = field(default_factory=os.pipe)

    def listen(self) -> None:
        for end in self.wake:
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self.wake[1], warn_on_full_buffer=False)
        for number in _STOPS:
            signal.signal(number, self._note)
        for number in _NEVER_STOPPED_BY:
            signal.signal(number, signal.SIG_IGN)

    def wait(self, seconds: float) -> None:
        select.select([self.wake[0]], [], [], seconds)

    def _note(self, number: int, _: FrameType | None) -> None:
        self.number = self.number or number


class Watcher:
    """Several sessions at once, each with its sensors."""

    def __init__(self, request: WatchRequest) -> None:
        """Raises AgentGuardError when the catalogue or an argument is wrong."""
        self._request = request
        policies = policies_dir()
        catalogue = load_agents(policies / "agents.yaml")
        self._setup = WatchSetup(
            home=request.home, policies=policies, catalogue=catalogue, hold=request.hold, notify=request.notify
        )
        self._discovery = Discovery(catalogue, agent=request.agent, under=request.under)
        self._sessions: list[WatchedSession] = []

    def run(self) -> int:
        """Until it is stopped, or the processes that were asked for have gone. Returns the exit status.

        Raises:
            AgentGuardError: a process that was asked for cannot be watched, or the home folder cannot be used.
        """
        if self._request.hold:
            block_signals()
        hide_memory()
        _raise_descriptor_limit()
        stop = _Stop()
        stop.listen()
        try:
            self._attach_named()
            self._watch(stop)
        finally:
            for session in self._sessions:
                _say(session.close(stopped=True))
        return EXIT_INTERRUPTED if stop.number == signal.SIGINT else EXIT_OK

    def _watch(self, stop: _Stop) -> None:
        ticks = 0
        while not stop.number:
            if not self._request.pids and ticks % _LOOK_EVERY == 0:
                self._attach_found(first=ticks == 0)
            ticks += 1
            stop.wait(_TICK_SECONDS)
            self._attend()
            if self._request.pids and not self._sessions:
                return

    def _attend(self) -> None:
        for session in list(self._sessions):
            session.tick()
            if session.has_ended():
                self._sessions.remove(session)
                _say(session.close(stopped=False))

    def _attach_named(self) -> None:
        for running in [self._discovery.named(pid) for pid in dict.fromkeys(self._request.pids)]:
            self._attach(running)

    def _attach_found(self, *, first: bool) -> None:
        found = self._discovery.look(session.pid for session in self._sessions)
        for running in found:
            try:
                self._attach(running)
            except AgentGuardError as error:
                if first:
                    raise
                log(f"agentguard: ✕ {error}")
        if first and not found:
            _say("agentguard: no agent runs; waiting for one (Ctrl-C stops)")

    def _attach(self, running: RunningAgent) -> None:
        session = WatchedSession(running, self._setup)
        said = session.attach()
        self._sessions.append(session)
        _say(said)


def _say(text: str) -> None:
    if text:
        print(text, file=sys.stderr, flush=True)


def _raise_descriptor_limit() -> None:
    """Each open that fanotify holds comes with two descriptors; without room for them the kernel would refuse it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
