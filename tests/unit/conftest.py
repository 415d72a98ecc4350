"""Its presence lets test files import the builders beside it."""

from __future__ import annotations

import pytest
from formats_sample import record_formats

from agentguard.config import Home


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home folder of `formats_sample`: read it, never write."""
    return record_formats(tmp_path_factory.mktemp("told"))
