"""Requests direct, through a bare mitmproxy that streams, and through the guard: same client, same servers, one run.

Speeds and delays are medians (and 99th percentiles) of interleaved rounds. The memory is that of the proxy process,
after each of the loads it is to stay flat over.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from bench_server import Server
from bench_setting import Setting, guard

_LIB = Path(__file__).parent
_BARE, _OURS = "bare mitmproxy", "agentguard"
Ask = Callable[..., list[float]]


@dataclass(frozen=True, slots=True)
class _Measure:
    title: str
    call: tuple[str | int, ...]
    speed: bool = False
    """MB/s, of which more is better; else seconds."""


@dataclass(frozen=True, slots=True)
class _Party:
    """One of the three ways."""

    name: str
    ask: Ask
    proxy: psutil.Process | None
    """Whose memory is looked at."""


def _measures(quick: bool) -> list[_Measure]:
    few, events, long = (5, 10, 10) if quick else (40, 60, 200)
    return [
        *(
            _Measure(f"{label} {version}", ("requests", method, version, few, size))
            for version in ("h1", "h2")
            for label, method, size in (("GET", "GET", 0), ("POST 100 KB", "POST", 102_400))
        ),
        _Measure("SSE first byte", ("first_bytes", few // 2)),
        _Measure("SSE event delay", ("event_delays", events)),
        _Measure("SSE delay, 1 MB POSTs", ("busy_event_delays", events)),
        _Measure("WebSocket 1 KB", ("messages", few, 1000)),
        *(
            _Measure(f"{way} {long} MB {version}", (way, version, long), speed=True)
            for version in ("h1", "h2")
            for way in ("upload", "download")
        ),
    ]


def _loads(quick: bool) -> list[tuple[str, tuple[str | int, ...]]]:
    part = 20 if quick else 1
    return [
        (f"{20_000 // part} requests", ("requests", "POST", "h1", 20_000 // part, 1000)),
        (f"{1000 // part} MB up", ("upload", "h1", 1000 // part)),
        (f"{1000 // part} MB down", ("download", "h1", 1000 // part)),
        (f"{10_000 // part} messages", ("messages", 10_000 // part, 1000)),
    ]


def bench_proxy(setting: Setting) -> None:
    """Print the figures, and their ratios to the bare proxy."""
    (setting.base / "empty-proxy").mkdir()
    with Server(setting.base) as server, ExitStack() as stack:
        parties = _parties(setting, server, stack)
        measures = _measures(setting.quick)
        figures: dict[tuple[str, str], list[float]] = {}
        for number in range(setting.rounds + 1):
            for measure in measures:
                for party in parties:
                    values = party.ask(*measure.call)
                    if number:
                        figures.setdefault((measure.title, party.name), []).extend(values)
        _print_figures(measures, figures)
        _print_memory(setting, parties)


def _parties(setting: Setting, server: Server, stack: ExitStack) -> list[_Party]:
    env = setting.environ()
    direct = {"BENCH_CA": str(server.ca), "BENCH_PORTS": json.dumps(server.ports)}
    bare, environ = stack.enter_context(_bare_mitmproxy(setting, server))
    ours, ask = stack.enter_context(_client(_guard(server), env))
    return [
        _Party("direct", stack.enter_context(_client([], env | direct))[1], None),
        _Party(_BARE, stack.enter_context(_client([], env | environ))[1], psutil.Process(bare.pid)),
        _Party(_OURS, ask, _proxy_of(ours, ask)),
    ]


def _guard(server: Server) -> list[str]:
    words = [f"--resolve={host}=127.0.0.1:{port}" for host, port in server.ports.items()]
    return guard("--upstream-ca", str(server.ca), *words)


def _proxy_of(guarded: subprocess.Popen[str], ask: Ask) -> psutil.Process:
    ask("requests", "GET", "h1", 1, 0)  # it is there
    for process in psutil.Process(guarded.pid).children(recursive=True):
        if "agentguard.proxy_child" in process.cmdline():
            return process
    raise SystemExit("the proxy of agentguard was not found")


@contextmanager
def _client(wrapper: list[str], env: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], Ask]]:
    """A client process that measures what it is asked to."""
    command = [*wrapper, sys.executable, str(_LIB / "bench_client.py")]
    process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(*call: str | int) -> list[float]:
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(call) + "\n")
        process.stdin.flush()
        answer: list[float] = json.loads(process.stdout.readline())
        return answer

    try:
        yield process, ask
    finally:
        process.communicate()


@contextmanager
def _bare_mitmproxy(setting: Setting, server: Server) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The process, and the environment of its clients."""
    folder = setting.base / "mitmproxy"
    folder.mkdir(mode=0o700)
    hosts = [f"{host}={port}" for host, port in server.ports.items()]
    command = [sys.executable, str(_LIB / "bench_bare.py"), str(folder), str(server.ca), *hosts]
    process = subprocess.Popen(command, env=setting.environ(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield process, json.loads(process.stdout.readline())
    finally:
        process.communicate()


def _print_figures(measures: list[_Measure], figures: dict[tuple[str, str], list[float]]) -> None:
    names = list(dict.fromkeys(name for _, name in figures))
    print(f"\n{'p50/p99 ms, or MB/s':<24}" + "".join(f"{name:>20}" for name in names) + f"{'ours / bare':>18}")
    for measure in measures:
        found = {name: figures[measure.title, name] for name in names}
        print(f"{measure.title:<24}" + (_speeds(found) if measure.speed else _delays(found)))


def _speeds(found: dict[str, list[float]]) -> str:
    medians = {name: statistics.median(values) for name, values in found.items()}
    cells = "".join(f"{speed:>20.0f}" for speed in medians.values())
    return f"{cells}{medians[_OURS] / medians[_BARE]:>17.2f}x"


def _delays(found: dict[str, list[float]]) -> str:
    figures = {name: _percentiles(values) for name, values in found.items()}
    cells = "".join(f"{p50:>12.2f} /{p99:>6.2f}" for p50, p99 in figures.values())
    ratios = [ours / bare for ours, bare in zip(figures[_OURS], figures[_BARE], strict=True)]
    return f"{cells}{ratios[0]:>9.2f}x /{ratios[1]:>5.2f}x"


def _print_memory(setting: Setting, parties: list[_Party]) -> None:
    loads = _loads(setting.quick)
    print(f"\n{'memory of the proxy, MB':<24}{'before':>14}" + "".join(f"{title:>16}" for title, _ in loads))
    for party in parties:
        if party.proxy is None:
            continue
        row = f"{party.name:<24}{_megabytes(party.proxy):>14.0f}"
        for _, call in loads:
            party.ask(*call)
            row += f"{_megabytes(party.proxy):>16.0f}"
        print(row, flush=True)


def _megabytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    ordered = sorted(seconds)
    return statistics.median(ordered) * 1000, ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000
