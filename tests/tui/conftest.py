"""The dashboard's database: filled once, and a copy of it for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import tui_sample as sample

from agentguard.config import open_home
from agentguard.record.writer import Writer


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with the sample's sessions. Only to be copied."""
    return sample.fill(tmp_path_factory.mktemp("filled") / "home").parent


@pytest.fixture
def database(filled: Path, home: Path) -> Path:
    """This test's own."""
    shutil.copytree(filled, home / ".agentguard")
    return home / ".agentguard" / "agentguard.db"


@pytest.fixture
def writer(database: Path) -> Iterator[Writer]:
    """Of the test's database, as a supervisor has it."""
    writer = Writer(open_home(database.parent))
    writer.start()
    yield writer
    writer.close()
