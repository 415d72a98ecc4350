"""Each way of the table is tried in a guarded session, and must be seen exactly as well as the table claims."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import isolation
from harness.guarded import Guarded
from harness.ordinary_user import open_folder, ordinary_user_prefix

from evasion.scripts import write_scripts
from evasion.sends.needs import why_not
from evasion.sends.table import WAYS
from evasion.sends.trial import Trial, observed, try_ways
from evasion.sends.way import Way

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["as we are", "as an ordinary user"])
def trial(request: pytest.FixtureRequest) -> Iterator[Trial]:
    """One session for all."""
    if reason := isolation.why_not():
        pytest.skip(reason)
    prefix = () if request.param == "as we are" else ordinary_user_prefix()
    with open_folder() as base, open_folder() as tools:
        write_scripts(tools, [Path(__file__).parent], "from kit import *")
        ways = [way for way in WAYS if not why_not(way)]
        yield try_ways(_guarded(base, prefix), tools, ways)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.id)
def test_a_way_is_seen_as_claimed(way: Way, trial: Trial) -> None:
    if reason := why_not(way):
        pytest.skip(reason)
    assert observed(trial, trial.tried[way.id]) is way.claim


def _guarded(base: Path, prefix: tuple[str, ...]) -> Guarded:
    project, user_home = base / "project", base / "user"
    for folder in (project, user_home, base / "tmp"):
        folder.mkdir()
        folder.chmod(0o777)
    return Guarded(home=base / "home", project=project, user_home=user_home, prefix=prefix)
