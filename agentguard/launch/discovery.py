"""Finds the agents that already run: by their command lines, among the user's own processes."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from agentguard.attribute.agents import Agent, AgentCatalogue
from agentguard.attribute.launched import program_names
from agentguard.errors import ConfigError, UsageError
from agentguard.sense import procfs

_OURSELVES = "agentguard"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningAgent:
    """The root process of an agent that runs."""

    pid: int
    argv: tuple[str, ...]
    exe: str
    """ "" when it cannot be read."""
    cwd: Path
    agent: Agent | None
    """None for a process that was named by its pid and is no agent we know."""
    environ: Mapping[str, str] | None
    """As it was started; None when it may not be read."""
    user_home: str


class Discovery:
    """Looks when asked. Remembers nothing: a pid may start another program at any time."""

    def __init__(self, catalogue: AgentCatalogue, *, agent: str | None, under: int | None) -> None:
        """
        Args:
            agent: only this agent; an id of the catalogue.
            under: only descendants of this process.

        Raises:
            UsageError: there is no such agent or process.
        """
        if agent is not None and catalogue.by_id(agent) is None:
            known = ", ".join(one.id for one in catalogue.agents)
            raise UsageError(f"there is no agent {agent!r}; the agents are {known}")
        if under is not None and not psutil.pid_exists(under):
            raise UsageError(f"--under {under}: there is no such process")
        self._catalogue = catalogue
        self._agent = agent
        self._under = under
        self._users = _own_users()

    def named(self, pid: int) -> RunningAgent:
        """Of a pid that the user gave.

        Raises:
            UsageError: there is no such process, or it is another user's.
        """
        try:
            process = psutil.Process(pid)
            if os.getuid() != 0 and process.uids().real not in self._users:
                raise UsageError(f"--pid {pid}: that process is not yours")
            if _is_guarded(process):
                raise UsageError(f"--pid {pid}: that process already runs under `agentguard run`")
            found = self._described(process)
        except psutil.Error:
            found = None
        if found is None:
            raise UsageError(f"--pid {pid}: there is no such process")
        return found

    def look(self, watched: Iterable[int]) -> list[RunningAgent]:
        """Agents that are not `watched` (pids of roots), do not run inside another agent and are not guarded."""
        known = set(watched)
        candidates = {process.pid: process for process in self._own_processes() if self._is_wanted(process)}
        found = []
        for pid, process in candidates.items():
            if pid in known or _above(process) & (known | candidates.keys()) or _is_guarded(process):
                continue
            described = self._described(process)
            if described is not None:
                found.append(described)
        return found

    def _own_processes(self) -> Iterable[psutil.Process]:
        if self._under is None:
            return psutil.process_iter()
        try:
            return psutil.Process(self._under).children(recursive=True)
        except psutil.Error:
            return []

    def _is_wanted(self, process: psutil.Process) -> bool:
        try:
            if process.pid == os.getpid() or process.uids().real not in self._users:
                return False
            agent = self._catalogue.identify(process.cmdline(), _exe(process))
        except psutil.Error:
            return False
        return agent is not None and self._agent in {None, agent.id}

    def _described(self, process: psutil.Process) -> RunningAgent | None:
        """None when it has gone."""
        try:
            argv, exe = tuple(process.cmdline()), _exe(process)
            owner = process.uids().real
            environ = process.environ() if owner == os.getuid() else None
        except psutil.AccessDenied:
            environ = None
        except psutil.Error:
            return None
        return RunningAgent(
            pid=process.pid,
            argv=argv or (process.name(),),
            exe=exe,
            cwd=_cwd(process),
            agent=self._catalogue.identify(argv, exe),
            environ=environ,
            user_home=(environ or {}).get("HOME") or _home_of(owner),
        )


def _own_users() -> frozenset[int]:
    """Ours; under sudo also of whoever called it."""
    caller = os.environ.get("SUDO_UID", "")
    return frozenset({os.getuid(), *([int(caller)] if os.getuid() == 0 and caller.isdigit() else [])})


def _above(process: psutil.Process) -> set[int]:
    try:
        return {parent.pid for parent in process.parents()}
    except psutil.Error:
        return set()


def _is_guarded(process: psutil.Process) -> bool:
    """Whether a supervisor of ours is above it."""
    try:
        return any(_is_supervisor(parent) for parent in process.parents())
    except psutil.Error:
        return False


def _is_supervisor(process: psutil.Process) -> bool:
    try:
        argv = process.cmdline()
        own, launched = program_names(argv, _exe(process))
    except psutil.Error:
        return False
    return _OURSELVES in {*own, *launched} and "run" in argv


def _exe(process: psutil.Process) -> str:
    """psutil guesses from argv[0] when it is denied, which is not evidence."""
    if sys.platform == "linux":
        return procfs.read_exe(process.pid)
    try:
        return process.exe()
    except psutil.Error:
        return ""


def _cwd(process: psutil.Process) -> Path:
    try:
        return Path(process.cwd())
    except (psutil.Error, OSError):
        return Path("/")


def _home_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_dir
    except KeyError:
        raise ConfigError(f"no home folder is known for user {user}") from None
