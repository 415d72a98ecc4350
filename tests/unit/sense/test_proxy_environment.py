"""The agent's environment: proxied, trusting, and with what the user had set kept where it adds up."""

from __future__ import annotations

import os
import ssl
import stat
from pathlib import Path

import pytest

from agentguard.errors import SensorError
from agentguard.sense.proxy.ca import Authority, make_authority, system_roots, user_roots, write_trust
from agentguard.sense.proxy.environment import ADDING, REPLACING, is_loopback, session_environment, upstream_of


@pytest.fixture(scope="module")
def authority() -> Authority:
    return make_authority()


def _environment(folder: Path, authority: Authority, base: dict[str, str]) -> dict[str, str]:
    return session_environment(4711, write_trust(folder, authority, base), base)


def test_every_proxy_variable_in_both_cases(tmp_path: Path, authority: Authority) -> None:
    env = _environment(tmp_path, authority, {})
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        assert env[name] == env[name.lower()] == "http://127.0.0.1:4711"
    assert env["NO_PROXY"] == env["no_proxy"] == ""


def test_bundle_holds_the_users_own_root_and_ours(tmp_path: Path, authority: Authority) -> None:
    company = make_authority()
    own = tmp_path / "company.pem"
    own.write_bytes(company.certificate)
    base = {"NODE_EXTRA_CA_CERTS": str(own)}
    env = _environment(tmp_path / "run", authority, base)
    bundle = Path(env["SSL_CERT_FILE"]).read_bytes()
    assert company.certificate.strip() in bundle
    assert authority.certificate.strip() in bundle
    assert {env[name] for name in REPLACING} == {env["SSL_CERT_FILE"]}
    assert env["NODE_EXTRA_CA_CERTS"] == env["SSL_CERT_FILE"]
    context = ssl.create_default_context(cafile=env["SSL_CERT_FILE"])
    assert len(context.get_ca_certs()) >= 2
    roots = system_roots({})
    if roots:
        assert Path(roots).read_bytes().strip() in bundle


def test_adding_variables_get_our_ca_alone(tmp_path: Path, authority: Authority) -> None:
    env = _environment(tmp_path, authority, {})
    assert {Path(env[name]).read_bytes() for name in ADDING} == {authority.certificate}


def test_the_key_is_in_no_file(tmp_path: Path, authority: Authority) -> None:
    _environment(tmp_path, authority, {"PATH": os.environ["PATH"]})
    assert all(b"PRIVATE KEY" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert "PRIVATE" not in repr(authority)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("localhost,127.0.0.1,::1", ""),
        ("localhost, .corp.example ,127.0.0.0/8,10.0.0.0/8", ".corp.example,10.0.0.0/8"),
        ("*", ""),
        ("*.localhost,git.corp.example:8443", "git.corp.example:8443"),
        ("localhost:3000,[::1],0.0.0.0", ""),
    ],
)
def test_loopback_is_watched_and_other_exceptions_stay(
    tmp_path: Path, authority: Authority, before: str, after: str
) -> None:
    assert _environment(tmp_path, authority, {"NO_PROXY": before})["no_proxy"] == after


def test_wget_keeps_the_users_own_file(tmp_path: Path, authority: Authority) -> None:
    (tmp_path / ".wgetrc").write_text("tries = 3")
    env = _environment(tmp_path / "run", authority, {"HOME": str(tmp_path)})
    text = Path(env["WGETRC"]).read_text()
    assert text.splitlines() == ["tries = 3", f"ca_certificate = {env['SSL_CERT_FILE']}"]
    assert stat.S_IMODE(Path(env["WGETRC"]).stat().st_mode) == 0o600


def test_java_is_left_alone_where_it_would_fail(tmp_path: Path, authority: Authority) -> None:
    assert "JAVA_TOOL_OPTIONS" not in _environment(tmp_path, authority, {"PATH": "/nonexistent"})
    own = {"JAVA_HOME": "/opt/java", "JAVA_TOOL_OPTIONS": "-Djavax.net.ssl.trustStore=/own"}
    assert "JAVA_TOOL_OPTIONS" not in _environment(tmp_path, authority, own)


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ({}, ""),
        ({"HTTPS_PROXY": "http://proxy.corp.example:8080"}, "http://proxy.corp.example:8080"),
        ({"http_proxy": "proxy.corp.example:3128"}, "http://proxy.corp.example:3128"),
        ({"HTTP_PROXY": "http://a:1", "https_proxy": "http://b:2", "HTTPS_PROXY": "http://c:3"}, "http://b:2"),
    ],
)
def test_upstream_of(base: dict[str, str], url: str) -> None:
    assert upstream_of(base) == url


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.9.9.9", "[::1]", "::ffff:127.0.0.1"]
)
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["localhost.example", "127.0.0.1.example", "10.0.0.1", "", "example"])
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_unwritable_folder_is_said_in_one_line(tmp_path: Path, authority: Authority) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SensorError, match="cannot write the proxy's certificates"):
        write_trust(tmp_path / "file" / "run", authority, {})


def test_no_file_twice(tmp_path: Path) -> None:
    own = tmp_path / "own.pem"
    own.write_bytes(b"ONE")
    same = {"SSL_CERT_FILE": str(own), "CURL_CA_BUNDLE": str(own), "REQUESTS_CA_BUNDLE": str(tmp_path / "gone")}
    assert user_roots(same, str(own)) == b"ONE\n"
