"""The seccomp sensor on real processes: every alias, the exact pid, the whole chain."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.ordinary_user import open_folder, ordinary_user_prefix

from agentguard.native.find import find_library

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")

REPOSITORY = Path(__file__).resolve().parents[3]
HARNESS = REPOSITORY / "tests/harness/under_seccomp.py"

Seen = list[dict[str, Any]]
Run = Callable[..., Seen]


@pytest.fixture
def secret() -> Iterator[Path]:
    with open_folder() as base:
        folder = base / "project"
        folder.mkdir()
        file = folder / ".env"
        file.write_text("PLAIN=1\n")
        (base / "linked-folder").symlink_to(folder)
        (folder / "symbolic").symlink_to(".env")
        os.link(file, folder / "hard")
        for path in (folder, file):
            path.chmod(0o777)
        yield file


@pytest.fixture(params=["native", "python"])
def loop(request: pytest.FixtureRequest) -> str:
    if request.param == "native" and find_library("loop") is None:
        pytest.skip("the native loop was not compiled")
    return str(request.param)


@pytest.fixture(params=["as we are", "as an ordinary user"])
def run(request: pytest.FixtureRequest, secret: Path, loop: str) -> Run:
    prefix = ordinary_user_prefix() if request.param == "as an ordinary user" else ()

    def under_seccomp(*command: str, cwd: Path | None = None, **extra: str) -> Seen:
        done = subprocess.run(
            [*prefix, sys.executable, str(HARNESS), str(secret), *command],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=cwd or secret.parent,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(REPOSITORY),
                "PYTHONDONTWRITEBYTECODE": "1",
                "AGENTGUARD_LOOP": loop,
                **extra,
            },
        )
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"')]
        if lines and "unavailable" in lines[0]:
            pytest.skip(f"seccomp cannot be used here (errno {lines[0]['unavailable']})")
        assert lines, done.stderr
        assert lines[0]["loop"].lower().startswith(loop)
        assert lines[0]["leaked"] == 0
        return lines

    return under_seccomp


def reads(seen: Seen) -> Seen:
    return [line for line in seen if line["type"] == "file"]


def python(code: str) -> tuple[str, str, str]:
    return (sys.executable, "-c", code)


ALIASES = {
    "plain": "cat .env",
    "absolute": "cat {secret}",
    "symbolic link": "cat symbolic",
    "hard link": "cat hard",
    "folder link": "cat ../linked-folder/.env",
    "dots": "cat ../project/./.env",
    "proc self cwd": "cat /proc/self/cwd/.env",
    "proc self root": "cat /proc/self/root{secret}",
    "shell redirection": "read x < .env",
    "renamed": "mv hard other; cat other",
    "new hard link": "ln .env fresh; cat fresh",
    "orphan": "setsid sh -c '(sleep 0.2; cat .env) &'; sleep 0.5",
}


def test_every_alias_is_the_same_file(run: Run, secret: Path) -> None:
    """One after the other: were one not seen, the processes that were would show which."""
    seen = reads(run("sh", "-c", "\n".join(ALIASES.values()).format(secret=secret)))
    assert [line["path"] for line in seen] == [str(secret)] * len(ALIASES), seen


def test_descriptors_as_paths(run: Run, secret: Path) -> None:
    code = (
        "import os\n"
        "folder = os.open('.', os.O_RDONLY | os.O_DIRECTORY)\n"
        "os.close(os.open('.env', os.O_RDONLY, dir_fd=folder))\n"
        "handle = os.open('.env', os.O_PATH)\n"
        "os.close(os.open(f'/proc/self/fd/{handle}', os.O_RDONLY))\n"
        "os.close(os.open(f'/dev/fd/{handle}', os.O_RDONLY))\n"
    )
    assert [line["path"] for line in reads(run(*python(code)))] == [str(secret)] * 3


LINKS = """
import os
os.symlink('/proc/self', 'me'); os.symlink('me/cwd', 'here'); os.symlink('/proc', 'all'); os.symlink('/dev/fd', 'fds')
os.symlink('here/.env', 'notes'); os.symlink('/proc/self/fd/0', 'in')
folder = os.dup2(os.open('.', os.O_RDONLY), 300)  # descriptors that the supervisor has not, and some that it has
handle = os.dup2(os.open('.env', os.O_PATH), 301)
low = os.open('.env', os.O_PATH)
os.dup2(handle, 0)
us, pid, proc, dev = os.getcwd(), os.getpid(), os.open('/proc', os.O_PATH), os.open('/dev', os.O_PATH)
base = os.path.basename(us)
"""
"""Links to what each process sees otherwise; for the paths in LEADING."""
LEADING = {
    "me/cwd/.env": "",
    "{us}/me/cwd/.env": "",
    "here/.env": "",
    "here/here/./.env": "",
    "here/../{base}/.env": "",
    "notes": "",
    "in": "",
    "me/fd/300/.env": "",
    "me/fd/301": "",
    "me/fd/{low}": "",
    "fds/301": "",
    "fds/300/notes": "",
    "all/thread-self/cwd/.env": "",
    "all/self/task/../cwd/.env": "",
    "/proc/../proc/self/cwd/.env": "",
    "/proc/self/root/proc/self/cwd/.env": "",
    "/proc/self/cwd/me/cwd/.env": "",
    "/proc/{pid}/cwd/me/fd/301": "",
    "/dev/../dev/fd/301": "",
    "self/cwd/.env": "proc",
    "self/fd/301": "proc",
    "thread-self/fd/300/.env": "proc",
    "fd/301": "dev",
    "stdin": "dev",
}
"""And the descriptor they are relative to."""


def test_whatever_leads_to_proc_self_leads_to_the_callers(run: Run, secret: Path) -> None:
    opens = "".join(
        f"os.close(os.open(f'{path}', os.O_RDONLY, dir_fd={base or None}))\n" for path, base in LEADING.items()
    )
    ends = "for path in ('me/fd/999', 'me/nothing', 'again', 'fds/999', 'me/cwd/none'):\n"
    ends += "    try: os.open(path, os.O_RDONLY)\n    except OSError: pass\n    else: raise SystemExit('opened')\n"
    seen = reads(run(*python(f"{LINKS}\nos.symlink('again', 'again')\n{opens}{ends}")))
    assert [line["path"] for line in seen] == [str(secret)] * len(LEADING)
    assert [line["opened_as"] for line in seen if line["opened_as"].startswith("self/")] == [
        "self/cwd/.env",
        "self/fd/301",
    ]


def test_a_program_by_a_link_to_itself_is_that_program(run: Run) -> None:
    seen = run("sh", "-c", "ln -s /proc/self/exe again; exec ./again -c 'exec cat .env'")
    shell, _, again, _ = (line for line in seen if line["type"] == "exec")
    assert again["name"] == shell["name"], "and not the supervisor's Python"
    assert again["cmdline"] == ["./again", "-c", "exec cat .env"]
    assert again["pid"] == shell["pid"] == reads(seen)[0]["pid"]


def test_a_thread_is_its_process(run: Run, secret: Path) -> None:
    code = (
        "import os, threading\n"
        "print(os.getpid(), flush=True)\n"
        "thread = threading.Thread(target=lambda: open('.env').read())\n"
        "thread.start(); thread.join()\n"
    )
    seen = run(*python(code))
    (line,) = reads(seen)
    assert line["pid"] == next(exec_["pid"] for exec_ in seen if exec_["type"] == "exec")


def test_opens_that_do_not_read_are_let_by(run: Run) -> None:
    code = (
        "import os\n"
        "os.close(os.open('.env', os.O_WRONLY))\n"
        "os.close(os.open('.env', os.O_PATH))\n"
        "open('missing.env') if os.path.exists('missing.env') else None\n"
    )
    assert reads(run(*python(code))) == []


def test_a_file_that_came_later_is_known_by_its_name(run: Run, secret: Path) -> None:
    seen = reads(run("sh", "-c", "echo X=1 > .env.late; cat .env.late; ls .env.gone; cat .env.gone"))
    assert [line["path"] for line in seen] == [str(secret.parent / ".env.late")]


def test_a_secret_name_on_a_harmless_file_changes_nothing(run: Run, secret: Path) -> None:
    """Else every folder with a certificate in it would be watched for the rest of the session, the run folder too."""
    seen = run(
        "sh", "-c", "echo > .env.harmless; cat .env.harmless; cat /proc/self/environ; echo > .env.late; cat .env.late"
    )
    assert [line["path"] for line in reads(seen)] == [str(secret.parent / ".env.late")]
    (table,) = (line["paths"] for line in seen if line["type"] == "table")
    assert sorted(table) == [str(secret), str(secret.parent / ".env.late")]


def test_chain_to_the_root_and_exact_pids(run: Run, secret: Path) -> None:
    seen = run("sh", "-c", "sh -c 'echo $$ > pid; exec cat .env'; true")
    (line,) = reads(seen)
    assert line["pid"] == int((secret.parent / "pid").read_text())
    root = next(exec_["pid"] for exec_ in seen if exec_["type"] == "exec")
    assert [pid for pid, _ in line["ancestors"]] == [root]
    assert line["name"] == "cat"
    assert line["cmdline"] == ["cat", ".env"]


def test_failed_path_attempts_are_no_execs(run: Run) -> None:
    seen = run(*python("import subprocess; subprocess.run(['true'], env={'PATH': '/nowhere:/nor/here:/usr/bin:/bin'})"))
    assert [line["name"] for line in seen if line["type"] == "exec"][1:] == ["true"]


def test_an_environment_is_told_once(run: Run) -> None:
    seen = run("sh", "-c", "/bin/true; /bin/true; NEW=1 /bin/true; NEW=1 /bin/true")
    told = [line["name"] for line in seen if line["type"] == "exec" and line["environ"]]
    assert told == ["dash", "true", "true"], "the shell's own, the shell's with its additions, and the new one"


def test_namespaces_and_chroots_are_seen_through(run: Run, secret: Path) -> None:
    relative = f"cd {shlex.quote(str(secret.parent))}; cat .env; cat ../project//symbolic; cat me/cwd/.env"
    relative += "; cat me/root$PWD/hard"
    inside = (
        "ln -s /proc/self me && mkdir -p root && mount --rbind / root && "
        f"chroot root cat {shlex.quote(str(secret))} && "
        f"chroot root sh -c {shlex.quote(relative)}"
    )
    seen = run("sh", "-c", f"unshare -Urm sh -c {shlex.quote(inside)} || echo refused > refused")
    if (secret.parent / "refused").exists():
        pytest.skip("this system refuses user namespaces")
    assert [line["name"] for line in reads(seen)] == ["cat"] * 5


def test_connections_name_their_address(run: Run) -> None:
    code = (
        "import socket\n"
        "s = socket.socket(); s.settimeout(1)\n"
        "try: s.connect(('127.0.0.1', 9))\n"
        "except OSError: pass\n"
        "u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "u.connect(('127.0.0.1', 443)); u.sendto(b'x', ('127.0.0.1', 9))\n"
        "socket.socketpair()\n"
    )
    seen = [line for line in run(*python(code)) if line["type"] == "connect"]
    assert [(line["address"], line["port"], line["transport"]) for line in seen] == [
        ("127.0.0.1", 9, "tcp"),
        ("127.0.0.1", 9, "udp"),
    ]


_SENDS = """
import ctypes, socket
def link(port):
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.connect(("127.0.0.1", port))
    return made
class Part(ctypes.Structure): _fields_ = (("base", ctypes.c_char_p), ("length", ctypes.c_size_t))
class Header(ctypes.Structure):
    _fields_ = (("name", ctypes.c_void_p), ("name_length", ctypes.c_uint), ("parts", ctypes.POINTER(Part)),
                ("count", ctypes.c_size_t), ("control", ctypes.c_void_p), ("controls", ctypes.c_size_t),
                ("flags", ctypes.c_long), ("sent", ctypes.c_uint))
question = lambda text: text.encode().ljust(20, b".")
free = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
free.sendto(question("sendto"), ("127.0.0.1", 53))
free.sendmsg([question("sendmsg")[:9], question("sendmsg")[9:]], [], 0, ("127.0.0.1", 53))
link(53).send(question("send"), socket.MSG_NOSIGNAL)
link(53).sendmsg([question("connected sendmsg")])
parts = (Part * 2)(*(Part(text, len(text)) for text in (question("first"), question("second"))))
headers = (Header * 2)(*(Header(parts=ctypes.pointer(part), count=1) for part in parts))
many = link(53)
assert ctypes.CDLL(None).sendmmsg(many.fileno(), headers, 2, 0) > 0  # nobody listens: the second may be refused
"""


def test_a_question_to_the_dns_is_seen_however_it_is_sent(run: Run) -> None:
    """And who connects to a resolver and asks nothing, as getaddrinfo does to sort addresses, is not told."""
    seen = run(*python(_SENDS + 'link(53); link(443); socket.socketpair()[0].sendmsg([b"x" * 20])\n'))
    asked = [bytes.fromhex(line["message"]).decode().rstrip(".") for line in seen if line["type"] == "lookup"]
    assert asked == ["sendto", "sendmsg", "send", "connected sendmsg", "first", "second"]
    assert not [line for line in seen if line["type"] == "connect"]


def test_datagrams_are_told_once_for_each_destination(run: Run) -> None:
    code = (
        _SENDS.replace("53", "443")
        + 'for _ in range(50): free.sendto(b"x", ("127.0.0.1", 443)); free.sendto(b"x", ("127.0.0.2", 9))\n'
    )
    seen = [line for line in run(*python(code)) if line["type"] == "connect"]
    assert [(line["address"], line["port"], line["transport"]) for line in seen] == [
        ("127.0.0.1", 443, "udp"),
        ("127.0.0.2", 9, "udp"),
    ]


def test_a_message_that_opens_its_connection_is_a_connection(run: Run) -> None:
    code = (
        "import socket\ns = socket.socket()\ntry: s.sendto(b'x', 0x20000000, ('127.0.0.1', 9))\nexcept OSError: pass\n"
    )
    seen = [line for line in run(*python(code)) if line["type"] == "connect"]
    assert [(line["port"], line["transport"]) for line in seen] == [(9, "tcp")]


@pytest.mark.slow
def test_a_thousand_connections_are_all_seen_with_their_process(run: Run, secret: Path) -> None:
    each = "echo $BASHPID >> pids; exec 3<>/dev/tcp/127.0.0.1/9"
    script = f"for i in $(seq 250); do {f'({each}) 2>/dev/null & ' * 4} wait; done"
    (secret.parent / "pids").touch()
    (secret.parent / "pids").chmod(0o666)
    seen = [line for line in run("bash", "-c", script) if line["type"] == "connect"]
    logged = sorted(map(int, (secret.parent / "pids").read_text().split()))
    assert len(logged) == 1000
    assert sorted(line["pid"] for line in seen) == logged
    assert {(line["address"], line["port"], line["name"]) for line in seen} == {("127.0.0.1", 9, "bash")}


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 8])
def test_hundreds_of_readers_are_all_seen_exactly(run: Run, secret: Path, workers: int) -> None:
    script = "echo $$ >> pids; exec cat .env > /dev/null"
    (secret.parent / "pids").touch()
    (secret.parent / "pids").chmod(0o666)
    seen = reads(run("sh", "-c", f"seq 250 | xargs -P{workers} -n1 sh -c {shlex.quote(script)}"))
    logged = sorted(map(int, (secret.parent / "pids").read_text().split()))
    assert sorted(line["pid"] for line in seen) == logged
    assert len(logged) == 250
    assert {line["name"] for line in seen} == {"cat"}


def test_a_script_is_its_interpreter(run: Run, secret: Path) -> None:
    script = secret.parent / "tool.js"
    script.write_text("#!/usr/bin/env -S sh\ncat .env\n")
    script.chmod(0o755)
    plain = secret.parent / "tool"
    plain.write_text("#!/bin/sh\ntrue\n")
    plain.chmod(0o755)
    names = [line["name"] for line in run("sh", "-c", "./tool.js; ./tool") if line["type"] == "exec"]
    assert names[1:] == ["sh", "dash", "cat", "sh"], "the script by env, its shell, its child, the other script"


def test_a_reused_inode_is_another_file(run: Run, secret: Path) -> None:
    inode = secret.stat().st_ino
    (secret.parent / "hard").unlink()
    again = (
        f"rm .env; for n in 1 2 3 4 5 6 7 8; do echo x > new$n; [ $(stat -c %i new$n) = {inode} ] && cat new$n; done"
    )
    seen = run("sh", "-c", again)
    if not any(line["name"] == "cat" for line in seen if line["type"] == "exec"):
        pytest.skip("this file system did not use the inode number again")
    assert reads(seen) == []


def test_work_handed_to_a_broker_is_a_gap(run: Run) -> None:
    code = (
        "import socket\n"
        "server = socket.socket(socket.AF_UNIX); server.bind('docker.sock'); server.listen()\n"
        "for _ in range(2): socket.socket(socket.AF_UNIX).connect('docker.sock')\n"
        "other = socket.socket(socket.AF_UNIX); other.bind('app.sock'); other.listen()\n"
        "socket.socket(socket.AF_UNIX).connect('app.sock')\n"
    )
    told = [line["gap"] for line in run(*python(code)) if line["type"] == "gap"]
    assert told == ["outside-tree"]


def test_a_link_to_a_file_that_came_later_is_known_by_the_files_name(run: Run, secret: Path) -> None:
    script = (
        "echo X=1 > .env.late; ln -s .env.late notes; ln -s notes more; cat more; ln -s gone dangling; cat dangling"
    )
    assert [line["path"] for line in reads(run("sh", "-c", script))] == [str(secret.parent / ".env.late")]


def test_a_program_that_would_gain_privilege_is_told(run: Run, secret: Path, request: pytest.FixtureRequest) -> None:
    ordinary = "ordinary" in request.node.callspec.id or os.geteuid() != 0
    set_uid = secret.parent / "set-uid"
    if os.geteuid() == 0:
        shutil.copy("/bin/true", set_uid)
        set_uid.chmod(0o4755)
    else:
        found = shutil.which("su")
        if found is None:
            pytest.skip("no set-uid program here")
        set_uid.symlink_to(found)
    seen = run("sh", "-c", "./set-uid </dev/null; /bin/true")
    told = [(line["name"], line["privileged"]) for line in seen if line["type"] == "exec"][1:]
    assert told == [(set_uid.resolve().name, ordinary), ("true", False)]
