"""Requests direct, through a bare mitmproxy that streams, and through the guard: same client, same server, one run."""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench_server import HOST, Server
from bench_setting import Setting, guard

CLIENT = Path(__file__).with_name("bench_client.py")
MEASURES = ("GET", "POST 100 KB", "SSE first byte", "SSE event delay")
_REDIRECT = """
def server_connect(data):
    data.server.sni = data.server.sni or data.server.address[0]
    data.server.address = ("127.0.0.1", {port})
"""


def bench_proxy(setting: Setting) -> None:
    """Print medians and 99th percentiles, and their ratios to the bare proxy."""
    base, env = setting.base, setting.environ()
    (base / "empty-proxy").mkdir()
    with Server(base) as server, ExitStack() as stack:
        bare = stack.enter_context(_bare_mitmproxy(base, server))
        clients = {
            "direct": stack.enter_context(
                _client([], env, {"BENCH_CA": str(server.ca), "BENCH_PORT": str(server.port)})
            ),
            "bare mitmproxy": stack.enter_context(_client([], env, bare)),
            "agentguard": stack.enter_context(_client(_guard(server), env, {})),
        }
        results: dict[str, dict[str, list[float]]] = {name: {measure: [] for measure in MEASURES} for name in clients}
        for number in range(setting.rounds + 1):
            for name, ask in clients.items():
                answer = ask()
                for measure in MEASURES if number else ():
                    results[name][measure] += answer[measure]
    _print(results)


def _guard(server: Server) -> list[str]:
    return guard("--upstream-ca", str(server.ca), "--resolve", f"{HOST}=127.0.0.1:{server.port}")


@contextmanager
def _client(
    wrapper: list[str], env: dict[str, str], extra: dict[str, str]
) -> Iterator[Callable[[], dict[str, list[float]]]]:
    """A client process that measures once for each line it is sent."""
    process = subprocess.Popen(
        [*wrapper, sys.executable, str(CLIENT)],
        env={**env, **extra},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def ask() -> dict[str, list[float]]:
        assert process.stdin
        assert process.stdout
        process.stdin.write("go\n")
        process.stdin.flush()
        answer: dict[str, list[float]] = json.loads(process.stdout.readline())
        return answer

    try:
        yield ask
    finally:
        process.communicate()


@contextmanager
def _bare_mitmproxy(base: Path, server: Server) -> Iterator[dict[str, str]]:
    """mitmdump that scans nothing and streams everything. Yields the client's environment."""
    redirect = base / "redirect.py"
    redirect.write_text(_REDIRECT.format(port=server.port))
    confdir = base / "mitmproxy"
    port = _free_port()
    mitmdump = Path(sys.executable).with_name("mitmdump")
    options = (f"confdir={confdir}", f"ssl_verify_upstream_trusted_ca={server.ca}", "stream_large_bodies=1")
    settings = [word for option in options for word in ("--set", option)]
    command = [str(mitmdump), "-q", "--listen-host", "127.0.0.1", "-p", str(port), *settings, "-s", str(redirect)]
    environ = {"PATH": os.environ["PATH"], "HOME": str(base)}
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield {"https_proxy": f"http://127.0.0.1:{port}", "SSL_CERT_FILE": str(confdir / "mitmproxy-ca-cert.pem")}
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("mitmdump did not start")


def _print(results: dict[str, dict[str, list[float]]]) -> None:
    names = list(results)
    print(f"\n{'request':<18}" + "".join(f"{name + ' p50/p99 ms':>28}" for name in names) + f"{'guard / bare':>22}")
    for measure in MEASURES:
        row = f"{measure:<18}"
        figures = {name: _percentiles(results[name][measure]) for name in names}
        for name in names:
            row += f"{figures[name][0]:>19.2f} /{figures[name][1]:>7.2f}"
        (guard50, guard99), (bare50, bare99) = figures["agentguard"], figures["bare mitmproxy"]
        print(f"{row}{guard50 / bare50:>12.2f}x /{guard99 / bare99:>6.2f}x")


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    ordered = sorted(seconds)
    return statistics.median(ordered) * 1000, ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000
