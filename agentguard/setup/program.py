"""This program's own command, and where on a user's PATH a link to it may stand."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from agentguard.errors import ConfigError
from agentguard.setup.files import link_of

NAME = "agentguard"
_PACKAGE = Path(__file__).resolve().parents[1]


def own_command() -> Path:
    """What starts this very installation: the checkout's script, else the one that pip has made.

    Raises:
        ConfigError: there is none.
    """
    script = _PACKAGE.parent / "scripts" / NAME
    if script.is_file() and (_PACKAGE.parent / "pyproject.toml").is_file():
        return script
    user = sysconfig.get_preferred_scheme("user")
    for folder in (Path(sys.executable).parent, sysconfig.get_path("scripts"), sysconfig.get_path("scripts", user)):
        if os.access(found := Path(folder) / NAME, os.X_OK):
            return found
    raise ConfigError(f"there is no `{NAME}` beside {sys.executable}; install it with pip, pipx or uv, or from a clone")


def bin_folder(chosen: Path | None, home: Path, environ: Mapping[str, str]) -> Path:
    """~/.local/bin, or ~/bin where that alone is on the PATH.

    Other folders on it are only taken when `chosen` names one: other users have them too, or a tool makes them anew
    (a virtual environment, node's versions).
    """
    if chosen is not None:
        return Path(os.path.abspath(chosen.expanduser()))  # noqa: PTH100 - a link must keep its name
    on_path = path_folders(environ)
    usual, older = home / ".local/bin", home / "bin"
    return older if older in on_path and usual not in on_path and os.access(older, os.W_OK) else usual


def path_folders(environ: Mapping[str, str]) -> list[Path]:
    """Absolute ones, in their order."""
    return [Path(name) for name in environ.get("PATH", "").split(os.pathsep) if name.startswith("/")]


def link_words(link: Path, program: Path) -> str:
    """What is to be written into the link.

    Raises:
        ConfigError: something stands there that is no link to an AgentGuard.
    """
    there = link_of(link)
    if there is None and link.exists():
        raise ConfigError(f"{link} is there already and is no link of ours; choose another folder with --bin-dir DIR")
    if there is not None and Path(there).name != NAME:
        raise ConfigError(f"{link} leads to {there}, which is no AgentGuard; choose another folder with --bin-dir DIR")
    return str(program)


def found_on_path(program: Path, environ: Mapping[str, str], own_link: str) -> Path | None:
    """Where the PATH leads to this installation without a link of ours (pip, pipx and uv see to it); None where not.

    An activated virtual environment does not count: it is left again.
    """
    found = shutil.which(NAME, path=environ.get("PATH"))
    if found is None or found == own_link or not Path(found).samefile(program):
        return None
    active = environ.get("VIRTUAL_ENV")
    return None if active and Path(found).is_relative_to(active) else Path(found)
