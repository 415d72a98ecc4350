"""Commands, the desktop and the terminal: with real programs, a real pseudo-terminal and a real tmux."""

from __future__ import annotations

import dataclasses
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from notify_builders import alarm, note, on_terminal, program, python
from notify_builders import command as user_command
from record_builders import HOSTILE, match, process
from schema_check import faults

from agentguard.show.notify.alarm import Need
from agentguard.show.notify.channels import command, desktop
from agentguard.show.notify.channels.interface import ChannelError, ChannelMissingError
from agentguard.show.notify.channels.terminal import ring, sequence
from agentguard.show.notify.deliver import deliver
from agentguard.show.notify.settings import BUILT_IN, Settings
from agentguard.show.notify.words import MOST_GROUPS
from agentguard.show.notify.words import test_notification as made_up

DESKTOP = BUILT_IN["desktop"]
ENVIRON = {"PATH": os.environ["PATH"], "HOME": "/", "LC_ALL": "C.UTF-8", "STRIPE_SECRET_KEY": "not for you"}
KEEP_ARGUMENTS = "import json, os, sys; json.dump([sys.argv[1:], dict(os.environ)], open({!r}, 'w'))"


# --- a command --------------------------------------------------------------------------------------


def test_a_command_gets_the_notification_as_json_and_a_clean_environment(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    code = (
        "import json, os, sys; json.dump([json.load(sys.stdin), dict(os.environ), os.getcwd()], open(sys.argv[1], 'w'))"
    )
    sent = note()
    assert command.deliver(python(code, kept), sent, ENVIRON) == "exit status 0"
    body, environ, folder = json.loads(kept.read_text())
    assert body == sent.body
    assert body["alarms"][0]["credentials"][0]["preview"] == "sk-p…9Q"
    assert set(environ) <= {"PATH", "HOME", "LC_ALL", "LC_CTYPE", "PWD"}
    assert folder == "/"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise SystemExit(3)", "exit status 3"),
        ("import sys; sys.exit('no such topic\\nmore')", "exit status 1: no such topic"),
        ("import sys; sys.exit('\\x1b]0;owned\\x07')", r"exit status 1: \x1b]0;owned\x07"),
        ("import os; os.kill(os.getpid(), 9)", "it was killed by SIGKILL"),
    ],
)
def test_a_command_that_fails_says_how(code: str, said: str) -> None:
    with pytest.raises(ChannelError) as caught:
        command.deliver(python(code), note(), ENVIRON)
    assert str(caught.value) == said


def test_a_command_that_is_not_there_is_told_by_its_name() -> None:
    with pytest.raises(ChannelMissingError, match="/nowhere/ntfy was not found"):
        command.deliver(user_command(["/nowhere/ntfy"]), note(), ENVIRON)
    with pytest.raises(ChannelError, match="cannot be started: Permission denied"):
        command.deliver(user_command(["/etc/passwd"]), note(), ENVIRON)


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    """Both refuse to be asked."""
    code = (
        "import os, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); child = os.fork()\n"
        "if child: open(sys.argv[1], 'w').write(f'{os.getpid()} {child}')\n"
        "time.sleep(600)"
    )
    pids = tmp_path / "pids"
    with pytest.raises(ChannelError, match="did not end within 1 s, and was stopped"):
        command.deliver(python(code, pids, timeout_seconds=1), note(), ENVIRON)
    for pid in map(int, pids.read_text().split()):
        wait_until(lambda pid=pid: not running(pid))


def test_a_command_that_floods_is_heard_to_its_end_and_kept_short() -> None:
    code = "import sys; [sys.stderr.write('flood ' * 20000) for _ in range(50)]; sys.exit(4)"
    with pytest.raises(ChannelError) as caught:
        command.deliver(python(code), note(), ENVIRON)
    assert len(str(caught.value)) < 200


def test_what_a_command_leaves_running_does_not_hold_it_up() -> None:
    code = "import os, time\nif os.fork() == 0: time.sleep(3); os._exit(0)"
    began = time.monotonic()
    assert command.deliver(python(code, timeout_seconds=30), note(), ENVIRON) == "exit status 0"
    assert time.monotonic() - began < 3


def test_a_command_may_leave_its_input_unread() -> None:
    many = [alarm(number, host=f"h{number}.example", subject=HOSTILE * 3) for number in range(MOST_GROUPS + 5)]
    sent = note(*many)
    assert 10_000 < len(json.dumps(sent.body)) < 65_536 - 1, "more would wait for a pipe that nobody reads"
    assert command.deliver(python("pass"), sent, ENVIRON) == "exit status 0"


def test_a_bug_in_a_channel_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> str:
        raise ZeroDivisionError("a secret text")

    monkeypatch.setattr("agentguard.show.notify.channels.process.run", broken)
    result = deliver(python("pass"), note(), ENVIRON)
    assert (result.delivered, result.text) == (False, "it failed: ZeroDivisionError")


# --- the desktop ------------------------------------------------------------------------------------


@pytest.fixture
def bus(tmp_path: Path) -> dict[str, str]:
    """A PATH with a notify-send that keeps what it is given, and a bus to believe in."""
    kept = tmp_path / "kept"
    environ = program(tmp_path / "bin", "notify-send", KEEP_ARGUMENTS.format(str(kept)))
    return {**environ, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere", "KEPT": str(kept)}


def test_the_desktop_is_told_in_words_that_it_cannot_misread(bus: dict[str, str]) -> None:
    sent = note(
        alarm(1, host=HOSTILE, matches=(match(name="-n <b>KEY</b> \\033 \\074", place="body"),)), agent_name="<i>x</i>"
    )
    assert desktop.deliver(DESKTOP, sent, bus, platform="linux") == "shown by notify-send"
    words, environ = json.loads(Path(bus["KEPT"]).read_text())
    title, body = words[-2:]
    assert words[:4] == ["--app-name=AgentGuard", "--urgency=critical", "--icon=security-low", "--"]
    assert title == sent.title
    assert "<" not in body
    resolved = body.replace("\\\\", "\\")
    assert "\\" not in re.sub(r"\\\\", "", body), "notify-send would resolve it"
    assert html.unescape(resolved) == sent.text
    assert "KEPT" not in environ


def test_only_what_is_lost_already_stays_on_the_screen(bus: dict[str, str]) -> None:
    held = dataclasses.replace(alarm(), need=Need.BLOCKED)
    assert "--urgency=normal" in desktop.linux_words(note(held))


def test_a_mac_gets_the_text_as_arguments_of_a_fixed_script(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    environ = program(tmp_path / "bin", "osascript", KEEP_ARGUMENTS.format(str(kept)))
    sent = note(alarm(1, host='" & (do shell script "id") & "'))
    desktop.deliver(DESKTOP, sent, environ, platform="darwin")
    words, _ = json.loads(kept.read_text())
    assert words[-2:] == [f"AgentGuard: {sent.title}", sent.text]
    assert all("do shell" not in word for word in words[:-2])


def test_without_a_desktop_it_says_so(tmp_path: Path, bus: dict[str, str]) -> None:
    del bus["DBUS_SESSION_BUS_ADDRESS"]
    with pytest.raises(ChannelMissingError, match="no D-Bus session bus"):
        desktop.deliver(DESKTOP, note(), bus, platform="linux")
    with pytest.raises(ChannelMissingError, match="notify-send was not found; install it"):
        desktop.deliver(DESKTOP, note(), {**bus, "PATH": str(tmp_path)}, platform="linux")
    (tmp_path / "bus").touch()
    assert desktop.why_missing({**bus, "XDG_RUNTIME_DIR": str(tmp_path)}, platform="linux") == ""


def test_a_desktop_that_refuses_is_quoted(tmp_path: Path, bus: dict[str, str]) -> None:
    bus |= program(tmp_path / "bin", "notify-send", "import sys; sys.exit('No such interface')")
    with pytest.raises(ChannelError, match="notify-send: exit status 1: No such interface"):
        desktop.deliver(DESKTOP, note(), bus, platform="linux")


def test_a_desktop_nobody_asked_for_is_not_missed() -> None:
    by_default = Settings().outgoing
    assert desktop.usable(by_default, {"PATH": "/nowhere"}) == ()
    assert desktop.usable((DESKTOP,), {"PATH": "/nowhere"}) == (DESKTOP,)


# --- the terminal -----------------------------------------------------------------------------------


def test_a_terminal_gets_a_bell_and_a_message_in_its_own_language() -> None:
    assert sequence("A key leaked", {"TERM": "xterm-256color"}) == "\a\x1b]9;AgentGuard: A key leaked\x1b\\"
    rxvt = "\a\x1b]777;notify;AgentGuard;a, b\x1b\\"
    assert sequence("a; b", {"TERM": "rxvt-unicode"}) == rxvt
    assert sequence("a; b", {"TERM": "xterm", "VTE_VERSION": "7200"}) == rxvt
    for mute in ("linux", "screen-256color", "tmux-256color"):
        assert sequence("x", {"TERM": mute}) == "\a"
    for unknown in ("dumb", ""):
        assert sequence("x", {"TERM": unknown}) == ""


@pytest.mark.parametrize("environ", [{"TERM": "xterm"}, {"TERM": "rxvt"}, {"TERM": "screen", "TMUX": "/t,1,0"}])
def test_no_name_can_end_the_message_or_begin_another(environ: dict[str, str]) -> None:
    written = sequence("\x07\x1b\\\x9c\x1b]52;c;aGk=\x07" + HOSTILE, environ)
    inner = written.removeprefix("\a").removeprefix("\x1bPtmux;").replace("\x1b\x1b", "\x1b")
    assert inner.count("\x1b") == (3 if "TMUX" in environ else 2)
    assert not set(inner) & {"\a", "\x9c", "\u202e", "\n"}


def test_a_terminal_that_is_not_ours_now_stays_silent(tmp_path: Path) -> None:
    """In the background, whoever is in the foreground has the terminal."""
    script = (
        "import os, sys, pty, time\n"
        "from agentguard.show.notify.channels.terminal import ring\n"
        "front = ring(1, 'FRONT')\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os.setpgid(0, 0)\n"
        "    os._exit(10 + ring(1, 'BACK'))\n"
        "status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])\n"
        "print(f'front={front} back={status}')\n"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process, terminal = on_terminal([sys.executable, "-c", script], environ)
    said = read_all(terminal)
    process.wait()
    os.close(terminal)
    assert "FRONT" in said
    assert "BACK" not in said
    assert "front=True back=10" in said
    assert not ring(os.open(tmp_path, os.O_RDONLY), "x")


@pytest.fixture
def tmux() -> Iterator[list[str]]:
    """A server of its own, whose outer terminal is asked to let messages through."""
    if not shutil.which("tmux"):
        pytest.skip("tmux is not installed")
    with tempfile.TemporaryDirectory(prefix="tmux-") as folder:  # a socket's path is short
        words = ["tmux", "-S", f"{folder}/socket", "-f", "/dev/null"]
        yield words
        subprocess.run([*words, "kill-server"], check=False, capture_output=True)


def test_a_message_passes_through_a_real_tmux(tmp_path: Path, tmux: list[str]) -> None:
    """What an outer terminal receives from tmux, when a program in it writes the wrapped message."""
    script = tmp_path / "inside.py"
    script.write_text(
        "import os, sys, time\n"
        "from agentguard.show.notify.channels.terminal import sequence\n"
        "while True:  # what comes before the terminal is attached, tmux drops\n"
        "    sys.stdout.write(sequence('through; tmux', os.environ)); sys.stdout.flush(); time.sleep(0.2)\n"
    )
    environ = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    inside = [*tmux, "set-option", "-g", "allow-passthrough", "on", ";", "new-session", "-x80", "-y24"]
    process, terminal = on_terminal([*inside, f"exec {sys.executable} {script}"], environ)
    try:
        said = read_all(terminal, until="\x1b]9;AgentGuard: through; tmux\x1b\\")
        assert "\x1b]9;AgentGuard: through; tmux\x1b\\" in said
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)
        os.close(terminal)
        process.wait()


# --- words ------------------------------------------------------------------------------------------


def test_a_digest_names_the_gravest_and_counts_the_rest() -> None:
    sent = note(*(alarm(number, host=f"h{number}.example") for number in range(50)), uncounted=3)
    assert sent.title == "OPENAI_API_KEY leaked to h0.example (and 49 more)"
    assert sent.lines[0] == "Claude Code sent OPENAI_API_KEY to h0.example, by curl 48333."
    assert sent.lines[-2:] == ("And 44 more.", "3 more alarms came too fast to be looked at.")
    assert len(sent.body["alarms"]) == MOST_GROUPS
    assert sent.body["more"] == 50 - MOST_GROUPS
    assert sent.body["lost"] == 3
    assert faults(sent.body, "notification") == []


def test_the_object_is_as_published_and_harmless_whatever_stands_in_it() -> None:
    hostile = match(name=HOSTILE, preview=HOSTILE, place="body")
    sent = note(
        alarm(1, host=HOSTILE, subject=HOSTILE, process=process(7, HOSTILE), matches=(hostile,)), agent_name=HOSTILE
    )
    assert faults(sent.body, "notification") == []
    for text in (sent.title, *sent.lines, sent.next, *strings(sent.body)):
        assert all(line.isprintable() for line in text.split("\n"))


def test_the_test_says_that_nothing_has_happened() -> None:
    sent = made_up(uid="n", time_ns=1, look="agentguard notify list")
    assert sent.body["test"] is True
    assert "nothing has happened" in sent.text
    assert set(sent.body) == set(note().body)


def strings(body: Any) -> Iterator[str]:
    """All text of a JSON object."""
    if isinstance(body, str):
        yield body
    elif isinstance(body, list):
        yield from (text for part in body for text in strings(part))
    elif isinstance(body, dict):
        yield from (text for part in body.values() for text in strings(part))


# --- helpers ----------------------------------------------------------------------------------------


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(true, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def read_all(terminal: int, until: str = "", seconds: float = 60) -> str:
    """What comes out of a pseudo-terminal until its end, or until a text."""
    said = b""
    deadline = time.monotonic() + seconds
    os.set_blocking(terminal, False)
    while time.monotonic() < deadline and not (until and until.encode() in said):
        try:
            data = os.read(terminal, 65_536)
        except BlockingIOError:
            time.sleep(0.02)
            continue
        except OSError:  # EIO: nobody has the other end open any more
            break
        if not data:
            break
        said += data
    return said.decode(errors="replace")
