"""A scripted shell step that writes down who it is before it becomes the command: the truth that events are held to."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

PROBE = """\
# usage: sh probe.sh NAME COMMAND... : writes this process and its ancestors to NAME, then becomes COMMAND.
out=${0%/*}/$1
shift
pid=$$
: > "$out"
while [ "$pid" -gt 1 ]; do
    echo "$pid $(readlink "/proc/$pid/exe")" >> "$out"
    while read -r key value _; do
        if [ "$key" = PPid: ]; then pid=$value; fi
    done < "/proc/$pid/status"
done
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class Link:
    pid: int
    exe: str


class Tracer:
    """Makes traced shell commands and reads what they wrote."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "probe.sh").write_text(PROBE)

    def command(self, name: str, command: str) -> str:
        """A shell command that runs `command` under the pid it logs as `name`."""
        return f"sh {shlex.quote(str(self._folder / 'probe.sh'))} {name} {command}"

    def chain(self, name: str) -> list[Link]:
        """The process of `name`, then its ancestors, nearest first, up to the first child of init.

        `exe` of the first is the shell's: it had not become the command yet. Empty when the step never ran.
        """
        file = self._folder / name
        lines = file.read_text().splitlines() if file.exists() else []
        return [Link(int(pid), exe) for pid, exe in (line.split(" ", 1) for line in lines)]
