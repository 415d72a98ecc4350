"""Where git looks for the hooks of a repository, and of what kind that place is."""

from __future__ import annotations

import os
import stat
import subprocess
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from agentguard.errors import ConfigError

HOOKS = ("pre-commit", "commit-msg", "pre-push")
"""What the gate is made of, in the order in which git runs them."""

_HUSKY = (".husky", "_")
"""Last parts of the folder that husky 9 has git look in. It writes that anew at each `npm install`; the scripts of the
project lie in the folder above."""


class PlaceKind(StrEnum):
    """Whose the folder of the hooks is."""

    REPOSITORY = "repository"
    """git's own, inside `.git`: of this clone alone, shared by its work trees."""
    SHARED = "shared"
    """Named by core.hooksPath, outside of the repository: every repository that names it runs its hooks."""
    TREE = "tree"
    """Named by core.hooksPath, a part of the work tree: others get it with the next pull."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookPlace:
    """Of one repository. All paths are absolute."""

    top: Path
    """Of the work tree."""
    common: Path
    """The `.git` folder that all its work trees share."""
    folder: Path
    """Where the hooks are written. It may not exist yet."""
    kind: PlaceKind
    husky: bool = False
    """Of husky 9: git runs husky's own hooks, and those run ours with `sh`."""
    hooks_path: str = ""
    """core.hooksPath as it is set; "" when it is not."""
    set_by: str = ""
    """Where it is set, in git's words (`file:/home/ada/.gitconfig`, `command line:`)."""

    def hook(self, name: str) -> Path:
        """Where a hook stands, if it does."""
        return self.folder / name

    @property
    def launcher(self) -> Path:
        """What hooks that are a part of the work tree call: it alone knows where AgentGuard lies on this machine."""
        return self.common / "agentguard" / "gate"


def find_place(folder: Path) -> HookPlace:
    """Of the repository that `folder` lies in.

    Raises:
        ConfigError: it lies in none, or in a bare one; git is missing or refuses; core.hooksPath names no folder.
    """
    # The top comes last: its name alone may hold the end of a line.
    words = ("--git-common-dir", "--git-path", "hooks", "--show-toplevel")
    try:
        common, hooks, shown = git(folder, "rev-parse", *words).split("\n", 2)
    except ConfigError as error:
        raise _in_our_words(folder, error) from None
    top = Path(shown)
    hooks_path, set_by = _setting(folder)
    named = Path(os.path.normpath(top / hooks_path if hooks_path else folder / hooks))  # git runs hooks from the top
    common_dir = (folder / common).resolve()
    husky = named.parts[-2:] == _HUSKY
    place = named.parent if husky else named
    if _is_no_folder(named):
        raise ConfigError(f"core.hooksPath is {hooks_path}, which is no folder: git runs no hooks here; unset it first")
    return HookPlace(
        top=top,
        common=common_dir,
        folder=place,
        kind=_kind(place, top, common_dir),
        husky=husky,
        hooks_path=hooks_path,
        set_by=set_by,
    )


def submodules(top: Path) -> list[Path]:
    """Work trees of the submodules that are checked out, at every depth.

    Raises:
        ConfigError: git refuses.
    """
    found: list[Path] = []
    for entry in git(top, "ls-files", "--stage", "-z").split("\0"):
        mode, _, path = entry.partition("\t")
        if mode.startswith("160000") and (top / path / ".git").exists():
            found += [top / path, *submodules(top / path)]
    return found


def git(folder: Path, *words: str) -> str:
    """What git answers, without the line end behind it. It obeys its environment, as it would for the user.

    Raises:
        ConfigError: git is missing, or refuses, in its own words, in English.
    """
    try:
        environ = {**os.environ, "LC_ALL": "C"}
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, env=environ, check=False)
    except OSError as error:
        raise ConfigError(f"cannot start git: {error.strerror}; install it, or put it on PATH") from None
    if done.returncode:
        said = next(iter(done.stderr.decode("utf-8", "replace").splitlines()), f"status {done.returncode}")
        raise ConfigError(f"git {words[0]} in {folder}: {said.removeprefix('fatal: ')}")
    return os.fsdecode(done.stdout).removesuffix("\n")


def _in_our_words(folder: Path, error: ConfigError) -> ConfigError:
    """git names commands that nobody has typed."""
    if "not a git repository" in str(error):
        return ConfigError(f"{folder} is in no git repository; name a folder that is, or change to one")
    if "must be run in a work tree" in str(error):
        return ConfigError(f"{folder} is a bare repository or in `.git`: nobody commits there; name a work tree")
    return error


def _setting(folder: Path) -> tuple[str, str]:
    """core.hooksPath, and where it is set; ("", "") when it is not."""
    words = ("config", "--null", "--show-origin", "--type=path", "--get", "core.hooksPath")
    try:
        origin, value, *_ = git(folder, *words).split("\0")
    except ConfigError:  # git's way of saying that it is not set
        return "", ""
    return value, origin


def _kind(folder: Path, top: Path, common: Path) -> PlaceKind:
    real = folder.resolve()
    if real.is_relative_to(common):
        return PlaceKind.REPOSITORY
    return PlaceKind.TREE if real.is_relative_to(top.resolve()) else PlaceKind.SHARED


def _is_no_folder(path: Path) -> bool:
    try:
        return not stat.S_ISDIR(path.stat().st_mode)
    except OSError:
        return False
