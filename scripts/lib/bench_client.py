"""The bench's client: each line on standard input is a JSON list, a measure's name and its arguments; each is answered
with a JSON list of numbers. Times are seconds, speeds MB/s.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable

from bench_wire import Http2, WebSocket, http1

HOST = "bench.example"
HOST2 = "bench-h2.example"
MEGABYTE = 1_000_000
_TEXT = "an ordinary sentence of a prompt, and some of its code: if (a.b[0] != c) { return d(e, f); }\n"
_JSON = {"Content-Type": "application/json"}


def prompt(size: int) -> bytes:
    """The body of a request to a model, of `size` bytes; no two of its messages are the same."""
    messages = [{"role": "user", "content": f"{number}: {_TEXT}"} for number in range(size // 100)]
    return json.dumps({"messages": messages}).encode()[:size]


def requests(method: str, version: str, count: int, size: int) -> list[float]:
    """The time of each of `count` requests on one connection, with a body of `size` bytes."""
    send = _sender(version)
    body = prompt(size)
    send("GET", "/", b"")  # connected, and warm
    return [_timed(lambda: send(method, "/", body)) for _ in range(count)]


def first_bytes(count: int) -> list[float]:
    """Until the first byte of a stream of events."""
    connection = http1(HOST)
    out = []
    for number in range(count + 1):
        before = time.perf_counter()
        connection.request("GET", "/events/1")
        response = connection.getresponse()
        response.readline()
        if number:
            out.append(time.perf_counter() - before)
        response.read()
    return out


def event_delays(count: int) -> list[float]:
    """Of each event, from its sending to its arrival."""
    connection = http1(HOST)
    connection.request("GET", f"/events/{count}")
    response = connection.getresponse()
    delays = []
    while line := response.readline():
        if line.startswith(b"data: "):
            delays.append(time.monotonic() - float(line[6:]))
    return delays


def busy_event_delays(count: int) -> list[float]:
    """As above, while another process posts bodies of a megabyte, one after the other."""
    command = [sys.executable, __file__, "busy"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout
        try:
            other.stdout.readline()
            return event_delays(count)
        finally:
            other.kill()


def upload(version: str, megabytes: int) -> list[float]:
    """The speed of one POST."""
    body = prompt(MEGABYTE)
    if version == "h2":
        connection = Http2(HOST2)
        return [megabytes / _timed(lambda: connection.request("POST", "/", body, megabytes))]
    plain = http1(HOST)
    return [megabytes / _timed(lambda: _post(plain, body, megabytes))]


def download(version: str, megabytes: int) -> list[float]:
    """The speed of one GET."""
    path = f"/bytes/{megabytes * MEGABYTE}"
    if version == "h2":
        connection = Http2(HOST2)
        return [megabytes / _timed(lambda: connection.request("GET", path))]
    plain = http1(HOST)
    return [megabytes / _timed(lambda: _get(plain, path))]


def messages(count: int, size: int) -> list[float]:
    """The time of each of `count` WebSocket messages of `size` characters, with its answer."""
    socket = WebSocket(HOST)
    text = prompt(size).decode()
    return [_timed(lambda: socket.exchange(text)) for _ in range(count)]


MEASURES: dict[str, Callable[..., list[float]]] = {
    each.__name__: each for each in (requests, first_bytes, event_delays, busy_event_delays, upload, download, messages)
}


def _sender(version: str) -> Callable[[str, str, bytes], object]:
    if version == "h2":
        return Http2(HOST2).request
    connection = http1(HOST)

    def send(method: str, path: str, body: bytes) -> object:
        connection.request(method, path, body=body or None, headers=_JSON if body else {})
        return connection.getresponse().read()

    return send


def _post(connection: http.client.HTTPConnection, body: bytes, repeat: int) -> None:
    headers = _JSON | {"Content-Length": str(len(body) * repeat)}
    connection.request("POST", "/", body=(body for _ in range(repeat)), headers=headers)
    connection.getresponse().read()


def _get(connection: http.client.HTTPConnection, path: str) -> None:
    connection.request("GET", path)
    response = connection.getresponse()
    while response.read(MEGABYTE):
        pass


def _timed(work: Callable[[], object]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def _busy() -> None:
    """Post until killed; a line says when the first has gone through."""
    send, body = _sender("h1"), prompt(MEGABYTE)
    while True:
        send("POST", "/", body)
        with contextlib.suppress(BrokenPipeError):
            print("busy", flush=True)


def main() -> None:
    """Answer until the input ends."""
    if sys.argv[1:] == ["busy"]:
        _busy()
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print(json.dumps(MEASURES[name](*arguments)), flush=True)


if __name__ == "__main__":
    main()
