"""Whether the gate stands, hook by hook."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from agentguard.hooks.install import before, gate_path, is_edited, read
from agentguard.hooks.place import HOOKS, HookPlace, PlaceKind
from agentguard.hooks.scripts import BEGIN, Program, is_ours, launcher, program_of


class HookState(StrEnum):
    """Of one hook. Only `INSTALLED` guards anything."""

    INSTALLED = "installed"
    MISSING = "missing"
    FOREIGN = "not ours"
    EDITED = "edited"
    NOT_EXECUTABLE = "not executable"
    NO_PROGRAM = "without its program"


WHAT = {
    HookState.INSTALLED: "in place",
    HookState.MISSING: "no such hook",
    HookState.FOREIGN: "a hook of someone else's; it does not call the gate",
    HookState.EDITED: "edited since it was installed: who knows what it does",
    HookState.NOT_EXECUTABLE: "not executable: git passes it over",
    HookState.NO_PROGRAM: "its AgentGuard or Python is gone: it stops everything",
}


@dataclass(frozen=True, slots=True)
class HookStatus:
    """One hook."""

    hook: str
    path: Path
    state: HookState
    chained: bool = False
    """Another hook, which stood there before, is run too."""


def status(place: HookPlace) -> list[HookStatus]:
    """Every hook of the gate, in the order in which git runs them.

    Raises:
        ConfigError: one cannot be read.
    """
    return [_status(place, hook) for hook in HOOKS]


def program_in(place: HookPlace) -> Program | None:
    """What the gate starts there; None where no hook says so."""
    texts = (read(path) for path in (place.launcher, *(gate_path(place, hook) for hook in HOOKS)))
    return next((program for text in texts if text is not None and (program := program_of(text))), None)


def watched_files(place: HookPlace) -> list[Path]:
    """What an agent has no business changing: the gate's hooks and what they call, as far as they are installed.

    Raises:
        ConfigError: one cannot be read.
    """
    hooks = [one.path for one in status(place) if one.state is HookState.INSTALLED]
    callers = [place.hook(hook) for hook in HOOKS]
    launchers = [place.launcher] if place.kind is PlaceKind.TREE else []
    others = [*(before(path) for path in hooks), *(path for path in callers if path not in hooks), *launchers]
    return [*hooks, *(path for path in others if path.exists())] if hooks else []


def _status(place: HookPlace, hook: str) -> HookStatus:
    path = gate_path(place, hook)
    return HookStatus(hook, path, _state(place, path, hook), before(path).exists() or path != place.hook(hook))


def _state(place: HookPlace, path: Path, hook: str) -> HookState:
    text = read(path)
    if text is None:
        return HookState.MISSING
    if not is_ours(text) and BEGIN not in text:
        return HookState.FOREIGN
    if is_edited(path, hook):
        return HookState.EDITED
    if not os.access(path, os.X_OK) and not place.husky:  # husky 9 has sh read it
        return HookState.NOT_EXECUTABLE
    if is_ours(text):
        program = program_of(text)
        return HookState.INSTALLED if program is not None and _is_there(program) else HookState.NO_PROGRAM
    return _state_of_launcher(place)


def _state_of_launcher(place: HookPlace) -> HookState:
    text = read(place.launcher)
    if text is None:
        return HookState.MISSING
    program = program_of(text)
    if program is None or text != launcher(place, program):
        return HookState.EDITED
    if not os.access(place.launcher, os.X_OK):
        return HookState.NOT_EXECUTABLE
    return HookState.INSTALLED if _is_there(program) else HookState.NO_PROGRAM


def _is_there(program: Program) -> bool:
    return os.access(program.python, os.X_OK) and os.access(program.start, os.R_OK)
