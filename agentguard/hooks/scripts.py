"""The hooks' own texts: small shell scripts that find AgentGuard, run what was there before, and stop when they cannot.

Two forms. In a folder that no one else gets (`.git/hooks`, one outside of the repository) a hook names this machine's
Python itself. In one that is a part of the work tree it must not: there a few lines call the launcher of the clone.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass

from agentguard.hooks.place import HookPlace

BEFORE = ".before-agentguard"
"""Ending of the hook that stood there before; ours runs it first."""
BEGIN = "# >>> agentguard's git gate"
END = "# <<< agentguard's git gate"
_MARK = "# agentguard's git gate: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """How this machine starts the gate."""

    python: str
    """The interpreter."""
    start: str
    """agentguard/hooks/start.py."""
    home: str
    """AgentGuard's home folder: of who installed the hook, whatever the environment of a commit says."""
    packages: str
    """Folder of the installed packages that it may need."""
    command: str
    """What the user types for AgentGuard, as `-X agentguard=` takes it; "" when it is plainly `agentguard`."""


def own_hook(hook: str, program: Program) -> str:
    """A whole hook, for a folder that no one else gets."""
    parts = [
        "#!/bin/sh",
        f"{_MARK}{hook}. Written by `agentguard hook install git`; `agentguard hook uninstall git` takes it away.",
        *_settings(program),
        f'before="${{0%/*}}/{hook}{BEFORE}"',
        *_CHAIN[hook],
        *(_LEFT_TO_COMMIT_MSG if hook == "pre-commit" else ()),
        *_start(f'{hook} "$@"', fed=hook == "pre-push"),
    ]
    return "\n".join(parts) + "\n"


def launcher(place: HookPlace, program: Program) -> str:
    """What the hooks of a work tree call with the hook's name and its arguments."""
    follows = os.path.relpath(place.folder, place.top)  # git runs hooks from the top of whichever work tree it is
    script, run = (
        shlex.quote(f"{follows}/{name}") for name in ("commit-msg", f"{'_/' if place.husky else ''}commit-msg")
    )
    parts = [
        "#!/bin/sh",
        f"{_MARK}this clone's. The hooks in the work tree call it; `agentguard hook uninstall git` takes it away.",
        *_settings(program),
        "# Without an editor git runs commit-msg at once, which looks at what is staged as well.",
        f'if [ "$1" = pre-commit ] && [ "${{GIT_EDITOR-}}" = : ] && [ -x {run} ] && grep -qs "^{BEGIN}" {script}; then',
        "  exit 0",
        "fi",
        *_start('"$@"', fed=False),
    ]
    return "\n".join(parts) + "\n"


def tree_block(hook: str) -> str:
    """The lines that a hook of the work tree gets. They name no machine, and let go on who has no AgentGuard."""
    call = f'"$agentguard_gate" {hook} "$@" || exit'
    if hook == "pre-push":  # what git tells it on its input is for the rest of the hook as well
        call = f'agentguard_refs=$(cat)\n  printf "%s\\n" "$agentguard_refs" | {call}'
        call += "\n  exec <<AGENTGUARD_REFS\n$agentguard_refs\nAGENTGUARD_REFS"
    return (
        f"{BEGIN} (`agentguard hook install git` wrote this, `agentguard hook uninstall git` takes it away)\n"
        'agentguard_gate="$(git rev-parse --git-common-dir)/agentguard/gate"\n'
        'if [ -x "$agentguard_gate" ]; then\n'
        f"  {call}\n"
        "else\n"
        '  echo "agentguard: no gate in this clone, nothing was looked at; make it: agentguard hook install git" >&2\n'
        "fi\n"
        f"{END}\n"
    )


def is_ours(text: str) -> bool:
    """Whether a hook is one of `own_hook`, of any version, changed or not."""
    return text.startswith(f"#!/bin/sh\n{_MARK}")


def program_of(text: str) -> Program | None:
    """The program that a hook or a launcher of ours starts; None when it does not say so any more."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name in _FIELDS and name not in found:
            words = shlex.split(value) if _closed(value) else []
            found[name] = words[0] if words else ""
    return Program(**found) if len(found) == len(_FIELDS) else None


_FIELDS = ("python", "start", "home", "packages", "command")


def _settings(program: Program) -> list[str]:
    return [f"{name}={shlex.quote(getattr(program, name))}" for name in _FIELDS]


def _closed(value: str) -> bool:
    try:
        shlex.split(value)
    except ValueError:
        return False
    return True


def _start(words: str, *, fed: bool) -> list[str]:
    """Start the gate with `words`, or say why not. `fed`: what git told the hook is in $refs."""
    run = f'"$python" -I -S -X "agentguard=$command" "$start" "$home" "$packages" {words}'
    return [
        'if [ -x "$python" ] && [ -r "$start" ]; then',
        f'  printf %s "$refs" | {run}; exit' if fed else f"  exec {run}",
        "fi",
        'echo "agentguard: the gate cannot start, so this was stopped: $start or $python is gone;" \\',
        "  \"run 'agentguard hook install git' again, or delete $0\" >&2",
        "exit 1",
    ]


_NOT_TWICE = '[ -x "$before" ] && [ -z "${PRE_COMMIT_RUNNING_LEGACY-}" ]'
"""The pre-commit framework, installed over us, calls us as the older hook: it is itself what stood there before."""

_PLAIN_CHAIN = (f'if {_NOT_TWICE}; then "$before" "$@" || exit; fi',)
_CHAIN = {
    "pre-commit": _PLAIN_CHAIN,
    "commit-msg": _PLAIN_CHAIN,
    "pre-push": (
        "refs=$(cat; printf .)",
        "refs=${refs%.}",
        f'if {_NOT_TWICE}; then printf %s "$refs" | "$before" "$@" || exit; fi',
    ),
}
_LEFT_TO_COMMIT_MSG = (
    "# Without an editor (git says so) commit-msg follows at once and looks at what is staged too: one start, not two.",
    "follows=${0%/*}/commit-msg",
    'if [ "${GIT_EDITOR-}" = : ] && [ -x "$follows" ]; then',
    '  { read -r mark && read -r mark; } <"$follows"',
    f'  case $mark in "{_MARK}commit-msg."*) exit 0 ;; esac',
    "fi",
)
