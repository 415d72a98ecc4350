"""A secret that a real client sends is seen as claimed; its own login, and what only looks like one, raises nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from harness.guarded import Event, of_kind
from harness.ordinary_user import open_folder

from evasion.sends.needs import why_not
from evasion.sends.session import guarded_in, need_network
from evasion.sends.table import CLIENTS, QUIET
from evasion.sends.tools import Tools, make_client_tools
from evasion.sends.trial import Trial, Tried, observed, try_ways
from evasion.sends.way import Way

pytestmark = [pytest.mark.xdist_group("clients"), pytest.mark.slow, pytest.mark.timeout(420)]
CAPTURED = tuple(way for way in CLIENTS.ways if way.captured is not None)
_LOUD = ("alert", "blocked")


class Played:
    """Sessions that several tests look at, each played when the first asks for it."""

    def __init__(self, folders: ExitStack) -> None:
        self._folders = folders
        self._tools: Tools | None = None
        self._trials: dict[tuple[Way, ...], Trial] = {}

    def tools(self, installer: dict[str, str]) -> Tools:
        if self._tools is None:
            self._tools = make_client_tools(self._folders.enter_context(open_folder()), installer)
        return self._tools

    def trial(self, ways: tuple[Way, ...], tools: Tools, *options: str) -> Trial:
        if ways not in self._trials:
            need_network()
            guarded = guarded_in(self._folders.enter_context(open_folder()), ())
            can = [way for way in ways if not why_not(way, tools)]
            self._trials[ways] = try_ways(guarded, tools.folder, can, options=options)
        return self._trials[ways]


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    with ExitStack() as folders:
        yield Played(folders)


@pytest.fixture
def tools(played: Played, installer_env: dict[str, str]) -> Tools:
    return played.tools(installer_env)


@pytest.mark.parametrize("way", CLIENTS.ways, ids=lambda way: way.id)
def test_a_client_is_seen_as_claimed(way: Way, played: Played, tools: Tools) -> None:
    if reason := why_not(way, tools):
        pytest.skip(reason)
    trial = played.trial(CLIENTS.ways, tools)
    assert observed(trial, trial.tried[way.id]) is way.claimed(capture=False)


@pytest.mark.parametrize("way", CAPTURED, ids=lambda way: way.id)
def test_with_capture_a_client_that_knows_no_proxy_is_seen(way: Way, played: Played, tools: Tools) -> None:
    if reason := why_not(way, tools):
        pytest.skip(reason)
    trial = played.trial(CAPTURED, tools, "--capture")
    assert observed(trial, trial.tried[way.id]) is way.claimed(capture=True)


@pytest.mark.parametrize("way", QUIET, ids=lambda way: way.id)
def test_nothing_comes_of_what_is_no_leak(way: Way, played: Played, tools: Tools) -> None:
    if reason := why_not(way, tools):
        pytest.skip(reason)
    trial = played.trial(QUIET, tools)
    tried = trial.tried[way.id]
    assert tried.arrived, f"it does not work: {tried.printed}"
    told = [event for event in trial.events if event["kind"] != "file" and _is_of(event, tried)]
    assert not [event["reason"] for event in told if event["disposition"] in _LOUD or event["outcome"] == "leaked"]
    sends = [event for event in told if event["activity"] == "send"]
    assert bool(way.variable) is bool(sends), [(event["reason"], event["matches"]) for event in sends]


def test_a_session_of_nothing_but_look_alikes_is_clean(played: Played, tools: Tools) -> None:
    trial = played.trial(QUIET, tools)
    assert not [event["gap"] for event in of_kind(trial.events, "gap") if event["gap"]["counts"]]
    assert trial.outcome == "clean"


def _is_of(event: Event, tried: Tried) -> bool:
    process = event["process"]
    return bool(process) and bool({process["pid"], *(link["pid"] for link in process["ancestors"])} & set(tried.pids))
