"""The agent's environment: proxied, trusting, and with what the user had set kept where it adds up."""

from __future__ import annotations

import os
import ssl
import stat
from pathlib import Path

import pytest

from agentguard.errors import SensorError
from agentguard.sense.proxy.ca import (
    ADDING,
    REPLACING,
    Authority,
    Roots,
    make_authority,
    system_roots,
    user_roots,
    write_trust,
)
from agentguard.sense.proxy.environment import is_loopback, session_environment, upstream_of


@pytest.fixture(scope="module")
def authority() -> Authority:
    return make_authority()


def _environment(folder: Path, authority: Authority, base: dict[str, str]) -> dict[str, str]:
    return session_environment(4711, write_trust(folder, authority, user_roots(base)), base)


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
    roots = system_roots()
    if roots:
        assert len(context.get_ca_certs()) == bundle.count(b"BEGIN CERTIFICATE") > 100
        assert Path(roots).read_bytes().count(b"BEGIN CERTIFICATE") + 2 == bundle.count(b"BEGIN CERTIFICATE")


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
    assert Path(env["WGETRC"]).read_text().splitlines() == [
        "tries = 3",
        "use_proxy = on",
        "http_proxy = http://127.0.0.1:4711",
        "https_proxy = http://127.0.0.1:4711",
        f"ca_certificate = {env['SSL_CERT_FILE']}",
    ]
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
        write_trust(tmp_path / "file" / "run", authority, Roots(b""))


# --- roots that the user has ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def company() -> bytes:
    return make_authority().certificate.strip()


@pytest.mark.parametrize("name", [*REPLACING, *ADDING, "npm_config_cafile"])
def test_a_root_is_kept_by_whichever_variable_it_is_named(tmp_path: Path, company: bytes, name: str) -> None:
    own = tmp_path / "company.pem"
    own.write_bytes(company)
    roots = user_roots({name: str(own)})
    assert company in roots.pem
    assert roots.pem.startswith(user_roots({}).pem), "the system's stay"
    assert roots.left_out == ()


def test_the_root_of_wgets_settings_is_kept(tmp_path: Path, company: bytes) -> None:
    own = tmp_path / "company.pem"
    own.write_bytes(company)
    (tmp_path / ".wgetrc").write_text(f"# mine\nCA-Certificate = {own}\n")
    assert company in user_roots({"HOME": str(tmp_path)}).pem


def test_only_certificates_are_taken_and_each_once(tmp_path: Path, company: bytes) -> None:
    """What is written lies where every program of the session reads it."""
    mixed = tmp_path / "mixed.pem"
    key = b"-----BEGIN " + b"PRIVATE KEY-----\nMIGH\n-----END " + b"PRIVATE KEY-----\n"
    mixed.write_bytes(b"# notes\n" + key + company + b"\n" + company)
    base = {"SSL_CERT_FILE": str(mixed), "CURL_CA_BUNDLE": str(mixed)}
    roots = user_roots(base, str(mixed))
    assert b"PRIVATE" not in roots.pem
    assert b"notes" not in roots.pem
    assert roots.pem.count(company) == 1


def test_what_cannot_be_used_is_named_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no certificate")
    roots = user_roots(
        {
            "REQUESTS_CA_BUNDLE": str(tmp_path / "gone"),
            "GIT_SSL_CAINFO": str(tmp_path),
            "PIP_CERT": str(tmp_path / "text"),
            "AWS_CA_BUNDLE": "",
        }
    )
    assert roots.pem == user_roots({}).pem
    assert roots.left_out == (
        f"REQUESTS_CA_BUNDLE names {tmp_path / 'gone'}, which cannot be read (No such file or directory)",
        f"PIP_CERT names {tmp_path / 'text'}, which holds no certificate in PEM form",
        f"GIT_SSL_CAINFO names {tmp_path}, which cannot be read (Is a directory)",
    )


# --- what the user has set for one tool -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["NPM_CONFIG_HTTPS_PROXY", "npm_config_proxy", "PIP_PROXY", "CARGO_HTTP_PROXY"])
def test_one_tools_proxy_is_no_way_round_ours(tmp_path: Path, authority: Authority, name: str) -> None:
    env = _environment(tmp_path, authority, {name: "http://proxy.corp.example:3128"})
    assert env[name] == "http://127.0.0.1:4711"
    assert name not in _environment(tmp_path, authority, {})


def test_npms_own_names_in_small_letters(tmp_path: Path, authority: Authority) -> None:
    env = _environment(tmp_path, authority, {"npm_config_cafile": "/gone", "npm_config_noproxy": "localhost,a.example"})
    assert env["npm_config_cafile"] == env["SSL_CERT_FILE"]
    assert env["npm_config_noproxy"] == "a.example"


def test_what_is_not_ours_to_change_stays(tmp_path: Path, authority: Authority) -> None:
    """Options of Node and of Java that the user has set go on counting."""
    base = {"NODE_OPTIONS": "--max-old-space-size=4096", "DENO_TLS_CA_STORE": "system", "JAVA_HOME": "/opt/java"}
    env = base | _environment(tmp_path, authority, base | {"JAVA_TOOL_OPTIONS": "-Xmx1g"})
    assert env["NODE_OPTIONS"] == "--max-old-space-size=4096"
    assert env["DENO_TLS_CA_STORE"] == "system"
    assert env.get("JAVA_TOOL_OPTIONS", "-Xmx1g -D").startswith("-Xmx1g -D")
