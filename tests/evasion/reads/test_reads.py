"""Each way of the table is tried in a guarded session, and must be seen exactly as well as the table claims."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from harness.guarded import Guarded
from harness.one_worker import one_worker_each
from harness.ordinary_user import open_folder, ordinary_user_prefix

from agentguard.native.find import find_library
from evasion.reads.needs import NEW_PIDS, why_not
from evasion.reads.table import WAYS
from evasion.reads.tools import Tools, make_tools
from evasion.reads.trial import Trial, follows, observed, try_ways
from evasion.reads.way import Way

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
_SENSORS = {
    "best": {},
    "native loop": {"AGENTGUARD_GATE": "off"},
    "Python loop": {"AGENTGUARD_GATE": "off", "AGENTGUARD_LOOP": "python"},
}
_SETTINGS = (("as an ordinary user", "best"), ("as we are", "native loop"), ("as an ordinary user", "Python loop"))
"""Each user and each sensor, at twenty seconds a session. Not each with each: no sensor asks whose session it is."""
Trials = Callable[[Way], Trial]


@pytest.fixture(scope="module")
def tools() -> Iterator[Tools]:
    with open_folder() as folder:
        yield make_tools(folder)


@pytest.fixture(
    scope="module",
    params=one_worker_each("reads", _SETTINGS),
    ids=" with the ".join,
)
def setting(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Whose session it is, and which of the file sensors serve: the best that this machine has, or the least."""
    user, sensors = request.param
    return user, sensors


@pytest.fixture(scope="module")
def prefix(setting: tuple[str, str]) -> tuple[str, ...]:
    return () if setting[0] == "as we are" else ordinary_user_prefix()


@pytest.fixture(scope="module")
def trials(setting: tuple[str, str], prefix: tuple[str, ...], tools: Tools) -> Iterator[Trials]:
    """One session for nearly all; run when the first way asks for it."""
    done: dict[bool, Trial] = {}
    with ExitStack() as folders:

        def trial_of(way: Way) -> Trial:
            if way.own_session not in done:
                ways = [one for one in WAYS if one.own_session is way.own_session and not why_not(one, prefix, tools)]
                guarded = _guarded(folders.enter_context(open_folder()), prefix, _SENSORS[setting[1]])
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


def test_the_sensors_are_those_meant(setting: tuple[str, str], trials: Trials) -> None:
    said = trials(WAYS[0]).sensors["seccomp"]
    assert ("native loop" in said) is (setting[1] != "Python loop" and find_library("loop") is not None)
    assert ("with the gate" in said) is (setting[1] == "best" and find_library("gate") is not None)


def _guarded(base: Path, prefix: tuple[str, ...], extra: dict[str, str]) -> Guarded:
    project, user_home = base / "project", base / "user"
    for folder in (project, user_home, base / "tmp"):
        folder.mkdir()
        folder.chmod(0o777)
    return Guarded(home=base / "home", project=project, user_home=user_home, prefix=prefix, extra=extra)
