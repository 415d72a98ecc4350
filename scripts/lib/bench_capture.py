"""What it costs a program that uses no proxy: alone, guarded, and with its connections taken to the proxy.

Run by `scripts/bench capture`; with a port as its argument it is the program that is measured.
"""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench_setting import Setting, guard

_CONNECTS, _TURNS, _SENDS = 200, 500, 5000
_MEGABYTES = 64
_BLOCK = (b"Plain words, of which nothing is secret. " * 26_000)[: 1 << 20]
_HEADER = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"
_KINDS: dict[str, tuple[str, ...] | None] = {"alone": None, "guarded": (), "captured": ("--capture",)}
_ECHO, _TAKE, _GIVE, _HTTP = b"e", b"t", b"g", b"P"


def bench_capture(setting: Setting) -> None:
    """Print medians, and what the guard makes of them."""
    project = setting.base / "capture"
    project.mkdir()
    env = setting.environ()
    results: dict[str, list[dict[str, float]]] = {kind: [] for kind in _KINDS}
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        threading.Thread(target=_serve, args=(server,), daemon=True).start()
        work = [sys.executable, "-S", str(Path(__file__).resolve()), str(server.getsockname()[1])]
        work += ["quick"] if setting.quick else []
        for number in range(setting.rounds + 1):
            for kind, options in _KINDS.items():
                words = work if options is None else [*guard(*options), *work]
                done = subprocess.run(words, cwd=project, env=env, capture_output=True, text=True, check=True)
                if number or setting.quick:
                    results[kind].append(json.loads(done.stdout))
    print(f"\n{'a client without a proxy, on loopback':<40}{'alone':>12}{'guarded':>18}{'captured':>18}")
    for name in results["alone"][0]:
        alone, *others = (statistics.median(result[name] for result in results[kind]) for kind in _KINDS)
        print(f"{name:<40}{alone:>12.1f}" + "".join(f"{other:>10.1f} {other / alone:>5.1f}×" for other in others))


def _serve(server: socket.socket) -> None:
    while True:
        try:
            link, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(link,), daemon=True).start()


def _answer(link: socket.socket) -> None:
    with link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        what = link.recv(1)
        if what == _HTTP:
            asked = link.recv(4096)
            while not asked.endswith(b"{}"):
                asked += link.recv(4096)
            link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        elif what == _GIVE:
            for _ in range(int(link.recv(16))):
                link.sendall(_BLOCK)
        else:
            while data := link.recv(1 << 20):
                if what == _ECHO:
                    link.sendall(data)
            link.sendall(b".")


def _work(port: int, scale: float) -> dict[str, float]:
    """The figures of one process."""
    address = ("127.0.0.1", port)
    connects, turns, sends = (max(int(count * scale), 1) for count in (_CONNECTS, _TURNS, _SENDS))
    megabytes = max(int(_MEGABYTES * scale), 1)
    echo = socket.create_connection(address)
    echo.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    echo.sendall(_ECHO)
    here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    here.bind(("127.0.0.1", 0))
    there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    there.connect(here.getsockname())
    free = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one, other = socket.socketpair()

    def datagram(send: Callable[[], Any]) -> Callable[[], None]:
        def both() -> None:
            send()
            here.recv(100)

        return both

    def message() -> None:
        one.sendmsg([bytes(100)])
        other.recv(100)

    return {  # connect and close last: what follows would wait for the proxy to be done with them
        "connect, HTTP request, answer, µs": _each(connects, lambda: _request(address)),
        "100 bytes there and back, TCP, µs": _each(turns, lambda: _turn(echo)),
        "upload, ms for each MB": _upload(address, megabytes),
        "download, ms for each MB": _download(address, megabytes),
        "UDP send, connected, µs": _each(sends, datagram(lambda: there.send(bytes(100)))),
        "UDP sendto, µs": _each(sends, datagram(lambda: free.sendto(bytes(100), here.getsockname()))),
        "sendmsg, connected, µs": _each(sends, message),
        "connect and close, µs": _each(connects, lambda: socket.create_connection(address).close()),
    }


def _each(count: int, act: Callable[[], Any]) -> float:
    """Microseconds."""
    before = time.perf_counter()
    for _ in range(count):
        act()
    return (time.perf_counter() - before) / count * 1e6


def _turn(echo: socket.socket) -> None:
    echo.sendall(bytes(100))
    echo.recv(100)


def _request(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as link:
        link.sendall(_HEADER)
        while link.recv(4096):
            pass


def _upload(address: tuple[str, int], megabytes: int) -> float:
    before = time.perf_counter()
    with socket.create_connection(address) as link:
        link.sendall(_TAKE)
        for _ in range(megabytes):
            link.sendall(_BLOCK)
        link.shutdown(socket.SHUT_WR)
        link.recv(1)
    return (time.perf_counter() - before) / megabytes * 1e3


def _download(address: tuple[str, int], megabytes: int) -> float:
    before = time.perf_counter()
    with socket.create_connection(address) as link:
        link.sendall(_GIVE)
        link.sendall(str(megabytes).encode())
        while link.recv(1 << 20):
            pass
    return (time.perf_counter() - before) / megabytes * 1e3


if __name__ == "__main__":
    print(json.dumps(_work(int(sys.argv[1]), 0.02 if sys.argv[2:] else 1.0)))
