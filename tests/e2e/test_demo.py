"""`agentguard demo`, as a new user would try it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.compiled_rules import put_into
from harness.ordinary_user import open_folder, ordinary_user_prefix
from support.verbs import REPOSITORY, Home, sends

from agentguard.cli import main
from agentguard.commands import demo
from agentguard.demo.plant import ALPHANUMERIC, plant
from agentguard.demo.server import MODEL_HOST, PASTE_HOST, world
from agentguard.errors import EXIT_INTERRUPTED
from agentguard.record.reader import Reader

PLANTED = [
    re.compile(rb"sk_" + rb"live_\w{24}"),
    re.compile(rb"ghp_" + rb"\w{36}"),
    re.compile(rb"shop:\w{20}@"),
    re.compile(rb"sk-" + rb"proj-\w{60}"),
]
"""Every secret of the demo, by its form: the values themselves are gone when it ends."""


@pytest.fixture
def base() -> Iterator[Path]:
    """Room for a home folder and temporary files, of whatever user."""
    with open_folder() as folder:
        (folder / "tmp").mkdir()
        (folder / "tmp").chmod(0o777)
        yield folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("has_curl", "ordinary"),
    [(True, True), (False, False)],
    ids=["with curl, as an ordinary user", "without curl"],
)
def test_the_demo_ends_leaked_with_a_flow(base: Path, has_curl: bool, ordinary: bool) -> None:
    prefix = ordinary_user_prefix() if ordinary else ()
    path = os.environ["PATH"] if has_curl else _path_of(base / "bin", "sh", "cat", "grep")
    home = base / "guard"

    with _demo(base, {"PATH": path}, prefix) as process:
        out, err = process.communicate(timeout=90)

    assert process.returncode == 0, err
    assert out == ""
    assert re.findall(r"^  agentguard (\w+)", err, re.MULTILINE) == ["report", "tui", "run"]
    assert f"agentguard tui --home {home}" in err
    assert "leaked" in err.lower()
    assert list((base / "tmp").iterdir()) == []
    session, events = Home(home, prefix).session(), Home(home, prefix).events()
    assert (session["agent"], session["outcome"], session["exit_status"]) == ("demo", "leaked", 0)
    assert _keys(home, prefix) == (0, 0)
    assert _keys(home, prefix, "--demo") == (3, 4)
    (leak,) = sends(events, PASTE_HOST)
    assert leak["flow"]
    assert leak["process"]["name"] == ("curl" if has_curl else Path(sys.executable).resolve().name)
    assert any(event["outcome"] == "exposed" for event in sends(events, MODEL_HOST))
    assert {Path(event["path"]).name for event in events if event["activity"] == "read"} == {".env"}
    assert [event["gap"] for event in events if event["gap"] and event["gap"]["counts"]] == []
    assert [path for path in home.rglob("*") if path.is_file() and _holds_a_secret(path.read_bytes())] == []
    assert not _holds_a_secret(err.encode())


@pytest.mark.slow
def test_ctrl_c_ends_it_and_leaves_nothing_behind(base: Path) -> None:
    with _demo(base, {"PATH": os.environ["PATH"]}) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "grep" in line:
                # As a terminal would: to everyone in the foreground.
                os.killpg(process.pid, signal.SIGINT)
                break
        _, err = process.communicate(timeout=30)

    assert process.returncode == EXIT_INTERRUPTED
    assert "Traceback" not in err
    assert list((base / "tmp").iterdir()) == []


def test_a_session_that_was_not_seen_is_one_clear_line(tmp_path: Path) -> None:
    reader = Reader(tmp_path / "agentguard.db")

    with pytest.raises(demo.DemoError, match=r"^no read of \.env was recorded; `agentguard doctor` says"):
        demo._check(reader, "no-such-session")


def test_a_home_that_cannot_be_used_is_one_clear_line(base: Path) -> None:
    (base / "guard").touch()

    with _demo(base, {"PATH": os.environ["PATH"]}) as process:
        _, err = process.communicate(timeout=30)

    assert process.returncode == 2
    assert err == f"agentguard: home folder {base / 'guard'} is a file; choose a folder with --home DIR\n"


def test_it_says_that_it_cannot_run_inside_a_session(base: Path) -> None:
    with _demo(base, {"PATH": os.environ["PATH"], "AGENTGUARD_SESSION": "one"}) as process:
        _, err = process.communicate(timeout=30)

    assert process.returncode == 2
    assert err == "agentguard: this is inside a guarded session; try the demo in a terminal of its own\n"


def test_nothing_can_leave_what_is_marked_as_a_demo(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--demo", "--", "true"]) == 2
    assert capsys.readouterr().err.startswith("agentguard: --demo is for made-up credentials only")


def test_planted_secrets_have_the_form_and_the_checksum_of_real_ones(tmp_path: Path) -> None:
    planted = plant(tmp_path)
    text = (planted.workspace / ".env").read_text()

    assert _holds_a_secret(text.encode())
    token = re.search(rf"{'ghp'}_(\w{{30}})(\w{{6}})", text)
    assert token is not None
    assert sum(ALPHANUMERIC.index(digit) * 62**place for place, digit in enumerate(reversed(token[2]))) == zlib.crc32(
        token[1].encode()
    )
    assert len(planted.agent_key) == 164


def test_two_projects_share_no_secret(tmp_path: Path) -> None:
    texts = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        texts.append((plant(tmp_path / name).workspace / ".env").read_text())

    first, second = ({line for line in text.splitlines() if "=" in line} for text in texts)
    assert first & second == {"PORT=3000"}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_world_is_both_hosts_to_who_trusts_it_and_nobody_to_others(tmp_path: Path) -> None:
    with world() as (port, certificate):
        authority = tmp_path / "authority.pem"
        authority.write_bytes(certificate)
        trusting = ["--cacert", str(authority)]

        assert '"choices"' in _curl(MODEL_HOST, port, *trusting).stdout
        assert "stored" in _curl(PASTE_HOST, port, *trusting).stdout
        assert _curl("elsewhere.example", port, *trusting).returncode == 60
        assert _curl(PASTE_HOST, port).returncode == 60


def _demo(base: Path, environ: dict[str, str], prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """In a process group of its own, with `base/guard` as home and `base/tmp` for temporary files."""
    if not (base / "guard").exists():
        put_into(base / "guard", prefix)
    return subprocess.Popen(
        [*prefix, sys.executable, "-m", "agentguard", "demo", "--home", str(base / "guard")],
        env={**environ, "HOME": str(base), "TMPDIR": str(base / "tmp"), "PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _keys(home: Path, prefix: tuple[str, ...], *options: str) -> tuple[int, int]:
    """How many credentials are to be replaced, and how many are known at all."""
    done = subprocess.run(
        [*prefix, sys.executable, "-m", "agentguard", "keys", "--format", "json", "--home", str(home), *options],
        env={"PATH": os.environ["PATH"], "HOME": str(home.parent), "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    page = json.loads(done.stdout)
    return len(page["worklist"]), len(page["credentials"])


def _path_of(folder: Path, *programs: str) -> str:
    """A PATH that holds nothing but these."""
    folder.mkdir()
    for program in programs:
        (folder / program).symlink_to(shutil.which(program) or "")
    return str(folder)


def _holds_a_secret(data: bytes) -> bool:
    return any(form.search(data) for form in PLANTED)


def _curl(host: str, port: int, *options: str) -> subprocess.CompletedProcess[str]:
    command = ["curl", "-s", "--connect-to", f"{host}:443:127.0.0.1:{port}", "-d", "{}", *options, f"https://{host}/"]
    return subprocess.run(command, capture_output=True, text=True, check=False)
