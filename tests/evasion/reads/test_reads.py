"""Each way of the table is tried in a guarded session, and must be seen exactly as well as the table claims."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from harness.guarded import Guarded
from harness.ordinary_user import open_folder, ordinary_user_prefix

from evasion.reads.needs import NEW_PIDS, why_not
from evasion.reads.table import WAYS
from evasion.reads.tools import Tools, make_tools
from evasion.reads.trial import Trial, follows, observed, try_ways
from evasion.reads.way import Way

pytestmark = pytest.mark.slow
Trials = Callable[[Way], Trial]


@pytest.fixture(scope="module")
def tools() -> Iterator[Tools]:
    with open_folder() as folder:
        yield make_tools(folder)


@pytest.fixture(scope="module", params=["as we are", "as an ordinary user"])
def prefix(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return () if request.param == "as we are" else ordinary_user_prefix()


@pytest.fixture(scope="module")
def trials(prefix: tuple[str, ...], tools: Tools) -> Iterator[Trials]:
    """One session for nearly all; run when the first way asks for it."""
    done: dict[bool, Trial] = {}
    with ExitStack() as folders:

        def trial_of(way: Way) -> Trial:
            if way.own_session not in done:
                ways = [one for one in WAYS if one.own_session is way.own_session and not why_not(one, prefix, tools)]
                guarded = _guarded(folders.enter_context(open_folder()), prefix)
                done[way.own_session] = try_ways(guarded, tools, ways, inner=NEW_PIDS if way.own_session else ())
            return done[way.own_session]

        yield trial_of


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.id)
def test_a_way_is_seen_as_claimed(way: Way, prefix: tuple[str, ...], tools: Tools, trials: Trials) -> None:
    if reason := why_not(way, prefix, tools):
        pytest.skip(reason)
    trial = trials(way)
    tried = trial.tried[way.id]
    seen, claimed = observed(trial, tried), way.claimed(root=trial.root)
    assert seen is claimed
    followed = not way.follows or follows(trial, tried)
    assert followed, "the value of the copy was not recognised"


def _guarded(base: Path, prefix: tuple[str, ...]) -> Guarded:
    project, user_home = base / "project", base / "user"
    for folder in (project, user_home, base / "tmp"):
        folder.mkdir()
        folder.chmod(0o777)
    return Guarded(home=base / "home", project=project, user_home=user_home, prefix=prefix)
