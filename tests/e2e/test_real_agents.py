"""Real coding agents, led through a script by a scripted model, on a network that is nothing but loopback."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from evasion.sends.table import AGENTS as ROWS
from harness import isolation
from harness.install import CannotInstallError
from harness.one_worker import one_worker_each
from support.agents import AGENTS, CODEX_SANDBOXED, Agent
from support.play import Guarded, Play
from support.server import COLLECTOR
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


@dataclass(frozen=True, slots=True)
class Session:
    """A session of one agent under the guard, and all that was recorded of it."""

    play: Play
    guarded: Guarded
    home: Home
    record: JsonObject
    events: list[JsonObject]
    planted: set[str]
    """Fingerprints."""

    def expected(self, step: str) -> Process:
        """What an event must say of the process that ran `step`: its own word, up to the session's root."""
        chain = self.play.tracer.chain(step)
        pids = [link.pid for link in chain]
        ancestors = tuple(Named(link.pid, Path(link.exe).name) for link in chain[1 : pids.index(self.root) + 1])
        return Process(pids[0], step, ancestors)

    @property
    def root(self) -> int:
        pid: int = self.record["root_pid"]
        return pid

    @property
    def agent_pid(self) -> int:
        """Of the process that is the agent's program, nearest above its shell."""
        return next(link.pid for link in self.expected("cat").ancestors if link.name == self.play.agent.exe)


@pytest.fixture(params=one_worker_each("agents", AGENTS), ids=lambda agent: agent.id)
def agent(request: pytest.FixtureRequest) -> Agent:
    chosen: Agent = request.param
    return chosen


@pytest.fixture(scope="module")
def finished() -> dict[str, Session]:
    """A session takes seconds: it is played once and looked at from several sides."""
    return {}


@pytest.fixture
def session(
    agent: Agent,
    finished: dict[str, Session],
    tmp_path_factory: pytest.TempPathFactory,
    installer_env: dict[str, str],
) -> Session:
    if agent.id not in finished:
        finished[agent.id] = _session(_play(agent, tmp_path_factory.mktemp(agent.id), installer_env))
    return finished[agent.id]


def test_the_readme_tells_of_these_agents() -> None:
    assert [row.id for row in ROWS.ways] == [agent.id for agent in AGENTS]


def test_an_agent_plays_its_script_without_the_guard(tmp_path: Path, installer_env: dict[str, str]) -> None:
    """The stage is sound. One of them shows it: what each of them does, it does under the guard too."""
    play = _play(AGENTS[0], tmp_path, installer_env)

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


def test_the_guard_knows_the_agent_and_leaves_its_work_alone(session: Session) -> None:
    played = session.guarded.played

    assert played.status == 0, played.err
    (collected,) = played.to(COLLECTOR)
    assert all(value in collected["body"] for value in session.play.planted.values)
    assert "All done." in played.out
    assert session.record["uid"] == session.guarded.session
    assert {event["session"] for event in session.events} == {session.guarded.session}
    assert session.record["agent"] == session.play.agent.id
    assert (session.record["outcome"], session.record["exit_status"]) == ("leaked", 0)
    assert [event["gap"] for event in session.events if event["gap"] and event["gap"]["counts"]] == []
    session.home.verb("verify")


def test_every_read_is_seen_with_its_exact_process(session: Session) -> None:
    dotenv = str(session.play.workspace / ".env")
    native = str(session.play.workspace / session.play.agent.native)

    own = [event for event in reads(session.events, session.agent_pid) if event["path"] == native]
    assert own, "the agent's own read is missing"
    assert {event["process"]["name"] for event in own} == {session.play.agent.exe}
    shells = []
    for step in ("cat", "curl"):
        expected = session.expected(step)
        (read,) = reads(session.events, expected.pid)
        assert read["path"] == dotenv
        assert _process(read) == expected
        shells.append(read)
    for read in (*own, *shells):
        assert read["attribution"] == "exact"
        assert session.planted <= fingerprints(read)


def test_the_leak_is_linked_to_a_read(session: Session) -> None:
    (leak,) = sends(session.events, COLLECTOR)

    assert _process(leak) == session.expected("curl")
    assert (leak["attribution"], leak["outcome"], leak["disposition"]) == ("exact", "leaked", "alert")
    assert session.planted <= fingerprints(leak)
    source = next(event for event in session.events if event["uid"] == leak["flow"]["read"])
    assert (source["activity"], source["path"]) == ("read", str(session.play.workspace / ".env"))
    assert source["seq"] < leak["seq"]
    assert leak["flow"]["fingerprint"] in fingerprints(source) & fingerprints(leak)
    assert 0 <= leak["flow"]["seconds"] < 60


def test_what_the_model_was_told_is_exposed(session: Session) -> None:
    prompts = [event for event in sends(session.events, session.play.agent.host) if event["outcome"] == "exposed"]

    assert prompts
    assert session.planted <= {match for prompt in prompts for match in fingerprints(prompt)}
    assert {prompt["process"]["pid"] for prompt in prompts} == {session.agent_pid}
    assert {prompt["destination"] for prompt in prompts} == {"model"}
    assert all(prompt["flow"] for prompt in prompts)


def test_no_planted_value_is_kept(session: Session) -> None:
    home = session.home
    for form in ("html", "md", "json"):
        home.verb("report", "--last", "--format", form, "-o", str(home.root / f"report.{form}"))
    (home.root / "events").write_text(home.verb("events"))
    (home.root / "sessions").write_text(home.verb("sessions"))

    assert list(session.play.run_folder.iterdir())
    for value in session.play.planted.values:
        for folder in (home.root, session.play.run_folder):
            assert list(files_with(folder, value.encode())) == []


def test_the_guard_sees_into_a_sandbox(tmp_path: Path, installer_env: dict[str, str]) -> None:
    direct = _play(CODEX_SANDBOXED, tmp_path / "direct", installer_env)
    direct.direct()
    if not direct.tracer.chain("cat"):
        pytest.skip("Codex cannot make its sandbox on this machine, guarded or not")

    session = _session(_play(CODEX_SANDBOXED, tmp_path / "guarded", installer_env))

    assert session.play.tracer.chain("cat")[0].pid < 10, "the sandbox has process ids of its own"
    for name in ("cat", "curl"):
        (read,) = [
            event for event in session.events if event["activity"] == "read" and event["process"]["name"] == name
        ]
        assert (read["path"], read["attribution"]) == (str(session.play.workspace / ".env"), "exact")
        assert read["process"]["ancestors"][-1] == {"pid": session.root, "name": "codex"}
        assert read["process"]["pid"] > 10, "its id outside of the sandbox"
    # curl found no network: what the model was told is all that left.
    assert sends(session.events, COLLECTOR) == session.guarded.played.to(COLLECTOR) == []
    assert session.record["outcome"] == "exposed"


def _play(agent: Agent, folder: Path, installer_env: dict[str, str]) -> Play:
    if reason := isolation.why_not():
        pytest.skip(reason)
    try:
        program = agent.install(installer_env)
    except CannotInstallError as error:
        pytest.skip(f"{agent.id} cannot be installed: {error}")
    return Play(agent, program, folder)


def _session(play: Play) -> Session:
    guarded, home = play.guarded(), Home(play.guard_home)
    planted = {home.fingerprint(value) for value in play.planted.credentials}
    return Session(play, guarded, home, home.session(), home.events(), planted)


def _process(event: JsonObject) -> Process:
    process = event["process"]
    ancestors = tuple(Named(link["pid"], link["name"]) for link in process["ancestors"])
    return Process(process["pid"], process["name"], ancestors)
