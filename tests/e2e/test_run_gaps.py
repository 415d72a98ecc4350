"""What could not be seen is said, and counts only when it must."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from harness.guarded import AGENTGUARD, Guarded, of_kind
from harness.planted import Planted

pytestmark = pytest.mark.slow

HARNESS = Path(__file__).resolve().parents[1] / "harness/under_seccomp.py"


def gaps(guarded: Guarded) -> dict[str, dict[str, object]]:
    return {event["gap"]["type"]: event["gap"] for event in of_kind(guarded.events(), "gap")}


def test_an_open_that_nobody_in_the_session_made(guarded: Guarded, planted: Planted) -> None:
    process = subprocess.Popen(
        guarded.command("sh", "-c", "echo ready; sleep 2", options=("--quiet",)),
        cwd=guarded.project,
        env=guarded.environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    time.sleep(1.2)
    planted.path.read_text()
    assert process.wait(30) == 0
    assert gaps(guarded)["unattributed-open"]["counts"]
    assert guarded.sessions()[0]["outcome"] == "unknown"


def test_the_guards_own_reads_are_not_told(guarded: Guarded, planted: Planted) -> None:
    guarded.shell("echo NEW_TOKEN=abcdefghijklmnopqrstuvwx123 >> .env; sleep 1.5")
    assert gaps(guarded) == {}


def test_without_seccomp_the_next_best_watches(guarded_by_each: Guarded, planted: Planted) -> None:
    """Under another seccomp listener the kernel allows no second one. With fanotify opens are held all the same."""
    guarded = guarded_by_each
    inner = [*AGENTGUARD, "run", "--quiet", "--", "sh", "-c", "sleep 0.5; exec 3< .env; sleep 1; exit 5"]
    done = subprocess.run(
        [*guarded.prefix, sys.executable, str(HARNESS), str(planted.path), *inner],
        cwd=guarded.project,
        env=guarded.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 5, done.stderr
    (session,) = guarded.sessions()
    sensors = {sensor["sensor"]: sensor for sensor in session["coverage"]}
    assert sensors["seccomp"]["state"] == "unavailable"
    assert "another seccomp listener" in sensors["seccomp"]["reason"]
    held = sensors["fanotify"]["state"] != "unavailable"
    assert sensors["fanotify" if held else "psutil"]["proved"]
    assert gaps(guarded)["sensor-unavailable"]["counts"]
    (read,) = of_kind(guarded.events(), "file")
    expected = ("exact", "exact-held") if held else ("inferred", "fd-seen")
    assert (read["attribution"], read["confidence"]) == expected
    assert read["process"]["ancestors"] == [] or read["process"]["pid"] != session["root_pid"]
    assert session["outcome"] == "unknown"


def test_without_a_proxy_the_agent_starts_all_the_same(guarded: Guarded, planted: Planted) -> None:
    guarded.home.mkdir(mode=0o700, exist_ok=True)
    (guarded.home / "proxy").write_text("in the way")
    done = guarded.run("sh", "-c", "cat .env > /dev/null; env | grep -c '^HTTPS_PROXY='", options=())
    assert done.stdout == "0\n"
    assert [line for line in done.stderr.splitlines() if "proxy is not watching" in line]
    assert gaps(guarded)["sensor-unavailable"]["sensor"] == "proxy"
    assert guarded.sessions()[0]["counts"]["reads"] == 1


def test_a_connection_round_the_proxy_names_its_process(guarded: Guarded, planted: Planted) -> None:
    connect = "import socket; s = socket.socket(); s.settimeout(0.2); s.connect_ex(('192.0.2.7', 443))"
    guarded.run("sh", "-c", f'cat .env > /dev/null; exec {sys.executable} -c "{connect}"')
    gap = next(event for event in of_kind(guarded.events(), "gap") if event["gap"]["type"] == "proxy-bypass")
    assert (gap["host"], gap["port"]) == ("192.0.2.7", 443)
    assert gap["process"]["name"].startswith("python")
    assert gap["gap"]["counts"]
    assert guarded.sessions()[0]["outcome"] == "unknown"


def test_the_same_connection_out_of_reach_of_any_secret_is_harmless(guarded: Guarded) -> None:
    connect = "import socket; s = socket.socket(); s.settimeout(0.2); s.connect_ex(('192.0.2.7', 443))"
    guarded.run(sys.executable, "-c", connect)
    assert not gaps(guarded)["proxy-bypass"]["counts"]
    assert guarded.sessions()[0]["outcome"] == "clean"


def test_a_file_too_large_to_follow_is_said(guarded: Guarded, planted: Planted) -> None:
    with planted.path.open("a") as file:
        file.writelines(f"FILLER_{number}=an ordinary line of a large settings file\n" for number in range(25_000))
    guarded.shell("cat .env > /dev/null; cat .env > /dev/null")
    assert [event["gap"]["type"] for event in of_kind(guarded.events(), "gap")] == ["scan-failed"]


def test_an_open_by_another_name_elsewhere_that_nobody_in_the_session_made(guarded: Guarded, planted: Planted) -> None:
    elsewhere = guarded.user_home / "hard"
    elsewhere.hardlink_to(planted.path)
    process = subprocess.Popen(
        guarded.command("sh", "-c", "echo ready; sleep 2", options=("--quiet",)),
        cwd=guarded.project,
        env=guarded.environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    time.sleep(1.2)
    elsewhere.read_text()
    assert process.wait(30) == 0
    gap = gaps(guarded)["unattributed-open"]
    assert gap["counts"]
    assert str(planted.path) in str(gap["detail"])


def test_writing_alone_is_no_read(guarded: Guarded, planted: Planted) -> None:
    guarded.shell("touch .env; : >> .env; sleep 0.6")
    assert gaps(guarded) == {}


RING = """
import ctypes, os, sys
from pathlib import Path
parameters = ctypes.create_string_buffer(120)
made = ctypes.CDLL(None).syscall(425, 4, parameters)
Path("ring").write_text(str(made))
"""
"""io_uring_setup(4, ...): 425 on every machine."""

HIDDEN = """
import ctypes, os
ctypes.CDLL(None).prctl(4, 0)  # PR_SET_DUMPABLE
for _ in range(50):
    os.close(os.open("plain", os.O_RDONLY))
"""


def test_a_ring_is_covered_by_the_watches_though_a_secret_was_within_reach(as_user: Guarded) -> None:
    (as_user.project / ".env").write_text("PLAIN=1\n")
    as_user.run("sh", "-c", f"cat .env >/dev/null; exec {sys.executable} -c '{RING}'")
    if int((as_user.project / "ring").read_text()) < 0:
        pytest.skip("this system refuses io_uring")
    gap = gaps(as_user)["io-uring"]
    assert (gap["covered_by"], gap["counts"], gap["secret_within_reach"]) == ("watchdog and inotify", False, True)
    assert as_user.sessions()[0]["outcome"] == "clean"


def test_a_process_that_hides_its_names_is_covered_and_told_once(as_user: Guarded) -> None:
    for name in (".env", "plain"):
        (as_user.project / name).write_text("PLAIN=1\n")
    # Through the gate its opens would be looked at inside the process itself, whose memory need not be read.
    as_user.run("sh", "-c", f"cat .env >/dev/null; exec env -u LD_PRELOAD {sys.executable} -c '{HIDDEN}'")
    (found,) = [event for event in of_kind(as_user.events(), "gap") if event["gap"]["type"] == "unreadable-path"]
    assert (found["gap"]["covered_by"], found["gap"]["counts"]) == ("watchdog and inotify", False)
    assert found["process"]["name"].startswith("python")
    assert as_user.sessions()[0]["outcome"] == "clean"
