"""A session of the tests: where it lives, whose it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import isolation
from harness.guarded import Guarded


def need_network() -> None:
    """Skip the test where there can be no network of its own."""
    if reason := isolation.why_not():
        pytest.skip(reason)


def guarded_in(base: Path, prefix: tuple[str, ...]) -> Guarded:
    project, user_home = base / "project", base / "user"
    for folder in (project, user_home, base / "tmp"):
        folder.mkdir()
        folder.chmod(0o777)
    return Guarded(home=base / "home", project=project, user_home=user_home, prefix=prefix)
