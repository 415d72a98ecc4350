"""The bench's client: for each line on standard input, one round of measurements as a JSON line of seconds."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import sys
import time
import urllib.parse

HOST = "bench.example"
REQUESTS = 50
BODY = json.dumps({"messages": [{"role": "user", "content": "an ordinary sentence of a prompt. " * 3000}]}).encode()[
    :102_400
]


def main() -> None:
    for _ in sys.stdin:
        connection = connect()
        connection.request("GET", "/")
        connection.getresponse().read()  # connected, and warm
        gets = [timed(connection, "GET", None) for _ in range(REQUESTS)]
        posts = [timed(connection, "POST", BODY) for _ in range(REQUESTS // 5)]
        first, delays = events(connection)
        answer = {"GET": gets, "POST 100 KB": posts, "SSE first byte": [first], "SSE event delay": delays}
        print(json.dumps(answer), flush=True)


def connect() -> http.client.HTTPSConnection:
    """Direct to BENCH_PORT on loopback, or through the proxy of the environment."""
    context = ssl.create_default_context(cafile=os.environ.get("BENCH_CA") or os.environ["SSL_CERT_FILE"])
    proxy = os.environ.get("https_proxy")
    if proxy:
        parsed = urllib.parse.urlsplit(proxy)
        connection = http.client.HTTPSConnection(str(parsed.hostname), parsed.port, context=context)
        connection.set_tunnel(HOST, 443)
        return connection
    direct = http.client.HTTPSConnection(HOST, int(os.environ["BENCH_PORT"]), context=context)
    original = direct._create_connection  # type: ignore[attr-defined]
    direct._create_connection = lambda address, *rest: original(("127.0.0.1", address[1]), *rest)  # type: ignore[attr-defined]
    return direct


def timed(connection: http.client.HTTPSConnection, method: str, body: bytes | None) -> float:
    before = time.perf_counter()
    connection.request(method, "/", body=body, headers={"Content-Type": "application/json"} if body else {})
    connection.getresponse().read()
    return time.perf_counter() - before


def events(connection: http.client.HTTPSConnection) -> tuple[float, list[float]]:
    """Until the first byte of the body; and of each event, from its sending to its arrival."""
    before = time.perf_counter()
    connection.request("GET", "/events")
    response = connection.getresponse()
    delays = []
    first = 0.0
    while line := response.readline():
        first = first or time.perf_counter() - before
        if line.startswith(b"data: "):
            delays.append(time.monotonic() - float(line[6:]))
    return first, delays


if __name__ == "__main__":
    main()
