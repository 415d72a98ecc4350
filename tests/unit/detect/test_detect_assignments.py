"""Assignments: the value is read in every way of writing, and what is no secret beside a secret's name stays quiet."""

from __future__ import annotations

from functools import cache

import pytest
from detect_support import FINGERPRINTER, Values
from hypothesis import given, settings
from hypothesis import strategies as st

from agentguard.detect.assignment_names import Promise, promise_of
from agentguard.detect.confirm import Engine
from agentguard.detect.engine import available_engines, build_engine
from agentguard.detect.matching import match_of
from agentguard.detect.rules import CredentialType, load_types
from agentguard.detect.scanner import Scanner
from agentguard.detect.templates import expand
from agentguard.paths import policies_dir

KEY = expand("{alnum:28}", "a key for assignments")
HUMAN = "Tr0ub" + "4dor&3"


@cache
def at_rest_types() -> tuple[CredentialType, ...]:
    return load_types(policies_dir() / "secrets.yaml", at_rest=True)


@cache
def scanner() -> Scanner:
    """With the engine that takes no time to build; that all find the same is tested below."""
    return Scanner(at_rest_types(), build_engine(at_rest_types(), prefer="python"), FINGERPRINTER, Values())


@cache
def engines() -> list[Engine]:
    """Of the types with a filter alone: the others have tests of their own."""
    filtered = [kind for kind in at_rest_types() if kind.filter]
    return [build_engine(filtered, prefer=name) for name, why_not in available_engines() if not why_not]


def found(text: str) -> list[str]:
    return [one.value.decode() for one in scanner().locate(text.encode())]


WRITTEN = [
    "api_token = '{}'",
    'api_token: "{}",',
    '{{"api_token": "{}"}}',
    '{{\\"api_token\\": \\"{}\\"}}',
    "API_TOKEN={}",
    "export API_TOKEN='{}'",
    "api_token: {}  # ours",
    "$config['api_token'] = '{}';",
    "'api_token' => '{}',",
    ':api_token => "{}"',
    'api_token := "{}"',
    'var apiToken string = "{}"',
    'api_token: str = "{}"',
    'const char apiToken[] = "{}";',
    'private static final String API_TOKEN = "{}";',
    'let api_token: &str = "{}";',
    'client.setApiToken("{}");',
    "define('API_TOKEN', '{}');",
    'if api_token == "{}":',
    "<apiToken>{}</apiToken>",
    '<add key="ApiToken" value="{}"/>',
    '- name: API_TOKEN\n  value: "{}"',
    '{{"name": "API_TOKEN", "value": "{}"}}',
    "deploy --api-token {} --now",
    "deploy --api-token={}",
    "ENV API_TOKEN {}",
    "https://shop.example/x?api_token={}&page=2",
    'api_token = \\\n    "{}"',
    'SecretStr api_token = SecretStr("{}")',
    'NSString *apiToken = @"{}";',
    "api_token = `{}`",
    'ConvertTo-SecureString "{}" -AsPlainText',
    'const API_TOKEN: &\'static str = "{}";',
    'set :api_token, "{}"',
    'variable "api_token" {{\n  default = "{}"\n}}',
    "<key>apiToken</key>\n<string>{}</string>",
    "api_token '{}'",
    '(def api-token "{}")',
    '#define kApiToken @"{}"',
    'Dim apiToken As String = "{}"',
    "process.env.API_TOKEN || '{}'",
    'os.environ.get("API_TOKEN") or "{}"',
    'api_token = (\n    "{}"\n)',
    "api_token: {}==",
    "The api_token is {}.",
]


@pytest.mark.parametrize("form", WRITTEN)
def test_a_value_is_read_in_every_way_of_writing(form: str) -> None:
    assert [value.rstrip("=") for value in found(form.format(KEY))] == [KEY]


@pytest.mark.parametrize("form", ["password = '{}'", '"db_passwd": "{}"', "DB_PASS={}", "<password>{}</password>"])
def test_a_password_need_not_be_random(form: str) -> None:
    assert found(form.format(HUMAN)) == [HUMAN]


@pytest.mark.parametrize("template", ["{lower:11}" + "A" * 10 + "{alnum:43}", "{digits:9}.{hex:7}.{hex:32}"])
def test_a_token_may_hold_zeros_and_begin_as_a_version_does(template: str) -> None:
    value = expand(template, "a token with a run")
    assert found(f"access_token = '{value}'") == [value]


@pytest.mark.parametrize(
    "form", ["baremetrics = '{}'", "walkscore key: {}", "https://maps.shop.example/v1?key={}", "shotstackKey={}"]
)
def test_what_a_service_issues_may_be_hexadecimal(form: str) -> None:
    value = expand("{hex:32}", form)
    assert found(form.format(value)) == [value]


@pytest.mark.parametrize("value", ["Admin" + "@123", "Mon" + "key4214#", "Wel" + "come1!"])
def test_a_word_with_a_number_and_a_sign_is_a_password(value: str) -> None:
    assert found(f"password = '{value}'") == [value]
    assert found(f"label = '{value}'") == []


QUIET = [
    'password = "password"',
    'password = "change' + 'me"',
    'password = "${DB_PASSWORD}"',
    'password = "{{ vault_db_password }}"',
    'password = os.environ["DB_PASSWORD"]',
    "password = get_password(user1)",
    'password = "Enter your password:"',
    'password: "Mot de passe oublié ?"',
    'password = "<your-password>"',
    "password = settings.DB_PASSWORD_2",
    'passwordField = "input-password-1"',
    'token = "access_token"',
    'token_url = "https://shop.example/oauth2/token"',
    'secret = "op://vault/item/field1"',
    'secret_name = "prod/db/main-2"',
    'api_key = "your-api-key-1234"',
    "api_key = '" + "x" * 24 + "'",
    'public_key = "{}"',
    '"key": "translation.login.button2"',
    '"AWS::ApiGateway::ApiKey": "48205d4ffd7feba3"',
    "cache_key: sha256-{}",
    'key: "48205d4ffd7feba348205d4ffd7fe1a3"',
    'baremetrics_url = "{}"',
    'walkscore: "2f5c"',
    "['x509_pass_st', 'x509_store_st2']",
    "you can pass inline4 to it",
    "the password is pbkdf2_sha256 of what was typed",
    'you can pass "inline=4" to it',
    '#define TXT_PSK_WITH_AES_256_CCM "PSK-AES256-CCM8"',
    "key_id: {}",
    "password_hash_algorithm = 'pbkdf2_sha256'",
]


@pytest.mark.parametrize("text", QUIET)
def test_what_is_no_secret_stays_quiet(text: str) -> None:
    assert found(text.replace("{}", KEY)) == []


def test_every_engine_finds_the_same_assignments() -> None:
    lines = [form.format(expand("{alnum:24}", form)) for form in WRITTEN] + QUIET
    text = "\n".join(line + "\n" + "x = compute(first, second)\n" * 40 for line in lines * 8).encode()
    first, *others = [engine.scan(text) for engine in engines()]
    assert len(first) >= 8 * len(WRITTEN)
    assert all(other == first for other in others)


_PIECES = (
    *(
        "password",
        "api_",
        "token",
        "--",
        "key",
        "auth",
        "AUTH_",
        "<",
        ">",
        "</",
        "=",
        ":=",
        " => ",
        ": ",
        "(",
        ")",
        "[",
        "{",
    ),
    *(
        "'",
        '"',
        "\\",
        '\\"',
        "\n",
        " ",
        "\t",
        ",",
        "value",
        "by ",
        "%3D",
        "://",
        "@",
        "-u",
        "curl ",
        "Bearer ",
        "x",
        "9",
    ),
    *("\\x0f", "-----BEGIN PRIVATE KEY-----", "$6$", KEY[:9], HUMAN, "é"),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=60))
def test_no_text_is_too_strange_and_every_engine_reads_it_alike(pieces: list[str]) -> None:
    text = "".join(pieces).encode()
    first, *others = [engine.scan(text) for engine in engines()]
    assert all(0 <= hit.start < hit.end <= len(text) for hit in first)
    assert all(other == first for other in others)


def test_types_at_rest_are_left_out_of_requests() -> None:
    assert not any(kind.at_rest for kind in load_types(policies_dir() / "secrets.yaml"))
    assert {kind.id for kind in at_rest_types() if kind.filter} >= {"password", "assigned-secret"}


@pytest.mark.parametrize(
    ("name", "promise"),
    [
        ("DB_PASSWORD", Promise.PASSWORD),
        ("mysqlRootPasswd1", Promise.PASSWORD),
        ("client-secret", Promise.SECRET),
        ("stripe.apiKey", Promise.SECRET),
        ("key", Promise.KEY),
        ("saltValue", Promise.SECRET),
        ("token_url", Promise.NOTHING),
        ("publicKey", Promise.NOTHING),
        ("compass", Promise.NOTHING),
        ("NextToken", Promise.NOTHING),
        ("keyboard", Promise.NOTHING),
    ],
)
def test_a_name_says_what_to_expect(name: str, promise: Promise) -> None:
    assert promise_of(name) is promise


def test_a_preview_shows_no_more_of_a_password_than_its_length_allows() -> None:
    located = scanner().locate(f"db_password = '{KEY[:18]}'".encode())
    assert [match_of(one, FINGERPRINTER).preview for one in located] == [f"{KEY[:2]}…{KEY[16:18]}"]


def test_a_hash_is_told_as_one_also_where_a_password_should_stand() -> None:
    text = expand("password: '$2b$12${alnum:53}'", "hash")
    assert [one.type.id for one in scanner().locate(text.encode())] == ["password-hash"]
