"""Whole sessions: real processes, a real proxy, a real database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.guarded import Guarded
from harness.ordinary_user import open_folder, ordinary_user_prefix
from harness.planted import Planted, plant


@pytest.fixture
def base() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


@pytest.fixture
def guarded(base: Path) -> Guarded:
    """A project and a home of the user who runs the tests."""
    return _guarded(base, ())


@pytest.fixture(params=["as we are", "as an ordinary user"])
def guarded_by_each(request: pytest.FixtureRequest, base: Path) -> Guarded:
    """The same, twice."""
    return _guarded(base, () if request.param == "as we are" else ordinary_user_prefix())


@pytest.fixture
def as_user(base: Path) -> Guarded:
    """Of an ordinary user, whoever runs the tests."""
    return _guarded(base, ordinary_user_prefix())


@pytest.fixture
def planted(request: pytest.FixtureRequest) -> Iterator[Planted]:
    """Secrets in `.env` of the project; afterwards no byte of the home folder may hold one of them."""
    fixture = "guarded_by_each" if "guarded_by_each" in request.fixturenames else "guarded"
    guarded: Guarded = request.getfixturevalue(fixture)
    secrets = plant(guarded.project)
    yield secrets
    found = secrets.found_below(guarded.home)
    assert not found, f"a planted value was written to {found}"


def _guarded(base: Path, prefix: tuple[str, ...]) -> Guarded:
    project, user_home = base / "project", base / "user"
    for folder in (project, user_home, base / "tmp"):
        folder.mkdir()
        folder.chmod(0o777)
    return Guarded(home=base / "home", project=project, user_home=user_home, prefix=prefix)
