"""Where policy says so nothing of a secret leaves, in whatever way it is sent: the proof is what the server got."""

from __future__ import annotations

import gzip
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import pytest
from proxy_support.clients import Http2, read_all, secure, tunnel, websocket
from proxy_support.servers import CLOSE, CONTINUATION, PING, TEXT, LoopbackServer, frame, http1, http2, raw, read_frame
from proxy_support.session import RULE, Guarded, World, block_policy, guarded

from agentguard.model.observation import HttpObservation
from agentguard.model.secret import SecretValue

pytestmark = pytest.mark.slow

ONE, TWO, RAW = "one.example", "two.example", "raw.example"
"""Names of the three servers: HTTP/1.1, HTTP/2, and no protocol."""
PIECE = 8
"""A run of so many bytes of a value must not have left."""


@dataclass
class Ground:
    """A proxy whose policy refuses everything, and what stands behind it."""

    proxy: Guarded
    one: LoopbackServer
    two: LoopbackServer
    raw: LoopbackServer

    def seen(self, value: SecretValue) -> HttpObservation:
        """What was told of a value."""

        def told() -> list[HttpObservation]:
            sends = self.proxy.sends()
            return [seen for seen in sends if any(match.fingerprint == value.fingerprint for match in seen.matches)]

        self.proxy.wait(told)
        return told()[0]

    def assert_nothing_left(self, value: SecretValue) -> HttpObservation:
        """No part of it reached a server, and the event says that it was blocked."""
        seen = self.seen(value)
        assert seen.enforced_rule == RULE
        for server in (self.one, self.two, self.raw):
            got = bytes(server.log.raw)
            for start in range(len(value.value) - PIECE + 1):
                assert value.value[start : start + PIECE] not in got
        self.proxy.assert_no_raw(value)
        return seen


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("blocking")
    world = World(folder)
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        one = stack.enter_context(LoopbackServer(http1, world.tls([ONE])))
        two = stack.enter_context(LoopbackServer(http2, world.tls([TWO], ["h2"])))
        plain = stack.enter_context(LoopbackServer(raw))
        servers = {ONE: one, TWO: two, RAW: plain}
        proxy = stack.enter_context(
            guarded(
                folder,
                patch,
                redirects={name: ("127.0.0.1", server.port) for name, server in servers.items()},
                upstream_ca=str(world.ca),
                home=block_policy(folder, f'["*.example", "{ONE}", "{TWO}", "{RAW}", "127.0.0.1"]'),
            )
        )
        yield Ground(proxy, one, two, plain)


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def halves(data: bytes) -> tuple[bytes, bytes]:
    return data[: len(data) // 2], data[len(data) // 2 :]


def grpc(payload: bytes, *, packed: bool = False) -> bytes:
    data = gzip.compress(payload) if packed else payload
    return bytes([packed]) + len(data).to_bytes(4, "big") + data


# --- HTTP/1.1 --------------------------------------------------------------------------------------------------------

Build = Callable[[bytes], list[bytes]]
HEAD = b"%s HTTP/1.1\r\nHost: one.example\r\n%s\r\n"


def _post(*headers: bytes) -> bytes:
    return HEAD % (b"POST /x", b"".join(header + b"\r\n" for header in headers))


def _long(value: bytes) -> list[bytes]:
    size = 12 << 20
    before = b"an ordinary line\n" * 300_000
    body = before + value + b"\n" + b"y" * (size - len(before) - len(value) - 1)
    return [_post(b"Content-Length: %d" % size), body]


def _expecting(value: bytes) -> list[bytes]:
    return [_post(b"Expect: 100-continue", b"Content-Length: %d" % len(value)), value]


REQUESTS: dict[str, Build] = {
    "query": lambda value: [HEAD % (b"GET /?q=" + value, b"")],
    "header": lambda value: [HEAD % (b"GET /", b"X-Token: " + value + b"\r\n")],
    "cookie": lambda value: [HEAD % (b"GET /", b"Cookie: a=b; token=" + value + b"\r\n")],
    "small body": lambda value: [_post(b"Content-Length: %d" % len(value)) + value],
    "small body in two writes": lambda value: [_post(b"Content-Length: %d" % len(value)), *halves(value)],
    "Expect: 100-continue": _expecting,
    "chunked": lambda value: [_post(b"Transfer-Encoding: chunked"), chunked(b"a=", value)],
    "split at a chunk's border": lambda value: [_post(b"Transfer-Encoding: chunked"), chunked(*halves(value), b"\n")],
    "a byte a chunk": lambda value: [_post(b"Transfer-Encoding: chunked"), chunked(*(bytes([x]) for x in value))],
    "header of a streamed body": lambda value: [_post(b"Transfer-Encoding: chunked", b"X-A: " + value), chunked(b"a")],
    "12 MB": _long,
    "HTTP/1.0": lambda value: [b"POST / HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(value), value],
}


@pytest.mark.parametrize("way", REQUESTS)
def test_http1(ground: Ground, way: str) -> None:
    value = ground.proxy.follow()
    with secure(ground.proxy, ONE) as client:
        answer = _talk(client, REQUESTS[way](value.value))
    assert b" 403 " in answer.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")
    assert b"blocked_by_agentguard" in answer
    assert ground.assert_nothing_left(value).protocol == "http/1.1"


def _talk(client: ssl.SSLSocket, pieces: list[bytes]) -> bytes:
    """Send all of it, as far as it is taken, and read the answer."""
    try:
        for piece in pieces:
            client.sendall(piece)
            time.sleep(0.01)  # so that it comes as a piece of its own
    except OSError:
        pass
    return read_all(client)


def test_answer_does_not_stop_what_comes_before_and_after(ground: Ground) -> None:
    """Requests sent one behind the other, of which the second is refused."""
    value = ground.proxy.follow()
    with secure(ground.proxy, ONE) as client:
        fine = HEAD % (b"GET /before", b"")
        client.sendall(fine + _post(b"Content-Length: %d" % len(value.value)) + value.value)
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b" 403 " in answer
    ground.assert_nothing_left(value)
    assert any(request.path == "/before" for request in ground.one.log.requests)


def test_trailers_of_a_chunked_body_are_left_out(ground: Ground) -> None:
    value = ground.proxy.follow()
    with secure(ground.proxy, ONE) as client:
        body = chunked(b"hello")[:-2] + b"X-Sum: " + value.value + b"\r\n\r\n"
        client.sendall(_post(b"Transfer-Encoding: chunked", b"Trailer: X-Sum", b"Connection: close") + body)
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert not ground.one.log.holds(value.value[:PIECE])


# --- HTTP/2 ----------------------------------------------------------------------------------------------------------


def _two_body(client: Http2, value: bytes) -> int:
    stream = client.begin("/x", ("content-length", str(len(value))))
    client.send(stream, *halves(value), end=True)
    return stream


def _two_streamed(client: Http2, value: bytes) -> int:
    stream = client.begin("/x")
    client.send(stream, b"x" * 5000, b"y" * 5000 + b"\n" + value[:9], value[9:], end=True)
    return stream


def _two_long(client: Http2, value: bytes) -> int:
    stream = client.begin("/x", ("content-length", str(12 << 20)))
    for _ in range(300):
        client.send(stream, b"an ordinary line\n" * 900)
    client.send(stream, value + b"\n", b"more\n")
    return stream


def _two_header(client: Http2, value: bytes) -> int:
    return client.begin("/x", ("x-token", value.decode()), method="GET", end=True)


def _two_header_without_body(client: Http2, value: bytes) -> int:
    return client.begin("/x", ("x-token", value.decode()), end=True)


def _two_trailer(client: Http2, value: bytes) -> int:
    stream = client.begin("/x")
    client.send(stream, b"hello", trailers=[("x-token", value.decode())])
    return stream


def _two_trailer_of_a_small_body(client: Http2, value: bytes) -> int:
    stream = client.begin("/x", ("content-length", "5"))
    client.send(stream, b"hello", trailers=[("x-token", value.decode())])
    return stream


STREAMS = {
    "small body": _two_body,
    "streamed": _two_streamed,
    "12 MB": _two_long,
    "header": _two_header,
    "header of a POST without a body": _two_header_without_body,
    "trailer": _two_trailer,
    "trailer of a small body": _two_trailer_of_a_small_body,
}


@pytest.mark.parametrize("way", STREAMS)
def test_http2_refuses_one_stream_and_no_other(ground: Ground, way: str) -> None:
    value = ground.proxy.follow()
    with Http2(ground.proxy, TWO) as client:
        other = client.begin("/other")
        client.send(other, b"begun")
        stream = STREAMS[way](client, value.value)
        assert client.status(stream) == "403"
        assert b"blocked_by_agentguard" in client.data(stream)
        client.send(other, b" and ended", end=True)
        assert client.status(other) == "200"
    assert ground.assert_nothing_left(value).protocol == "h2"
    assert any(request.body == b"begun and ended" for request in ground.two.log.requests)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_grpc_message_is_not_sent_and_those_before_it_are_answered(ground: Ground, packed: bool) -> None:
    value = ground.proxy.follow()
    with Http2(ground.proxy, TWO) as client:
        headers = [("content-type", "application/grpc"), ("te", "trailers"), ("grpc-encoding", "gzip")]
        stream = client.begin("/package.Service/Method", *headers)
        for count in range(1, 4):  # each waits for the answer to the one before
            client.send(stream, grpc(b"message %d" % count, packed=packed))
            while client.data(stream).count(b"ok") < count:
                assert client.receive()
        message = grpc(b"\x0a\x20" + value.value, packed=packed)
        client.send(stream, *(message[at : at + 7] for at in range(0, len(message), 7)))
        assert client.status(stream) == "reset"
    ground.assert_nothing_left(value)


# --- WebSocket -------------------------------------------------------------------------------------------------------


def _frames(value: bytes) -> dict[str, bytes]:
    first, second = halves(value)
    return {
        "message": frame(b"token " + value, masked=True),
        "fragments": frame(first, masked=True, final=False) + frame(second, masked=True, opcode=CONTINUATION),
        "fragments around a ping": frame(first, masked=True, final=False)
        + frame(b"", masked=True, opcode=PING)
        + frame(second, masked=True, opcode=CONTINUATION),
        "ping": frame(value, masked=True, opcode=PING),
    }


@pytest.mark.parametrize("way", _frames(b"0123"))
def test_websocket(ground: Ground, way: str) -> None:
    value = ground.proxy.follow()
    with LoopbackServer(http1) as server:
        client, file = websocket(ground.proxy, f"http://127.0.0.1:{server.port}/ws", "127.0.0.1")
        with client:
            client.sendall(_frames(value.value)[way] + frame(b"fine", masked=True, opcode=TEXT))
            while read_frame(file) != b"4":
                pass
        assert ground.assert_nothing_left(value).protocol == "websocket"
        assert not any(server.log.holds(value.value[at : at + PIECE]) for at in range(len(value.value) - PIECE))


def test_reason_of_a_websockets_close(ground: Ground) -> None:
    value = ground.proxy.follow()
    with LoopbackServer(http1) as server:
        client, _ = websocket(ground.proxy, f"http://127.0.0.1:{server.port}/ws", "127.0.0.1")
        with client:
            client.sendall(frame(b"\x03\xe8" + value.value, masked=True, opcode=CLOSE))
            read_all(client)
        ground.assert_nothing_left(value)
        deadline = time.monotonic() + 60
        while not bytes(server.log.raw).endswith(b"\x03\xe8"):
            assert time.monotonic() < deadline, "the close itself does not arrive"
            time.sleep(0.02)


# --- raw TCP ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["", "half-closed", "silent"])
@pytest.mark.parametrize("writes", [1, 2, 40])
def test_raw_connection_is_cut_before_the_first_byte(ground: Ground, writes: int, end: str) -> None:
    value = ground.proxy.follow()
    message = b"AUTH " + value.value + (b"" if end else b"\r\n" + b"x" * 20_000)
    with tunnel(ground.proxy, RAW) as client:
        assert client.recv(7) == b"+HELLO\n"
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        step = -(-len(message) // writes)
        with suppress(BrokenPipeError, ConnectionResetError):  # it may be cut before all is written
            for at in range(0, len(message), step):
                client.sendall(message[at : at + step])
            if end == "half-closed":
                client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b""
    assert ground.assert_nothing_left(value).protocol == "tcp"


def test_raw_dialogue_goes_on_turn_by_turn_and_arrives_whole(ground: Ground) -> None:
    ground.raw.log.raw.clear()
    said = b""
    with tunnel(ground.proxy, RAW) as client, client.makefile("rb") as file:
        assert file.readline() == b"+HELLO\n"
        for turn in (b"EHLO me", b"x" * 100_000, b"QUIT\r\n"):
            client.sendall(turn)
            said += turn
            while len(ground.raw.log.raw) < len(said):
                assert file.readline() == b"+OK\n"
    assert bytes(ground.raw.log.raw) == said


def test_raw_connection_that_ends_at_once_arrives_whole(ground: Ground) -> None:
    ground.raw.log.raw.clear()
    with tunnel(ground.proxy, RAW) as client:
        client.sendall(b"all there is")
        client.shutdown(socket.SHUT_WR)
        ground.proxy.wait(lambda: bytes(ground.raw.log.raw) == b"all there is")


# --- and what is clean -----------------------------------------------------------------------------------------------


def test_what_holds_no_secret_passes_whole(ground: Ground) -> None:
    with Http2(ground.proxy, TWO) as client:
        stream = client.begin("/clean")
        client.send(stream, *[b"line\n" * 3000] * 30, end=True)
        assert client.status(stream) == "200"
    assert ground.two.log.requests[-1].body == b"line\n" * 90_000
    assert not ground.proxy.gaps(), "nothing failed while all this was tried"
