"""The suite's own safety net: what every test sees of the environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agentguard.config import home_path


def test_every_test_has_a_home_of_its_own(home: Path, tmp_path: Path) -> None:
    assert Path.home() == home
    assert home_path(None).is_relative_to(home)
    assert Path("~/x").expanduser().is_relative_to(home)
    assert not home.is_relative_to(tmp_path)
    assert not any(home.iterdir())


def test_nothing_of_the_real_environment_but_harmless_names() -> None:
    marks = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PROXY", "CREDENTIAL", "SSH_AUTH")
    assert [name for name in os.environ if any(mark in name.upper() for mark in marks)] == []


def test_installers_keep_this_machines_cache(installer_env: dict[str, str], home: Path) -> None:
    assert installer_env["HOME"] == str(home)
    assert not Path(installer_env["PIP_CACHE_DIR"]).is_relative_to(home)


@pytest.mark.parametrize("name", ["HOME", "AGENTGUARD_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"])
def test_folders_of_the_user_are_temporary(name: str, home: Path) -> None:
    assert Path(os.environ[name]).is_relative_to(home)
