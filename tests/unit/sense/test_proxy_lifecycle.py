"""The proxy's life: proof, death and restart, an orphan's manners, and who may come in."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.compiled_rules import rules_folder
from proxy_support.servers import LoopbackServer, http1
from proxy_support.session import KEY, Guarded, guarded, known_value

from agentguard.detect.engine import build_engine
from agentguard.detect.fingerprint import Fingerprinter
from agentguard.detect.rules import load_types
from agentguard.detect.scanner import Scanner
from agentguard.detect.value_index import ValueIndex
from agentguard.detect.values import extract_values
from agentguard.errors import SensorError
from agentguard.model.observation import GapType
from agentguard.model.session import SensorState
from agentguard.paths import policies_dir
from agentguard.sense.proxy.config import ProxyConfig
from agentguard.sense.proxy.launcher import ProxySensor

OTHER_USER = 65534


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer(http1) as running:
        yield running


@pytest.fixture(scope="module")
def all_tests_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A start costs more than most tests do."""
    with pytest.MonkeyPatch.context() as patch, guarded(tmp_path_factory.mktemp("proxy"), patch) as running:
        yield running


@pytest.fixture
def proxy(all_tests_proxy: Guarded) -> Guarded:
    return all_tests_proxy.anew()


def test_proof_is_seen_and_never_told_and_two_stops_free_the_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with guarded(tmp_path, monkeypatch) as proxy:
        assert not proxy.sensor.coverage().proved
        assert proxy.sensor.prove(10.0)
        assert proxy.sensor.coverage().proved
        assert proxy.observations == []
        child = proxy.sensor.pid
        proxy.sensor.stop()
        proxy.sensor.stop()
        assert proxy.sensor.coverage().state is SensorState.STOPPED
        assert not Path(f"/proc/{child}").exists()
        socket.create_server(("127.0.0.1", proxy.port)).close()


@pytest.mark.timed
def test_new_values_are_live_within_50_ms_of_the_read(proxy: Guarded, tmp_path: Path) -> None:
    """From the open of a file of 20 values to the child's word that it knows them, beside 2,000 that it knew.

    The best of many: the machine is shared. Each of them ends at the child's word, which comes after it has learnt.
    """
    types = load_types(policies_dir() / "secrets.yaml")
    scanner = Scanner(types, build_engine(types, cache=rules_folder()), Fingerprinter(KEY), ValueIndex())
    assert proxy.sensor.learn([known_value() for _ in range(2000)], 60.0)
    took: list[float] = []
    for number in range(12):
        path = tmp_path / f"{number}.env"
        path.write_text("".join(f"API_TOKEN_{at}={secrets.token_urlsafe(30)}\n" for at in range(20)))
        start = time.monotonic()
        values = extract_values(str(path), path.read_bytes(), "dotenv", scanner)
        assert proxy.sensor.learn(values, 20.0)
        took.append(time.monotonic() - start)
        assert len(values) == 20
    assert min(took) < 0.05, took


def test_killed_proxy_comes_back_on_its_port_with_what_it_knew(proxy: Guarded, server: LoopbackServer) -> None:
    value = proxy.follow()
    first = proxy.sensor.pid
    os.kill(first, signal.SIGKILL)
    done = proxy.curl("-d", "@-", f"http://127.0.0.1:{server.port}/after", stdin=value.value)
    assert done.stdout == b"ok\n", "a client that comes while there is no child waits for the next"
    proxy.wait(proxy.sends)
    assert proxy.sends()[0].matches[0].fingerprint == value.fingerprint
    (gap,) = proxy.gaps()
    assert gap.type is GapType.PROXY_RESTARTED
    assert "SIGKILL" in gap.detail
    assert proxy.sensor.pid != first
    assert proxy.sensor.coverage().state is SensorState.RUNNING
    proxy.assert_no_raw(value)


def test_learning_while_there_is_no_child_reaches_the_next(proxy: Guarded, server: LoopbackServer) -> None:
    os.kill(proxy.sensor.pid, signal.SIGKILL)
    value = known_value()
    proxy.sensor.learn([value], 0.01)
    proxy.wait(lambda: proxy.gaps(GapType.PROXY_RESTARTED))
    proxy.curl("-d", "@-", f"http://127.0.0.1:{server.port}/", stdin=value.value)
    proxy.wait(proxy.sends)


def test_child_hides_its_memory(proxy: Guarded) -> None:
    limits = Path(f"/proc/{proxy.sensor.pid}/limits").read_text()
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]
    assert Path(f"/proc/{proxy.sensor.pid}/mem").stat().st_uid == 0, "an undumpable process belongs to root in /proc"
    if os.getuid() != 0:
        with pytest.raises(PermissionError):
            Path(f"/proc/{proxy.sensor.pid}/environ").read_bytes()
    assert os.getsid(proxy.sensor.pid) == proxy.sensor.pid


def test_interrupt_is_the_agents_affair(proxy: Guarded, server: LoopbackServer) -> None:
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        os.kill(proxy.sensor.pid, number)
    assert proxy.curl(f"http://127.0.0.1:{server.port}/").stdout == b"ok\n"
    assert proxy.gaps() == []


def test_another_user_is_refused(proxy: Guarded, server: LoopbackServer) -> None:
    if os.getuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root can become someone else")
    drop = ("setpriv", f"--reuid={OTHER_USER}", f"--regid={OTHER_USER}", "--clear-groups", "--")
    done = proxy.run(*drop, "curl", "-sS", f"http://127.0.0.1:{server.port}/")
    assert done.returncode != 0
    proxy.wait(proxy.gaps)
    (gap,) = proxy.gaps()
    assert gap.type is GapType.REFUSED_CLIENT
    assert f"uid {OTHER_USER}" in gap.detail
    assert not server.log.requests


def test_process_outside_the_session_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: LoopbackServer
) -> None:
    """The session is a sleeping child; this test process and curl are not in it."""
    root = subprocess.Popen(["sleep", "60"])
    try:
        with guarded(tmp_path, monkeypatch, roots=(root.pid,)) as proxy:
            done = proxy.curl(f"http://127.0.0.1:{server.port}/")
            assert done.returncode != 0
            proxy.wait(proxy.gaps)
            (gap,) = proxy.gaps()
            assert gap.type is GapType.REFUSED_CLIENT
            assert gap.process is not None
            assert gap.process.name == "curl"
            assert not server.log.requests
    finally:
        root.kill()
        root.wait()


def test_grandchild_whose_parent_is_gone_still_belongs(proxy: Guarded, server: LoopbackServer, tmp_path: Path) -> None:
    """It is adopted by the reaper above; here that is not a root, so having been seen before must be enough."""
    later = f"until [ -e go ]; do sleep 0.05; done; exec curl -sS -o /dev/null http://127.0.0.1:{server.port}/orphan"
    script = f"cd {tmp_path}; (: > begun; {later}) >/dev/null 2>&1 & until [ -e leave ]; do sleep 0.05; done"
    parent = proxy.start("sh", "-c", script)
    proxy.wait((tmp_path / "begun").exists)
    looked = _looks_round(proxy)
    proxy.wait(lambda: _looks_round(proxy) >= looked + 2)
    (tmp_path / "leave").touch()
    parent.communicate(timeout=60)
    (tmp_path / "go").touch()
    proxy.wait(lambda: server.log.requests)
    assert server.log.requests[0].path == "/orphan"


def _looks_round(proxy: Guarded) -> int:
    """How often the child has begun to look at the session's processes: it tells its counts just before."""
    return sum(line.startswith(b'["counts"') for line in list(proxy.lines))


SUPERVISOR = """
import os, signal, subprocess, sys, time
from pathlib import Path
from agentguard.sense.proxy.config import ProxyConfig
from agentguard.sense.proxy.launcher import ProxySensor

folder = Path(sys.argv[1])
sensor = ProxySensor(
    ProxyConfig(confdir=folder / "conf", roots=(os.getpid(),), uid=os.getuid(), fingerprint_key=b"k" * 32,
                policies=Path(sys.argv[2]), cache=Path(sys.argv[4]), log=folder / "log"),
    on_observation=lambda seen: None,
)
port = sensor.start()
env = {"PATH": os.environ["PATH"]} | sensor.environment(folder / "run", {})
agent = subprocess.Popen(["sh", "-c", sys.argv[3]], env=env)
time.sleep(3)  # the child looks round once a second
print(sensor.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_without_its_supervisor_it_passes_on_until_the_session_is_over(tmp_path: Path, server: LoopbackServer) -> None:
    agent = f"sleep 4; curl -sS -o {tmp_path}/answer http://127.0.0.1:{server.port}/later; sleep 0.5"
    script = tmp_path / "supervisor.py"
    script.write_text(textwrap.dedent(SUPERVISOR))
    repository = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), str(policies_dir()), agent, str(rules_folder())],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(repository), "HOME": str(tmp_path)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    child = int(done.stdout)
    end = time.monotonic() + 60
    while Path(f"/proc/{child}").exists() and time.monotonic() < end and not _is_zombie(child):
        time.sleep(0.1)
    assert (tmp_path / "answer").read_bytes() == b"ok\n"
    assert not Path(f"/proc/{child}").exists() or _is_zombie(child), "it stays although the session is over"
    assert b"Traceback" not in (tmp_path / "log").read_bytes()


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_invalid_policy_is_a_reason_not_a_hang(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "policy.yaml").write_text("version: 1\nrules: nonsense\n")
    sensor = ProxySensor(_config(tmp_path, home=home), on_observation=lambda _seen: None)
    with pytest.raises(SensorError, match=r"policy\.yaml:\d+"):
        sensor.start()
    assert sensor.coverage().state is SensorState.UNAVAILABLE
    assert "policy.yaml" in sensor.coverage().reason


def test_port_in_use_is_a_reason(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sensor = ProxySensor(_config(tmp_path, listen_port=port), on_observation=lambda _seen: None)
        with pytest.raises(
            SensorError, match=f"cannot start the proxy: port {port} on 127.0.0.1 is in use by another program"
        ):
            sensor.start()


def test_socks_proxy_of_the_user_is_a_reason(tmp_path: Path) -> None:
    sensor = ProxySensor(_config(tmp_path, upstream_proxy="socks5://127.0.0.1:1"), on_observation=lambda _seen: None)
    with pytest.raises(SensorError, match="socks5"):
        sensor.start()


def _config(folder: Path, **fields: object) -> ProxyConfig:
    settings: dict[str, object] = {
        "confdir": folder / "conf",
        "roots": (os.getpid(),),
        "uid": os.getuid(),
        "fingerprint_key": KEY,
        "policies": policies_dir(),
        "cache": rules_folder(),
        **fields,
    }
    return ProxyConfig(**settings)  # type: ignore[arg-type]
