"""CONNECT, SNI and Host: real clients whose names do not go together, and those that only look so."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from proxy_support.servers import LoopbackServer, http1, http2
from proxy_support.session import HOST, Guarded, World, guarded

from agentguard.model.observation import HttpObservation
from agentguard.sense.proxy.names import covers, other_name, proved

FRONT = "front.example"
HIDDEN = "hidden.example"
Play = Callable[..., AbstractContextManager[Guarded]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture
def play(tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Play:
    """A proxy before one server that shows a certificate for these names and is reached by all of ours."""

    @contextmanager
    def playing(*names: str, two: bool = False) -> Iterator[Guarded]:
        serve, alpn = (http2, ["h2"]) if two else (http1, ["http/1.1"])
        with LoopbackServer(serve, world.tls(names, alpn)) as server:
            redirects = dict.fromkeys((HOST, FRONT, HIDDEN), ("127.0.0.1", server.port))
            with guarded(tmp_path, monkeypatch, redirects=redirects, upstream_ca=str(world.ca)) as proxy:
                yield proxy

    return playing


def named(proxy: Guarded, *words: str) -> list[tuple[str, str, str]]:
    """(reached, asked for in CONNECT, asked for in Host) of what was told, after one curl that got its answer."""
    done = proxy.curl(*words)
    assert done.stdout.startswith(b"ok"), done.stderr
    proxy.settle()
    return [_names(seen) for seen in proxy.sends() if not seen.matches]


def _names(seen: HttpObservation) -> tuple[str, str, str]:
    return seen.host, seen.connect_host, seen.asked_host


def test_a_host_behind_the_one_that_was_reached_is_told_once(play: Play) -> None:
    with play(HOST) as proxy:
        ask = ("-H", f"Host: {HIDDEN}", f"https://{HOST}/a", f"https://{HOST}/b")
        assert named(proxy, *ask) == [(HOST, "", HIDDEN)]
        value = proxy.follow()
        proxy.curl(*ask[:3], "-d", "@-", stdin=value.value)
        proxy.settle()
        assert [_names(seen) for seen in proxy.sends() if seen.matches] == [(HOST, "", HIDDEN)]


def test_a_secret_in_the_name_asked_for_is_not_told(play: Play) -> None:
    with play(HOST) as proxy:
        value = proxy.follow()
        proxy.curl("-H", f"Host: {value.value.decode()}.{HIDDEN}", f"https://{HOST}/a")
        proxy.wait(lambda: any(seen.asked_host for seen in proxy.sends()))
        proxy.assert_no_raw(value)
        told = " ".join(seen.asked_host for seen in proxy.sends())
        assert value.value.decode().lower()[4:20] not in told


def test_a_name_that_the_certificate_covers_is_no_finding(play: Play) -> None:
    with play(HOST, HIDDEN) as proxy:
        assert named(proxy, "-H", f"Host: {HIDDEN}:443", f"https://{HOST}/a") == []
        assert named(proxy, "--connect-to", f"{HOST}:443:{HIDDEN}:443", f"https://{HOST}/a") == []


def test_connected_elsewhere_than_named_in_tls(play: Play) -> None:
    with play(HOST) as proxy:
        told = named(proxy, "--connect-to", f"{HOST}:443:{FRONT}:443", f"https://{HOST}/a")
        assert told == [(HOST, FRONT, "")]


def test_over_http2_the_authority_counts(play: Play) -> None:
    if "HTTP2" not in subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout:
        pytest.skip("curl without HTTP/2")
    with play(HOST, two=True) as proxy:
        assert named(proxy, "--http2", "-H", f"Host: {HIDDEN}", f"https://{HOST}/a") == [(HOST, "", HIDDEN)]
    with play(HOST, f"*.{HIDDEN}", two=True) as proxy:
        assert named(proxy, "--http2", "-H", f"Host: eu.{HIDDEN}", f"https://{HOST}/a") == []


def test_without_tls_nobody_proves_a_name(play: Play, tmp_path: Path) -> None:
    with LoopbackServer(http1) as plain, play(HOST) as proxy:
        local = f"http://127.0.0.1:{plain.port}/a"
        assert named(proxy, "-H", f"Host: {HIDDEN}", local) == [], "a developer's own server has any name"


@pytest.mark.parametrize(
    ("names", "host", "covered"),
    [
        (["a.example"], "a.example", True),
        (["*.a.example"], "b.a.example", True),
        (["*.a.example"], "a.example", False),
        (["*.a.example"], "c.b.a.example", False),
        (["*.example"], "a.example", False),
        (["*"], "a", False),
        ([], "a.example", False),
        (["203.0.113.9"], "203.0.113.9", True),
    ],
)
def test_what_a_certificate_covers(names: list[str], host: str, covered: bool) -> None:
    assert covers(names, host) is covered


@pytest.mark.parametrize(
    ("reached", "header", "asked"),
    [
        ("a.example", "a.example", ""),
        ("a.example", "A.EXAMPLE.:8443", ""),
        ("a.example", "", ""),
        ("a.example", "B.example:443", "B.example"),
        ("localhost", "b.example", ""),
        ("2001:db8::1", "[2001:db8::1]:443", ""),
        ("2001:db8::1", "2001:db8::1", ""),
    ],
)
def test_which_name_a_host_header_asks_for(reached: str, header: str, asked: str) -> None:
    assert other_name(reached, header) == asked


@pytest.mark.parametrize(
    ("reached", "names", "fine"),
    [
        ("a.example", ["a.example"], False),
        ("a.example", ["a.example", "b.example"], True),
        ("a.example", None, False),
        ("203.0.113.9", None, True),
        ("203.0.113.9", ["203.0.113.9"], False),
        ("203.0.113.9", ["b.example"], True),
    ],
)
def test_who_may_be_called_so(reached: str, names: Sequence[str] | None, fine: bool) -> None:
    """`names`: of the server's certificate; None: no TLS."""
    assert proved(reached, "b.example", names) is fine
