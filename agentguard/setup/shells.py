"""The shells of a user: which file each reads at its start, and our lines for it."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SHELLS = ("bash", "zsh", "fish")
_NOTE = "# Put here by `agentguard install`; `agentguard uninstall` takes it out again."
_ALIASES_NOTE = "# These agents start guarded. To start one without: command NAME"


@dataclass(frozen=True, slots=True)
class Folders:
    """Where programs keep a user's settings and data."""

    home: Path
    config: Path
    data: Path
    zsh: Path

    @classmethod
    def of(cls, environ: Mapping[str, str], home: Path) -> Folders:
        """As the XDG base directory specification and zsh have it; a relative path counts as none."""

        def named(variable: str, default: Path) -> Path:
            path = Path(environ.get(variable) or default)
            return path if path.is_absolute() else default

        return cls(
            home=home,
            config=named("XDG_CONFIG_HOME", home / ".config"),
            data=named("XDG_DATA_HOME", home / ".local/share"),
            zsh=named("ZDOTDIR", home),
        )

    def start_file(self, shell: str) -> Path:
        """What an interactive shell reads. A Mac's terminal starts bash as a login shell, which reads another."""
        if shell == "fish":
            return self.config / "fish/conf.d/agentguard.fish"
        if shell == "zsh":
            return self.zsh / ".zshrc"
        profile = self.home / ".bash_profile"
        return profile if sys.platform == "darwin" and profile.exists() else self.home / ".bashrc"

    def completions(self, shell: str) -> Path:
        """Where the shell looks for completions of the user's own; zsh has no such folder, and is told of this one."""
        return {
            "bash": self.data / "bash-completion/completions/agentguard",
            "zsh": self.data / "agentguard/zsh/_agentguard",
            "fish": self.config / "fish/completions/agentguard.fish",
        }[shell]

    @property
    def manual(self) -> Path:
        """`man` looks here for whoever has ~/.local/bin on the PATH."""
        return self.data / "man/man1/agentguard.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """What our lines are to do."""

    aliases: Sequence[str]
    """Names of agents."""
    home_option: str = ""
    """` --home DIR`, for a home folder that is not the usual one."""
    bin_dir: Path | None = None
    """To be put on the PATH; None when it is there."""
    completions: Path | None = None
    """The folder of zsh's completions; None where the shell finds them."""

    def of(self, shell: str) -> list[str]:
        """For a shell's start file; none when there is nothing to do there."""
        made = _fish(self) if shell == "fish" else _posix(self, zsh=shell == "zsh")
        return [_NOTE, *made] if made else []


def shells_of(folders: Folders, environ: Mapping[str, str]) -> list[str]:
    """The login shell, and those that are there and have a start file (fish: a folder of settings)."""
    login = Path(environ.get("SHELL", "")).name
    path = environ.get("PATH")

    def used(shell: str) -> bool:
        start = folders.config / "fish" if shell == "fish" else folders.start_file(shell)
        return shell == login or (shutil.which(shell, path=path) is not None and start.exists())

    return [shell for shell in SHELLS if used(shell)]


def own_meaning(text: bytes, name: str) -> bool:
    """Whether a start file makes an alias or a function of `name`, which ours would hide."""
    word = re.escape(name.encode())
    forms = rb"alias[ \t][^#\n]*?\b" + word + rb"[= \t]|function[ \t]+" + word + rb"\b|" + word + rb"[ \t]*\(\)"
    return re.search(rb"^[ \t]*(?:" + forms + rb")", text, re.MULTILINE) is not None


def _posix(lines: Lines, *, zsh: bool) -> list[str]:
    made = []
    if lines.bin_dir is not None:
        folder = shlex.quote(str(lines.bin_dir))
        made.append(f'case ":$PATH:" in *:{folder}:*) ;; *) export PATH={folder}":$PATH" ;; esac')
    if zsh and lines.completions is not None:
        made.append(f"fpath=({shlex.quote(str(lines.completions))} $fpath)")
        made.append("autoload -Uz _agentguard && (( $+functions[compdef] )) && compdef _agentguard agentguard")
    if lines.aliases:
        made += [_ALIASES_NOTE, "if command -v agentguard >/dev/null 2>&1; then"]
        made += [f"  alias {name}={shlex.quote(_guarded(lines, name))}" for name in lines.aliases]
        made.append("fi")
    return made


def _fish(lines: Lines) -> list[str]:
    made = []
    if lines.bin_dir is not None:
        folder = _fish_quoted(str(lines.bin_dir))
        made.append(f"contains -- {folder} $PATH; or set -gx PATH {folder} $PATH")
    if lines.aliases:
        made += [_ALIASES_NOTE, "if status is-interactive; and command -q agentguard"]
        for name in lines.aliases:
            made.append(f"    function {name} --wraps {name}; agentguard run{lines.home_option} -- {name} $argv; end")
        made.append("end")
    return made


def _guarded(lines: Lines, name: str) -> str:
    return f"agentguard run{lines.home_option} -- {name}"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
