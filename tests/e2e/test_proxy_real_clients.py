"""The proxy with real programs against real TLS servers on loopback: seen, attributed, blocked, else untouched."""

from __future__ import annotations

import base64
import gzip
import json
import os
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import brotli
import pytest
import zstandard
from proxy_support.servers import SSE_EVENTS, SSE_PAUSE, LoopbackServer, http1, http2
from proxy_support.session import HOST, RULE, Guarded, World, block_policy, guarded

from agentguard.model.observation import GapType
from agentguard.model.process import Confidence

URL = f"https://{HOST}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a space in its name, as users have them."""
    return tmp_path_factory.mktemp("real clients")


@pytest.fixture(scope="module")
def world(folder: Path) -> World:
    return World(folder)


@pytest.fixture(scope="module")
def all_tests_server(world: World) -> Iterator[LoopbackServer]:
    with LoopbackServer(http1, world.tls()) as running:
        yield running


@pytest.fixture
def server(all_tests_server: LoopbackServer) -> LoopbackServer:
    all_tests_server.log.clear()
    return all_tests_server


@pytest.fixture(scope="module")
def all_tests_proxy(folder: Path, world: World, all_tests_server: LoopbackServer) -> Iterator[Guarded]:
    """A start costs more than most tests do."""
    redirects = {HOST: ("127.0.0.1", all_tests_server.port)}
    with (
        pytest.MonkeyPatch.context() as patch,
        guarded(folder, patch, redirects=redirects, upstream_ca=str(world.ca)) as running,
    ):
        yield running


@pytest.fixture
def proxy(all_tests_proxy: Guarded, server: LoopbackServer) -> Guarded:
    return all_tests_proxy.anew()


def need(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


# --- what is seen ----------------------------------------------------------------------------------------------------


def test_curl_body_is_attributed_and_linked_to_the_value(proxy: Guarded, server: LoopbackServer) -> None:
    value = proxy.follow()
    running = subprocess.Popen(
        ["curl", "-sS", "-d", "@-", f"{URL}/upload?a=1"],
        env=proxy.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    out, _ = running.communicate(b"token=" + value.value)
    assert out == b"ok\n"
    proxy.wait(proxy.sends)
    (seen,) = proxy.sends()
    assert seen.process is not None
    assert seen.process.pid == running.pid
    assert seen.process.name == "curl"
    assert seen.process.start_time > 0
    assert seen.process.cwd == str(Path.cwd())
    assert seen.confidence is Confidence.EXACT_HELD
    assert (seen.method, seen.scheme, seen.host, seen.port) == ("POST", "https", HOST, 443)
    assert seen.url == f"{URL}/upload?a=1"
    assert seen.body_size == len(b"token=" + value.value)
    assert [(match.fingerprint, match.place, match.source_path) for match in seen.matches] == [
        (value.fingerprint, "body", "/project/.env")
    ]
    assert seen.enforced_rule == ""
    assert server.log.holds(value.value)
    proxy.assert_no_raw(value)


def test_value_in_argv_and_query_comes_out_redacted(proxy: Guarded) -> None:
    value = proxy.follow()
    proxy.curl(f"{URL}/x?key={value.value.decode()}", "-H", f"X-Note: {value.value.decode()}")
    proxy.wait(proxy.sends)
    (seen,) = proxy.sends()
    assert {match.place for match in seen.matches} == {"query", "header:x-note"}
    assert seen.process is not None
    assert seen.process.cmdline[:4] == ("curl", "-sS", "--max-time", "30")
    proxy.assert_no_raw(value)


def test_request_without_secrets_is_only_counted(proxy: Guarded) -> None:
    before = proxy.sensor.coverage().events
    assert proxy.curl(f"{URL}/plain", "-d", "hello").stdout == b"ok\n"
    proxy.settle()
    assert proxy.observations == []
    proxy.wait(lambda: proxy.sensor.coverage().events > before)


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
    "deflate": zlib.compress,
}


@pytest.mark.parametrize("encode", PACKED)
def test_compressed_bodies(proxy: Guarded, encode: str) -> None:
    value = proxy.follow()
    body = PACKED[encode](b'{"prompt": "' + b"x " * 5000 + value.value + b'"}')
    sent = proxy.curl(
        f"{URL}/z",
        "-H",
        f"Content-Encoding: {encode}",
        "-H",
        "Content-Type: application/json",
        "--data-binary",
        "@-",
        stdin=body,
    )
    assert sent.stdout == b"ok\n"
    proxy.wait(proxy.sends)
    (match,) = proxy.sends()[0].matches
    assert match.fingerprint == value.fingerprint
    assert not proxy.gaps()
    proxy.assert_no_raw(value)


ENCODED: dict[str, Callable[[bytes], bytes]] = {
    "base64": lambda raw: base64.b64encode(b"ab" + raw),
    "hex": lambda raw: raw.hex().encode(),
    "percent": lambda raw: b"".join(b"%%%02X" % byte for byte in raw),
}


@pytest.mark.parametrize("label", ENCODED)
def test_encoded_bodies(proxy: Guarded, label: str) -> None:
    value = proxy.follow()
    proxy.curl(f"{URL}/e", "--data-binary", "@-", stdin=b"data=" + ENCODED[label](value.value))
    proxy.wait(proxy.sends)
    (match,) = proxy.sends()[0].matches
    assert match.fingerprint == value.fingerprint
    assert label in match.encoding


def test_multipart_upload_names_the_field(proxy: Guarded, tmp_path: Path) -> None:
    value = proxy.follow()
    file = tmp_path / "notes.txt"
    file.write_bytes(b"first line\n" + value.value + b"\n")
    assert proxy.curl(f"{URL}/form", "-F", "title=hello", "-F", f"attachment=@{file}").stdout == b"ok\n"
    proxy.wait(proxy.sends)
    (match,) = proxy.sends()[0].matches
    assert match.place == "multipart:attachment"


def test_basic_authorization_is_decoded(proxy: Guarded) -> None:
    value = proxy.follow()
    proxy.run("curl", "-sS", "-K", "-", f"{URL}/basic", stdin=b'user = "me:' + value.value + b'"')
    proxy.wait(proxy.sends)
    (match,) = proxy.sends()[0].matches
    assert (match.fingerprint, match.place) == (value.fingerprint, "header:authorization")
    assert "base64" in match.encoding
    proxy.assert_no_raw(value)


def test_chunked_upload_streams_and_is_seen_across_chunks(proxy: Guarded, server: LoopbackServer) -> None:
    value = proxy.follow()
    body = b"A" * (65536 - 10) + value.value + b"B" * 65536
    assert proxy.curl("-T", "-", f"{URL}/put", stdin=body).stdout == b"ok\n"
    proxy.wait(proxy.sends)
    (seen,) = proxy.sends()
    assert [match.fingerprint for match in seen.matches] == [value.fingerprint]
    assert server.log.requests[-1].body == body


def test_upload_larger_than_the_buffer_streams_whole(proxy: Guarded, server: LoopbackServer, tmp_path: Path) -> None:
    value = proxy.follow()
    body = os.urandom(12 << 20) + value.value + os.urandom(1000)
    file = tmp_path / "big"
    file.write_bytes(body)
    assert proxy.curl("-H", "Content-Type: application/octet-stream", "--data-binary", f"@{file}", f"{URL}/big").stdout
    proxy.wait(proxy.sends)
    assert server.log.requests[-1].body == body
    assert proxy.sends()[0].matches[0].fingerprint == value.fingerprint


def test_undecodable_body_is_a_gap(proxy: Guarded) -> None:
    proxy.curl(f"{URL}/x", "-H", "Content-Encoding: gzip", "--data-binary", "@-", stdin=b"this is no gzip " * 10)
    proxy.wait(lambda: proxy.gaps(GapType.OPAQUE_BODY))
    (gap,) = proxy.gaps(GapType.OPAQUE_BODY)
    assert HOST in gap.detail
    assert gap.process is not None
    assert gap.process.name == "curl"
    assert gap.covered_by == ""


# --- what is not touched ---------------------------------------------------------------------------------------------


def test_first_event_of_a_stream_is_not_delayed(proxy: Guarded) -> None:
    proxy.curl(f"{URL}/warm")
    start = time.monotonic()
    running = proxy.start("curl", "-sSN", f"{URL}/events")
    assert running.stdout is not None
    first = running.stdout.readline()
    arrived = time.monotonic() - start
    rest, _ = running.communicate()
    whole = time.monotonic() - start
    assert first == b"data: 0\n"
    assert rest.count(b"data:") == SSE_EVENTS - 1
    assert whole > (SSE_EVENTS - 1) * SSE_PAUSE
    assert arrived < SSE_PAUSE * 2, "the first event waited for later ones"


def test_nobody_listening_closes_the_connection_instead_of_answering(proxy: Guarded) -> None:
    done = proxy.curl("-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:1/ready")
    assert done.returncode != 0
    assert done.stdout == b"000"


def test_self_made_certificate_on_this_machine_is_reachable(proxy: Guarded, tmp_path: Path) -> None:
    stranger = World(tmp_path)
    with LoopbackServer(http1, stranger.tls(["localhost"])) as own:
        assert proxy.curl("-k", f"https://localhost:{own.port}/dev").stdout == b"ok\n"


def test_unverifiable_server_is_refused_and_told(tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a CONNECT to anyone who claims a provider's name would look like expected use."""
    folder = tmp_path / "other"
    folder.mkdir()
    stranger = World(folder)
    with LoopbackServer(http1, stranger.tls()) as server:
        redirects = {HOST: ("127.0.0.1", server.port)}
        with guarded(folder, monkeypatch, redirects=redirects, upstream_ca=str(world.ca)) as proxy:
            value = proxy.follow()
            done = proxy.curl("-k", f"{URL}/x", "-d", "@-", stdin=value.value)
            assert done.returncode != 0
            proxy.wait(lambda: proxy.gaps(GapType.TLS_REFUSED))
            assert HOST in proxy.gaps(GapType.TLS_REFUSED)[0].detail
            assert not server.log.requests


def test_client_that_does_not_trust_us_is_a_gap_with_its_name(proxy: Guarded) -> None:
    system = "/etc/ssl/certs/ca-certificates.crt"
    if not Path(system).exists():
        pytest.skip(f"no {system}")
    done = proxy.curl("--cacert", system, f"{URL}/x")
    assert done.returncode != 0
    proxy.wait(lambda: proxy.gaps(GapType.TLS_REFUSED))
    (gap,) = proxy.gaps(GapType.TLS_REFUSED)
    assert HOST in gap.detail
    assert gap.process is not None
    assert gap.process.name == "curl"


def test_host_outside_the_map_is_refused(proxy: Guarded) -> None:
    done = proxy.curl("https://elsewhere.example/")
    assert done.returncode == 56  # CONNECT was answered with an error
    assert proxy.curl("http://elsewhere.example/").returncode == 52


def test_host_header_of_a_tunnel_does_not_rename_its_host(proxy: Guarded) -> None:
    value = proxy.follow()
    proxy.curl(f"{URL}/x", "-H", "Host: api.openai.com", "-d", "@-", stdin=value.value)
    proxy.wait(proxy.sends)
    assert proxy.sends()[0].host == HOST


# --- other clients ---------------------------------------------------------------------------------------------------

PYTHON_URLLIB = (
    "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], data=sys.argv[2].encode()).status)"
)
NODE_FETCH = """
const tls = require('tls'), net = require('net'), proxy = new URL(process.env.HTTPS_PROXY);
const [host, body] = [process.argv[1], process.argv[2]];
const c = net.connect(proxy.port, proxy.hostname,
  () => c.write(`CONNECT ${host}:443 HTTP/1.1\\r\\nHost: ${host}\\r\\n\\r\\n`));
c.once('data', () => {
  const s = tls.connect({socket: c, servername: host}, () =>
    s.write(`POST /node HTTP/1.1\\r\\nHost: ${host}\\r\\nContent-Length: ${body.length}\\r\\n`
      + `Connection: close\\r\\n\\r\\n${body}`));
  s.on('data', d => process.stdout.write(d)); s.on('error', e => { console.error(e.code); process.exit(1) });
});
"""
JAVA = """
import java.net.*; import java.nio.charset.*;
public class Post { public static void main(String[] a) throws Exception {
  HttpURLConnection c = (HttpURLConnection) new URL(a[0]).openConnection();
  c.setDoOutput(true); c.getOutputStream().write(a[1].getBytes(StandardCharsets.UTF_8));
  System.out.println(c.getResponseCode()); } }
"""


def _one_leak(proxy: Guarded, argv: list[str], name: str) -> None:
    value = proxy.follow()
    done = proxy.run(*[part.replace("VALUE", value.value.decode()) for part in argv])
    assert done.returncode == 0, done.stderr
    proxy.wait(proxy.sends)
    seen = proxy.sends()[0]
    assert seen.process is not None
    assert seen.process.name.startswith(name)
    assert seen.host == HOST
    assert seen.matches[0].fingerprint == value.fingerprint
    proxy.assert_no_raw(value)


def test_python_urllib(proxy: Guarded) -> None:
    _one_leak(proxy, [sys.executable, "-c", PYTHON_URLLIB, f"{URL}/py", "VALUE"], "python")


def test_wget(proxy: Guarded) -> None:
    _one_leak(proxy, [need("wget"), "-q", "-O", "-", "--post-data", "VALUE", f"{URL}/wget"], "wget")


def test_wget_whose_settings_name_another_proxy_or_none(proxy: Guarded, tmp_path: Path) -> None:
    """Settings go before the environment: they would lead round us."""
    for number, setting in enumerate(("use_proxy = off", "https_proxy = http://127.0.0.1:1")):
        own = tmp_path / f"own{number}"
        own.write_text(setting)
        base = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "WGETRC": str(own)}
        proxy.env = base | proxy.sensor.environment(tmp_path / f"run{number}", base)
        value = proxy.follow()
        argv = [need("wget"), "-q", "-O", "-", "--post-data", value.value.decode(), f"{URL}/wget{number}"]
        assert proxy.run(*argv).returncode == 0
        proxy.settle()
        assert proxy.sends()[-1].matches[0].fingerprint == value.fingerprint


def test_node_trusts_the_ca(proxy: Guarded) -> None:
    """Node 20 has no proxy of its own; what is shown is that it trusts our CA and is found."""
    _one_leak(proxy, [need("node"), "-e", NODE_FETCH, HOST, "VALUE"], "node")


def test_node_with_its_own_proxy_support(proxy: Guarded) -> None:
    node = need("node")
    version = subprocess.run([node, "-p", "process.versions.node"], capture_output=True, text=True, check=True).stdout
    major, minor = (int(part) for part in version.split(".")[:2])
    if (major, minor) < (22, 21) or major == 23:
        pytest.skip(f"Node {version.strip()} has no NODE_USE_ENV_PROXY")
    script = (
        f"fetch('{URL}/fetch', {{method: 'POST', body: 'VALUE'}}).then(r => process.exit(r.status === 200 ? 0 : 1))"
    )
    _one_leak(proxy, [node, "-e", script], "node")


def test_git_over_https(proxy: Guarded, server: LoopbackServer) -> None:
    """The credential of a URL goes out as Basic authorization; git itself asks for it with a 401 at most."""
    value = proxy.follow()
    proxy.env["GIT_TERMINAL_PROMPT"] = "0"
    proxy.run(
        need("git"), "-c", f"http.extraHeader=Authorization: Bearer {value.value.decode()}", "ls-remote", f"{URL}/r"
    )
    proxy.wait(proxy.sends)
    seen = proxy.sends()[0]
    assert seen.process is not None
    assert seen.process.name.startswith("git")
    assert seen.matches[0].place == "header:authorization"
    assert server.log.requests[0].path.startswith("/r/info/refs")
    proxy.assert_no_raw(value)


def test_java(proxy: Guarded, tmp_path: Path) -> None:
    if "trustStore" not in proxy.env.get("JAVA_TOOL_OPTIONS", ""):
        pytest.skip("this cryptography cannot write a Java trust store")
    source = tmp_path / "Post.java"
    source.write_text(JAVA)
    _one_leak(proxy, [need("java"), str(source), f"{URL}/java", "VALUE"], "java")


def test_http2(tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    if "HTTP2" not in subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout:
        pytest.skip("curl without HTTP/2")
    with LoopbackServer(http2, world.tls(alpn=["h2"])) as server:
        redirects = {HOST: ("127.0.0.1", server.port)}
        with guarded(tmp_path, monkeypatch, redirects=redirects, upstream_ca=str(world.ca)) as proxy:
            value = proxy.follow()
            done = proxy.curl("--http2", f"{URL}/two", "-d", "@-", "-w", "%{http_version}", stdin=value.value)
            assert done.stdout == b"ok\n2"
            proxy.wait(proxy.sends)
            assert proxy.sends()[0].protocol == "h2"
            assert server.log.requests[0].body == value.value
            token = f"X-Token: {value.value.decode()}"
            assert proxy.curl("--http2", "-X", "POST", "-H", token, f"{URL}/no-body").stdout == b"ok\n"
            proxy.wait(lambda: len(proxy.sends()) == 2)
            assert proxy.sends()[1].matches[0].place == "header:x-token"


# --- blocking --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def all_tests_blocking(folder: Path, world: World, all_tests_server: LoopbackServer) -> Iterator[Guarded]:
    own = folder / "blocking"
    own.mkdir()
    settings = {"redirects": {HOST: ("127.0.0.1", all_tests_server.port)}, "upstream_ca": str(world.ca)}
    with pytest.MonkeyPatch.context() as patch, guarded(own, patch, home=block_policy(own), **settings) as running:
        yield running


@pytest.fixture
def blocking(all_tests_blocking: Guarded, server: LoopbackServer) -> Guarded:
    return all_tests_blocking.anew()


def test_blocked_request_gets_403_and_nothing_leaves(blocking: Guarded, server: LoopbackServer) -> None:
    value = blocking.follow()
    done = blocking.curl(f"{URL}/x", "-d", "@-", "-w", "\n%{http_code}", stdin=b"a=" + value.value)
    body, _, status = done.stdout.rpartition(b"\n")
    assert status == b"403"
    error = json.loads(body)["error"]
    assert error["type"] == "blocked_by_agentguard"
    assert error["rule"] == RULE
    blocking.wait(blocking.sends)
    assert blocking.sends()[0].enforced_rule == RULE
    assert not server.log.requests
    blocking.assert_no_raw(value)
    assert blocking.curl(f"{URL}/fine", "-d", "hello").stdout == b"ok\n"


def test_blocked_query(blocking: Guarded, server: LoopbackServer) -> None:
    value = blocking.follow()
    done = blocking.curl(f"{URL}/x?q={value.value.decode()}", "-w", "%{http_code}")
    assert done.stdout.endswith(b"403")
    assert not server.log.requests


def test_blocked_upload_leaves_no_byte_of_the_secret(blocking: Guarded, server: LoopbackServer) -> None:
    value = blocking.follow()
    body = b"A" * 200_000 + value.value + b"B" * 200_000
    done = blocking.curl("-T", "-", f"{URL}/put", stdin=body)
    assert b"blocked_by_agentguard" in done.stdout
    blocking.wait(blocking.sends)
    assert blocking.sends()[0].enforced_rule == RULE
    assert len(server.log.raw) < 200_000 + 1000
    for start in range(len(value.value) - 7):
        assert not server.log.holds(value.value[start : start + 8])


def test_clean_upload_passes_whole_where_policy_can_block(blocking: Guarded, server: LoopbackServer) -> None:
    body = os.urandom(300_000)
    assert blocking.curl("-T", "-", f"{URL}/put", stdin=body).stdout == b"ok\n"
    assert server.log.requests[-1].body == body


# --- many at once ----------------------------------------------------------------------------------------------------


def test_many_in_a_row_are_attributed_exactly(proxy: Guarded) -> None:
    _many(proxy, count=30, at_once=1)


def test_a_hundred_at_once_are_attributed_exactly(proxy: Guarded) -> None:
    _many(proxy, count=100, at_once=100)


def _many(proxy: Guarded, *, count: int, at_once: int) -> None:
    value = proxy.follow()
    pids: dict[str, int] = {}
    waiting: list[subprocess.Popen[bytes]] = []
    for number in range(count):
        path = f"/n{number}"
        body = value.value.decode()
        running = subprocess.Popen(
            ["curl", "-sSf", "-o", "/dev/null", "--max-time", "60", "-d", body, URL + path], env=proxy.env
        )
        pids[URL + path] = running.pid
        waiting.append(running)
        if len(waiting) >= at_once:
            for one in waiting:
                assert one.wait() == 0, proxy.gaps()
            waiting.clear()
    proxy.wait(lambda: len(proxy.sends()) == count)
    found = {seen.url: seen.process.pid for seen in proxy.sends() if seen.process}
    assert found == pids
    assert {seen.confidence for seen in proxy.sends()} == {Confidence.EXACT_HELD}
    proxy.assert_no_raw(value)
