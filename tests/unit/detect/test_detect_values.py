"""What each format of secret file yields, what is rare enough to follow, and that no content breaks it."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from value_support import FINGERPRINTER, made_up, scanner_with

from agentguard.detect.files import load_file_patterns
from agentguard.detect.rarity import is_secret
from agentguard.detect.templates import expand
from agentguard.detect.values import MAX_VALUES, environment_values, extract_values
from agentguard.model.secret import KNOWN_VALUE, SecretValue
from agentguard.paths import policies_dir

SCANNER = scanner_with()
PASSWORD = made_up(20, 1, "#!%+")
TOKEN = made_up(32, 2)
KINDS = [pattern.id for pattern in load_file_patterns(policies_dir() / "files.yaml").patterns]


def extract(text: str | bytes, kind: str = "dotenv", path: str = "/src/shop/.env") -> dict[str, SecretValue]:
    data = text if isinstance(text, bytes) else text.encode()
    values = extract_values(path, data, kind, SCANNER)
    assert all(value.source_path == path and value.fingerprint and value.preview for value in values)
    return {value.value.decode("utf-8", "replace"): value for value in values}


# --- formats ----------------------------------------------------------------------------------------------


def test_dotenv_follows_secrets_and_nothing_else() -> None:
    text = f"""
        # comment
        PORT=3000
        DEBUG=true
        NODE_ENV=production
        HOST=db.internal.example.org
        LOG=/var/log/shop/app.log
        VERSION=1.24.3-rc1
        API_URL=https://api.example.org/v1/items?page=2
        OWNER=ops@example.org
        POSTGRES_PASSWORD=postgres
        API_KEY=your-api-key-here
        SESSION_TIMEOUT=86400000
        REGION=eu-west-1
        COMMIT=0123456789abcdef0123456789abcdef01234567
        TRACE_ID=7f3a9100-1111-4222-8333-abcdefabcdef
        GREETING="Hello, dear world of shops"
        export JWT_SECRET='{PASSWORD}'   # the real one
        MYSTERY={TOKEN}
        DB_PASSWORD="correct-horse-battery"
    """
    found = extract(text)
    assert set(found) == {PASSWORD, TOKEN, "correct-horse-battery"}
    assert found[PASSWORD].name == "JWT_SECRET"
    assert found[PASSWORD].type == KNOWN_VALUE
    assert found[PASSWORD].fingerprint == FINGERPRINTER.of(PASSWORD.encode())


def test_dotenv_quotes_escapes_and_lines() -> None:
    first, second = made_up(24, 3), made_up(24, 4)
    text = f'A_TOKEN="{first}\\n{second}"\nB_TOKEN="{first}x\n{second}"\nC_TOKEN=\'{first}\\n\'\nD_TOKEN="{second}'
    assert set(extract(text)) == {f"{first}\n{second}", f"{first}x\n{second}", f"{first}\\n", second}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_encodings_and_line_ends(encoding: str, line_end: str) -> None:
    text = line_end.join([f"A_PASSWORD={PASSWORD}", "PORT=1", f"B_SECRET={TOKEN}", ""])
    assert set(extract(text.encode(encoding))) == {PASSWORD, TOKEN}


def test_a_typed_key_has_its_type_and_issuer() -> None:
    key = expand("ghp_{github-crc}")
    found = extract(f"GH={key}\n")
    assert found[key].type.startswith("github")
    assert any(host.endswith("github.com") for host in found[key].issuer_hosts)


def test_a_database_url_and_its_password_are_for_its_host() -> None:
    password = made_up(16, 5) + "@"
    url = f"postgres://shop:{password.replace('@', '%40')}@db.example.org:5432/shop?sslmode=require"
    found = extract(f'DATABASE_URL="{url}"\n')
    assert set(found) == {url, password, password.replace("@", "%40")}
    assert all(value.issuer_hosts == ("db.example.org",) for value in found.values())
    assert len({value.fingerprint for value in found.values()}) == 1, "one credential, however it is written"
    assert not extract("DATABASE_URL=postgres://postgres:postgres@localhost:5432/app\n")


def test_secrets_in_the_parts_of_a_url() -> None:
    found = extract(
        f"HOOK=https://hooks.example.com/services/T0/B0/{TOKEN}\nFEED=https://x.example/?token={PASSWORD[:1]}{TOKEN}\n"
    )
    assert found[TOKEN].issuer_hosts == ("hooks.example.com",)
    assert PASSWORD[:1] + TOKEN in found


def test_aws_credentials() -> None:
    key_id, secret = expand("AKIA{base32:16}"), made_up(40, 6, "/+")
    found = extract(
        f"[default]\naws_access_key_id = {key_id}\naws_secret_access_key = {secret}\nregion = eu-west-1\n",
        "aws-credentials",
    )
    assert set(found) == {key_id, secret}
    assert "amazonaws.com" in found[secret].issuer_hosts


def test_npmrc_names_its_registry() -> None:
    text = (
        "registry=https://r.example/\n"
        f"//npm.shop.example/pkg/:_authToken={TOKEN}\n"
        f"_auth={base64.b64encode(b'ada:' + PASSWORD.encode()).decode()}\n"
        "//other.example/:_authToken=${NPM_TOKEN}\nsave-exact=true\n"
    )
    found = extract(text, "npmrc")
    assert found[TOKEN].issuer_hosts == ("npm.shop.example",)
    assert found[PASSWORD].issuer_hosts == ("r.example",)
    assert len(found) == 3


def test_pypirc_names_its_repository() -> None:
    text = "[distutils]\nindex-servers = corp\n"
    text += f"[corp]\nrepository = https://pkgs.example/legacy/\nusername = ada\npassword = {PASSWORD}\n"
    found = extract(text, "pypirc")
    assert set(found) == {PASSWORD}
    assert found[PASSWORD].issuer_hosts == ("pkgs.example",)


def test_netrc_in_one_line_and_in_many() -> None:
    text = (
        f"machine a.example login ada password {PASSWORD}\n# machine z.example password {TOKEN}z\n"
        f"machine b.example\n  login ada\n  password {TOKEN}\nmacdef init\n  password nonsense{TOKEN}\n\n"
        "default login x password y\n"
    )
    found = extract(text, "netrc")
    assert {value: found[value].issuer_hosts for value in found} == {PASSWORD: ("a.example",), TOKEN: ("b.example",)}


def test_pgpass_escapes() -> None:
    found = extract("db.example:5432:shop:ada:p\\:q" + TOKEN + "\\\\x\n*:*:*:*:short\n", "pgpass")
    assert found["p:q" + TOKEN + "\\x"].issuer_hosts == ("db.example",)
    assert len(found) == 1


def test_git_credentials() -> None:
    found = extract(
        f"https://ada:{TOKEN}@git.example\nhttps://{PASSWORD[:10]}{TOKEN}@code.example/x\n", "git-credentials"
    )
    assert found[TOKEN].issuer_hosts == ("git.example",)


def test_docker_config_opens_its_packed_login() -> None:
    packed = base64.b64encode(f"ada:{PASSWORD}".encode()).decode()
    config = {"auths": {"https://r.example/v1/": {"auth": packed}, "s.example": {"identitytoken": TOKEN}}}
    found = extract(json.dumps(config), "docker-config")
    assert {value: found[value].issuer_hosts for value in found} == {
        packed: ("r.example",), PASSWORD: ("r.example",), TOKEN: ("s.example",),
    }  # fmt: skip


def test_kubeconfig_is_for_its_server() -> None:
    text = "clusters:\n- cluster:\n    server: https://k8s.example:6443\n"
    text += f"users:\n- name: ada\n  user:\n    token: {TOKEN}\n"
    assert extract(text, "kubeconfig")[TOKEN].issuer_hosts == ("k8s.example",)


def test_json_by_key_and_by_neighbouring_host() -> None:
    data = {
        "installed": {"client_secret": PASSWORD, "client_id": "shop.example", "token_uri": "https://o.example/token"},
        "servers": [{"env": {"SHOP_TOKEN": TOKEN}}],
        "headers": {"Authorization": f"Bearer {TOKEN}9"},
        "id": made_up(32, 9),
    }
    found = extract(json.dumps(data), "agent-login")
    assert set(found) == {PASSWORD, TOKEN, TOKEN + "9"}
    assert found[PASSWORD].issuer_hosts == ("o.example",)
    assert found[TOKEN].name == "SHOP_TOKEN"


def test_yaml_toml_and_xml() -> None:
    assert set(extract(f"a:\n  - password: '{PASSWORD}'\n    port: 80\n", "secrets-file")) == {PASSWORD}
    assert set(extract(f'[x]\ntoken = "{TOKEN}"\nname = "shop"\n', "registry-login")) == {TOKEN}
    assert set(extract(f"<a><password>{TOKEN}</password><id>shop</id></a>", "registry-login")) == {TOKEN}


def test_a_bare_token_in_a_file_of_its_own() -> None:
    found = extract(TOKEN + "\n", "cloud-login", "/home/ada/.vault-token")
    assert found[TOKEN].name == ".vault-token"


def test_process_environment_is_split_at_nul() -> None:
    assert set(extract(f"PATH=/bin\0SHOP_SECRET={TOKEN}\0", "process-environment")) == {TOKEN}


def test_public_keys_and_certificates_are_not_followed() -> None:
    body = "\n".join(made_up(64, seed) for seed in range(5))
    assert not extract(f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n", "private-key")
    assert not extract(f"PUBLIC_KEY={made_up(40, 3)}\nKEY=ssh-ed25519 AAAA{made_up(60, 4)} ada@x\n")


PRIVATE = serialization.PrivateFormat


@pytest.mark.parametrize(
    ("key", "form"),
    [
        (ed25519.Ed25519PrivateKey.generate(), PRIVATE.OpenSSH),
        (ed25519.Ed25519PrivateKey.generate(), PRIVATE.PKCS8),
        (ec.generate_private_key(ec.SECP256R1()), PRIVATE.PKCS8),
        (ec.generate_private_key(ec.SECP256R1()), PRIVATE.TraditionalOpenSSL),
        (rsa.generate_private_key(65537, 2048), PRIVATE.OpenSSH),
        (rsa.generate_private_key(65537, 2048), PRIVATE.TraditionalOpenSSL),
    ],
    ids=["ed25519-openssh", "ed25519-pkcs8", "ec-pkcs8", "ec-sec1", "rsa-openssh", "rsa-pkcs1"],
)
def test_a_private_key_is_one_secret_and_its_public_half_none(key: object, form: serialization.PrivateFormat) -> None:
    encoding = serialization.Encoding
    armour = key.private_bytes(encoding.PEM, form, serialization.NoEncryption())  # type: ignore[attr-defined]
    values = extract_values("/h/.ssh/id", armour, "ssh-private-key", SCANNER)
    assert values
    assert len({value.fingerprint for value in values}) == 1
    public = key.public_key()  # type: ignore[attr-defined]
    pem = public.public_bytes(encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    ssh = public.public_bytes(encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    assert not [value for value in values if value.value in pem or value.value in ssh]
    escaped = json.dumps({"private_key": armour.decode(), "type": "service_account"})
    assert {value.value for value in extract_values("/x.json", escaped.encode(), "gcloud-credentials", SCANNER)} >= {
        value.value for value in values if b"\n" not in value.value and len(value.value) <= 76
    }


def test_a_keystore_is_followed_in_pieces() -> None:
    data = b"".join(hashlib.sha256(bytes([number])).digest() for number in range(125))
    values = extract_values("/src/a.p12", data, "keystore", SCANNER)
    assert len({value.fingerprint for value in values}) == 1
    assert all(value.value in data for value in values)
    assert len(values) >= 6


def test_a_file_in_a_wrong_format_is_still_read() -> None:
    assert set(extract(f'{{ "password": "{PASSWORD}", // not JSON\n', "docker-config")) == {PASSWORD}


def test_bounds() -> None:
    many = "\n".join(f"A{number}_TOKEN={made_up(20, number)}" for number in range(MAX_VALUES + 500))
    assert len(extract(many)) == MAX_VALUES
    assert not extract("A=1\n" * 300_000 + f"B_TOKEN={TOKEN}\n")


@settings(max_examples=150)
@given(
    st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode("utf-8", "ignore"))),
    st.sampled_from(KINDS),
)
def test_hostile_content_never_raises(data: bytes, kind: str) -> None:
    extract_values("/x/.env", data, kind, SCANNER)


FRAGMENTS = st.sampled_from(
    ["machine ", "password ", "://", "@", ":", "=", '"', "'", "\\", "\n", "{", "}", "[", "]", "-----BEGIN ",
     "PRIVATE KEY-----",
     "-----END PRIVATE KEY-----", "//h/:_authToken=", "auth", "%", "${", "<a>", "</", "server: ", "\ud800",
     "macdef x\n", TOKEN]
)  # fmt: skip


@settings(max_examples=150)
@given(st.lists(FRAGMENTS, max_size=40).map("".join), st.sampled_from(KINDS))
def test_hostile_pieces_of_every_format_never_raise(text: str, kind: str) -> None:
    extract_values("/x/.env", text.encode("utf-8", "surrogatepass"), kind, SCANNER)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 20_000,
        '{"a":' * 10_000,
        '"' * 20_000,
        "machine " * 20_000,
        "-----BEGIN PRIVATE KEY-----" * 1000,
        "://" * 20_000,
    ],
)
@pytest.mark.timeout(20)
def test_hostile_length_ends(text: str) -> None:
    for kind in ("dotenv", "netrc", "docker-config", "git-credentials"):
        extract_values("/x/.env", text.encode(), kind, SCANNER)


# --- the environment --------------------------------------------------------------------------------------


def test_environment_by_name_and_by_type() -> None:
    key = expand("ghp_{github-crc}")
    environ = [("PATH", "/usr/bin:/bin"), ("SHOP_PASSWORD", PASSWORD), ("X", key), ("INVOCATION_ID", made_up(32, 7)),
               ("SSH_AUTH_SOCK", "/tmp/agent.123/x"), ("DB", f"mysql://a:{TOKEN}@db.example/x")]  # fmt: skip
    found = {value.value.decode(): value for value in environment_values(environ, SCANNER)}
    assert {value.name for value in found.values()} == {"SHOP_PASSWORD", "X", "DB"}
    assert found[key].type.startswith("github")
    assert found[TOKEN].issuer_hosts == ("db.example",)


# --- rarity -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    ["3000", "true", "production", "localhost:5432", "db.internal.example.org", "192.168.1.10:8080",
     "/usr/local/bin/node",
     "src/app/main.py", "1.24.3", "2026-01-31T14:31:58Z", "https://api.example.org/v1", "ada@example.org", "eu-west-1",
     "MyApplicationSettingsProvider", "my-shop-prod-eu-west-1-assets", "application/json; charset=utf-8", "86400000",
     "7f3a9100-1111-4222-8333-abcdefabcdef", "getUserByEmailAndPassword", "node:20-alpine3.19", "*/15 * * * *",
     "0.0.0.0/0,10.0.0.0/8", "arn:aws:iam::123456789012:role/shop", "backup-2024-01-02-prod",
     "A very long sentence, in words."],
)  # fmt: skip
def test_ordinary_values_are_quiet(value: str) -> None:
    assert not is_secret(value, "SETTING")
    assert not is_secret(value, "SHOP_SETTING_NAME")


@pytest.mark.parametrize("name", ["DB_PASSWORD", "SECRET", "api_token", "signingKey", "USER_PASS", "CREDENTIAL"])
def test_a_telling_name_needs_less(name: str) -> None:
    for value in ("correct-horse-battery", "Winter!Garden42", "tr0ub4dor", made_up(10, 3)):
        assert is_secret(value, name), value
    for value in ("postgres", "password", "changeme", "admin123", "my-app-secret", "${DB_PASSWORD}", "<your-key>",
                  "xxxxxxxxxxxx", "12345678", "development", "short1!", "********", "test-token",
                  "abcdefgh"):  # fmt: skip
        assert not is_secret(value, name), value


def test_a_mixed_password_of_twenty_is_a_value_under_any_name() -> None:
    quiet = [seed for seed in range(300) if not is_secret(made_up(20, seed, "#!%+&"), "X")]
    assert len(quiet) <= 3


def test_random_hexadecimal_unless_it_is_a_hash() -> None:
    digits = FINGERPRINTER.of(b"x")
    assert is_secret(digits, "X")
    assert is_secret(digits, "APP_KEY")
    assert not is_secret(digits, "GIT_SHA")
    assert not is_secret(digits, "X", strict=True)


@given(st.text(max_size=200), st.text(max_size=30), st.booleans(), st.booleans())
def test_rarity_of_any_text_is_answered(value: str, name: str, sure: bool, strict: bool) -> None:
    is_secret(value, name, sure=sure, strict=strict)
