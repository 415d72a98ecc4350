"""Real coding agents, led through a script by a scripted model, on a network that is nothing but loopback."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import isolation
from support.agents import AGENTS, Agent
from support.install import CannotInstallError
from support.play import Play
from support.server import COLLECTOR

pytestmark = [pytest.mark.slow, pytest.mark.agents, pytest.mark.timeout(420)]


@pytest.fixture(params=AGENTS, ids=lambda agent: agent.id)
def play(request: pytest.FixtureRequest, tmp_path: Path, installer_env: dict[str, str]) -> Play:
    agent: Agent = request.param
    if reason := isolation.why_not():
        pytest.skip(reason)
    try:
        program = agent.install(installer_env)
    except CannotInstallError as error:
        pytest.skip(f"{agent.id} cannot be installed: {error}")
    return Play(agent, program, tmp_path)


def test_an_agent_plays_its_script_without_the_guard(play: Play) -> None:
    played = play.direct()

    assert played.status == 0, played.err
    (collected,) = played.to(COLLECTOR)
    for value in play.planted.values.values():
        assert value in collected["body"]
    prompts = [request["body"] for request in played.to("localhost")]
    assert any(all(value in body for value in play.planted.values.values()) for body in prompts)
    for step in ("cat", "curl"):
        chain = play.tracer.chain(step)
        assert any(Path(link.exe).name == play.agent.exe for link in chain), chain
