"""Real coding agents, led through a script by a scripted model, on a network that is nothing but loopback."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from support import isolation
from support.agents import AGENTS, CODEX_SANDBOXED, Agent
from support.install import CannotInstallError
from support.play import Play
from support.server import COLLECTOR
from support.stage import Played
from support.verbs import Home, JsonObject, files_with, fingerprints, reads, sends

pytestmark = [pytest.mark.slow, pytest.mark.agents, pytest.mark.timeout(420)]


@dataclass(frozen=True, slots=True)
class Named:
    pid: int
    name: str


@dataclass(frozen=True, slots=True)
class Process:
    """As an event has it, and as the process itself wrote it down."""

    pid: int
    name: str
    ancestors: tuple[Named, ...]


@pytest.fixture(params=AGENTS, ids=lambda agent: agent.id)
def play(request: pytest.FixtureRequest, tmp_path: Path, installer_env: dict[str, str]) -> Play:
    return _play(request.param, tmp_path, installer_env)


def test_an_agent_plays_its_script_without_the_guard(play: Play) -> None:
    played = play.direct()

    assert played.status == 0, played.err
    (collected,) = played.to(COLLECTOR)
    for value in play.planted.values:
        assert value in collected["body"]
    prompts = [request["body"] for request in played.to("localhost")]
    assert any(all(value in body for value in play.planted.values) for body in prompts)
    for step in ("cat", "curl"):
        chain = play.tracer.chain(step)
        assert any(Path(link.exe).name == play.agent.exe for link in chain), chain


def test_the_guard_sees_every_read_send_and_flow(play: Play) -> None:
    guarded = play.guarded()
    played, home = guarded.played, Home(play.guard_home)

    assert played.status == 0, played.err
    assert all(value in body for value in play.planted.values for body in _bodies(played, COLLECTOR))
    events, session = home.events(), home.session()
    assert {event["session"] for event in events} == {session["uid"]} == {guarded.session}
    assert session["agent"] == play.agent.id
    assert session["exit_status"] == 0
    assert session["outcome"] == "leaked"
    assert [event["gap"] for event in events if event["gap"] and event["gap"]["counts"]] == []

    planted = {home.fingerprint(value) for value in play.planted.credentials}
    cat, curl = (_expected(play, step, session["root_pid"]) for step in ("cat", "curl"))
    agent = next(link for link in cat.ancestors if link.name == play.agent.exe)
    own_reads = [event for event in reads(events, agent.pid) if event["path"].endswith(f"/{play.agent.native}")]
    assert own_reads, "the agent's own read is missing"
    for expected, found in ((cat, reads(events, cat.pid)), (curl, reads(events, curl.pid))):
        (read,) = found
        assert read["path"] == str(play.workspace / ".env")
        assert _process(read) == expected
    for read in (*own_reads, *reads(events, cat.pid), *reads(events, curl.pid)):
        assert read["attribution"] == "exact"
        assert planted <= fingerprints(read)
    assert {event["process"]["name"] for event in own_reads} == {play.agent.exe}

    (leak,) = sends(events, COLLECTOR)
    assert _process(leak) == curl
    assert (leak["attribution"], leak["outcome"], leak["disposition"]) == ("exact", "leaked", "alert")
    assert planted <= fingerprints(leak)
    source = next(event for event in events if event["uid"] == leak["flow"]["read"])
    assert (source["activity"], source["path"]) == ("read", str(play.workspace / ".env"))
    assert leak["flow"]["fingerprint"] in fingerprints(source) & fingerprints(leak)
    assert 0 <= leak["flow"]["seconds"] < 60

    prompts = [event for event in sends(events, play.agent.host) if event["outcome"] == "exposed"]
    assert prompts
    assert planted <= {match for prompt in prompts for match in fingerprints(prompt)}
    assert {prompt["process"]["pid"] for prompt in prompts} == {agent.pid}
    assert {prompt["destination"] for prompt in prompts} == {"model"}


def test_no_planted_value_is_kept(play: Play) -> None:
    play.guarded()
    home = Home(play.guard_home)
    for form in ("html", "md", "json"):
        home.verb("report", "--last", "--format", form, "-o", str(play.guard_home / f"report.{form}"))
    (play.guard_home / "events").write_text(home.verb("events"))
    (play.guard_home / "sessions").write_text(home.verb("sessions"))

    assert list(play.run_folder.iterdir())
    for value in play.planted.values:
        for folder in (play.guard_home, play.run_folder):
            assert list(files_with(folder, value.encode())) == []


def test_the_guard_sees_into_a_sandbox(tmp_path: Path, installer_env: dict[str, str]) -> None:
    play = _play(CODEX_SANDBOXED, tmp_path, installer_env)

    guarded = play.guarded()

    if not play.tracer.chain("cat"):
        pytest.skip(f"Codex cannot make its sandbox here: {guarded.played.out[-500:]}")
    home = Home(play.guard_home)
    events, session = home.events(), home.session()
    assert play.tracer.chain("cat")[0].pid < 10, "the sandbox has process ids of its own"
    for name in ("cat", "curl"):
        (read,) = [event for event in events if event["activity"] == "read" and event["process"]["name"] == name]
        assert (read["path"], read["attribution"]) == (str(play.workspace / ".env"), "exact")
        ancestors = read["process"]["ancestors"]
        assert (ancestors[-1]["pid"], ancestors[-1]["name"]) == (session["root_pid"], "codex")
        assert read["process"]["pid"] > 10, "its id outside of the sandbox"
    # curl found no network: what the model was told is all that left.
    assert sends(events, COLLECTOR) == guarded.played.to(COLLECTOR) == []
    assert session["outcome"] == "exposed"


def _play(agent: Agent, folder: Path, installer_env: dict[str, str]) -> Play:
    if reason := isolation.why_not():
        pytest.skip(reason)
    try:
        program = agent.install(installer_env)
    except CannotInstallError as error:
        pytest.skip(f"{agent.id} cannot be installed: {error}")
    return Play(agent, program, folder)


def _bodies(played: Played, host: str) -> list[str]:
    bodies = [request["body"] for request in played.to(host)]
    assert bodies
    return bodies


def _expected(play: Play, step: str, root: int) -> Process:
    """What an event must say of the process that ran `step`: its own word, up to the session's root."""
    chain = play.tracer.chain(step)
    pids = [link.pid for link in chain]
    ancestors = tuple(Named(link.pid, Path(link.exe).name) for link in chain[1 : pids.index(root) + 1])
    return Process(pids[0], step, ancestors)


def _process(event: JsonObject) -> Process:
    process = event["process"]
    ancestors = tuple(Named(link["pid"], link["name"]) for link in process["ancestors"])
    return Process(process["pid"], process["name"], ancestors)
