"""A repository of each test's own, and one gate for all of them: its policies are compiled once."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.repository import Repository, new_repository

from agentguard.hooks.program import prepare, this_program
from agentguard.hooks.scripts import Program


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    found = this_program(tmp_path_factory.mktemp("gate home"))
    prepare(found)
    return found


@pytest.fixture
def bare(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Without a gate. The configuration of this machine does not reach it, nor those who ask git in this process."""
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return new_repository(tmp_path / "shop with a 'quote'", home)


@pytest.fixture
def guarded(bare: Repository, program: Program) -> Repository:
    bare.guard(program)
    return bare
