"""Each way of the table is tried in a guarded session, and must be seen exactly as well as the table claims."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.ordinary_user import open_folder, ordinary_user_prefix

from evasion.sends.needs import why_not
from evasion.sends.session import guarded_in, need_network
from evasion.sends.table import WAYS
from evasion.sends.tools import Tools, make_tools
from evasion.sends.trial import Trial, observed, try_ways
from evasion.sends.way import Way
from evasion.sends.ways.round_the_proxy import AROUND

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def tools() -> Iterator[Tools]:
    with open_folder() as folder:
        yield make_tools(folder)


@pytest.fixture(scope="module")
def trial(tools: Tools) -> Iterator[Trial]:
    """One session for all, of an ordinary user; the clients of `test_clients` are those of whoever runs the tests."""
    need_network()
    ways = [way for way in WAYS if not why_not(way, tools)]
    with open_folder() as base:
        yield try_ways(guarded_in(base, ordinary_user_prefix()), tools.folder, ways)


@pytest.mark.xdist_group("sends")
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.id)
def test_a_way_is_seen_as_claimed(way: Way, tools: Tools, trial: Trial) -> None:
    if reason := why_not(way, tools):
        pytest.skip(reason)
    assert observed(trial, trial.tried[way.id]) is way.claimed(capture=False)


@pytest.fixture(scope="module")
def captured(tools: Tools) -> Iterator[Trial]:
    need_network()
    ways = [way for way in AROUND.ways if not why_not(way, tools)]
    with open_folder() as base:
        yield try_ways(guarded_in(base, ordinary_user_prefix()), tools.folder, ways, options=("--capture",))


@pytest.mark.xdist_group("sends captured")
@pytest.mark.parametrize("way", AROUND.ways, ids=lambda way: way.id)
def test_with_capture_a_way_round_the_proxy_is_seen_as_claimed(way: Way, tools: Tools, captured: Trial) -> None:
    if reason := why_not(way, tools):
        pytest.skip(reason)
    assert observed(captured, captured.tried[way.id]) is way.claimed(capture=True)
